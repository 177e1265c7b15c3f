"""A file is there whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from civitas_assets.errors import ExportError
from civitas_assets.export.output import open_output


def test_a_file_appears_when_all_of_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    with open_output(file, io.BytesIO()) as sink:
        sink.write(b"whole")
        sink.flush()
        assert not file.exists()
    assert file.read_bytes() == b"whole"
    assert [*tmp_path.iterdir()] == [file]


def test_after_a_fault_the_file_is_what_it_was(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(b"before")

    def fail() -> None:
        with open_output(file, io.BytesIO()) as sink:
            sink.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert file.read_bytes() == b"before"
    assert [*tmp_path.iterdir()] == [file]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "rows.csv"
    with (
        pytest.raises(ExportError, match=r"rows\.csv cannot be written: No such file"),
        open_output(file, io.BytesIO()),
    ):
        pytest.fail("there is nothing to write to")


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(ExportError, match="cannot be written: No space left"),
        open_output(tmp_path / "rows.csv", io.BytesIO()) as sink,
    ):
        sink.write(b"much")
    assert [*tmp_path.iterdir()] == []


def test_without_a_file_standard_output_is_written_and_left_open() -> None:
    out = io.BytesIO()
    with open_output(None, out) as sink:
        sink.write(b"rows")
    assert out.getvalue() == b"rows"
