"""What a spreadsheet says of its cells besides their text: merged ranges, formats, and from which day it counts.

Read from the XML of xlsx and ods files; older and binary formats keep it to themselves.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from civitas_assets.connectors.content.trusted_xml import XML_FAULTS, parse_xml, read_xml_events
from civitas_assets.errors import ReadError

# In Office Open XML a prefix may stand before every name.
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_MERGED_MARK, _PREFIX, _PIECE = b"mergeCell", 64, 128 * 1024
_FROM_1904 = re.compile(rb'date1904="(?:1|true)"')
_PERCENT_FORMATS, _DURATION_FORMATS = {9, 10}, {46}
_DURATION = re.compile(r"\[[hms]+\]", re.IGNORECASE)
_UNREAD = re.compile(r'"[^"]*"|\\.')  # texts in a format
_OPEN_TIME = re.compile(r"(-?)PT?(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?")
_OPEN_MARKS = (b'value-type="time"', b'value-type="percentage"', b"-spanned=")
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_MOST_ALIKE = 10_000


@dataclass(frozen=True)
class Range:
    """Merged cells: the first row and column, counted from 0, and those behind the last."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class SheetLayout:
    """What is known of a sheet; places are (row, column), counted from 0.

    `durations` and `percents` are cells that are formatted so, `written` has the text of cells that are else lost.
    """

    merged: tuple[Range, ...] = ()
    durations: frozenset[tuple[int, int]] = frozenset()
    percents: frozenset[tuple[int, int]] = frozenset()
    written: Mapping[tuple[int, int], str] = field(default_factory=dict)
    from_1904: bool = False

    def height_at(self, row: int) -> int:
        """How many rows the cells of a row take that are merged over the most."""
        return max((merged.bottom - row for merged in self.merged if merged.top == row), default=1)


def read_layout(body: bytes, sheet: str, *, merged: bool = True) -> SheetLayout:
    """The layout of a sheet; an empty one for a format that does not say.

    Without `merged`, the cells, which are most of a file, are unpacked only if styles say more of them.

    Raises:
        ReadError: the file contradicts itself.
    """
    if not body.startswith(b"PK"):
        return SheetLayout()
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            names = {*book.namelist()}
            if "content.xml" in names:
                return _open_document(book.read("content.xml"), sheet)
            if "xl/workbook.xml" in names:
                return _office(book, names, sheet, merged=merged)
    except (*XML_FAULTS, zipfile.BadZipFile) as error:
        raise ReadError(f"is no sound spreadsheet: {error}") from None
    return SheetLayout()


def _office(book: zipfile.ZipFile, names: set[str], sheet: str, *, merged: bool) -> SheetLayout:
    workbook = book.read("xl/workbook.xml")
    links = {
        link.get("Id"): link.get("Target", "")
        for link in parse_xml(book.read("xl/_rels/workbook.xml.rels"), may_have_type=True)
    }
    targets = (
        links.get(_attribute(element, "id"), "")
        for element in parse_xml(workbook, may_have_type=True).iter()
        if _local(element.tag) == "sheet" and element.get("name") == sheet
    )
    target = next(targets, "").lstrip("/")
    path = target if target.startswith("xl/") else f"xl/{target}"
    if path not in names:
        return SheetLayout()
    percents, durations = _formats(book.read("xl/styles.xml")) if "xl/styles.xml" in names else ([], [])
    cells = b""
    if percents or durations:
        cells = book.read(path)
    elif merged:
        cells = _from(book, path, _MERGED_MARK)
    ranges = tuple(
        Range(int(top) - 1, _column(left), int(bottom), _column(right) + 1)
        for left, top, right, bottom in (_MERGED.findall(cells) if _MERGED_MARK in cells else ())
    )
    return SheetLayout(
        ranges,
        frozenset(_formatted(cells, durations)),
        frozenset(_formatted(cells, percents)),
        from_1904=_FROM_1904.search(workbook) is not None,
    )


def _from(book: zipfile.ZipFile, name: str, mark: bytes) -> bytes:
    """A part from its first mark on; cells, which are most of a sheet and come before, are not held in memory."""
    before = b""
    with book.open(name) as part:
        while piece := part.read(_PIECE):
            piece = before + piece
            place = piece.find(mark)
            if place >= 0:
                return piece[max(place - _PREFIX, 0) :] + part.read()
            before = piece[-_PREFIX - len(mark) :]
    return b""


def _formats(styles: bytes) -> tuple[list[int], list[int]]:
    """The styles of cells, by number, that show per cent, and those that show durations."""
    percents, durations = {*_PERCENT_FORMATS}, {*_DURATION_FORMATS}
    found: tuple[list[int], list[int]] = ([], [])
    for element in parse_xml(styles, may_have_type=True).iter():
        if _local(element.tag) == "numFmt":
            code = _UNREAD.sub("", element.get("formatCode", ""))
            number = int(element.get("numFmtId", "0"))
            (percents.add if "%" in code else durations.add if _DURATION.search(code) else int)(number)
        elif _local(element.tag) == "cellXfs":
            for place, style in enumerate(element):
                number = int(style.get("numFmtId", "0"))
                for formats, styles_of in zip((percents, durations), found, strict=True):
                    if number in formats:
                        styles_of.append(place)
    return found


def _formatted(cells: bytes, styles: list[int]) -> Iterator[tuple[int, int]]:
    """The places of cells of these styles."""
    styles = [style for style in styles if b's="%d"' % style in cells]
    if not styles:
        return
    wanted = "|".join(map(str, styles)).encode()
    for column, row in re.findall(
        rb'<(?:\w+:)?c (?=[^>]*\bs="(?:' + wanted + rb')")[^>]*?\br="([A-Z]+)(\d+)"', cells
    ):
        yield int(row) - 1, _column(column)


def _open_document(content: bytes, sheet: str) -> SheetLayout:
    """Merged cells, and times of day and durations, which are not among the cells' texts."""
    if not any(mark in content for mark in _OPEN_MARKS):
        return SheetLayout()
    merged, percents, written = list[Range](), set[tuple[int, int]](), dict[tuple[int, int], str]()
    for row, column, cell in _open_cells(content, sheet):
        down = int(cell.get(f"{_TABLE}number-rows-spanned", "1"))
        across = int(cell.get(f"{_TABLE}number-columns-spanned", "1"))
        if down > 1 or across > 1:
            merged.append(Range(row, column, row + down, column + across))
        if cell.get(f"{_OFFICE}value-type") == "percentage":
            percents.add((row, column))
        if cell.get(f"{_OFFICE}value-type") == "time":
            written[row, column] = _open_time(cell.get(f"{_OFFICE}time-value", ""))
    return SheetLayout(tuple(merged), percents=frozenset(percents), written=written)


def _open_cells(content: bytes, sheet: str) -> Iterator[tuple[int, int, Mapping[str, str]]]:
    """Attributes of each cell with its place; cells and rows that are alike stand there once, with their number."""
    inside, row, column = False, 0, 0
    cells: list[tuple[int, Mapping[str, str]]] = []
    for event, element in read_xml_events(content, may_have_type=True):
        name = element.tag.removeprefix(_TABLE)
        if name == "table":
            inside = event == "start" and element.get(f"{_TABLE}name") == sheet
        elif inside and name == "table-row" and event == "start":
            cells, column = [], 0
        elif inside and name == "table-row":
            alike = int(element.get(f"{_TABLE}number-rows-repeated", "1"))
            for place in range(row, row + (min(alike, _MOST_ALIKE) if cells else 0)):
                yield from ((place, each, attributes) for each, attributes in cells)
            row += alike
        elif inside and name in {"table-cell", "covered-table-cell"} and event == "start":
            alike = int(element.get(f"{_TABLE}number-columns-repeated", "1"))
            if any(key.startswith(_OFFICE) or key.endswith("-spanned") for key in element.attrib):
                attributes = dict(element.attrib)
                cells.extend((column + each, attributes) for each in range(min(alike, _MOST_ALIKE)))
            column += alike
        if event == "end" and name == "table-row":
            element.clear()


def _open_time(text: str) -> str:
    match = _OPEN_TIME.fullmatch(text)
    if match is None:
        return text
    sign, *parts = match.groups()
    days, hours, minutes, seconds = (int(part or 0) for part in parts[:4])
    return format_duration((days * 24 + hours) * 3600 + minutes * 60 + seconds, negative=sign == "-")


def format_duration(seconds: int, *, negative: bool = False) -> str:
    """Hours, which may be more than a day has, minutes and seconds."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{'-' if negative else ''}{hours:02}:{minute:02}:{second:02}"


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - ord("A") + 1
    return place - 1


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _attribute(element: Any, name: str) -> str | None:
    """An attribute of a namespace that has had more than one name."""
    return next((value for key, value in element.attrib.items() if _local(key) == name), None)
