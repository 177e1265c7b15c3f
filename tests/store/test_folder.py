"""In a folder, a crash leaves the old file and nothing beside it, and of racers the later one loses."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.store.files import LocalFiles
from civitas_assets.store.space import explain_full_disk


@pytest.fixture
def folder(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path)


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_crash_while_writing_leaves_the_old_file_and_nothing_beside_it(
    folder: LocalFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    folder.write("a", b"old")

    def crash(*_: Any) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync") if function == "fsync" else (Path, "replace")), crash)  # type: ignore[call-overload]
        with pytest.raises(OSError, match="disk full"):
            folder.write("a", b"new")
    assert folder.read("a") == b"old"
    assert not [*tmp_path.rglob(".*")]


def test_the_second_of_two_racers_loses_after_the_check_too(
    folder: LocalFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both saw that the name was free; the one that is later finds it taken."""
    folder.write_once("a", b"first")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "exists", lambda _: False)
        assert not folder.write_once("a", b"second")
    assert folder.read("a") == b"first"
    assert not [*tmp_path.rglob(".*")]


def test_what_is_not_finished_is_not_listed(folder: LocalFiles, tmp_path: Path) -> None:
    folder.write("t/a", b"")
    (tmp_path / "t" / ".unfinished").write_bytes(b"")
    assert folder.list_keys("t/") == ["t/a"]
    assert [*folder.list_stamps("t/")] == ["t/a"]


def test_no_copy_is_made_of_what_is_a_file_already(folder: LocalFiles, tmp_path: Path) -> None:
    folder.write("t/a", b"")
    assert folder.fetch_copies(["t/a"], tmp_path / "copies") == [tmp_path / "t" / "a"]
    assert not (tmp_path / "copies").exists()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "full"), "is full: 2.5 MB were needed and"),
        (OSError(errno.EDQUOT, "full"), "is full"),
        (RuntimeError("Could not write file: No space left on device"), "is full"),
        (OSError(errno.EACCES, "denied"), ""),
        (RuntimeError("anything else"), ""),
    ],
)
def test_where_there_is_no_room_is_told_also_before_the_folder_is_there(
    tmp_path: Path, error: Exception, told: str
) -> None:
    found = explain_full_disk(tmp_path / "not" / "there", error, 2_500_000)
    assert told in found
    assert bool(found) == bool(told)
