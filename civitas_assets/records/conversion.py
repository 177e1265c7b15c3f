"""One column of text or native values in the type of its contract; what fails is null, and has a rule that it breaks.

Rows, times of events and positions are not known here.
"""

from __future__ import annotations

import polars as pl

from civitas_assets.catalog import Source
from civitas_assets.records.contract import UTC_TIME, Column, Kind
from civitas_assets.records.time import dates, other_times, parse_instants

_TRUE = ("true", "t", "1", "1.0", "yes", "y", "ja", "j", "wahr", "x")
# With a decimal comma a point groups thousands and nothing else: 12.5 is no number there, least of all 125.
_COMMA_NUMBER = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d*)?([eE][+-]?\d+)?$"
_FALSE = ("false", "f", "0", "0.0", "no", "n", "nein", "falsch")


def converted(values: pl.Series, column: Column, source: Source, zone: str) -> tuple[pl.Series, str]:
    """The values in the column's type, null where that fails, and the rule that a failure breaks.

    `zone` is the tenant's, for times that the source writes without an offset.
    """
    kind = column.kind
    if kind in {Kind.NUMBER, Kind.INTEGER}:
        return _as_number(values, source.decimal, whole=kind is Kind.INTEGER)
    if kind is Kind.BOOLEAN:
        return _as_boolean(as_text(values)), "not_a_boolean"
    if kind is Kind.CODE:
        return _as_code(values, column, source), "unknown_code"
    if kind is Kind.DATE:
        return _as_day(values, source, zone), "date_is_unreadable"
    if kind is Kind.TIME:
        instants = values if values.dtype == UTC_TIME else parse_instants(as_text(values))
        return other_times(values, instants, source.time, zone), "time_is_unreadable"
    return as_text(values), "not_text"


def _as_day(values: pl.Series, source: Source, zone: str) -> pl.Series:
    """Days of the tenant's calendar; what is written like the event's own time is read by its rule."""
    days = dates(values if values.dtype.is_temporal() else as_text(values), zone)
    if source.time is None or days.null_count() == values.null_count():
        return days
    unread = pl.Series([None], dtype=UTC_TIME).new_from_index(0, len(values))
    moments = other_times(as_text(values), unread, source.time, zone)
    return days.zip_with(days.is_not_null(), moments.dt.convert_time_zone(zone).dt.date())


def as_text(values: pl.Series) -> pl.Series:
    """Values of any type as text: bytes in hexadecimal, structures as JSON."""
    if values.dtype == pl.String:
        return values
    if values.dtype == pl.Binary:
        return values.bin.encode("hex")
    if isinstance(values.dtype, pl.Struct | pl.List):
        return values.to_frame("value").select(pl.struct("value").struct.json_encode()).to_series()
    return values.cast(pl.String)


def _as_number(values: pl.Series, decimal: str, *, whole: bool) -> tuple[pl.Series, str]:
    if values.dtype == pl.String:
        if decimal == ",":
            values = values.set(~values.str.contains(_COMMA_NUMBER), None)
            values = values.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        values = values.cast(pl.Float64, strict=False)
    number = values.cast(pl.Float64, strict=False)
    number = number.set(~number.is_finite(), None)
    if not whole:
        return number, "not_a_number"
    integer = number.cast(pl.Int64, strict=False)
    return integer.set(integer != number, None), "not_an_integer"


def _as_boolean(text: pl.Series) -> pl.Series:
    lower = text.str.to_lowercase()
    known = lower.is_in(_TRUE) | lower.is_in(_FALSE)
    nothing = pl.Series([None], dtype=pl.Boolean).new_from_index(0, len(text))
    return lower.is_in(_TRUE).zip_with(known.fill_null(value=False), nothing)


def _as_code(values: pl.Series, column: Column, source: Source) -> pl.Series:
    mapping = {**{code: code for code in column.codes}, **source.codes.get(column.name, {})}
    return as_text(values).replace_strict(mapping, default=None, return_dtype=pl.String)
