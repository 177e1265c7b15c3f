"""Charging infrastructure of DATEX II, version 3: the table and the status of the profile of the AFIR."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from civitas_assets.connectors.datex2.datex2_charging import read_charging_tables
from civitas_assets.errors import ReadError
from tests.connectors.conftest import MakeSource, ReadBody, ReadRecords

Rows = Callable[..., dict[str, list[dict[str, Any]]]]
BOX = (9.0, 51.0, 10.0, 52.0)


def text(value: str, lang: str = "de") -> dict[str, Any]:
    return {"values": [{"lang": lang, "value": value}]}


def place(lat: float, lon: float) -> dict[str, Any]:
    """A location with its address, as most publishers write it."""
    lines = [
        {"order": 1, "type": {"value": "street"}, "text": text("Hauptstraße")},
        {"order": 2, "type": {"value": "houseNumber"}, "text": text("5a")},
    ]
    address = {"postcode": "01067", "city": text("Musterstadt"), "countryCode": "DE", "addressLine": lines}
    return {
        "locAreaLocation": {"coordinatesForDisplay": {"latitude": lat, "longitude": lon}},
        "locPointLocation": {"locLocationExtensionG": {"FacilityLocation": {"address": address}}},
    }


def point(native: str = "DE*MUS*E1*1", **more: Any) -> dict[str, Any]:
    own: dict[str, Any] = {
        "idG": native,
        "versionG": "1",
        "currentType": {"value": "dc"},
        "connector": [
            {"connectorType": {"value": "iec62196T2COMBO"}, "maxPowerAtSocket": 150000},
            {"connectorType": {"value": "chademo"}, "maxPowerAtSocket": 50000.0},
        ],
    }
    return {"aegiElectricChargingPoint": {**own, **more}}


def site(*points: dict[str, Any], **more: Any) -> dict[str, Any]:
    station = {
        "idG": "station-1",
        "numberOfRefillPoints": 2,
        "totalMaximumPower": 300000,
        "refillPoint": points,
    }
    return {
        "idG": "site-1",
        "name": text("Rathaus"),
        "operator": {"afacAnOrganisation": {"name": text("Stadtwerke")}},
        "operatingHours": {"afacOpenAllHours": {}},
        "locationReference": place(51.5, 9.5),
        "energyInfrastructureStation": [station],
        **more,
    }


def listed(*sites: dict[str, Any]) -> bytes:
    """A table publication."""
    tables = [{"idG": "table", "energyInfrastructureSite": sites}]
    content = {"publicationTime": "2026-07-30T08:00:00Z", "energyInfrastructureTable": tables}
    return json.dumps({"payload": {"aegiEnergyInfrastructureTablePublication": content}}).encode()


def state(
    value: str | None, updated: str | None = "2026-07-30T09:59:00+02:00", name: str = "DE*MUS*E1*1"
) -> dict[str, Any]:
    return {
        "aegiRefillPointStatus": {
            "reference": {"targetClass": "FacilityObject", "idG": name},
            **({"lastUpdated": updated} if updated else {}),
            **({"status": {"value": value}} if value else {}),
        }
    }


def told(*states: dict[str, Any], at: str = "2026-07-30T08:00:00Z") -> bytes:
    """A status publication, in the container of the Mobilithek."""
    station = {"reference": {"idG": "station-1"}, "refillPointStatus": states}
    sites = [{"reference": {"idG": "site-1"}, "energyInfrastructureStationStatus": [station]}]
    content = {"publicationTime": at, "energyInfrastructureSiteStatus": sites}
    payload = [{"aegiEnergyInfrastructureStatusPublication": content}]
    return json.dumps({"messageContainer": {"payload": payload}}).encode()


@pytest.fixture
def rows(source: MakeSource, records: ReadRecords) -> Rows:
    """Records of a document."""

    def read(body: bytes, **settings: Any) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = records(
            source("datex2", publication="charging", **settings), body
        )
        return found

    return read


def test_a_point_is_told_with_what_its_station_and_its_site_say(rows: Rows) -> None:
    assert rows(listed(site(point()))) == {
        "charge_point": [
            {
                "charge_point_id": "DE*MUS*E1*1",
                "evse_id": "DE*MUS*E1*1",
                "installation_id": "station-1",
                "name": "Rathaus",
                "operator": "Stadtwerke",
                "points": 1,
                "power_kw": 150.0,
                "current_type": "dc",
                "current_type_native": "dc",
                "plug_types": "iec62196T2COMBO, chademo",
                "street": "Hauptstraße",
                "house_number": "5a",
                "postcode": "01067",
                "city": "Musterstadt",
                "opening_hours": "24/7",
                "lon": 9.5,
                "lat": 51.5,
            }
        ]
    }


def test_what_a_point_says_itself_goes_before_its_site(rows: Rows) -> None:
    operator = {"afacAnOrganisation": {"name": text("Bürgerwerk")}}
    own = point("4711", name=text("Säule links"), operator=operator)
    (found,) = rows(listed(site(own)))["charge_point"]
    assert (found["name"], found["operator"], "evse_id" in found) == ("Säule links", "Bürgerwerk", False)


@pytest.mark.parametrize("place_of_id", ["point", "plug"])
def test_the_id_by_emi3_is_found_where_publishers_put_it(rows: Rows, place_of_id: str) -> None:
    kind = {"value": "extendedG", "extendedValueG": "evseId"}
    named = {"externalIdentifier": [{"identifier": "DE*MUS*E7", "typeOfIdentifier": kind}]}
    other = {
        "externalIdentifier": [{"identifier": "BNA-1", "typeOfIdentifier": {"value": "stationIdBNetzA"}}]
    }
    more = named if place_of_id == "point" else {**other, "connector": [named]}
    assert rows(listed(site(point("7", **more))))["charge_point"][0]["evse_id"] == "DE*MUS*E7"


@pytest.mark.parametrize(
    ("more", "kilowatt"),
    [
        ({"connector": [{"maxPowerAtSocket": 22000}]}, 22.0),
        ({"connector": [{"maxPowerAtSocket": 22}]}, 22.0),
        ({"connector": [{"maxPowerAtSocket": 0}], "availableChargingPower": [11000, 3700]}, 11.0),
        ({"connector": []}, None),
    ],
)
def test_power_is_kilowatt_whether_watt_or_kilowatt_is_written(
    rows: Rows, more: dict[str, Any], kilowatt: float | None
) -> None:
    (found,) = rows(listed(site(point(**more))))["charge_point"]
    assert found.get("power_kw") == kilowatt


def test_a_station_without_points_is_one_installation(rows: Rows) -> None:
    (found,) = rows(listed(site()))["charge_point"]
    assert (found["charge_point_id"], found["installation_id"], found["points"], found["power_kw"]) == (
        "station-1",
        "site-1",
        2,
        300.0,
    )


def test_position_address_and_operator_are_found_where_other_publishers_put_them(rows: Rows) -> None:
    named = {"organisationUnit": [{"name": {"values": {"values": [{"lang": "de", "value": "Netz AG"}]}}}]}
    coordinates = {"pointByCoordinates": {"pointCoordinates": {"latitude": 51.6, "longitude": 9.6}}}
    at_entrance = site(point(), locationReference=None, entrance=[place(51.7, 9.7)], operator=[named])
    direct = site(point("P2"), locationReference=coordinates, operator=None)
    direct["energyDistributor"] = {"afacAnOrganisation": {"name": text("Verteiler")}}
    first, second = rows(listed(at_entrance, direct))["charge_point"]
    assert (first["lat"], first["lon"], first["operator"], first["city"]) == (
        51.7,
        9.7,
        "Netz AG",
        "Musterstadt",
    )
    assert (second["lat"], second["lon"], second["operator"], "city" in second) == (
        51.6,
        9.6,
        "Verteiler",
        False,
    )


@pytest.mark.parametrize(
    ("native", "code"),
    [
        ("available", "available"),
        ("charging", "charging"),
        ("occupied", "charging"),
        ("reserved", "reserved"),
        ("blocked", "blocked"),
        ("outOfOrder", "out_of_order"),
        ("faulted", "out_of_order"),
        ("unavailable", "inoperative"),
        ("planned", "planned"),
        ("removed", "removed"),
        ("unknown", "unknown"),
        ("extendedG", "unknown"),
    ],
)
def test_status_has_the_codes_of_ocpi_beside_the_native_word(rows: Rows, native: str, code: str) -> None:
    assert rows(told(state(native)))["charge_point_status"] == [
        {
            "charge_point_id": "DE*MUS*E1*1",
            "observed_at": datetime(2026, 7, 30, 7, 59, tzinfo=UTC),
            "status": code,
            "status_native": native,
        }
    ]


def test_the_time_is_the_points_own_even_after_publication_and_else_that_of_publication(rows: Rows) -> None:
    found = rows(told(state("available", "2026-07-30T08:00:02Z"), state("charging", None, "P2")))
    assert [row["observed_at"] for row in found["charge_point_status"]] == [
        datetime(2026, 7, 30, 8, 0, 2, tzinfo=UTC),
        datetime(2026, 7, 30, 8, tzinfo=UTC),
    ]


def test_the_other_name_of_a_points_status_is_read_too(rows: Rows) -> None:
    other = {"aegiElectricChargingPointStatus": state("available")["aegiRefillPointStatus"]}
    assert rows(told(other))["charge_point_status"][0]["status"] == "available"


def test_table_and_status_in_one_document_are_both_read(rows: Rows) -> None:
    table, status = json.loads(listed(site(point()))), json.loads(told(state("available")))
    both = {**table["payload"], **status["messageContainer"]["payload"][0]}
    assert {*rows(json.dumps(both).encode())} == {"charge_point", "charge_point_status"}


def test_the_same_in_xml(rows: Rows) -> None:
    body = b"""<d2:payload xmlns:d2="d" xmlns:egi="e" xmlns:com="c" xmlns:fac="f" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
     xsi:type="egi:EnergyInfrastructureStatusPublication"><com:publicationTime>2026-07-30T08:00:00Z</com:publicationTime>
     <egi:energyInfrastructureSiteStatus><fac:reference id="S" version="1"/>
     <egi:energyInfrastructureStationStatus><egi:refillPointStatus xsi:type="egi:ElectricChargingPointStatus">
     <fac:reference id="P" version="1"/><egi:status>outOfOrder</egi:status></egi:refillPointStatus>
     </egi:energyInfrastructureStationStatus></egi:energyInfrastructureSiteStatus></d2:payload>"""
    assert rows(body)["charge_point_status"] == [
        {
            "charge_point_id": "P",
            "observed_at": datetime(2026, 7, 30, 8, tzinfo=UTC),
            "status": "out_of_order",
            "status_native": "outOfOrder",
        }
    ]


@pytest.mark.parametrize("beginning", ["site-1", "station-1", "DE*MUS*E1"])
def test_a_status_of_a_whole_country_is_limited_by_ids(rows: Rows, beginning: str) -> None:
    assert len(rows(told(state("available")), points=(beginning,))["charge_point_status"]) == 1
    assert rows(told(state("available")), points=("DE*XYZ",))["charge_point_status"] == []


def test_of_a_table_of_a_whole_country_the_points_near_the_tenant_are_read(
    source: MakeSource, records: ReadRecords
) -> None:
    here = source("datex2", publication="charging").with_place("s", BOX)
    body = listed(site(point()), site(point("far"), locationReference=place(48.1, 11.5)))
    found = records(here, body, box=BOX)["charge_point"]
    assert [row["charge_point_id"] for row in found] == ["DE*MUS*E1*1"]


def test_a_swapped_position_is_not_passed_over_but_a_fault(source: MakeSource, records: ReadRecords) -> None:
    here = source("datex2", publication="charging").with_place("s", BOX)
    with pytest.raises(AssertionError, match="position_is_swapped"):
        records(here, listed(site(point(), locationReference=place(9.5, 51.5))), box=BOX)


def test_a_status_without_a_point_or_without_a_word_is_a_fault_of_its_row(
    source: MakeSource, records: ReadRecords
) -> None:
    nameless = {"aegiRefillPointStatus": {"status": {"value": "available"}}}
    with pytest.raises(AssertionError, match="required_field_is_empty"):
        records(source("datex2", publication="charging"), told(state("available"), nameless))


def test_a_publication_without_changes_is_empty_and_no_error(rows: Rows) -> None:
    assert rows(told()) == {"charge_point_status": []}


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"<d2LogicalModel/>", b'{"energyInfrastructureSite":[{}]}', b""]
)
def test_what_is_no_publication_of_charging_is_an_error(rows: Rows, body: bytes) -> None:
    with pytest.raises(ReadError):
        rows(body)


def test_points_are_named_of_charging_only(source: MakeSource) -> None:
    with pytest.raises(ValidationError, match="only with publication: charging"):
        source("datex2", points=("a",))


def test_what_a_source_brings_depends_on_its_publication(source: MakeSource) -> None:
    assert source("datex2").record_types() == {"parking_site", "parking_status"}
    assert source("datex2", publication="situations").record_types() == {"event"}
    brought = source("datex2", publication="charging").record_types()
    assert brought == {"charge_point", "charge_point_status"}


@given(data=st.data())
def test_damaged_publications_are_no_crash(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([listed(site(point())), told(state("available"))]))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    noise = data.draw(st.binary(max_size=8) | st.text('[]{}":,<>/ 1', max_size=6).map(str.encode))
    for body in (whole[:start] + noise + whole[end:], whole[:end] + noise + whole[start:]):
        with suppress(ReadError):
            assert [found.frame.height >= 0 for found in read_charging_tables(body, (), "de")]


def test_what_a_status_says_besides_and_a_station_without_points_are_told(
    source: MakeSource, read: ReadBody
) -> None:
    more = state("charging")
    more["aegiRefillPointStatus"] |= {"currentChargingPower": 11000, "energyRateUpdate": [], "fault": []}
    (found,) = read(source("datex2", publication="charging"), told(more))
    assert (found.unknown_fields, found.notes) == (("currentChargingPower",), ())
    (found,) = read(source("datex2", publication="charging"), told())
    assert [note.text for note in found.notes] == [
        "1 station(s) say nothing of their points, and have no status (station-1)"
    ]


def test_a_test_of_charging_is_not_published(source: MakeSource, read: ReadBody) -> None:
    body = json.loads(told(state("charging")))
    publication = body["messageContainer"]["payload"][0]["aegiEnergyInfrastructureStatusPublication"]
    publication["headerInformation"] = {"informationStatus": {"value": "test"}}
    (found,) = read(source("datex2", publication="charging"), json.dumps(body).encode())
    assert found.frame.height == 0
    assert [note.code for note in found.notes] == ["exercises_and_tests"]


def test_states_that_are_called_otherwise_are_an_error(rows: Rows) -> None:
    body = told(state("charging")).replace(b'"status"', b'"pointStatus"')
    with pytest.raises(ReadError, match=r"no status of any point; they have .*pointStatus"):
        rows(body)
