"""Which concept of the vocabulary each column stands for, by its name and by what its values allow.

Which record type has such concepts is decided in `mapping.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from civitas_assets.propose.columns import Column
from civitas_assets.propose.vocabulary import likeness

_NUMBERS = frozenset(
    {
        *(
            "lon",
            "lat",
            "x",
            "y",
            "value",
            "free",
            "occupied",
            "capacity",
            "capacity_disabled",
            "points",
            "power_kw",
        ),
        *("vehicles_available", "docks_available"),
    }
)


def assigned(columns: Sequence[Column], wanted: Set[str]) -> dict[str, Column]:
    """Each wanted concept's column: the likeliest pairs first, each column for one, if its values allow that."""
    pairs = sorted(
        (
            (-score, number, concept, column)
            for number, column in enumerate(columns)
            for concept, score in likeness("id" if column.name == "@feature" else column.name).items()
            if concept in wanted and _possible(concept, column)
        ),
        key=lambda pair: pair[:3],
    )
    found, taken = dict[str, Column](), set[str]()
    for _, _, concept, column in pairs:
        if concept not in found and (column.name not in taken or concept == "station"):
            found[concept] = column
            taken.add(column.name)
    return found


def _possible(concept: str, column: Column) -> bool:
    written = column.written
    if concept in _NUMBERS:
        return column.is_number
    if concept in {"time", "start_at", "end_at"}:
        return written is not None and written.format != "period"
    if concept == "period":
        return written is not None and written.format == "period"
    if concept == "geometry":
        return column.is_geometry
    return bool(column.texts)


def measures(columns: Sequence[Column], concepts: Mapping[str, Column]) -> list[Column]:
    """Columns of numbers that stand for nothing else: the series of a wide table."""
    taken = {
        column.name for concept, column in concepts.items() if concept not in {"value", "free", "occupied"}
    }
    return [column for column in columns if column.is_number and column.name not in taken]
