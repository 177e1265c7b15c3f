"""sensor.community (formerly luftdaten.info): citizens' sensors, their values of the last five minutes.

The service keeps nothing longer, so a history grows only with every fetch; positions are rounded by the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.mapping.record_sample import require_members
from civitas_assets.connectors.mapping.service_rows import build_raw_table, decode_each
from civitas_assets.connectors.services.service import Attribution, Root, ServiceLicence, ServiceSource, Title
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import RawTable
from civitas_assets.records.raw import INTERVAL

# The service sends no units; these are the ones that it documents.
_UNITS = {
    "P0": "ug/m3",
    "P1": "ug/m3",
    "P2": "ug/m3",
    "P4": "ug/m3",
    "temperature": "Cel",
    "humidity": "%",
    "pressure": "Pa",
    "pressure_at_sealevel": "Pa",
    "noise_LAeq": "dB[A]",
    "noise_LA_max": "dB[A]",
}


class SensorCommunitySource(ServiceSource):
    """Outdoor sensors by their number, or all in the tenant's box."""

    connector: Literal["sensor_community"]
    title: Title = "sensor.community"
    licence: ServiceLicence = "ODbL-1.0"
    attribution: Attribution = "sensor.community contributors"
    url: Root = "https://data.sensor.community/airrohr/v1"


class _Kind(msgspec.Struct):
    name: str = ""


class _Sensor(msgspec.Struct):
    id: int
    sensor_type: _Kind | None = None

    @property
    def kind(self) -> str:
        """The name of its type."""
        return (self.sensor_type and self.sensor_type.name) or ""


class _Location(msgspec.Struct):
    id: int
    longitude: str | float | None = None
    latitude: str | float | None = None
    altitude: str | float | None = None
    indoor: int | str | None = None

    def is_outside(self) -> bool:
        """Whether it does not say that it is inside."""
        return str(self.indoor or 0) in {"0", "False", "false"}


class _Value(msgspec.Struct):
    value_type: str
    value: str | float | None = None


class _Reading(msgspec.Struct):
    timestamp: str
    sensor: _Sensor
    location: _Location
    sensordatavalues: list[_Value] | None = None

    def at(self) -> str:
        """When it was measured: the service means UTC and does not say so."""
        time = self.timestamp.strip().replace(" ", "T")
        return time if time.endswith("Z") or "+" in time else f"{time}Z"


class SensorCommunityConnector:
    """Fetches and reads sensor.community."""

    name = "sensor_community"
    source_model: type[Source] = SensorCommunitySource

    def fetch(
        self, source: SensorCommunitySource, window: Window, zone: ZoneInfo, session: FetchSession
    ) -> None:
        """One request for the box, or one for every sensor; the window does not matter to a service without history."""
        root = source.url.rstrip("/")
        if source.stations:
            addresses = [f"{root}/sensor/{station}/" for station in source.stations]
        elif source.box is not None:
            west, south, east, north = source.box
            addresses = [f"{root}/filter/box={south},{west},{north},{east}"]
        else:
            raise FetchError("neither stations nor a bounding box say what to ask for")
        silent = [
            answer.request.url for answer in session.crawl(map(Request, addresses)) if _is_empty(answer)
        ]
        if silent:
            session.note(
                "no_values_now",
                f"{len(silent):,} answer(s) are empty, because no sensor has sent anything for five minutes, or there "
                f"is none ({silent[0]})",
            )

    def read(self, source: SensorCommunitySource, payload: Payload) -> Iterator[RawTable]:
        """Locations as stations, a datastream for every quantity of a sensor, and the values."""
        found, broken = decode_each(payload.body, _Reading, "sensor.community")
        require_members(payload.body, ("sensordatavalues",), "sensor.community")
        values = [value for reading in found for value in reading.sensordatavalues or ()]
        if values and all(value.value is None for value in values):
            raise ReadError("is not what sensor.community answers: none of its values has a value")
        readings = [reading for reading in found if reading.location.is_outside()]
        places = {reading.location.id: reading.location for reading in readings}
        yield build_raw_table(
            "station",
            (
                {
                    "station_id": str(place.id),
                    "name": f"sensor.community {place.id}",
                    "lon": place.longitude,
                    "lat": place.latitude,
                    "elevation_m": place.altitude,
                }
                for place in places.values()
            ),
            ("station_id", "name", "lon", "lat", "elevation_m"),
        )
        series = {
            _key(reading, value): {
                "datastream_id": _key(reading, value),
                "station_id": str(reading.location.id),
                "name": f"{value.value_type} {reading.sensor.kind}".strip(),
                "observed_property": value.value_type,
                "unit": _UNITS.get(value.value_type),
                "sensor": reading.sensor.kind or None,
            }
            for reading in readings
            for value in reading.sensordatavalues or ()
        }
        yield build_raw_table(
            "datastream",
            series.values(),
            ("datastream_id", "station_id", "name", "observed_property", "unit", "sensor"),
        )
        observed = build_raw_table(
            "observation",
            (
                {
                    "datastream_id": _key(reading, value),
                    INTERVAL: reading.at(),
                    "@result": None if value.value is None else str(value.value),
                }
                for reading in readings
                for value in reading.sensordatavalues or ()
            ),
            ("datastream_id", INTERVAL, "@result"),
        )
        yield replace(observed, broken=broken)


def _is_empty(answer: Payload) -> bool:
    return answer.found and answer.body.strip() in {b"", b"[]"}


def _key(reading: _Reading, value: _Value) -> str:
    return f"{reading.sensor.id}/{value.value_type}"
