"""Rows of one payload that become one record: they say two things of the same key, or the same thing twice.

The last row counts; that there was another is told, because it may be a record of its own whose key is not unique.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from civitas_assets.errors import Note
from civitas_assets.records.contract import RecordType
from civitas_assets.records.raw import REPEATED_ROWS, REPLACED_ROWS

_SHOWN = 60  # characters of an example


def find_rivals(record_type: RecordType, records: pl.DataFrame) -> pl.DataFrame | None:
    """The rows that have the same payload and key as another one; None where all are different.

    `records` has the contract's columns and `payload`, in the order of the rows.
    """
    keys = ["payload", *record_type.key]
    if _are_different(records.select(record_type.key)) or _are_different(records.select(keys)):
        return None  # nearly always
    repeated = records.select(keys).is_duplicated()
    return records.filter(repeated).select("payload", *record_type.schema) if repeated.any() else None


def note_replaced_rows(record_type: RecordType, rivals: pl.DataFrame) -> Iterator[tuple[str, Note]]:
    """Notes, with the hash of their payload, on rows that another one of it replaces, or that are there twice.

    `rivals` are those of all rows of their payloads.
    """
    keys = ["payload", *record_type.key]
    values = [column for column in record_type.schema if column not in record_type.key]
    rivals = rivals.select(*keys, *values)
    if record_type.measures:
        # A row without a value is no record, unless it is the last one and takes a value back.
        empty = pl.all_horizontal(pl.col(record_type.measures).is_null())
        rivals = rivals.filter(~empty | pl.struct(keys).is_last_distinct())
    alike = rivals.filter(rivals.is_duplicated()).group_by("payload", maintain_order=True)
    for (payload,), rows in alike:
        yield str(payload), _told_twice(record_type, rows)
    rivals = rivals.unique(maintain_order=True, keep="last").filter(pl.struct(keys).is_duplicated())
    for (payload,), rows in rivals.group_by("payload", maintain_order=True):
        yield str(payload), _note(record_type, rows, values)


def _are_different(rows: pl.DataFrame) -> bool:
    """Whether surely no two rows are alike: they would have the same hash."""
    hashes = rows.hash_rows().sort()
    return not (hashes == hashes.shift(1)).any()


def _told_twice(record_type: RecordType, rows: pl.DataFrame) -> Note:
    named = ", ".join(f"{key} {_text(rows[key][0])}" for key in record_type.key)
    return Note(
        REPEATED_ROWS,
        f"{rows.height - rows.unique().height:,} row(s) of {record_type.name} say the same as another row of the same "
        f"answer in all that is mapped, and are one record with it, for example {named}; if they are several, map to "
        f"{record_type.key[0]} what tells them apart",
    )


def _note(record_type: RecordType, rows: pl.DataFrame, values: list[str]) -> Note:
    keys = [*record_type.key]
    lost = rows.height - rows.select(keys).n_unique()
    first = rows.filter(pl.all_horizontal(pl.col(key).eq_missing(rows[key][0]) for key in keys))
    named = ", ".join(f"{key} {_text(first[key][0])}" for key in keys)
    differing = next(name for name in values if first[name].n_unique() > 1)
    one, other = (_text(first[differing][row]) for row in (0, -1))
    return Note(
        REPLACED_ROWS,
        f"{lost:,} row(s) of {record_type.name} have the same key ({', '.join(keys)}) as a later row of the same "
        f"answer, which replaces them, for example {named} with {differing} {one} and {other}",
    )


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return "none" if value is None else str(value)[:_SHOWN]
