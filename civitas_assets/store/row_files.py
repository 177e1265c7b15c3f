"""Rows as one Parquet file in the store: read whole, written whole, and gone where no row is left.

Files so large that they are scanned are read by who scans them.
"""

from __future__ import annotations

import io

import polars as pl

from civitas_assets.store.files import Files


def decode_rows(body: bytes) -> pl.DataFrame:
    """The rows of a file."""
    return pl.read_parquet(io.BytesIO(body))


def encode_rows(rows: pl.DataFrame) -> bytes:
    """A file of rows: packed fast, since most are written more often than they are read."""
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd", compression_level=1)
    return buffer.getvalue()


def read_rows(files: Files, key: str) -> pl.DataFrame | None:
    """The rows of an object; None if there is none."""
    body = files.read(key)
    return None if body is None else decode_rows(body)


def write_rows(files: Files, key: str, rows: pl.DataFrame) -> None:
    """Replace an object by these rows; one without rows is none."""
    if rows.is_empty():
        files.delete(key)
    else:
        files.write(key, encode_rows(rows))
