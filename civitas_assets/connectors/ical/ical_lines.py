"""The events of a calendar as text, each by itself, so that one that cannot be read costs nothing but itself.

Lines are folded by octets, in the middle of letters, too: they are put together before anybody decodes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from civitas_assets.connectors.content.text_encoding import to_utf8
from civitas_assets.errors import ReadError

_FOLD = re.compile(rb"\r?\n[ \t]")
_BREAK = re.compile(r"\r?\n|\r")  # and nothing else that Python takes for the end of a line
_PERSONAL = re.compile(rb"(?im)^(?:ATTENDEE|ORGANIZER|CONTACT)\b[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n?")
_PROPERTY = re.compile(r'([A-Za-z0-9-]+)(?:;(?:[^":]|"[^"]*")*)?:(.*)')
_EVENT, _ZONE, _CALENDAR = "VEVENT", "VTIMEZONE", "VCALENDAR"


@dataclass(frozen=True)
class EventText:
    """An event: its number in the calendar, its lines, and its own properties by name, the last of each."""

    number: int
    lines: Sequence[str]
    properties: dict[str, str]

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is told apart by: its id, which of its occurrences it replaces, and when it begins."""
        named = (self.properties.get(name, "") for name in ("UID", "RECURRENCE-ID", "DTSTART"))
        uid, replaced, start = (text.strip() for text in named)
        return uid, replaced, start


@dataclass(frozen=True)
class CalendarText:
    """The events of a calendar, and the lines of its time zones that they need."""

    events: Sequence[EventText]
    zones: Sequence[str]

    def build_document(self, events: Sequence[EventText]) -> str:
        """A calendar of these events alone."""
        lines = [
            f"BEGIN:{_CALENDAR}", "VERSION:2.0", "PRODID:-", *self.zones,
            *(line for event in events for line in event.lines), f"END:{_CALENDAR}", "",
        ]  # fmt: skip
        return "\r\n".join(lines)


def remove_people(body: bytes) -> bytes:
    """A calendar without who organises and attends its events."""
    return _PERSONAL.sub(b"", body)


def read_calendar(body: bytes) -> CalendarText:
    """The events in a body.

    Raises:
        ReadError: it is no calendar, or was cut short.
    """
    text = to_utf8(_FOLD.sub(b"", body)).decode()
    lines = [line for line in _BREAK.split(text) if line.strip()]
    if not lines or lines[0].strip().upper() != f"BEGIN:{_CALENDAR}":
        raise ReadError("is no calendar: it does not begin with BEGIN:VCALENDAR")
    if lines[-1].strip().upper() != f"END:{_CALENDAR}":
        raise ReadError("is a calendar that was cut short: it does not end with END:VCALENDAR")
    events, zones = list[EventText](), list[str]()
    for name, block in _split_components(lines):
        if name == _EVENT:
            events.append(EventText(len(events) + 1, block, _read_properties(block)))
        elif name == _ZONE:
            zones += block
    return CalendarText(events, zones)


def _split_components(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """What the calendars hold: names and lines of their components, with what these hold."""
    held, open_ = list[str](), list[str]()
    for line in lines:
        mark, _, name = line.strip().upper().partition(":")
        if mark == "BEGIN" and (name != _CALENDAR or open_):
            open_.append(name)
        if open_:
            held.append(line)
        if mark == "END" and open_ and name == open_[-1]:
            open_.pop()
            if not open_:
                yield name, held
                held = []


def _read_properties(block: Sequence[str]) -> dict[str, str]:
    """The properties of an event itself, by name: those of its alarms are not among them."""
    found, depth = dict[str, str](), 0
    for line in block[1:-1]:
        name, value = match.groups() if (match := _PROPERTY.match(line)) else ("", "")
        depth += {"BEGIN": 1, "END": -1}.get(name.upper(), 0)
        if depth == 0:
            found[name.upper()] = value
    return found
