"""How results look in the Dagster UI: tables, counts and previews as metadata.

Only values that are fit for everybody who may open the UI; never a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg

from civitas_assets.inert import escape_markdown

Metadata = dict[str, Any]
_CELL = 80


def build_table_metadata(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> dg.MetadataValue:
    """A table that reads as one in the UI."""
    if not rows:
        return dg.MetadataValue.text("no rows")
    lines = [_line(columns), f"| {' | '.join(['---'] * len(columns))} |", *(_line(row) for row in rows)]
    return dg.MetadataValue.md("\n".join(lines))


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return escape_markdown(" ".join(text[:_CELL].splitlines())).replace("|", "\\|")


def format_description(lines: Iterable[str]) -> str | None:
    """The description of a check, which the UI takes for Markdown: its lines as they are; None without any."""
    return escape_markdown("\n".join(lines)) or None
