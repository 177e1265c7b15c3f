"""DATEX II parking: recorded Aachen, both extensions and version 3, what is the car park's own, and hostile XML."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.errors import ReadError
from tests.connectors.conftest import MakeSource, ReadBody, ReadRecords

Rows = Callable[[bytes], dict[str, list[dict[str, Any]]]]

OLDER = b"""<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" modelBaseVersion="2"><payloadPublication>
<publicationTime>2026-07-30T10:00:00+02:00</publicationTime><genericPublicationExtension>
<parkingFacilityTableStatusPublication>
<parkingFacility id="A"><parkingFacilityName><values><value lang="de">Altstadt</value></values></parkingFacilityName>
<totalParkingCapacity>90</totalParkingCapacity></parkingFacility>
<parkingFacilityStatus><parkingFacilityReference id="A"/>
<parkingFacilityStatus>closed</parkingFacilityStatus>
<totalNumberOfVacantParkingSpaces>12</totalNumberOfVacantParkingSpaces></parkingFacilityStatus>
</parkingFacilityTableStatusPublication></genericPublicationExtension></payloadPublication></d2LogicalModel>"""


@pytest.fixture
def rows(source: MakeSource, records: ReadRecords) -> Rows:
    """Records of a document in Aachen."""
    found: Rows = partial(records, source("datex2"), box=(5.97, 50.66, 6.22, 50.86))
    return found


def test_the_recorded_table_of_aachen(rows: Rows, payloads: Path) -> None:
    sites = rows((payloads / "datex2" / "aachen-static.xml").read_bytes())["parking_site"]
    assert sites[0] == {
        "site_id": "P1",
        "name": "P01-Eurogress",
        "site_type": "car_park",
        "site_type_native": "multiStorey, offStreetParking",
        "capacity": 560,
        "lon": 6.0927987,
        "lat": 50.780552,
    }
    assert len(sites) == len({site["site_id"] for site in sites}) == 17
    assert sum(site.get("capacity", 0) for site in sites) == 6641
    assert Counter(site["site_type"] for site in sites) == {"car_park": 17}
    assert {site["site_id"] for site in sites if "capacity" not in site} == {"P13", "P17"}


def test_the_recorded_status_of_aachen(rows: Rows, payloads: Path) -> None:
    states = rows((payloads / "datex2" / "aachen-realtime.xml").read_bytes())["parking_status"]
    assert states[0] == {
        "site_id": "P1",
        "observed_at": datetime(2025, 2, 7, 19, 5, 34, 176000, tzinfo=UTC),
        "free": 412,
        "occupied": 148,
        "capacity": 560,
        "opening_status": "open",
        "opening_status_native": "open",
    }
    assert len({state["site_id"] for state in states}) == len(states)
    assert all(state["observed_at"].tzinfo for state in states)


def test_the_older_extension_without_prefixes_and_without_a_time_of_its_own(rows: Rows) -> None:
    found = rows(OLDER)
    assert found["parking_site"] == [{"site_id": "A", "name": "Altstadt", "capacity": 90}]
    assert found["parking_status"] == [
        {
            "site_id": "A",
            "observed_at": datetime(2026, 7, 30, 8, tzinfo=UTC),
            "free": 12,
            "opening_status": "closed",
            "opening_status_native": "closed",
        }
    ]


XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
GROUPS = (
    '<groupOfParkingSpaces groupIndex="0"><groupOfParkingSpaces><parkingNumberOfSpaces>4</parkingNumberOfSpaces>'
    "</groupOfParkingSpaces></groupOfParkingSpaces>"
)
GROUP_STATES = (
    '<groupOfParkingSpacesStatus groupIndex="0"><groupOfParkingSpacesStatus><parkingNumberOfVacantSpaces>2'
    "</parkingNumberOfVacantSpaces></groupOfParkingSpacesStatus></groupOfParkingSpacesStatus>"
)
REFERENCE = '<parkingRecordReference id="A" version="1" targetClass="ParkingRecord"/>'


def table(*records: str, header: str = "") -> bytes:
    """A table of version 2 with records of these contents, the first one with the id A."""
    inner = "".join(
        f'<parkingRecord {XSI} id="{chr(65 + number)}" version="1" xsi:type="UrbanParkingSite">{record}</parkingRecord>'
        for number, record in enumerate(records)
    )
    return publication(
        f"<parkingTablePublication>{header}<parkingTable>{inner}</parkingTable></parkingTablePublication>"
    )


def states(*records: str, header: str = "") -> bytes:
    """A status publication of version 2."""
    inner = "".join(f"<parkingRecordStatus>{record}</parkingRecordStatus>" for record in records)
    return publication(f"<parkingStatusPublication>{header}{inner}</parkingStatusPublication>")


def publication(content: str) -> bytes:
    return (
        f"<d2LogicalModel><payloadPublication><publicationTime>2026-07-30T10:00:00Z</publicationTime>"
        f"<genericPublicationExtension>{content}</genericPublicationExtension></payloadPublication></d2LogicalModel>"
    ).encode()


@pytest.fixture
def told(source: MakeSource, read: ReadBody) -> Callable[[bytes], list[str]]:
    """Codes of the notes on a document."""
    return lambda body: [note.code for found in read(source("datex2"), body) for note in found.notes]


def test_a_car_park_has_its_own_number_and_not_that_of_a_group(
    rows: Rows, told: Callable[[bytes], list[str]]
) -> None:
    body = table(f"{GROUPS}<parkingNumberOfSpaces>120</parkingNumberOfSpaces>", GROUPS)
    assert rows(body)["parking_site"] == [{"site_id": "A", "capacity": 120}, {"site_id": "B"}]
    assert told(body) == ["groups_not_summed"]


def test_a_status_is_that_of_the_car_park_and_not_of_a_group(
    rows: Rows, told: Callable[[bytes], list[str]]
) -> None:
    own = "<parkingOccupancy><parkingNumberOfVacantSpaces>60</parkingNumberOfVacantSpaces></parkingOccupancy>"
    part = "<parkingOccupancy><parkingOccupancy>50.0</parkingOccupancy></parkingOccupancy>"
    first, second = rows(states(f"{GROUP_STATES}{REFERENCE}{own}", f"{REFERENCE}{part}{GROUP_STATES}"))[
        "parking_status"
    ]
    assert (first["free"], "free" in second) == (60, False)
    assert told(states(f"{REFERENCE}{part}{GROUP_STATES}")) == ["groups_not_summed", "percentage_alone"]


def test_a_count_below_zero_is_none_and_costs_nothing_else(
    rows: Rows, told: Callable[[bytes], list[str]]
) -> None:
    body = states(
        f"{REFERENCE}<parkingOccupancy><parkingNumberOfVacantSpaces>-1</parkingNumberOfVacantSpaces>"
        "<parkingNumberOfOccupiedSpaces>12</parkingNumberOfOccupiedSpaces></parkingOccupancy>"
    )
    (row,) = rows(body)["parking_status"]
    assert ("free" in row, row["occupied"]) == (False, 12)
    assert told(body) == ["negative_counts"]


@pytest.mark.parametrize("kind", ["test", "technicalExercise", "securityExercise"])
def test_exercises_and_tests_are_told_and_not_published(
    rows: Rows, told: Callable[[bytes], list[str]], kind: str
) -> None:
    header = f"<headerInformation><informationStatus>{kind}</informationStatus></headerInformation>"
    assert rows(table("", header=header)) == {"parking_status": []}
    assert rows(states(REFERENCE, header=header)) == {"parking_status": []}
    assert told(states(REFERENCE, header=header)) == ["exercises_and_tests"]


def test_the_position_is_that_of_the_place_before_that_of_its_entrance(rows: Rows) -> None:
    def at(lat: float, lon: float) -> str:
        return (
            f"<pointByCoordinates><pointCoordinates><latitude>{lat}</latitude><longitude>{lon}</longitude>"
            "</pointCoordinates></pointByCoordinates>"
        )

    entrance = f"<parkingAccess><accessLocation>{at(50.71, 6.01)}</accessLocation></parkingAccess>"
    area = (
        "<parkingLocation><gmlPolygon><exterior><linearRing><posList>50.7 6.0 50.7 6.1 50.8 6.1 50.8 6.0 50.7 6.0"
        "</posList></linearRing></exterior></gmlPolygon></parkingLocation>"
    )
    body = table(f"{entrance}<parkingLocation>{at(50.7, 6.0)}</parkingLocation>", entrance, area, "")
    places = [(site.get("lon"), site.get("lat")) for site in rows(body)["parking_site"]]
    assert places == [(6.0, 50.7), (6.01, 50.71), (6.05, 50.75), (None, None)]


def test_coordinates_that_are_none_are_a_fault_and_not_passed_over(rows: Rows) -> None:
    point = "<pointCoordinates><latitude>Nord</latitude><longitude>6.0</longitude></pointCoordinates>"
    with pytest.raises(AssertionError, match="not_a_number"):
        rows(table(f"<parkingLocation>{point}</parkingLocation>"))


def test_of_several_versions_of_a_car_park_the_latest_counts(rows: Rows) -> None:
    body = table(
        "<parkingNumberOfSpaces>9</parkingNumberOfSpaces>", "<parkingNumberOfSpaces>7</parkingNumberOfSpaces>"
    )
    body = body.replace(b'id="B" version="1"', b'id="A" version="2"')
    assert rows(body)["parking_site"] == [{"site_id": "A", "capacity": 7}]
    assert rows(body.replace(b'version="1"', b'version="10"'))["parking_site"] == [
        {"site_id": "A", "capacity": 9}
    ]


def test_texts_are_those_of_the_language_also_with_a_region(rows: Rows) -> None:
    name = (
        '<parkingName><values><value lang="en-GB">Main Station</value><value lang="de-AT">Bahnhof</value></values>'
        "</parkingName>"
    )
    assert rows(table(name))["parking_site"][0]["name"] == "Bahnhof"


def test_what_nobody_reads_is_named(source: MakeSource, read: ReadBody) -> None:
    body = states(
        f"{REFERENCE}<parkingOccupancy><parkingNumberOfVehicles>3</parkingNumberOfVehicles></parkingOccupancy>"
    )
    (found,) = read(source("datex2"), body)
    assert found.unknown_fields == ("parkingNumberOfVehicles",)


THIRD = f"""<d2:payload xmlns:d2="d" xmlns:prk="p" xmlns:com="c" xmlns:loc="l" {XSI} xsi:type="prk:KIND">
<com:publicationTime>2026-07-30T10:00:00Z</com:publicationTime>CONTENT</d2:payload>"""
THIRD_TABLE = """<prk:parkingTable id="T" version="1">
<prk:parkingRecord xsi:type="prk:UrbanParkingSite" id="P" version="4">
<prk:parkingName><com:values><com:value lang="de">Mitte</com:value></com:values></prk:parkingName>
<prk:parkingNumberOfSpaces>500</prk:parkingNumberOfSpaces><prk:parkingLocation xsi:type="loc:PointLocation">
<loc:pointByCoordinates><loc:pointCoordinates><loc:latitude>50.7</loc:latitude><loc:longitude>6.0</loc:longitude>
</loc:pointCoordinates></loc:pointByCoordinates></prk:parkingLocation><prk:groupOfParkingSpaces groupIndex="7">
<prk:parkingSpaceBasics xsi:type="prk:GroupOfParkingSpaces"><prk:parkingNumberOfSpaces>12</prk:parkingNumberOfSpaces>
</prk:parkingSpaceBasics></prk:groupOfParkingSpaces><prk:parkingLayout>multiStorey</prk:parkingLayout>
</prk:parkingRecord></prk:parkingTable>"""
THIRD_STATUS = """<prk:parkingRecordStatus xsi:type="prk:ParkingSiteStatus">
<prk:parkingRecordReference id="P" version="4"/>
<prk:parkingStatusOriginTime>2026-07-30T09:00:00Z</prk:parkingStatusOriginTime><prk:parkingOccupancy>
<prk:parkingNumberOfVacantSpaces>40</prk:parkingNumberOfVacantSpaces></prk:parkingOccupancy>
<prk:parkingSiteOpeningStatus>open</prk:parkingSiteOpeningStatus></prk:parkingRecordStatus>"""
LATER_STATUS = """<prk:parkingStatusInformation xsi:type="prk:PlaceStatus"><fac:reference xmlns:fac="f" id="P"/>
<fac:lastUpdated xmlns:fac="f">2026-07-30T09:00:00Z</fac:lastUpdated>
<fac:openingStatus xmlns:fac="f">open</fac:openingStatus>
<prk:occupancy><prk:numberOfVacantSpaces>40</prk:numberOfVacantSpaces><prk:occupancy>92</prk:occupancy></prk:occupancy>
</prk:parkingStatusInformation>"""
SITE = {
    "site_id": "P",
    "name": "Mitte",
    "site_type": "car_park",
    "site_type_native": "multiStorey",
    "capacity": 500,
    "lon": 6.0,
    "lat": 50.7,
}
STATUS = {
    "site_id": "P",
    "observed_at": datetime(2026, 7, 30, 9, tzinfo=UTC),
    "free": 40,
    "opening_status": "open",
    "opening_status_native": "open",
}


@pytest.mark.parametrize("prefix", ["prk", "par", "ns2"])
@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("ParkingTablePublication", THIRD_TABLE, {"parking_site": [SITE]}),
        ("ParkingStatusPublication", THIRD_STATUS, {"parking_status": [STATUS]}),
        ("ParkingStatusPublication", LATER_STATUS, {"parking_status": [STATUS]}),
        ("ParkingStatusPublication", "", {"parking_status": []}),
    ],
)
def test_version_3_under_any_prefix(rows: Rows, prefix: str, kind: str, content: str, expected: Any) -> None:
    body = THIRD.replace("KIND", kind).replace("CONTENT", content).replace("prk", prefix)
    assert rows(body.encode()) == expected


def test_version_3_in_json(rows: Rows) -> None:
    point = {
        "locPointLocation": {"pointByCoordinates": {"pointCoordinates": {"latitude": 50.7, "longitude": 6.0}}}
    }
    site = {
        "idG": "P",
        "versionG": "4",
        "parkingName": {"values": [{"lang": "de", "value": "Mitte"}]},
        "parkingNumberOfSpaces": 500,
        "parkingLocation": point,
        "parkingLayout": {"value": "multiStorey"},
    }
    status = {
        "parkingRecordReference": {"idG": "P", "versionG": "4", "targetClass": "ParkingRecord"},
        "parkingStatusOriginTime": "2026-07-30T09:00:00Z",
        "parkingOccupancy": {"parkingNumberOfVacantSpaces": 40},
        "parkingSiteOpeningStatus": {"value": "open"},
    }
    both = [
        {
            "prkParkingTablePublication": {
                "parkingTable": [{"parkingRecord": [{"prkUrbanParkingSite": site}]}]
            }
        },
        {"prkParkingStatusPublication": {"parkingRecordStatus": [{"prkParkingSiteStatus": status}]}},
    ]
    body = json.dumps({"messageContainer": {"payload": both}}).encode()
    assert rows(body) == {"parking_site": [SITE], "parking_status": [STATUS]}


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE d [<!ENTITY a "b">]><d2LogicalModel><parkingRecord id="&a;"/></d2LogicalModel>',
        b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/hostname">]><d2LogicalModel>&a;</d2LogicalModel>',
        b'<!DOCTYPE d SYSTEM "http://127.0.0.1:9/d.dtd"><d2LogicalModel/>',
    ],
    ids=["entity", "file", "document type"],
)
def test_entities_and_external_references_are_refused(rows: Rows, body: bytes) -> None:
    with pytest.raises(ReadError, match="is no XML that can be trusted"):
        rows(body)


def test_what_is_not_a_parking_publication_is_an_error(rows: Rows) -> None:
    with pytest.raises(ReadError, match="neither a parking table nor a parking status"):
        rows(b"<messageContainer/>")
    with pytest.raises(ReadError, match="neither a parking table nor a parking status"):
        rows(b"<d2LogicalModel><situation/></d2LogicalModel>")


def test_a_status_whose_members_are_called_otherwise_is_an_error_and_one_without_values_is_none(
    rows: Rows,
) -> None:
    renamed = OLDER.replace(b"totalNumberOfVacantParkingSpaces", b"vacantSpaces").replace(
        b"<parkingFacilityStatus>closed</parkingFacilityStatus>", b"<state>closed</state>"
    )
    with pytest.raises(ReadError, match="they have parkingFacilityReference, state, vacantSpaces"):
        rows(renamed)
    (state,) = rows(OLDER.replace(b">12<", b"><").replace(b">closed<", b"><"))["parking_status"]
    assert "free" not in state
