"""Rows in the store: what is written is read, and a file without rows is none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from civitas_assets.store.files import LocalFiles
from civitas_assets.store.row_files import decode_rows, encode_rows, read_rows, write_rows

ROWS = pl.DataFrame({"day": [date(2026, 7, 1), None], "value": [1.5, None], "name": ["Düsseldorf", ""]})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    assert read_rows(files, "rows.parquet") is None
    write_rows(files, "rows.parquet", ROWS)
    found = read_rows(files, "rows.parquet")
    assert found is not None
    assert found.equals(ROWS)
    assert decode_rows(encode_rows(ROWS)).schema == ROWS.schema


def test_a_file_without_rows_is_none(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    write_rows(files, "rows.parquet", ROWS)
    write_rows(files, "rows.parquet", ROWS.clear())
    assert not files.exists("rows.parquet")
    write_rows(files, "rows.parquet", ROWS.clear())
