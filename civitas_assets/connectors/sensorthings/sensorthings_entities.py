"""The entities of SensorThings that describe: things, their datastreams, and the service itself.

Only the parts that are read are declared; everything else in an answer is skipped while decoding. Tables are made of
them in `sensorthings_tables.py`, and observations are read in `sensorthings_observations.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec

from civitas_assets.connectors.mapping.service_rows import decode_answer, read_members
from civitas_assets.errors import ReadError

T = TypeVar("T")


class Identified(msgspec.Struct, rename={"id": "@iot.id"}, gc=False):
    """Any entity, of which only the id is read; it need not have one."""

    id: Any = None


class SensorThingsEntity(msgspec.Struct, rename={"id": "@iot.id"}):
    """An entity that others are led to by its id."""

    id: int | str

    @property
    def key(self) -> str:
        """The id as text."""
        return str(self.id)


class Named(msgspec.Struct):
    """An observed property, a sensor, or a unit of measurement."""

    name: str | None = None
    definition: str | None = None
    symbol: str | None = None


class Datastream(
    SensorThingsEntity,
    rename={
        "unit": "unitOfMeasurement",
        "observed_property": "ObservedProperty",
        "sensor": "Sensor",
        "phenomenon_time": "phenomenonTime",
        "observed_area": "observedArea",
    },
):
    """A series of observations of one property."""

    name: str | None = None
    description: str | None = None
    unit: Named | None = None
    observed_property: Named | None = None
    sensor: Named | None = None
    phenomenon_time: Any = None
    observed_area: Any = None


class MultiDatastream(
    SensorThingsEntity,
    rename={
        "types": "multiObservationDataTypes",
        "units": "unitOfMeasurements",
        "observed_properties": "ObservedProperties",
        "sensor": "Sensor",
        "phenomenon_time": "phenomenonTime",
        "observed_area": "observedArea",
    },
):
    """A series of observations whose results have an element for each of several properties."""

    name: str | None = None
    description: str | None = None
    types: list[str | None] | None = None
    units: list[Named | None] | None = None
    observed_properties: list[Named | None] | None = None
    sensor: Named | None = None
    phenomenon_time: Any = None
    observed_area: Any = None

    @property
    def size(self) -> int:
        """How many elements a result has."""
        return max(len(part or ()) for part in (self.types, self.units, self.observed_properties))

    def components(self) -> list[Datastream]:
        """Each element of the results as a datastream; a list of another length says nothing of which is which."""
        parts = (
            part if part and len(part) == self.size else [None] * self.size
            for part in (self.units, self.observed_properties)
        )
        return [
            Datastream(
                id=make_component_id(self.key, place),
                name=": ".join(filter(None, (self.name, find_first_text(observed, "name")))) or None,
                description=self.description,
                unit=unit,
                observed_property=observed,
                sensor=self.sensor,
                phenomenon_time=self.phenomenon_time,
                observed_area=self.observed_area,
            )
            for place, (unit, observed) in enumerate(zip(*parts, strict=True))
        ]


class SensorThingsLocation(msgspec.Struct):
    """A Location with its encoded geometry: an object of GeoJSON, or a text."""

    location: Any = None


class Thing(
    SensorThingsEntity,
    rename={
        "locations": "Locations",
        "datastreams": "Datastreams",
        "more_datastreams": "Datastreams@iot.nextLink",
        "multi_datastreams": "MultiDatastreams",
        "more_multi_datastreams": "MultiDatastreams@iot.nextLink",
    },
):
    """A station or device."""

    name: str | None = None
    description: str | None = None
    locations: list[SensorThingsLocation] = []
    datastreams: list[Datastream] = []
    more_datastreams: str | None = None
    multi_datastreams: list[MultiDatastream] = []
    more_multi_datastreams: str | None = None

    @property
    def series(self) -> list[Datastream]:
        """All that it observes, each element of a MultiDatastream for itself."""
        return [*self.datastreams, *(part for multi in self.multi_datastreams for part in multi.components())]


class SensorThingsPage(msgspec.Struct, Generic[T], rename={"next": "@iot.nextLink", "total": "@iot.count"}):
    """Entities, where the next page is, verbatim, and how many entities all pages hold."""

    value: list[T]
    next: str | None = None
    total: int | str | None = None

    @property
    def ids(self) -> list[Any]:
        """The ids of the entities; None for one without."""
        return [*map(attrgetter("id"), self.value)]


class _Settings(msgspec.Struct):
    conformance: list[str] = []


class _EntitySet(msgspec.Struct):
    name: str | None = None


class _Root(msgspec.Struct, rename={"sets": "value", "settings": "serverSettings"}):
    sets: list[_EntitySet] = []
    settings: _Settings = msgspec.field(default_factory=_Settings)


class Capabilities(msgspec.Struct, frozen=True):
    """What a service has beside what all have."""

    data_arrays: bool = False
    multi_datastreams: bool = False


def decode_json(body: bytes, kind: Any) -> Any:
    """The JSON in these types, else a `ReadError`."""
    return decode_answer(body, kind, "SensorThings")


def read_capabilities(root: bytes) -> Capabilities:
    """What the service's root says: version 1.0 lists the entity sets, 1.1 also the extensions that it conforms to."""
    said = decode_json(root, _Root)
    return Capabilities(
        data_arrays=any("data-array" in item for item in said.settings.conformance),
        multi_datastreams=any(entity_set.name == "MultiDatastreams" for entity_set in said.sets),
    )


def make_component_id(multi_id: str, place: int) -> str:
    """The datastream that an element of a MultiDatastream's results is: `7[0]` is the first one of 7."""
    return f"{multi_id}[{place}]"


def read_things(body: bytes) -> SensorThingsPage[Thing]:
    """A page of Things; a single Thing, as its own address answers it, is a page of one."""
    try:
        return read_page(body, Thing)
    except ReadError:
        if "value" in read_members(body):
            raise
    return SensorThingsPage([decode_json(body, Thing)])


def read_datastreams(body: bytes) -> SensorThingsPage[Datastream]:
    """A page of Datastreams."""
    return read_page(body, Datastream)


def read_multi_datastreams(body: bytes) -> SensorThingsPage[MultiDatastream]:
    """A page of MultiDatastreams."""
    return read_page(body, MultiDatastream)


def read_page(body: bytes, kind: type[T]) -> SensorThingsPage[T]:
    """A page of entities."""
    found: SensorThingsPage[T] = decode_json(body, SensorThingsPage[kind])  # type: ignore[valid-type]
    return found


READERS: Mapping[str, Callable[[bytes], SensorThingsPage[Any]]] = {
    "things": read_things,
    "datastreams": read_datastreams,
    "multi_datastreams": read_multi_datastreams,
}
"""By the role of a page, how its entities are read, where these lead to others; of observations, their ids suffice."""


def find_first_text(named: Named | None, *attributes: str) -> str | None:
    """The first of the attributes that says something; the standard's own example writes "null" for no unit."""
    texts = ((getattr(named, name, None) or "").strip() for name in attributes)
    return next((text for text in texts if text not in {"", "null"}), None)
