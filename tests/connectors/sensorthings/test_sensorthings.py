"""SensorThings 1.0 and 1.1: all things, datastreams and observations of the window, page by page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.sensorthings import sensorthings_tables
from civitas_assets.connectors.sensorthings.sensorthings_observations import read_row_ids
from civitas_assets.errors import ReadError
from civitas_assets.records import RECORD_TYPES, RawTable
from civitas_assets.records.origin import Origin, gather_rows
from civitas_assets.records.typing import TenantPlace, bring_into_contract
from tests.connectors.conftest import MakeSession, MakeSource, ReadBody

ROOT = "https://data.example/v1"
NOW = datetime(2026, 8, 1, 2, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
WEEK = Window(date(2026, 7, 1), date(2026, 7, 1))
Fetch = Callable[..., list[Any]]


def page(*value: Any, **more: Any) -> bytes:
    return json.dumps({"value": value, **more}).encode()


def thing(key: Any, *streams: Any, **more: Any) -> dict[str, Any]:
    return {"@iot.id": key, "Datastreams": [*streams], **more}


def stream(key: Any, **more: Any) -> dict[str, Any]:
    return {"@iot.id": key, **more}


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
def fetch(source: MakeSource, session: MakeSession) -> Fetch:
    """The requests that a crawl makes; answers are by role, or what a function says."""

    def crawl(answers: Any, window: Window = WEEK, **settings: Any) -> list[Any]:
        def answer(request: Request) -> bytes | None:
            given = answers(request) if callable(answers) else answers.get(request.role)
            return b'{"value":[]}' if given is None and request.role == "observations" else given

        asked = session(answer)
        settings = {"data_array": "never", "multi_datastreams": "never", **settings}
        CONNECTORS["sensorthings"].fetch(source("sensorthings", **settings), window, BERLIN, asked)
        return asked.requests

    return crawl


@pytest.fixture
def tables(source: MakeSource, read: ReadBody) -> Callable[..., list[Any]]:
    """The frames of a page."""

    def parse(body: bytes, role: str = "observations", **variables: str) -> list[Any]:
        variables = {"datastream_id": "7", "station_id": "s", **variables}
        return [table.frame for table in read(source("sensorthings"), body, role, **variables)]

    return parse


def test_a_crawl_starts_at_the_things_with_all_that_describes_them(fetch: Fetch) -> None:
    (things,) = fetch({"things": page()}, things_filter="name eq 'A&B'", datastreams_filter="id gt 3")
    asked = query(things.url)
    assert urlsplit(things.url).path == "/v1/Things"
    assert asked["$filter"] == "name eq 'A&B'"
    assert asked["$expand"] == "Locations,Datastreams($expand=ObservedProperty,Sensor;$filter=id gt 3)"


def test_next_links_are_followed_verbatim_with_what_their_page_knew(fetch: Fetch) -> None:
    def answers(request: Request) -> bytes | None:
        if request.role == "things":
            more = {} if "skip" in request.url else {"@iot.nextLink": "Things?$skip=1&odd=%2F"}
            return page(thing("b" if "skip" in request.url else "a", stream(1)), **more)
        return page(**{} if "skip" in request.url else {"@iot.nextLink": "https://data.example/next?skip=2"})

    requests = fetch(answers)
    assert [request.url for request in requests if request.role == "things"][
        1
    ] == f"{ROOT}/Things?$skip=1&odd=%2F"
    followed = [request for request in requests if request.url.startswith("https://data.example/next")]
    assert {request.variables["datastream_id"] for request in followed} == {"1"}
    assert {request.role for request in followed} == {"observations"}


def test_datastreams_that_did_not_fit_into_their_thing_are_fetched(fetch: Fetch) -> None:
    link = {"Datastreams@iot.nextLink": "Things('a')/Datastreams?$skip=1"}
    requests = fetch(
        {"things": page(thing("a", stream(1), **link)), "datastreams": page(stream(2), stream(3))}
    )
    (more,) = [request for request in requests if request.role == "datastreams"]
    assert (more.url, more.variables) == (f"{ROOT}/Things('a')/Datastreams?$skip=1", {"station_id": "a"})
    asked = [request.variables["datastream_id"] for request in requests if request.role == "observations"]
    assert sorted(asked) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        (7, "Datastreams(7)"),
        ("7", "Datastreams('7')"),
        ("a'b/c d", "Datastreams('a''b/c d')"),
        ("0c1f2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b", "Datastreams('0c1f2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b')"),
    ],
)
def test_ids_are_written_as_the_service_gave_them(fetch: Fetch, key: Any, path: str) -> None:
    _, request = fetch({"things": page(thing("t", stream(key)))})
    assert unquote(urlsplit(request.url).path) == f"/v1/{path}/Observations"
    assert "/c" not in urlsplit(request.url).path
    assert request.variables == {"datastream_id": str(key)}


def test_the_window_is_cut_into_half_open_slices_of_whole_local_days(fetch: Fetch) -> None:
    """Across the night in which summer time begins, a slice is an hour shorter and none overlaps another."""
    window = Window(date(2026, 3, 28), date(2026, 3, 30))
    requests = fetch({"things": page(thing("t", stream(1)))}, window, slice="1 day", page_size=5)
    asked = [query(request.url) for request in requests[1:]]
    assert [item["$filter"] for item in asked] == [
        "phenomenonTime ge 2026-03-27T23:00:00Z and phenomenonTime lt 2026-03-28T23:00:00Z",
        "phenomenonTime ge 2026-03-28T23:00:00Z and phenomenonTime lt 2026-03-29T22:00:00Z",
        "phenomenonTime ge 2026-03-29T22:00:00Z and phenomenonTime lt 2026-03-30T22:00:00Z",
    ]
    assert {(item["$top"], item["$orderby"]) for item in asked} == {("5", "phenomenonTime asc,id asc")}


def test_intervals_across_slices_are_found_where_the_source_has_them(fetch: Fetch) -> None:
    """A service calls an interval `lt` a moment only if it is over by then."""
    _, asked = fetch({"things": page(thing("t", stream(1)))}, straddling=True)
    assert query(asked.url)["$filter"] == (
        "phenomenonTime ge 2026-06-30T22:00:00Z and not (phenomenonTime ge 2026-07-01T22:00:00Z)"
    )


EXTENTS = [
    (None, True),
    ("2026-06-30T22:00:00Z/2026-06-30T22:00:00Z", True),
    ("2020-01-01T00:00:00Z/2026-06-30T22:00:00.000Z", True),
    ("2020-01-01T00:00:00Z/2026-06-30T21:59:59Z", False),
    ("2026-07-01T22:00:00Z/2026-07-02T00:00:00Z", False),
    ("2026-07-01T21:59:59Z", True),
    ("2020-01-01T00:00:00Z", False),
    ("2020-01-01T00:00:00/2021-01-01T00:00:00", True),
    ("unbekannt", True),
    (["2020-01-01T00:00:00Z"], True),
]


@pytest.mark.parametrize(("extent", "trusted"), EXTENTS)
def test_what_a_datastream_declares_saves_requests_only_where_it_is_trusted(
    fetch: Fetch, extent: Any, trusted: bool
) -> None:
    things = page(thing("t", stream(1, phenomenonTime=extent)))
    for kind, asked in (("trusted", trusted), ("ignored", True)):
        assert (len(fetch({"things": things}, slice="1 day", declared_extent=kind)) == 2) is asked


def test_a_datastream_that_declares_nothing_in_the_window_is_asked_for_it_at_once(fetch: Fetch) -> None:
    """Extents of services are wrong for months; a month of slices would be a month of empty answers."""
    window = Window(date(2026, 7, 1), date(2026, 7, 31))
    extents = ("2020-01-01T00:00:00Z", None, "2026-07-30T00:00:00Z")
    streams = (stream(key, phenomenonTime=extent) for key, extent in enumerate(extents, 1))
    requests = fetch({"things": page(thing("t", *streams))}, window, slice="1 day")
    asked = Counter(request.variables.get("datastream_id") for request in requests)
    assert asked == {None: 1, "1": 1, "2": 31, "3": 31}
    (whole,) = [request.url for request in requests if request.variables.get("datastream_id") == "1"]
    assert query(whole)["$filter"] == (
        "phenomenonTime ge 2026-06-30T22:00:00Z and phenomenonTime lt 2026-07-31T22:00:00Z"
    )


def test_datastreams_that_are_left_out_for_what_they_declare_are_told(
    source: MakeSource, session: MakeSession
) -> None:
    things = page(thing("t", stream(1, phenomenonTime="2020-01-01T00:00:00Z"), stream(2)))
    asked = session(lambda request: things if request.role == "things" else page())
    trusting = source(
        "sensorthings", declared_extent="trusted", data_array="never", multi_datastreams="never"
    )
    CONNECTORS["sensorthings"].fetch(trusting, WEEK, BERLIN, asked)
    (note,) = asked.notes
    assert note.code == "datastreams_not_asked"
    assert note.text.startswith("1 of 2 datastreams were not asked for")


def endless(request: Request) -> bytes | None:
    """Three pages of two observations each, linked to the wrong host."""
    if request.role == "things":
        return page(thing("t", stream(1)))
    number = int(query(request.url).get("$skip", "0"))
    link = {"@iot.nextLink": f"http://localhost:8080/FROST/v1.1/Observations?$skip={number + 2}"}
    seen = {"phenomenonTime": INSTANT, "result": number}
    return page(seen, seen, **link if number < 4 else {}, **{"@iot.count": TOTAL})


TOTAL = 6


def test_links_to_the_root_that_a_service_wrongly_believes_to_have_are_followed_at_its_url(
    fetch: Fetch,
) -> None:
    requests = fetch(endless, advertised_url="http://localhost:8080/FROST/v1.1/")
    assert [request.url for request in requests[2:]] == [
        f"{ROOT}/Observations?$skip=2",
        f"{ROOT}/Observations?$skip=4",
    ]
    untouched = fetch(endless, advertised_url="http://localhost:8080/FROST/v1")
    assert untouched[2].url.startswith("http://localhost:8080/FROST/v1.1/")


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("totals", [(5, 5), (9, 5), (5, 9), (None, 5), (5, None), ("5", "5")])
def test_pages_with_less_than_the_service_counts_are_an_error(
    fetch: Fetch, totals: tuple[Any, Any], compact: bool
) -> None:
    """Counts are held against the pages, whether or not they were asked for; the smallest that was named holds."""

    def pages(request: Request) -> bytes:
        if request.role == "things":
            return page(thing("t", stream(1)))
        last = "skip" in request.url
        seen: list[Any] = [{"phenomenonTime": INSTANT, "result": 1}] * 2
        if compact:
            seen = [array(["phenomenonTime", "result"], [INSTANT, 1], [INSTANT, 2])]
        more = {} if last else {"@iot.nextLink": "Observations?$skip=2"}
        total = {} if totals[last] is None else {"@iot.count": totals[last]}
        return page(*seen, **more, **total)

    if totals[0] in {None, "5"}:  # too late, or no number
        fetch(pages)
        return
    with pytest.raises(ReadError, match="pages with 4 entities, but the service counts 5"):
        fetch(pages)
    assert len(fetch(pages, count="estimated")) == 3


def test_a_thing_that_comes_twice_does_not_stand_for_one_that_never_came(fetch: Fetch) -> None:
    more = {"@iot.nextLink": f"{ROOT}/Things?$skip=2", "@iot.count": 4}

    def answer(request: Request) -> bytes:
        if request.role != "things":
            return page()
        return (
            page(thing("b", stream(2)), thing("a"), thing("c"))
            if "skip" in request.url
            else page(thing("a"), thing("b", stream(2)), **more)
        )

    with pytest.raises(
        ReadError, match=r"with 3 entities \(1 of 4 came more than once\), but the service counts 4"
    ):
        fetch(answer)


def test_without_link_and_total_what_comes_after_a_page_that_may_be_cut_is_asked_for(fetch: Fetch) -> None:
    def answer(request: Request) -> bytes:
        if request.role != "things":
            return page()
        return page(*map(thing, "jkl" if "skip" in request.url else "abcdefghij"))

    assert [request.url.partition("$skip=")[2] for request in fetch(answer)] == ["", "9"]


def test_a_total_that_is_reached_is_no_error(fetch: Fetch) -> None:
    assert len(fetch(endless)) == 4


def test_datastreams_inside_their_thing_count_towards_the_total_of_the_pages_that_follow(
    fetch: Fetch,
) -> None:
    link = {"Datastreams@iot.nextLink": "Things('a')/Datastreams?$skip=1"}
    things = page(thing("a", stream(1), **link))
    fetch({"things": things, "datastreams": page(stream(2), **{"@iot.count": 2})})
    with pytest.raises(ReadError, match="with 2 entities, but the service counts 3"):
        fetch({"things": things, "datastreams": page(stream(2), **{"@iot.count": 3})})


@pytest.mark.parametrize(
    ("mode", "root", "compact"),
    [
        ("never", True, False),
        ("always", False, True),
        ("auto", True, True),
        ("auto", False, False),
        ("auto", b"<html>", False),
        ("auto", None, False),
    ],
)
def test_data_arrays_are_asked_for_where_they_are_offered(
    fetch: Fetch, mode: str, root: Any, compact: bool
) -> None:
    offered = (
        ["http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array"] if root is True else []
    )
    if isinstance(root, bool):
        root = json.dumps({"serverSettings": {"conformance": offered}}).encode()
    requests = fetch({"root": root, "things": page(thing("t", stream(1)))}, data_array=mode)
    assert ("resultFormat=dataArray" in requests[-1].url) is compact
    assert (requests[0].role == "root") is (mode == "auto")


SETS_1_0 = [{"name": name, "url": f"{ROOT}/{name}"} for name in ("Things", "Datastreams", "Observations")]
MULTI = {"name": "MultiDatastreams", "url": f"{ROOT}/MultiDatastreams"}


def test_a_service_of_version_1_0_gets_plain_requests_for_what_its_root_lists(fetch: Fetch) -> None:
    """Its root is a list of entity sets, without settings."""
    answers = {"root": page(*SETS_1_0), "things": page(thing("t", stream(1)))}
    auto = {"data_array": "auto", "multi_datastreams": "auto", "url": "https://data.example/v1.0"}
    root, things, asked = fetch(answers, **auto)
    assert urlsplit(root.url).path == "/v1.0"
    assert "MultiDatastreams" not in things.url
    assert "resultFormat" not in asked.url


@pytest.mark.parametrize(
    ("mode", "sets", "asked"),
    [("never", None, False), ("always", None, True), ("auto", [MULTI], True), ("auto", [], False)],
)
def test_multi_datastreams_are_asked_for_with_their_things_where_they_are_listed(
    fetch: Fetch, mode: str, sets: Any, asked: bool
) -> None:
    answers = {"root": page(*SETS_1_0, *sets or ()), "things": page()}
    requests = fetch(answers, multi_datastreams=mode, multi_datastreams_filter="id gt 3")
    assert len(requests) == (2 if mode == "auto" else 1)
    expand = query(requests[-1].url)["$expand"]
    assert ("MultiDatastreams($expand=ObservedProperties,Sensor;$filter=id gt 3)" in expand) is asked
    assert ("MultiDatastreams" in expand) is asked


def test_observations_of_a_multi_datastream_know_how_many_elements_their_results_have(fetch: Fetch) -> None:
    link = {"MultiDatastreams@iot.nextLink": "Things(1)/MultiDatastreams?$skip=1"}
    several = multi("m'1", 3, phenomenonTime="2026-07-01T00:00:00Z/2026-07-02T00:00:00Z")
    requests = fetch(
        {
            "things": page(thing(1, MultiDatastreams=[several], **link)),
            "multi_datastreams": page(multi(2, 2), multi(3, 1, phenomenonTime="2020-01-01T00:00:00Z")),
        },
        declared_extent="trusted",
    )
    (more,) = (request for request in requests if request.role == "multi_datastreams")
    assert (more.url, more.variables) == (f"{ROOT}/Things(1)/MultiDatastreams?$skip=1", {"station_id": "1"})
    asked = [request for request in requests if request.role == "multi_observations"]
    assert [(unquote(urlsplit(request.url).path), request.variables) for request in asked] == [
        ("/v1/MultiDatastreams('m''1')/Observations", {"datastream_id": "m'1", "components": "3"}),
        ("/v1/MultiDatastreams(2)/Observations", {"datastream_id": "2", "components": "2"}),
    ]


def test_every_address_of_each_is_a_service(fetch: Fetch) -> None:
    requests = fetch({"things": page()}, url="https://data.example/{town}/v1.1/", each={"town": ("a", "b")})
    assert [urlsplit(request.url).path for request in requests] == ["/a/v1.1/Things", "/b/v1.1/Things"]


def test_things_become_stations_at_their_first_point(tables: Fetch) -> None:
    def at(geometry: Any) -> dict[str, Any]:
        return {"location": geometry}

    area, spot = {"type": "Polygon", "coordinates": []}, {"type": "Point", "coordinates": [10, 53.5, 7]}
    stations, _ = tables(
        page(
            thing(1, name="A", description="am Markt", Locations=[at(area), at({"geometry": spot})]),
            thing("zwei", stream(1, observedArea=spot), Locations=[]),
            thing(3, Locations=[at(None)]),
        ),
        "things",
    )
    assert stations.rows() == [
        ("1", "A", "am Markt", 10.0, 53.5),
        ("zwei", None, None, 10.0, 53.5),
        ("3", None, None, None, None),
    ]


def test_a_location_of_any_form_is_a_position_and_one_that_is_none_is_told(
    source: MakeSource, read: ReadBody
) -> None:
    spot = {"type": "Point", "coordinates": [10, 53.5]}
    forms = [
        {"type": "Feature", "properties": {}, "geometry": spot},
        {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": spot}]},
        {"type": "Polygon", "coordinates": [[[9, 53], [11, 53], [11, 54], [9, 54], [9, 53]]]},
        {"type": "LineString", "coordinates": [[10, 53.5], [10.1, 53.6]]},
        "POINT Z (10 53.5 7)",
        json.dumps(spot),
    ]
    unread = [{"href": "https://data.example/place.svg"}, {"type": "Point", "coordinates": []}]
    things = [thing(key, Locations=[{"location": form}]) for key, form in enumerate(forms + unread)]
    stations, _ = read(source("sensorthings"), page(*things), "things")
    assert stations.frame["lon"].is_between(9, 11).to_list() == [True] * 6 + [None] * 2
    assert stations.frame["lat"].is_between(53, 54).to_list() == [True] * 6 + [None] * 2
    (note,) = stations.notes
    assert note.code == "location_unreadable"
    assert note.text.startswith(
        "1 of 8 Things have no position that can be read; the location of 6 has no geo"
    )


def test_a_thing_with_several_locations_is_at_the_first_that_has_a_position(tables: Fetch) -> None:
    places = [
        {"location": form} for form in (None, "am Markt", "POINT EMPTY", "POINT (10 53)", "POINT (1 2)")
    ]
    stations, _ = tables(page(thing(1, Locations=places)), "things")
    assert stations.select("lon", "lat").rows() == [(10.0, 53.0)]


def test_datastreams_know_their_station_property_unit_and_sensor(tables: Fetch) -> None:
    full = stream(
        7,
        name="Lufttemperatur",
        description="2 m",
        unitOfMeasurement={"symbol": "°C", "name": "Grad"},
        ObservedProperty={"name": "", "definition": "http://…/temperature"},
        Sensor={"name": "PT100"},
    )
    _, streams = tables(page(thing("t", full, stream("x"))), "things")
    assert streams.rows() == [
        ("7", "t", "Lufttemperatur", "2 m", "http://…/temperature", "°C", "PT100"),
        ("x", "t", None, None, None, None, None),
    ]
    (more,) = tables(page(full), "datastreams", station_id="t9")
    assert more["station_id"].to_list() == ["t9"]


def multi(key: Any, size: int, **more: Any) -> dict[str, Any]:
    units = [{"name": f"unit {n}", "symbol": f" u{n}", "definition": "…"} for n in range(size)]
    return {
        "@iot.id": key,
        "name": "Wetterstation",
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_ComplexObservation",
        "multiObservationDataTypes": ["http://…/OM_Measurement"] * size,
        "unitOfMeasurements": units,
        "ObservedProperties": [{"@iot.id": n, "name": f"property {n}"} for n in range(size)],
        "Sensor": {"name": "WS"},
        **more,
    }


def test_each_element_of_a_multi_datastream_is_a_datastream(tables: Fetch) -> None:
    nothing = {"name": "null", "symbol": "null", "definition": "null"}
    truth = {"name": None, "symbol": None, "definition": None}
    spot = {"type": "Point", "coordinates": [10, 53.5]}
    several = multi(7, 3, observedArea=spot)
    several["unitOfMeasurements"][1:] = nothing, truth
    stations, streams = tables(page(thing("t", stream(7), MultiDatastreams=[several])), "things")
    assert stations.select("lon", "lat").rows() == [(10.0, 53.5)]
    assert streams.drop("description").rows() == [
        ("7", "t", None, None, None, None),
        ("7[0]", "t", "Wetterstation: property 0", "property 0", "u0", "WS"),
        ("7[1]", "t", "Wetterstation: property 1", "property 1", None, "WS"),
        ("7[2]", "t", "Wetterstation: property 2", "property 2", None, "WS"),
    ]
    (more,) = tables(page(several), "multi_datastreams", station_id="t9")
    assert more["station_id"].to_list() == ["t9"] * 3


def test_properties_of_another_number_than_the_elements_are_given_to_none(tables: Fetch) -> None:
    few = multi(7, 2)
    few["ObservedProperties"] = few["ObservedProperties"][1:]
    bare = {"@iot.id": 8, "multiObservationDataTypes": ["…"]}
    _, streams = tables(page(thing("t", MultiDatastreams=[few, bare])), "things")
    assert streams.select("datastream_id", "name", "observed_property", "unit").rows() == [
        ("7[0]", "Wetterstation", None, "u0"),
        ("7[1]", "Wetterstation", None, "u1"),
        ("8[0]", None, None, None),
    ]


INSTANT, SPAN = "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z/2026-07-01T00:15:00Z"
COLUMNS = ["datastream_id", "phenomenon_start", "phenomenon_end", "result_time", "value", "value_text"]


@pytest.fixture
def observed(tables: Fetch, source: MakeSource) -> Callable[[bytes], Any]:
    """The observations of a page as typed records."""

    def typed(body: bytes) -> pl.DataFrame:
        (frame,) = tables(body)
        raw = RawTable("observation", frame)
        given = source("sensorthings")
        table = gather_rows([(raw, Origin({}, "abc", NOW))], given)
        place = TenantPlace("Europe/Berlin", (11.3, 50.8, 11.8, 51.1))
        result = bring_into_contract(RECORD_TYPES["observation"], table, given, place)
        assert result.rejected.is_empty()
        return result.accepted["observation"].select(COLUMNS)

    return typed


def test_instants_and_intervals_are_told_apart(observed: Callable[[bytes], Any]) -> None:
    frame = observed(
        page(
            {"phenomenonTime": INSTANT, "result": 1, "resultTime": INSTANT},
            {"phenomenonTime": SPAN, "result": 2.5},
        )
    )
    instant, end = (datetime.fromisoformat(text) for text in (INSTANT, SPAN.partition("/")[2]))
    assert frame.rows() == [("7", instant, instant, instant, 1.0, None), ("7", instant, end, None, 2.5, None)]


def test_results_that_are_no_numbers_are_kept_as_text(observed: Callable[[bytes], Any]) -> None:
    results = [1, "2.5", "nass", None, {"a": 1}, True, " 4,6 ", "-0,25", "1,234", "4,6,7"]
    frame = observed(page(*({"phenomenonTime": INSTANT, "result": result} for result in results)))
    assert frame["value"].to_list() == [1.0, 2.5, *[None] * 4, 4.6, -0.25, None, None]
    texts = [None, None, "nass", None, '{"a":1}', "true", None, None, "1,234", "4,6,7"]
    assert frame["value_text"].to_list() == texts


QUALITIES = {
    "word": ("bad", "bad"),
    "number": (3, "3"),
    "whole decimal": (3.0, "3"),
    "truth": (False, "false"),
    "blank": (" ", None),
    "nothing": ([{}, None, "", []], None),
    "words": (["good", "good", "raw"], "good; raw"),
    "element": ([{"nameOfMeasure": "DQ_Status", "DQ_Result": {"code": "bad"}}], "DQ_Status: bad"),
    "one element": ({"nameOfMeasure": "DQ_Status", "DQ_Result": {"code": "bad"}}, "DQ_Status: bad"),
    "elements": (
        [
            {
                "nameOfMeasure": "DQ_Status",
                "DQ_Result": {"code": "https://x.example/446#3", "label": "Stufe 2"},
            },
            {"nameOfMeasure": "DQ_Level", "result": [{"value": 2, "unit": "1"}], "description": "so und so"},
        ],
        "DQ_Status: https://x.example/446#3; DQ_Status: Stufe 2; DQ_Level: 2",
    ),
    "named by its key": ({"DQ_Status": {"code": "bad"}}, "DQ_Status: bad"),
    "own words": (
        {"qc": "ok", "uncertainty": 0.5, "trusted": True},
        "qc: ok; uncertainty: 0.5; trusted: true",
    ),
    "conformance": ({"name": "DQ_Domain", "result": {"pass": False}}, "DQ_Domain: fail"),
    "code": ({"code": "bad"}, "bad"),
    "name alone": ({"nameOfMeasure": "checked"}, "checked"),
    "JSON in a text": ('{"status": "bad"}', "status: bad"),
    "half JSON in a text": ("[bad", "[bad"),
}


@pytest.mark.parametrize(("quality", "mark"), QUALITIES.values(), ids=QUALITIES)
def test_a_result_quality_of_any_form_becomes_marks(tables: Fetch, quality: Any, mark: str | None) -> None:
    judged = {"phenomenonTime": INSTANT, "result": 1, "resultQuality": quality}
    plain = {"phenomenonTime": SPAN, "result": 2}
    (frame,) = tables(page(judged, plain))
    assert frame["quality_native"].to_list() == [mark, None]
    names = ["phenomenonTime", "result", "resultQuality"]
    (frame,) = tables(page(array(names, [INSTANT, 1, quality], [SPAN, 2, None])))
    assert frame["quality_native"].to_list() == [mark, None]


def test_marks_are_asked_for_and_hold_for_each_element_of_a_result(
    fetch: Fetch, spread: Callable[..., list[RawTable]]
) -> None:
    _, asked = fetch({"things": page(thing("t", stream(1)))})
    assert "resultQuality" in query(asked.url)["$select"].split(",")
    rows = [{"phenomenonTime": INSTANT, "result": [1, 2], "resultQuality": mark} for mark in ("bad", None)]
    parts = spread(page(*rows, {"phenomenonTime": SPAN, "result": [1], "resultQuality": "raw"}), 2)
    assert [part.frame["quality_native"].to_list() for part in parts] == [["bad", None]] * 2


def test_deep_quality_ends_somewhere(tables: Fetch) -> None:
    deep = "[" * 200 + "1" + "]" * 200
    body = f'{{"value": [{{"phenomenonTime": "{INSTANT}", "result": 1, "resultQuality": {deep}}}]}}'.encode()
    (frame,) = tables(body)
    assert len(frame["quality_native"][0]) < 501


def array(components: list[str], *rows: list[Any]) -> dict[str, Any]:
    return {"Datastream@iot.navigationLink": "…", "components": components, "dataArray": [*rows]}


def test_whole_and_other_numbers_of_a_page_are_numbers(tables: Fetch) -> None:
    def results(*values: Any) -> Any:
        (frame,) = tables(
            page(*({"phenomenonTime": SPAN[:19] + f".{n}Z", "result": v} for n, v in enumerate(values)))
        )
        return frame["@result"]

    assert results(20, 20.5, None).to_list() == [20.0, 20.5, None]
    assert results(None, None).to_list() == [None, None]
    assert results(1, 10**400)[1] == str(10**400)


def test_truth_is_text_beside_numbers_of_other_pages(tables: Fetch) -> None:
    (frame,) = tables(page({"phenomenonTime": INSTANT, "result": True}))
    assert frame["@result"].to_list() == ["true"]


def test_data_arrays_give_the_same_as_plain_pages(observed: Callable[[bytes], Any]) -> None:
    plain = page(*({"phenomenonTime": INSTANT, "result": result} for result in (1, 2.5)))
    compact = page(array(["id", "phenomenonTime", "result"], [1, INSTANT, 1], [2, INSTANT, 2.5]))
    several = page(
        array(["phenomenonTime", "result"], [INSTANT, 1]),
        array(["result", "resultTime", "phenomenonTime"], [2.5, None, INSTANT]),
    )
    for body in (compact, several):
        assert observed(body).rows() == observed(plain).rows()


def test_cells_behind_the_last_component_are_left_out(observed: Callable[[bytes], Any]) -> None:
    names = ["phenomenonTime", "result"]
    longer, fitting = (
        page(array(names, [INSTANT, 1, "x"], [INSTANT, 2])),
        page(array(names, [INSTANT, 1], [INSTANT, 2])),
    )
    assert observed(longer).rows() == observed(fitting).rows()


@pytest.mark.parametrize(
    "names", [["id", "phenomenonTime", "result"], ["result", "phenomenonTime", "id"], ["result"]]
)
def test_rows_of_data_arrays_are_counted_by_their_ids_wherever_these_stand(names: list[str]) -> None:
    cells = {"id": [7, "b", None], "phenomenonTime": [INSTANT] * 3, "result": [1, {"x": []}, None]}
    body = page(array(names, *zip(*(cells[name] for name in names), strict=True)))
    assert read_row_ids(body).ids == (cells["id"] if "id" in names else [None] * 3)


def test_pages_without_observations_have_the_columns_but_no_rows(observed: Callable[[bytes], Any]) -> None:
    for body in (page(), page(array(["phenomenonTime", "result"]))):
        assert observed(body).is_empty()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (array(["result"], [1]), "without phenomenonTime or result; it has result"),
        (
            array(["phenomenonTime", "result"], [INSTANT]),
            "rows do not have its 2 components: .* at least length 2, got 1",
        ),
    ],
)
def test_data_arrays_that_do_not_fit_their_components_are_refused(
    tables: Fetch, value: Any, message: str
) -> None:
    with pytest.raises(ReadError, match=message):
        tables(page(value))


@pytest.fixture
def spread(source: MakeSource, read: ReadBody) -> Callable[..., list[RawTable]]:
    """The tables of a page of a MultiDatastream."""

    def parse(body: bytes, components: int) -> list[RawTable]:
        known = {"datastream_id": "7", "components": str(components)}
        return read(source("sensorthings"), body, "multi_observations", **known)

    return parse


@pytest.mark.parametrize("compact", [False, True])
def test_results_of_a_multi_datastream_are_spread_over_its_elements(
    spread: Callable[..., list[RawTable]], compact: bool
) -> None:
    rows: list[Any] = [
        (1, "2026-07-01T00:00:00Z", [25, 65, "klar"]),
        (2, "2026-07-01T01:00:00Z", [25.5, None, "trüb"]),
    ]
    rows.append((3, "2026-07-01T02:00:00Z", None))  # a service may say so
    if compact:
        body = page(array(["id", "phenomenonTime", "result"], *map(list, rows)))
    else:
        body = page(*({"@iot.id": k, "phenomenonTime": at, "result": r} for k, at, r in rows))
    first, second, third = (table.frame for table in spread(body, 3))
    assert [frame["datastream_id"].unique().to_list() for frame in (first, second, third)] == [
        ["7[0]"],
        ["7[1]"],
        ["7[2]"],
    ]
    assert first["@interval"].to_list() == second["@interval"].to_list() == [at for _, at, _ in rows]
    assert first["@result"].to_list() == [25.0, 25.5, None]
    assert second["@result"].to_list() == [65, None, None]
    assert third["@result"].to_list() == ["klar", "trüb", None]


def test_a_result_with_other_elements_is_a_broken_row_and_the_rest_goes_on(
    spread: Callable[..., list[RawTable]],
) -> None:
    results = ([1, True], [1], 5, {"a": 1}, [2, False])
    body = page(*({"phenomenonTime": f"2026-07-0{n}", "result": r} for n, r in enumerate(results, 1)))
    first, second = spread(body, 2)
    assert [(row.row, row.rule, row.raw) for row in first.broken] == [
        (2, "result_has_other_components", "[1]"),
        (3, "result_has_other_components", "5"),
        (4, "result_has_other_components", '{"a":1}'),
    ]
    assert not second.broken
    assert first.frame.select("@row", "@interval", "@result").rows() == [
        (1, "2026-07-01", 1),
        (5, "2026-07-05", 2),
    ]
    assert second.frame["@result"].to_list() == ["true", "false"]


@pytest.mark.parametrize("compact", [False, True])
def test_of_two_results_of_a_multi_datastream_the_one_that_counts_comes_last(
    spread: Callable[..., list[RawTable]], compact: bool
) -> None:
    rows = [(10, INSTANT, [2, 20]), (11, INSTANT, [0]), (9, INSTANT, [1, 10])]
    if compact:
        body = page(array(["@iot.id", "phenomenonTime", "result"], *map(list, rows)))
    else:
        body = page(*({"@iot.id": k, "phenomenonTime": at, "result": r} for k, at, r in rows))
    first, second = spread(body, 2)
    assert first.frame.select("@row", "@result").rows() == [(3, 1), (1, 2)]
    assert second.frame["@result"].to_list() == [10, 20]


def test_pages_of_a_multi_datastream_may_be_empty(spread: Callable[..., list[RawTable]]) -> None:
    for body in (page(), page(array(["phenomenonTime", "result"]))):
        assert [table.frame.height for table in spread(body, 2)] == [0, 0]


@pytest.mark.parametrize("role", ["observations", "multi_observations"])
@pytest.mark.parametrize("missing", ["phenomenonTime", "result"])
def test_observations_without_a_required_field_fail_and_name_it(
    tables: Fetch, role: str, missing: str
) -> None:
    given = {"phenomenonTime": INSTANT, "result": [1]}
    del given[missing]
    with pytest.raises(ReadError, match=rf"has 2 observation\(s\) without {missing}"):
        tables(page(given, given), role, components="1")


def test_fields_that_the_standard_does_not_have_are_named(source: MakeSource, read: ReadBody) -> None:
    """Links and other annotations are no fields, and what the standard has is known although it is not read."""
    seen = {"phenomenonTime": INSTANT, "result": 1, "Datastream@iot.navigationLink": "…", "validTime": None}
    things = page(thing(1, stream(2, observationType="…", licence="…"), properties={}, owner="…"))
    for body, role, unknown in (
        (page({**seen, "uncertainty": 2}), "observations", ("Observation.uncertainty",)),
        (page(seen), "observations", ()),
        (page(array(["phenomenonTime", "result", "x"], [INSTANT, 1, 2])), "observations", ("Observation.x",)),
        (things, "things", ("Thing.owner", "Datastream.licence")),
        (page(stream(2, licence="…")), "datastreams", ("Datastream.licence",)),
    ):
        found = read(source("sensorthings"), body, role, datastream_id="7", station_id="1")
        assert {name for table in found for name in table.unknown_fields} == {*unknown}


# What follows has the shapes of the examples in OGC 15-078r6 and 18-088: ids and links as they write them, all
# properties of an entity, navigation links beside expanded entities, times with any offset.


def test_a_thing_in_the_shape_of_the_standard(tables: Fetch) -> None:
    def links(entity: str, *names: str) -> dict[str, str]:
        return {f"{name}@iot.navigationLink": f"{entity}/{name}" for name in names}

    property_ = {"@iot.id": 1, "@iot.selfLink": f"{ROOT}/ObservedProperties(1)", "name": "Feuchte"}
    series_ = {
        "@iot.id": 1,
        "@iot.selfLink": f"{ROOT}/Datastreams(1)",
        "name": "Feuchte im Keller",
        "description": "relative Feuchte",
        "unitOfMeasurement": {"name": "Prozent", "symbol": "%", "definition": "http://…/ucum.html#para-29"},
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        "observedArea": {"type": "Polygon", "coordinates": [[[9, 50], [10, 50], [10, 51], [9, 50]]]},
        "phenomenonTime": "2026-03-01T13:00:00Z/2026-07-11T15:30:00Z",
        "resultTime": "2026-03-01T13:00:00Z/2026-07-11T15:30:00Z",
        "ObservedProperty": {**property_, **links("ObservedProperties(1)", "Datastreams")},
        "Sensor": {"@iot.id": 1, "name": "HY-1", "encodingType": "application/pdf", "metadata": "http://…"},
        **links("Datastreams(1)", "Thing", "Sensor", "ObservedProperty", "Observations"),
    }
    keller = {
        "@iot.id": 1,
        "@iot.selfLink": f"{ROOT}/Things(1)",
        "name": "Keller",
        "description": "ein feuchter",
        "properties": {"Eigentümer": "Stadt"},
        "Locations": [
            {
                "@iot.id": 1,
                "name": "Hof",
                "encodingType": "application/geo+json",
                "location": {"type": "Feature", "geometry": {"type": "Point", "coordinates": [9.5, 50.5]}},
            }
        ],
        "Datastreams@iot.count": 1,
        "Datastreams": [series_],
        **links("Things(1)", "Locations", "Datastreams", "HistoricalLocations"),
    }
    station = ("1", "Keller", "ein feuchter", 9.5, 50.5)
    datastream = ("1", "1", "Feuchte im Keller", "relative Feuchte", "Feuchte", "%", "HY-1")
    for body in (page(keller, **{"@iot.count": 1}), json.dumps(keller).encode()):
        stations, streams = tables(body, "things")
        assert (stations.rows(), streams.rows()) == ([station], [datastream])


def test_observations_in_the_shape_of_the_standard(observed: Callable[[bytes], Any]) -> None:
    def one(key: int, at: str, produced: str | None, result: Any) -> dict[str, Any]:
        here = f"Observations({key})"
        return {
            "@iot.id": key,
            "@iot.selfLink": f"{ROOT}/{here}",
            "phenomenonTime": at,
            "resultTime": produced,
            "result": result,
            "resultQuality": {"nameOfMeasure": "…"},
            "parameters": {},
            "Datastream@iot.navigationLink": f"{here}/Datastream",
            "FeatureOfInterest@iot.navigationLink": f"{here}/FeatureOfInterest",
        }

    moment = datetime(2026, 7, 1, 3, 59, 59, tzinfo=UTC)
    body = page(
        one(1, "2026-07-01T11:59:59.00+08:00", "2026-07-01T11:59:59.000+08:00", 70.4),
        one(2, "2026-07-01T03:59:59Z/2026-07-01T04:59:59Z", None, "klar"),
        **{"@iot.count": 84, "@iot.nextLink": f"{ROOT}/Datastreams(7)/Observations?$skip=2"},
    )
    assert observed(body).rows() == [
        ("7", moment, moment, moment, 70.4, None),
        ("7", moment, moment.replace(hour=4), None, None, "klar"),
    ]


def test_data_arrays_of_several_datastreams_in_the_shape_of_the_standard(tables: Fetch) -> None:
    """Components by any name and in any order; counts and links beside them are of no matter."""

    def part(key: int, *rows: list[Any]) -> dict[str, Any]:
        return {
            "Datastream@iot.navigationLink": f"{ROOT}/Datastreams({key})",
            "components": ["id", "phenomenonTime", "resultTime", "result", "FeatureOfInterest/id"],
            "dataArray@iot.count": 3,
            "dataArray": [*rows],
        }

    (frame,) = tables(
        page(
            part(1, [1, INSTANT, INSTANT, 20, 5], [2, SPAN, None, 30.5, 5]),
            part(2, [3, INSTANT, None, 65, 6]),
        )
    )
    assert frame.select("@row", "@interval", "result_time").rows() == [
        (2, SPAN, None),
        (3, INSTANT, None),
        (1, INSTANT, INSTANT),
    ]
    assert frame["@result"].to_list() == [30.5, 65.0, 20.0]


def test_a_recorded_thing_of_hamburg_is_a_station_with_its_datastreams(tables: Fetch, payloads: Path) -> None:
    body = (payloads / "sensorthings" / "hamburg_thing_7648_expand_datastreams_sensor.json").read_bytes()
    stations, streams = tables(body, "things")
    assert stations["station_id"].to_list() == ["7648"]
    assert stations["lon"].is_between(8.4, 10.4).all()
    assert streams.height > 0
    assert {*streams["station_id"]} == {"7648"}
    assert not streams["name"].null_count()
    assert sensorthings_tables.list_unknown_fields(body, "things") == ()


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize(
    ("rows", "winner"),
    [
        ([(9, None, 33.0), (10, None, 31.5)], 31.5),
        ([(10, None, 31.5), (9, None, 33.0)], 31.5),
        ([(1, "2026-07-01T12:00:00Z", 33.0), (2, "2026-07-01T11:00:00Z", 31.5)], 33.0),
        ([(1, "2026-07-01T13:00:00+02:00", 33.0), (2, "2026-07-01T11:30:00Z", 31.5)], 31.5),
        ([("b", None, 33.0), ("a", None, 31.5)], 33.0),
    ],
)
def test_of_two_results_at_one_time_the_one_produced_later_comes_last_else_the_higher_id(
    tables: Fetch, rows: list[tuple[Any, Any, float]], winner: float, compact: bool
) -> None:
    at = "2026-07-01T10:00:00Z"
    if compact:
        names = ["id", "phenomenonTime", "resultTime", "result"]
        body = page(
            {"components": names, "dataArray": [[key, at, produced, value] for key, produced, value in rows]}
        )
    else:
        body = page(
            *({"@iot.id": k, "phenomenonTime": at, "resultTime": t, "result": value} for k, t, value in rows)
        )
    (frame,) = tables(body)
    assert sorted(frame["@result"].to_list()) == [31.5, 33.0]
    assert frame["@result"].to_list()[-1] == winner


@pytest.mark.parametrize("there", [ROOT, f"{ROOT}/"])
def test_a_root_is_found_with_and_without_its_last_slash(fetch: Fetch, there: str) -> None:
    """Else a service that has only one of them would lose its MultiDatastreams, and nobody would see it."""
    listed = page({"name": "Things"}, {"name": "MultiDatastreams"})
    answers = {"root": lambda url: listed if url == there else None, "things": lambda _: page(thing("t"))}
    requests = fetch(lambda request: answers[request.role](request.url), multi_datastreams="auto")
    assert "MultiDatastreams" in query(requests[-1].url)["$expand"]


@pytest.mark.parametrize(
    ("order_by", "order"), [("id", "id asc"), ("resultTime", "resultTime asc,id asc")], ids=lambda text: text
)
def test_pages_are_ordered_as_the_service_can(fetch: Fetch, order_by: str, order: str) -> None:
    _, asked = fetch({"things": page(thing("t", stream(1)))}, order_by=order_by)
    assert query(asked.url)["$orderby"] == order
