"""From the events of a calendar to their occurrences in a span of days, with beginnings and ends as instants.

Recurrences are expanded in the zone that an event names, floating ones in the tenant's; how long an occurrence lasts is
counted in UTC, because an hour is an hour also in the night in which clocks change.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from civitas_assets.connectors.ical.ical_lines import CalendarText, EventText
from civitas_assets.records import BrokenRow

MOST_OCCURRENCES = 10_000  # of one event: what is held more often is no date of a calendar
_TOO_OFTEN = re.compile(r"(?im)^RRULE\b[^\r\n]*FREQ=(?:SECONDLY|MINUTELY)")
_STATUS = {"CONFIRMED": "planned", "TENTATIVE": "planned", "CANCELLED": "cancelled"}
# What the libraries raise for a property that is none.
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError, RecursionError)


@dataclass(frozen=True)
class Span:
    """Days that are looked at, and the clock of what names none."""

    first: date
    last: date
    zone: ZoneInfo

    def to_instant(self, when: date | datetime) -> datetime:
        """The instant of a date or a time; a floating time, and the midnight of a date, are of the tenant's clock."""
        if not isinstance(when, datetime):
            when = datetime.combine(when, time())
        return (when if when.tzinfo is not None else when.replace(tzinfo=self.zone)).astimezone(UTC)


def list_occurrences(
    calendar: CalendarText, span: Span, broken: list[BrokenRow]
) -> Iterator[Mapping[str, object]]:
    """The occurrences in the span, as fields of `event`, in the order of the calendar's events."""
    for events, is_alone in _group_series(calendar.events):
        try:
            found = [*_expand(calendar, events, span, is_alone=is_alone)]
        except _UNREADABLE as error:
            first, why = events[0], str(error) or type(error).__name__
            broken.append(BrokenRow(first.number, "unreadable_event", why, "\n".join(first.lines)))
        else:
            yield from found


def _group_series(events: Sequence[EventText]) -> Iterator[tuple[list[EventText], bool]]:
    """Events with what replaces single occurrences of them, and whether they alone have their id.

    Of several versions of one the last one counts. Some publishers give all their events one id, or none.
    """
    latest = {event.key if event.key[0] else event.number: event for event in events}
    series = dict[str, list[EventText]]()
    for event in latest.values():
        series.setdefault(event.key[0], []).append(event)
    for uid, members in series.items():
        if uid and sum(not event.key[1] for event in members) <= 1:
            yield members, True
        else:
            yield from (([event], False) for event in members)


def _expand(
    calendar: CalendarText, events: Sequence[EventText], span: Span, *, is_alone: bool
) -> Iterator[Mapping[str, object]]:
    from icalendar import Calendar  # noqa: PLC0415 - both are slow to load, and no other connector needs them
    from recurring_ical_events import of  # noqa: PLC0415

    text = calendar.build_document(events)
    if _TOO_OFTEN.search(text):
        raise ValueError("recurs by the minute or the second")
    document: Any = Calendar.from_ical(text)
    written = {_id_of_replaced(component): component for component in document.walk("VEVENT")}
    has_many = any(
        name in event.properties for event in events for name in ("RRULE", "RDATE", "RECURRENCE-ID")
    )
    occurrences = of(document).between(
        datetime.combine(span.first, time(), span.zone), datetime.combine(span.last, time.max, span.zone)
    )
    found = [*itertools.islice(occurrences, MOST_OCCURRENCES + 1)]
    if len(found) > MOST_OCCURRENCES:
        raise ValueError(f"occurs more than {MOST_OCCURRENCES:,} times")
    for occurrence in found:
        own = written.get(_id_of_replaced(occurrence)) or written.get("") or occurrence
        start = span.to_instant(occurrence.start)
        yield {
            "event_id": _identify(events[0], occurrence, span, is_one=is_alone and not has_many),
            "event_type_native": _join(occurrence.get("CATEGORIES")),
            "title": _text(occurrence, "SUMMARY"),
            "description": _text(occurrence, "DESCRIPTION"),
            "start_at": start.isoformat(),
            "end_at": _find_end(own, occurrence, start, span).isoformat(),
            "status": _STATUS.get(status.upper()) if (status := _text(occurrence, "STATUS")) else "planned",
            "status_native": status,
            "place_name": _text(occurrence, "LOCATION"),
            "website": _text(occurrence, "URL"),
            "changed_at": _find_changed(occurrence, span),
            "lon": _place(occurrence, 1),
            "lat": _place(occurrence, 0),
        }


def _id_of_replaced(component: Any) -> str:
    """Which occurrence of its series a component is or replaces; empty for the series itself."""
    replaced = component.get("RECURRENCE-ID")
    return "" if replaced is None else str(replaced.dt.isoformat())


def _identify(event: EventText, occurrence: Any, span: Span, *, is_one: bool) -> str:
    """UID, and of what recurs the time that an occurrence has by its rule, in UTC, wherever it was moved since."""
    uid, by_rule = event.key[0], occurrence["RECURRENCE-ID"].dt
    if is_one:
        return uid
    is_time = isinstance(by_rule, datetime)
    when = span.to_instant(by_rule).strftime("%Y%m%dT%H%M%SZ") if is_time else f"{by_rule:%Y%m%d}"
    return f"{uid or _text(occurrence, 'SUMMARY') or ''}|{when}"


def _find_end(own: Any, occurrence: Any, start: datetime, span: Span) -> datetime:
    """When it ends: dates by the calendar, hours in UTC."""
    begins, ends, lasts = own.get("DTSTART"), own.get("DTEND"), own.get("DURATION")
    if not isinstance(occurrence.start, datetime):
        return span.to_instant(occurrence.end)
    if ends is not None:
        return start + (span.to_instant(ends.dt) - span.to_instant(begins.dt))
    if lasts is None:
        return start
    whole = timedelta(days=lasts.dt.days) if re.search(r"[DW]", lasts.to_ical().decode()) else timedelta()
    exact: timedelta = lasts.dt - whole
    return span.to_instant(occurrence.start + whole) + exact


def _find_changed(occurrence: Any, span: Span) -> str | None:
    changed = occurrence.get("LAST-MODIFIED")
    return None if changed is None else span.to_instant(changed.dt).isoformat()


def _text(component: Any, name: str) -> str | None:
    value: Any = component.get(name)
    return (
        (str(value[0] if isinstance(value, list) else value).strip() or None) if value is not None else None
    )


def _join(categories: Any) -> str | None:
    if categories is None:
        return None
    listed = categories if isinstance(categories, list) else [categories]
    return ", ".join(str(name) for part in listed for name in part.cats) or None


def _place(component: Any, part: int) -> float | None:
    place: Any = component.get("GEO")
    return None if place is None else float((place.latitude, place.longitude)[part])
