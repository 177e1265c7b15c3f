"""GBFS, the General Bikeshare Feed Specification, 1 to 3: stations, their status, and how many vehicles stand free.

Stations are read in `gbfs_stations.py`; how vehicles are counted, so that none of them can be followed, is in
`gbfs_vehicles.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.gbfs.gbfs_stations import read_station_table, read_status_table
from civitas_assets.connectors.gbfs.gbfs_vehicles import (
    build_system_station,
    count_vehicles,
    read_system,
    read_vehicle_kinds,
    read_vehicle_tables,
)
from civitas_assets.connectors.mapping.languages import Language, choose_language
from civitas_assets.connectors.mapping.service_rows import decode_answer
from civitas_assets.connectors.pagination.links import LinkedSource, resolve_link
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

    lists_whole: ClassVar[frozenset[str]] = frozenset({"sharing_station"})

    def record_types(self) -> frozenset[str]:
        """Stations and their status; numbers of free vehicles are observations of the system."""
        return frozenset({"sharing_station", "sharing_status", "station", "datastream", "observation"})

    def redact_answer(self, role: str, body: bytes) -> bytes:
        """Of single vehicles only how many they are."""
        return count_vehicles(body, self.box) if role == _VEHICLES else body


class _Discovery(msgspec.Struct):
    data: dict[str, Any]


class GbfsConnector:
    """Fetches and reads GBFS."""

    name = "gbfs"
    source_model: type[Source] = GbfsSource

    def fetch(self, source: GbfsSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The discovery file, and the feeds about stations and vehicles that it names."""
        home = source.url.rpartition("/")[0]
        systems: dict[str, Mapping[str, str]] = {}  # feeds by the address of an answer that leads to vehicles

        def ask(answer: Payload, feeds: Mapping[str, str], name: str, role: str, **known: str) -> Request:
            url = resolve_link(answer.request.url, feeds[name], source.advertised_url, home)
            request = Request(url, role=role, variables=known)
            systems[request.url] = feeds
            return request

        def follow(answer: Payload) -> Iterator[Request]:
            role, known = answer.request.role, answer.request.variables
            if role == "discovery":
                feeds, twice = _feeds(answer.body, source.language)
                for name in twice:
                    session.note(
                        "feed_listed_twice",
                        f"the discovery file lists {name} with several addresses: the first one is read",
                    )
                yield from (ask(answer, feeds, name, name) for name in _wanted(feeds, source))
            elif role == _SYSTEM:
                feeds, system = systems[answer.request.url], str(read_system(answer.body).system_id)
                name, role = (_TYPES, _TYPES) if _TYPES in feeds else (_vehicle_feed(feeds), _VEHICLES)
                yield ask(answer, feeds, name, role, system_id=system)
            elif role == _TYPES:
                feeds = systems[answer.request.url]
                kinds = msgspec.json.encode(read_vehicle_kinds(answer.body)).decode()
                yield ask(answer, feeds, _vehicle_feed(feeds), _VEHICLES, **known, kinds=kinds)

        discovery = [
            Request(e.url, role="discovery")
            for e in expand(source.url, source.each, window, source.http.max_pages)
        ]
        fetch_all(session, discovery, follow)

    def read(self, source: GbfsSource, payload: Payload) -> Iterator[RawTable]:
        """Stations, their status, the system, or numbers of its vehicles."""
        if payload.role == "discovery":
            _feeds(payload.body, source.language)
        elif payload.role == _SYSTEM:
            yield build_system_station(read_system(payload.body), source.language)
        elif payload.role == _TYPES:
            read_vehicle_kinds(payload.body)
        elif payload.role == _VEHICLES:
            yield from read_vehicle_tables(payload)
        elif payload.role == _INFORMATION:
            yield read_station_table(payload.body, source.language)
        elif payload.role == _STATUS:
            yield read_status_table(payload.body)


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


def _feeds(body: bytes, language: str) -> tuple[Mapping[str, str], Sequence[str]]:
    """Addresses by name, and the names that have several: version 3 has one list, version 2 one for every language.

    What the list of the language lacks is taken from the others.
    """
    data = decode_answer(body, _Discovery, "GBFS").data
    if (listed := data.get("feeds")) is not None:
        lists = [listed]
    else:
        by_language = {
            key: part["feeds"] for key, part in data.items() if isinstance(part, dict) and part.get("feeds")
        }
        best = choose_language([*by_language], language) if by_language else ""
        lists = [by_language[key] for key in sorted(by_language, key=lambda key: key != best)]
    if not lists or not all(isinstance(feeds, list) for feeds in lists):
        raise ReadError("is no discovery file of GBFS: it has no list of feeds")
    found: dict[str, str] = {}
    twice = set[str]()
    for feeds in lists:
        of_list: dict[str, str] = {}
        for feed in feeds:
            name, url = (feed.get("name"), feed.get("url")) if isinstance(feed, dict) else (None, None)
            if isinstance(name, str) and isinstance(url, str) and url != of_list.setdefault(name, url):
                twice.add(name)
        found = {**of_list, **found}
    if not found:
        raise ReadError("is no discovery file of GBFS: none of its feeds has a name and a url")
    return found, sorted(twice)
