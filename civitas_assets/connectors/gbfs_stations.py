"""Stations of GBFS and their status, row by row: a row that cannot be read costs nothing but itself.

Values are handed over as they are written; whether they are numbers, times or places is the contract's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import msgspec

from civitas_assets.connectors.gbfs_fields import id_of, point_on, text_of
from civitas_assets.connectors.instants import instant_of
from civitas_assets.connectors.rows import decoded, table
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


def station_table(body: bytes, language: str) -> RawTable:
    """The stations of a station_information.

    Raises:
        ReadError: it has no list of stations.
    """
    _, stations, broken = _opened(body)
    rows = [_station(station, language) for station in stations]
    found = table("sharing_station", rows, tuple(_station({}, "")))
    unread = _unread(stations, _INFORMATION_READ | _NO_MODEL)
    return replace(found, broken=broken, unknown_fields=unread)


def status_table(body: bytes) -> RawTable:
    """The status of the stations of a station_status.

    Raises:
        ReadError: it has no list of stations.
    """
    document, stations, broken = _opened(body)
    rows = [_status(station, document.last_updated) for station in stations]
    found = table("sharing_status", rows, tuple(_status({}, None)))
    unread = _unread(stations, _STATUS_READ | _NO_MODEL)
    return replace(found, broken=broken, unknown_fields=unread, notes=_disagreements(stations))


def _opened(body: bytes) -> tuple[_Document, list[Mapping[str, Any]], tuple[BrokenRow, ...]]:
    document: _Document = decoded(body, _Document, "GBFS")
    if document.data.stations is None:
        raise ReadError("is no list of stations of GBFS: data has no stations")
    broken = tuple(
        BrokenRow(row, "not_a_station", "is no object", msgspec.json.encode(station).decode())
        for row, station in enumerate(document.data.stations, 1)
        if not isinstance(station, dict)
    )
    return document, [s for s in document.data.stations if isinstance(s, dict)], broken


def _station(station: Mapping[str, Any], language: str) -> dict[str, object]:
    lon, lat = station.get("lon"), station.get("lat")
    if lon is None and lat is None:
        lon, lat = point_on(station.get("station_area"))
    return {
        "station_id": id_of(station.get("station_id")),
        "name": text_of(station.get("name"), language),
        "address": text_of(station.get("address"), language),
        "capacity": station.get("capacity"),
        "is_virtual": station.get("is_virtual_station"),
        "lon": lon,
        "lat": lat,
    }


def _status(station: Mapping[str, Any], last_updated: Any) -> dict[str, object]:
    return {
        "station_id": id_of(station.get("station_id")),
        "observed_at": instant_of(station.get("last_reported")) or instant_of(last_updated),
        "vehicles_available": _first(station, _VEHICLES) or _sum(station, "vehicle_types_available"),
        "vehicles_disabled": _first(station, _DISABLED),
        "docks_available": _first(station, ("num_docks_available",))
        or _sum(station, "vehicle_docks_available"),
        "docks_disabled": station.get("num_docks_disabled"),
        "is_installed": station.get("is_installed"),
        "is_renting": station.get("is_renting"),
        "is_returning": station.get("is_returning"),
    }


def _first(station: Mapping[str, Any], names: Iterable[str]) -> str | None:
    for name in names:
        value = station.get(name)
        if value is not None:
            return str(value)
    return None


def _sum(station: Mapping[str, Any], name: str) -> str | None:
    """The total of a list by types, which the specification says is the total of the station; None if a part lacks."""
    parts = station.get(name)
    if not isinstance(parts, list):
        return None
    counts = [part.get("count") if isinstance(part, dict) else None for part in parts]
    numbers = [count for count in counts if isinstance(count, int) and not isinstance(count, bool)]
    return str(sum(numbers)) if parts and len(numbers) == len(parts) else None


def _disagreements(stations: Sequence[Mapping[str, Any]]) -> tuple[Note, ...]:
    """A note for each total that its parts do not add up to."""
    notes = []
    for name, totals in _BY_TYPE.items():
        if not any(name in station for station in stations):
            continue
        differing = [
            f"{id_of(station.get('station_id'))}: {total}, in parts {parts}"
            for station in stations
            if (parts := _sum(station, name)) and (total := _first(station, totals)) and total != parts
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


def _unread(stations: Iterable[Mapping[str, Any]], known: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted({*chain.from_iterable(stations)} - known))
