"""Which of the records that came are news beside those that are known, and which revisions they are."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from civitas_assets.records import RecordType

_OLD = "@old"
_OVERRULED = "@overruled"
_BEFORE = "@before"
_SEEN = "@seen"


def find_fresh(record_type: RecordType, records: pl.DataFrame, existing: pl.DataFrame | None) -> pl.DataFrame:
    """The rows that are new or differ from the one before them, with their revision.

    A row without any measure is no record, unless it takes back one that had some.
    """
    keys = ["source", *record_type.key]
    values = [name for name in (*record_type.schema, "deleted") if name not in record_type.key]
    empty = (
        pl.all_horizontal(pl.col(record_type.measures).is_null())
        if record_type.measures
        else pl.lit(value=False)
    )
    columns = [*record_type.stored_schema]
    marked = pl.col("deleted").fill_null(value=False) if "deleted" in records.columns else pl.lit(value=False)
    candidates = records.with_columns(pl.lit(0, pl.Int32).alias("revision"), marked.alias("deleted")).select(
        columns
    )
    if existing is None and not candidates.select(keys).is_duplicated().any():
        return candidates.filter(~empty).with_columns(pl.lit(1, pl.Int32).alias("revision"))
    if existing is not None:
        candidates, existing = _without_unchanged(candidates, existing, keys, values)
    parts = [candidates.with_columns(pl.lit(value=False).alias(_OLD))]
    if existing is not None:
        parts.insert(0, existing.select(columns).with_columns(pl.lit(value=True).alias(_OLD)))
    ordered = _without_repeated_rivals(pl.concat(parts).sort(keys, maintain_order=True), keys)
    same_key = pl.all_horizontal(pl.col(key).eq_missing(pl.col(key).shift(1)) for key in keys)
    if record_type.measures:
        # Empty rows before the first record of a key are no news; without them, neighbours are compared.
        ordered = ordered.filter(pl.col(_OLD) | ~empty | ((~empty).cum_sum().over(keys) > 0))
    same_value = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in values)
    news = ordered.filter(pl.col(_OLD) | ~(same_key & same_value).fill_null(value=False))
    revision = pl.col("revision").max().over(keys) + (~pl.col(_OLD)).cast(pl.Int32).cum_sum().over(keys)
    return news.with_columns(revision.alias("revision")).filter(~pl.col(_OLD)).drop(_OLD)


def _without_repeated_rivals(ordered: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Rows, sorted by key, without those that the same answer takes back, unless the key is met for the first time.

    A payload that came twice is two answers, between which there may have been others.
    """
    answer = pl.struct("payload", "received_at")
    overruled = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(name).shift(-1)) for name in (*keys, "payload", "received_at")
    )
    marked = ordered.with_columns((overruled & ~pl.col(_OLD)).fill_null(value=False).alias(_OVERRULED))
    if not marked[_OVERRULED].any():
        return ordered
    is_new = ~pl.col(_OLD).any().over(keys) & (answer == answer.first().over(keys))
    return marked.filter(~pl.col(_OVERRULED) | is_new).drop(_OVERRULED)


def _without_unchanged(
    candidates: pl.DataFrame, existing: pl.DataFrame, keys: Sequence[str], values: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both without the keys of which a single row came that says what is known: most, where a window is read again.

    What is news of a key depends on its own rows alone, so the others may be compared without these.
    """
    known = existing.select(*keys, *values).with_columns(pl.lit(value=True).alias(_SEEN))
    beside = candidates.select(*keys, *values).join(
        known, on=keys, how="left", suffix=_BEFORE, maintain_order="left"
    )
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}{_BEFORE}")) for name in values)
    unchanged = beside.select(pl.col(_SEEN).fill_null(value=False) & same).to_series()
    if not unchanged.any():
        return candidates, existing
    rest = candidates.filter(~(unchanged & candidates.select(keys).is_unique()))
    return rest, existing.join(rest.select(keys), on=keys, how="semi", maintain_order="left")
