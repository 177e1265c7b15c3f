"""Quarantine: rejected rows with the rule that they broke and where they came from, kept for a decision.

The same row rejected again, because its payload was fetched again, is not kept twice.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import date

import polars as pl

from civitas_assets.records.contract import UTC_TIME
from civitas_assets.store.files import Files, Stamp

SCHEMA: Mapping[str, pl.DataType] = {
    "source": pl.String(),
    "record_type": pl.String(),
    "rule": pl.String(),
    "field": pl.String(),
    "detail": pl.String(),
    "row": pl.Int64(),
    "raw": pl.String(),
    "day": pl.Date(),
    "received_at": UTC_TIME,
    "payload": pl.String(),
    "run_id": pl.String(),
}

_SAME = ("record_type", "rule", "field", "raw")


class Quarantine:
    """The rejected rows of one tenant, one Parquet file per source."""

    def __init__(self, files: Files, tenant: str) -> None:
        self._files = files
        self._root = f"quarantine/{tenant}"

    def add(self, source: str, rejected: pl.DataFrame) -> pl.DataFrame:
        """Keep rejected rows; the ones that were not there before.

        `day` is the tenant's calendar day on which a row was received.
        """
        key = f"{self._root}/{source}.parquet"
        rejected = rejected.select(*SCHEMA).unique(list(_SAME), keep="first", maintain_order=True)
        stored = self._files.read(key)
        known = pl.read_parquet(io.BytesIO(stored)) if stored is not None else pl.DataFrame(schema=SCHEMA)
        fresh = rejected.join(known, on=list(_SAME), how="anti", nulls_equal=True)
        if not fresh.is_empty():
            buffer = io.BytesIO()
            pl.concat([known, fresh]).write_parquet(buffer, compression="zstd")
            self._files.write(key, buffer.getvalue())
        return fresh

    def stamps(self) -> Mapping[str, Stamp]:
        """Size and version of the files, by key."""
        return self._files.stamps(f"{self._root}/")

    def rows(self, days: Iterable[date] | None = None) -> pl.DataFrame:
        """All rejected rows, or those received on the given days."""
        keys = self._files.keys(f"{self._root}/")
        frames = [pl.read_parquet(io.BytesIO(body)) for body in self._files.read_all(keys) if body]
        rows = pl.concat([pl.DataFrame(schema=SCHEMA), *frames])
        return rows if days is None else rows.filter(pl.col("day").is_in(list(days)))
