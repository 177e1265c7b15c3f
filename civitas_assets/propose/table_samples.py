"""Tables as samples: CSV in any dialect, and sheets of spreadsheets; the header is where it is, not where it should be.

What the columns mean is not known here.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import fastexcel

from civitas_assets.connectors.files.csv import remove_sep_line
from civitas_assets.connectors.files.sheets import fill_merged_cells, read_header_names, read_sheet_cells
from civitas_assets.connectors.mapping.columns import match_header, normalise_column_name
from civitas_assets.errors import ReadError
from civitas_assets.propose.numbers import is_number
from civitas_assets.propose.sample import MOST_RECORDS, Sample, shorten_names
from civitas_assets.propose.sample_columns import SampleColumn

_DELIMITERS = ";,\t|"
_LINES_LOOKED_AT = 60
_LARGEST_CELL = 64 * 1024 * 1024
_ROWS_OF_SHEET = 100
_VALUE = re.compile(r"[-+\d.,: /%T]*Z?")
_YEAR = re.compile(r"(19|20)\d\d")
_NAMES_SEARCHED = 3


def read_csv_sample(text: str) -> Sample:
    """A CSV file.

    Raises:
        ReadError: no character divides its lines into cells, or it has no header that can be used.
    """
    text = remove_sep_line(text)
    lines = [line for line in text.splitlines()[: 2 * _LINES_LOOKED_AT] if line.strip()][:_LINES_LOOKED_AT]
    csv.field_size_limit(_LARGEST_CELL)  # outlines of areas are longer than the library's limit
    try:
        delimiter, width = _delimiter(lines)
        if width < 2:
            raise ReadError(
                "is no table: no semicolon, comma, tab or bar divides its lines into the same number of cells"
            )
        table = _rows(text, delimiter, csv.QUOTE_MINIMAL)
        if len(table) < min(len(lines), 3):  # a quote that is never closed makes one cell of many lines
            table = _rows(text, delimiter, csv.QUOTE_NONE)
    except csv.Error as error:
        raise ReadError(f"is no CSV that can be read: {error}") from None
    settings: dict[str, Any] = {"delimiter": delimiter} if delimiter != "," else {}
    return _sample("csv", settings, table, width)


def read_excel_sample(body: bytes) -> Sample:
    """The fullest sheet of a spreadsheet.

    Raises:
        ReadError: it is damaged, or none of its sheets holds a table.
    """
    try:
        book = fastexcel.read_excel(body)
        found = [(name, _sheet(book, name)) for name in book.sheet_names]
    except fastexcel.FastExcelError as error:
        raise ReadError(f"is no spreadsheet that can be read: {str(error).splitlines()[0]}") from None
    tables = [(name, rows, width) for name, rows in found if (width := _usual_width(rows)) > 1]
    if not tables:
        raise ReadError(
            f"has no sheet with a table; it has {shorten_names(name for name, _ in found) or 'none'}"
        )
    name, rows, width = max(tables, key=lambda item: sum(len(list(filter(None, row))) for row in item[1]))
    settings: dict[str, Any] = {} if name == book.sheet_names[0] else {"sheet": name}
    rows = _as_meant(body, name)
    others = [other for other, rows in found if other != name and any(map(any, rows))]
    remarks = [
        f"the spreadsheet has more sheets, each of which is a source of its own: {shorten_names(others)}"
    ]
    return _sample("excel", settings, rows, _usual_width(rows), remarks if others else [])


def _as_meant(body: bytes, name: str) -> list[list[str]]:
    """The rows of a sheet as a source reads them, with the names of several rows of header as one."""
    cells, layout = read_sheet_cells(body, name)
    cells = cells.head(MOST_RECORDS + _ROWS_OF_SHEET)
    rows = [[cell or "" for cell in row] for row in cells.iter_rows()]
    start = _header(rows, _usual_width(rows))
    end = start + layout.height_at(start)
    data = [
        [cell or "" for cell in row] for row in fill_merged_cells(cells, layout, end).slice(end).iter_rows()
    ]
    return [*rows[:start], read_header_names(cells, layout, start, end - start), *data]


def _sheet(book: fastexcel.ExcelReader, name: str) -> list[list[str]]:
    """The rows of a sheet as text."""
    sheet = book.load_sheet(
        name, header_row=None, skip_rows=0, n_rows=MOST_RECORDS + _ROWS_OF_SHEET, dtypes="string"
    )
    return [["" if cell is None else str(cell) for cell in row] for row in sheet.to_polars().iter_rows()]


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    """The number of columns that most rows reach."""
    widths = Counter(
        max((n for n, cell in enumerate(row, 1) if cell.strip()), default=0) for row in rows[:_ROWS_OF_SHEET]
    )
    return max(widths.items(), key=lambda found: found[0] * found[1], default=(0, 0))[0]


def _rows(text: str, delimiter: str, quoting: Literal[0, 3]) -> list[list[str]]:
    """As many rows as are looked at."""
    found = list[list[str]]()
    for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting):
        if cells:
            found.append(cells)
        if len(found) > MOST_RECORDS + _LINES_LOOKED_AT:
            break
    return found


def _delimiter(lines: Sequence[str]) -> tuple[str, int]:
    """The character that divides the most lines into the same number of cells, and that number."""
    best = (0, ",", 1)
    for delimiter in _DELIMITERS:
        widths = Counter(len(cells) for cells in csv.reader(lines, delimiter=delimiter) if len(cells) > 1)
        if widths:
            width, count = max(widths.items(), key=lambda found: (found[1] * (found[0] - 1), found[0]))
            best = max(best, (count * (width - 1), delimiter, width))
    return best[1], best[2]


def _sample(
    connector: str,
    settings: dict[str, Any],
    table: Sequence[Sequence[str]],
    width: int,
    remarks: Sequence[str] = (),
) -> Sample:
    start = _header(table, width)
    header = match_header(table[start], ())
    rows = [row for row in table[start + 1 : start + 1 + MOST_RECORDS] if len(row) >= width]
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    plain = [normalise_column_name(name) for name in header.written]
    named = [(number, name) for number, name in enumerate(plain) if name and name not in header.twice]
    if header.twice:
        remarks = [
            *remarks,
            f"more than one column is called {shorten_names(sorted(header.twice))}: none of them is proposed",
        ]
    if not rows:
        raise ReadError(f"has a header with {shorten_names(name for _, name in named)}, and no row below it")
    columns = [
        SampleColumn(
            name,
            tuple((row[number] if number < len(row) else None) or None for row in rows),
            typed=connector == "excel",
        )
        for number, name in named
    ]
    doubts = {}
    if start:
        doubts["header"] = f"the header is row {start + 1}; it is searched by these names"
        settings["header"] = [name for _, name in named[:_NAMES_SEARCHED]]
    nameless = sum(not name for name in plain)
    if nameless and connector == "csv":
        remarks = [*remarks, f"{nameless} column(s) without a name are left out"]
    return Sample(connector, settings, columns, len(rows), doubts=doubts, remarks=remarks)


def _header(table: Sequence[Sequence[str]], width: int) -> int:
    """The row of the header.

    Raises:
        ReadError: there is none.
    """
    rows = enumerate(table[:_LINES_LOOKED_AT])
    wide = [(n, row) for n, row in rows if len(row) >= width and 2 * sum(map(bool, row)) >= width]
    for is_header in (
        _is_header,
        _are_years,
    ):  # names that are numbers, such as a column for every year, come last
        for number, row in wide:
            if is_header(row):
                return number
    first = next((row for _, row in wide), table[0] if table else [])
    raise ReadError(
        f"has no header: its first whole row is {shorten_names((cell.strip() or '(empty)')[:30] for cell in first)}; "
        "columns are mapped by their names"
    )


def _is_header(cells: Sequence[str]) -> bool:
    """Names, not values: at least half of the cells are texts, and none of them is there twice among values."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    texts = sum(not _VALUE.fullmatch(cell) for cell in filled)
    return 2 * texts >= len(filled) > 0


def _are_years(cells: Sequence[str]) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip()]
    years = [cell for cell in filled if _YEAR.fullmatch(cell)]
    others = [cell for cell in filled if not _YEAR.fullmatch(cell)]
    return len(years) > 1 and len({*years}) == len(years) and not any(map(is_number, others))


def select_year_columns(columns: Sequence[SampleColumn]) -> list[SampleColumn]:
    """The columns whose names are years, where there are several."""
    years = [column for column in columns if _YEAR.fullmatch(column.name)]
    return years if len(years) > 1 else []
