"""Spreadsheets over HTTP: xlsx, xlsm, xlsb, xls and ods, one sheet of each.

Cells become the text that they stand for: dates as ISO 8601, numbers with a decimal point. What the columns mean is
in `tabular.py`, as for any other table.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

import fastexcel
import polars as pl
from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import Payload, Session
from civitas_assets.connectors.columns import header_of
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.kept import as_kept, kept
from civitas_assets.connectors.tabular import (
    Cells,
    TabularSource,
    headed,
    raw_table,
    with_address,
    with_preamble,
)
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

_HEADER_SEARCH_ROWS = 200
_MOST_MEMBERS = 10_000


class ExcelSource(TabularSource):
    """A spreadsheet, or one per `each` value and period."""

    takes_files: ClassVar[bool] = True

    connector: Literal["excel"]
    sheet: str | None = Field(None, description="Name of the sheet; by default the first one.")

    def mapped(self, body: bytes) -> bytes:
        """See `SelectiveSource`."""
        return kept(self, _cells(self, body))


class ExcelConnector:
    """Fetches and reads spreadsheets."""

    name = "excel"
    source_model: type[Source] = ExcelSource

    def fetch(self, source: ExcelSource, window: Window, zone: ZoneInfo, session: Session) -> None:
        """One request per address of the window."""
        fetch_addresses(source, window, session)

    def read(self, source: ExcelSource, payload: Payload) -> Iterator[RawTable]:
        """One table; cells are text."""
        cells = as_kept(payload.body) or _cells(source, payload.body)
        yield raw_table(source, with_address(source, cells, payload.url))


def _cells(source: ExcelSource, body: bytes) -> Cells:
    """The named columns below the header, with the numbers of their rows."""
    _check_size(body, source.http.max_bytes)
    cells = _sheet(body, source.sheet)
    place = _header(source, cells)
    table = cells.slice(place + 1)
    numbers = pl.int_range(place + 2, place + 2 + table.height, eager=True)
    found = headed(source, table, [cell or "" for cell in cells.row(place)], numbers)
    before = [" ".join(filter(None, row)) for row in cells.head(place).iter_rows()]
    return with_preamble(source, found, before)


def _check_size(body: bytes, most: int) -> None:
    """What a compressed file unfolds to is known before it is unfolded."""
    if not body.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise ReadError(f"is no spreadsheet: {error}") from None
    size = sum(member.file_size for member in members)
    if size > most or len(members) > _MOST_MEMBERS:
        raise ReadError(
            f"unfolds to {len(members)} parts of {size} bytes: raise http.max_bytes if that is right"
        )


def _sheet(body: bytes, name: str | None) -> pl.DataFrame:
    """All cells of the sheet as text, from its first row on."""
    try:
        book = fastexcel.read_excel(body)
        if name is not None and name not in book.sheet_names:
            raise ReadError(f"has no sheet {name!r}; it has {', '.join(book.sheet_names)}")
        if not book.sheet_names:
            raise ReadError("has no sheet")
        # Without this, rows above the first filled one are left out, and rows would be miscounted.
        sheet = book.load_sheet(
            name if name is not None else 0, header_row=None, skip_rows=0, dtypes="string"
        )
    except fastexcel.FastExcelError as error:
        raise ReadError(f"is no spreadsheet: {str(error).splitlines()[0]}") from None
    return pl.DataFrame(sheet)


def _header(source: ExcelSource, cells: pl.DataFrame) -> int:
    """The place of the header row."""
    if not source.header:
        if cells.height <= source.skip_lines:
            raise ReadError(f"has {cells.height} row(s): no header after {source.skip_lines} line(s)")
        return source.skip_lines
    for place, row in enumerate(cells.head(_HEADER_SEARCH_ROWS).iter_rows()):
        if {*source.header} <= {*header_of([cell or "" for cell in row], source.named, source.aliases).names}:
            return place
    raise ReadError(f"has no header with the columns {', '.join(source.header)}")
