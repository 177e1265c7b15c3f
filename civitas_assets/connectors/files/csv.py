"""CSV files over HTTP: any dialect, any of the usual encodings, plain or in an archive.

What the columns mean is in `tabular.py`, as for any other table; which rows are whole in `csv_rows.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.content.extent import check_extent
from civitas_assets.connectors.content.packed import is_spreadsheet, unpack
from civitas_assets.connectors.content.text_encoding import read_text
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.files.csv_portions import read_in_portions
from civitas_assets.connectors.files.csv_rows import Dialect
from civitas_assets.connectors.files.csv_table import HEADER_SEARCH_BYTES, SEP_LINE, find_layout, read_cells
from civitas_assets.connectors.files.selected_rows import read_selected_rows, write_selected_rows
from civitas_assets.connectors.files.table_cells import Cells, add_address_columns
from civitas_assets.connectors.files.table_fields import build_table_rows
from civitas_assets.connectors.files.tabular import TabularSource
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from civitas_assets.spool import Body, read_whole

_FORMS = (".csv", ".tsv", ".txt", ".tab", ".dat")


def remove_sep_line(text: str) -> str:
    """A text without the line by which Excel says what stands between cells."""
    return text[found.end() :] if (found := SEP_LINE.match(text.encode()[:64])) else text


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
        return write_selected_rows(self, _parse(self, read_whole(_unpack(self, body))))


class CsvConnector:
    """Fetches and reads CSV."""

    name = "csv"
    source_model: type[Source] = CsvSource

    def fetch(self, source: CsvSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """One request per address of the window."""
        fetch_addresses(source, window, session)

    def read(self, source: CsvSource, payload: Payload) -> Iterator[RawTable]:
        """One table, or portions of it where the body is large; cells stay text."""
        body = _unpack(source, payload.landed)
        if not isinstance(body, bytes):
            dialect = Dialect(source.delimiter, source.quote)
            if portions := read_in_portions(source, body, dialect, source.encoding, payload.url):
                yield from portions
                return
        whole = read_whole(body)
        cells = read_selected_rows(whole) or _parse(source, whole)
        yield build_table_rows(source, add_address_columns(source, cells, payload.url))


def _unpack(source: CsvSource, body: Body) -> Body:
    return unpack(body, source.member, _FORMS, source.http.max_bytes)


def _parse(source: CsvSource, plain: bytes) -> Cells:
    if is_spreadsheet(plain):
        raise ReadError("is a spreadsheet in a ZIP archive: write connector: excel")
    body, notes = read_text(plain, source.encoding)
    if not body[:HEADER_SEARCH_BYTES].strip() and not body.strip():
        raise ReadError("is empty: not even a header")
    if b"\n" not in body:  # as spreadsheets on old Macs end their lines
        body = body.replace(b"\r", b"\n")
    body, layout = find_layout(source, body, Dialect(source.delimiter, source.quote))
    # As each row takes a byte at least, most files are too short to be counted.
    rows = body.count(b"\n") if len(body) * layout.width > source.frame.max_cells else 0
    check_extent(source.frame, rows, layout.width)
    cells, _ = read_cells(source, body, layout)
    return replace(cells, notes=notes)
