"""Bright Sky: hourly observations of the German weather service (DWD) as JSON, an alternative to the archives of `dwd`.

Records are filled up from several sources of a station; forecasts and values of other stations among them are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
from pydantic import Field

from civitas_assets.catalog import Box, Source, TimeRule, Window
from civitas_assets.catalog.window import Duration
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.mapping.paths import to_series
from civitas_assets.connectors.mapping.service_rows import build_raw_table, decode_answer, decode_each
from civitas_assets.connectors.services.service import Attribution, Root, ServiceLicence, ServiceSource, Title
from civitas_assets.errors import FetchError
from civitas_assets.records import BrokenRow, RawTable
from civitas_assets.records.raw import ROW, TIME

_SERVICE = "Bright Sky"
_SLICE_DAYS = 10
_METRES_PER_DEGREE = 111_320
# Sources that measure, the one whose description counts first; the others are forecasts.
_MEASURING = ("historical", "current", "synop")
# Members of a record by the code of what they are, in the units of `units=dwd`; solar is energy of one hour.
_QUANTITIES = {
    "temperature": ("weather.temperature", "Lufttemperatur", "Cel"),
    "dew_point": ("weather.dew_point", "Taupunkt", "Cel"),
    "relative_humidity": ("weather.relative_humidity", "Relative Feuchte", "%"),
    "pressure_msl": ("weather.pressure_msl", "Luftdruck auf Meereshöhe", "hPa"),
    "precipitation": ("weather.precipitation", "Niederschlag", "mm"),
    "wind_speed": ("weather.wind_speed", "Mittlere Windgeschwindigkeit", "km/h"),
    "wind_gust_speed": ("weather.wind_gust", "Höchste Windgeschwindigkeit", "km/h"),
    "wind_direction": ("weather.wind_direction", "Mittlere Windrichtung", "deg"),
    "solar": ("weather.global_radiation", "Globalstrahlung", "kW/m2"),
    "sunshine": ("weather.sunshine_duration", "Sonnenscheindauer", "min"),
    "cloud_cover": ("weather.cloud_cover", "Bedeckungsgrad", "%"),
    "visibility": ("weather.visibility", "Sichtweite", "m"),
}


class BrightskySource(ServiceSource):
    """Stations by their number at the weather service, such as 01766, or all in the tenant's box."""

    connector: Literal["brightsky"]
    takes_days: ClassVar[bool] = True
    title: Title = "Wetterbeobachtungen des Deutschen Wetterdienstes über Bright Sky"
    licence: ServiceLicence = "CC-BY-4.0"
    attribution: Attribution = "Deutscher Wetterdienst"
    url: Root = "https://api.brightsky.dev"
    look_back: Duration = Field("3 days", validate_default=True, description="How far each night reads back.")
    not_found: Literal["fail", "skip"] = Field("skip", description="How no station in a place is answered.")
    # Not tried, as a rule of a file is: a module that runs Polars when it is imported makes a process unfit for forks.
    time: TimeRule | None = TimeRule.model_construct(
        column="timestamp", zone="offset", stamp="interval_end", interval=timedelta(hours=1)
    )

    def selects(self, station: _Station) -> bool:
        """Whether the source of records measures, at a station that the tenant wants."""
        number = station.dwd_station_id
        return (
            number is not None
            and station.observation_type in _MEASURING
            and any(self.wants(key, station.lon, station.lat) for key in (number, number.lstrip("0")))
        )


class _Station(msgspec.Struct):
    """A source of records: a station has one for each way in which its values are published."""

    id: int
    lat: float
    lon: float
    dwd_station_id: str | None = None
    observation_type: str | None = None
    station_name: str | None = None
    height: float | None = None
    first_record: str | None = None
    last_record: str | None = None

    def ended_before(self, day: datetime) -> bool:
        try:
            return datetime.fromisoformat(self.last_record or "") < day
        except (ValueError, TypeError):
            return False


class _Record(msgspec.Struct):
    timestamp: str
    source_id: int
    fallback_source_ids: dict[str, int] | None = None


class _Listed(msgspec.Struct):
    sources: msgspec.Raw


class _Weather(msgspec.Struct):
    weather: msgspec.Raw
    sources: msgspec.Raw


class BrightskyConnector:
    """Fetches and reads Bright Sky."""

    name = "brightsky"
    source_model: type[Source] = BrightskySource

    def fetch(self, source: BrightskySource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The sources in the box or of the named stations, and the slices of the window of each station."""
        root, known, asked = source.url.rstrip("/"), set[str](), set[str]()
        spans = [part.to_instants(zone) for part in window.split(_SLICE_DAYS)]

        def weather(answer: Payload) -> Iterator[Request]:
            if answer.request.role != "sources":
                return
            for station in _read_sources(answer.body)[0]:
                number = station.dwd_station_id or ""
                known.update((number, number.lstrip("0")))
                if number in asked or not source.selects(station) or station.ended_before(spans[0][0]):
                    continue
                asked.add(number)
                for start, end in spans:
                    times = {"date": f"{start:%Y-%m-%dT%H:%MZ}", "last_date": f"{end:%Y-%m-%dT%H:%MZ}"}
                    fixed = {"tz": "Etc/UTC", "units": "dwd"}
                    query = urlencode({"dwd_station_id": number, **times, **fixed})
                    yield Request(f"{root}/weather?{query}", role="weather")

        places = [{"dwd_station_id": station.zfill(5)} for station in source.stations] or [
            _circle(source.box)
        ]
        sources = [Request(f"{root}/sources?{urlencode(place)}", role="sources") for place in places]
        fetch_all(session, sources, weather)
        source.expect(known)
        if not asked:
            raise FetchError(
                f"no station with values since {window.first} "
                f"{'is among ' + ', '.join(source.stations) if source.stations else 'lies in the bbox'}: "
                f"name stations near by, from {root}/sources with lat, lon and a larger max_dist"
            )

    def read(self, source: BrightskySource, payload: Payload) -> Iterator[RawTable]:
        """Stations, or the datastreams and values of a station's hours."""
        if payload.role == "sources":
            yield _build_stations(source, payload.body)
        else:
            yield from _read_hours(source, payload.body)


def _circle(box: Box | None) -> dict[str, str]:
    """The circle around the box, as the service can be asked for one; that around Germany without a box."""
    west, south, east, north = box or (5.8, 47.2, 15.1, 55.1)
    lat, lon = (south + north) / 2, (west + east) / 2
    width = (east - west) * math.cos(math.radians(lat))
    distance = math.ceil(math.hypot(width, north - south) / 2 * _METRES_PER_DEGREE)
    return {"lat": f"{lat:.5f}", "lon": f"{lon:.5f}", "max_dist": str(distance)}


def _read_sources(body: bytes) -> tuple[list[_Station], tuple[BrokenRow, ...]]:
    listed: _Listed = decode_answer(body, _Listed, _SERVICE)
    return decode_each(bytes(listed.sources), _Station, _SERVICE)


def _build_stations(source: BrightskySource, body: bytes) -> RawTable:
    """Each station once, as the source describes it whose description counts first."""
    found, broken = _read_sources(body)
    wanted = [station for station in found if source.selects(station)]
    wanted.sort(key=lambda station: _MEASURING.index(station.observation_type or ""), reverse=True)
    by_number = {station.dwd_station_id: station for station in wanted}
    rows = (
        {
            "station_id": number,
            "name": station.station_name,
            "lon": station.lon,
            "lat": station.lat,
            "elevation_m": station.height,
        }
        for number, station in sorted(by_number.items(), key=lambda item: item[0] or "")
    )
    table = build_raw_table("station", rows, ("station_id", "name", "lon", "lat", "elevation_m"))
    return replace(table, broken=broken)


def _read_hours(source: BrightskySource, body: bytes) -> Iterator[RawTable]:
    """Values of measuring sources; a member that a source of another station, or a forecast, has filled is left out."""
    answer: _Weather = decode_answer(body, _Weather, _SERVICE)
    listed, unreadable = decode_each(bytes(answer.sources), _Station, _SERVICE)
    by_id: dict[int, _Station] = {station.id: station for station in listed}
    texts: list[msgspec.Raw] = decode_answer(bytes(answer.weather), list[msgspec.Raw], _SERVICE)
    broken, values = [*unreadable], list[tuple[str, str, Any, int]]()
    names = dict[str, Mapping[str, object]]()
    for row, text in enumerate(texts, 1):
        record, members, fault = _read_record(text, by_id)
        if record is None:
            broken.append(BrokenRow(row, "not_an_hour", fault, bytes(text).decode(errors="replace")))
            continue
        station = by_id[record.source_id]
        if not source.selects(station):
            continue
        for name, (code, label, unit) in _QUANTITIES.items():
            value, filled_by = members.get(name), (record.fallback_source_ids or {}).get(name)
            if value is None or (filled_by is not None and not _is_own(by_id.get(filled_by), station)):
                continue
            key = f"{station.dwd_station_id}/{name}"
            values.append((key, record.timestamp, value, row))
            names[key] = {
                "datastream_id": key,
                "station_id": station.dwd_station_id,
                "name": f"{label} {station.station_name or station.dwd_station_id}",
                "observed_property": code,
                "unit": unit,
                "interval_s": 3600,
            }
    columns = ("datastream_id", "station_id", "name", "observed_property", "unit", "interval_s")
    yield build_raw_table("datastream", names.values(), columns)
    frame = pl.DataFrame(
        [
            pl.Series("datastream_id", [key for key, *_ in values], pl.String),
            pl.Series(TIME, [time for _, time, *_ in values], pl.String),
            to_series("value", [value for *_, value, _ in values]),
            pl.Series(ROW, [row for *_, row in values], pl.Int64),
        ]
    )
    yield RawTable("observation", frame, broken=tuple(broken))


def _read_record(
    text: msgspec.Raw, by_id: Mapping[int, _Station]
) -> tuple[_Record | None, Mapping[str, Any], str]:
    """The record and its members; None and why, where it is none, or is of a source that the answer does not name."""
    try:
        members: dict[str, Any] = msgspec.json.decode(text)
        record = msgspec.convert(members, _Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return None, {}, str(error)
    if record.source_id not in by_id:
        return None, {}, f"is of the source {record.source_id}, which the answer does not describe"
    return record, members, ""


def _is_own(filled_by: _Station | None, station: _Station) -> bool:
    return (
        filled_by is not None
        and filled_by.observation_type in _MEASURING
        and filled_by.dwd_station_id == station.dwd_station_id
    )
