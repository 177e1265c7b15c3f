"""From CSV in UTF-8 to the cells of a table: where its header is, how its rows are read, and which are whole."""

from __future__ import annotations

import csv
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from civitas_assets.connectors.files.csv_rows import (
    Dialect,
    find_short_rows,
    find_torn_rows,
    read_line_after,
    separate_broken_rows,
)
from civitas_assets.connectors.files.table_cells import (
    Cells,
    Tally,
    add_preamble_columns,
    build_cells,
    replace_cell_errors,
)
from civitas_assets.connectors.files.tabular import TabularSource
from civitas_assets.connectors.mapping.columns import match_header
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow

HEADER_SEARCH_BYTES = 256 * 1024
SEP_LINE = re.compile(rb'\s*"?sep=(.)"?[;,\t]*\r?\n', re.IGNORECASE)


@dataclass(frozen=True)
class CsvLayout:
    """How a text is to be read: its lines before the header, which `end` ends, the header, and its widest known row."""

    dialect: Dialect
    preamble: tuple[str, ...]
    names: tuple[str, ...]
    end: int
    width: int


def find_layout(source: TabularSource, body: bytes, dialect: Dialect) -> tuple[bytes, CsvLayout]:
    """The text without the line by which Excel says what stands between cells, and how it is to be read.

    Raises:
        ReadError: it has no header, or not the one that the source names.
    """
    if not source.skip_lines and not source.header and (sep := SEP_LINE.match(body)):
        body, dialect = body[sep.end() :], Dialect(sep[1].decode(errors="replace"), dialect.quote)
    head = body[:HEADER_SEARCH_BYTES].decode(errors="ignore")
    skip, names, end = _header(source, head, dialect)
    width = max(len(names), read_line_after(body, skip).count(dialect.delimiter.encode()) + 1)
    return body, CsvLayout(dialect, tuple(head.split("\n")[:skip]), tuple(names), end, width)


def read_cells(source: TabularSource, body: bytes, layout: CsvLayout, before: int = 0) -> tuple[Cells, int]:
    """The cells of a text that begins with its preamble and header, and how many rows are below that.

    Rows are counted on from those that were `before`.

    Raises:
        ReadError: it is no such table.
    """
    dialect, skip = layout.dialect, len(layout.preamble)
    broken: tuple[BrokenRow, ...] = ()
    is_cut = not body.endswith(b"\n")
    try:
        table = _whole(body, dialect, skip, len(layout.names))
        if table is None:
            body, numbers, broken, short, rows = separate_broken_rows(body, dialect, skip)
            table = pl.read_csv(
                body, separator=dialect.delimiter, quote_char=dialect.quote, infer_schema=False
            )
        else:
            rows = table.height
            numbers = pl.int_range(1, rows + 1, eager=True)
            short = find_short_rows(body, dialect, layout.end, table)
    except pl.exceptions.NoDataError:
        raise ReadError("holds no header") from None
    except (pl.exceptions.PolarsError, csv.Error) as error:
        raise ReadError(f"is not the CSV that was declared: {str(error).splitlines()[0]}") from None
    if before:
        numbers += before
        broken = tuple(replace(row, row=row.row + before) for row in broken)
    tallies: tuple[Tally, ...] = ()
    if b"#" in body:
        table, tallies = replace_cell_errors(table)
    torn, more = find_torn_rows(table, numbers, short, dialect, cut=is_cut)
    cells = build_cells(source, table, layout.names, numbers)
    cells = replace(cells, broken=broken, torn=torn, tallies=(*tallies, *more))
    return add_preamble_columns(source, cells, layout.preamble), rows


def _whole(body: bytes, dialect: Dialect, skip: int, width: int) -> pl.DataFrame | None:
    """The table in one go; None where a row is wider than the header, or a quote perhaps never closed."""
    if body.count(dialect.quote.encode()) % 2:
        return None
    options: dict[str, Any] = {
        "separator": dialect.delimiter,
        "quote_char": dialect.quote,
        "skip_lines": skip,
    }
    with suppress(pl.exceptions.ComputeError):
        table = pl.read_csv(body, infer_schema=False, **options)
        return table if table.width == width else None
    return None


def _header(source: TabularSource, head: str, dialect: Dialect) -> tuple[int, list[str], int]:
    """Lines before the header, its cells as they are written, and the lines up to its end."""
    lines = [f"{line}\n" for line in head.split("\n")]
    reader = csv.reader(lines[source.skip_lines :] if not source.header else lines, **dialect.options)
    start, before = 0, 0 if source.header else source.skip_lines
    with suppress(csv.Error):
        for cells in reader:
            found = match_header(cells, source.named, source.aliases).names if source.header else ()
            if {*source.header} <= {*found} and any(cells):
                return before + start, cells, before + reader.line_num
            start = reader.line_num
    if source.header:
        raise ReadError(f"has no header with the columns {', '.join(source.header)}")
    raise ReadError("holds no header")
