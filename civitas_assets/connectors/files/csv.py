"""CSV files over HTTP: any dialect, any of the usual encodings, plain or in an archive.

What the columns mean is in `tabular.py`, as for any other table; which rows are whole in `csv_rows.py`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import AfterValidator, Field

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.content.extent import check_extent
from civitas_assets.connectors.content.packed import is_spreadsheet, unpack_body
from civitas_assets.connectors.content.text_encoding import read_text
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.files.csv_rows import (
    Dialect,
    find_short_rows,
    find_torn_rows,
    read_line_after,
    separate_broken_rows,
)
from civitas_assets.connectors.files.selected_rows import read_selected_rows, write_selected_rows
from civitas_assets.connectors.files.table_cells import (
    Cells,
    add_address_columns,
    add_preamble_columns,
    build_cells,
    replace_cell_errors,
)
from civitas_assets.connectors.files.table_fields import build_table_rows
from civitas_assets.connectors.files.tabular import TabularSource
from civitas_assets.connectors.mapping.columns import match_header
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable

_HEADER_SEARCH_BYTES = 256 * 1024
_SEP_LINE = re.compile(rb'\s*"?sep=(.)"?[;,\t]*\r?\n', re.IGNORECASE)
_FORMS = (".csv", ".tsv", ".txt", ".tab", ".dat")


def remove_sep_line(text: str) -> str:
    """A text without the line by which Excel says what stands between cells."""
    return text[found.end() :] if (found := _SEP_LINE.match(text.encode()[:64])) else text


def _known_encoding(name: str) -> str:
    """The name, if bytes can be read as text by it."""
    try:
        if name != "auto":
            "a".encode(name)
    except (LookupError, UnicodeError):
        raise ValueError(f"{name!r} is no encoding of text; such are utf-8, cp1252, cp850, latin-1") from None
    return name


class CsvSource(TabularSource):
    """A CSV file, or one per `each` value and period."""

    takes_files: ClassVar[bool] = True

    connector: Literal["csv"]
    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', min_length=1, max_length=1)
    encoding: Annotated[str, AfterValidator(_known_encoding)] = Field(
        "auto", description="auto: byte order mark, then UTF-8, then windows-1252."
    )
    member: str | None = Field(
        None, description="Name or pattern of the file in a ZIP archive, needed where it has several."
    )

    def project_answer(self, body: bytes) -> bytes:
        """See `SelectiveSource`."""
        return write_selected_rows(self, _parse(self, body))


class CsvConnector:
    """Fetches and reads CSV."""

    name = "csv"
    source_model: type[Source] = CsvSource

    def fetch(self, source: CsvSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """One request per address of the window."""
        fetch_addresses(source, window, session)

    def read(self, source: CsvSource, payload: Payload) -> Iterator[RawTable]:
        """One table; cells stay text."""
        cells = read_selected_rows(payload.body) or _parse(source, payload.body)
        yield build_table_rows(source, add_address_columns(source, cells, payload.url))


def _parse(source: CsvSource, packed: bytes) -> Cells:
    plain = unpack_body(packed, source.member, _FORMS, source.http.max_bytes)
    if is_spreadsheet(plain):
        raise ReadError("is a spreadsheet in a ZIP archive: write connector: excel")
    body, notes = read_text(plain, source.encoding)
    if not body[:_HEADER_SEARCH_BYTES].strip() and not body.strip():
        raise ReadError("is empty: not even a header")
    if b"\n" not in body:  # as spreadsheets on old Macs end their lines
        body = body.replace(b"\r", b"\n")
    dialect = Dialect(source.delimiter, source.quote)
    if not source.skip_lines and not source.header and (sep := _SEP_LINE.match(body)):
        body, dialect = body[sep.end() :], Dialect(sep[1].decode(errors="replace"), source.quote)
    head = body[:_HEADER_SEARCH_BYTES].decode(errors="ignore")
    skip, names, end = _header(source, head, dialect)
    width = max(len(names), read_line_after(body, skip).count(dialect.delimiter.encode()) + 1)
    # As each row takes a byte at least, most files are too short to be counted.
    rows = body.count(b"\n") if len(body) * width > source.frame.max_cells else 0
    check_extent(source.frame, rows, width)
    broken: tuple[BrokenRow, ...] = ()
    try:
        table = _whole(body, dialect, skip, len(names))
        if table is None:
            body, numbers, broken, short = separate_broken_rows(body, dialect, skip)
            table = pl.read_csv(
                body, separator=dialect.delimiter, quote_char=dialect.quote, infer_schema=False
            )
        else:
            numbers = pl.int_range(1, table.height + 1, eager=True)
            short = find_short_rows(body, dialect, end, table)
    except pl.exceptions.NoDataError:
        raise ReadError("holds no header") from None
    except (pl.exceptions.PolarsError, csv.Error) as error:
        raise ReadError(f"is not the CSV that was declared: {str(error).splitlines()[0]}") from None
    if b"#" in body:
        table, errors = replace_cell_errors(table)
        notes = (*notes, *errors)
    torn, more = find_torn_rows(table, numbers, short, dialect, cut=not body.endswith(b"\n"))
    cells = build_cells(source, table, names, numbers)
    cells = replace(cells, broken=broken, torn=torn, notes=(*notes, *more))
    return add_preamble_columns(source, cells, head.split("\n")[:skip])


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


def _header(source: CsvSource, head: str, dialect: Dialect) -> tuple[int, list[str], int]:
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
