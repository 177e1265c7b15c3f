"""Rows of CSV that are not whole: too wide, too short, torn by a line break that nobody quoted, or never closed.

Most files have none; looking for them costs little as long as the last column has no empty cell.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from civitas_assets.connectors.files.selected_rows import ENDLESS, TOO_SHORT, TOO_WIDE
from civitas_assets.connectors.files.table_cells import Tally
from civitas_assets.records import BrokenRow


@dataclass(frozen=True)
class Dialect:
    """How cells are parted and quoted, a character each."""

    delimiter: str
    quote: str

    @property
    def options(self) -> dict[str, Any]:
        """The same for Python's `csv`."""
        return {"delimiter": self.delimiter, "quotechar": self.quote}


Short = Mapping[int, int]  # number of cells by the place of a row, where it has less than the header


def separate_broken_rows(
    body: bytes, dialect: Dialect, skip: int
) -> tuple[bytes, pl.Series, tuple[BrokenRow, ...], Short, int]:
    """The slow path: rows that are wider than the header, or begin a cell that never ends, apart from the others.

    The last of what it gives is how many rows there are below the header, of whichever kind.
    """
    kept, numbers, broken, short, width = io.StringIO(), list[int](), list[BrokenRow](), dict[int, int](), 0
    number = 0
    writer = csv.writer(kept, **dialect.options)
    for number, (cells, endless) in enumerate(
        _rows(io.StringIO(body.decode(), newline=""), skip, dialect.options)
    ):
        width = width or len(cells)
        if endless:
            broken.append(BrokenRow(number, ENDLESS, "a cell of it goes on to the end of the file", endless))
        elif len(cells) > width and any(cells[width:]):
            raw = dialect.delimiter.join(cells)
            broken.append(BrokenRow(number, TOO_WIDE, f"{len(cells)} cells, {width} columns", raw))
        elif cells:
            if 0 < len(cells) < width and any(cells):  # a blank is a cell, as it is to Polars
                short[len(numbers) - 1] = len(cells)
            writer.writerow(cells[:width] + [""] * (width - len(cells)))
            numbers.append(number)
    return kept.getvalue().encode(), pl.Series(numbers[1:], dtype=pl.Int64), tuple(broken), short, number


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


def find_short_rows(body: bytes, dialect: Dialect, lines: int, table: pl.DataFrame) -> Short:
    """The rows of a body with fewer cells than its header has; `lines` are those up to the end of the header."""
    candidates = table[table.columns[-1]].is_null()
    if table.width < 2 or not candidates.any():
        return {}
    candidates &= ~_blank(table)
    if not candidates.any():
        return {}
    counts = _counted(body, dialect, lines, table.height)
    return {place: counts[place] for place in candidates.arg_true() if counts[place] < table.width}


def find_torn_rows(
    table: pl.DataFrame, numbers: pl.Series, short: Short, dialect: Dialect, *, cut: bool
) -> tuple[tuple[BrokenRow, ...], tuple[Tally, ...]]:
    """Which of the short rows were torn, and a tally of the others, whose last cells are empty.

    `cut` says that the body does not end with the end of a line.
    """
    if not short:
        return (), ()
    torn = _torn([*short.items()], (~_blank(table)).cum_sum(), table.width)
    if cut and table.height - 1 in short:
        torn.add(table.height - 1)
    rows = tuple(
        BrokenRow(
            numbers[place],
            TOO_SHORT,
            f"{short[place]} cells, {table.width} columns",
            dialect.delimiter.join(cell or "" for cell in table.row(place)[: short[place]]),
        )
        for place in sorted(torn)
    )
    ended = [place for place in short if place not in torn]
    if not ended:
        return rows, ()
    text = "{count} row(s), such as {example}, end before the last column: what they lack is empty"
    return rows, (Tally("short_rows", text, len(ended), numbers[ended[0]]),)


def _blank(table: pl.DataFrame) -> pl.Series:
    return table.select(pl.all_horizontal(pl.all().is_null())).to_series()


def _torn(short: Sequence[tuple[int, int]], filled: pl.Series, width: int) -> set[int]:
    """Neighbours that make up a whole row together, as after a line break in a cell; and rows of a single cell.

    Other short rows leave out empty cells at their end, as some spreadsheets write them. `filled` counts the rows
    that are not blank.
    """
    torn = {place for place, count in short if count == 1}
    order = filled.gather([place for place, _ in short]).to_list()
    for first, (_, count) in enumerate(short):
        total = count
        for last in range(first + 1, min(first + width, len(short))):
            if order[last] != order[last - 1] + 1 or total >= width:
                break
            total += short[last][1] - 1
            if total == width:
                torn.update(place for place, _ in short[first : last + 1])
                break
    return torn


def _counted(body: bytes, dialect: Dialect, lines: int, height: int) -> Sequence[int]:
    """The number of cells of each row below the header."""
    octets = np.frombuffer(body, np.uint8)
    ends, marks = octets == ord("\n"), octets == ord(dialect.delimiter)
    if dialect.quote.encode() in body:
        within = np.bitwise_xor.accumulate((octets == ord(dialect.quote)).view(np.uint8)).view(bool)
        ends, marks = ends & ~within, marks & ~within
    start = _after(body, lines)
    bounds = np.flatnonzero(ends[start:]) + start
    bounds = np.concatenate([[start], bounds] if body.endswith(b"\n") else [[start], bounds, [len(body)]])
    counts = np.diff(np.searchsorted(np.flatnonzero(marks), bounds)) + 1
    if len(counts) == height:
        return list(map(int, counts))
    # Quotes in the middle of cells: only a reader that follows them can tell.
    text = body[start:].decode().split("\n")
    found = [len(cells) or 1 for cells in csv.reader((f"{line}\n" for line in text), **dialect.options)]
    return (found + [1] * height)[:height]


def read_line_after(body: bytes, lines: int) -> bytes:
    """The line that comes after so many."""
    start = _after(body, lines)
    return body[start : body.find(b"\n", start) + 1 or len(body)]


def _after(body: bytes, lines: int) -> int:
    """Where the line begins that comes after so many."""
    start = 0
    for _ in range(lines):
        start = body.find(b"\n", start) + 1 or len(body)
    return start
