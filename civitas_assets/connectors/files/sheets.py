"""The cells of one sheet as the text that they stand for, whatever is behind what they show.

Times without a day are times of day, merged cells are told from empty ones, and shares of a hundred are per cent.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import fastexcel
import polars as pl
import pyarrow as pa

from civitas_assets.connectors.files.workbook import SheetLayout, format_duration, read_layout
from civitas_assets.errors import ReadError

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DAY_FIRST = r"^\d{4}-\d\d-\d\d[ T]"
_FRACTION = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+$"
# What a sum of fractions of days loses in a year of quarters of an hour is less.
_NEARLY = timedelta(milliseconds=50)
# The first day that a spreadsheet counts; as a date it is never meant.
_FIRST, _FIRST_1904 = datetime(1899, 12, 31), datetime(1904, 1, 1)  # noqa: DTZ001 - a wall clock without a zone
_LEAP_DAY_THAT_NEVER_WAS = datetime(1900, 3, 1)  # noqa: DTZ001
_DAY = timedelta(days=1)


def read_sheet_cells(body: bytes, name: str | None) -> tuple[pl.DataFrame, SheetLayout]:
    """All cells of the sheet as text, from its first row on, and its layout.

    Raises:
        ReadError: it is no spreadsheet, or has no such sheet.
    """
    cells, odd, before, name = _loaded(body, name)
    if not cells.width:
        return cells, read_layout(body, name)
    blank = any(cells.select(_is_blank(pl.all()).any()).row(0))
    if before:
        odd = [False] * before + odd
        cells = cells.select(*[pl.lit(None, pl.String).alias(f"@{n}") for n in range(before)], pl.all())
    # Merged cells are blank but for the first one; where no cell is, none is merged.
    layout = read_layout(body, name, merged=blank)
    durations, percents, written = (
        _by_column(places, cells.height) for places in (layout.durations, layout.percents, layout.written)
    )
    first = _FIRST_1904 if layout.from_1904 else _FIRST
    return cells.with_columns(
        _meant(
            cells[column],
            first,
            durations[place],
            percents[place],
            {row: layout.written[row, place] for row in written[place]},
        )
        for place, column in enumerate(cells.columns)
        if odd[place] or durations[place] or percents[place] or written[place]
    ), layout


def _loaded(body: bytes, name: str | None) -> tuple[pl.DataFrame, list[bool], int, str]:
    """All cells of a sheet, which of its columns may hold what is not meant so, how many before it are left out."""
    places = list[int]()

    def take(column: Any) -> bool:
        places.append(column.absolute_index)
        return True

    try:
        book = fastexcel.read_excel(body)
        if name is not None and name not in book.sheet_names:
            raise ReadError(f"has no sheet {name!r}; it has {', '.join(book.sheet_names)}")
        if not book.sheet_names:
            raise ReadError("has no sheet")
        name = book.sheet_names[0] if name is None else name
        # Without skip_rows, rows above the first filled one are left out, and rows would be miscounted; columns
        # before the first filled one are left out all the same.
        sheet = book.load_sheet(
            name, header_row=None, skip_rows=0, dtypes="string", eager=True, use_columns=take
        )
    except fastexcel.FastExcelError as error:
        raise ReadError(f"is no spreadsheet: {str(error).splitlines()[0]}") from None
    odd = [_may_be_odd(column) for column in sheet.columns]
    return pl.DataFrame(pl.from_arrow(sheet)), odd, min(places, default=0), name


def fill_merged_cells(cells: pl.DataFrame, layout: SheetLayout, first: int) -> pl.DataFrame:
    """The cells with blank ones of merged ranges filled downwards, from a row on."""
    values: dict[int, dict[int, str | None]] = defaultdict(dict)
    for merged in layout.merged:
        if merged.bottom - merged.top > 1 and merged.left < cells.width and merged.top < cells.height:
            column = cells.to_series(merged.left)
            for row in range(max(merged.top, first), min(merged.bottom, cells.height)):
                values[merged.left][row] = column[row] or column[merged.top]
    return cells.with_columns(
        cells.to_series(place).scatter([*found], [*found.values()]) for place, found in values.items()
    )


def read_header_names(cells: pl.DataFrame, layout: SheetLayout, place: int, rows: int) -> list[str]:
    """The names of the columns, those of several rows joined by a blank; a merged cell names all of its columns."""
    lines = [[cell or "" for cell in row] for row in cells.slice(place, rows).iter_rows()]
    for merged in layout.merged if rows > 1 else ():
        if place <= merged.top < place + len(lines):
            line = lines[merged.top - place]
            for column in range(merged.left, min(merged.right, cells.width)):
                line[column] = line[column] or line[merged.left]
    return [" ".join(dict.fromkeys(filter(None, parts))) for parts in zip(*lines, strict=True)]


def _is_blank(cells: pl.Expr) -> pl.Expr:
    return cells.is_null() | (cells.str.len_bytes() == 0)


def _may_be_odd(column: pa.Array) -> bool:
    """Whether any text of a column may hold an escape or a moment; asked of all its bytes at once, which is quick."""
    text = b"".join(buffer for buffer in column.buffers()[2:] if buffer is not None)
    return b"_x" in text or (b":" in text and b"-" in text)


def _by_column(places: Iterable[tuple[int, int]], height: int) -> Mapping[int, Sequence[int]]:
    """The rows of places, as far as the sheet goes, by column."""
    found: dict[int, list[int]] = defaultdict(list)
    for row, column in places:
        if row < height:
            found[column].append(row)
    return found


def _meant(
    column: pl.Series,
    first: datetime,
    durations: Sequence[int],
    percents: Sequence[int],
    written: Mapping[int, str],
) -> pl.Series:
    """What the cells of a column stand for, given the rows that the layout says more of."""
    changed: dict[int, str] = {}
    if column.str.contains("_x", literal=True).any():
        odd = column.str.contains(_ESCAPED.pattern).fill_null(value=False).arg_true()
        changed |= {row: _ESCAPED.sub(lambda m: chr(int(m[1], 16)), column[row]) for row in odd}
    odd = pl.Series([], dtype=pl.UInt32)
    if column.str.contains(_DAY_FIRST).any():
        fractions = column.str.contains(_FRACTION).fill_null(value=False).arg_true()
        changed |= {row: _rounded(column[row]) for row in fractions}
        days = "|".join(f"{day:%Y-%m-%d}" for day in (first, first - _DAY))
        odd = column.str.contains(f"^(?:{days}) ").fill_null(value=False).arg_true()
    for row in (*odd, *durations):
        text = _time_of(changed.get(row, column[row]), first)
        changed |= {row: text} if text is not None else {}
    for row in percents:
        if (text := _hundredfold(column[row])) is not None:
            changed[row] = text
    changed |= written
    return column.scatter([*changed], [*changed.values()]) if changed else column


def _rounded(text: str) -> str:
    """A time that misses a second by next to nothing, as sums of fractions do."""
    moment = datetime.fromisoformat(text)
    near = (moment + timedelta(milliseconds=500)).replace(microsecond=0)
    return near.isoformat(sep=text[10]) if abs(near - moment) <= _NEARLY else text


def _time_of(text: str | None, first: datetime) -> str | None:
    """What a moment near the first day stands for: a time of day, or hours, minutes and seconds of a duration."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    if first == _FIRST and moment >= _LEAP_DAY_THAT_NEVER_WAS:
        moment += _DAY
    seconds = round((moment - first).total_seconds())
    return format_duration(abs(seconds), negative=seconds < 0)


def _hundredfold(text: str | None) -> str | None:
    try:
        return format(Decimal(text or "").scaleb(2), "f")
    except InvalidOperation:
        return None
