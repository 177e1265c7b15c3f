"""CSV files over HTTP: any dialect, any of the usual encodings, long tables and wide ones.

A wide table carries ids in its column names; `unpivot` turns each such column into rows.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import AfterValidator, Field, model_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import Model, Slug
from civitas_assets.connectors.base import Payload, Session
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.mapping import MappedSource
from civitas_assets.connectors.text import to_utf8
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable
from civitas_assets.records.raw import ROW, TIME

_HEADER_SEARCH_BYTES = 256 * 1024


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_is_pattern)]


class Unpivot(Model):
    """Columns whose names carry ids, and where their cells go."""

    columns: Pattern = Field(description="Matches a whole column name; named groups become fields.")
    value: Slug = Field("value", description="Field that takes the cells.")
    companions: Mapping[Slug, Pattern] = Field(
        {}, description="Further columns about the same id: field by pattern, with the same named groups."
    )


class CsvSource(MappedSource):
    """A CSV file, or one per `each` value and period."""

    connector: Literal["csv"]
    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', min_length=1, max_length=1)
    encoding: str = Field("auto", description="auto: byte order mark, then UTF-8, then windows-1252.")
    skip_lines: int = Field(0, ge=0, description="Lines before the header.")
    header: tuple[str, ...] = Field(
        (), description="Column names to search the header by, for preambles of changing length."
    )
    fields: Mapping[Slug, str] = Field({}, description="Contract field by native column.")
    unpivot: Unpivot | None = None
    ignore: tuple[Pattern, ...] = Field((), description="Columns that are known and not wanted.")

    @model_validator(mode="after")
    def _brings_something(self) -> CsvSource:
        if not self.fields and self.unpivot is None:
            raise ValueError("fields or unpivot is needed: nothing would be read")
        return self


class CsvConnector:
    """Fetches and reads CSV."""

    name = "csv"
    source_model: type[Source] = CsvSource

    def fetch(self, source: CsvSource, window: Window, zone: ZoneInfo, session: Session) -> None:
        """One request per address of the window."""
        fetch_addresses(source, window, session)

    def read(self, source: CsvSource, payload: Payload) -> Iterator[RawTable]:
        """One table; cells stay text."""
        body = to_utf8(payload.body, source.encoding)
        table, broken = _parse(source, body)
        used: set[str] = set()
        frame = _select(source, table, used)
        unknown = tuple(
            column
            for column in table.columns
            if column not in used
            and column != ROW
            and not any(re.fullmatch(p, column) for p in source.ignore)
        )
        yield RawTable(source.record_type, frame, unknown, broken)


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
            table = pl.read_csv(body, **options)
            numbers = pl.int_range(1, table.height + 1, eager=True)
        except pl.exceptions.ComputeError:
            body, numbers, broken = _without_broken_rows(source, body, skip)
            table = pl.read_csv(body, **{**options, "skip_lines": 0})
    except pl.exceptions.NoDataError:
        raise ReadError("holds no header") from None
    except (pl.exceptions.PolarsError, csv.Error) as error:
        raise ReadError(f"is not the CSV that was declared: {str(error).splitlines()[0]}") from None
    names = [column.strip() for column in table.columns]
    twice = sorted({name for name in names if names.count(name) > 1 or name == ROW})
    if twice:
        raise ReadError(f"has more than one column {', '.join(twice)}")
    table.columns = names
    # A blank line, or a row of empty cells, is the end of a block or of the file, and no record.
    return table.insert_column(0, numbers.alias(ROW)).filter(
        ~pl.all_horizontal(pl.exclude(ROW).is_null())
    ), broken


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
    """The slow path for files with rows wider than the header: those rows apart, the rest as they are."""
    dialect: dict[str, Any] = {"delimiter": source.delimiter, "quotechar": source.quote}
    lines = itertools.islice(io.StringIO(body.decode(), newline=""), skip, None)
    kept, numbers, broken, width = io.StringIO(), list[int](), list[BrokenRow](), 0
    writer = csv.writer(kept, **dialect)
    for number, cells in enumerate(csv.reader(lines, **dialect)):
        width = width or len(cells)
        if len(cells) > width and any(cells[width:]):
            raw = source.delimiter.join(cells)
            broken.append(BrokenRow(number, "too_many_cells", f"{len(cells)} cells, {width} columns", raw))
        elif cells:
            writer.writerow(cells[:width])
            numbers.append(number)
    return kept.getvalue().encode(), pl.Series(numbers[1:], dtype=pl.Int64), tuple(broken)


def _select(source: CsvSource, table: pl.DataFrame, used: set[str]) -> pl.DataFrame:
    columns = [pl.col(ROW)]
    wanted = dict(source.fields)
    if source.time is not None and source.time.column is not None:
        wanted[TIME] = source.time.column
    missing = sorted({native for native in wanted.values() if native not in table.columns})
    if missing:
        raise ReadError(f"lacks the column(s) {', '.join(missing)}; it has {', '.join(table.columns[1:])}")
    for field, native in wanted.items():
        used.add(native)
        columns.append(pl.col(native).alias(field))
    if source.unpivot is None:
        return table.select(columns)
    return _unpivoted(source.unpivot, table, columns, used)


def _unpivoted(unpivot: Unpivot, table: pl.DataFrame, shared: list[pl.Expr], used: set[str]) -> pl.DataFrame:
    """One block of rows per matching column, below each other; the loop is over columns, not over records."""
    blocks = []
    companions = {field: _matching(pattern, table.columns) for field, pattern in unpivot.companions.items()}
    for column, groups in _matching(unpivot.columns, table.columns).items():
        used.add(column)
        block = [*shared, pl.col(column).alias(unpivot.value)]
        block.extend(pl.lit(text).alias(field) for field, text in groups.items())
        for field, candidates in companions.items():
            partner = next((name for name, ids in candidates.items() if ids.items() <= groups.items()), None)
            if partner is not None:
                used.add(partner)
            block.append((pl.col(partner) if partner else pl.lit(None, pl.String)).alias(field))
        blocks.append(table.lazy().select(block))
    if not blocks:
        raise ReadError(
            f"has no column that matches {unpivot.columns!r}; it has {', '.join(table.columns[1:])}"
        )
    return pl.concat(pl.collect_all(blocks))


def _matching(pattern: str, columns: list[str]) -> dict[str, dict[str, str]]:
    """Columns that the pattern matches as a whole, with their named groups."""
    compiled = re.compile(pattern)
    return {name: match.groupdict() for name in columns if (match := compiled.fullmatch(name))}
