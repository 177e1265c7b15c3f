"""Things and datastreams of SensorThings as rows, with what of a page has no place in them.

What the entities are is declared in `sensorthings_entities.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import polars as pl

from civitas_assets.catalog import Box
from civitas_assets.connectors.mapping.service_rows import read_members
from civitas_assets.connectors.sensorthings.sensorthings_entities import (
    Datastream,
    Thing,
    decode_json,
    find_first_text,
)
from civitas_assets.records import Note
from civitas_assets.records.position import read_plain_point

_DATASTREAM = frozenset(
    {
        *("id", "name", "description", "observationType", "unitOfMeasurement", "observedArea", "properties"),
        *("phenomenonTime", "resultTime", "Thing", "Sensor", "ObservedProperty", "Observations"),
        *("multiObservationDataTypes", "unitOfMeasurements", "ObservedProperties"),
    }
)
_Listed = list[dict[str, msgspec.Raw]] | None
_THING = frozenset(
    {
        *("id", "name", "description", "properties"),
        *("Locations", "HistoricalLocations", "Datastreams", "MultiDatastreams", "TaskingCapabilities"),
    }
)


class _Members(msgspec.Struct):
    value: _Listed = None


def build_station_table(found: Sequence[Thing], box: Box | None) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Things as stations, at their first location, else where their first datastream observes; and what is no place.

    Of a location with an extent it is a position in it, in the tenant's box if it reaches there.
    """
    places = [_position(thing, box) for thing in found]
    rows = [
        (thing.key, thing.name, thing.description, *place[:2])
        for thing, place in zip(found, places, strict=True)
    ]
    schema = {
        "station_id": pl.String,
        "name": pl.String,
        "description": pl.String,
        "lon": pl.Float64,
        "lat": pl.Float64,
    }
    table = pl.DataFrame(rows, schema=schema, orient="row")
    unread = [(thing.key, why) for thing, (*_, why) in zip(found, places, strict=True) if why]
    if not unread:
        return table, ()
    key, why = unread[0]
    text = (
        f"{len(unread)} of {len(found)} Things have no position that can be read; the location of {key} {why}"
    )
    return table, (Note("location_unreadable", text),)


def build_datastream_table(found: Iterable[tuple[str, Datastream]]) -> pl.DataFrame:
    """Datastreams with the id of their station."""
    rows = [
        (
            stream.key,
            station,
            stream.name,
            stream.description,
            find_first_text(stream.observed_property, "name", "definition"),
            find_first_text(stream.unit, "symbol", "name", "definition"),
            find_first_text(stream.sensor, "name"),
        )
        for station, stream in found
    ]
    names = ("datastream_id", "station_id", "name", "description", "observed_property", "unit", "sensor")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def list_unknown_fields(body: bytes, role: str) -> tuple[str, ...]:
    """Fields of a page's things or datastreams that the standard does not have."""
    found: _Members = decode_json(body, _Members)
    entities = [read_members(body)] if found.value is None else found.value
    if role != "things":
        return list_unmapped_names("Datastream", _names(entities), _DATASTREAM)
    listed = (e[n] for e in entities for n in ("Datastreams", "MultiDatastreams") if n in e)
    streams = (stream for part in listed for stream in decode_json(part, _Listed) or ())
    return list_unmapped_names("Thing", _names(entities), _THING) + list_unmapped_names(
        "Datastream", _names(streams), _DATASTREAM
    )


def _names(entities: Iterable[Mapping[str, object]]) -> set[str]:
    return {name for entity in entities for name in entity}


def list_unmapped_names(kind: str, names: Iterable[str], known: frozenset[str]) -> tuple[str, ...]:
    """The fields that are not known; annotations, such as links, are no fields."""
    return tuple(sorted(f"{kind}.{name}" for name in {*names} - known if "@" not in name))


def _position(thing: Thing, box: Box | None) -> tuple[float | None, float | None, str]:
    """Longitude and latitude, and why there are none where something is there that cannot be read."""
    why = ""
    areas = (place.location for place in thing.locations)
    for area in (*areas, *(stream.observed_area for stream in thing.series)):
        try:
            if found := read_plain_point(area) or _found_on(area, box):
                return *found, ""
        except ValueError as error:
            why = why or str(error)
    return None, None, why


def _found_on(area: object, box: Box | None) -> tuple[float, float] | None:
    from civitas_assets.records.geometry_forms import find_position  # noqa: PLC0415 - most positions are points

    return find_position(area, box)
