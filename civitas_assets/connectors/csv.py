"""CSV files over HTTP: any dialect, any of the usual encodings.

What the columns mean is in `tabular.py`, as for any other table.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import Payload, Session
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.tabular import (
    ENDLESS,
    TOO_WIDE,
    TabularSource,
    as_kept,
    kept,
    numbered,
    raw_table,
)
from civitas_assets.connectors.text import to_utf8
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable

_HEADER_SEARCH_BYTES = 256 * 1024


class CsvSource(TabularSource):
    """A CSV file, or one per `each` value and period."""

    takes_files: ClassVar[bool] = True

    connector: Literal["csv"]
    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', min_length=1, max_length=1)
    encoding: str = Field("auto", description="auto: byte order mark, then UTF-8, then windows-1252.")

    def mapped(self, body: bytes) -> bytes:
        """See `SelectiveSource`."""
        return kept(self, *_parse(self, to_utf8(body, self.encoding)))


class CsvConnector:
    """Fetches and reads CSV."""

    name = "csv"
    source_model: type[Source] = CsvSource

    def fetch(self, source: CsvSource, window: Window, zone: ZoneInfo, session: Session) -> None:
        """One request per address of the window."""
        fetch_addresses(source, window, session)

    def read(self, source: CsvSource, payload: Payload) -> Iterator[RawTable]:
        """One table; cells stay text."""
        cells = as_kept(payload.body) or _parse(source, to_utf8(payload.body, source.encoding))
        yield raw_table(source, *cells)


def _parse(source: CsvSource, body: bytes) -> tuple[pl.DataFrame, tuple[BrokenRow, ...]]:
    skip = _lines_before_header(source, body)
    options: dict[str, Any] = {
        "separator": source.delimiter,
        "quote_char": source.quote,
        "infer_schema": False,
        "skip_lines": skip,
    }
    if not body.strip():
        raise ReadError("is empty: not even a header")
    broken: tuple[BrokenRow, ...] = ()
    try:
        try:
            if body.count(source.quote.encode()) % 2:
                raise pl.exceptions.ComputeError("has a quote that is perhaps never closed")
            table = pl.read_csv(body, **options)
            numbers = pl.int_range(1, table.height + 1, eager=True)
        except pl.exceptions.ComputeError:
            body, numbers, broken = _without_broken_rows(source, body, skip)
            table = pl.read_csv(body, **{**options, "skip_lines": 0})
    except pl.exceptions.NoDataError:
        raise ReadError("holds no header") from None
    except (pl.exceptions.PolarsError, csv.Error) as error:
        raise ReadError(f"is not the CSV that was declared: {str(error).splitlines()[0]}") from None
    return numbered(table, table.columns, numbers), broken


def _lines_before_header(source: CsvSource, body: bytes) -> int:
    if not source.header:
        return source.skip_lines
    head = body[:_HEADER_SEARCH_BYTES].decode(errors="ignore")
    reader = csv.reader(io.StringIO(head), delimiter=source.delimiter, quotechar=source.quote)
    start = 0
    with suppress(csv.Error):
        for cells in reader:
            if set(source.header) <= {cell.strip() for cell in cells}:
                return start
            start = reader.line_num
    raise ReadError(f"has no header with the columns {', '.join(source.header)}")


def _without_broken_rows(
    source: CsvSource, body: bytes, skip: int
) -> tuple[bytes, pl.Series, tuple[BrokenRow, ...]]:
    """The slow path: rows that are wider than the header, or begin a cell that never ends, apart from the others."""
    dialect: dict[str, Any] = {"delimiter": source.delimiter, "quotechar": source.quote}
    kept, numbers, broken, width = io.StringIO(), list[int](), list[BrokenRow](), 0
    writer = csv.writer(kept, **dialect)
    for number, (cells, endless) in enumerate(_rows(io.StringIO(body.decode(), newline=""), skip, dialect)):
        width = width or len(cells)
        if endless:
            broken.append(BrokenRow(number, ENDLESS, "a cell of it goes on to the end of the file", endless))
        elif len(cells) > width and any(cells[width:]):
            raw = source.delimiter.join(cells)
            broken.append(BrokenRow(number, TOO_WIDE, f"{len(cells)} cells, {width} columns", raw))
        elif cells:
            writer.writerow(cells[:width])
            numbers.append(number)
    return kept.getvalue().encode(), pl.Series(numbers[1:], dtype=pl.Int64), tuple(broken)


def _rows(text: io.StringIO, skip: int, dialect: Mapping[str, Any]) -> Iterator[tuple[list[str], str]]:
    """The cells of each row; of one with a quote that is never closed its line, and then the rows below it."""
    lines = [*itertools.islice(text, skip, None)]
    start = 0
    while start < len(lines):
        reader, first = csv.reader(lines[start:], **dialect), start
        for cells in reader:
            begun, start = start, first + reader.line_num
            if start == len(lines) and _is_endless(lines[begun:], dialect):
                start = begun + 1
                yield [], lines[begun]
                break
            yield cells, ""


def _is_endless(lines: Sequence[str], dialect: Mapping[str, Any]) -> bool:
    try:
        return not [*csv.reader(lines, strict=True, **dialect)]
    except csv.Error as error:
        return "unexpected end of data" in str(error)
