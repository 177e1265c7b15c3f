"""Drop folders: complete files wait, land, and are put aside; nothing else is touched."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from civitas_assets.ingest.drop import DropFolder
from civitas_assets.store.files import LocalFiles

NOW = datetime(2026, 8, 22, 5, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> DropFolder:
    return DropFolder(LocalFiles(tmp_path), "jena", "bins", "*.csv")


def put(folder: DropFolder, name: str, age: float = 60) -> Path:
    path = Path(folder.location) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(name)
    os.utime(path, (NOW.timestamp() - age,) * 2)
    return path


def test_only_complete_plain_files_that_fit_the_pattern_wait(folder: DropFolder, tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "x.txt", ".hidden.csv", "c.csv.part"):
        put(folder, name)
    put(folder, "still_being_written.csv", age=2)
    put(folder, "done/old.csv")
    elsewhere = tmp_path / "other_tenant.csv"
    elsewhere.write_text("secret")
    (Path(folder.location) / "link.csv").symlink_to(elsewhere)
    assert [file.name for file in folder.list_waiting(NOW)] == ["a.csv", "b.csv"]


def test_folder_that_nobody_has_made_holds_nothing(folder: DropFolder) -> None:
    assert not list(folder.list_waiting(NOW))


def test_what_has_landed_is_put_aside_and_what_came_meanwhile_stays(folder: DropFolder) -> None:
    put(folder, "a.csv")
    (first,) = folder.list_waiting(NOW)
    put(folder, "a.csv", age=30)
    folder.archive_file(first, NOW)
    (again,) = folder.list_waiting(NOW)
    folder.archive_file(again, NOW)
    assert not list(folder.list_waiting(NOW))
    done = Path(folder.location) / "done"
    assert [path.name for path in done.iterdir()] == ["20260822T050000000000-a.csv"]
