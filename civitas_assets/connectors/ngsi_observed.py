"""Entities that observe, as stations, datastreams and observations.

Names and units follow the Smart Data Models; an attribute that is not one of theirs is still observed, and reported
where no seed knows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from civitas_assets.connectors.ngsi_attributes import Instance
from civitas_assets.connectors.ngsi_entities import Row
from civitas_assets.connectors.ngsi_models import MEASUREMENT, holds_number, qualified, recommended_unit
from civitas_assets.connectors.ngsi_reader import Reader, as_number
from civitas_assets.connectors.ngsi_times import OBSERVED, entity_span, observed_time
from civitas_assets.records.raw import INTERVAL, RESULT

STATION = ("station_id", "name", "description", "operator", "lon", "lat", "geometry")
DATASTREAM = ("datastream_id", "station_id", "name", "observed_property", "unit", "sensor")
OBSERVATION = ("datastream_id", INTERVAL, RESULT, "quality_native")

# Attributes that may be written as a number and are about the data, the place or the device.
_ABOUT = {
    *("id", "type", "@context", "name", "alternateName", "description", "source", "owner", "dataProvider"),
    *("location", "address", "areaServed", "zoneName", "wardId", "stationName", "stationCode", "measurand"),
    *("dateObservedFrom", "dateObservedTo", "observationSpace", "operationSpace", "scope", *OBSERVED),
    *("dateCreated", "dateModified", "createdAt", "modifiedAt", "deletedAt", "reliability", "refDevice"),
    *("laneId", "laneDirection", "vehicleType", "vehicleSubType", "provider", "qualityCode", "outlier"),
    *("sonometerClass", "heightAverage", "distanceAverage"),
    *("serialNumber", "storedWasteCode", "isleId", "binId", "RFID", "license_plate"),
    *("binCapacity", "binFullnessThreshold", "binMaxLoad", "binRecommendedLoad"),
}
_TIME = r"\d{4}-\d{2}-\d{2}T[\d:.]+Z?"
_TIME_AT_END = re.compile(rf"[-:_]{_TIME}(?:[-_/]{_TIME})?$")


def station(entity: Reader) -> Row:
    """Where an entity observes: its device, else itself, without the time that some publishers put into the id."""
    return {
        "station_id": _station_id(entity),
        "name": entity.text("stationName", "name"),
        "description": entity.text("description"),
        "operator": entity.text("provider"),
        **entity.position(),
    }


class Attribute(NamedTuple):
    """An attribute that may hold measurements: what they are called, observe, and have as unit where they carry none.

    `source` is its name in the entity, and `numeric` whether a text in it stands in place of a number.
    """

    source: str
    name: str
    datastream_id: str
    observed_property: str
    unit: str | None
    numeric: bool

    def result(self, instance: Instance) -> str | None:
        """The value as text where it is a number, or a text in place of one; None where it is no measurement."""
        value = instance.value
        if isinstance(value, list) and len(value) == 1:
            (value,) = value
        if as_number(value) is not None:
            return str(value)
        measures = self.numeric or instance.unit or holds_number(self.source, instance.members.get("type"))
        return value if isinstance(value, str) and measures else None

    def series(self, instance: Instance) -> str:
        """The datastream of an instance: each data set has its own."""
        return f"{self.datastream_id}/{instance.data_set}" if instance.data_set else self.datastream_id


def attributes(entity: Reader) -> Iterator[Attribute]:
    """What an entity may measure; each lane and each type of vehicle is a datastream of its own."""
    if entity.kind == MEASUREMENT:
        yield from _measured(entity)
        return
    lane, vehicle = entity.text("laneId"), entity.text("vehicleType")
    series = [
        _station_id(entity),
        *([] if lane is None else [f"lane{lane}"]),
        *([vehicle] if vehicle else []),
    ]
    for attribute in entity.content:
        if attribute not in _ABOUT and attribute not in entity.remarks.skip:
            name = qualified(entity.kind, attribute)
            observes = f"{name}.{vehicle}" if vehicle else name
            unit = recommended_unit(entity.kind, attribute)
            yield Attribute(attribute, attribute, "/".join([*series, name]), observes, unit, unit is not None)


def _measured(entity: Reader) -> Iterator[Attribute]:
    """The one value of an entity that says itself what it is of; without its times, such an entity is a datastream.

    A value that is no number is in an attribute of its own.
    """
    given = ((name, entity.instances(name)) for name in ("numValue", "textValue"))
    source = next((name for name, parts in given if any(part.value is not None for part in parts)), None)
    if source and not entity.remarks.skip & {"numValue", source}:
        series, observes = _TIME_AT_END.sub("", entity.id), entity.text("controlledProperty")
        name = observes or source
        yield Attribute(source, name, f"{series}/numValue", name, entity.text("unit"), numeric=True)


def measures(entity: Reader) -> list[Row]:
    """One row per attribute and instance with a measurement, for its datastream and its observation."""
    key, rows = _station_id(entity), list[Row]()
    title = entity.text("stationName", "name") or key
    device, span = entity.reference("refDevice"), entity_span(entity.value)
    quality = entity.text("qualityCode") or ("suspect" if entity.value("outlier") is True else None)
    for attribute in attributes(entity):
        for instance, value in entity.results(attribute.source, attribute.result):
            rows.append(
                {
                    "datastream_id": attribute.series(instance),
                    "station_id": key,
                    "name": f"{attribute.name} {title}",
                    "observed_property": attribute.observed_property,
                    "unit": instance.unit or attribute.unit,
                    "sensor": device,
                    INTERVAL: observed_time(instance, span),
                    RESULT: value,
                    "quality_native": _text(instance.find("qualityCode")) or quality,
                }
            )
    return rows


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _station_id(entity: Reader) -> str:
    named = entity.reference("refDevice") or entity.text("stationCode")
    return named or _TIME_AT_END.sub("", entity.id)
