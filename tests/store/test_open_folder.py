"""A folder of open data is replaced in one step, and what stays the same keeps its tag and its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.errors import StoreError
from civitas_assets.store.files import Files, LocalFiles
from civitas_assets.store.open_folder import OpenFolder

NOW = datetime(2026, 11, 3, 5, 0, tzinfo=UTC)


@pytest.fixture
def make(tmp_path: Path) -> Any:
    """Files with these contents, as something to be put into a folder."""

    def files(**contents: str) -> dict[str, tuple[Path, str]]:
        made = {}
        for name, content in contents.items():
            path = tmp_path / f"{name}-{content}"
            path.write_text(content)
            made[f"{name}.csv"] = (path, "text/csv")
        return made

    return files


def _read(folder: OpenFolder) -> dict[str, bytes]:
    index = folder.read_index()
    found = index.files.items() if index else ()
    return {name: b"".join(folder.read_parts(file, 0, file.size) or ()) for name, file in found}


def test_the_folder_is_what_was_put_last_and_what_stays_keeps_its_time(files: Files, make: Any) -> None:
    folder = OpenFolder(files, "jena")
    assert folder.read_index() is None
    folder.replace(make(a="1", b="2", c="1"), "first", "everybody", NOW)
    assert _read(folder) == {"a.csv": b"1", "b.csv": b"2", "c.csv": b"1"}
    later = NOW + timedelta(days=1)
    index = folder.replace(make(a="1", b="3"), "second", "login", later)
    assert _read(folder) == {"a.csv": b"1", "b.csv": b"3"}
    assert {name: file.changed_at for name, file in index.files.items()} == {"a.csv": NOW, "b.csv": later}
    assert index == folder.read_index()
    assert (index.basis, index.access) == ("second", "login")
    assert len(files.list_keys("reports/jena/open/objects/")) == 2  # what is not offered any more is gone


def test_who_has_read_the_index_before_a_change_is_told_that_a_file_is_gone(files: Files, make: Any) -> None:
    folder = OpenFolder(files, "jena")
    old = folder.replace(make(a="1"), "first", "everybody", NOW).files["a.csv"]
    folder.replace(make(a="2"), "second", "everybody", NOW)
    assert folder.read_parts(old, 0, 1) is None


def test_a_change_that_fails_leaves_the_folder_as_it_was(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = OpenFolder(LocalFiles(tmp_path / "home"), "jena")
    folder.replace(make(a="1"), "first", "everybody", NOW)

    def refuse(*_: object) -> None:
        raise StoreError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(LocalFiles, "write", refuse)
        with pytest.raises(StoreError):
            folder.replace(make(a="2", b="1"), "second", "everybody", NOW)
    assert _read(folder) == {"a.csv": b"1"}
    folder.replace(make(a="3"), "third", "everybody", NOW)  # clears away what was left
    assert len(folder.files.list_keys("reports/jena/open/")) == 2


def test_a_folder_that_is_cleared_leaves_nothing(files: Files, make: Any) -> None:
    folder = OpenFolder(files, "jena")
    folder.replace(make(a="1"), "first", "everybody", NOW)
    folder.clear()
    folder.clear()
    assert folder.read_index() is None
    assert files.list_keys("reports/jena/") == []
