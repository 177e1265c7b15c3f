"""Entities that observe, read the way `civitas export ngsi-ld` and other publishers write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.connectors.conftest import MakeSource, ReadBody, ReadRecords

NOON = datetime(2026, 7, 30, 12, tzinfo=UTC)
TIMES = "2026-07-30T12:00:00Z-2026-07-30T13:00:00Z"


@pytest.fixture
def rows(source: MakeSource, records: ReadRecords) -> Callable[..., Any]:
    """Records of these entities."""

    def read(*entities: dict[str, Any], **settings: Any) -> Any:
        types = tuple(entity["type"] for entity in entities)
        declared = source("ngsi_ld", **{"types": types, **settings})
        return records(declared, json.dumps(entities).encode(), "entities", type=types[0])

    return read


def measurement(series: str, **attributes: Any) -> dict[str, Any]:
    normalised = {name: {"type": "Property", "value": value} for name, value in attributes.items()}
    return {
        "id": f"urn:ngsi-ld:DeviceMeasurement:{series}:{TIMES}",
        "type": "DeviceMeasurement",
        "refDevice": {"type": "Relationship", "object": "urn:ngsi-ld:Device:1"},
        "dateObservedFrom": {"type": "Property", "value": "2026-07-30T12:00:00Z"},
        "dateObservedTo": {"type": "Property", "value": "2026-07-30T13:00:00Z"},
        **normalised,
    }


def test_a_measurement_names_its_property_and_is_a_datastream_without_its_times(
    rows: Callable[..., Any],
) -> None:
    found = rows(
        measurement("a", controlledProperty="air.no2", numValue=21.5, unit="GQ", outlier=False),
        measurement("b", controlledProperty="air.co2", numValue=417, unit="59", textValue="417"),
    )
    streams = [
        (row["datastream_id"], row["station_id"], row["observed_property"], row["unit"])
        for row in found["datastream"]
    ]
    # The unit 59 is no value, although it can be read as a number.
    assert sorted(streams) == [
        ("urn:ngsi-ld:DeviceMeasurement:a/numValue", "urn:ngsi-ld:Device:1", "air.no2", "GQ"),
        ("urn:ngsi-ld:DeviceMeasurement:b/numValue", "urn:ngsi-ld:Device:1", "air.co2", "59"),
    ]
    assert sorted(row["value"] for row in found["observation"]) == [21.5, 417.0]


def test_a_unit_code_at_the_value_goes_before_the_unit_of_the_measurement(rows: Callable[..., Any]) -> None:
    value = {"type": "Property", "value": 0.3, "unitCode": "GP"}
    given = {**measurement("a", controlledProperty="air.co", unit="mg"), "numValue": value}
    assert rows(given)["datastream"][0]["unit"] == "GP"


def test_a_measurement_may_be_a_text_and_doubtful(
    rows: Callable[..., Any], source: MakeSource, read: ReadBody
) -> None:
    given = measurement("a", controlledProperty="road.state", textValue="wet", outlier=True)
    (row,) = rows(given)["observation"]
    assert row["datastream_id"] == "urn:ngsi-ld:DeviceMeasurement:a/numValue", "as where it is a number"
    assert (row["value_text"], row["quality_native"]) == ("wet", "suspect")
    tables = read(source("ngsi_ld", types=("DeviceMeasurement",)), json.dumps([given]).encode(), "entities")
    assert [table.unknown_fields for table in tables] == [()] * 3


def test_a_measurement_of_nothing_known_is_named_after_its_attribute(rows: Callable[..., Any]) -> None:
    assert rows(measurement("a", numValue=1))["datastream"][0]["observed_property"] == "numValue"
    assert rows(measurement("a", numValue=1), skip=("numValue",))["observation"] == []


@pytest.mark.parametrize("stamp", ["2026-07-30T12:00:00Z", "2026-07-30T13:00:00Z"])
def test_an_own_time_that_is_an_end_of_the_span_does_not_hide_the_span(
    rows: Callable[..., Any], stamp: str
) -> None:
    given = measurement("a", controlledProperty="air.no2", unit="GQ")
    given["numValue"] = {"type": "Property", "value": 21.5, "observedAt": stamp}
    (row,) = rows(given)["observation"]
    assert (row["phenomenon_start"], row["phenomenon_end"]) == (NOON, NOON.replace(hour=13))


def test_an_own_time_within_the_span_counts(rows: Callable[..., Any]) -> None:
    given = measurement("a", controlledProperty="air.no2", unit="GQ")
    given["numValue"] = {"type": "Property", "value": 21.5, "observedAt": "2026-07-30T12:30:00Z"}
    (row,) = rows(given)["observation"]
    assert (row["phenomenon_start"], row["phenomenon_end"]) == (NOON.replace(minute=30),) * 2


def test_the_level_of_water_is_in_metres_unless_it_says_otherwise(rows: Callable[..., Any]) -> None:
    level = {
        "id": "urn:ngsi-ld:WaterObserved:1",
        "type": "WaterObserved",
        "dateObserved": "2026-07-30T12:00:00Z",
        "waterLevel": {"type": "Property", "value": 2.137},
    }
    (stream,) = rows(level)["datastream"]
    assert (stream["observed_property"], stream["unit"]) == ("WaterObserved.waterLevel", "m")


def test_air_and_water_of_one_device_are_two_datastreams(rows: Callable[..., Any]) -> None:
    def observed(kind: str, temperature: float) -> dict[str, Any]:
        return {
            "id": f"urn:ngsi-ld:{kind}:1",
            "type": kind,
            "refDevice": {"type": "Relationship", "object": "urn:ngsi-ld:Device:1"},
            "dateObserved": {"type": "Property", "value": "2026-07-30T12:00:00Z"},
            "temperature": {"type": "Property", "value": temperature},
        }

    found = rows(observed("WeatherObserved", 24.5), observed("WaterQualityObserved", 17.0))
    assert sorted((row["datastream_id"], row["value"]) for row in found["observation"]) == [
        ("urn:ngsi-ld:Device:1/WaterQualityObserved.temperature", 17.0),
        ("urn:ngsi-ld:Device:1/temperature", 24.5),
    ]
