"""Vehicles of a sharing system that stand free: how many there are of each kind, and nothing else about them.

Their ids and positions would say where people ended a ride: they are counted and forgotten before anything is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from civitas_assets.catalog import Box
from civitas_assets.connectors.base import Payload
from civitas_assets.connectors.gbfs_fields import text_of, time_of
from civitas_assets.connectors.rows import decoded, table
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

_STATES = ("free", "reserved", "disabled")
# A system that lists no types has bicycles without a motor, as the specification says.
_UNLISTED = "bicycle:human"
_UNKNOWN = "unknown"


class _Vehicle(msgspec.Struct):
    vehicle_type_id: str | None = None
    station_id: str | None = None
    is_reserved: bool | int | None = None
    is_disabled: bool | int | None = None
    lon: float | None = None
    lat: float | None = None


class _Vehicles(msgspec.Struct):
    bikes: list[_Vehicle] | None = None  # version 2
    vehicles: list[_Vehicle] | None = None  # version 3


class _Feed(msgspec.Struct):
    data: _Vehicles
    last_updated: int | str | None = None


class _Counts(msgspec.Struct, forbid_unknown_fields=True):
    """What is stored: vehicles by state, by the id of their type, which is empty where they name none."""

    counted: dict[str, dict[str, int]]
    last_updated: str | None


class _Type(msgspec.Struct):
    vehicle_type_id: str
    form_factor: str = _UNKNOWN
    propulsion_type: str = _UNKNOWN


class _Types(msgspec.Struct):
    vehicle_types: list[_Type]


class _TypesFeed(msgspec.Struct):
    data: _Types


class System(msgspec.Struct):
    """What a system says about itself."""

    system_id: str
    name: Any = None
    operator: Any = None


class _SystemFeed(msgspec.Struct):
    data: System


def counted(body: bytes, box: Box | None) -> bytes:
    """A feed of vehicles reduced to numbers: those in the box that are at no station, by type and state.

    Raises:
        ReadError: it is no such feed, so that nobody knows what of it may be kept.
    """
    feed = decoded(body, _Feed, "GBFS")
    vehicles = feed.data.bikes if feed.data.vehicles is None else feed.data.vehicles
    if vehicles is None:
        raise ReadError("is no list of vehicles of GBFS")
    counts: dict[str, Counter[str]] = {}
    for vehicle in vehicles:
        if not vehicle.station_id and _within(vehicle, box):
            state = "disabled" if vehicle.is_disabled else "reserved" if vehicle.is_reserved else "free"
            counts.setdefault(vehicle.vehicle_type_id or "", Counter())[state] += 1
    numbers = {kind: dict(sorted(states.items())) for kind, states in sorted(counts.items())}
    return msgspec.json.encode(_Counts(numbers, _instant(feed.last_updated)))


def _within(vehicle: _Vehicle, box: Box | None) -> bool:
    if box is None:
        return True
    west, south, east, north = box
    lon, lat = vehicle.lon, vehicle.lat
    return lon is not None and lat is not None and west <= lon <= east and south <= lat <= north


def _instant(written: int | str | None) -> str | None:
    """The time and nothing but a time, whatever the feed wrote there."""
    try:
        return datetime.fromisoformat(time_of(written) or "").isoformat()
    except ValueError:
        return None


def system_of(body: bytes) -> System:
    """The system that a feed describes.

    Raises:
        ReadError: it is no system_information.
    """
    system: System = decoded(body, _SystemFeed, "GBFS").data
    return system


def kinds_of(body: bytes) -> dict[str, str]:
    """Form factor and propulsion by the id of the type, such as scooter:electric.

    Raises:
        ReadError: it is no vehicle_types.
    """
    types: list[_Type] = decoded(body, _TypesFeed, "GBFS").data.vehicle_types
    return {kind.vehicle_type_id: f"{kind.form_factor}:{kind.propulsion_type}" for kind in types}


def station_of(system: System, language: str) -> RawTable:
    """The system as the one station of its free vehicles."""
    row = {
        "station_id": system.system_id,
        "name": text_of(system.name, language),
        "operator": text_of(system.operator, language),
    }
    return table("station", [row], tuple(row))


def vehicle_tables(payload: Payload) -> Iterator[RawTable]:
    """A datastream for each kind and state, and its number: also the zero of a kind that the system has elsewhere."""
    feed: _Counts = decoded(payload.body, _Counts, "GBFS, reduced to numbers")
    system = payload.variables.get("system_id", "")
    kinds: Mapping[str, str] = decoded(payload.variables.get("kinds", "{}").encode(), dict[str, str], "GBFS")
    numbers = {kind: Counter[str]() for kind in kinds.values() or [_UNLISTED]}
    for type_id, states in feed.counted.items():
        kind = kinds.get(type_id, _UNKNOWN) if kinds else _UNLISTED
        numbers.setdefault(kind, Counter()).update(states)
    streams = [(f"{system}:{state}:{kind}", kind, state) for kind in sorted(numbers) for state in _STATES]
    yield table(
        "datastream",
        (
            {
                "datastream_id": name,
                "station_id": system,
                "name": f"{kind.replace(':', ' ')}, {state}",
                "observed_property": f"sharing.vehicles_{state}",
                "unit": "1",
            }
            for name, kind, state in streams
        ),
        ("datastream_id", "station_id", "name", "observed_property", "unit"),
    )
    yield table(
        "observation",
        (
            {
                "datastream_id": name,
                "phenomenon_start": feed.last_updated,
                "value": float(numbers[kind][state]),
            }
            for name, kind, state in streams
        ),
        ("datastream_id", "phenomenon_start", "value"),
    )
