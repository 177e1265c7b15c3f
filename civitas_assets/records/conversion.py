"""One column of text or native values in the type of its contract; what fails is null, and has a rule that it breaks.

Rows, times of events and positions are not known here.
"""

from __future__ import annotations

import msgspec
import polars as pl

from civitas_assets.catalog import Source
from civitas_assets.records.clean_text import to_text
from civitas_assets.records.contract import UTC_TIME, Column, ColumnKind
from civitas_assets.records.lengths import read_years, split_unit
from civitas_assets.records.time import parse_dates, parse_instants, parse_other_times

_TRUE = ("true", "t", "1", "1.0", "yes", "y", "ja", "j", "wahr", "x")
# With a decimal comma a point groups thousands and nothing else: 12.5 is no number there, least of all 125.
_COMMA_NUMBER = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d*)?([eE][+-]?\d+)?$"
# Thousands parted by a blank, also a narrow or unbroken one, or an apostrophe, as in Switzerland.
_GROUP_MARK = r"['\u{2019}\s\u{a0}\u{202f}\u{2009}]"
_GROUPED = rf"^[+-]?\d{{1,3}}(?:{_GROUP_MARK}\d{{3}})+(?:[.,]\d*)?$"
_TRAILING_MINUS = r"^([\d.,'\u{2019}\s\u{a0}\u{202f}\u{2009}]*\d)\s*[-−]$"
_DECIMALS = 6  # of a length in another unit: 2.1 m are 210 cm, not 210.00000000000003
_FALSE = ("false", "f", "0", "0.0", "no", "n", "nein", "falsch")


def convert_values(values: pl.Series, column: Column, source: Source, zone: str) -> tuple[pl.Series, str]:
    """The values in the column's type, null where that fails, and the rule that a failure breaks.

    `zone` is the tenant's, for times that the source writes without an offset.
    """
    kind = column.kind
    if kind in {ColumnKind.NUMBER, ColumnKind.INTEGER}:
        values, factor = split_unit(read_years(values, column), column, source)
        return _as_number(values, source.decimal, factor, whole=kind is ColumnKind.INTEGER)
    if kind is ColumnKind.BOOLEAN:
        return _as_boolean(to_text(values)), "not_a_boolean"
    if kind is ColumnKind.CODE:
        return _as_code(values, column, source), "unknown_code"
    if kind is ColumnKind.DATE:
        return _as_day(values, source, zone), "date_is_unreadable"
    if kind is ColumnKind.TIME:
        instants = values if values.dtype == UTC_TIME else parse_instants(to_text(values))
        return parse_other_times(values, instants, source.time, zone), "time_is_unreadable"
    text = to_text(values)
    return (_as_object(text), "not_a_json_object") if column.is_object else (text, "not_text")


def _as_object(text: pl.Series) -> pl.Series:
    """Texts of JSON objects; a list or a mere text has no names for what it holds."""
    wrong = [place for place, value in enumerate(text) if value is not None and not _is_object(value)]
    return text.clone().scatter(wrong, None) if wrong else text


def _is_object(text: str) -> bool:
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _as_day(values: pl.Series, source: Source, zone: str) -> pl.Series:
    """Days of the tenant's calendar; what is written like the event's own time is read by its rule."""
    days = parse_dates(values if values.dtype.is_temporal() else to_text(values), zone)
    if source.time is None or days.null_count() == values.null_count():
        return days
    unread = pl.Series([None], dtype=UTC_TIME).new_from_index(0, len(values))
    moments = parse_other_times(to_text(values), unread, source.time, zone)
    return days.zip_with(days.is_not_null(), moments.dt.convert_time_zone(zone).dt.date())


def _as_number(
    values: pl.Series, decimal: str, factor: pl.Series | float, *, whole: bool
) -> tuple[pl.Series, str]:
    number = (
        _read_numbers(values, decimal) if values.dtype == pl.String else values.cast(pl.Float64, strict=False)
    )
    if values.dtype == pl.String and number.null_count() > values.null_count():
        rows = (number.is_null() & values.is_not_null()).arg_true()
        number = number.scatter(rows, _read_numbers(_plain_numbers(values.gather(rows)), decimal))
    number = number.set(~number.is_finite(), None)
    if isinstance(factor, pl.Series) or factor != 1:
        number = (number * factor).round(_DECIMALS)
    if not whole:
        return number, "not_a_number"
    integer = number.cast(pl.Int64, strict=False)
    return integer.set(integer != number, None), "not_an_integer"


def _read_numbers(text: pl.Series, decimal: str) -> pl.Series:
    if decimal == ",":
        text = text.set(~text.str.contains(_COMMA_NUMBER), None)
        text = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return text.cast(pl.Float64, strict=False)


def _plain_numbers(text: pl.Series) -> pl.Series:
    """Numbers as people and offices write them, with a plain sign in front and no marks between their digits."""
    text = (
        text.str.replace(r"^\s*[−–]\s*", "-").str.replace(_TRAILING_MINUS, "-$1").str.replace(r"\s*%\s*$", "")
    )
    grouped = text.str.contains(_GROUPED).fill_null(value=False)
    return text.str.replace_all(_GROUP_MARK, "").zip_with(grouped, text)


def _as_boolean(text: pl.Series) -> pl.Series:
    lower = text.str.to_lowercase()
    known = lower.is_in(_TRUE) | lower.is_in(_FALSE)
    nothing = pl.Series([None], dtype=pl.Boolean).new_from_index(0, len(text))
    return lower.is_in(_TRUE).zip_with(known.fill_null(value=False), nothing)


def _as_code(values: pl.Series, column: Column, source: Source) -> pl.Series:
    mapping = {**{code: code for code in column.codes}, **source.codes.get(column.name, {})}
    return to_text(values).replace_strict(mapping, default=None, return_dtype=pl.String)
