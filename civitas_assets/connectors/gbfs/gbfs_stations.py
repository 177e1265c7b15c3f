"""Stations of GBFS and their status, row by row: a row that cannot be read costs nothing but itself.

Values are handed over as they are written; whether they are numbers, times or places is the contract's to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from itertools import chain
from types import NoneType
from typing import Any

import msgspec

from civitas_assets.connectors.gbfs.gbfs_fields import find_point_on_area, read_id, read_localized_text
from civitas_assets.connectors.mapping.instants import read_instant
from civitas_assets.connectors.mapping.missing import MISSING_FIELD
from civitas_assets.connectors.mapping.service_rows import build_column_table, decode_answer
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, Note, RawTable

# Fields of all versions that no shared model has; what is not among them, or counts something, is told.
_NO_MODEL = frozenset({
    "city", "contact_phone", "cross_street", "is_charging_station", "is_valet_station", "parking_hoop", "parking_type",
    "post_code", "region_id", "rental_methods", "rental_uris", "short_name", "station_opening_hours",
})  # fmt: skip
_INFORMATION_READ = frozenset({
    "address", "capacity", "is_virtual_station", "lat", "lon", "name", "station_area", "station_id",
})  # fmt: skip
_VEHICLES = ("num_vehicles_available", "num_bikes_available")  # of version 3 before that of version 2
_DISABLED = ("num_vehicles_disabled", "num_bikes_disabled")
_STATUS_READ = frozenset({
    *_VEHICLES, *_DISABLED, "is_installed", "is_renting", "is_returning", "last_reported", "num_docks_available",
    "num_docks_disabled", "station_id",
})  # fmt: skip
_BY_TYPE = {"vehicle_types_available": _VEHICLES, "vehicle_docks_available": ("num_docks_available",)}


class _Stations(msgspec.Struct):
    stations: list[Any] | None = None


class _Document(msgspec.Struct):
    data: _Stations
    last_updated: Any = None


def read_station_table(body: bytes, language: str) -> RawTable:
    """The stations of a station_information.

    Raises:
        ReadError: it has no list of stations, or none of them says where it is.
    """
    feed = _Feed(body)
    places = [*map(_position, feed.stations)]
    columns = {
        "station_id": [*map(read_id, feed.values("station_id"))],
        "name": [read_localized_text(name, language) for name in feed.values("name")],
        "address": [read_localized_text(address, language) for address in feed.values("address")],
        "capacity": feed.values("capacity"),
        "is_virtual": feed.values("is_virtual_station"),
        "lon": [lon for lon, _ in places],
        "lat": [lat for _, lat in places],
    }
    unread = feed.fields - _INFORMATION_READ - _NO_MODEL
    feed.require("lat", "station_area", instead=unread)
    found, notes = build_column_table("sharing_station", columns), feed.missing("name", instead=unread)
    return replace(found, broken=feed.broken, unknown_fields=tuple(sorted(unread)), notes=notes)


def read_status_table(body: bytes) -> RawTable:
    """The status of the stations of a station_status.

    Raises:
        ReadError: it has no list of stations, or none of them counts vehicles, or says whether it rents and takes back.
    """
    feed = _Feed(body)
    updated = read_instant(feed.last_updated)
    columns = {
        "station_id": [*map(read_id, feed.values("station_id"))],
        "observed_at": [moment or updated for moment in _instants(feed.values("last_reported"))],
        "vehicles_available": feed.totals("vehicle_types_available"),
        "vehicles_disabled": feed.values(*_DISABLED),
        "docks_available": feed.totals("vehicle_docks_available"),
        "docks_disabled": feed.values("num_docks_disabled"),
        "is_installed": feed.values("is_installed"),
        "is_renting": feed.values("is_renting"),
        "is_returning": feed.values("is_returning"),
    }
    unread = feed.fields - _STATUS_READ - _NO_MODEL
    unknown = unread - _BY_TYPE.keys()
    for names in ((*_VEHICLES, "vehicle_types_available"), ("is_renting",), ("is_returning",)):
        feed.require(*names, instead=unknown)
    notes = (*_disagreements(feed), *feed.missing("is_installed", "last_reported", instead=unknown))
    found = build_column_table("sharing_status", columns)
    return replace(found, broken=feed.broken, unknown_fields=tuple(sorted(unread)), notes=notes)


class _Feed:
    """The stations of a feed, field by field, with the `fields` that any of them has, and what is no station."""

    def __init__(self, body: bytes) -> None:
        document: _Document = decode_answer(body, _Document, "GBFS")
        listed = document.data.stations
        if listed is None:
            raise ReadError("is no list of stations of GBFS: data has no stations")
        self.last_updated = document.last_updated
        self.stations: list[Mapping[str, Any]] = [part for part in listed if isinstance(part, dict)]
        self.fields = {*chain.from_iterable(self.stations)}
        self.broken = tuple(
            BrokenRow(row, "not_a_station", "is no object", msgspec.json.encode(part).decode())
            for row, part in enumerate(listed if len(self.stations) < len(listed) else (), 1)
            if not isinstance(part, dict)
        )

    def require(self, *names: str, instead: Set[str]) -> None:
        """Nothing, if a station has one of the fields, be it without a value, or none has any that nobody knows.

        Raises:
            ReadError: what the specification wants of each station seems to be called otherwise now.
        """
        if instead and self.fields.isdisjoint(names):
            there = ", ".join(sorted(self.fields))
            raise ReadError(f"has no {' or '.join(names)} in any station; they have {there}")

    def missing(self, *names: str, instead: Set[str]) -> tuple[Note, ...]:
        """The note on those of the fields, which the specification wants of each station, that are called otherwise."""
        missing = [name for name in names if name not in self.fields]
        if not instead or not missing:
            return ()
        there = ", ".join(sorted(self.fields))
        return (Note(MISSING_FIELD, f"in no station: {', '.join(missing)}; they have {there}"),)

    def values(self, *names: str) -> list[Any]:
        """The first of the fields that a station has, of each station; None for nothing."""
        found: list[Any] = [None] * len(self.stations)
        for name in names:
            if name in self.fields:
                given = [station.get(name) for station in self.stations]
                found = [more if value is None else value for value, more in zip(found, given, strict=True)]
        return found

    def totals(self, by_type: str) -> list[Any]:
        """The total that a station has, or else what its parts by type add up to."""
        found = self.values(*_BY_TYPE[by_type])
        if by_type not in self.fields:
            return found
        return [
            _sum(station, by_type) if value is None or value == "" else value
            for value, station in zip(found, self.stations, strict=True)
        ]


def _position(station: Mapping[str, Any]) -> tuple[Any, Any]:
    lon, lat = station.get("lon"), station.get("lat")
    return find_point_on_area(station.get("station_area")) if lon is None and lat is None else (lon, lat)


def _instants(values: Sequence[Any]) -> list[str | None]:
    """The instants of a column, in which many are the same."""
    if not {*map(type, values)} <= {int, NoneType}:
        return [*map(read_instant, values)]
    known = {value: read_instant(value) for value in {*values}}
    return [known[value] for value in values]


def _sum(station: Mapping[str, Any], name: str) -> str | None:
    """The total of a list by types, which the specification says is the total of the station; None if a part lacks."""
    parts = station.get(name)
    if not isinstance(parts, list):
        return None
    counts = [part.get("count") if isinstance(part, dict) else None for part in parts]
    numbers = [count for count in counts if isinstance(count, int) and not isinstance(count, bool)]
    return str(sum(numbers)) if parts and len(numbers) == len(parts) else None


def _disagreements(feed: _Feed) -> tuple[Note, ...]:
    """A note for each total that its parts do not add up to."""
    notes = []
    for name, totals in _BY_TYPE.items():
        if name not in feed.fields:
            continue
        differing = [
            f"{read_id(station.get('station_id'))}: {total}, in parts {parts}"
            for station, total in zip(feed.stations, feed.values(*totals), strict=True)
            if (parts := _sum(station, name)) and total is not None and total != "" and str(total) != parts
        ]
        if differing:
            notes.append(
                Note(
                    "totals_differ_from_parts",
                    f"{len(differing)} station(s) have another total than their {name} add up to; the total counts "
                    f"({differing[0]})",
                )
            )
    return tuple(notes)
