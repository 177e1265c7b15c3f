"""Large CSV files in portions, whose rows, numbers and notes are those of the file as a whole.

That is so where no row says anything of another one, and quotes stand where RFC 4180 has them: a look through the file
tells first. Any other file is read whole.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
import polars as pl

from civitas_assets.connectors.content.text_portions import TextFile, list_readings
from civitas_assets.connectors.files.csv_rows import Dialect
from civitas_assets.connectors.files.csv_table import HEADER_SEARCH_BYTES, CsvLayout, find_layout, read_cells
from civitas_assets.connectors.files.selected_rows import is_selected
from civitas_assets.connectors.files.table_cells import (
    Tally,
    add_address_columns,
    add_tallies,
    select_data_rows,
)
from civitas_assets.connectors.files.table_fields import build_selected_rows
from civitas_assets.connectors.files.tabular import NTH, TabularSource
from civitas_assets.connectors.mapping.by_row import has_unset_year, is_read_by_row
from civitas_assets.errors import ReadError, ReadWithdrawn
from civitas_assets.records import RawTable
from civitas_assets.spool import read_head

_LONGEST = 64 * 1024 * 1024  # bytes in which a row must end that a portion may end with
_LOOKED_AT = 1000  # lines


@dataclass(frozen=True)
class _Parted:
    """A file that can be read in portions: `head` are its lines up to the end of the header."""

    text: TextFile
    layout: CsvLayout
    head: bytes
    start: int  # bytes before the rows, in UTF-8

    def read_portions(self) -> Iterator[tuple[bytes, bool]]:
        """Whole rows, and whether they are the last ones.

        Raises:
            UnicodeError: the text is in another encoding.
            ReadWithdrawn: rows do not end where they should.
        """
        portions = _without_start(self.text.read_portions(), self.start)
        waiting = b""
        for rows in _whole_rows(portions, self.layout):
            if waiting:
                yield self.head + waiting, False
            waiting = rows
        yield self.head + waiting, True


def read_in_portions(
    source: TabularSource, file: BinaryIO, dialect: Dialect, encoding: str, address: str
) -> Iterator[RawTable] | None:
    """The tables of a file, one after the other; None where only the whole of it tells what it says."""
    if not _may_be_parted(source) or is_selected(read_head(file, 1024)):
        return None
    for text in list_readings(file, encoding):
        with suppress(UnicodeError):
            parted = _look_through(source, text, dialect)
            return None if parted is None else _read(source, parted, address)
    return None


def _may_be_parted(source: TabularSource) -> bool:
    """Whether the settings let each row stand for itself."""
    named = {native for natives in source.fields.values() for native in natives}
    return (
        source.unpivot is None
        and source.until_blank is None
        and NTH not in named
        and is_read_by_row(source.time, source.contract, source.fields)
    )


def _look_through(source: TabularSource, text: TextFile, dialect: Dialect) -> _Parted | None:
    """How the file is to be read in portions; None where it cannot be.

    Raises:
        UnicodeError: it is in another encoding.
    """
    first = b""
    for portion in text.read_portions():
        first += portion
        if len(first) >= HEADER_SEARCH_BYTES:
            break
    try:
        body, layout = find_layout(source, first, dialect)
    except ReadError:
        return None  # which is told of the whole
    start = len(first) - len(body) + _find_line(body, layout.end)
    head = body[: _find_line(body, layout.end)]
    parted = _Parted(text, layout, head, start)
    quote, rows = dialect.quote.encode(), 0
    marks = {quote, layout.dialect.delimiter.encode()}
    if head.count(quote) % 2 or not head.endswith(b"\n") or {*map(len, marks)} != {1}:
        return None
    try:
        for portion, _ in parted.read_portions():
            rows += portion.count(b"\n")
            if not _is_well_formed(portion, layout.dialect):
                return None
            # Whether it is in a time is looked for where it is at all.
            if has_unset_year(pl.Series([portion]).cast(pl.String)) and _has_unset_times(
                source, portion, layout
            ):
                return None
    except ReadWithdrawn:
        return None
    frame = source.frame
    is_small = rows <= frame.max_rows and rows * layout.width <= frame.max_cells
    return parted if is_small and layout.width <= frame.max_columns else None


def _read(source: TabularSource, parted: _Parted, address: str) -> Iterator[RawTable]:
    before, tallies = 0, tuple[Tally, ...]()
    try:
        for portion, is_last in parted.read_portions():
            cells, rows = read_cells(source, portion, parted.layout, before)
            cells = select_data_rows(source, add_address_columns(source, cells, address))
            tallies = add_tallies(tallies, cells.tallies)
            table = build_selected_rows(source, replace(cells, tallies=tallies if is_last else ()))
            yield replace(table, unknown_fields=() if before else table.unknown_fields)
            before += rows
    except ReadError as error:
        raise ReadWithdrawn(str(error)) from None


def _has_unset_times(source: TabularSource, portion: bytes, layout: CsvLayout) -> bool:
    """Whether a time may be one of a clock that was never set, of which other rows tell."""
    frame = read_cells(source, portion, layout)[0].frame
    times = source.time.written if source.time else ()
    return any(has_unset_year(frame[name]) for name in times if name in frame.columns)


def _without_start(portions: Iterable[bytes], size: int) -> Iterator[bytes]:
    for portion in portions:
        yield portion[size:]
        size = max(0, size - len(portion))


def _whole_rows(portions: Iterable[bytes], layout: CsvLayout) -> Iterator[bytes]:
    """The same bytes, each portion but the last one up to the end of a row that has all cells.

    Raises:
        ReadWithdrawn: there is none in a long time.
    """
    begun = b""
    for portion in portions:
        begun += portion
        if len(begun) > _LONGEST:
            raise ReadWithdrawn("has no whole row in a long time")
        end = _find_end(begun, layout)
        if end:
            yield begun[:end]
            begun = begun[end:]
    yield begun


def _find_end(body: bytes, layout: CsvLayout) -> int:
    """Where a row ends that has all its cells, the last such one that is followed by no blank line; 0 for none.

    Short rows tell with their neighbours whether they were torn, blank rows between them aside. The body begins with a
    row.
    """
    quote, end = layout.dialect.quote.encode(), body.rfind(b"\n") + 1
    quotes = body.count(quote, 0, end) if quote in body else 0
    for _ in range(_LOOKED_AT):
        begin = body.rfind(b"\n", 0, max(0, end - 1)) + 1
        line = body[begin:end]
        marks = line.count(quote)
        if not quotes % 2 and not marks % 2 and body[end : end + 1] not in {b"\n", b"\r", b""}:
            with suppress(csv.Error):  # a cell is longer than the library lets one be
                cells = next(csv.reader([line.decode()], **layout.dialect.options), [])
                if len(cells) == len(layout.names) and any(cells):
                    return end
        quotes, end = quotes - marks, begin
        if not end:
            break
    return 0


def _is_well_formed(body: bytes, dialect: Dialect) -> bool:
    """Whether quotes stand around whole cells, and in these are doubled (RFC 4180, section 2).

    A carriage return for itself ends a row where another one is too wide, and no row elsewhere.
    """
    if b"\r" in body and body.count(b"\r") > body.count(b"\r\n"):
        return False
    if dialect.quote.encode() not in body:
        return True
    octets = np.frombuffer(body, np.uint8)
    quotes = np.flatnonzero(octets == ord(dialect.quote))
    if len(quotes) % 2:
        return False
    padded = np.concatenate([[ord("\n")], octets, [ord("\n")]])
    before, behind = padded[quotes[::2]], padded[quotes[1::2] + 2]
    around = np.array([*map(ord, {dialect.delimiter, dialect.quote, "\n"})], np.uint8)
    return bool(np.isin(before, around).all() and np.isin(behind, [*around, ord("\r")]).all())


def _find_line(body: bytes, lines: int) -> int:
    """Where the line begins that comes after so many."""
    start = 0
    for _ in range(lines):
        start = body.find(b"\n", start) + 1 or len(body)
    return start
