"""Vehicles of a sharing system that stand free: how many there are of each kind, and nothing else about them.

Their ids and positions would say where people ended a ride: they are counted and forgotten before anything is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from civitas_assets.catalog import Box
from civitas_assets.connectors.base import Payload
from civitas_assets.connectors.gbfs.gbfs_fields import read_flag, read_id, read_localized_text
from civitas_assets.connectors.mapping.instants import read_instant
from civitas_assets.connectors.mapping.service_rows import build_raw_table, decode_answer, parse_number
from civitas_assets.errors import ReadError
from civitas_assets.records import Note, RawTable

_STATES = ("free", "reserved", "disabled")
# A system that lists no types has bicycles without a motor, as the specification says.
_UNLISTED = "bicycle:human"
_UNKNOWN = "unknown"
_UNREADABLE, _NOWHERE = "unreadable", "nowhere"
_WHY = {_UNREADABLE: "cannot be read", _NOWHERE: "name neither a station nor a position"}


class _Vehicles(msgspec.Struct):
    bikes: list[Any] | None = None  # version 2
    vehicles: list[Any] | None = None  # version 3


class _Feed(msgspec.Struct):
    data: _Vehicles
    last_updated: Any = None


class _Counts(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is stored: vehicles by state, by the id of their type, which is empty where they name none.

    `uncounted` are numbers of vehicles by why they are not among them.
    """

    counted: dict[str, dict[str, int]]
    last_updated: str | None
    uncounted: dict[str, int] = {}


class _Types(msgspec.Struct):
    vehicle_types: list[Any]


class _TypesFeed(msgspec.Struct):
    data: _Types


class System(msgspec.Struct):
    """What a system says about itself."""

    system_id: str | int | float
    name: Any = None
    operator: Any = None


class _SystemFeed(msgspec.Struct):
    data: System


def count_vehicles(body: bytes, box: Box | None) -> bytes:
    """A feed of vehicles reduced to numbers: those in the box that are at no station, by type and state.

    Raises:
        ReadError: it is no such feed, or none of its vehicles is one, so that nobody knows what of it may be kept.
    """
    feed = decode_answer(body, _Feed, "GBFS")
    vehicles = feed.data.bikes if feed.data.vehicles is None else feed.data.vehicles
    if vehicles is None:
        raise ReadError("is no list of vehicles of GBFS")
    counts: dict[str, Counter[str]] = {}
    uncounted = Counter[str]()
    distinct = _without_repeats(vehicles)
    for vehicle in distinct:
        try:
            if not _is_free(vehicle, box):
                continue
            kind, state = _kind_and_state(vehicle)
        except _NotCountedError as error:
            uncounted[str(error)] += 1
        else:
            counts.setdefault(kind, Counter())[state] += 1
    if vehicles and uncounted[_UNREADABLE] == len(distinct):
        raise ReadError("is no list of vehicles of GBFS: none of them can be read")
    numbers = {kind: dict(sorted(states.items())) for kind, states in sorted(counts.items())}
    return msgspec.json.encode(_Counts(numbers, _instant(feed.last_updated), dict(sorted(uncounted.items()))))


def _without_repeats(vehicles: Sequence[Any]) -> Sequence[Any]:
    """The vehicles, of those with an id each only once that is repeated as a whole."""
    return [
        *{
            msgspec.json.encode(vehicle, order="sorted")
            if isinstance(vehicle, dict) and (vehicle.get("vehicle_id") or vehicle.get("bike_id"))
            else place: vehicle
            for place, vehicle in enumerate(vehicles)
        }.values()
    ]


class _NotCountedError(Exception):
    """Why a vehicle is not counted; nothing of the vehicle itself."""


def _is_free(vehicle: Any, box: Box | None) -> bool:
    """Whether it is at no station and lies in the box.

    Raises:
        _NotCountedError: it says neither, or not in a way that can be read.
    """
    if not isinstance(vehicle, dict):
        raise _NotCountedError(_UNREADABLE)
    if _id(vehicle, "station_id"):
        return False
    written = [vehicle[name] for name in ("lon", "lat") if vehicle.get(name) is not None]
    place = [parse_number(value) if isinstance(value, str | int | float) else None for value in written]
    if None in place:
        raise _NotCountedError(_UNREADABLE)
    if box is None:
        return True
    if len(place) < 2:
        raise _NotCountedError(_NOWHERE)
    lon, lat = (degrees or 0.0 for degrees in place)
    west, south, east, north = box
    return west <= lon <= east and south <= lat <= north


def _kind_and_state(vehicle: Mapping[str, Any]) -> tuple[str, str]:
    """The id of its type, empty for none, and whether it can be taken.

    Raises:
        _NotCountedError: one of them cannot be read.
    """
    try:
        disabled, reserved = (read_flag(vehicle.get(name)) for name in ("is_disabled", "is_reserved"))
    except ValueError:
        raise _NotCountedError(_UNREADABLE) from None
    return _id(vehicle, "vehicle_type_id"), "disabled" if disabled else "reserved" if reserved else "free"


def _id(vehicle: Mapping[str, Any], name: str) -> str:
    """The id, also where it is a number; empty for none.

    Raises:
        _NotCountedError: it is neither text nor number.
    """
    written = vehicle.get(name)
    found = read_id(written)
    if found is None and written is not None and not isinstance(written, str):
        raise _NotCountedError(_UNREADABLE)
    return found or ""


def _instant(written: Any) -> str | None:
    """The time and nothing but a time, whatever the feed wrote there."""
    try:
        return datetime.fromisoformat(read_instant(written) or "").isoformat()
    except ValueError:
        return None


def read_system(body: bytes) -> System:
    """The system that a feed describes.

    Raises:
        ReadError: it is no system_information.
    """
    system: System = decode_answer(body, _SystemFeed, "GBFS").data
    name = read_id(system.system_id)
    if name is None:
        raise ReadError("has no system_id")
    return msgspec.structs.replace(system, system_id=name)


def read_vehicle_kinds(body: bytes) -> dict[str, str]:
    """Form factor and propulsion by the id of the type, such as scooter:electric.

    Raises:
        ReadError: it is no vehicle_types.
    """
    kinds: dict[str, str] = {}
    for kind in decode_answer(body, _TypesFeed, "GBFS").data.vehicle_types:
        if isinstance(kind, dict) and (native := read_id(kind.get("vehicle_type_id"))):
            form, propulsion = (
                kind[name] if isinstance(kind.get(name), str) and kind[name] else _UNKNOWN
                for name in ("form_factor", "propulsion_type")
            )
            kinds[native] = f"{form}:{propulsion}"
    return kinds


def build_system_station(system: System, language: str) -> RawTable:
    """The system as the one station of its free vehicles."""
    row = {
        "station_id": str(system.system_id),
        "name": read_localized_text(system.name, language),
        "operator": read_localized_text(system.operator, language),
    }
    return build_raw_table("station", [row], tuple(row))


def read_vehicle_tables(payload: Payload) -> Iterator[RawTable]:
    """A datastream for each kind and state, and its number: also the zero of a kind that the system has elsewhere."""
    feed: _Counts = decode_answer(payload.body, _Counts, "GBFS, reduced to numbers")
    system = payload.variables.get("system_id", "")
    kinds: Mapping[str, str] = decode_answer(
        payload.variables.get("kinds", "{}").encode(), dict[str, str], "GBFS"
    )
    numbers = {kind: Counter[str]() for kind in kinds.values() or [_UNLISTED]}
    for type_id, states in feed.counted.items():
        kind = kinds.get(type_id, _UNKNOWN) if kinds else _UNLISTED
        numbers.setdefault(kind, Counter()).update(states)
    streams = [(f"{system}:{state}:{kind}", kind, state) for kind in sorted(numbers) for state in _STATES]
    yield build_raw_table(
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
    observed = build_raw_table(
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
    notes = (
        Note(f"vehicles_{why}", f"{count:,} vehicle(s) of the feed {_WHY.get(why, why)} and are not counted")
        for why, count in feed.uncounted.items()
    )
    yield replace(observed, notes=tuple(notes))
