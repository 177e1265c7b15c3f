"""Parking, docking and charging entities of the Smart Data Models are things, each with its status."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.conftest import MakeSource, ReadRecords

Rows = Callable[..., dict[str, list[dict[str, Any]]]]
NOON = datetime(2026, 7, 30, 12, tzinfo=UTC)


@pytest.fixture
def rows(source: MakeSource, records: ReadRecords) -> Rows:
    """Records of one entity."""

    def read(entity: dict[str, Any]) -> Any:
        declared = source("ngsi_ld", types=(entity["type"],))
        return records(declared, json.dumps([entity]).encode(), "entities", type=entity["type"])

    return read


def test_the_recorded_car_park_is_a_site_with_a_status(rows: Rows, payloads: Path) -> None:
    file = payloads / "ngsi_smart_data_models" / "OffStreetParking.example-normalized.jsonld"
    found = rows(json.loads(file.read_bytes()))
    (site,), (status,) = found["parking_site"], found["parking_status"]
    assert site == {
        "site_id": "urn:ngsi-ld:OffStreetParking:porto-ParkingLot-23889",
        "name": "Parque de estacionamento Trindade",
        "purpose": "car",
        "site_type": "underground",
        "site_type_native": "OffStreetParking, underground, public, feeCharged, mediumTerm, barrierAccess",
        "capacity": 414,
        "has_fee": True,
        "address": "Rua de Fernandes Tomas, Porto",
        "lon": -8.609612,
        "lat": 41.1506918,
    }
    assert (status["free"], status["occupied"], status["capacity"]) == (132, 282, 414)
    assert status["observed_at"] == datetime(2018, 9, 21, 12, tzinfo=UTC)


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


def test_a_street_of_parking_spaces_needs_no_mapping(rows: Rows) -> None:
    found = rows(
        {
            "id": "urn:street",
            "type": "OnStreetParking",
            "name": "Uferstraße",
            "category": ["free", "shortTerm"],
            "allowedVehicleType": "bicycle",
            "totalSpotNumber": "24",
            "availableSpotNumber": "5",
            "dateObserved": "2026-07-30T11:45:00Z/2026-07-30T12:00:00Z",
        }
    )
    (site,), (status,) = found["parking_site"], found["parking_status"]
    assert (site["capacity"], site["purpose"], site["has_fee"]) == (24, "bicycle", False)
    assert (status["free"], status["observed_at"]) == (5, NOON), "what holds for a time is known at its end"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("free", {"free": 1, "occupied": 0, "opening_status": "open"}),
        ("occupied", {"free": 0, "occupied": 1, "opening_status": "open"}),
        ("closed", {"opening_status": "closed"}),
        ("unknown", {"opening_status": "unknown"}),
    ],
)
def test_a_parking_spot_is_a_site_with_one_space(rows: Rows, given: str, expected: dict[str, Any]) -> None:
    found = rows(
        {
            "id": "urn:spot:1",
            "type": "ParkingSpot",
            "category": {"type": "Property", "value": ["onStreet"]},
            "refParkingSite": {"type": "Relationship", "object": "urn:street"},
            "status": {"type": "Property", "value": given, "observedAt": "2026-07-30T12:00:00Z"},
        }
    )
    assert found["parking_site"] == [
        {
            "site_id": "urn:spot:1",
            "site_type": "on_street",
            "site_type_native": "ParkingSpot, onStreet",
            "capacity": 1,
        }
    ]
    assert found["parking_status"] == [
        {
            "site_id": "urn:spot:1",
            "observed_at": NOON,
            "capacity": 1,
            "opening_status_native": given,
            **expected,
        }
    ]


@pytest.mark.parametrize(
    ("given", "serves"),
    [
        ("working", {"is_renting": True, "is_returning": True}),
        (["working", "almostFull"], {"is_renting": True, "is_returning": True}),
        ("outOfService", {"is_renting": False, "is_returning": False}),
        ("withIncidence", {}),
    ],
)
def test_a_docking_station_is_a_sharing_station_with_a_status(
    rows: Rows, given: Any, serves: dict[str, bool]
) -> None:
    found = rows(
        {
            "id": "urn:dock:1",
            "type": "BikeHireDockingStation",
            "stationName": {"type": "Property", "value": "Bahnhof"},
            "address": {
                "type": "Property",
                "value": {
                    "streetAddress": "Platz 1",
                    "postalCode": "99000",
                    "addressLocality": "Musterstadt",
                },
            },
            "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [11.5, 50.9]}},
            "totalSlotNumber": {"type": "Property", "value": 20},
            "availableBikeNumber": {"type": "Property", "value": 7},
            "freeSlotNumber": {"type": "Property", "value": "11"},
            "outOfServiceSlotNumber": {"type": "Property", "value": 2},
            "status": {"type": "Property", "value": given},
            "observationDateTime": {
                "type": "Property",
                "value": {"@type": "DateTime", "@value": "2026-07-30T14:00:00+02:00"},
            },
        }
    )
    assert found["sharing_station"] == [
        {
            "station_id": "urn:dock:1",
            "name": "Bahnhof",
            "address": "Platz 1, 99000 Musterstadt",
            "capacity": 20,
            "lon": 11.5,
            "lat": 50.9,
        }
    ]
    assert found["sharing_status"] == [
        {
            "station_id": "urn:dock:1",
            "observed_at": NOON,
            "vehicles_available": 7,
            "docks_available": 11,
            "docks_disabled": 2,
            **serves,
        }
    ]


def test_a_docking_station_that_says_nothing_has_no_status(rows: Rows) -> None:
    found = rows({"id": "d", "type": "BikeHireDockingStation", "totalSlotNumber": 20})
    assert (found["sharing_station"][0]["capacity"], found["sharing_status"]) == (20, [])


@pytest.mark.parametrize(
    ("given", "free", "expected"),
    [
        ("working", 2, "available"),
        ("full", 0, "charging"),
        (["outOfService", "empty"], 2, "out_of_order"),
        ("almostEmpty", None, "unknown"),
        (None, 1, "available"),
    ],
)
def test_a_charging_station_is_a_charge_point_with_a_status(
    rows: Rows, given: Any, free: int | None, expected: str
) -> None:
    found = rows(
        {
            "id": "urn:ev:1",
            "type": "EVChargingStation",
            "name": {"type": "Property", "value": "Rathaus"},
            "operator": {"type": "Property", "value": "Stadtwerke"},
            "capacity": {"type": "Property", "value": 4},
            "socketType": {"type": "Property", "value": ["Type2", "CHAdeMO"]},
            "acceptedPaymentMethod": {"type": "Property", "value": ["ByInvoice"]},
            "address": {"type": "Property", "value": {"streetAddress": "Platz 1", "postalCode": "01234"}},
            "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [11.5, 50.9]}},
            **({} if given is None else {"status": {"type": "Property", "value": given}}),
            "availableCapacity": {"type": "Property", "value": free, "observedAt": "2026-07-30T12:00:00Z"},
        }
    )
    assert found["charge_point"] == [
        {
            "charge_point_id": "urn:ev:1",
            "name": "Rathaus",
            "operator": "Stadtwerke",
            "points": 4,
            "plug_types": "Type2, CHAdeMO",
            "payment": "ByInvoice",
            "street": "Platz 1",
            "postcode": "01234",
            "lon": 11.5,
            "lat": 50.9,
        }
    ]
    (status,) = found["charge_point_status"]
    assert (status["observed_at"], status["status"], status.get("points_available")) == (NOON, expected, free)


def test_a_charging_station_that_says_nothing_has_no_status(rows: Rows) -> None:
    assert rows({"id": "e", "type": "EVChargingStation", "capacity": 2})["charge_point_status"] == []
