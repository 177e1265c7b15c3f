"""Quarantine: rejected rows with the rule that they broke and where they came from, kept for a decision.

The same row rejected again, because its payload was fetched again, is not kept twice. A row that somebody decided to
discard is kept apart with who did so, when and why, and does not come back by itself.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

import polars as pl

from civitas_assets.records.contract import UTC_TIME
from civitas_assets.store.files import Files, Stamp
from civitas_assets.store.layout import RecordKeys, parse_stem
from civitas_assets.store.row_files import decode_rows, encode_rows, read_rows, write_rows

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
# What a discarded row has besides.
DECISION: Mapping[str, pl.DataType] = {
    "discarded_at": UTC_TIME,
    "discarded_by": pl.String(),
    "reason": pl.String(),
}

# Rows that are alike in these, within a source, are one.
SAME = ("record_type", "rule", "field", "raw")
_DISCARDED = "discarded"


@dataclass(frozen=True)
class Decision:
    """Who discards rows, when and why."""

    at: datetime
    by: str
    reason: str


class Quarantine:
    """The rejected rows of one tenant, one Parquet file per source, and another one for those discarded."""

    def __init__(self, files: Files, tenant: str) -> None:
        self._files = files
        self._root = RecordKeys.for_tenant(tenant).quarantine

    def add(self, source: str, rejected: pl.DataFrame) -> pl.DataFrame:
        """Keep rejected rows; the ones that were not there before.

        `day` is the tenant's calendar day on which a row was received. Discarded rows stay discarded.
        """
        fresh = self.select_unknown(source, rejected)
        if not fresh.is_empty():  # beside what another run may have put there since
            self._files.change_all({self._key(source): partial(_extended, fresh)})
        return fresh

    def select_unknown(self, source: str, rejected: pl.DataFrame) -> pl.DataFrame:
        """Those of the rows that are neither here nor discarded, each once; nothing is kept."""
        rejected = rejected.select(*SCHEMA).unique(list(SAME), keep="first", maintain_order=True)
        fresh = _without(rejected, self._read(self._key(source), SCHEMA))
        if fresh.is_empty():
            return fresh
        return _without(fresh, self._read(self._discarded_key(source), {**SCHEMA, **DECISION}))

    def remove(self, source: str, rows: pl.DataFrame) -> None:
        """Let go of rows that were accepted, or are kept elsewhere."""
        known = self._read(self._key(source), SCHEMA)
        left = _without(known, rows)
        if left.height < known.height:
            write_rows(self._files, self._key(source), left)

    def discard(self, source: str, rows: pl.DataFrame, decision: Decision) -> None:
        """Keep rows apart, with the decision; they are written there before they leave here."""
        key, schema = self._discarded_key(source), {**SCHEMA, **DECISION}
        before = self._read(key, schema)
        values = (decision.at, decision.by, decision.reason)
        decided = rows.select(*SCHEMA).with_columns(
            pl.lit(value).cast(dtype).alias(name)
            for (name, dtype), value in zip(DECISION.items(), values, strict=True)
        )
        write_rows(self._files, key, pl.concat([before, _without(decided, before)]))
        self.remove(source, rows)

    def restore(self, source: str, rows: pl.DataFrame) -> None:
        """Take a decision back: the rows are in quarantine again."""
        key = self._discarded_key(source)
        discarded = self._read(key, {**SCHEMA, **DECISION})
        known = self._read(self._key(source), SCHEMA)
        write_rows(self._files, self._key(source), pl.concat([known, _without(rows.select(*SCHEMA), known)]))
        write_rows(self._files, key, _without(discarded, rows))

    def list_stamps(self) -> Mapping[str, Stamp]:
        """Size and version of the files with rows that nobody decided on, by key."""
        found = self._files.list_stamps(f"{self._root}/")
        return {key: stamp for key, stamp in found.items() if self._is_open(key)}

    def read_rows(self, days: Iterable[date] | None = None) -> pl.DataFrame:
        """All rejected rows that nobody decided on, or those received on the given days."""
        keys = [key for key in self._files.list_keys(f"{self._root}/") if self._is_open(key)]
        rows = pl.concat(
            [
                pl.DataFrame(schema=SCHEMA),
                *(decode_rows(body) for body in self._files.read_all(keys) if body),
            ]
        )
        return rows if days is None else rows.filter(pl.col("day").is_in(list(days)))

    def read_discarded(self) -> pl.DataFrame:
        """All discarded rows, with the decisions."""
        schema = {**SCHEMA, **DECISION}
        keys = self._files.list_keys(f"{self._root}/{_DISCARDED}/")
        return pl.concat([pl.DataFrame(schema=schema), *(self._read(key, schema) for key in keys)])

    def count_rows(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """By source, how many rows nobody decided on, and how many were discarded."""
        undecided, decided = dict[str, int](), dict[str, int]()
        for key in self._files.list_keys(f"{self._root}/"):
            body = self._files.read(key)
            count = pl.scan_parquet(io.BytesIO(body)).select(pl.len()).collect().item() if body else 0
            counts = undecided if self._is_open(key) else decided
            counts[parse_stem(key)] = count
        return undecided, decided

    def _read(self, key: str, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
        rows = read_rows(self._files, key)
        return pl.DataFrame(schema=schema) if rows is None else rows

    def _key(self, source: str) -> str:
        return f"{self._root}/{source}.parquet"

    def _discarded_key(self, source: str) -> str:
        return f"{self._root}/{_DISCARDED}/{source}.parquet"

    def _is_open(self, key: str) -> bool:
        return not key.startswith(f"{self._root}/{_DISCARDED}/")


def make_row_ids(rows: pl.DataFrame) -> pl.Series:
    """A short name for each row, which stays the same as long as the row is kept."""
    texts = rows.select(pl.struct("source", *SAME).struct.json_encode()).to_series()
    names = [hashlib.blake2b(text.encode(), digest_size=5).hexdigest() for text in texts]
    return pl.Series("id", names, pl.String)


def _without(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The rows that are not among the others."""
    return rows.join(others, on=list(SAME), how="anti", nulls_equal=True, maintain_order="left")


def _extended(fresh: pl.DataFrame, stored: bytes | None) -> bytes:
    """The file with those rows that it does not have."""
    if stored is None:
        return encode_rows(fresh)
    held = decode_rows(stored)
    return encode_rows(pl.concat([held, _without(fresh, held)]))
