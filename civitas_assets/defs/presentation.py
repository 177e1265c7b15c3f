"""How results look in the Dagster UI: tables, counts and previews as metadata.

Only values that are fit for everybody who may open the UI; never a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

Metadata = dict[str, Any]
_CELL = 80


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> dg.MetadataValue:
    """A table that reads as one in the UI."""
    if not rows:
        return dg.MetadataValue.text("no rows")
    lines = [_line(columns), _line(["---"] * len(columns)), *(_line(row) for row in rows)]
    return dg.MetadataValue.md("\n".join(lines))


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text[:_CELL].replace("|", "\\|").replace("\n", " ")
