"""How results look where they are shown: tables and texts as Markdown.

Only values that are fit for everybody who may open the UI; never a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from civitas_assets.inert import escape_markdown
from civitas_assets.pipeline.results import Shown

_CELL = 80


def build_table_metadata(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Shown:
    """A table that reads as one in the UI."""
    if not rows:
        return Shown("text", "no rows")
    lines = [_line(columns), f"| {' | '.join(['---'] * len(columns))} |", *(_line(row) for row in rows)]
    return Shown("markdown", "\n".join(lines))


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return escape_markdown(" ".join(text[:_CELL].splitlines())).replace("|", "\\|")


def format_description(lines: Iterable[str]) -> str:
    """The description of a check, which the UI takes for Markdown: its lines as they are."""
    return escape_markdown("\n".join(lines))
