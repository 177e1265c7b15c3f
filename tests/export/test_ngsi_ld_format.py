"""Normalised NGSI-LD: entities of the Smart Data Models with their names and units."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import ExportError
from civitas_assets.export.export_vocabulary import ExportVocabulary
from civitas_assets.export.ngsi_ld_format import NgsiLd
from civitas_assets.export.selection import DaySpan
from tests.export.conftest import Town

NOON = datetime(2026, 8, 20, 12, tzinfo=UTC)
ONE = datetime(2026, 8, 20, 13, tzinfo=UTC)
STATION = {"station_key": "town:s:1", "name": "Am Markt", "lon": 9.1, "lat": 50.1}
HOUR = {
    "station_key": "town:s:1",
    "phenomenon_start_at": NOON,
    "phenomenon_end_at": ONE,
    "quality_code": "good",
}


@pytest.fixture
def exported(town: Town, vocabulary: ExportVocabulary) -> Any:
    """The entities of a model, by type where there is one of each."""

    def export(model: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(town.export(model, NgsiLd(vocabulary)))
        return sorted(found, key=lambda entity: entity["id"])

    return export


def moment(text: str) -> dict[str, Any]:
    return {"type": "Property", "value": {"@type": "DateTime", "@value": text}}


def values(entity: dict[str, Any], *names: str) -> list[Any]:
    return [entity[name].get("value") if name in entity else None for name in names]


def test_an_observation_of_the_weather_is_a_whole_entity(town: Town, exported: Any) -> None:
    town.put("station", STATION)
    town.put("weather_observed", {**HOUR, "temperature_cel": -3.5, "relative_humidity_percent": 57.3})
    (entity,) = exported("weather_observed")
    at = {"type": "Property", "observedAt": "2026-08-20T12:00:00Z"}
    assert entity == {
        "id": "urn:ngsi-ld:WeatherObserved:town:s:1:2026-08-20T12:00:00Z-2026-08-20T13:00:00Z",
        "type": "WeatherObserved",
        "temperature": {**at, "value": -3.5, "unitCode": "CEL"},
        "relativeHumidity": {**at, "value": 0.573, "unitCode": "C62"},
        "dateObserved": moment("2026-08-20T12:00:00Z"),
        "dateObservedFrom": moment("2026-08-20T12:00:00Z"),
        "dateObservedTo": moment("2026-08-20T13:00:00Z"),
        "refDevice": {"type": "Relationship", "object": "urn:ngsi-ld:Device:town:s:1"},
        "qualityCode": {**at, "value": "good"},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [9.1, 50.1]}},
        "name": {"type": "Property", "value": "Am Markt"},
        "@context": [
            "https://raw.githubusercontent.com/smart-data-models/dataModel.Weather/master/context.jsonld",
            "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld",
        ],
    }


def test_water_is_two_entities_in_recommended_units(town: Town, exported: Any) -> None:
    town.put("water_observed", {**HOUR, "level_cm": 213.7, "conductivity_us_cm": 431.7, "turbidity_ntu": 3.2})
    level, quality = exported("water_observed")
    assert (level["type"], quality["type"]) == ("WaterObserved", "WaterQualityObserved")
    assert (level["waterLevel"]["value"], level["waterLevel"]["unitCode"]) == (2.137, "MTR")
    assert (quality["conductivity"]["value"], quality["conductivity"]["unitCode"]) == (0.04317, "D10")
    assert "unitCode" not in quality["turbidity"]  # UN/CEFACT has none


def test_traffic_is_an_entity_per_kind_of_traffic_that_was_counted(town: Town, exported: Any) -> None:
    town.put(
        "traffic_flow_observed", {**HOUR, "vehicle_count": 34, "bicycle_count": 12, "pedestrian_count": 7}
    )
    town.put("traffic_flow_observed", {**HOUR, "station_key": "town:s:2", "bicycle_count": 0})
    found = exported("traffic_flow_observed")
    assert [values(entity, "intensity", "peopleCount", "vehicleType") for entity in found] == [
        [None, 7.0, None],
        [34.0, None, None],
        [12.0, None, "bicycle"],
        [0.0, None, "bicycle"],
    ]
    assert len({entity["id"] for entity in found}) == 4


def test_a_row_without_any_value_is_no_entity(town: Town, exported: Any) -> None:
    town.put("noise_level_observed", HOUR)
    assert exported("noise_level_observed") == []


def test_a_single_measurement_names_its_property_and_its_unit(town: Town, exported: Any) -> None:
    row = {**HOUR, "datastream_key": "town:s:1/ä b", "phenomenon_end_at": NOON}
    town.put("observation", {**row, "observed_property": "air.no2", "value": 21.5, "unit": "ug/m3"})
    town.put(
        "observation",
        {**row, "datastream_key": "t", "value": 3.2, "unit": "[NTU]", "quality_code": "suspect"},
    )
    town.put("observation", {**row, "datastream_key": "u", "value_text": 'es "regnet"'})
    town.put("observation", {**row, "datastream_key": "v"})
    turbid, text, air = sorted(exported("observation"), key=lambda entity: -len(entity["id"]), reverse=True)
    assert air["id"] == "urn:ngsi-ld:DeviceMeasurement:town:s:1%2F%C3%A4%20b:2026-08-20T12:00:00Z"
    assert values(air, "controlledProperty", "numValue", "unit") == ["air.no2", 21.5, "GQ"]
    assert air["numValue"]["unitCode"] == "GQ"
    assert "dateObservedTo" not in air  # a span without length is an instant
    assert values(turbid, "unit", "outlier") == ["[NTU]", True]
    assert values(text, "textValue", "numValue") == ['es "regnet"', None]


def test_of_a_state_the_last_one_counts_with_what_is_known_of_its_thing(town: Town, exported: Any) -> None:
    town.put(
        "parking_site",
        {
            "site_key": "p1",
            "name": "Markt",
            "site_type": "underground",
            "max_height_cm": 210,
            "has_fee": True,
        },
        {
            "site_key": "p2",
            "name": "Ring",
            "site_type": "on_street",
            "purpose": "car",
            "lon": 9.1,
            "lat": 50.1,
        },
    )
    town.put(
        "parking_status",
        *(
            {"site_key": key, "observed_at": at, "free": free, "capacity": 10, "opening_status": "unknown"}
            for key, at, free in (("p1", ONE, 3), ("p1", NOON, 5), ("p2", NOON, 0))
        ),
    )
    garage, street = exported("parking_status")
    assert garage["id"] == "urn:ngsi-ld:OffStreetParking:p1"
    assert values(garage, "availableSpotNumber", "totalSpotNumber", "maximumAllowedHeight") == [3, 10, 2.1]
    assert values(garage, "category", "status") == [["feeCharged", "underground"], None]
    assert garage["availableSpotNumber"]["observedAt"] == "2026-08-20T13:00:00Z"
    assert street["id"] == "urn:ngsi-ld:OnStreetParking:p2"
    assert values(street, "availableSpotNumber", "allowedVehicleType") == [0, ["car"]]
    assert [entity["id"] for entity in exported("parking_site")] == [garage["id"], street["id"]]


def test_sharing_and_charging_are_in_the_words_of_the_models(town: Town, exported: Any) -> None:
    town.put("sharing_station", {"station_key": "b1", "name": "Bahnhof", "capacity": 20})
    town.put(
        "sharing_status",
        {
            "station_key": "b1",
            "observed_at": NOON,
            "vehicles_available": 4,
            "is_renting": True,
            "is_returning": False,
        },
    )
    (docking,) = exported("sharing_status")
    assert values(docking, "availableBikeNumber", "status", "totalSlotNumber") == [4, "outOfService", 20]
    town.put(
        "charge_point",
        {
            "charge_point_key": "c1",
            "plug_types": "DC Kupplung Combo; CHAdeMO",
            "street": "Am Weg",
            "house_number": "1",
        },
        {"charge_point_key": "c2", "plug_types": "Steckdose Blau"},
    )
    town.put("charge_point_status", {"charge_point_key": "c1", "observed_at": NOON, "status": "available"})
    (state,) = exported("charge_point_status")
    assert values(state, "status", "socketType", "address") == [
        "working",
        ["CCS/SAE", "CHAdeMO"],
        {"streetAddress": "Am Weg 1"},
    ]
    assert [entity["socketType"]["value"] for entity in exported("charge_point")] == [
        ["CCS/SAE", "CHAdeMO"],
        ["Other"],
    ]


def test_devices_places_and_events_have_what_is_known(town: Town, exported: Any) -> None:
    town.put("station", STATION)
    town.put(
        "datastream",
        *({"station_key": "town:s:1", "observed_property": code} for code in ("b", "a", "a", None)),
    )
    (device,) = exported("station")
    assert values(device, "name", "controlledProperty") == ["Am Markt", ["a", "b"]]
    town.put(
        "place",
        {
            "place_key": "x",
            "category": "playground",
            "postcode": "01234",
            "website": "https://stadt.example/x",
        },
        {"place_key": "y", "website": "siehe Aushang"},
    )
    playground, other = exported("place")
    assert values(playground, "category", "address") == [["playground"], {"postalCode": "01234"}]
    assert playground["additionalInfoURL"] == {"type": "Relationship", "object": "https://stadt.example/x"}
    assert "additionalInfoURL" not in other  # the object of a relationship is an address
    town.put("event", {"event_key": "e", "title": "Fest", "start_at": NOON, "event_type": "closure"})
    (event,) = exported("event")
    assert event["startDate"] == moment("2026-08-20T12:00:00Z")
    assert values(event, "name", "category") == ["Fest", ["closure"]]


HERE = {"name": "Nord, „Ufer“", "lon": 9.1, "lat": 50.1}
KNOWN = {
    "parking_site": {
        **HERE,
        "purpose": "bicycle",
        "site_type": "underground",
        "capacity": 120,
        "max_height_cm": 210,
        "has_fee": True,
        "address": "Weg 1, 99000 Musterstadt",
        "opening_hours": "Mo-Fr 06:00-22:00",
    },
    "sharing_station": {**HERE, "capacity": 20, "address": "Weg 1"},
    "charge_point": {
        **HERE,
        "points": 2,
        "operator": "Stadtwerke",
        "plug_types": "CHAdeMO, Type2",
        "street": "Weg",
        "house_number": "1 a",
        "postcode": "01234",
        "city": "Musterstadt",
        "opening_hours": "24/7",
    },
}
STATES: dict[str, Any] = {
    "parking_site": (
        "parking_status",
        "site",
        {"free": 17, "occupied": 103, "capacity": 120, "opening_status": "closed"},
    ),
    "sharing_station": (
        "sharing_status",
        "station",
        {
            "vehicles_available": 7,
            "docks_available": 11,
            "docks_disabled": 2,
            "is_renting": False,
            "is_returning": False,
        },
    ),
    "charge_point": ("charge_point_status", "charge_point", {"status": "available", "points_available": 1}),
}


@pytest.mark.parametrize("thing", KNOWN)
def test_what_is_exported_is_the_same_where_it_is_read_again(
    town: Town, vocabulary: ExportVocabulary, thing: str
) -> None:
    state, key, values = STATES[thing]
    town.put(thing, {f"{key}_key": "town:x:1", **KNOWN[thing]})
    town.put(state, {f"{key}_key": "town:x:1", "observed_at": NOON, **values})
    body = town.export(state, NgsiLd(vocabulary))
    (kind,) = {entity["type"] for entity in json.loads(body)}
    connector, basics = (
        CONNECTORS["ngsi_ld"],
        {"title": "T", "licence": "CC0-1.0", "url": "https://b.example/v1"},
    )
    source = connector.source_model.model_validate({**basics, "connector": "ngsi_ld", "types": (kind,)})
    payload = Payload(Request(source.url, "entities", {"type": kind}), body, NOON)
    read = {table.record_type: table for table in connector.read(source, payload)}
    written = {**KNOWN[thing], **({"street": "Weg 1 a"} if "house_number" in KNOWN[thing] else {})}
    del written["lon"], written["lat"]
    written.pop("house_number", None)
    (row,) = read[thing].frame.to_dicts()
    assert {name: row[name] for name in written} == {name: str(value) for name, value in written.items()}
    assert (row["lon"], row["lat"]) == (9.1, 50.1)
    (row,) = read[state].frame.to_dicts()
    assert {name: row[name] for name in values} == {name: str(value) for name, value in values.items()}
    assert row["observed_at"] == "2026-08-20T12:00:00Z"
    assert [(table.unknown_fields, table.notes) for table in read.values()] == [((), ())] * 2


def test_batches_are_arrays_of_at_most_so_many_entities(town: Town, vocabulary: ExportVocabulary) -> None:
    town.put("station", *({"station_key": str(number)} for number in range(5)))
    lines = town.export("station", NgsiLd(vocabulary, batch=2)).decode().splitlines()
    assert [len(json.loads(line)) for line in lines] == [2, 2, 1]


def test_without_rows_there_is_an_empty_array_or_none(town: Town, vocabulary: ExportVocabulary) -> None:
    assert json.loads(town.export("station", NgsiLd(vocabulary))) == []
    assert town.export("station", NgsiLd(vocabulary, batch=2)) == b""


def test_a_window_leaves_the_last_state_within_it(
    town: Town, vocabulary: ExportVocabulary, days: Callable[..., DaySpan]
) -> None:
    for day in (20, 21):
        at = datetime(2026, 8, day, 12, tzinfo=UTC)
        town.put("parking_status", {"site_key": "p", "observed_at": at, "day": at.date(), "free": day})
    span = days(date(2026, 8, 20), date(2026, 8, 20))
    (entity,) = json.loads(town.export("parking_status", NgsiLd(vocabulary), span))
    assert entity["availableSpotNumber"]["value"] == 20


def test_a_model_that_no_smart_data_model_has_is_an_error_that_names_those_that_are(
    town: Town, vocabulary: ExportVocabulary
) -> None:
    with pytest.raises(
        ExportError, match=r"statistic is in no Smart Data Model.*: air_quality_observed, .*station, "
    ):
        town.export("statistic", NgsiLd(vocabulary))
