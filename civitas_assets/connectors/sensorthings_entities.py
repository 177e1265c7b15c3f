"""The entities of SensorThings as they come over the wire, and the tables that they become.

Only the parts that are read are declared; everything else in an answer is skipped while decoding.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Generic, TypeVar

import msgspec
import polars as pl

from civitas_assets.connectors.paths import columns_of, series
from civitas_assets.connectors.rows import decoded
from civitas_assets.errors import ReadError
from civitas_assets.records.raw import INTERVAL, RESULT

T = TypeVar("T")

_OBSERVATION = {INTERVAL: "phenomenonTime", "result_time": "resultTime", RESULT: "result"}


class Named(msgspec.Struct):
    """An observed property, a sensor, or a unit of measurement."""

    name: str | None = None
    definition: str | None = None
    symbol: str | None = None


class Datastream(
    msgspec.Struct,
    rename={
        "id": "@iot.id",
        "unit": "unitOfMeasurement",
        "observed_property": "ObservedProperty",
        "sensor": "Sensor",
        "phenomenon_time": "phenomenonTime",
        "observed_area": "observedArea",
    },
):
    """A series of observations of one property."""

    id: int | str
    name: str | None = None
    description: str | None = None
    unit: Named | None = None
    observed_property: Named | None = None
    sensor: Named | None = None
    phenomenon_time: str | None = None
    observed_area: dict[str, Any] | None = None

    @property
    def key(self) -> str:
        """The id as text."""
        return str(self.id)


class Place(msgspec.Struct):
    """A Location with its encoded geometry."""

    location: dict[str, Any] | None = None


class Thing(
    msgspec.Struct,
    rename={
        "id": "@iot.id",
        "locations": "Locations",
        "datastreams": "Datastreams",
        "more_datastreams": "Datastreams@iot.nextLink",
    },
):
    """A station or device."""

    id: int | str
    name: str | None = None
    description: str | None = None
    locations: list[Place] = []
    datastreams: list[Datastream] = []
    more_datastreams: str | None = None

    @property
    def key(self) -> str:
        """The id as text."""
        return str(self.id)


class _Page(msgspec.Struct, Generic[T]):
    value: list[T]


class _Raw(msgspec.Struct):
    value: msgspec.Raw


class _Link(msgspec.Struct, rename={"next": "@iot.nextLink"}):
    next: str | None = None


class _Identified(msgspec.Struct, rename={"id": "@iot.id"}):
    id: int | str | None = None


class _DataArray(msgspec.Struct, rename={"rows": "dataArray"}):
    components: list[str]
    rows: list[list[Any]]


class _Settings(msgspec.Struct):
    conformance: list[str] = []


class _Root(msgspec.Struct, rename={"settings": "serverSettings"}):
    settings: _Settings = msgspec.field(default_factory=_Settings)


def _decode(body: bytes, kind: Any) -> Any:
    return decoded(body, kind, "SensorThings")


def next_link(body: bytes) -> str | None:
    """Where the next page is, verbatim."""
    link: str | None = _decode(body, _Link).next
    return link


def declares_data_arrays(root: bytes) -> bool:
    """Whether the service's conformance list has the dataArray extension."""
    return any("data-array" in item for item in _decode(root, _Root).settings.conformance)


def things(body: bytes) -> list[Thing]:
    """The Things of a page; a single Thing, as its own address answers it, is a page of one."""
    if "value" in _decode(body, dict[str, msgspec.Raw]):
        page: list[Thing] = _decode(body, _Page[Thing]).value
        return page
    return [_decode(body, Thing)]


def datastreams(body: bytes) -> list[Datastream]:
    """The Datastreams of a page."""
    page: list[Datastream] = _decode(body, _Page[Datastream]).value
    return page


def station_table(found: Iterable[Thing]) -> pl.DataFrame:
    """Things as stations, at their first point location, else where their first datastream observes."""
    rows = [(thing.key, thing.name, thing.description, *_position(thing)) for thing in found]
    schema = {
        "station_id": pl.String,
        "name": pl.String,
        "description": pl.String,
        "lon": pl.Float64,
        "lat": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def datastream_table(found: Iterable[tuple[str, Datastream]]) -> pl.DataFrame:
    """Datastreams with the id of their station."""
    rows = [
        (
            stream.key,
            station,
            stream.name,
            stream.description,
            _first(stream.observed_property, "name", "definition"),
            _first(stream.unit, "symbol", "name", "definition"),
            _first(stream.sensor, "name"),
        )
        for station, stream in found
    ]
    names = ("datastream_id", "station_id", "name", "description", "observed_property", "unit", "sensor")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def observations(body: bytes, datastream_id: str) -> pl.DataFrame:
    """The observations of a page, from the plain form or from data arrays; times and results as they are."""
    value = bytes(_decode(body, _Raw).value)
    if b'"dataArray"' in value[:1000]:
        parts = [_from_array(part) for part in _decode(value, list[_DataArray])]
        table = pl.concat(parts, how="diagonal_relaxed") if parts else columns_of(b"[]", _OBSERVATION)
    else:
        table = columns_of(value, _OBSERVATION)
    if table[INTERVAL].is_duplicated().any():
        table = _later_last(table, _ids(value))
    if table[RESULT].dtype == pl.Boolean:
        # Beside the numbers of another page, true would become 1.
        table = table.with_columns(pl.col(RESULT).cast(pl.String))
    return table.hstack([pl.Series("datastream_id", [datastream_id]).new_from_index(0, table.height)])


def _later_last(table: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Of two results at one time the one produced later counts, else the one with the higher id: it comes last."""
    produced = (
        pl.col("result_time").cast(pl.String).str.to_datetime(time_zone="UTC", strict=False, format="%+")
    )
    return (
        table.with_columns(produced.alias("@produced"), ids.alias("@id"))
        .sort("@produced", "@id", nulls_last=False, maintain_order=True)
        .drop("@produced", "@id")
    )


def _ids(value: bytes) -> pl.Series:
    if b'"dataArray"' not in value[:1000]:
        return series("id", [observation.id for observation in _decode(value, list[_Identified])])
    ids: list[Any] = []
    for part in _decode(value, list[_DataArray]):
        names = [name for name in ("@iot.id", "id") if name in part.components]
        ids.extend(_column(part, part.components.index(names[0]) if names else None))
    return series("id", ids)


def _from_array(part: _DataArray) -> pl.DataFrame:
    places = {name: position for position, name in enumerate(part.components)}
    if not {"phenomenonTime", "result"} <= places.keys():
        raise ReadError(f"has a data array without phenomenonTime or result; it has {', '.join(places)}")
    if min(map(len, part.rows), default=len(places)) < len(places):
        raise ReadError(f"has a data array with rows of fewer than its {len(places)} components")
    return pl.DataFrame(
        [series(field, _column(part, places.get(name))) for field, name in _OBSERVATION.items()]
    )


def _column(part: _DataArray, place: int | None) -> list[Any]:
    return [None] * len(part.rows) if place is None else list(map(itemgetter(place), part.rows))


def _first(named: Named | None, *attributes: str) -> str | None:
    """The first of the attributes that says something."""
    return next((text for name in attributes if (text := getattr(named, name, None))), None)


def _position(thing: Thing) -> tuple[float | None, float | None]:
    areas = [place.location for place in thing.locations] + [
        stream.observed_area for stream in thing.datastreams
    ]
    for area in areas:
        geometry = (area or {}).get("geometry") or area
        if isinstance(geometry, dict) and geometry.get("type") == "Point":
            match geometry.get("coordinates"):
                case [int() | float() as lon, int() | float() as lat, *_]:
                    return float(lon), float(lat)
    return None, None
