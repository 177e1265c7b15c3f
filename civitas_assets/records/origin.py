"""Rows of many payloads as one table that knows where each row came from, before any contract is held against it.

Constants of the source are filled in here, because they may depend on the payload.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import polars as pl

from civitas_assets.catalog import Source
from civitas_assets.catalog.spelling import normalise_spelling
from civitas_assets.catalog.template import fill
from civitas_assets.records import RECORD_TYPES
from civitas_assets.records.clean_text import clean_frame, clean_text, to_text
from civitas_assets.records.contract import UTC_TIME, ColumnKind, RecordType
from civitas_assets.records.raw import PAYLOAD, RECEIVED, ROW, BrokenRow, RawTable

PROPERTY, UNIT = "observed_property", "unit"

_FIRST, _REPEATED = 1000, 10  # rows that tell whether values of a column repeat, and how often they then do

REJECTED_SCHEMA: dict[str, pl.DataType] = {
    "record_type": pl.String(),
    "rule": pl.String(),
    "field": pl.String(),
    "detail": pl.String(),
    "row": pl.Int64(),
    "raw": pl.String(),
    "payload": pl.String(),
    "received_at": UTC_TIME,
}


@dataclass(frozen=True)
class Origin:
    """Where rows came from: the values that made the address, the hash of the payload, and when it was received.

    `clean` says that `records.clean_text.is_clean_source` holds for the payload.
    """

    variables: Mapping[str, str]
    payload: str
    received_at: datetime
    clean: bool = False


def gather_rows(tables: Sequence[tuple[RawTable, Origin]], source: Source) -> pl.DataFrame:
    """The rows of all tables of one record type, in order, with their origin and the source's constants.

    A source may have thousands of small pages, so what is the same for a page is spread over its rows in one go.
    """
    frames = [raw.frame for raw, _ in tables]
    origins = [origin for _, origin in tables]
    record_type = RECORD_TYPES[tables[0][0].record_type]
    table = _concatenated(frames, record_type, source)
    if not all(origin.clean for origin in origins):
        table = clean_frame(table)
    lengths = pl.Series([frame.height for frame in frames], dtype=pl.UInt32)
    page = pl.DataFrame({"page": range(len(frames)), "n": lengths}).select(
        pl.col("page").repeat_by("n").explode()
    )
    pages = page.to_series().drop_nulls()
    columns = [
        pl.Series(PAYLOAD, [o.payload for o in origins], pl.String).gather(pages),
        pl.Series(RECEIVED, [o.received_at for o in origins], UTC_TIME).gather(pages),
    ]
    if ROW not in table.columns:
        first = (lengths.cum_sum() - lengths).cast(pl.Int64).gather(pages)
        columns.append((pl.int_range(1, table.height + 1, eager=True) - first).alias(ROW))
    table = table.hstack(columns)
    accepted = record_type.accepted
    constants = {name: template for name, template in source.constants.items() if name in accepted}
    shared = [name for name in constants if name in table.columns]
    if shared:
        table = table.with_columns(replace_nulls(table.select(shared), source))
    # What a source says of one property's unit goes before what it says of all.
    for name in sorted(constants, key=lambda name: name == UNIT):
        template = constants[name]
        if name == UNIT:
            table = _with_units(table, source)
        values = pl.Series(name, [fill(template, o.variables) for o in origins], pl.String).gather(pages)
        if name in table.columns:
            values = pl.select(pl.coalesce(table[name].cast(pl.String), values).alias(name)).to_series()
        table = table.with_columns(values)
    return table if UNIT in constants or UNIT not in accepted else _with_units(table, source)


def _with_units(table: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The units that the source declares by property, where rows come without one."""
    if not source.units or PROPERTY not in table.columns:
        return table
    declared = {normalise_spelling(native): unit for native, unit in source.units.items()}
    natives = table[PROPERTY].cast(pl.String)
    meant = {
        native: declared.get(normalise_spelling(native)) for native in natives.unique().drop_nulls().to_list()
    }
    units = natives.replace_strict(meant, default=None, return_dtype=pl.String)
    if UNIT in table.columns:
        given = replace_nulls(table.select(pl.col(UNIT).cast(pl.String)), source)[UNIT]
        units = given.zip_with(given.is_not_null(), units)
    return table.with_columns(units.alias(UNIT))


def _concatenated(frames: Sequence[pl.DataFrame], record_type: RecordType, source: Source) -> pl.DataFrame:
    """The frames below each other, whatever columns of whatever types they have."""
    try:
        return pl.concat(frames)
    except (pl.exceptions.SchemaError, pl.exceptions.ShapeError):
        return pl.concat(_alike(frames, record_type, source), how="diagonal_relaxed")


def _alike(frames: Sequence[pl.DataFrame], record_type: RecordType, source: Source) -> Sequence[pl.DataFrame]:
    """The frames with columns of one type each: what a value becomes must not depend on the other pages."""
    types: dict[str, set[pl.DataType]] = defaultdict(set)
    for frame in frames:
        for name, dtype in frame.schema.items():
            types[name].add(dtype)
    mixed = {name for name, found in types.items() if len(found - {pl.Null()}) > 1}
    if not mixed:
        return frames
    numbers = {
        name
        for name in mixed & {*record_type.accepted}
        if record_type.get_column(name).kind in {ColumnKind.NUMBER, ColumnKind.INTEGER}
    }
    native = {
        name for name in numbers if all(dtype.is_numeric() or dtype == pl.Null for dtype in types[name])
    }
    texts = mixed - native - {ROW}
    return [
        frame.with_columns(_as_written(frame[n], source, n in numbers) for n in texts & {*frame.columns})
        for frame in frames
    ]


def _as_written(values: pl.Series, source: Source, is_number: bool) -> pl.Series:
    """The values as the texts beside them are written."""
    text = to_text(values)
    if is_number and values.dtype.is_float() and source.decimal == ",":
        return text.str.replace(".", ",", literal=True)
    return text


def build_format_rejections(
    record_type: str, broken: Sequence[BrokenRow], payload: str, received_at: datetime
) -> pl.DataFrame:
    """Rows that their format already made unreadable, in the form of rejected ones."""
    rows = [
        (record_type, b.rule, None, clean_text(b.detail), b.row, clean_text(b.raw), payload, received_at)
        for b in broken
    ]
    return pl.DataFrame(rows, schema=REJECTED_SCHEMA, orient="row")


def replace_nulls(frame: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Texts without surrounding blanks; the empty one and what the source declares to be none become null."""
    names = [name for name, dtype in frame.schema.items() if dtype == pl.String and name != PAYLOAD]
    nothing, numbers = ["", *source.nulls], _null_forms(source)
    texts = [_without(frame[name], nothing, numbers) for name in names]
    return frame.with_columns(*texts, *_without_null_numbers(frame, source))


def _without(texts: pl.Series, nothing: Sequence[str], numbers: str | None) -> pl.Series:
    """A column of texts without blanks around them, null for what means nothing: one of these, or of this pattern."""
    if texts.head(_FIRST).n_unique() * _REPEATED < min(_FIRST, len(texts)):
        # Where texts repeat, what they are without blanks need only be found once of each; most are as they were.
        different = texts.unique()
        if _stripped(different, nothing, numbers).equals(different, null_equal=True):
            return texts
    return _stripped(texts, nothing, numbers)


def _stripped(texts: pl.Series, nothing: Sequence[str], numbers: str | None) -> pl.Series:
    texts = texts.str.strip_chars()
    none = texts.is_in(nothing) if len(nothing) > 1 else texts == nothing[0]  # the latter takes a quarter
    if numbers:
        none |= texts.str.contains(numbers)
    return texts.set(none, None) if none.any() else texts


def find_sentinels(values: pl.Series, source: Source) -> pl.Series:
    """Which values are there and are what the source declares to mean none."""
    if values.dtype == pl.String:
        text, numbers = values.str.strip_chars(), _null_forms(source)
        marked = text.is_in([text for text in source.nulls if text.strip()])
        marked = marked | text.str.contains(numbers) if numbers else marked
    elif values.dtype.is_numeric():
        marked = values.cast(pl.Float64).is_in(_null_numbers(source))
    else:
        marked = values.is_null() & values.is_not_null()
    return marked.fill_null(value=False)


def _without_null_numbers(frame: pl.DataFrame, source: Source) -> list[pl.Expr]:
    """The columns that are numbers already, without those that the source declares to mean none."""
    numbers = _null_numbers(source)
    names = [name for name, dtype in frame.schema.items() if dtype.is_numeric() and name != ROW]
    if not numbers:
        return []
    return [
        pl.when(~pl.col(name).cast(pl.Float64).is_in(numbers)).then(pl.col(name)).alias(name)
        for name in names
    ]


def _null_numbers(source: Source) -> list[float]:
    if not source.nulls:
        return []
    texts = pl.Series(source.nulls, dtype=pl.String).str.strip_chars().str.replace(",", ".", literal=True)
    return texts.cast(pl.Float64, strict=False).drop_nulls().to_list()


def _null_forms(source: Source) -> str | None:
    """A pattern of the texts that say one of those numbers: with a point or comma, zeros behind it, or a true minus."""
    forms = {_forms_of(number) for number in _null_numbers(source) if math.isfinite(number)}
    return f"^(?:{'|'.join(sorted(forms))})$" if forms else None


def _forms_of(number: float) -> str:
    whole, _, decimals = format(Decimal(str(number)), "f").removesuffix(".0").partition(".")
    return whole.replace("-", "[-\u2212]") + (f"[.,]{decimals}0*" if decimals else "(?:[.,]0*)?")
