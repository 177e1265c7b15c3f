"""When an NGSI entity was as it says, in every way that brokers and publishers write it.

Times are ISO 8601 with an offset, as an instant or as start/end; those without an offset are UTC, as NGSI asks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from civitas_assets.connectors.ngsi.ngsi_attributes import Instance

# When an entity was observed, where its attributes do not say it.
OBSERVED = ("dateObserved", "TimeInstant", "timeInstant", "observationDateTime", "observedAt", "timestamp")
_CHANGED = ("occupancyModified", "observationDateTime", "observationDate", *OBSERVED)
_MODIFIED = ("dateModified", "modifiedAt")
_OWN = ("observedAt", "TimeInstant", "timestamp", "dateObserved")
_NO_OFFSET = re.compile(r"\d[T ]\d\d[\d:.]*$")
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def read_time(written: Any) -> str | None:
    """A time as written, with its offset; None for nothing. A span may have a duration in place of one of its ends."""
    if isinstance(written, list) and len(written) == 1:
        (written,) = written
    if not isinstance(written, str):
        return None
    if written[-1:] == "Z" and "/" not in written:
        return written.strip()
    parts = [part.strip() for part in written.split("/")]
    ends = [f"{part}Z" if _NO_OFFSET.search(part) else part for part in parts if part not in {"", ".."}]
    if len(ends) == 2 and (spans := [*map(_duration, ends)]) != [None, None]:
        return _completed(ends, spans)
    return "/".join(ends) or None


def read_own_time(instance: Instance) -> str | None:
    """When the instance of an attribute was observed, as it says itself."""
    if usual := _usual_time(instance):
        return usual
    return next((moment for name in _OWN if (moment := read_time(instance.find(name)))), None)


def read_observed_time(instance: Instance, span: str | None) -> str | None:
    """When a value was observed: at its own time, else when its entity was.

    An own time that is the start or the end of the entity's span says less than the span.
    """
    own = read_own_time(instance)
    if own is None or span is None or "/" not in span:
        return own or span
    return span if _instant(own) in {*map(_instant, span.split("/"))} else own


def read_entity_span(value: Callable[[str], Any]) -> str | None:
    """When an entity was observed, by what the function says of its attributes."""
    first, last = (read_time(value(f"dateObserved{end}")) for end in ("From", "To"))
    if first:
        return f"{first}/{last}" if last else first
    return next((moment for name in OBSERVED if (moment := read_time(value(name)))), None) or last


def read_state_time(instances: Iterable[Instance], value: Callable[[str], Any]) -> str | None:
    """When a state held: the first time that one of its attributes has, else that of its entity.

    What holds for a span is known at its end. When something was modified counts where nobody says when it was
    observed.
    """
    found, others = list[Instance](), iter(instances)
    for instance in others:
        found.append(instance)
        if usual := _usual_time(instance):
            return usual
        if instance.members.get("observedAt") is not None or "metadata" in instance.members:
            break
    found += others
    own = (read_time(instance.find(name)) for name in _OWN for instance in found)
    whole = (read_time(value(name)) for name in _CHANGED)
    stored = (read_time(instance.find(name)) for name in ("modifiedAt", "dateModified") for instance in found)
    modified = (read_time(value(name)) for name in _MODIFIED)
    moments = (moment for times in (own, whole, stored, modified) for moment in times)
    known = next((moment for moment in moments if moment), None)
    return known and known.rpartition("/")[2]


def parse_instant(text: Any) -> datetime | None:
    """The instant in UTC; None where the text is none."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC) if moment else None
    except (ValueError, OverflowError):
        return None


def _usual_time(instance: Instance) -> str | None:
    """The time of nearly all instances, without a look at the others: an `observedAt` that is an instant in UTC."""
    given = instance.members.get("observedAt")
    return given.strip() if isinstance(given, str) and given[-1:] == "Z" and "/" not in given else None


def read_usual_times(contents: Sequence[Any]) -> list[str] | None:
    """The times of attributes that say all in UTC when they were observed; None where one says it otherwise."""
    if {*map(type, contents)} != {dict}:
        return None
    given = [content.get("observedAt") for content in contents]
    is_usual = all(isinstance(time, str) and time[-1:] == "Z" and "/" not in time for time in given)
    return [time.strip() for time in given] if is_usual else None


def _instant(text: str) -> datetime | str:
    return parse_instant(text) or text


def _duration(text: str) -> timedelta | None:
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _completed(ends: list[str], spans: list[timedelta | None]) -> str:
    """Start and end of a span of which one is a duration; as written where that gives none."""
    (first, last), (before, after) = ends, spans
    try:
        if after is not None and (start := parse_instant(first)):
            return f"{first}/{(start + after).isoformat()}"
        if before is not None and (end := parse_instant(last)):
            return f"{(end - before).isoformat()}/{last}"
    except OverflowError:
        pass
    return "/".join(ends)
