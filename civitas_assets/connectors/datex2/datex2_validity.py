"""When something of DATEX II is valid: overall times, periods within them that may recur, and exceptions from them.

Times without an offset are those of the tenant's clock. What cannot be decided, such as a period that depends
on holidays, is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from civitas_assets.connectors.datex2.datex2_document import Node

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_ORDINALS = ("last", "first", "second", "third", "fourth", "fifth", "sixth")
# Parts of a period that can be evaluated; another part may narrow it in a way that is not known here.
_KNOWN = frozenset({
    "startOfPeriod", "endOfPeriod", "periodName", "recurringTimePeriodOfDay", "recurringDayWeekMonthPeriod",
})  # fmt: skip
_KNOWN_DAYS = frozenset({
    "applicableDay", "applicableMonth", "applicableInstanceOfDayWithinMonth", "applicableCalendarWeekWithinMonth",
    "applicableCalenderWeekWithinMonth",
})  # fmt: skip
_DAY = timedelta(days=1)
# Whatever recurs does so within a year; further ahead only a stated time can lie.
_HORIZON, _MOST_ANCHORS = 370, 20


class UndecidableError(Exception):
    """The specification depends on what is not known, such as holidays, or has a time that cannot be right."""


@dataclass(frozen=True)
class _Span:
    """A part of each day, from the first to the last time; one that does not end later ends on the next day."""

    first: time
    last: time
    zone: tzinfo


@dataclass(frozen=True)
class _Days:
    """Days of the calendar; what is empty is any. `instances` and `weeks` count within a month, the last one is 0."""

    weekdays: frozenset[int]
    months: frozenset[int]
    instances: frozenset[int]
    weeks: frozenset[int]

    def holds(self, day: date) -> bool:
        """Whether the day is one of them."""
        if self.weekdays and day.weekday() not in self.weekdays:
            return False
        if self.months and day.month not in self.months:
            return False
        is_last = (day + 7 * _DAY).month != day.month
        if self.instances and not {(day.day - 1) // 7 + 1, *([0] if is_last else [])} & self.instances:
            return False
        # The first week is the one that holds the first of the month, and weeks begin on Mondays.
        week = (day.day - 1 + day.replace(day=1).weekday()) // 7 + 1
        ends_month = (day + (7 - day.weekday()) * _DAY).month != day.month
        return not self.weeks or bool({week, *([0] if ends_month else [])} & self.weeks)


@dataclass(frozen=True)
class _Period:
    start: datetime | None
    end: datetime | None
    spans: tuple[_Span, ...]
    days: tuple[_Days, ...]

    def holds(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether the moment lies in it."""
        if (self.start is not None and at < self.start) or (self.end is not None and at >= self.end):
            return False
        for span in self.spans or (_Span(time.min, time.min, zone),):
            local = at.astimezone(span.zone)
            today, clock = local.date(), local.time()
            if span.last > span.first:
                if span.first <= clock < span.last and self._on(today):
                    return True
            # Over midnight: the evening of one day, and the morning after it.
            elif (clock >= span.first and self._on(today)) or (clock < span.last and self._on(today - _DAY)):
                return True
        return False

    def _on(self, day: date) -> bool:
        return not self.days or any(days.holds(day) for days in self.days)


@dataclass(frozen=True)
class Validity:
    """From when to when something is valid, within which periods, and when not."""

    start: datetime | None
    end: datetime | None
    valid: tuple[_Period, ...]
    exceptions: tuple[_Period, ...]
    zone: ZoneInfo

    def status(self, at: datetime) -> str:
        """`active` where it is valid at the moment, `planned` where it will be, else `ended`."""
        if self.end is not None and at >= self.end:
            return "ended"
        if self.start is not None and at < self.start:
            return "planned"
        if self._holds(at):
            return "active"
        return "planned" if any(self._holds(moment) for moment in self._changes(at)) else "ended"

    def _holds(self, at: datetime) -> bool:
        if (self.start is not None and at < self.start) or (self.end is not None and at >= self.end):
            return False
        if self.valid and not any(period.holds(at, self.zone) for period in self.valid):
            return False
        return not any(period.holds(at, self.zone) for period in self.exceptions)

    def _changes(self, after: datetime) -> Iterator[datetime]:
        """Moments at which it may become valid: at times that are stated, and on each day for a year from these."""
        periods = (*self.valid, *self.exceptions)
        stated = sorted({b for p in periods for b in (p.start, p.end) if b is not None and b > after})
        yield from stated
        spans = [_Span(time.min, time.min, self.zone), *(span for p in periods for span in p.spans)]
        clocks = [(clock, span.zone) for span in spans for clock in (span.first, span.last)]
        for anchor in [after, *stated][:_MOST_ANCHORS]:
            first = anchor.astimezone(self.zone).date()
            for number in range(_HORIZON):
                moments = (datetime.combine(first + number * _DAY, clock, zone) for clock, zone in clocks)
                yield from (moment for moment in moments if moment > after)
                if (
                    self.end is not None
                    and datetime.combine(first + number * _DAY, time.min, self.zone) > self.end
                ):
                    break


def read_validity(specification: Node | None, zone: ZoneInfo) -> Validity:
    """What a `validityTimeSpecification` says; none is always.

    Raises:
        UndecidableError: it depends on what is not known.
    """
    if specification is None:
        return Validity(None, None, (), (), zone)
    return Validity(
        *_between(specification, "overallStartTime", "overallEndTime", zone),
        tuple(_period(node, zone) for node in specification.all("validPeriod")),
        tuple(_period(node, zone) for node in specification.all("exceptionPeriod")),
        zone,
    )


def _period(node: Node, zone: ZoneInfo) -> _Period:
    if {child.name for child in node.children} - _KNOWN:
        raise UndecidableError
    return _Period(
        *_between(node, "startOfPeriod", "endOfPeriod", zone),
        tuple(_span(each.unwrap("com"), zone) for each in node.all("recurringTimePeriodOfDay")),
        tuple(_days(each.unwrap("com")) for each in node.all("recurringDayWeekMonthPeriod")),
    )


def _between(node: Node, first: str, last: str, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Beginning and end; where the end lies before, nobody knows which of them is wrong."""
    start, end = _moment(node.word(first), zone), _moment(node.word(last), zone)
    if start is not None and end is not None and end < start:
        raise UndecidableError
    return start, end


def _moment(written: str | None, zone: ZoneInfo) -> datetime | None:
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise UndecidableError from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _span(node: Node, zone: ZoneInfo) -> _Span:
    first, last = (node.word(name) for name in ("startTimeOfPeriod", "endTimeOfPeriod"))
    if first is None or last is None:
        raise UndecidableError
    begin, end = _clock(first), _clock(last)
    if begin.tzinfo != end.tzinfo:
        raise UndecidableError
    return _Span(begin.replace(tzinfo=None), end.replace(tzinfo=None), begin.tzinfo or zone)


def _clock(written: str) -> time:
    """A time of day; the end of the day is its beginning, as both are midnight."""
    try:
        return time.fromisoformat(
            written.replace("24:00", "00:00", 1) if written.startswith("24:00") else written
        )
    except ValueError:
        raise UndecidableError from None


def _days(node: Node) -> _Days:
    if {child.name for child in node.children} - _KNOWN_DAYS:
        raise UndecidableError
    weeks = ("applicableCalendarWeekWithinMonth", "applicableCalenderWeekWithinMonth")
    return _Days(
        _numbers(node, ("applicableDay",), _DAYS),
        frozenset(number + 1 for number in _numbers(node, ("applicableMonth",), _MONTHS)),
        _ordinals(node, ("applicableInstanceOfDayWithinMonth",)),
        _ordinals(node, weeks),
    )


def _numbers(node: Node, names: Sequence[str], known: Sequence[str]) -> frozenset[int]:
    words = [(each.word() or "").lower() for each in node.all(*names)]
    if not {*words} <= {*known}:
        raise UndecidableError
    return frozenset(known.index(word) for word in words)


def _ordinals(node: Node, names: Sequence[str]) -> frozenset[int]:
    """`firstInstance` or `firstWeek` as 1, and the last one as 0."""
    found = set[int]()
    for each in node.all(*names):
        word = (each.word() or "").lower()
        number = next((n for n, ordinal in enumerate(_ORDINALS) if word.startswith(ordinal)), None)
        if number is None:
            raise UndecidableError
        found.add(number)
    return frozenset(found)
