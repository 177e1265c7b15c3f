"""GBFS, the General Bikeshare Feed Specification, 2 and 3: stations and their status, from the discovery file.

Free vehicles are not read: their positions say where people ended a ride.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.base import Answer, Payload, Request, Session
from civitas_assets.connectors.rows import decoded, table
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

_INFORMATION, _STATUS = "station_information", "station_status"


class GbfsSource(Source):
    """A sharing system; `url` is its discovery file, usually gbfs.json."""

    connector: Literal["gbfs"]
    language: str = Field("de", description="Language of names, where the system has it; else its first one.")

    def record_types(self) -> frozenset[str]:
        """Stations and their status."""
        return frozenset({"sharing_station", "sharing_status"})


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
        """The discovery file, and the two feeds about stations that it names."""

        def feeds(answer: Answer) -> Iterator[Request]:
            if answer.request.role != "discovery":
                return
            found = _feeds(answer.content(), source.language)
            for role in (_INFORMATION, _STATUS):
                if role not in found:
                    raise ReadError(f"offers no {role}; it has {', '.join(found) or 'no feeds'}")
                yield Request(urljoin(answer.request.url, found[role]), role=role)

        discovery = [Request(e.url, role="discovery") for e in expand(source.url, source.each, window)]
        for _ in session.crawl(discovery, feeds):
            pass

    def read(self, source: GbfsSource, payload: Payload) -> Iterator[RawTable]:
        """Stations, or their status."""
        if payload.role == "discovery":
            _feeds(payload.body, source.language)
            return
        document: _Document = decoded(payload.body, _Document, "GBFS")
        if payload.role == _INFORMATION:
            rows = [_station(station, source.language) for station in document.data.stations]
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
        "name": _text(station.get("name"), language),
        "address": _text(station.get("address"), language),
        "capacity": station.get("capacity"),
        "is_virtual": station.get("is_virtual_station"),
        "lon": station.get("lon"),
        "lat": station.get("lat"),
    }


def _status(station: Mapping[str, Any], last_updated: int | str | None) -> dict[str, object]:
    return {
        "station_id": station.get("station_id"),
        "observed_at": _time(station.get("last_reported")) or _time(last_updated),
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


def _text(value: Any, language: str) -> str | None:
    """A text; in version 3 the one of the language, else the first."""
    if isinstance(value, str):
        return value
    texts: Sequence[Mapping[str, Any]] = (
        [t for t in value if isinstance(t, dict)] if isinstance(value, list) else []
    )
    ordered = sorted(texts, key=lambda text: text.get("language") != language)
    return next((text["text"] for text in ordered if isinstance(text.get("text"), str)), None)


def _time(value: Any) -> str | None:
    """Version 2 writes seconds since 1970, version 3 ISO 8601; 0 means never."""
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 33:
        return datetime.fromtimestamp(value, UTC).isoformat()
    return None
