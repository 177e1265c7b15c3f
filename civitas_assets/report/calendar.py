"""The calendar of a page: for each source and day, how much of what was expected is there, in a few steps.

Where nobody knows what is to be expected, a day with records is simply there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from civitas_assets.report.quality import Covered

Level = Literal["full", "most", "some", "there", "gap", "open", "before"]

LEVELS: tuple[Level, ...] = ("full", "most", "some", "there", "gap", "open", "before")
_FULL, _HALF = 0.95, 0.5


@dataclass(frozen=True)
class Cell:
    """A source's day: how full it is, and what exactly is there."""

    day: date
    level: Level
    covered: Covered | None


@dataclass(frozen=True)
class Strip:
    """The days of a source."""

    source: str
    cells: Sequence[Cell]

    def count(self, *levels: Level) -> int:
        """How many days are at one of these levels."""
        return sum(cell.level in levels for cell in self.cells)


def build_strips(coverage: Mapping[str, Mapping[date, Covered]], days: Sequence[date]) -> list[Strip]:
    """A strip per source that has ever brought a record of a day."""
    return [
        Strip(source, [Cell(day, _level(covered, day, days[-1]), covered.get(day)) for day in days])
        for source, covered in sorted(coverage.items())
        if covered
    ]


def _level(covered: Mapping[date, Covered], day: date, today: date) -> Level:
    found = covered.get(day)
    if found is None:
        # Today has only begun, and many publish a day when it is over.
        return "before" if day < min(covered) else "open" if day == today else "gap"
    if found.ratio is None:
        return "there"
    return "full" if found.ratio >= _FULL else "most" if found.ratio >= _HALF else "some"
