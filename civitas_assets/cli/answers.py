"""Answers of queries as they are printed: in a box like that of DuckDB's command line, as CSV, JSON or line by line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells, set_cell_size

from civitas_assets.inert import escape_control_characters, escape_json

if TYPE_CHECKING:
    from civitas_assets.publish.query import QueryResult

_NARROWEST = 12  # to which the widest cells are cut before columns are left out
_CUT = "…"
_Row = Sequence[str]


def format_box(answer: QueryResult, width: int) -> Iterator[str]:
    """Lines of a box, at most so wide: names over types over rows, and how many rows and columns there are.

    Where that is too narrow, long cells are cut; where that is not enough, columns in the middle become one of dots.
    """
    types = [kind.lower() for kind in answer.types]
    rows = [[_one_line(format_value(cell)) for cell in row] for row in answer.rows]
    names = [_one_line(name) for name in answer.columns]
    count = _count(len(rows), "row", more=answer.more)
    if not names:
        return
    table = [names, types, *rows]
    widths = _fitting([max(cell_len(row[at]) for row in table) for at in range(len(names))], width)
    kept = _kept(widths, width)
    shown = [at for at in kept if at is not None]
    sizes = [1 if at is None else widths[at] for at in kept]
    numeric = [at is not None and answer.numeric[at] for at in kept]
    is_counted = len(rows) > 1 or len(shown) < len(names) or answer.more
    inner = sum(sizes) + 3 * len(sizes) - 3
    if is_counted and 0 < (lacking := cell_len(count) - inner) <= width - inner - 4:
        sizes[-1], inner = sizes[-1] + lacking, inner + lacking

    def line(row: _Row, *, centred: bool = False) -> str:
        cells = [
            _fitted(_CUT if at is None else row[at], size, right=right and not centred, centred=centred)
            for at, size, right in zip(kept, sizes, numeric, strict=True)
        ]
        return f"│ {' │ '.join(cells)} │"

    def rule(left: str, between: str, right: str) -> str:
        return left + between.join("─" * (size + 2) for size in sizes) + right

    yield rule("┌", "┬", "┐")
    yield line(names, centred=True)
    yield line(types, centred=True)
    yield rule("├", "┼", "┤")
    yield from map(line, rows)
    columns = _count(len(names), "column") + ("" if len(shown) == len(names) else f" ({len(shown)} shown)")
    if not is_counted:
        yield rule("└", "┴", "┘")
        return
    yield rule("├", "┴", "┤")
    if cell_len(count) + cell_len(columns) + 2 <= inner:
        yield f"│ {count}{' ' * (inner - cell_len(count) - cell_len(columns))}{columns} │"
    else:  # what is there to be seen needs no number
        for said in (count, columns) if len(shown) < len(names) else (count,):
            yield from (f"│ {set_cell_size(part, inner)} │" for part in chop_cells(said, inner))
    yield f"└{'─' * (inner + 2)}┘"


def format_lines(answer: QueryResult) -> Iterator[str]:
    """A line per cell, `name = value`, and an empty line after each row."""
    names = [_one_line(name) for name in answer.columns]
    widest = max(map(cell_len, names), default=0)
    for row in answer.rows:
        for name, cell in zip(names, row, strict=True):
            yield f"{' ' * (widest - cell_len(name))}{name} = {escape_control_characters(format_value(cell))}"
        yield ""


def format_csv(answer: QueryResult) -> Iterator[str]:
    """RFC 4180, with the names of columns; null is empty."""
    for row in (answer.columns, *answer.rows):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(
            ["" if c is None else escape_control_characters(format_value(c)) for c in row]
        )
        yield text.getvalue()


def format_json(answer: QueryResult) -> Iterator[str]:
    """An array with an object per row and line; of columns of the same name, later ones are numbered."""
    names: list[str] = []
    for name in answer.columns:
        same = sum(other == name or other.startswith(f"{name}:") for other in names)
        names.append(f"{name}:{same}" if same else name)
    rows = [
        escape_json(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=format_value))
        for row in answer.rows
    ]
    yield "[" + ",\n".join(rows) + "]"


def format_value(value: object) -> str:  # noqa: PLR0911 - a line per kind of value
    """A value as DuckDB writes it."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).lower()
        case bytes() | memoryview():
            return "\\x" + bytes(value).hex().upper()
        case datetime():
            return str(value).removesuffix(":00") if value.tzinfo else str(value)
        case Decimal() | date():
            return str(value)
        case dict():
            return "{" + ", ".join(f"'{key}': {format_value(part)}" for key, part in value.items()) + "}"
        case list() | tuple():
            return f"[{', '.join(map(format_value, value))}]"
        case _:
            return str(value)


def _one_line(text: str) -> str:
    return escape_control_characters(text).replace("\n", "\\n").replace("\t", "\\t")


def _count(number: int, thing: str, *, more: bool = False) -> str:
    said = f"{number:,} {thing}{'' if number == 1 else 's'}"
    return f"first {said}, there are more: see --limit" if more else said


def _fitting(widths: Sequence[int], room: int) -> list[int]:
    """Widths of columns with the widest made smaller, as far as that may help."""
    made = list(widths)
    while sum(made) + 3 * len(made) + 1 > room and max(made) > _NARROWEST:
        widest = max(made)
        below = max((width for width in made if width < widest), default=_NARROWEST)
        over = sum(made) + 3 * len(made) + 1 - room
        many = made.count(widest)
        target = max(below, _NARROWEST, widest - -(-over // many))
        made = [min(width, target) for width in made]
    return made


def _kept(widths: Sequence[int], room: int) -> list[int | None]:
    """The columns that have room, from both ends; None stands for those that are left out between them."""
    if sum(widths) + 3 * len(widths) + 1 <= room:
        return [*range(len(widths))]
    left: list[int] = []
    right: list[int] = []
    used, first, last = 5, 0, len(widths) - 1  # borders, and the column of dots
    while first <= last:
        at = first if len(left) <= len(right) else last
        used += widths[at] + 3
        if used > room and left:
            break
        if at == first:
            left.append(at)
            first += 1
        else:
            right.append(at)
            last -= 1
    return [*left, None, *reversed(right)]


def _fitted(text: str, size: int, *, right: bool, centred: bool) -> str:
    if cell_len(text) > size:
        return set_cell_size(text, size - 1) + _CUT
    room = size - cell_len(text)
    before = room // 2 if centred else room if right else 0
    return " " * before + text + " " * (room - before)
