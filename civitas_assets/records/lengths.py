"""Lengths and years as registers write them: in another unit than the field's, with it behind, as a class, as a day.

A field is one of lengths by the end of its name, `_m` or `_cm`, and of years by `_year`; a class has a field beside it.
"""

from __future__ import annotations

import re

import polars as pl

from civitas_assets.catalog import Source
from civitas_assets.records.contract import Column, ColumnKind, RecordType

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}
LENGTH_UNITS = frozenset(_METRES)
_FIELD = re.compile(r"(?P<stem>\w+)_(?P<unit>m|cm)")
_UNIT = r"(?i)^(.*\d)\s*(mm|cm|m)\.?$"
_BOUND = r"(?:[<>≤≥]=?|bis|unter|über|ab|mehr als|weniger als)"
_NUMBER = r"\d+(?:[.,]\d+)?\s*(?:mm|cm|m)?\.?"
# Two numbers, or one with a bound: 10-15 m, 4 bis 6, >30 m, über 20.
_CLASS = rf"(?i)^(?:{_BOUND}\s*{_NUMBER}|{_NUMBER}\s*(?:-|–|bis)\s*{_BOUND}?\s*{_NUMBER})$"
_DAYS = (r"^((?:1[0-9]|20)\d\d)-\d\d-\d\d(?:[T ].*)?$", r"^\d{1,2}\.\d{1,2}\.((?:1[0-9]|20)\d\d)(?: .*)?$")


def get_unit(field: str) -> str | None:
    """The unit of a field of lengths, None of any other."""
    match = _FIELD.fullmatch(field)
    return match["unit"] if match else None


def get_class_field(record_type: RecordType, field: str) -> str | None:
    """The field that takes a field's values where they are classes, if the record type has one."""
    match = _FIELD.fullmatch(field)
    name = f"{match['stem']}_class" if match else ""
    return name if name in record_type.accepted else None


def is_class(text: str) -> bool:
    """Whether a text is a class, such as 10-15 m or >30."""
    return re.match(_CLASS, text) is not None


def move_classes(table: pl.DataFrame, record_type: RecordType) -> pl.DataFrame:
    """The table with classes where their fields are: a height of "10-15 m" is none that could be counted with."""
    for field in record_type.accepted:
        if field not in table.columns or table[field].dtype != pl.String:
            continue
        classes = get_class_field(record_type, field)
        if classes is None:
            continue
        written = table[field]
        found = written.str.contains(_CLASS).fill_null(value=False)
        if found.any():
            moved = written.set(~found, None)
            if classes in table.columns:
                given = table[classes].cast(pl.String)
                moved = given.zip_with(given.is_not_null(), moved)
            table = table.with_columns(written.set(found, None), moved.alias(classes))
    return table


def split_unit(values: pl.Series, column: Column, source: Source) -> tuple[pl.Series, pl.Series | float]:
    """The values without their unit, and the factor that makes each one of the column's."""
    unit = get_unit(column.name)
    if unit is None:
        return values, 1.0
    factors = {name: metres / _METRES[unit] for name, metres in _METRES.items()}
    usual = factors.get(source.units.get(column.name, unit), 1.0)
    if values.dtype != pl.String:
        return values, usual
    parts = values.str.extract_groups(_UNIT).struct
    number, own = parts.field("1"), parts.field("2").str.to_lowercase()
    if own.null_count() == len(own):
        return values, usual
    factor = own.replace_strict(factors, default=usual, return_dtype=pl.Float64)
    return values.zip_with(number.is_null(), number.str.strip_chars()), factor


def read_years(values: pl.Series, column: Column) -> pl.Series:
    """Of a field of years, the years of what is written as days."""
    if not column.name.endswith("_year") or column.kind is not ColumnKind.INTEGER:
        return values
    if values.dtype.is_temporal():
        return values.dt.year()
    if values.dtype == pl.String:
        for pattern in _DAYS:
            values = values.str.replace(pattern, "$1")
    return values
