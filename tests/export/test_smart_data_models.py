"""What the entities are made of, held against the official list of the Smart Data Models' properties.

Of the package that brings the list, only its file is read.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import msgspec
import pytest

from civitas_assets.connectors.ngsi.ngsi_models import UNITS, find_recommended_unit
from civitas_assets.export.entities import Attribute, AttributeKind, Entity
from civitas_assets.export.export_vocabulary import ExportVocabulary
from civitas_assets.export.ngsi_ld_format import list_exported_entities
from civitas_assets.export.smart_data_things import CHARGING_STATES, SOCKETS
from civitas_assets.settings import PROJECT_DIR

LIST = "pysmartdatamodels/model-assets/smartdatamodels.json.gz"
MADE = [
    entity
    for made in list_exported_entities(ExportVocabulary.read(PROJECT_DIR / "dbt_project")).values()
    for entity in made
]
# As the list writes units, and their codes of UCUM.
UNIT_CODES = {
    "Celsius degrees": "Cel",
    "Hecto pascals": "hPa",
    "Kilometer per hour (Km/h)": "km/h",
    "Liters per square meter": "L/m2",
    "Lux": "lx",
    "centimeters": "cm",
    "meters": "m",
    "mg/l": "mg/L",
    "metre": "m",
    "w/m2": "W/m2",
}
_QUALITY = "no model has a word for how good a value is in ours; readers that do not know it leave it out"
_SPAN = "the model has an instant only, and a mean over an hour is none"
_DEVICE = "the model does not say by what it was observed, and without it stations cannot be told apart"
# What we write and the list does not have, or has in another way, and why.
DEVIATIONS = {
    ("AirQualityObserved", "dateObservedFrom"): _SPAN,
    ("AirQualityObserved", "dateObservedTo"): _SPAN,
    ("AirQualityObserved", "nh3"): "ammonia is measured, and named as other pollutants are",
    ("AirQualityObserved", "qualityCode"): _QUALITY,
    ("CrowdFlowObserved", "qualityCode"): _QUALITY,
    ("CrowdFlowObserved", "refDevice"): _DEVICE,
    ("DeviceMeasurement", "dateObservedFrom"): _SPAN,
    ("DeviceMeasurement", "dateObservedTo"): _SPAN,
    ("DeviceMeasurement", "qualityCode"): _QUALITY,
    ("EVChargingStation", "qualityCode"): _QUALITY,
    ("NoiseLevelObserved", "qualityCode"): _QUALITY,
    ("OffStreetParking", "qualityCode"): _QUALITY,
    ("OnStreetParking", "qualityCode"): _QUALITY,
    ("OnStreetParking", "status"): "a kerb may be closed as a car park may, so it is said as there",
    ("TrafficFlowObserved", "qualityCode"): _QUALITY,
    ("TrafficFlowObserved", "refDevice"): _DEVICE,
    ("WaterObserved", "qualityCode"): _QUALITY,
    ("WaterQualityObserved", "dateObservedFrom"): _SPAN,
    ("WaterQualityObserved", "dateObservedTo"): _SPAN,
    ("WaterQualityObserved", "qualityCode"): _QUALITY,
    ("WaterQualityObserved", "refDevice"): _DEVICE,
    ("WeatherObserved", "dateObservedFrom"): _SPAN,
    ("WeatherObserved", "dateObservedTo"): _SPAN,
    ("WeatherObserved", "precipitation"): "mm are l/m², for which UN/CEFACT has no code",
    ("WeatherObserved", "qualityCode"): _QUALITY,
}


class Listed(msgspec.Struct):
    """A property as the list has it."""

    property: str = ""
    data_model: str = msgspec.field(name="dataModel", default="")
    subject: str = msgspec.field(name="repoName", default="")
    type: Any = None
    of: Any = msgspec.field(name="typeNGSI", default=None)
    format: Any = None
    units: Any = None
    description: Any = None
    within: Any = msgspec.field(name="parentId", default=None)


Properties = Mapping[tuple[str, str], Listed]


@pytest.fixture(scope="module")
def listed() -> Properties:
    """The properties of the models that we write, those of their parts left out."""
    file = Path(str(distribution("pysmartdatamodels").locate_file(LIST)))
    subjects = {(entity.type, entity.subject) for entity in MADE}
    return {
        (found.data_model, found.property): found
        for found in msgspec.json.decode(gzip.decompress(file.read_bytes()), type=list[Listed])
        if (found.data_model, found.subject) in subjects and not found.within
    }


def written() -> list[tuple[Entity, Attribute]]:
    return [(entity, attribute) for entity in MADE for attribute in entity.attributes]


def fault(attribute: Attribute, known: Listed | None) -> str | None:
    """What is not as the list has it."""
    if known is None:
        return "not there"
    of = known.of or "Property"
    match attribute.kind:
        case AttributeKind.PLACE | AttributeKind.REFERENCE:
            fits = of == attribute.kind.value
        case AttributeKind.MOMENT:
            fits = (of, known.type) == ("Property", "string") and known.format in {None, "date-time"}
        case _:
            fits = (of, known.type) == ("Property", attribute.kind.value)
    if not fits:
        return f"{attribute.kind.value} is {of} of {known.type}"
    if known.units and UNIT_CODES[known.units] != attribute.unit:
        return f"{attribute.unit} is recommended as {known.units}"
    return None


def test_every_attribute_is_in_the_official_list_with_its_type_and_unit(listed: Properties) -> None:
    faults = {
        (entity.type, attribute.name): found
        for entity, attribute in written()
        if (found := fault(attribute, listed.get((entity.type, attribute.name))))
    }
    unknown = {name: found for name, found in faults.items() if name not in DEVIATIONS}
    assert not unknown


def test_every_deviation_is_still_one(listed: Properties) -> None:
    deviating = {
        (entity.type, attribute.name)
        for entity, attribute in written()
        if fault(attribute, listed.get((entity.type, attribute.name)))
    }
    assert {*DEVIATIONS} - deviating == set()


def test_all_types_are_held_against_the_list(listed: Properties) -> None:
    assert {entity.type for entity in MADE} == {model for model, _ in listed}
    assert len({entity.type for entity in MADE}) >= 15
    assert sum(bool(found.units) for found in listed.values()) > 8


def test_units_that_are_assumed_when_reading_are_those_of_the_list(listed: Properties) -> None:
    held = {
        f"{model}.{name}": (find_recommended_unit(model, name), UNIT_CODES.get(found.units))
        for (model, name), found in listed.items()
        if found.units and find_recommended_unit(model, name)
    }
    assert len(held) >= 8
    assert len(UNITS) > len(held)
    assert {name: both for name, both in held.items() if both[0] != both[1]} == {}


@pytest.mark.parametrize(
    ("model", "name", "words"),
    [
        ("EVChargingStation", "status", {*CHARGING_STATES.values()}),
        ("EVChargingStation", "socketType", {*SOCKETS, "Other"}),
        ("BikeHireDockingStation", "status", {"working", "outOfService"}),
        ("OffStreetParking", "status", {"open", "closed"}),
        ("TrafficFlowObserved", "vehicleType", {"bicycle"}),
        ("OnStreetParking", "category", {"feeCharged", "free"}),
    ],
)
def test_words_are_those_of_the_model(listed: Properties, model: str, name: str, words: set[str]) -> None:
    enumerated = re.search(r"Enum:'([^']*)'", str(listed[model, name].description))
    assert enumerated
    assert words <= {word.strip() for word in enumerated[1].split(",")}
