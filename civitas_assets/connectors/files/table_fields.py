"""Which field each column of a table fills; columns whose names carry ids become rows.

Cells stay the text that they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import polars as pl

from civitas_assets.connectors.files.table_cells import (
    Cells,
    list_filter_columns,
    note_last_row,
    require_columns,
    select_data_rows,
)
from civitas_assets.connectors.files.tabular import NTH, TabularSource, Unpivot
from civitas_assets.connectors.mapping.attributes import encode_attributes
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from civitas_assets.records.linear import list_group_names, list_unmatched, match_groups
from civitas_assets.records.raw import ROW, TIME

_MIDNIGHT = r"[ T]00:00(?::00(?:\.0+)?)?$"


def build_table_rows(source: TabularSource, cells: Cells) -> RawTable:
    """The rows that count, by field.

    Raises:
        ReadError: a column that the source names is not there, or not only once.
    """
    return build_selected_rows(source, select_data_rows(source, cells))


def build_selected_rows(source: TabularSource, cells: Cells) -> RawTable:
    """Rows that count, by field; see `build_table_rows`."""
    used = list_filter_columns(source)
    frame = _select(source, cells, used)
    others = _others(source, cells, used)
    if source.rest is not None:
        rest = encode_attributes(cells.frame, others, source.nulls).alias(source.rest)
        frame = frame.join(cells.frame.select(ROW, rest), on=ROW, how="left", maintain_order="left")
        others = []
    key = source.contract.key[0]
    notes = (*cells.notes, *(tally.to_note() for tally in cells.tallies))
    if source.contract.event_time is None and key in frame.columns:
        notes = (*notes, *note_last_row(frame, key))
    return RawTable(source.record_type, frame, tuple(others), cells.broken, notes)


def list_used_columns(source: TabularSource, cells: Cells) -> set[str]:
    """The columns that the source names.

    Raises:
        ReadError: one of them is not there, or not only once.
    """
    used = list_filter_columns(source)
    _select(source, cells, used)
    return used if source.rest is None else used.union(_others(source, cells, used))


def _others(source: TabularSource, cells: Cells, used: Set[str]) -> list[str]:
    """Columns that nothing else uses, and that are not ignored."""
    names = (name for name in cells.header.names if name not in used and name not in cells.added)
    return list_unmatched(source.ignore, names)


def _select(source: TabularSource, cells: Cells, used: set[str]) -> pl.DataFrame:
    table, columns = cells.frame, [pl.col(ROW)]
    groups = list_group_names(source.unpivot.columns) if source.unpivot is not None else ()
    times = source.time.written if source.time is not None else ()
    spread = [name for name in times if name in groups and name not in table.columns]
    wanted = [native for natives in source.fields.values() for native in natives]
    require_columns(source, cells, [*wanted, *(name for name in times if name not in spread)])
    for field, natives in source.fields.items():
        used.update(natives)
        columns.append(_joined(natives).alias(field))
    used.update(name for name in times if name not in spread)
    if source.unpivot is None:
        return table.select(*columns, *_time(times))
    found = _matching(source.unpivot.columns, cells.header.names)
    if not found:
        there = f"; it has {', '.join(cells.header.names)}" if source.store == "whole" else ""
        raise ReadError(f"has no column that matches {source.unpivot.columns!r}{there}")
    if twice := sorted(cells.header.twice & found.keys()):
        raise ReadError(f"has more than one column {', '.join(twice)}")
    if (rows := len(found) * table.height) > (most := source.frame.max_rows):
        raise ReadError(
            f"has {len(found)} columns that become {rows:,} rows: CIVITAS_MAX_ROWS lets {most:,} be at most"
        )
    return _unpivoted(source.unpivot, cells, columns, times, used)


def _time(names: Sequence[str], given: Mapping[str, str | None] | None = None) -> list[pl.Expr]:
    """The time as written: of several columns joined by a blank, days that are instants without their midnight."""
    if not names:
        return []
    if len(names) == 1 and names[0] not in (given or {}):
        return [pl.col(names[0]).alias(TIME)]
    parts = [
        pl.lit(given[name], pl.String) if given and name in given else pl.col(name).str.strip_chars()
        for name in names
    ]
    if len(parts) > 1:
        parts = [*(part.str.replace(_MIDNIGHT, "") for part in parts[:-1]), parts[-1]]
    return [pl.concat_str(parts, separator=" ").alias(TIME)]


def _joined(natives: tuple[str, ...]) -> pl.Expr:
    """The cells of several columns, where `NTH` is the number of a row among those with the same others."""
    others = [native for native in natives if native != NTH]
    nth = pl.int_range(1, pl.len() + 1).over(others) if len(others) < len(natives) else None
    return pl.concat_str((nth if native == NTH else pl.col(native) for native in natives), separator="/")


def _unpivoted(
    unpivot: Unpivot, cells: Cells, shared: list[pl.Expr], times: Sequence[str], used: set[str]
) -> pl.DataFrame:
    """One block of rows per matching column, below each other; the loop is over columns, not over records."""
    blocks, table, names = [], cells.frame, cells.header.names
    companions = {field: _matching(pattern, names) for field, pattern in unpivot.companions.items()}
    for column, groups in _matching(unpivot.columns, names).items():
        used.add(column)
        block = [*shared, pl.col(column).alias(unpivot.value)]
        written = {name: text for name, text in groups.items() if name in times and name not in names}
        block.extend(pl.lit(text).alias(field) for field, text in groups.items() if field not in written)
        block.extend(_time(times, written))
        for field, candidates in companions.items():
            partner = next((name for name, ids in candidates.items() if ids.items() <= groups.items()), None)
            if partner is not None:
                used.add(partner)
            block.append((pl.col(partner) if partner else pl.lit(None, pl.String)).alias(field))
        blocks.append(table.lazy().select(block))
    return pl.concat(pl.collect_all(blocks))


def _matching(pattern: str, columns: Sequence[str]) -> dict[str, Mapping[str, str | None]]:
    """Columns that the pattern matches as a whole, with their named groups."""
    return {name: groups for name in columns if (groups := match_groups(pattern, name)) is not None}
