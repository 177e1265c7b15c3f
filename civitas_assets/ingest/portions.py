"""Very long tables in portions: typing one row takes many times what the row takes, so that few are typed at a time.

Only where what a row becomes says nothing of the other rows of its payload: a table with anything else stays whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

import polars as pl

from civitas_assets.catalog import Source, TimeRule
from civitas_assets.records import RECORD_TYPES, RawTable, Roster
from civitas_assets.records.contract import GEOMETRY
from civitas_assets.records.raw import ROW, TIME

_LONG, _ROWS = 1_000_000, 250_000  # rows of a table that is parted, and of its portions
# Years that clocks show which were never set: whether one is meant, the other times of the payload tell.
_UNSET_YEARS = ("1899", "1900", "1903", "1904", "1969", "1970", "1979", "1980", "1999", "2000")
_SHORT = timedelta(days=1)


def split_tables(source: Source, made: Iterable[RawTable | Roster]) -> Iterator[RawTable | Roster]:
    """What was read, with long tables in portions; what is told of a table comes with its first one."""
    for table in made:
        if isinstance(table, RawTable) and _is_long(source, table) and _is_by_row(source.time, table):
            for start in range(0, table.frame.height, _ROWS):
                portion = table.frame.slice(start, _ROWS)
                if start == 0:
                    yield replace(table, frame=portion)
                else:
                    yield RawTable(table.record_type, portion)
        else:
            yield table


def _is_long(source: Source, table: RawTable) -> bool:
    """Whether a table of events without places is so long, and not so long that it is refused as a whole."""
    record_type = RECORD_TYPES[table.record_type]
    has_places = bool({*(record_type.position or ()), GEOMETRY.name} & {*table.frame.columns})
    is_parted = record_type.is_of_days and not has_places
    return is_parted and _LONG < table.frame.height <= source.frame.max_rows - len(table.broken)


def _is_by_row(rule: TimeRule | None, table: RawTable) -> bool:
    """Whether rows have numbers, and times that mean the same whatever the other rows say."""
    if rule is None or not {ROW, TIME} <= {*table.frame.columns} or table.frame[TIME].dtype != pl.String:
        return False
    is_by_order = rule.zone == "local_wall" and rule.fold == "by_order"
    has_year = rule.format == "iso" or "%Y" in rule.format
    if is_by_order or not has_year or (rule.interval or _SHORT) > _SHORT:
        return False
    return not table.frame[TIME].str.contains_any(list(_UNSET_YEARS)).any()
