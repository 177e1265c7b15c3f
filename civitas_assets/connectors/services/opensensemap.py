"""openSenseMap: senseBoxes of schools and citizens, with the history of their sensors.

Titles and units are free text of the owners; what no seed of the dbt project understands is reported there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.window import Duration
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.mapping.record_sample import require_members
from civitas_assets.connectors.mapping.service_rows import UNREADABLE, build_raw_table, decode_each
from civitas_assets.connectors.services.service import (
    Attribution,
    Root,
    ServiceLicence,
    ServiceSource,
    Title,
    read_series_values,
)
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable

_SLICE_DAYS = 5
_MOST_VALUES = 10_000  # the service cuts its answers there without a word
_LEAST_SPAN = timedelta(minutes=1)  # no box sends so much in less, so that something else must be wrong


class OpenSenseMapSource(ServiceSource):
    """Boxes by their id, or all in the tenant's box."""

    connector: Literal["opensensemap"]
    takes_days: ClassVar[bool] = True
    title: Title = "openSenseMap"
    licence: ServiceLicence = "PDDL-1.0"
    attribution: Attribution = "openSenseMap"
    url: Root = "https://api.opensensemap.org"
    look_back: Duration = Field("4 days", validate_default=True, description="How far each night reads back.")
    exposure: Literal["outdoor", "any"] = Field(
        "outdoor", description="outdoor leaves out boxes that stand inside or are carried about."
    )


class _Point(msgspec.Struct):
    coordinates: list[float | None] | None = None


class _Sensor(msgspec.Struct, rename={"id": "_id", "sensor_type": "sensorType"}):
    id: str
    title: str | None = None
    unit: str | None = None
    sensor_type: str | None = None


class _Box(msgspec.Struct, rename={"id": "_id", "place": "currentLocation"}):
    id: str
    name: str | None = None
    description: str | None = None
    exposure: str | None = None
    place: _Point | None = None
    sensors: list[_Sensor] | None = None

    def position(self) -> tuple[float | None, float | None]:
        coordinates = self.place.coordinates if self.place else None
        lon, lat, *_ = (*(coordinates or []), None, None)
        return lon, lat


class OpenSenseMapConnector:
    """Fetches and reads openSenseMap."""

    name = "opensensemap"
    source_model: type[Source] = OpenSenseMapSource

    def fetch(
        self, source: OpenSenseMapSource, window: Window, zone: ZoneInfo, session: FetchSession
    ) -> None:
        """The boxes, and the slices of the window of each of their sensors; of one that is cut, its halves."""
        root = source.url.rstrip("/")
        spans = [part.to_instants(zone) for part in window.split(_SLICE_DAYS)]

        def values(box: str, sensor: str, start: datetime, end: datetime) -> Request:
            times = f"from-date={start:%Y-%m-%dT%H:%M:%SZ}&to-date={end:%Y-%m-%dT%H:%M:%SZ}"
            url = f"{root}/boxes/{box}/data/{sensor}?{times}&format=json"
            return Request(url, role="values", variables={"datastream_id": sensor, "box": box})

        def follow(answer: Payload) -> Iterator[Request]:
            request = answer.request
            if request.role == "boxes":
                for box in _wanted(source, answer.body)[0]:
                    for sensor in box.sensors or ():
                        yield from (values(box.id, sensor.id, *span) for span in spans)
            elif (count := _count(answer.body)) >= _MOST_VALUES:
                start, end = _span(request.url)
                middle = start + timedelta(seconds=(end - start) // timedelta(seconds=2))
                if end - start <= _LEAST_SPAN:
                    raise ReadError(
                        f"has {count} values, at which the service cuts, from {start} to {end}: ask its operator"
                    )
                names = request.variables["box"], request.variables["datastream_id"]
                yield from (values(*names, *half) for half in ((start, middle), (middle, end)))

        if source.stations:
            boxes = [Request(f"{root}/boxes/{station}", role="boxes") for station in source.stations]
        else:
            box = "" if source.box is None else "&bbox=" + ",".join(f"{degrees:g}" for degrees in source.box)
            boxes = [Request(f"{root}/boxes?format=json{box}", role="boxes")]
        fetch_all(session, boxes, follow)

    def read(self, source: OpenSenseMapSource, payload: Payload) -> Iterator[RawTable]:
        """Boxes and their sensors, or the values of one sensor."""
        if payload.role != "boxes":
            start, end = _span(payload.url)
            if (
                end - start <= _LEAST_SPAN or _count(payload.body) < _MOST_VALUES
            ):  # else its halves have it all
                yield read_series_values(payload, "createdAt", "value")
            return
        boxes, broken = _wanted(source, payload.body)
        stations = build_raw_table(
            "station",
            (
                {
                    "station_id": box.id,
                    "name": box.name,
                    "description": box.description,
                    "lon": box.position()[0],
                    "lat": box.position()[1],
                }
                for box in boxes
            ),
            ("station_id", "name", "description", "lon", "lat"),
        )
        yield replace(stations, broken=broken)
        yield build_raw_table(
            "datastream",
            (
                {
                    "datastream_id": sensor.id,
                    "station_id": box.id,
                    "name": f"{sensor.title or sensor.id} {box.name or box.id}",
                    "observed_property": sensor.title,
                    "unit": sensor.unit,
                    "sensor": sensor.sensor_type,
                }
                for box in boxes
                for sensor in box.sensors or ()
            ),
            ("datastream_id", "station_id", "name", "observed_property", "unit", "sensor"),
        )


def _span(url: str) -> tuple[datetime, datetime]:
    """The time that the address of values asks for; of an address without one, a moment."""
    asked = parse_qs(urlsplit(url).query)
    moment = [datetime.min.replace(tzinfo=UTC).isoformat()]
    start, end = (datetime.fromisoformat(asked.get(name, moment)[0]) for name in ("from-date", "to-date"))
    return start, end


def _count(body: bytes) -> int:
    """How many values an answer has; what is no list, reading finds at fault."""
    try:
        return len(msgspec.json.decode(body, type=list[msgspec.Raw]))
    except UNREADABLE:
        return 0


def _wanted(source: OpenSenseMapSource, body: bytes) -> tuple[list[_Box], tuple[BrokenRow, ...]]:
    """The boxes of a list, or the one box that an id answers, and those that cannot be read."""
    listed = b"[" + body + b"]" if body.lstrip()[:1] == b"{" else body
    boxes, broken = decode_each(listed, _Box, "openSenseMap")
    place = ("currentLocation",) if source.chooses_by_place else ()
    require_members(listed, ("sensors", *place), "openSenseMap")
    sensors = [sensor for box in boxes for sensor in box.sensors or ()]
    if sensors and all(sensor.title is None for sensor in sensors):
        raise ReadError("is not what openSenseMap answers: no sensor has a title")
    wanted = [
        box
        for box in boxes
        if source.wants(box.id, *box.position())
        and (source.exposure == "any" or box.exposure in {None, "outdoor"})
    ]
    return wanted, broken
