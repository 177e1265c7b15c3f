"""Very long tables in portions: typing one row takes many times what the row takes, so that few are typed at a time.

Only where what a row becomes says nothing of the other rows of its payload: a table with anything else stays whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import polars as pl

from civitas_assets.catalog import Source, TimeRule
from civitas_assets.connectors.mapping.by_row import has_unset_year, is_read_by_row
from civitas_assets.records import RECORD_TYPES, RawTable, Roster
from civitas_assets.records.raw import ROW, TIME

_LONG, _ROWS = 1_000_000, 250_000  # rows of a table that is parted, and of its portions


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
    """Whether a table is so long, and not so long that it is refused as a whole."""
    return _LONG < table.frame.height <= source.frame.max_rows - len(table.broken)


def _is_by_row(rule: TimeRule | None, table: RawTable) -> bool:
    """Whether rows have numbers, and become what they do on their own."""
    columns = {*table.frame.columns}
    if not {ROW, TIME} <= columns or table.frame[TIME].dtype != pl.String:
        return False
    is_by_row = is_read_by_row(rule, RECORD_TYPES[table.record_type], columns)
    return is_by_row and not has_unset_year(table.frame[TIME])
