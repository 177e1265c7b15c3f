"""How large a table is or would become, held against what the operator lets be.

Readers ask before they make a table, because a few bytes may say that it is huge.
"""

from __future__ import annotations

from civitas_assets.catalog.frame import Frame
from civitas_assets.errors import ReadError


def check_extent(frame: Frame, rows: int, columns: int, what: str = "") -> None:
    """Refuse a table of so many rows and columns that is too large; `what` says what it is of, such as ` in sheet 'A'`.

    Raises:
        ReadError: it has more columns, or more cells, than the operator lets be.
    """
    if columns > frame.max_columns:
        raise ReadError(
            f"has {columns:,} columns{what}, and {frame.max_columns:,} are the most that CIVITAS_MAX_COLUMNS lets be"
        )
    if rows * columns > frame.max_cells:
        raise ReadError(
            f"has {rows:,} rows of {columns:,} columns{what}, which are more cells than the {frame.max_cells:,} that "
            "CIVITAS_MAX_CELLS lets be: publish it in parts"
        )
