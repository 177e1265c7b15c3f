"""sensor.community (formerly luftdaten.info): citizens' sensors, their values of the last five minutes.

The service keeps nothing longer, so a history grows only with every fetch; positions are rounded by the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import Payload, Request, Session
from civitas_assets.connectors.rows import decoded, number, table
from civitas_assets.connectors.service import (
    Attribution,
    Root,
    ServiceLicence,
    ServiceSource,
    Title,
)
from civitas_assets.errors import FetchError
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
    sensor_type: _Kind = msgspec.field(default_factory=_Kind)


class _Location(msgspec.Struct):
    id: int
    longitude: str | float | None = None
    latitude: str | float | None = None
    altitude: str | float | None = None
    indoor: int = 0


class _Value(msgspec.Struct):
    value_type: str
    value: str | float | None = None


class _Reading(msgspec.Struct):
    timestamp: str
    sensor: _Sensor
    location: _Location
    sensordatavalues: list[_Value] = []


class SensorCommunityConnector:
    """Fetches and reads sensor.community."""

    name = "sensor_community"
    source_model: type[Source] = SensorCommunitySource

    def fetch(self, source: SensorCommunitySource, window: Window, zone: ZoneInfo, session: Session) -> None:
        """One request for the box, or one for every sensor; the window does not matter to a service without history."""
        root = source.url.rstrip("/")
        if source.stations:
            addresses = [f"{root}/sensor/{station}/" for station in source.stations]
        elif source.box is not None:
            west, south, east, north = source.box
            addresses = [f"{root}/filter/box={south},{west},{north},{east}"]
        else:
            raise FetchError("neither stations nor a bounding box say what to ask for")
        for _ in session.crawl([Request(address) for address in addresses]):
            pass

    def read(self, source: SensorCommunitySource, payload: Payload) -> Iterator[RawTable]:
        """Locations as stations, a datastream for every quantity of a sensor, and the values."""
        readings = [
            r for r in decoded(payload.body, list[_Reading], "sensor.community") if not r.location.indoor
        ]
        places = {reading.location.id: reading.location for reading in readings}
        yield table(
            "station",
            (
                {
                    "station_id": str(place.id),
                    "name": f"sensor.community {place.id}",
                    "lon": number(place.longitude),
                    "lat": number(place.latitude),
                    "elevation_m": number(place.altitude),
                }
                for place in places.values()
            ),
            ("station_id", "name", "lon", "lat", "elevation_m"),
        )
        series = {
            _key(reading, value): {
                "datastream_id": _key(reading, value),
                "station_id": str(reading.location.id),
                "name": f"{value.value_type} {reading.sensor.sensor_type.name}".strip(),
                "observed_property": value.value_type,
                "unit": _UNITS.get(value.value_type),
                "sensor": reading.sensor.sensor_type.name or None,
            }
            for reading in readings
            for value in reading.sensordatavalues
        }
        yield table(
            "datastream",
            series.values(),
            ("datastream_id", "station_id", "name", "observed_property", "unit", "sensor"),
        )
        yield table(
            "observation",
            (
                {
                    "datastream_id": _key(reading, value),
                    # The service means UTC and does not say so.
                    INTERVAL: f"{reading.timestamp.replace(' ', 'T')}Z",
                    "@result": None if value.value is None else str(value.value),
                }
                for reading in readings
                for value in reading.sensordatavalues
            ),
            ("datastream_id", INTERVAL, "@result"),
        )


def _key(reading: _Reading, value: _Value) -> str:
    return f"{reading.sensor.id}/{value.value_type}"
