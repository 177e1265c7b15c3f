"""Files are replaced whole, written once where that is asked for, and never outside their folder."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.errors import StoreError
from civitas_assets.store.files import LocalFiles


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*")]


def test_what_is_written_is_read_and_what_is_not_there_is_none(files: LocalFiles) -> None:
    assert files.read("a/b") is None
    assert not files.exists("a/b")
    files.write("a/b", b"1")
    files.write("a/b", b"2")
    assert files.read("a/b") == b"2"
    assert files.exists("a/b")
    assert Path(files.location("a/b")).read_bytes() == b"2"


def test_a_reader_that_holds_the_old_file_open_keeps_it(files: LocalFiles) -> None:
    files.write("a", b"old")
    with Path(files.location("a")).open("rb") as reader:
        files.write("a", b"new")
        assert reader.read() == b"old"
    assert files.read("a") == b"new"


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_crash_while_writing_leaves_the_old_file_and_nothing_beside_it(
    files: LocalFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    files.write("a", b"old")

    def crash(*_: Any) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync") if function == "fsync" else (Path, "replace")), crash)
        with pytest.raises(OSError, match="disk full"):
            files.write("a", b"new")
    assert files.read("a") == b"old"
    assert left_over(tmp_path) == []


def test_of_many_that_write_once_exactly_one_wins(files: LocalFiles, tmp_path: Path) -> None:
    bodies = [bytes([number]) * 1000 for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        won = [*pool.map(lambda body: files.write_once("x/once", body), bodies)]
    assert won.count(True) == 1
    assert files.read("x/once") == bodies[won.index(True)]
    assert left_over(tmp_path) == []


def test_the_second_of_two_racers_loses_after_the_check_too(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both saw that the name was free; the one that is later finds it taken."""
    files.write_once("a", b"first")
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert not files.write_once("a", b"second")
    assert files.read("a") == b"first"


@pytest.mark.parametrize(
    "key", ["", "/", "..", "../a", "a/../../b", "a//b", "/etc/passwd", "a/", "./a", "a\\b"]
)
def test_a_key_cannot_lead_out_of_the_folder(files: LocalFiles, key: str) -> None:
    for use in (files.read, files.exists, files.delete, files.location):
        with pytest.raises(StoreError, match="is no key"):
            use(key)
    with pytest.raises(StoreError, match="is no key"):
        files.write(key, b"")


def test_keys_are_listed_in_order_without_what_is_not_finished(files: LocalFiles, tmp_path: Path) -> None:
    for key in ("t/b/2", "t/a", "t/b/1", "u/a"):
        files.write(key, b"")
    (tmp_path / "t" / ".unfinished").write_bytes(b"")
    assert files.keys("t/") == ["t/a", "t/b/1", "t/b/2"]
    assert files.keys("none/") == []


def test_deleting_twice_is_deleting_once(files: LocalFiles) -> None:
    files.write("a", b"")
    files.delete("a")
    files.delete("a")
    assert not files.exists("a")
