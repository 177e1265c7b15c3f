"""Situations of DATEX II as events: versions 2 and 3, XML and JSON, and what publishers do with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from civitas_assets.connectors.datex2.datex2_situations import read_event_table
from civitas_assets.errors import ReadError
from tests.connectors.conftest import MakeSource, ReadBody, ReadRecords

Rows = Callable[..., list[dict[str, Any]]]
BOX = (9.0, 51.0, 10.0, 52.0)

SECOND = """<?xml version="1.0" encoding="UTF-8"?>
<d2:d2LogicalModel modelBaseVersion="2" xmlns:d2="http://datex2.eu/schema/2/2_0"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <d2:payloadPublication xsi:type="d2:SituationPublication" lang="de">
  <d2:publicationTime>2026-07-30T10:00:00+02:00</d2:publicationTime>
  <d2:situation id="S1" version="4">
   <d2:overallSeverity>high</d2:overallSeverity>
   <d2:situationVersionTime>2026-07-29T09:00:00+02:00</d2:situationVersionTime>
   <d2:headerInformation><d2:informationStatus>real</d2:informationStatus></d2:headerInformation>
   <d2:situationRecord xsi:type="d2:ConstructionWorks" id="R1" version="2">
    <d2:situationRecordCreationTime>2026-07-01T08:00:00+02:00</d2:situationRecordCreationTime>
    <d2:situationRecordVersionTime>2026-07-28T08:00:00+02:00</d2:situationRecordVersionTime>
    <d2:validity><d2:validityStatus>definedByValidityTimeSpec</d2:validityStatus>
     <d2:validityTimeSpecification>
      <d2:overallStartTime>2026-08-01T06:00:00+02:00</d2:overallStartTime>
      <d2:overallEndTime>2026-09-01T18:00:00+02:00</d2:overallEndTime>
     </d2:validityTimeSpecification></d2:validity>
    <d2:generalPublicComment><d2:comment><d2:values>
      <d2:value lang="en">New bridge</d2:value><d2:value lang="de">Neubau der Brücke</d2:value>
    </d2:values></d2:comment></d2:generalPublicComment>
    <d2:generalPublicComment><d2:comment><d2:values><d2:value lang="de">Einspurig</d2:value></d2:values></d2:comment>
    </d2:generalPublicComment>
    <d2:nonGeneralPublicComment><d2:comment><d2:values><d2:value>intern</d2:value></d2:values></d2:comment>
    </d2:nonGeneralPublicComment>
    <d2:groupOfLocations xsi:type="d2:Linear">
     <d2:locationForDisplay><d2:latitude>51.51</d2:latitude><d2:longitude>9.51</d2:longitude></d2:locationForDisplay>
     <d2:linearExtension><d2:linearExtended><d2:gmlLineString srsDimension="2">
      <d2:posList>51.50 9.50 51.51 9.51 51.52 9.53</d2:posList></d2:gmlLineString></d2:linearExtended>
     </d2:linearExtension>
     <d2:roadNumber>B3</d2:roadNumber><d2:roadName><d2:values><d2:value>Hauptstraße</d2:value></d2:values></d2:roadName>
    </d2:groupOfLocations>
    <d2:constructionWorkType>constructionWork</d2:constructionWorkType>
   </d2:situationRecord>
   <d2:situationRecord xsi:type="d2:RoadOrCarriagewayOrLaneManagement" id="R2" version="1">
    <d2:severity>low</d2:severity>
    <d2:validity><d2:validityStatus>active</d2:validityStatus></d2:validity>
    <d2:groupOfLocations xsi:type="d2:Point"><d2:pointByCoordinates><d2:pointCoordinates>
      <d2:latitude>51.5</d2:latitude><d2:longitude>9.5</d2:longitude>
    </d2:pointCoordinates></d2:pointByCoordinates></d2:groupOfLocations>
    <d2:roadOrCarriagewayOrLaneManagementType>roadClosed</d2:roadOrCarriagewayOrLaneManagementType>
   </d2:situationRecord>
  </d2:situation>
 </d2:payloadPublication>
</d2:d2LogicalModel>""".encode()

THIRD = b"""<mc:messageContainer xmlns:mc="m" xmlns:sit="s" xmlns:com="c" xmlns:loc="l" modelBaseVersion="3"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <mc:payload xsi:type="sit:SituationPublication" lang="de">
  <com:publicationTime>2026-07-30T08:00:00Z</com:publicationTime>
  <sit:situation id="S1">
   <sit:situationRecord xsi:type="sit:MaintenanceWorks" id="R1" version="1">
    <sit:severity>none</sit:severity>
    <sit:validity><com:validityStatus>suspended</com:validityStatus><com:validityTimeSpecification>
      <com:overallStartTime>2026-07-01T00:00:00Z</com:overallStartTime></com:validityTimeSpecification></sit:validity>
    <sit:locationReference xsi:type="loc:LocationGroupByList">
     <loc:locationContainedInGroup xsi:type="loc:LinearLocation"><loc:gmlLineString srsDimension="3">
       <loc:posList>51.1 9.1 200 51.2 9.2 210</loc:posList></loc:gmlLineString></loc:locationContainedInGroup>
     <loc:locationContainedInGroup xsi:type="loc:LinearLocation"><loc:gmlLineString>
       <loc:posList>51.3 9.3 51.4 9.4</loc:posList></loc:gmlLineString></loc:locationContainedInGroup>
    </sit:locationReference>
    <sit:roadMaintenanceType>resurfacingWork</sit:roadMaintenanceType>
    <sit:roadMaintenanceType>roadMarkingWork</sit:roadMaintenanceType>
   </sit:situationRecord>
  </sit:situation>
 </mc:payload>
</mc:messageContainer>"""


def record(name: str = "sitAccident", **more: Any) -> dict[str, Any]:
    """A record of version 3 as JSON has it."""
    own: dict[str, Any] = {
        "idG": "R1",
        "versionG": "1",
        "validity": {
            "validityStatus": {"value": "active"},
            "validityTimeSpecification": {"overallStartTime": "2026-07-30T06:00:00Z"},
        },
        "generalPublicComment": [{"comment": {"values": [{"lang": "de", "value": "Unfall\nmit Stau"}]}}],
        "locationReference": {
            "locPointLocation": {
                "pointByCoordinates": {"pointCoordinates": {"latitude": 51.5, "longitude": 9.5}},
                "supplementaryPositionalDescription": {"locationDescription": "Kreuzung am Markt"},
            }
        },
    }
    return {name: {**own, **more}}


def published(*records: dict[str, Any], envelope: str = "container", **more: Any) -> bytes:
    """A publication in one of the envelopes that are in use."""
    content = {
        "publicationTime": "2026-07-30T08:00:00Z",
        "situation": [{"idG": "S1", "situationRecord": [*records], **more}],
    }
    payload = {"modelBaseVersionG": "3", "sitSituationPublication": content}
    envelopes = {
        "container": {"messageContainer": {"payload": [payload], "exchangeInformation": {"x": [[]]}}},
        "payload": {"payload": payload},
        "root": payload,
        "D2Payload": {"D2Payload": {"feedType": "SituationPublication", **content}},
    }
    return json.dumps(envelopes[envelope]).encode()


@pytest.fixture
def rows(source: MakeSource, records: ReadRecords) -> Rows:
    """Events of a document."""

    def read(body: bytes, **settings: Any) -> list[dict[str, Any]]:
        found = records(source("datex2", publication="situations", **settings), body)
        events: list[dict[str, Any]] = found["event"]
        return [
            {**event, "geometry": shapely.from_wkb(event["geometry"]).wkt} if "geometry" in event else event
            for event in events
        ]

    return read


def test_version_2_has_an_event_for_each_record_of_a_situation(rows: Rows) -> None:
    works, closure = rows(SECOND)
    assert works == {
        "event_id": "S1/R1",
        "event_type": "roadworks",
        "event_type_native": "ConstructionWorks: constructionWork",
        "title": "Neubau der Brücke",
        "description": "Neubau der Brücke\nEinspurig",
        "start_at": datetime(2026, 8, 1, 4, tzinfo=UTC),
        "end_at": datetime(2026, 9, 1, 16, tzinfo=UTC),
        "severity": "high",
        "severity_native": "high",
        "status": "planned",
        "status_native": "definedByValidityTimeSpec",
        "place_name": "B3, Hauptstraße",
        "changed_at": datetime(2026, 7, 28, 6, tzinfo=UTC),
        "lon": 9.51,
        "lat": 51.51,
        "geometry": "LINESTRING (9.5 51.5, 9.51 51.51, 9.53 51.52)",
    }
    assert closure == {
        "event_id": "S1/R2",
        "event_type": "closure",
        "event_type_native": "RoadOrCarriagewayOrLaneManagement: roadClosed",
        "severity": "low",
        "severity_native": "low",
        "status": "active",
        "status_native": "active",
        "changed_at": datetime(2026, 7, 29, 7, tzinfo=UTC),
        "lon": 9.5,
        "lat": 51.5,
        "geometry": "POINT (9.5 51.5)",
    }


def test_comments_that_are_not_for_the_public_are_not_read(rows: Rows) -> None:
    assert "intern" not in str(rows(SECOND))


def test_the_language_is_taken_where_it_is_offered(rows: Rows) -> None:
    assert [rows(SECOND, language=language)[0]["title"] for language in ("de", "en", "fr")] == [
        "Neubau der Brücke",
        "New bridge",
        "New bridge",
    ]


def test_version_3_in_xml_with_several_lines_and_heights(rows: Rows) -> None:
    (works,) = rows(THIRD)
    assert works["geometry"] == "MULTILINESTRING ((9.1 51.1, 9.2 51.2), (9.3 51.3, 9.4 51.4))"
    assert works["event_type_native"] == "MaintenanceWorks: resurfacingWork, roadMarkingWork"
    assert (works["event_type"], works["status"]) == ("roadworks", "suspended")
    assert (works["severity_native"], "severity" in works) == ("none", False)
    assert "end_at" not in works


@pytest.mark.parametrize("envelope", ["container", "payload", "root", "D2Payload"])
def test_version_3_in_json_in_every_envelope(rows: Rows, envelope: str) -> None:
    assert rows(published(record(), envelope=envelope)) == [
        {
            "event_id": "S1/R1",
            "event_type": "accident",
            "event_type_native": "Accident",
            "title": "Unfall",
            "description": "Unfall\nmit Stau",
            "start_at": datetime(2026, 7, 30, 6, tzinfo=UTC),
            "status": "active",
            "status_native": "active",
            "place_name": "Kreuzung am Markt",
            "lon": 9.5,
            "lat": 51.5,
            "geometry": "POINT (9.5 51.5)",
        }
    ]


def test_a_byte_order_mark_and_texts_without_languages_do_no_harm(rows: Rows) -> None:
    body = published(record(generalPublicComment=[{"comment": "Kürzer"}]))
    (event,) = rows(b"\xef\xbb\xbf" + body)
    assert (event["title"], "description" in event) == ("Kürzer", False)
    assert rows(b"\xef\xbb\xbf" + SECOND) == rows(SECOND)


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16"])
def test_xml_is_read_in_the_character_set_that_it_declares_itself(rows: Rows, encoding: str) -> None:
    body = SECOND.decode().replace('encoding="UTF-8"', f'encoding="{encoding}"').encode(encoding)
    assert rows(body)[0]["title"] == "Neubau der Brücke"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("sitMaintenanceWorks", "roadworks"),
        ("sitAbnormalTraffic", "congestion"),
        ("sitVehicleObstruction", "obstruction"),
        ("sitPoorEnvironmentConditions", "weather"),
        ("sitPublicEvent", "public_event"),
        ("sitReroutingManagement", "traffic_other"),
        ("sitRoadOrCarriagewayOrLaneManagement", "traffic_other"),
    ],
)
def test_classes_of_records_have_codes(rows: Rows, kind: str, code: str) -> None:
    (event,) = rows(published(record(kind)))
    assert (event["event_type"], event["event_type_native"]) == (code, kind.removeprefix("sit"))


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("2026-07-30T07:59:59Z", None, "active"),
        ("2026-07-30T10:00:01+02:00", None, "planned"),
        ("2026-07-01T00:00:00Z", "2026-07-30T07:59:59Z", "ended"),
        (None, None, "active"),
    ],
)
def test_a_status_that_follows_from_the_times_is_that_of_the_publication(
    rows: Rows, start: str | None, end: str | None, status: str
) -> None:
    times = {"overallStartTime": start, "overallEndTime": end}
    validity = {"validityStatus": {"value": "definedByValidityTimeSpec"}, "validityTimeSpecification": times}
    assert rows(published(record(validity=validity)))[0]["status"] == status


@pytest.mark.parametrize(("mark", "status"), [("cancel", "cancelled"), ("end", "ended")])
def test_a_record_that_is_taken_back_says_so(rows: Rows, mark: str, status: str) -> None:
    management = {"lifeCycleManagement": {mark: True}}
    assert rows(published(record(management=management)))[0]["status"] == status


def test_of_several_versions_of_a_record_the_latest_counts_wherever_it_stands(rows: Rows) -> None:
    ninth, tenth = (record(versionG=v, generalPublicComment=[{"comment": v}]) for v in ("9", "10"))
    for order in ((ninth, tenth), (tenth, ninth)):
        assert [event["title"] for event in rows(published(*order))] == ["10"]


def test_exercises_and_tests_are_no_events_and_are_told(
    rows: Rows, source: MakeSource, read: ReadBody
) -> None:
    header = {"informationStatus": {"value": "technicalExercise"}}
    body = published(record(), headerInformation=header)
    assert rows(body) == []
    (found,) = read(source("datex2", publication="situations"), body)
    assert [note.text for note in found.notes] == [
        "exercises and tests are not published: 1 with informationStatus technicalExercise"
    ]


def test_what_a_record_says_besides_is_named(source: MakeSource, read: ReadBody) -> None:
    body = published(
        record(impact={"delays": {"delayTimeValue": 60}}, source={}, accidentType=[{"value": "x"}])
    )
    (found,) = read(source("datex2", publication="situations"), body)
    assert found.unknown_fields == ("impact",)


def test_the_status_of_the_publication_holds_for_all_its_situations(rows: Rows) -> None:
    header = b"<headerInformation><informationStatus>test</informationStatus></headerInformation>"
    assert len(rows(SECOND)) == 2
    assert rows(SECOND.replace(b"<d2:situation ", header + b"<d2:situation ", 1)) == []


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ({"validPeriod": [{"startOfPeriod": "2026-08-14T06:00:00Z"}]}, "planned"),
        ({"validPeriod": [{"endOfPeriod": "2026-07-29T06:00:00Z"}]}, "ended"),
        ({"validPeriod": [{"recurringSpecialDay": [{"specialDayType": {"value": "publicHoliday"}}]}]}, None),
    ],
)
def test_periods_within_the_times_count_and_what_cannot_be_decided_is_told(
    source: MakeSource, read: ReadBody, written: dict[str, Any], status: str | None
) -> None:
    times = {"overallStartTime": "2026-07-01T00:00:00Z", **written}
    validity = {"validityStatus": {"value": "definedByValidityTimeSpec"}, "validityTimeSpecification": times}
    (found,) = read(source("datex2", publication="situations"), published(record(validity=validity)))
    assert found.frame["status"].to_list() == [status]
    assert [note.code for note in found.notes] == ([] if status else ["status_not_decided"])


def test_a_publication_without_situations_is_empty_and_no_error(rows: Rows) -> None:
    assert rows(b'{"payload":{"sitSituationPublication":{"publicationTime":"2026-07-30T08:00:00Z"}}}') == []
    kind = b'<p xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="sit:SituationPublication"/>'
    assert rows(kind) == []


@pytest.mark.parametrize("body", [b"{}", b"[]", b"1", b"<html/>", b"<d2LogicalModel/>", b'{"a":', b"\xff{"])
def test_what_is_no_publication_of_situations_is_an_error(rows: Rows, body: bytes) -> None:
    with pytest.raises(ReadError):
        rows(body)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ({"gmlPolygon": [{"exterior": {"posList": "51 9 51 10 52 10 51 9"}}]}, "POLYGON ((9 51, 10 51, 10 52, 9 51))"),
        ({"gmlLineString": {"locGmlLineString": {"posList": "51.1 9.1"}}}, "POINT (9.1 51.1)"),
        ({"gmlLineString": {"posList": [51.1, 9.1, 51.2, 9.2]}}, "LINESTRING (9.1 51.1, 9.2 51.2)"),
        (
            {
                "linearByCoordinates": {
                    "linearCoordinatesStartPoint": {"pointCoordinates": {"latitude": 51.1, "longitude": 9.1}},
                    "linearCoordinatesEndPoint": {"pointCoordinates": {"latitude": 51.2, "longitude": 9.2}},
                }
            },
            "MULTIPOINT ((9.1 51.1), (9.2 51.2))",
        ),
        ({"alertCLinear": {"alertCLocationCountryCode": "D"}}, None),
        (
            {"gmlPolygon": [{"exterior": {"posList": "51 9 51 10 52 10 51 9"}, "interior": [
                {"posList": "51.2 9.7 51.2 9.8 51.3 9.8 51.2 9.7"}]}]},
            "POLYGON ((9 51, 10 51, 10 52, 9 51), (9.7 51.2, 9.8 51.2, 9.8 51.3, 9.7 51.2))",
        ),
        ({"gmlLineString": {"pos": ["51.1 9.1", "51.2 9.2"]}}, "LINESTRING (9.1 51.1, 9.2 51.2)"),
        (
            {"gmlLineString": {"srsName": "urn:ogc:def:crs:OGC:1.3:CRS84", "posList": "9.1 51.1 9.2 51.2"}},
            "LINESTRING (9.1 51.1, 9.2 51.2)",
        ),
        (
            {"gmlLineString": {"srsName": "urn:ogc:def:crs:EPSG::4326", "posList": "51.1 9.1 51.2 9.2"}},
            "LINESTRING (9.1 51.1, 9.2 51.2)",
        ),
        ({"gmlLineString": {"srsName": "EPSG:25832", "posList": "500000 5700000"}}, "POINT (9 51.4511822)"),
    ],
    ids=[
        "area", "a line of one point", "numbers", "ends of a line", "a code alone", "area with a hole",
        "single positions", "longitude first", "named as usual", "metres",
    ],
)  # fmt: skip
def test_forms_of_locations(rows: Rows, location: dict[str, Any], expected: str | None) -> None:
    (event,) = rows(published(record(locationReference={"locAreaLocation": location})))
    assert event.get("geometry") == expected


def test_a_point_that_only_maps_show_is_a_position_and_no_geometry(rows: Rows) -> None:
    display = {"coordinatesForDisplay": {"latitude": 51.5, "longitude": 9.5}}
    (event,) = rows(published(record(locationReference={"locAreaLocation": display})))
    assert (event["lon"], event["lat"], "geometry" in event) == (9.5, 51.5, False)


@pytest.mark.parametrize("written", ["51.1 9.1 51.2", "51.1 9.1 51.2 x"])
def test_a_line_with_half_a_position_is_a_fault_of_its_event_only(
    source: MakeSource, records: ReadRecords, written: str
) -> None:
    broken = record(
        locationReference={"locLinearLocation": {"gmlLineString": {"posList": written}}}, idG="R2"
    )
    with pytest.raises(AssertionError, match="geometry_is_unreadable"):
        records(source("datex2", publication="situations"), published(record(), broken))


def test_of_a_whole_country_the_events_near_the_tenant_are_read(
    source: MakeSource, records: ReadRecords
) -> None:
    def at(name: str, posits: str) -> dict[str, Any]:
        return record(
            idG=name, locationReference={"locLinearLocation": {"gmlLineString": {"posList": posits}}}
        )

    through, elsewhere = at("through", "51.5 8.0 51.5 11.0"), at("elsewhere", "48.1 11.5 48.2 11.5")
    nowhere = record(idG="nowhere", locationReference={})
    body = published(record(), through, elsewhere, nowhere)
    here = source("datex2", publication="situations").with_place("s", BOX)
    found = records(here, body, box=BOX)["event"]
    assert [event["event_id"] for event in found] == ["S1/R1", "S1/through", "S1/nowhere"]


def test_depth_without_end_is_an_error_and_no_crash(rows: Rows) -> None:
    for deep in (
        b'{"situation":' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        b'{"a":' * 200_000,
        b"[" * 200_000,
        b"<a>" * 5000 + b"</a>" * 5000,
    ):
        with pytest.raises(ReadError):
            rows(deep)
    inside = b"<generalPublicComment>" + b"<a>" * 5000 + b"x" + b"</a>" * 5000 + b"</generalPublicComment>"
    record = b'<situationRecord id="R">' + inside + b"</situationRecord>"
    assert rows(b'<situation id="S">' + record + b"</situation>") == [{"event_id": "S/R"}]


@given(data=st.data())
def test_damaged_publications_are_no_crash(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([SECOND, THIRD, published(record())]))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    noise = data.draw(st.binary(max_size=8) | st.text('[]{}":,<>/ 1', max_size=6).map(str.encode))
    for body in (whole[:start] + noise + whole[end:], whole[:end] + noise + whole[start:]):
        with suppress(ReadError):
            assert read_event_table(body, "de", ZoneInfo("Europe/Berlin")).frame.height >= 0


def test_times_without_an_offset_are_those_of_the_tenant_unless_the_source_has_a_rule(rows: Rows) -> None:
    times = {"overallStartTime": "2026-07-30T06:00:00", "overallEndTime": "2026-07-30T18:00:00Z"}
    body = published(record(validity={"validityTimeSpecification": times}))
    (event,) = rows(body)
    assert event["start_at"] == datetime(2026, 7, 30, 4, tzinfo=UTC)
    assert event["end_at"] == datetime(2026, 7, 30, 18, tzinfo=UTC)


def test_locations_without_coordinates_are_counted(source: MakeSource, read: ReadBody) -> None:
    coded = {"locPointLocation": {"locAlertCPoint": {"alertCLocation": {"specificLocation": 12345}}}}
    (found,) = read(
        source("datex2", publication="situations"),
        published(
            record(locationReference=coded), record(idG="R2"), record(idG="R3", locationReference=None)
        ),
    )
    assert [note.text for note in found.notes] == [
        "1 event(s) have a location without coordinates, such as a code (S1/R1)"
    ]
