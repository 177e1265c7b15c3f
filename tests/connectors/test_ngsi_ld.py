"""NGSI-LD and NGSI-v2: pages to the very end, and entities of the Smart Data Models without any mapping."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import ReadError

DAY = Window(date(2026, 7, 30), date(2026, 7, 30))
Rows = Callable[..., dict[str, list[dict[str, Any]]]]


@pytest.fixture
def rows(source: Callable[..., Any], records: Callable[..., Any]) -> Rows:
    """Records of these entities."""

    def read(*entities: dict[str, Any], **settings: Any) -> Any:
        types = tuple(entity["type"] for entity in entities)
        declared = source("ngsi_ld", **{"types": types, **settings})
        return records(declared, json.dumps(entities).encode(), "entities", type=types[0])

    return read


@pytest.fixture
def recorded(payloads: Path) -> Callable[[str], dict[str, Any]]:
    """An example of the makers of the models."""

    def load(model: str) -> dict[str, Any]:
        file = payloads / "ngsi_smart_data_models" / f"{model}.example-normalized.jsonld"
        entity: dict[str, Any] = json.loads(file.read_bytes())
        return entity

    return load


def observed(found: dict[str, list[dict[str, Any]]]) -> dict[str, tuple[Any, Any]]:
    """Value and unit by native property."""
    streams = {stream["datastream_id"]: stream for stream in found["datastream"]}
    return {
        streams[row["datastream_id"]]["observed_property"]: (
            row["value"],
            streams[row["datastream_id"]].get("unit"),
        )
        for row in found["observation"]
    }


def test_pages_are_asked_for_until_one_is_empty_even_if_the_broker_gives_fewer(
    source: Callable[..., Any], session: Any
) -> None:
    entities = [{"id": f"e{number}", "type": "WeatherObserved"} for number in range(5)]

    def answer(request: Any) -> bytes:
        offset = int(request.variables["offset"])
        return json.dumps(entities[offset : offset + 2]).encode()

    asked = session(answer)
    declared = source("ngsi_ld", types=("WeatherObserved",), page_size=100)
    CONNECTORS["ngsi_ld"].fetch(declared, DAY, ZoneInfo("UTC"), asked)
    assert [request.url.partition("?")[2] for request in asked.requests] == [
        f"type=WeatherObserved&limit=100&offset={offset}" for offset in (0, 2, 4, 5)
    ]


def test_a_broker_that_ignores_offset_is_an_error_and_no_endless_loop(
    source: Callable[..., Any], session: Any
) -> None:
    asked = session(lambda request: b'[{"id":"a","type":"WeatherObserved"}]')
    with pytest.raises(ReadError, match="ignores offset"):
        CONNECTORS["ngsi_ld"].fetch(source("ngsi_ld", types=("A",)), DAY, ZoneInfo("UTC"), asked)


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        ({"broker_tenant": "jena"}, {"NGSILD-Tenant": "jena"}),
        (
            {"api": "v2", "broker_tenant": "jena", "service_path": "/air"},
            {"Fiware-Service": "jena", "Fiware-ServicePath": "/air"},
        ),
        (
            {"context": "https://c.example/context.jsonld"},
            {
                "Link": '<https://c.example/context.jsonld>; rel="http://www.w3.org/ns/json-ld#context";'
                ' type="application/ld+json"'
            },
        ),
    ],
)
def test_tenant_and_context_are_headers(
    source: Callable[..., Any], session: Any, settings: dict[str, Any], headers: dict[str, str]
) -> None:
    asked = session(lambda request: b"[]")
    CONNECTORS["ngsi_ld"].fetch(source("ngsi_ld", types=("A",), **settings), DAY, ZoneInfo("UTC"), asked)
    assert asked.requests[0].headers == {"Accept": "application/json", **headers}


def test_a_context_that_is_no_address_is_refused(source: Callable[..., Any]) -> None:
    with pytest.raises(ValidationError, match="must be the address of a JSON-LD context"):
        source("ngsi_ld", types=("A",), context="https://c.example/>; rel=x")


def test_the_recorded_air_quality_needs_no_mapping(rows: Rows, recorded: Any) -> None:
    found = rows(recorded("AirQualityObserved"))
    (station,) = found["station"]
    assert station["station_id"] == "urn:ngsi-ld:AirQualityObserved:Madrid-AmbientObserved-28079004"
    assert (round(station["lon"], 3), round(station["lat"], 3)) == (-3.712, 40.424)
    values = observed(found)
    assert {name: values[name] for name in ("co", "no", "no2", "so2", "temperature", "relativeHumidity")} == {
        "co": (500, "GP"),
        "no": (45, "GQ"),
        "no2": (69, "GQ"),
        "so2": (11, "GQ"),
        "temperature": (12.2, "Cel"),
        "relativeHumidity": (0.54, "1"),
    }
    assert "airQualityLevel" not in values, "text is no measurement"
    assert "reliability" not in values, "it is about the data"
    assert {row["phenomenon_start"] for row in found["observation"]} == {
        datetime(2016, 3, 15, 11, tzinfo=UTC)
    }


def test_the_recorded_weather_is_observed_by_its_device(rows: Rows, recorded: Any) -> None:
    found = rows(recorded("WeatherObserved"), skip=("pressureTendency",))
    assert [station["station_id"] for station in found["station"]] == ["urn:ngsi-ld:Device:device-0A3478"]
    values = observed(found)
    assert values["atmosphericPressure"] == (938.9, "hPa")
    assert values["windDirection"] == (135, "deg")
    assert "pressureTendency" not in values


def test_the_recorded_car_park_is_a_site_with_a_status(rows: Rows, recorded: Any) -> None:
    found = rows(recorded("OffStreetParking"))
    (site,), (status,) = found["parking_site"], found["parking_status"]
    assert site == {
        "site_id": "urn:ngsi-ld:OffStreetParking:porto-ParkingLot-23889",
        "name": "Parque de estacionamento Trindade",
        "site_type": "underground",
        "site_type_native": "OffStreetParking, underground, public, feeCharged, mediumTerm, barrierAccess",
        "capacity": 414,
        "lon": -8.609612,
        "lat": 41.1506918,
    }
    assert (status["free"], status["occupied"], status["capacity"]) == (132, 282, 414)
    assert status["observed_at"] == datetime(2018, 9, 21, 12, tzinfo=UTC)


def test_ngsi_v2_has_text_numbers_and_units_in_metadata(rows: Rows) -> None:
    entity = {
        "id": "s1",
        "type": "AirQualityObserved",
        "NO2": {
            "type": "Number",
            "value": "12.5",
            "metadata": {
                "unitCode": {"type": "Text", "value": "GQ"},
                "TimeInstant": {"type": "DateTime", "value": "2026-07-30T10:00:00.00Z"},
            },
        },
        "location": {"type": "geo:json", "value": {"type": "Point", "coordinates": [11.5, 50.9]}},
    }
    found = rows(entity, api="v2")
    assert observed(found) == {"NO2": (12.5, "GQ")}
    assert found["observation"][0]["phenomenon_start"] == datetime(2026, 7, 30, 10, tzinfo=UTC)
    assert (found["station"][0]["lon"], found["station"][0]["lat"]) == (11.5, 50.9)


def test_plain_values_intervals_and_data_sets_are_understood(rows: Rows) -> None:
    entity = {
        "id": "urn:c:1",
        "type": ["https://smartdatamodels.org/dataModel.Transportation/TrafficFlowObserved"],
        "dateObservedFrom": "2026-07-30T10:00:00Z",
        "dateObservedTo": "2026-07-30T10:15:00Z",
        "intensity": 42,
        "averageVehicleSpeed": [
            {"type": "Property", "value": 31.5, "datasetId": "urn:lane:1"},
            {"type": "Property", "value": 29, "datasetId": "urn:lane:2"},
        ],
    }
    found = rows({**entity, "type": "TrafficFlowObserved"})
    assert sorted((row["datastream_id"], row["value"]) for row in found["observation"]) == [
        ("urn:c:1/averageVehicleSpeed/urn:lane:1", 31.5),
        ("urn:c:1/averageVehicleSpeed/urn:lane:2", 29),
        ("urn:c:1/intensity", 42),
    ]
    assert {
        (row["phenomenon_start"].minute, row["phenomenon_end"].minute) for row in found["observation"]
    } == {(0, 15)}
    assert {stream.get("unit") for stream in found["datastream"]} == {"km/h", "1"}


@pytest.mark.parametrize(
    ("given", "code"),
    [("open", "open"), (["full", "open"], "open"), (["closed"], "closed"), ("x", "unknown")],
)
def test_the_status_of_a_car_park_is_a_code_with_the_native_text_beside_it(
    rows: Rows, given: Any, code: str
) -> None:
    entity = {"id": "p", "type": "OnStreetParking", "status": given, "dateModified": "2026-07-30T10:00:00Z"}
    found = rows(entity)
    (status,) = found["parking_status"]
    assert status["opening_status"] == code
    assert status["opening_status_native"] == (given if isinstance(given, str) else ", ".join(given))
    assert found["parking_site"][0]["site_type"] == "on_street"
    assert rows({"id": "p", "type": "OnStreetParking"})["parking_status"] == []
