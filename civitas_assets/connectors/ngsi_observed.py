"""Entities that observe, as stations, datastreams and observations.

Names and units follow the Smart Data Models; an attribute that is not one of theirs is still observed, and reported
where no seed knows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from civitas_assets.connectors import ngsi_entities as ngsi
from civitas_assets.connectors.ngsi_entities import Entity, Row
from civitas_assets.connectors.ngsi_models import MEASUREMENT, qualified, recommended_unit
from civitas_assets.connectors.rows import number
from civitas_assets.records.raw import INTERVAL, RESULT

STATION = ("station_id", "name", "description", "lon", "lat")
DATASTREAM = ("datastream_id", "station_id", "name", "observed_property", "unit", "sensor")
OBSERVATION = ("datastream_id", INTERVAL, RESULT)

# Attributes that may be written as a number and are about the data, the place or the device.
_ABOUT = {
    *("id", "type", "@context", "name", "alternateName", "description", "source", "owner", "dataProvider"),
    *("location", "address", "areaServed", "zoneName", "wardId", "stationName", "stationCode", "measurand"),
    *("dateObserved", "dateObservedFrom", "dateObservedTo", "TimeInstant", "timeInstant"),
    *("dateCreated", "dateModified", "createdAt", "modifiedAt", "deletedAt", "reliability", "refDevice"),
    *("laneId", "laneDirection", "vehicleType", "vehicleSubType"),
    *("sonometerClass", "heightAverage", "distanceAverage"),
    *("serialNumber", "storedWasteCode", "isleId", "binId", "RFID", "license_plate"),
    *("binCapacity", "binFullnessThreshold", "binMaxLoad", "binRecommendedLoad"),
}
_TIME = r"\d{4}-\d{2}-\d{2}T[\d:.]+Z?"
_TIME_AT_END = re.compile(rf"[-:_]{_TIME}(?:[-_/]{_TIME})?$")


def station(entity: Entity) -> Row:
    """Where an entity observes: its device, else itself, without the time that some publishers put into the id."""
    lon, lat = ngsi.point(entity)
    return {
        "station_id": _station_id(entity),
        "name": ngsi.text(entity, "stationName", "name"),
        "description": ngsi.text(entity, "description"),
        "lon": lon,
        "lat": lat,
    }


@dataclass(frozen=True)
class Attribute:
    """An attribute that may hold numbers: its native name, what it observes, its unit where it carries none."""

    name: str
    datastream_id: str
    observed_property: str
    unit: str | None
    content: Any


def attributes(entity: Entity, skip: Sequence[str]) -> Iterator[Attribute]:
    """What an entity may measure; each lane and each type of vehicle is a datastream of its own."""
    kind, lane, vehicle = ngsi.kind_of(entity), ngsi.count(entity, "laneId"), ngsi.text(entity, "vehicleType")
    if kind == MEASUREMENT:
        yield from _measured(entity, skip)
        return
    series = [
        _station_id(entity),
        *([] if lane is None else [f"lane{lane}"]),
        *([vehicle] if vehicle else []),
    ]
    for attribute, content in entity.items():
        if attribute not in _ABOUT and attribute not in skip:
            name = qualified(kind, attribute)
            observes = f"{name}.{vehicle}" if vehicle else name
            unit = recommended_unit(kind, attribute)
            yield Attribute(attribute, "/".join([*series, name]), observes, unit, content)


def _measured(entity: Entity, skip: Sequence[str]) -> Iterator[Attribute]:
    """The one value of an entity that says itself what it is of; without its times, such an entity is a datastream."""
    if "numValue" in entity and "numValue" not in skip:
        series, observes = _TIME_AT_END.sub("", entity["id"]), ngsi.text(entity, "controlledProperty")
        name = observes or "numValue"
        yield Attribute(name, f"{series}/numValue", name, ngsi.text(entity, "unit"), entity["numValue"])


def measures(entity: Entity, skip: Sequence[str]) -> list[Row]:
    """One row per attribute and instance with a number, for its datastream and its observation."""
    key, rows = _station_id(entity), list[Row]()
    title = ngsi.text(entity, "stationName", "name") or key
    for attribute in attributes(entity, skip):
        for instance in ngsi.instances(attribute.content):
            value = _number(ngsi.value_of(instance))
            if value is None:
                continue
            details = instance if isinstance(instance, dict) else {}
            unit, data_set = ngsi.metadata_of(details, "unitCode"), details.get("datasetId")
            rows.append(
                {
                    "datastream_id": attribute.datastream_id + (f"/{data_set}" if data_set else ""),
                    "station_id": key,
                    "name": f"{attribute.name} {title}",
                    "observed_property": attribute.observed_property,
                    "unit": unit if isinstance(unit, str) else attribute.unit,
                    "sensor": ngsi.reference(entity, "refDevice"),
                    INTERVAL: _time(entity, details),
                    RESULT: value,
                }
            )
    return rows


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    return None if number(value) is None else str(value)


def _time(entity: Entity, details: Mapping[str, Any]) -> str | None:
    """When a value was observed: its own time, else that of its entity.

    An own time that is the start or the end of the entity's span says less than the span.
    """
    stamps = (
        ngsi.time(ngsi.metadata_of(details, name)) for name in ("observedAt", "TimeInstant", "timestamp")
    )
    own = next((moment for moment in stamps if moment), None)
    first, last = (ngsi.time(ngsi.value_of(entity.get(f"dateObserved{end}"))) for end in ("From", "To"))
    others = (
        ngsi.time(ngsi.value_of(entity.get(name))) for name in ("dateObserved", "TimeInstant", "timeInstant")
    )
    return (
        (own if own not in (first, last) else None)
        or (f"{first}/{last}" if first and last else first)
        or own
        or next((moment for moment in others if moment), None)
    )


def _station_id(entity: Entity) -> str:
    named = ngsi.reference(entity, "refDevice") or ngsi.text(entity, "stationCode")
    return named or _TIME_AT_END.sub("", entity["id"])
