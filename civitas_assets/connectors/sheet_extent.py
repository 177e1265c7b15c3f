"""How far the cells of a spreadsheet reach and what it unfolds to, counted as it streams by, before it is read.

Its reader holds every cell between the first and the last one, so that two cells may be as many as a sheet can have;
and no claim of a file about its own size is believed. Of the old format xls only the bound on memory holds.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import numpy as np
import numpy.typing as npt
from defusedxml import DefusedXmlException, ElementTree

from civitas_assets.catalog.frame import Frame
from civitas_assets.connectors.archive import DAMAGED, inflated_member
from civitas_assets.connectors.extent import check_extent
from civitas_assets.errors import ReadError

_MOST_MEMBERS = 10_000
_OPEN, _BOOK, _LINKS = "content.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_LETTERS, _DIGITS = 3, 7  # of the last cell that a sheet may have, XFD1048576
# Cells that do not say where they are come after the one before.
_UNPLACED = re.compile(rb"<(?:\w+:)?c(?:/?>|\s(?![^>]*\br=\"))")
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(row|c)[\s/>]")
_OPEN_TAG = re.compile(
    rb"<(table:table|table:table-row|(?:table:|table:covered-)?table-cell)(?=[\s/>])([^>]*)>"
)
_NAME = re.compile(rb'\btable:name="([^"]*)"')
_REPEATED = re.compile(rb'\btable:number-(?:rows|columns)-repeated="(\d{1,9})"')
_FILLED = re.compile(rb"\boffice:|\bcalcext:|\btable:formula|[^/]\Z")
_ROW_HEADER, _CELLS = 0, frozenset({*range(1, 12), 62})  # records of xlsb


def check_workbook(body: bytes, sheet: str | None, most_bytes: int, frame: Frame) -> None:
    """Refuse a spreadsheet that unfolds to too much, or the one of its sheets, by default the first, that is too large.

    Raises:
        ReadError: it is, or it is no sound spreadsheet.
    """
    if not body.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            members = {member.filename: member for member in book.infolist()}
            if len(book.infolist()) > _MOST_MEMBERS:
                raise ReadError(f"has over {_MOST_MEMBERS} parts")
            wanted = _sheet_in(book, members, sheet)
        left = most_bytes
        for name, member in members.items():
            if name == wanted:
                continue
            for piece in inflated_member(body, member):
                left = _left(left, piece, most_bytes)
        if wanted:
            _check_sheet(
                wanted,
                lambda: _counted(inflated_member(body, members[wanted]), left, most_bytes),
                sheet,
                frame,
            )
    except (*DAMAGED, ElementTree.ParseError, DefusedXmlException, KeyError) as error:
        raise ReadError(f"is no sound spreadsheet: {error or type(error).__name__}") from None


def _left(left: int, piece: bytes, most: int) -> int:
    if len(piece) > left:
        raise ReadError(f"holds more than {most} bytes unpacked: raise http.max_bytes if right")
    return left - len(piece)


def _counted(pieces: Iterable[bytes], left: int, most: int) -> Iterator[bytes]:
    for piece in pieces:
        left = _left(left, piece, most)
        yield piece


def _sheet_in(book: zipfile.ZipFile, members: Iterable[str], sheet: str | None) -> str | None:
    """The part that has the cells of the sheet; None where nothing says it."""
    names = {*members}
    if _OPEN in names:
        return _OPEN
    if _BOOK in names and _LINKS in names:
        links = {
            link.get("Id"): link.get("Target", "") for link in ElementTree.fromstring(_small(book, _LINKS))
        }
        for element in ElementTree.fromstring(_small(book, _BOOK)).iter():
            if element.tag.endswith("}sheet") and sheet in {None, element.get("name")}:
                key = next((value for name, value in element.attrib.items() if name.endswith("}id")), "")
                target = links.get(key, "").lstrip("/")
                path = target if target.startswith("xl/") else f"xl/{target}"
                return path if path in names else None
        return None
    # Of xlsb: how it links its sheets is binary as well, so that the largest of them counts for each.
    binary = [member for member in book.infolist() if re.search(r"worksheets/[^/]+\.bin$", member.filename)]
    return max(binary, key=lambda member: member.compress_size).filename if binary else None


def _small(book: zipfile.ZipFile, name: str) -> bytes:
    with book.open(name) as part:
        return part.read(16 * 1024 * 1024)


def _check_sheet(name: str, pieces: Callable[[], Iterator[bytes]], sheet: str | None, frame: Frame) -> None:
    if name == _OPEN:
        rows, columns = _reach_open(_whole_tags(pieces()), sheet)
    elif name.endswith(".bin"):
        rows, columns = _reach_binary(b"".join(pieces()))
    elif _is_small(_whole_tags(pieces()), frame):
        return
    else:
        rows, columns = _reach_office(_whole_tags(pieces()))
    check_extent(frame, rows, columns, f" in sheet {sheet!r}" if sheet else "")


def _reach_office(texts: Iterable[bytes]) -> tuple[int, int]:
    """Rows and columns up to the last cell of a sheet of xlsx."""
    rows = columns = row = column = 0
    for text in texts:
        found = _references(text)
        rows, columns = max(rows, found[0]), max(columns, found[1])
        if _has_unplaced(text):
            for tag in _ROW_OR_CELL.finditer(text):
                row, column = (row + 1, 0) if tag[1] == b"row" else (row, column + 1)
                columns = max(columns, column)
            rows = max(rows, row)
    return rows, columns


def _is_small(texts: Iterable[bytes], frame: Frame) -> bool:
    """Whether the same is surely within the frame, by how many letters and digits places have: the quick way."""
    letters, digits, beyond = 1, 1, _beyond(1, 1)
    for text in texts:
        octets = np.frombuffer(text, np.uint8)
        usual = _usual_cells(octets)
        if usual is None and _UNPLACED.search(text):
            return False
        if usual is not None and (most := _most_digits(octets, usual)):
            digits = max(digits, most)
            beyond = _beyond(letters, digits)
            continue
        while longer := beyond.search(text):
            letters, digits = max(letters, len(longer[1])), max(digits, len(longer[2]))
            beyond = _beyond(letters, digits)
    columns: int = sum(26**count for count in range(1, letters + 1))
    rows: int = 10**digits - 1
    return columns <= frame.max_columns and rows * columns <= frame.max_cells


def _usual_cells(octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64] | None:
    """Where cells say their places, if all of them are written as most programs do: `<c r="`."""
    named = octets[1:] == ord("c")
    cells = np.flatnonzero(named & (octets[:-1] == ord("<")))
    if (named & (octets[:-1] == ord(":"))).any():
        return None
    for place, mark in enumerate(b' r="', 2):
        if (octets.take(cells + place, mode="clip") != mark).any():
            return None
    return cells + 6


def _most_digits(octets: npt.NDArray[np.uint8], places: npt.NDArray[np.int64]) -> int:
    """The most digits that places of one letter have; 0 where one has more letters, or is none."""
    first, second = (octets.take(places + number, mode="clip") for number in (0, 1))
    if ((first < ord("A")) | (first > ord("Z")) | (second >= ord("A"))).any():
        return 0
    for length in range(2, _DIGITS + 2):
        places = places[octets.take(places + length, mode="clip") != ord('"')]
        if not len(places):
            return length - 1
    return 0


@cache
def _beyond(letters: int, digits: int) -> re.Pattern[bytes]:
    """Places with more letters, or more digits."""
    return re.compile(rb'r="(?=[A-Z]{%d}|[A-Z]+\d{%d})([A-Z]+)(\d*)' % (letters + 1, digits + 1))


def _has_unplaced(text: bytes) -> bool:
    # Most programs write cells so; a part of a sheet that is no cell may begin alike.
    is_usual = text.count(b"<c") == text.count(b'<c r="') and b":c" not in text
    return not is_usual and _UNPLACED.search(text) is not None


def _whole_tags(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, cut between tags."""
    before = b""
    for piece in pieces:
        end = piece.rfind(b">") + 1
        if end:
            yield before + piece[:end]
            before = b""
        before += piece[end:]


def _references(text: bytes) -> tuple[int, int]:
    """The last row and the last column that cells say they are in, such as `r="AB12"`."""
    octets: npt.NDArray[np.uint8] = np.frombuffer(text + bytes(_LETTERS + _DIGITS + 1), np.uint8)
    marks = (octets[:-3] == ord("r")) & (octets[1:-2] == ord("=")) & (octets[2:-1] == ord('"'))
    at = np.flatnonzero(marks) + 3
    window = octets[at[:, None] + np.arange(_LETTERS + _DIGITS + 1)].astype(np.int64)
    letters = np.logical_and.accumulate(
        (window[:, :_LETTERS] >= ord("A")) & (window[:, :_LETTERS] <= ord("Z")), axis=1
    )
    width = letters.sum(axis=1)
    window, letters, width = window[width > 0], letters[width > 0], width[width > 0]
    if not len(width):
        return 0, 0
    column, row = np.zeros(len(width), np.int64), np.zeros(len(width), np.int64)
    for place in range(_LETTERS):
        column = np.where(letters[:, place], column * 26 + window[:, place] - ord("A") + 1, column)
    going = np.ones(len(width), bool)
    for place in range(_DIGITS + 1):
        digit = np.take_along_axis(window, np.minimum(width + place, window.shape[1] - 1)[:, None], axis=1)[
            :, 0
        ]
        going &= (digit >= ord("0")) & (digit <= ord("9"))
        row = np.where(going, row * 10 + digit - ord("0"), row)
    return int(row.max()), int(column[row > 0].max(initial=0))


def _reach_open(texts: Iterable[bytes], sheet: str | None) -> tuple[int, int]:
    """The same of a table of ods, where cells and rows that are alike stand once, with their number."""
    rows = columns = row = column = last = alike = 0
    inside = found = False
    for text in texts:
        for tag in _OPEN_TAG.finditer(text):
            name, given = tag[1], tag[2]
            repeated = int(times[1]) if (times := _REPEATED.search(given)) else 1
            if name == b"table:table":
                title = found_name[1].decode(errors="replace") if (found_name := _NAME.search(given)) else ""
                inside = not found if sheet is None else title == sheet
                found, row, last, alike = found or inside, 0, 0, 0
            elif inside and name == b"table:table-row":
                row, column, last, alike = row + alike, 0, 0, repeated
            elif inside:
                column += repeated
                if _FILLED.search(given):
                    last = column
                    rows, columns = max(rows, row + alike), max(columns, last)
    return rows, columns


def _reach_binary(records: bytes) -> tuple[int, int]:
    """The same of a sheet of xlsb, whose records have a number, a length and a content."""
    rows = columns = at = 0
    while at < len(records):
        kind, at = _number(records, at, 2)
        size, at = _number(records, at, 4)
        if kind == _ROW_HEADER and size >= 4:
            (row,) = struct.unpack_from("<L", records, at)
        elif kind in _CELLS and size >= 4:
            (column,) = struct.unpack_from("<L", records, at)
            rows, columns = max(rows, row + 1), max(columns, column + 1)
        at += size
    return rows, columns


def _number(records: bytes, at: int, most: int) -> tuple[int, int]:
    """A number of seven bits to a byte, and where it ends."""
    value = 0
    for place in range(most):
        octet = records[at]
        at += 1
        value |= (octet & 0x7F) << 7 * place
        if octet < 0x80:
            break
    return value, at
