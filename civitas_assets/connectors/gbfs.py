"""GBFS, the General Bikeshare Feed Specification, 2 and 3: stations, their status, and how many vehicles stand free.

How vehicles are counted, so that none of them can be followed, is in `gbfs_vehicles.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.language import Language
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.base import Answer, Payload, Request, Session
from civitas_assets.connectors.gbfs_fields import text_of, time_of
from civitas_assets.connectors.gbfs_vehicles import (
    counted,
    kinds_of,
    station_of,
    system_of,
    vehicle_tables,
)
from civitas_assets.connectors.links import LinkedSource, led_to
from civitas_assets.connectors.rows import decoded, table
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

_INFORMATION, _STATUS = "station_information", "station_status"
_SYSTEM, _TYPES, _VEHICLES = "system_information", "vehicle_types", "vehicles"
_VEHICLE_FEEDS = ("vehicle_status", "free_bike_status")  # of version 3 and of version 2


class GbfsSource(LinkedSource):
    """A sharing system; `url` is its discovery file, usually gbfs.json."""

    connector: Literal["gbfs"]
    language: Language = Field(
        "de", description="Language of names, where the system has it; else its first one."
    )
    free_vehicles: bool = Field(
        True, description="Whether vehicles that are at no station are counted, where the system shows them."
    )

    def record_types(self) -> frozenset[str]:
        """Stations and their status; numbers of free vehicles are observations of the system."""
        return frozenset({"sharing_station", "sharing_status", "station", "datastream", "observation"})

    def storable(self, role: str, body: bytes) -> bytes:
        """Of single vehicles only how many they are."""
        return counted(body, self.box) if role == _VEHICLES else body


class _Feed(msgspec.Struct):
    name: str
    url: str


class _Discovery(msgspec.Struct):
    data: dict[str, Any]


class _Stations(msgspec.Struct):
    stations: list[dict[str, Any]] = []


class _Document(msgspec.Struct):
    data: _Stations
    last_updated: int | str | None = None


class GbfsConnector:
    """Fetches and reads GBFS."""

    name = "gbfs"
    source_model: type[Source] = GbfsSource

    def fetch(self, source: GbfsSource, window: Window, zone: ZoneInfo, session: Session) -> None:
        """The discovery file, and the feeds about stations and vehicles that it names."""
        home = source.url.rpartition("/")[0]
        systems: dict[str, Mapping[str, str]] = {}  # feeds by the address of an answer that leads to vehicles

        def ask(answer: Answer, feeds: Mapping[str, str], name: str, role: str, **known: str) -> Request:
            url = led_to(answer.request.url, feeds[name], source.advertised_url, home)
            request = Request(url, role=role, variables=known)
            systems[request.url] = feeds
            return request

        def follow(answer: Answer) -> Iterator[Request]:
            role, known = answer.request.role, answer.request.variables
            if role == "discovery":
                feeds = _feeds(answer.content(), source.language)
                yield from (ask(answer, feeds, name, name) for name in _wanted(feeds, source))
            elif role == _SYSTEM:
                feeds, system = systems[answer.request.url], system_of(answer.content()).system_id
                name, role = (_TYPES, _TYPES) if _TYPES in feeds else (_vehicle_feed(feeds), _VEHICLES)
                yield ask(answer, feeds, name, role, system_id=system)
            elif role == _TYPES:
                feeds = systems[answer.request.url]
                kinds = msgspec.json.encode(kinds_of(answer.content())).decode()
                yield ask(answer, feeds, _vehicle_feed(feeds), _VEHICLES, **known, kinds=kinds)

        discovery = [Request(e.url, role="discovery") for e in expand(source.url, source.each, window)]
        for _ in session.crawl(discovery, follow):
            pass

    def read(self, source: GbfsSource, payload: Payload) -> Iterator[RawTable]:
        """Stations, their status, the system, or numbers of its vehicles."""
        if payload.role == "discovery":
            _feeds(payload.body, source.language)
        elif payload.role == _SYSTEM:
            yield station_of(system_of(payload.body), source.language)
        elif payload.role == _TYPES:
            kinds_of(payload.body)
        elif payload.role == _VEHICLES:
            yield from vehicle_tables(payload)
        else:
            yield from _station_tables(payload, source.language)


def _wanted(feeds: Mapping[str, str], source: GbfsSource) -> list[str]:
    """The feeds that an answer to the discovery leads to at once.

    Raises:
        ReadError: the system has neither stations nor vehicles, or only half of what they need.
    """
    vehicles = source.free_vehicles and bool(_vehicle_feed(feeds))
    wanted = [_INFORMATION, _STATUS] if not vehicles or {_INFORMATION, _STATUS} & {*feeds} else []
    wanted += [_SYSTEM] if vehicles else []
    for name in wanted:
        if name not in feeds:
            raise ReadError(f"offers no {name}; it has {', '.join(feeds) or 'no feeds'}")
    return wanted


def _vehicle_feed(feeds: Mapping[str, str]) -> str:
    return next((name for name in _VEHICLE_FEEDS if name in feeds), "")


def _station_tables(payload: Payload, language: str) -> Iterator[RawTable]:
    document: _Document = decoded(payload.body, _Document, "GBFS")
    if payload.role == _INFORMATION:
        rows = [_station(station, language) for station in document.data.stations]
        yield table("sharing_station", rows, tuple(_station({}, "")))
    elif payload.role == _STATUS:
        rows = [_status(station, document.last_updated) for station in document.data.stations]
        yield table("sharing_status", rows, tuple(_status({}, None)))


def _feeds(body: bytes, language: str) -> Mapping[str, str]:
    """Addresses by name: version 3 has one list, version 2 one for every language."""
    data = decoded(body, _Discovery, "GBFS").data
    listed = data.get("feeds")
    if listed is None:
        by_language = {
            key: part["feeds"] for key, part in data.items() if isinstance(part, dict) and "feeds" in part
        }
        listed = by_language.get(language) or next(iter(by_language.values()), None)
    try:
        return {feed.name: feed.url for feed in msgspec.convert(listed, list[_Feed])}
    except msgspec.ValidationError as error:
        raise ReadError(f"is no discovery file of GBFS: {error}") from None


def _station(station: Mapping[str, Any], language: str) -> dict[str, object]:
    return {
        "station_id": station.get("station_id"),
        "name": text_of(station.get("name"), language),
        "address": text_of(station.get("address"), language),
        "capacity": station.get("capacity"),
        "is_virtual": station.get("is_virtual_station"),
        "lon": station.get("lon"),
        "lat": station.get("lat"),
    }


def _status(station: Mapping[str, Any], last_updated: int | str | None) -> dict[str, object]:
    return {
        "station_id": station.get("station_id"),
        "observed_at": time_of(station.get("last_reported")) or time_of(last_updated),
        "vehicles_available": _either(station, "num_vehicles_available", "num_bikes_available"),
        "vehicles_disabled": _either(station, "num_vehicles_disabled", "num_bikes_disabled"),
        "docks_available": station.get("num_docks_available"),
        "docks_disabled": station.get("num_docks_disabled"),
        "is_installed": station.get("is_installed"),
        "is_renting": station.get("is_renting"),
        "is_returning": station.get("is_returning"),
    }


def _either(station: Mapping[str, Any], *names: str) -> Any:
    """The name of version 3 before that of version 2."""
    return next((station[name] for name in names if station.get(name) is not None), None)
