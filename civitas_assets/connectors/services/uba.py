"""Air data of the German Environment Agency (Umweltbundesamt): hourly means of the official stations, version 3.

Times are UTC+1 all year, and midnight may be written 24:00; values of the last weeks are provisional.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
from pydantic import Field

from civitas_assets.catalog import HttpPolicy, Source, TimeRule, Window
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.mapping.paths import to_series
from civitas_assets.connectors.mapping.service_rows import build_raw_table, decode_answer, parse_number
from civitas_assets.connectors.services.service import Attribution, Root, ServiceLicence, ServiceSource, Title
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable
from civitas_assets.records.raw import TIME

_SLICE_DAYS = 7
_HOURLY_MEAN = "2"
# Numbers of the service's own list of components; its units are the same for all stations.
_COMPONENTS = {
    "PM10": ("1", "ug/m3"),
    "CO": ("2", "mg/m3"),
    "O3": ("3", "ug/m3"),
    "SO2": ("4", "ug/m3"),
    "NO2": ("5", "ug/m3"),
    "PM2.5": ("9", "ug/m3"),
}
Component = Literal["PM10", "CO", "O3", "SO2", "NO2", "PM2.5"]


class UbaSource(ServiceSource):
    """Stations by their number or code, such as DENW095, or all in the tenant's box."""

    connector: Literal["uba"]
    takes_days: ClassVar[bool] = True
    title: Title = "Luftdaten des Umweltbundesamtes"
    licence: ServiceLicence = "dl-de/by-2-0"
    attribution: Attribution = "Umweltbundesamt mit Daten der Messnetze der Länder und des Bundes"
    url: Root = "https://luftdaten.umweltbundesamt.de/api/air-data/v3"
    components: tuple[Component, ...] = Field(
        ("PM10", "PM2.5", "NO2", "O3", "SO2"), description="What is fetched."
    )
    http: HttpPolicy = HttpPolicy(timeout="2 min")  # type: ignore[arg-type]  # its catalogue takes a minute
    time: TimeRule | None = TimeRule(
        column="date start",
        zone="cet_fixed",
        hour24=True,
        stamp="interval_start",
        interval="1 hour",  # type: ignore[arg-type]
    )


_NEEDED, _PLACE = ("station id", "station code", "station name"), ("station longitude", "station latitude")
_MEASURE = ("component id", "scope id", "value")


class _Stations(msgspec.Struct):
    indices: list[str]
    data: dict[str, Any] | list[Any]


class _Measures(msgspec.Struct):
    data: dict[str, Any] | list[Any]
    indices: Any = None


class UbaConnector:
    """Fetches and reads the air data of the Umweltbundesamt."""

    name = "uba"
    source_model: type[Source] = UbaSource

    def fetch(self, source: UbaSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The catalogue of stations, and the slices of the window for each station and component."""
        root, found = source.url.rstrip("/"), set[str]()

        def measures(answer: Payload) -> Iterator[Request]:
            if answer.request.role != "stations":
                return
            for station in _wanted(source, answer.body, window.first.isoformat())[0]:
                found.update((str(station["station id"]), str(station["station code"])))
                for component in source.components:
                    for part in window.split(_SLICE_DAYS):
                        asked = {
                            "date_from": part.first.isoformat(),
                            "time_from": "1",
                            "date_to": part.last.isoformat(),
                            "time_to": "24",
                            "station": station["station id"],
                            "component": _COMPONENTS[component][0],
                            "scope": _HOURLY_MEAN,
                        }
                        yield Request(
                            f"{root}/measures/json?{urlencode(asked)}",
                            role="measures",
                            variables={"component": component},
                        )

        first = {"first": window.first.isoformat()}
        fetch_all(session, [Request(f"{root}/stations/json?lang=de", "stations", first)], measures)
        source.expect(found)

    def read(self, source: UbaSource, payload: Payload) -> Iterator[RawTable]:
        """Stations with a datastream for every component, or the hourly means of a component."""
        if payload.role != "stations":
            yield _observations(payload)
            return
        stations, broken = _wanted(source, payload.body, payload.variables.get("first", ""))
        found = build_raw_table(
            "station",
            (
                {
                    "station_id": station["station code"],
                    "name": station["station name"],
                    "description": ", ".join(
                        filter(None, (station.get("station setting name"), station.get("station type name")))
                    ),
                    "lon": station.get("station longitude"),
                    "lat": station.get("station latitude"),
                    "operator": station.get("network name"),
                }
                for station in stations
            ),
            ("station_id", "name", "description", "lon", "lat", "operator"),
        )
        yield replace(found, broken=broken)
        yield build_raw_table(
            "datastream",
            (
                {
                    "datastream_id": f"{station['station id']}/{component}",
                    "station_id": station["station code"],
                    "name": f"{component} {station['station name']}",
                    "observed_property": component,
                    "unit": _COMPONENTS[component][1],
                    "interval_s": 3600,
                }
                for station in stations
                for component in source.components
            ),
            ("datastream_id", "station_id", "name", "observed_property", "unit", "interval_s"),
        )


def _wanted(
    source: UbaSource, body: bytes, first: str
) -> tuple[list[Mapping[str, Any]], tuple[BrokenRow, ...]]:
    """The stations that the source wants and that still measured on the first day, and the rows that are none."""
    answer: _Stations = decode_answer(body, _Stations, "the Umweltbundesamt")
    missing = {*_NEEDED, *(_PLACE if source.chooses_by_place else ())}.difference(answer.indices)
    if missing:
        raise ReadError(
            f"has a station without {', '.join(sorted(missing))}; it has {', '.join(answer.indices)}"
        )
    stations, broken = list[Mapping[str, Any]](), list[BrokenRow]()
    rows = [*answer.data.values()] if isinstance(answer.data, dict) else answer.data
    for place_in, row in enumerate(rows, 1):
        station = dict(zip(answer.indices, row, strict=False)) if isinstance(row, list) else {}
        if not (station.get("station id") and station.get("station code") and station.get("station name")):
            raw = msgspec.json.encode(row).decode()
            broken.append(BrokenRow(place_in, "not_a_station", "has not id, code and name", raw))
            continue
        place = parse_number(station.get("station longitude")), parse_number(station.get("station latitude"))
        named = any(source.wants(str(station[key]), *place) for key in ("station id", "station code"))
        until = str(station.get("station active to") or "")
        if named and (not until or (first and until[: len(first)] >= first)):
            stations.append(station)
    if rows and len(broken) == len(rows):
        raise ReadError("is not what the Umweltbundesamt answers: none of its stations has id, code and name")
    return stations, tuple(broken)


def _observations(payload: Payload) -> RawTable:
    """Positional rows by station and start: component, scope, value, end, index."""
    answer: _Measures = decode_answer(payload.body, _Measures, "the Umweltbundesamt")
    # An answer without any value has a list in the place of the object.
    by_station = answer.data if isinstance(answer.data, dict) else {}
    component = payload.variables["component"]
    expected, places = [_COMPONENTS[component][0], _HOURLY_MEAN], _places(answer.indices)
    rows, broken = list[tuple[str, str, Any]](), list[BrokenRow]()
    for station, hours in by_station.items():
        for start, row in hours.items() if isinstance(hours, dict) else [("", hours)]:
            long = isinstance(row, list) and len(row) > max(places)
            parts = [row[place] for place in places] if long else []
            if [str(part) for part in parts[:2]] == expected:
                rows.append((f"{station}/{component}", start, parts[2]))
                continue
            detail = f"is no hourly mean of {component}: component, scope and value are {parts}"
            raw = msgspec.json.encode({start: row}).decode()
            broken.append(BrokenRow(len(rows) + len(broken) + 1, "another_measure", detail, raw))
    if broken and not rows:
        raise ReadError(f"{broken[0].detail}")
    frame = pl.DataFrame(
        [
            pl.Series("datastream_id", [key for key, _, _ in rows], pl.String),
            pl.Series(TIME, [start for _, start, _ in rows], pl.String),
            to_series("value", [value for _, _, value in rows]),
        ]
    )
    return RawTable("observation", frame, broken=tuple(broken))


def _places(indices: Any) -> list[int]:
    """Where component, scope and value are in a row, as an answer says itself.

    Raises:
        ReadError: one of them is not there.
    """
    names = indices
    while isinstance(names, dict) and names:
        names = next(iter(names.values()))
    if not isinstance(names, list):
        return [0, 1, 2]
    missing = {*_MEASURE}.difference(map(str, names))
    if missing:
        raise ReadError(
            f"has values without {', '.join(sorted(missing))}; they have {', '.join(map(str, names))}"
        )
    return [names.index(name) for name in _MEASURE]
