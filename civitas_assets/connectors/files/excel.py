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

import polars as pl
from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.content.extent import check_extent
from civitas_assets.connectors.content.packed import unpack_body
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.files.selected_rows import read_selected_rows, write_selected_rows
from civitas_assets.connectors.files.sheets import fill_merged_cells, read_header_names, read_sheet_cells
from civitas_assets.connectors.files.table_cells import (
    Cells,
    add_address_columns,
    add_preamble_columns,
    build_cells,
)
from civitas_assets.connectors.files.table_fields import build_table_rows
from civitas_assets.connectors.files.tabular import TabularSource
from civitas_assets.connectors.files.workbook import SheetLayout
from civitas_assets.connectors.mapping.columns import match_header
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

_FORMS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_HEADER_SEARCH_ROWS = 200
_MOST_PARTS = 10_000


class ExcelSource(TabularSource):
    """A spreadsheet, or one per `each` value and period."""

    takes_files: ClassVar[bool] = True

    connector: Literal["excel"]
    header_rows: int | None = Field(
        None,
        ge=1,
        description="Rows of the header, whose cells are joined; by default as far as merged cells go.",
    )
    member: str | None = Field(
        None, description="Name or pattern of the file in a ZIP archive, needed where it has several."
    )
    sheet: str | None = Field(None, description="Name of the sheet; by default the first one.")

    def project_answer(self, body: bytes) -> bytes:
        """See `SelectiveSource`."""
        return write_selected_rows(self, _cells(self, body))


class ExcelConnector:
    """Fetches and reads spreadsheets."""

    name = "excel"
    source_model: type[Source] = ExcelSource

    def fetch(self, source: ExcelSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """One request per address of the window."""
        fetch_addresses(source, window, session)

    def read(self, source: ExcelSource, payload: Payload) -> Iterator[RawTable]:
        """One table; cells are text."""
        cells = read_selected_rows(payload.body) or _cells(source, payload.body)
        yield build_table_rows(source, add_address_columns(source, cells, payload.url))


def _cells(source: ExcelSource, packed: bytes) -> Cells:
    """The named columns below the header, with the numbers of their rows."""
    body = unpack_body(packed, source.member, _FORMS, source.http.max_bytes)
    _check_claim(body, source.http.max_bytes)
    cells, layout = read_sheet_cells(body, source.sheet)
    check_extent(
        source.frame, cells.height, cells.width, f" in sheet {source.sheet!r}" if source.sheet else ""
    )
    place = _header(source, cells, layout)
    rows = _header_rows(source, layout, place)
    table = fill_merged_cells(cells, layout, place + rows).slice(place + rows)
    numbers = pl.int_range(place + rows + 1, place + rows + 1 + table.height, eager=True)
    found = build_cells(source, table, read_header_names(cells, layout, place, rows), numbers)
    before = [" ".join(filter(None, row)) for row in cells.head(place).iter_rows()]
    return add_preamble_columns(source, found, before)


def _check_claim(body: bytes, most: int) -> None:
    """Refuse what says that it unfolds to too much; what says too little meets the bound on memory of its reader.

    Counting beforehand would unfold each sheet once more, which takes a sixth of what reading it does.
    """
    if not body.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            parts = book.infolist()
    except zipfile.BadZipFile as error:
        raise ReadError(f"is no sound spreadsheet: {error}") from None
    if sum(part.file_size for part in parts) > most or len(parts) > _MOST_PARTS:
        raise ReadError(
            f"holds more than {most} bytes unpacked, or {_MOST_PARTS} parts: raise http.max_bytes if right"
        )


def _header(source: ExcelSource, cells: pl.DataFrame, layout: SheetLayout) -> int:
    """The place of the header's first row."""
    if not source.header:
        if cells.height <= source.skip_lines:
            raise ReadError(f"has {cells.height} row(s): no header after {source.skip_lines} line(s)")
        return source.skip_lines
    for place in range(min(cells.height, _HEADER_SEARCH_ROWS)):
        names = read_header_names(cells, layout, place, _header_rows(source, layout, place))
        if {*source.header} <= {*match_header(names, source.named, source.aliases).names}:
            return place
    raise ReadError(f"has no header with the columns {', '.join(source.header)}")


def _header_rows(source: ExcelSource, layout: SheetLayout, place: int) -> int:
    """How many rows the header has: what the source says, else those of the cells that are merged in it."""
    return layout.height_at(place) if source.header_rows is None else source.header_rows
