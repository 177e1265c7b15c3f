"""Entities that observe, as stations, datastreams and observations.

Names and units follow the Smart Data Models; an attribute that is not one of theirs is still observed, and reported
where no seed knows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from math import isfinite
from typing import NamedTuple

from civitas_assets.connectors.ngsi.ngsi_attributes import Instance
from civitas_assets.connectors.ngsi.ngsi_entities import Row
from civitas_assets.connectors.ngsi.ngsi_models import (
    MEASUREMENT,
    find_recommended_unit,
    is_numeric_attribute,
    qualify_attribute,
)
from civitas_assets.connectors.ngsi.ngsi_reader import Reader, to_number
from civitas_assets.connectors.ngsi.ngsi_times import OBSERVED, read_entity_span, read_observed_time
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


def build_station_row(entity: Reader) -> Row:
    """Where an entity observes: its device, else itself, without the time that some publishers put into the id."""
    return {
        "station_id": _station_id(entity),
        "name": entity.text("stationName", "name"),
        "description": entity.text("description"),
        "operator": entity.text("provider"),
        **entity.position(),
    }


class Measurand(NamedTuple):
    """An attribute that may hold measurements: what they are called, observe, and have as unit where they carry none.

    `source` is its name in the entity, and `numeric` whether a text in it stands in place of a number.
    """

    source: str
    name: str
    observed_property: str
    unit: str | None
    numeric: bool

    def result(self, instance: Instance) -> str | None:
        """The value as text where it is a number, or a text in place of one; None where it is no measurement."""
        value = instance.value
        if isinstance(value, float) and isfinite(value):
            return str(value)  # nearly all
        if isinstance(value, list) and len(value) == 1:
            (value,) = value
        if to_number(value) is not None:
            return str(value)
        measures = (
            self.numeric or instance.unit or is_numeric_attribute(self.source, instance.members.get("type"))
        )
        return value if isinstance(value, str) and measures else None


def list_measurands(entity: Reader) -> Iterator[tuple[str, Measurand]]:
    """What an entity may measure, by datastream; each lane and each type of vehicle is one of its own."""
    if entity.kind == MEASUREMENT:
        yield from _measured(entity)
        return
    lane, vehicle = entity.text("laneId"), entity.text("vehicleType")
    series = [
        _station_id(entity),
        *([] if lane is None else [f"lane{lane}"]),
        *([vehicle] if vehicle else []),
    ]
    prefix = "/".join(series)
    for attribute in entity.content:
        if attribute not in _ABOUT and attribute not in entity.remarks.skip:
            name, measurand = _measurand(entity.kind, attribute, vehicle)
            yield f"{prefix}/{name}", measurand


def make_data_set_id(datastream_id: str, instance: Instance) -> str:
    """The datastream of an instance: each data set has its own."""
    return f"{datastream_id}/{instance.data_set}" if instance.data_set else datastream_id


@lru_cache(4096)
def _measurand(kind: str, attribute: str, vehicle: str | None) -> tuple[str, Measurand]:
    name, unit = qualify_attribute(kind, attribute), find_recommended_unit(kind, attribute)
    observes = f"{name}.{vehicle}" if vehicle else name
    return name, Measurand(attribute, attribute, observes, unit, unit is not None)


def _measured(entity: Reader) -> Iterator[tuple[str, Measurand]]:
    """The one value of an entity that says itself what it is of; without its times, such an entity is a datastream.

    A value that is no number is in an attribute of its own.
    """
    given = ((name, entity.instances(name)) for name in ("numValue", "textValue"))
    source = next((name for name, parts in given if any(part.value is not None for part in parts)), None)
    if source and not entity.remarks.skip & {"numValue", source}:
        series, observes = _TIME_AT_END.sub("", entity.id), entity.text("controlledProperty")
        name = observes or source
        yield f"{series}/numValue", Measurand(source, name, name, entity.text("unit"), numeric=True)


def build_measure_rows(entity: Reader) -> list[Row]:
    """One row per attribute and instance with a measurement, for its datastream and its observation."""
    key, rows = _station_id(entity), list[Row]()
    title = entity.text("stationName", "name") or key
    device, span = entity.reference("refDevice"), read_entity_span(entity.value)
    quality = entity.text("qualityCode") or ("suspect" if entity.value("outlier") is True else None)
    for stream, attribute in list_measurands(entity):
        for instance, value in entity.results(attribute.source, attribute.result):
            rows.append(
                {
                    "datastream_id": make_data_set_id(stream, instance),
                    "station_id": key,
                    "name": f"{attribute.name} {title}",
                    "observed_property": attribute.observed_property,
                    "unit": instance.unit or attribute.unit,
                    "sensor": device,
                    INTERVAL: read_observed_time(instance, span),
                    RESULT: value,
                    "quality_native": own
                    if isinstance(own := instance.find("qualityCode"), str)
                    else quality,
                }
            )
    return rows


def _station_id(entity: Reader) -> str:
    named = entity.reference("refDevice") or entity.text("stationCode")
    return named or _TIME_AT_END.sub("", entity.id)
