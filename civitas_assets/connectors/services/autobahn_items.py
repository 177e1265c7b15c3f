"""Entries of the Autobahn GmbH's service as events and charge points: kinds, times and plugs stand in lines of text.

Which roads are asked for what is in `autobahn.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from civitas_assets.connectors.mapping.service_rows import (
    build_raw_table,
    decode_answer,
    decode_each,
    parse_number,
)
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable

Row = dict[str, object]
ServiceName = Literal["roadworks", "warning", "closure", "electric_charging_station"]
SERVICE = "the Autobahn GmbH"

# Its texts have the wall time of Germany, wherever the tenant is.
_CLOCK = ZoneInfo("Europe/Berlin")
_CENTURY, _NEXT_MIDNIGHT = 100, (24, 0)
_CODES = {
    "ROADWORKS": "roadworks",
    "SHORT_TERM_ROADWORKS": "roadworks",
    "CLOSURE": "closure",
    "CLOSURE_ENTRY_EXIT": "closure",
    "WEIGHT_LIMIT_35": "traffic_other",
    "WARNING": "traffic_other",
}
_EVENT = (
    "event_id", "event_type", "event_type_native", "title", "description", "start_at", "end_at", "status",
    "place_name", "lon", "lat", "geometry",
)  # fmt: skip
_POINT = (
    "charge_point_id", "installation_id", "name", "operator", "points", "power_kw", "current_type", "plug_types",
    "postcode", "city", "lon", "lat",
)  # fmt: skip

_ROAD = re.compile(r"([AB] ?\d{1,3}\w?)\s*\|")
_ACCIDENT = re.compile(r"\W*(?:Schwerer )?(?:Unfall|Unfälle)\b")
_DAY, _TIME = r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})", r"(\d{1,2}):(\d{2})"
_MOMENT = rf"{_DAY}(?:\s+(?:um\s+)?{_TIME})?"
_BEGINS = re.compile(rf"\s*Beginn:\s*{_MOMENT}", re.IGNORECASE)
_ENDS = re.compile(rf"\s*Ende:\s*{_MOMENT}", re.IGNORECASE)
_SPAN = re.compile(
    rf"\W*{_DAY}\s+(?:um\s+|von\s+)?{_TIME}(?:\s+Uhr)?\s+bis\s+(?:zum\s+)?(?:{_DAY}\s+(?:um\s+)?)?{_TIME}"
)

_POSTCODE = re.compile(r"(\d{5})\s+(\S.*)")
_OPERATOR = re.compile(r"Ladesäulenbetreiber:\s*(\S.*)")
_NUMBERED = re.compile(r"Ladepunkt\s+(\d+):")
_POWER = re.compile(r"(\d+(?:[.,]\d+)?)\s*kW", re.IGNORECASE)


class _Item(msgspec.Struct, rename={"start": "startTimestamp", "abnormal": "abnormalTrafficType"}):
    identifier: str
    title: str | None = None
    subtitle: str | None = None
    display_type: str | None = None
    description: list[str | None] | None = None
    coordinate: dict[str, Any] | None = None
    geometry: msgspec.Raw = msgspec.Raw(b"null")
    future: bool | None = None
    start: str | None = None
    abnormal: str | None = None

    @property
    def lines(self) -> list[str]:
        return [(line or "").strip() for line in self.description or ()]

    def position(self) -> tuple[object, object]:
        """Longitude and latitude as written: numbers or texts of them, or a point of GeoJSON."""
        place = self.coordinate or {}
        if isinstance(place.get("coordinates"), list):
            first: list[object] = [*place["coordinates"], None, None]
            return first[0], first[1]
        return place.get("long"), place.get("lat")


def read_roads(body: bytes) -> list[str]:
    """The roads that the service knows, each once: its list has some a second time, with a blank.

    Raises:
        ReadError: it is no such list, or an empty one.
    """
    found = decode_answer(body, dict[str, list[str]], SERVICE).get("roads", [])
    roads = [*dict.fromkeys(road.strip() for road in found if road.strip())]
    if not roads:
        raise ReadError(f"is not what {SERVICE} answers: it has no roads")
    return roads


def read_service_table(body: bytes, service: str) -> RawTable:
    """All entries of a road's list as events, or charging stations as charge points, wherever they are.

    Raises:
        ReadError: the answer has no list of the service; one of none is a list.
    """
    answer: dict[str, msgspec.Raw] = decode_answer(body, dict[str, msgspec.Raw], SERVICE)
    if service not in answer:
        names = ", ".join(answer) or "nothing"
        raise ReadError(f"is not what {SERVICE} answers: it has no {service}, but {names}")
    items, unreadable = decode_each(bytes(answer[service]), _Item, SERVICE)
    broken, rows = [*unreadable], list[Row]()
    is_charging = service == "electric_charging_station"
    key_name = "charge_point_id" if is_charging else "event_id"
    for number, item in enumerate(items, 1):
        lon, lat = (parse_number(value) if _is_plain(value) else None for value in item.position())
        shape = bytes(item.geometry)
        made = [*_list_points(item)] if is_charging else [_build_event(item, service)]
        if (lon is None or lat is None) and shape == b"null":
            raw = msgspec.json.encode(item).decode()
            about = tuple(str(key) for row in made if (key := row[key_name]))
            broken.append(BrokenRow(number, "without_position", "nobody can say whose it is", raw, about))
            continue
        shown = {} if is_charging else {"geometry": _read_shape(shape)}
        rows += ({**row, "lon": lon, "lat": lat, **shown} for row in made)
    table = (
        build_raw_table("charge_point", rows, _POINT)
        if is_charging
        else build_raw_table("event", rows, _EVENT)
    )
    return RawTable(table.record_type, table.frame, broken=tuple(broken))


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, float, int)) and not isinstance(value, bool)


def _read_shape(shape: bytes) -> str | None:
    return None if shape == b"null" else shape.decode(errors="replace")


def _build_event(item: _Item, service: str) -> Row:
    lines = item.lines
    start, end = _find_times(lines)
    road = _ROAD.match(item.title or "")
    told = "\n".join(lines).strip()
    direction = (item.subtitle or "").strip()
    return {
        "event_id": item.identifier.strip() or None,
        "event_type": _tell_kind(item),
        "event_type_native": ": ".join(filter(None, (item.display_type, item.abnormal))) or None,
        "title": (item.title or "").strip() or None,
        "description": told or None,
        "start_at": _read_instant(item.start) or start,
        "end_at": end,
        # What is not announced may have begun or not: the service says `false` of works that are weeks ahead.
        "status": "planned" if item.future else "active" if service == "warning" else None,
        "place_name": ", ".join(filter(None, (road and road[1], direction))) or None,
    }


def _tell_kind(item: _Item) -> str | None:
    """The code of a display type; a warning may be of an accident or of a queue. None for a type that is not known."""
    if item.display_type == "WARNING":
        if any(_ACCIDENT.match(line) for line in item.lines):
            return "accident"
        if item.abnormal:
            return "congestion"
    return _CODES.get(item.display_type or "")


def _find_times(lines: Sequence[str]) -> tuple[str | None, str | None]:
    """Beginning of the first and end of the last period that has a line of its own, else those that are named so."""
    periods = [_read_period(found.groups()) for line in lines if (found := _SPAN.match(line))]
    if periods:
        return _earliest(start for start, _ in periods), _latest(end for _, end in periods)
    begins = [_wall(*found.groups()) for line in lines if (found := _BEGINS.match(line))]
    ends = [_wall(*_end_day(found.groups())) for line in lines if (found := _ENDS.match(line))]
    return _earliest(begins), _latest(ends)


def _read_period(parts: Sequence[str | None]) -> tuple[datetime | None, datetime | None]:
    """Beginning and end; an end of no day of its own is on the same one, or in the night after it."""
    day, begins, until, ends = parts[:3], parts[3:5], parts[5:8], parts[8:10]
    start, end = _wall(*day, *begins), _wall(*(until if until[0] else day), *ends)
    is_at_night = start is not None and end is not None and not until[0] and end <= start
    return start, end + timedelta(days=1) if end is not None and is_at_night else end


def _end_day(parts: Sequence[str | None]) -> Sequence[str | None]:
    """Day, month, year, hour and minute; a day without a time is over when the next one begins."""
    return parts if parts[3] else (*parts[:3], *map(str, _NEXT_MIDNIGHT))


def _earliest(times: Iterable[datetime | None]) -> str | None:
    known = [time for time in times if time]
    return min(known).isoformat() if known else None


def _latest(times: Iterable[datetime | None]) -> str | None:
    known = [time for time in times if time]
    return max(known).isoformat() if known else None


def _wall(*written: str | None) -> datetime | None:
    """The moment of a wall clock in Germany from day, month, year, hour and minute; 24:00 is the next midnight.

    None for what no calendar has.
    """
    day, month, year, hour, minute = (int(part or 0) for part in written)
    try:
        midnight = datetime(year + (2000 if year < _CENTURY else 0), month, day, tzinfo=_CLOCK)
        if (hour, minute) == _NEXT_MIDNIGHT:
            return midnight + timedelta(days=1)
        return midnight.replace(hour=hour, minute=minute)
    except (ValueError, OverflowError):
        return None


def _read_instant(written: str | None) -> str | None:
    """A time with its offset; some spell it without a colon. What is none stays, to be found at fault."""
    if not written:
        return None
    try:
        return datetime.fromisoformat(written).isoformat()
    except ValueError:
        return written


def _list_points(item: _Item) -> Iterator[Row]:
    """The points that the text numbers, or the station as a whole where it numbers none."""
    station: Row = {
        "installation_id": item.identifier.strip() or None,
        "name": (item.title or "").strip() or None,
        "operator": _find_first(_OPERATOR, item.lines, 1),
        "postcode": _find_first(_POSTCODE, item.lines, 1),
        "city": _find_first(_POSTCODE, item.lines, 2),
    }
    points = _group_points(item.lines)
    if not points:
        yield {**station, "charge_point_id": station["installation_id"], "installation_id": None}
    for number, lines in points.items():
        plugs = [plug.strip() for line in lines if not _POWER.fullmatch(line) for plug in line.split(",")]
        plugs = [*dict.fromkeys(filter(None, plugs))]
        powers = [float(found[1].replace(",", ".")) for line in lines if (found := _POWER.fullmatch(line))]
        yield {
            **station,
            "charge_point_id": f"{item.identifier.strip()}/{number}",
            "points": 1,
            "power_kw": max(powers, default=None),
            "plug_types": "; ".join(plugs) or None,
            "current_type": _tell_current(plugs),
        }


def _group_points(lines: Sequence[str]) -> Mapping[str, list[str]]:
    """The lines below each point's heading, up to the next blank one."""
    found, current = dict[str, list[str]](), None
    for line in lines:
        if heading := _NUMBERED.match(line):
            current = found.setdefault(heading[1], [])
        elif not line:
            current = None
        elif current is not None:
            current.append(line)
    return found


def _find_first(pattern: re.Pattern[str], lines: Sequence[str], group: int) -> str | None:
    return next((found[group] for line in lines if (found := pattern.match(line))), None)


def _tell_current(plugs: Sequence[str]) -> str | None:
    kinds = {plug[:2].lower() for plug in plugs} & {"ac", "dc"}
    return "_".join(sorted(kinds)) or None
