"""Typed rows as records of several types: their own, and those of things that have no rows of their own."""

from __future__ import annotations

import polars as pl

from civitas_assets.records import RECORD_TYPES
from civitas_assets.records.contract import RecordType


def split_companions(
    typed: pl.DataFrame, record_type: RecordType, own: frozenset[str]
) -> dict[str, pl.DataFrame]:
    """The records themselves by record type, and what their rows also say about things without rows of their own.

    Record types in `own` have rows of their own elsewhere, and are left out.
    """
    split = {record_type.name: _complete(typed, record_type)}
    for companion in record_type.companions:
        if companion.record_type in own:
            continue
        other = RECORD_TYPES[companion.record_type]
        present = {theirs: ours for theirs, ours in companion.fields.items() if ours in typed.columns}
        own_key = set(other.key) <= set(record_type.key)
        says_something = not own_key or any(theirs not in other.key for theirs in present)
        if set(other.key) <= set(present) and says_something:
            said = typed.select("payload", "received_at", **{t: pl.col(ours) for t, ours in present.items()})
            # Of what is said more than once the last time counts: A, B, A ends with A.
            said = keep_last_of_alike(said, [*present, "received_at"])
            split[other.name] = _complete(said.drop_nulls(list(other.key)), other)
    return split


def keep_last_of_alike(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """The last of the rows that are alike in these columns, in order; most often they follow on each other."""
    is_last = pl.int_range(pl.len()) == pl.len() - 1
    changes = (pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in columns)
    return frame.filter(is_last | pl.any_horizontal(changes)).unique(
        columns, keep="last", maintain_order=True
    )


def _complete(frame: pl.DataFrame, record_type: RecordType) -> pl.DataFrame:
    """Exactly the contract's columns, absent ones as null, and the origin."""
    return frame.select(
        *(
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in record_type.schema.items()
        ),
        "payload",
        "received_at",
    )
