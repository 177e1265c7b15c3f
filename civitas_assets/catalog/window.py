"""Windows of days: the span of a fetch, and durations as people write them.

A day is always the calendar day in the tenant's time zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {
    "s": "seconds",
    "sec": "seconds",
    "second": "seconds",
    "seconds": "seconds",
    "min": "minutes",
    "minute": "minutes",
    "minutes": "minutes",
    "h": "hours",
    "hour": "hours",
    "hours": "hours",
    "day": "days",
    "days": "days",
    "week": "weeks",
    "weeks": "weeks",
}
_DURATION = re.compile(r"\s*(\d{1,15})\s*([a-z]+)\s*")
_LONGEST = timedelta(
    days=36_525
)  # further back than anything was measured by, and no further than calendars go


def parse_duration(text: Any) -> timedelta:
    """A positive span such as `15 min`, `1 hour` or `60 days`."""
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[2] not in _UNITS or int(match[1]) == 0:
        raise ValueError("must be a number and a unit, such as '15 min', '1 hour' or '60 days'")
    unit, number = _UNITS[match[2]], int(match[1])
    if number > _LONGEST / timedelta(**{unit: 1}):
        raise ValueError(f"is longer than {_LONGEST.days} days, the longest that there is")
    return timedelta(**{unit: number})


def _write_duration(span: timedelta) -> str:
    days, rest = divmod(int(span.total_seconds()), 86400)
    return f"{days} days" if rest == 0 else f"{int(span.total_seconds())} seconds"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(_write_duration, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\s*\d+\s*(s|sec|seconds?|min|minutes?|h|hours?|days?|weeks?)\s*$"}
    ),
]


@dataclass(frozen=True, order=True)
class Window:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"the window ends ({self.last}) before it starts ({self.first})")

    @classmethod
    def from_lookback(cls, span: timedelta, now: datetime, zone: ZoneInfo) -> Window:
        """The window that ends today, in the given zone, and reaches back as far as `span`."""
        today = now.astimezone(zone).date()
        return cls(today - timedelta(days=span.days), today)

    def list_days(self) -> Iterator[date]:
        """Every day, in order."""
        for offset in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=offset)

    def list_months(self) -> Iterator[date]:
        """The first day of every month that the window touches, in order."""
        month = self.first.replace(day=1)
        while month <= self.last:
            yield month
            month = (month + timedelta(days=32)).replace(day=1)

    def list_years(self) -> Iterator[date]:
        """The first day of every year that the window touches, in order."""
        for year in range(self.first.year, self.last.year + 1):
            yield date(year, 1, 1)

    def to_instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The instants, in UTC, from the start of the first day to before the end of the last one."""
        start = datetime.combine(self.first, time(), zone)
        end = datetime.combine(self.last + timedelta(days=1), time(), zone)
        return start.astimezone(UTC), end.astimezone(UTC)

    def split(self, days: int) -> Iterator[Window]:
        """The window cut at fixed calendar positions into slices of so many days, which recur from night to night.

        A window that fits into one slice is one, less than twice as long as the window: what a night asks for grows
        neither with the slices that suit a first load, nor where it reaches across a fixed position.
        """
        asked = (self.last - self.first).days + 1
        step = min(asked, days - asked + 1) if asked <= days else days
        length = asked + step - 1 if asked <= days else days
        start = self.first - timedelta(days=self.first.toordinal() % step)
        while start <= self.last:
            yield Window(start, start + timedelta(days=length - 1))
            start += timedelta(days=length)
