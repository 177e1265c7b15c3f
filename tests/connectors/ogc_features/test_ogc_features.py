"""OGC API Features and WFS: pages are followed to their end, what is missing is noticed, and records are exact."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import shapely
from pydantic import ValidationError

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.ogc_features.ogc_features import OgcFeaturesConnector
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import Note, RawTable
from civitas_assets.records.geometry import parse_geometry_column
from tests.connectors.conftest import FakeSession, MakeSession, MakeSource, ReadBody, ReadRecords

ROOT = "https://data.example/v1"
BOX = (11.4, 50.8, 11.8, 51.1)
HOSPITALS: dict[str, Any] = {
    "record_type": "place",
    "collection": "app:krankenhaeuser_hh",
    "feature_id": "place_id",
    "fields": {"name": "name", "address": "strasse", "city": "ort", "website": "homepage"},
}


def geojson(ids: Iterable[int], **more: Any) -> bytes:
    features = [{"type": "Feature", "id": i, "geometry": None, "properties": {"nr": f"0{i}"}} for i in ids]
    return json.dumps({"type": "FeatureCollection", "features": features, **more}).encode()


def gml(ids: Iterable[int], **attributes: Any) -> bytes:
    said = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    members = "".join(f'<wfs:member><a:c gml:id="c.{i}"><a:nr>{i}</a:nr></a:c></wfs:member>' for i in ids)
    spaces = (
        'xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:a="a"'
    )
    return f"<wfs:FeatureCollection {spaces} {said}>{members}</wfs:FeatureCollection>".encode()


def parameters(request: Request) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(request.url).query).items()}


class Asker:
    """Fetches by answers to requests, in the tenant's box, and tells what was asked for, and what was noted."""

    def __init__(self, source: MakeSource) -> None:
        self._source = source
        self.requests: list[Request] = []
        self.notes: list[Note] = []

    def __call__(self, answer: Callable[[Request], Any], **settings: Any) -> list[Request]:
        declared = self._source("ogc_features", **{"record_type": "place", "collection": "c", **settings})
        asked = FakeSession(answer)
        self.requests, self.notes = asked.requests, asked.notes
        days = Window(date(2026, 8, 1), date(2026, 8, 2))
        OgcFeaturesConnector().fetch(declared.with_place("s", BOX), days, ZoneInfo("Europe/Berlin"), asked)
        return self.requests


@pytest.fixture
def ask(source: MakeSource) -> Asker:
    return Asker(source)


def test_next_links_are_followed_until_there_is_none(ask: Asker) -> None:
    pages = {
        "": geojson([1, 2], numberMatched=5, links=[{"rel": "next", "href": "?cursor=b"}]),
        "b": geojson(
            [3, 4], numberMatched=5, links=[{"rel": "next", "href": "/v1/collections/c/items?cursor=c"}]
        ),
        "c": geojson([5], numberMatched=5, links=[{"rel": "prev", "href": "?cursor=b"}]),
    }
    first, *others = ask(lambda request: pages[parameters(request).get("cursor", "")], page_size=2)
    assert first.url.partition("?")[0] == f"{ROOT}/collections/c/items"
    assert parameters(first) == {"f": "json", "limit": "2", "bbox": "11.4,50.8,11.8,51.1"}
    assert [request.url for request in others] == [f"{ROOT}/collections/c/items?cursor={x}" for x in "bc"]
    assert all("geo+json" in request.headers["Accept"] for request in (first, *others))


def test_an_empty_page_ends_it_although_it_links_further(ask: Asker) -> None:
    link = [{"rel": "next", "href": "?offset=10"}]
    assert len(ask(lambda request: geojson([], links=link))) == 1


def test_items_are_asked_for_as_the_tenant_s_file_says(ask: Asker) -> None:
    settings = {
        "collection": "bäume/alt",
        "filter": "art = 'Linde' AND höhe > 10",
        "datetime": "window",
        "within_bbox": False,
        "query": {"f": "application/geo+json"},
        "url": f"{ROOT}/?token=x",
    }
    (request,) = ask(lambda request: geojson([]), **settings)
    assert request.url.startswith(f"{ROOT}/collections/b%C3%A4ume%2Falt/items?token=x&limit=1000")
    assert parameters(request) == {
        "token": "x",
        "limit": "1000",
        "datetime": "2026-07-31T22:00:00Z/2026-08-02T22:00:00Z",
        "filter": "art = 'Linde' AND höhe > 10",
        "filter-lang": "cql2-text",
    }


def test_fewer_items_than_match_are_an_error_after_all_have_landed(ask: Asker) -> None:
    link = [{"rel": "next", "href": "?offset=2"}]
    with pytest.raises(FetchError, match=r"c of https://data.example/v1: 3 of 4 came: the server's paging"):
        ask(lambda r: geojson([2, 3], numberMatched=4) if "offset" in r.url else geojson([1, 2], links=link))
    assert [parameters(request).get("offset") for request in ask.requests] == [None, "1", "3"]


@pytest.mark.parametrize("total", [None, 5, 2])
def test_without_a_link_pages_are_asked_for_by_offset_until_one_brings_nothing_new(
    total: int | None, ask: Asker
) -> None:
    """A server with a ceiling of its own, which may say no total, the right one, or one that it cuts as well."""
    said = {} if total is None else {"numberMatched": total}

    def answer(request: Request) -> bytes:
        first = int(parameters(request).get("offset", 0))
        return geojson(range(first, min(first + 2, 5)), **said)

    offsets = [parameters(request).get("offset") for request in ask(answer)]
    assert offsets == [None, "2", "4", *(["5"] if total is None else [])]
    assert not ask.notes


@pytest.mark.parametrize("other", [geojson([1, 2]), b"<ExceptionReport/>", None])
def test_an_end_that_nothing_proves_is_noted(other: bytes | None, ask: Asker) -> None:
    ask(lambda r: other if "offset" in r.url else geojson([1, 2]))
    (note,) = ask.notes
    assert note.code == "end_unproven"
    assert note.text.startswith("c of https://data.example/v1: 2 came; the service names neither a total nor")
    ask(lambda r: other if "offset" in r.url else geojson([1, 2], numberMatched=2))
    assert not ask.notes, "a total that is reached is enough, where the service leaves the question aside"


@pytest.mark.parametrize(
    "flag", [{"exceededTransferLimit": True}, {"properties": {"exceededTransferLimit": True}}]
)
def test_a_service_that_says_that_there_is_more_is_believed(flag: dict[str, Any], ask: Asker) -> None:
    with pytest.raises(FetchError, match="2 came, and the server says that there are more"):
        ask(lambda r: geojson([] if "offset" in r.url else [1, 2], numberMatched=2, **flag))


@pytest.mark.parametrize("repeats", [True, False])
def test_features_without_ids_are_known_by_what_they_are(repeats: bool, ask: Asker) -> None:
    """A service that leaves the question for more aside does not go on for ever, and one that repeats is noticed."""

    def page(*names: str) -> bytes:
        found = [{"type": "Feature", "geometry": None, "properties": {"name": name}} for name in names]
        return json.dumps({"type": "FeatureCollection", "features": found}).encode()

    def answer(request: Request) -> bytes:
        if "offset" not in request.url or not repeats:
            return page("a", "b", "b")
        return page("b", "c") if "offset=3" in request.url else page()

    if repeats:
        with pytest.raises(FetchError, match=r"1 of 5 came more than once"):
            ask(answer)
        return
    assert len(ask(answer)) == 2
    assert [note.code for note in ask.notes] == ["end_unproven"]


def test_a_number_that_json_lacks_hides_no_page(ask: Asker) -> None:
    ask(lambda r: geojson([1], numberMatched=1) if "offset" not in r.url else geojson([]))
    wrong = geojson([1]).replace(b'"features"', b'"height": NaN, "features"')
    assert len(ask(lambda r: geojson([]) if "offset" in r.url else wrong)) == 2


def test_what_a_complaint_answers_to_the_question_for_more_is_no_fault_of_the_data(
    source: MakeSource, read: ReadBody
) -> None:
    declared = source("ogc_features", api="wfs2", **HOSPITALS)
    assert read(declared, REPORT, "further") == []
    assert read(declared, b'{"error": {"code": 400}}', "further") == []
    with pytest.raises(ReadError, match="reports an error"):
        read(declared, REPORT, "features")


def test_links_to_the_root_that_a_service_believes_to_have_are_followed_at_its_url(ask: Asker) -> None:
    link = [{"rel": "next", "href": "http://localhost:5000/collections/c/items?offset=2"}]
    settings = {"advertised_url": "http://localhost:5000/", "url": f"{ROOT}/?f=json"}
    _, second = ask(
        lambda r: geojson([2, 3]) if "offset" in r.url else geojson([1, 2], links=link), **settings
    )
    assert second.url == f"{ROOT}/collections/c/items?offset=1"


def test_pages_that_overlap_are_an_error(ask: Asker) -> None:
    link = [{"rel": "next", "href": "?offset=2"}]
    with pytest.raises(FetchError, match=r"3 of 4 came \(1 of 4 came more than once\)"):
        ask(
            lambda r: (
                geojson([2, 1, 3], numberMatched=4) if "offset" in r.url else geojson([1, 2], links=link)
            )
        )


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("<http://www.opengis.net/def/crs/EPSG/0/25832>", None),
        (
            "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>",
            r"is in EPSG:4326 \(http://www.opengis.net/def/crs/OGC/1.3/CRS84\), not",
        ),
        ("<http://www.opengis.net/def/crs/EPSG/0/3857>", r"is in EPSG:3857 \(http.*\), not in EPSG:25832"),
        ("<urn:x:local>", r"is in a system \(urn:x:local\), not"),
        (None, "is in longitude and latitude, not in EPSG:25832: leave crs out"),
    ],
)
def test_the_answer_says_that_it_is_in_the_reference_system_that_was_asked_for(
    header: str | None, error: str | None, source: MakeSource, session: MakeSession
) -> None:
    asked = session(lambda request: geojson([1]))
    crawl = asked.crawl

    def with_header(requests: Any, follow: Any = None) -> Any:
        def heard(answer: Payload) -> Any:
            said = {"content-crs": header} if header else {}
            return follow(replace(answer, headers=said)) if follow else ()

        return crawl(requests, heard)

    asked.crawl = with_header  # type: ignore[method-assign]
    declared = source("ogc_features", record_type="place", collection="c", crs="EPSG:25832")
    days = Window(date(2026, 8, 1), date(2026, 8, 2))
    if error is None:
        OgcFeaturesConnector().fetch(declared, days, ZoneInfo("UTC"), asked)
    else:
        with pytest.raises(ReadError, match=error):
            OgcFeaturesConnector().fetch(declared, days, ZoneInfo("UTC"), asked)
    assert parameters(asked.requests[0])["crs"] == "http://www.opengis.net/def/crs/EPSG/0/25832"


def test_pages_of_a_wfs_are_counted_by_their_members(ask: Asker) -> None:
    """The recorded service says that the number is unknown, and that none was returned, and brings members."""

    def answer(request: Request) -> bytes:
        asked = parameters(request)
        if asked.get("resultType") == "hits":
            return gml([], numberMatched="5", numberReturned="0")
        start = int(asked["startIndex"])
        return gml(range(start, min(start + 2, 5)), numberMatched="unknown", numberReturned="0")

    hits, *pages = ask(answer, api="wfs2", collection="a:c", page_size=2, sort_by="nr", format="GML32")
    common = {
        "service": "WFS",
        "version": "2.0.0",
        "request": "GetFeature",
        "typeNames": "a:c",
        "bbox": "50.8,11.4,51.1,11.8,urn:ogc:def:crs:EPSG::4326",
    }
    assert parameters(hits) == {**common, "resultType": "hits"}
    assert [parameters(page) for page in pages] == [
        {**common, "outputFormat": "GML32", "sortBy": "nr", "count": "2", "startIndex": str(start)}
        for start in (0, 2, 4)
    ]


def turned_service(request: Request) -> bytes:
    """Takes the numbers of the box as east, north, whatever is asked for."""
    asked = parameters(request)
    west, south, east, north = map(float, asked["bbox"].split(",")[:4])
    ids = range(3) if west < 11.6 < east and south < 51 < north else []
    if asked.get("resultType") == "hits":
        return gml([], numberMatched=str(len(ids)))
    return gml([*ids][int(asked.get("startIndex", 0)) :], numberMatched="unknown")


@pytest.mark.parametrize("api", ["wfs2", "wfs11"])
def test_where_a_box_finds_nothing_its_numbers_are_turned_which_is_noted(api: str, ask: Asker) -> None:
    asked = ask(turned_service, api=api)
    boxes = [parameters(request)["bbox"] for request in asked]
    assert boxes[0] == "50.8,11.4,51.1,11.8,urn:ogc:def:crs:EPSG::4326"
    assert boxes[-1] == "11.4,50.8,11.8,51.1,EPSG:4326"
    assert {request.role for request in asked if request.role != "hits"} == {"features", "further"}
    (note,) = [note for note in ask.notes if note.code == "bbox_turned"]
    assert "set bbox_order: east_north" in note.text
    asked = ask(turned_service, api=api, bbox_order="east_north")
    assert {parameters(request)["bbox"] for request in asked} == {"11.4,50.8,11.8,51.1,EPSG:4326"}
    assert not [note for note in ask.notes if note.code == "bbox_turned"]


def test_a_service_that_has_nothing_or_refuses_the_other_order_is_no_error(ask: Asker) -> None:
    assert len(ask(lambda request: gml([], numberMatched="0"), api="wfs2")) > 2
    assert ask.notes == []

    def refuses(request: Request) -> bytes:
        named = "urn:ogc" in parameters(request)["bbox"]
        return gml([], numberMatched="0") if named else b"<ExceptionReport/>"

    ask(refuses, api="wfs2")
    assert ask.notes == []
    before = len(ask(lambda request: gml([], numberMatched="0"), api="wfs2", bbox_order="north_east"))
    assert before == len(ask(lambda request: gml([], numberMatched="0"), api="wfs2", within_bbox=False))


def test_the_first_line_of_a_complaint_in_json_is_shown(ask: Asker) -> None:
    complaint = b'{"code": "InvalidParameterValue", "description": "limit is above 500\\nsee the manual"}'
    with pytest.raises(ReadError, match=r"is no collection of features: limit is above 500$"):
        ask(lambda request: complaint)


def test_hits_that_are_cut_where_its_pages_are_do_not_end_a_wfs(ask: Asker) -> None:
    """MapServer counts no further than its own limit, and gives what comes after it when asked."""

    def answer(request: Request) -> bytes:
        start = int(parameters(request).get("startIndex", 0))
        found = [] if "resultType" in request.url else range(start, min(start + 2, 5))
        return gml(found, numberMatched="2")

    starts = [parameters(request).get("startIndex") for request in ask(answer, api="wfs2")]
    assert starts == [None, "0", "2", "4"]


@pytest.mark.parametrize("hits", [b"<ServiceExceptionReport/>", b"{}", None])
def test_without_a_number_an_empty_page_is_the_end(hits: bytes | None, ask: Asker) -> None:
    def answer(request: Request) -> bytes | None:
        asked = parameters(request)
        if "resultType" in asked:
            return hits
        more = {"next": "https://elsewhere.example/"} if asked["startIndex"] == "2" else {}
        pages = {"0": gml([1, 2], **more), "2": gml([3], **more), "3": gml([4]), "4": gml([])}
        return pages[asked["startIndex"]]

    starts = [parameters(request).get("startIndex") for request in ask(answer, api="wfs2", page_size=2)]
    assert starts == [None, "0", "2", "3", "4"]


def test_a_service_that_does_not_know_pages_is_noticed(ask: Asker) -> None:
    with pytest.raises(
        FetchError, match=r"2 of 4 came \(2 of 4 came more than once\): set sort_by to an attribute that"
    ):
        ask(lambda r: gml([1, 2], numberMatched="4"), api="wfs2", page_size=2)


def test_a_service_that_stops_early_is_noticed(ask: Asker) -> None:
    def answer(request: Request) -> bytes:
        return gml([1, 2] if parameters(request).get("startIndex") == "0" else [], numberMatched="4")

    with pytest.raises(FetchError, match="2 of 4 came: set sort_by"):
        ask(answer, api="wfs2", page_size=2)


def test_pages_of_a_wfs_may_be_geojson(ask: Asker) -> None:
    def answer(request: Request) -> bytes:
        start = int(parameters(request).get("startIndex", 0))
        return geojson(range(start, min(start + 2, 3)), totalFeatures=3)

    requests = ask(answer, api="wfs2", page_size=2, format="application/json", crs="EPSG:25832")
    assert [parameters(request).get("startIndex") for request in requests] == [None, "0", "2"]
    assert parameters(requests[1])["srsName"] == "urn:ogc:def:crs:EPSG::25832"


def test_version_1_1_is_one_answer_and_says_when_it_is_not_all(ask: Asker) -> None:
    def answer(request: Request) -> bytes:
        # In this version an answer's number is that of its own features, but for hits.
        return gml([], numberOfFeatures=3) if "resultType" in request.url else gml([1, 2], numberOfFeatures=2)

    with pytest.raises(FetchError, match=r"2 of 3 came: version 1\.1 has no pages; set a larger page_size"):
        ask(answer, api="wfs11", collection="a:c", page_size=2)
    assert parameters(ask.requests[-1]) == {
        "service": "WFS",
        "version": "1.1.0",
        "request": "GetFeature",
        "typeName": "a:c",
        "bbox": "50.8,11.4,51.1,11.8,urn:ogc:def:crs:EPSG::4326",
        "maxFeatures": "2",
    }
    ask(lambda request: gml([1, 2], numberOfFeatures=2), api="wfs11", page_size=2)
    assert "2 features came, which is the limit, and the service counts no more" in ask.notes[0].text
    with pytest.raises(FetchError, match="2 features came, which is the limit: set a larger page_size"):
        ask(lambda request: gml([1, 2]), api="wfs11", page_size=2)
    *_, further = ask(lambda request: gml([1, 2]), api="wfs11", page_size=3)
    assert (further.role, parameters(further)["startIndex"]) == ("further", "2"), "some services know it"


def test_a_ceiling_of_version_1_1_is_passed_where_the_service_knows_how(ask: Asker) -> None:
    """MapServer counts no further than its ceiling, in hits as in answers."""

    def answer(request: Request) -> bytes:
        start = int(parameters(request).get("startIndex", 0))
        return gml([] if "resultType" in request.url else [*range(5)][start : start + 2], numberOfFeatures=2)

    asked = ask(answer, api="wfs11", page_size=100)
    assert [parameters(request).get("startIndex") for request in asked] == [None, None, "2", "4"]
    assert ask.notes == []


REPORT = b"""<?xml version="1.0"?>
<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1" version="2.0.0">
  <ows:Exception exceptionCode="InvalidParameterValue" locator="typeNames">
    <ows:ExceptionText>Feature type a:c
      is unknown</ows:ExceptionText></ows:Exception></ows:ExceptionReport>"""


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (REPORT, "reports an error: InvalidParameterValue: Feature type a:c is unknown"),
        (
            b'<ServiceExceptionReport><ServiceException code="A">no</ServiceException></ServiceExceptionReport>',
            "A: no",
        ),
        (b"<ExceptionReport/>", "an error without a text"),
    ],
)
def test_a_report_of_an_error_is_one_though_it_comes_as_a_success(
    report: bytes, text: str, ask: Asker, source: MakeSource, read: ReadBody
) -> None:
    with pytest.raises(ReadError, match=text):
        ask(lambda request: report, api="wfs2")
    with pytest.raises(ReadError, match=text):
        read(source("ogc_features", api="wfs2", **HOSPITALS), report, "features")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"datetime": "window", "api": "wfs2"}, "datetime has no meaning with api: wfs2"),
        ({"sort_by": "a"}, "sort_by has no meaning with api: oaf"),
        ({"sort_by": "a", "api": "wfs11"}, "sort_by has no meaning with api: wfs11"),
        ({"format": "GML2"}, "format has no meaning with api: oaf"),
        ({"bbox_order": "east_north"}, "bbox_order has no meaning with api: oaf"),
        (
            {"filter": "a=1", "api": "wfs2"},
            "filter and bbox exclude each other in a WFS: set within_bbox: false",
        ),
        ({"crs": "EPSG:31468"}, "crs EPSG:31468 has its northing first"),
    ],
)
def test_settings_that_mean_nothing_together_are_a_fault_of_the_file(
    settings: dict[str, Any], message: str, source: MakeSource
) -> None:
    with pytest.raises(ValidationError, match=message):
        source("ogc_features", record_type="place", collection="c", **settings)


def test_of_what_is_not_mapped_nothing_is_kept_and_pages_are_followed_all_the_same(
    source: MakeSource, ask: Asker, read: ReadBody
) -> None:
    settings = {"fields": {"name": "nr"}, "feature_id": "place_id", "store": "mapped"}
    declared = source("ogc_features", record_type="place", collection="c", **settings)
    link = [{"rel": "next", "href": "?offset=1"}]
    page = json.loads(geojson([1], numberMatched=2, links=link))
    page["features"][0]["properties"]["kontakt"] = {"telefon": "0251 4711"}
    body = declared.redact_answer("features", json.dumps(page).encode())
    assert b"4711" not in body
    assert read(declared, body, "features")[0].frame.select("place_id", "name").rows() == [(1, "01")]
    assert len(ask(lambda r: geojson([2], numberMatched=2) if "offset" in r.url else body, **settings)) == 2
    assert declared.redact_answer("hits", b'<a numberMatched="2"/>') == b'<a numberMatched="2"/>'
    with pytest.raises(ReadError, match="is GML, of which nothing can be left out: set format"):
        declared.redact_answer("features", gml([1]))
    with pytest.raises(ReadError, match="reports an error: no"):
        declared.redact_answer(
            "features", b"<ExceptionReport><ExceptionText>no</ExceptionText></ExceptionReport>"
        )


def test_an_answer_in_the_shape_of_the_standard(source: MakeSource, records: ReadRecords) -> None:
    """OGC 17-069r4, clause 7.16: numbers may be texts, and the links of a page lead to itself as well."""
    building = {
        "type": "Feature",
        "id": "123",
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[7.1, 50.7], [7.2, 50.7], [7.2, 50.8], [7.1, 50.8], [7.1, 50.7]]],
        },
        "properties": {"function": "residential", "floors": "2", "lastUpdate": "2015-08-01T12:34:56Z"},
    }
    body = {
        "type": "FeatureCollection",
        "links": [
            {"href": "https://data.example/v1/collections/buildings/items?f=json", "rel": "self"},
            {"href": "https://data.example/v1/collections/buildings/items?f=html", "rel": "alternate"},
        ],
        "timeStamp": "2018-04-03T14:52:23Z",
        "numberMatched": 1,
        "numberReturned": 1,
        "features": [building],
    }
    settings = {"record_type": "area_feature", "collection": "buildings", "feature_id": "feature_id"}
    declared = source("ogc_features", **settings, fields={"feature_class": "function"}, rest="attributes")
    (row,) = records(declared, json.dumps(body).encode(), "features")["area_feature"]
    assert (row["feature_id"], row["feature_class"]) == ("123", "residential")
    assert json.loads(row["attributes"]) == {"floors": "2", "lastUpdate": "2015-08-01T12:34:56Z"}
    assert shapely.from_wkb(row["geometry"]).area == pytest.approx(0.01)


@pytest.mark.parametrize(("crs", "numbers"), [("4326", "50.9 11.6"), ("31468", "5640000 4471000")])
def test_short_names_with_the_northing_first_are_turned_into_town_which_is_noted(
    crs: str, numbers: str, source: MakeSource, read: ReadBody
) -> None:
    def places(numbers: str, crs: str, **settings: Any) -> RawTable:
        spot = f'<gml:Point srsName="{crs}"><gml:pos>{numbers}</gml:pos></gml:Point>'
        body = gml([1]).replace(b"</a:c>", f"<a:ort>{spot}</a:ort></a:c>".encode())
        declared = source("ogc_features", record_type="place", collection="c", api="wfs11", **settings)
        (found,) = read(declared.with_place("s", BOX), body, "features")
        return found

    def spot(found: RawTable) -> Any:
        shapes = parse_geometry_column(found.frame["geometry"], f"EPSG:{crs}")
        return shapes.lon[0], shapes.lat[0]

    turned = places(numbers, f"EPSG:{crs}")
    assert spot(turned) == pytest.approx((11.6, 50.9), abs=0.02)
    assert [note.code for note in turned.notes] == ["axes_turned"]
    other = " ".join(reversed(numbers.split()))
    for found in (
        places(other, f"EPSG:{crs}"),
        places(numbers, f"urn:ogc:def:crs:EPSG::{crs}"),
        places(numbers, f"EPSG:{crs}", axis_order="north_east"),
    ):
        assert spot(found) == pytest.approx((11.6, 50.9), abs=0.02)
        assert found.notes == ()
    assert places("1 2", f"EPSG:{crs}").notes == (), "elsewhere is elsewhere"


def test_a_wfs_is_filtered_by_the_words_of_its_vendor(ask: Asker) -> None:
    settings = {"api": "wfs11", "filter": "name LIKE 'A%'", "within_bbox": False, "url": f"{ROOT}?map=/a.map"}
    *_, request = ask(lambda request: gml([]), **settings)
    assert request.url.startswith(f"{ROOT}?map=/a.map&service=WFS&")
    assert parameters(request)["cql_filter"] == "name LIKE 'A%'"
    assert "bbox" not in parameters(request)


def test_the_recorded_districts_of_hamburg_in_version_2(
    source: MakeSource, records: ReadRecords, payloads: Path
) -> None:
    declared = source(
        "ogc_features",
        api="wfs2",
        collection="dog:Kreise",
        record_type="area_feature",
        feature_id="feature_id",
        fields={"name": "geographicIdentifier"},
        rest="attributes",
    )
    body = (payloads / "wfs" / "hamburg_wfs20_numberMatched_unknown.xml").read_bytes()
    found = records(declared, body, "features", box=(9.7, 53.3, 10.4, 53.8))["area_feature"]
    shapes = [shapely.from_wkb(row.pop("geometry")) for row in found]
    assert [(shape.x, shape.y) for shape in shapes] == [(row["lon"], row["lat"]) for row in found]
    assert [json.loads(row.pop("attributes"))["kreisschluessel"] for row in found] == ["02;4;10", "02;4;08"]
    assert found == [
        {"feature_id": "HH_KRS_91435", "name": "Barmbek-Nord", "lon": 10.0511872, "lat": 53.5956311},
        {"feature_id": "HH_KRS_91450", "name": "Barmbek-Süd", "lon": 10.0380469, "lat": 53.5775078},
    ]


def test_the_recorded_hospitals_of_hamburg_in_version_1_1(
    source: MakeSource, records: ReadRecords, payloads: Path
) -> None:
    declared = source("ogc_features", api="wfs11", rest="attributes", **HOSPITALS)
    body = (payloads / "wfs" / "testFeatures.xml").read_bytes()
    found = records(declared, body, "features", box=(9.7, 53.3, 10.4, 54.0))["place"]
    assert len(found) == 41
    first = found[0]
    assert shapely.from_wkb(first.pop("geometry")).geom_type == "Point"
    assert json.loads(first.pop("attributes")) == {
        "anzahl_plaetze_teilstationaer": "43",
        "anzahl_planbetten": "252",
        "geburtsklinik_differenziert": "Nein",
        "kh_nummer": "20",
        "krankenhausverzeichnis": "www.krankenhausverzeichnis.de|www.google.com|www.hamburg.de",
        "stand": "01.01.2016",
        "teilnahme_geburtsklinik": "Nein",
        "teilnahme_notversorgung": "false",
    }
    assert first == {
        "place_id": "APP_KRANKENHAEUSER_HH_9",
        "name": "Evangelisches Krankenhaus Alsterdorf",
        "address": "Bodelschwinghstraße 24",
        "city": "22337  Hamburg",
        "website": "http://www.evangelisches-krankenhaus-alsterdorf.de",
        "lon": 10.023512,
        "lat": 53.614118,
    }


def test_a_recorded_collection_without_members_has_no_rows(
    source: MakeSource, read: ReadBody, payloads: Path
) -> None:
    body = (payloads / "wfs" / "emptyFeatureCollection.gml").read_bytes()
    (table,) = read(source("ogc_features", api="wfs2", **HOSPITALS), body, "features")
    assert table.frame.is_empty()
