"""From entities of GTFS-Realtime to rows: trips and their stops with their delays, and alerts as events.

Nothing is worked out that is not told: no delay of a stop from that of the one before, and no time without a date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from civitas_assets.connectors.content.text_encoding import to_utf8
from civitas_assets.connectors.gtfs_rt.gtfs_rt_codes import (
    CAUSES,
    DUPLICATED,
    EFFECTS,
    EVENT_TYPES,
    GRAVITY,
    SEVERITIES,
    STOP_STATUS,
    TRIP_STATUS,
    Codes,
)
from civitas_assets.connectors.gtfs_rt.gtfs_rt_format import read_optional
from civitas_assets.connectors.mapping.languages import choose_language
from civitas_assets.errors import Note, ReadError
from civitas_assets.records.contract import UTC_TIME
from civitas_assets.records.raw import ROW

WHOLE_TRIP = "*"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 253_370_764_800  # seconds: the year 9999
_DELAYS: Mapping[str, pl.DataType] = {
    ROW: pl.Int64(), "trip_id": pl.String(), "service_start": UTC_TIME, "stop_call": pl.String(),
    "route_id": pl.String(), "stop_id": pl.String(), "stop_sequence": pl.Int64(),
    "status": pl.String(), "arrival_delay_s": pl.Int64(), "departure_delay_s": pl.Int64(),
    "arrival_at": UTC_TIME, "departure_at": UTC_TIME,
}  # fmt: skip
_DAY_DIGITS = 8
# What patterns cannot choose, by the code of the note that tells it.
_UNNAMED = {
    "unnamed_route": "trip(s) name no route_id: routes cannot choose them, so choose by stops alone",
    "unnamed_stop": "trip(s) have stops without stop_id, which stops cannot choose: choose by routes alone",
    "unnamed_alert": "alert(s) name neither stop nor route, and are left out: say by agencies whose are wanted",
}
_MEASURED = [*_DELAYS].index("status")  # a row that has nothing from here on says nothing
_EVENTS: Mapping[str, pl.DataType] = {
    ROW: pl.Int64(), "event_id": pl.String(), "event_type": pl.String(), "event_type_native": pl.String(),
    "title": pl.String(), "description": pl.String(), "start_at": UTC_TIME, "end_at": UTC_TIME,
    "severity": pl.String(), "severity_native": pl.String(), "website": pl.String(),
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which stops and routes are wanted, by patterns of their ids; all where there are none.

    `agencies` choose among alerts that name neither.
    """

    stops: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()

    def has_stop(self, stop: str | None) -> bool:
        """Whether the stop is wanted."""
        return not self.stops or (stop is not None and _fits(self.stops, stop))

    def has_route(self, route: str | None) -> bool:
        """Whether the route is wanted."""
        return not self.routes or (route is not None and _fits(self.routes, route))


@cache
def _fits(patterns: tuple[str, ...], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


@dataclass
class Realtime:
    """Rows of a feed as they are read from its entities, one by one; `zone` is the clock of service days.

    Ids of entities are those of their feed alone: `feed` tells apart the feeds of one source.
    """

    zone: ZoneInfo
    wanted: Wanted
    language: str
    feed: tuple[str, ...] = ()
    delays: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    codes: Codes = field(default_factory=Codes)
    unnamed: Counter[str] = field(default_factory=Counter)

    def add(self, row: int, entity: Any) -> None:
        """Take what an entity says; what has no meaning here, such as a vehicle's position, is left.

        Raises:
            ReadError: it lacks what rows need.
        """
        if read_optional(entity, "is_deleted"):
            return
        if entity.HasField("trip_update"):
            self.delays += self._list_delays(row, entity.trip_update)
        if entity.HasField("alert"):
            self._add_alert(row, self.name_alert(entity), entity.alert)

    def name_alert(self, entity: Any) -> str | None:
        """The id of the event that an alert is."""
        name = _text(entity.id)
        return name and "/".join((*self.feed, name))

    def list_names(self, entity: Any) -> tuple[str, ...]:
        """The same of an entity that cannot be read; none where its id cannot be read either."""
        with suppress(ReadError):
            return tuple(filter(None, [self.name_alert(entity)]))
        return ()

    def list_notes(self) -> tuple[Note, ...]:
        """What is to be told: codes that nobody knows, and what patterns could not choose because it is not named."""
        told = (Note(code, f"{count} {_UNNAMED[code]}") for code, count in self.unnamed.items())
        return (*self.codes.list_notes(), *told)

    def build_delays(self) -> pl.DataFrame:
        """The rows of `transit_delay`."""
        return pl.DataFrame(self.delays, schema=_DELAYS, orient="row")

    def build_events(self) -> pl.DataFrame:
        """The rows of `event`."""
        return pl.DataFrame(self.events, schema=_EVENTS, orient="row")

    def _list_delays(self, row: int, update: Any) -> list[tuple[Any, ...]]:
        """The trip as a whole, and each of its stops that is told."""
        trip, wanted = update.trip, self.wanted
        route = _text(trip.route_id)
        if not wanted.has_route(route):
            if route is None:
                self.unnamed["unnamed_route"] += 1
            return []
        calls = [call for call in update.stop_time_update if wanted.has_stop(_text(call.stop_id))]
        if wanted.stops and any(not call.stop_id for call in update.stop_time_update):
            self.unnamed["unnamed_stop"] += 1
        # A trip of which no stop is told, such as one that is cancelled, belongs to its route.
        if not calls and (update.stop_time_update or (wanted.stops and not wanted.routes)):
            return []
        number = read_optional(trip, "schedule_relationship")
        # Otherwise it would be taken for the trip that it is a copy of.
        named = update.trip_properties if number == DUPLICATED else trip
        name = _text(named.trip_id)
        if name is None:
            copied = f"the copy of {_text(trip.trip_id)}" if number == DUPLICATED else "a trip"
            raise ReadError(f"is of {copied} without trip_id")
        start = self._service_start(named)
        status = self.codes.resolve("schedule_relationship of a trip", TRIP_STATUS, number)
        late = read_optional(update, "delay")
        begun = (row, name, start)
        rows = [
            (*begun, WHOLE_TRIP, route, None, None, status, None, late, None, None),
            *((*begun, *self._list_call(route, call)) for call in calls),
        ]
        return [row for row in rows if any(value is not None for value in row[_MEASURED:])]

    def _list_call(self, route: str | None, call: Any) -> tuple[Any, ...]:
        stop, sequence = _text(call.stop_id), read_optional(call, "stop_sequence")
        if stop is None and sequence is None:
            raise ReadError("has a stop with neither stop_id nor stop_sequence")
        status = self.codes.resolve(
            "schedule_relationship of a stop", STOP_STATUS, read_optional(call, "schedule_relationship")
        )
        arrival, departure = read_optional(call, "arrival"), read_optional(call, "departure")
        name = stop if sequence is None else str(sequence)
        return (
            name, route, stop, sequence, status,
            *(event and read_optional(event, "delay") for event in (arrival, departure)),
            *(event and _instant(read_optional(event, "time")) for event in (arrival, departure)),
        )  # fmt: skip

    def _service_start(self, trip: Any) -> datetime:
        written = _text(trip.start_date)
        if written is None:
            raise ReadError("is of a trip without start_date: nobody knows its service day")
        try:
            if len(written) != _DAY_DIGITS:
                raise ValueError
            day = datetime.strptime(written, "%Y%m%d").replace(tzinfo=self.zone)
        except ValueError:
            raise ReadError(f"is of a trip whose start_date is {written}") from None
        return day.astimezone(UTC)

    def _add_alert(self, row: int, name: str | None, alert: Any) -> None:
        if not self._concerns(alert.informed_entity):
            return
        cause = self.codes.resolve("cause", CAUSES, read_optional(alert, "cause"))
        effect = self.codes.resolve("effect", EFFECTS, read_optional(alert, "effect"))
        severity = self.codes.resolve("severity_level", SEVERITIES, read_optional(alert, "severity_level"))
        starts = [_instant(read_optional(period, "start")) for period in alert.active_period]
        ends = [_instant(read_optional(period, "end")) for period in alert.active_period]
        native = "/".join(filter(None, (cause, effect))) or None
        self.events.append((
            row, name, EVENT_TYPES.get(cause or "", "traffic_other"), native,
            self._say(alert.header_text), self._say(alert.description_text),
            _all_told(min, starts), _all_told(max, ends),
            GRAVITY.get(severity or ""), severity, self._say(alert.url),
        ))  # fmt: skip

    def _concerns(self, selectors: Sequence[Any]) -> bool:
        """Whether an alert is about something that is wanted; one about nothing named is about all."""
        wanted, found = self.wanted, [*map(_selected, selectors)]
        has_patterns = bool(wanted.stops or wanted.routes)
        if any(stop or route for stop, route in found):
            return not has_patterns or any(
                (stop is not None and bool(wanted.stops) and wanted.has_stop(stop))
                or (route is not None and bool(wanted.routes) and wanted.has_route(route))
                for stop, route in found
            )
        agencies = [agency for selector in selectors if (agency := _text(selector.agency_id))]
        if agencies and wanted.agencies:
            return any(_fits(wanted.agencies, agency) for agency in agencies)
        if selectors and has_patterns:
            self.unnamed["unnamed_alert"] += 1
            return False
        return True

    def _say(self, text: Any) -> str | None:
        """The text in the language that is wanted, else in another one."""
        said = {
            (_text(each.language) or ""): _text(each.text) for each in text.translation if _text(each.text)
        }
        return said[choose_language([*said], self.language)] if said else None


def _selected(selector: Any) -> tuple[str | None, str | None]:
    trip = read_optional(selector, "trip")
    route = _text(selector.route_id) or (None if trip is None else _text(trip.route_id))
    return _text(selector.stop_id), route


def _all_told(
    choose: Callable[[list[Any]], datetime], instants: Iterable[datetime | None]
) -> datetime | None:
    """The first or last of all; none where one of them has no bound."""
    found = [*instants]
    return None if not found or None in found else choose(found)


@cache
def _decode(written: bytes) -> str | None:
    return to_utf8(written).decode().strip() or None


def _text(written: bytes) -> str | None:
    """A text; none of an empty one."""
    if written.isascii():
        return written.decode().strip() or None
    return _decode(written)


def _instant(seconds: int | None) -> datetime | None:
    """An instant; 0 stands for none, as feeds write it where they know nothing.

    Raises:
        ReadError: it lies outside of all years.
    """
    if not seconds:
        return None
    if not 0 < seconds < _LATEST:
        raise ReadError(f"has the time {seconds}, which is no second since 1970")
    return _EPOCH + timedelta(seconds=seconds)
