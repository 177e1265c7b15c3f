"""SensorThings 1.1: all things, datastreams and observations of the window, page by page."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import ReadError
from civitas_assets.records import RECORD_TYPES, RawTable
from civitas_assets.records.origin import Origin, gathered
from civitas_assets.records.typing import Place, bring_into_contract

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
def fetch(source: Callable[..., Any], session: Any) -> Fetch:
    """The requests that a crawl makes; answers are by role, or what a function says."""

    def crawl(answers: Any, window: Window = WEEK, **settings: Any) -> list[Any]:
        def answer(request: Any) -> bytes | None:
            given = answers(request) if callable(answers) else answers.get(request.role)
            return b'{"value":[]}' if given is None and request.role == "observations" else given

        asked = session(answer)
        settings = {"data_array": "never", **settings}
        CONNECTORS["sensorthings"].fetch(source("sensorthings", **settings), window, BERLIN, asked)
        return asked.requests

    return crawl


@pytest.fixture
def tables(source: Callable[..., Any], read: Callable[..., list[RawTable]]) -> Callable[..., list[Any]]:
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
    def answers(request: Any) -> bytes | None:
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
    [(7, "Datastreams(7)"), ("7", "Datastreams('7')"), ("a'b/c d", "Datastreams('a''b/c d')")],
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


@pytest.mark.parametrize(
    ("extent", "asked"),
    [
        (None, True),
        ("2026-06-30T22:00:00Z/2026-06-30T22:00:00Z", True),
        ("2020-01-01T00:00:00Z/2026-06-30T22:00:00.000Z", True),
        ("2020-01-01T00:00:00Z/2026-06-30T21:59:59Z", False),
        ("2026-07-01T22:00:00Z/2026-07-02T00:00:00Z", False),
        ("2026-07-01T21:59:59Z", True),
        ("2020-01-01T00:00:00Z", False),
        ("2020-01-01T00:00:00/2021-01-01T00:00:00", True),
        ("unbekannt", True),
    ],
)
def test_slices_that_a_datastream_says_it_does_not_reach_are_not_asked_for(
    fetch: Fetch, extent: str | None, asked: bool
) -> None:
    things = page(thing("t", stream(1, phenomenonTime=extent)))
    assert (len(fetch({"things": things}, slice="1 day")) == 2) is asked


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


def test_every_address_of_each_is_a_service(fetch: Fetch) -> None:
    requests = fetch({"things": page()}, url="https://data.example/{town}/v1.1/", each={"town": ("a", "b")})
    assert [urlsplit(request.url).path for request in requests] == ["/a/v1.1/Things", "/b/v1.1/Things"]


def test_things_become_stations_at_their_first_point(tables: Callable[..., list[Any]]) -> None:
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


def test_datastreams_know_their_station_property_unit_and_sensor(tables: Callable[..., list[Any]]) -> None:
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


INSTANT, SPAN = "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z/2026-07-01T00:15:00Z"
COLUMNS = ["datastream_id", "phenomenon_start", "phenomenon_end", "result_time", "value", "value_text"]


@pytest.fixture
def observed(tables: Callable[..., list[Any]], source: Callable[..., Any]) -> Callable[[bytes], Any]:
    """The observations of a page as typed records."""

    def typed(body: bytes) -> pl.DataFrame:
        (frame,) = tables(body)
        raw = RawTable("observation", frame)
        given = source("sensorthings")
        table = gathered([(raw, Origin({}, "abc", NOW))], given)
        place = Place("Europe/Berlin", (11.3, 50.8, 11.8, 51.1))
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
    assert frame.rows() == [
        ("7", instant, instant, instant, 1.0, None),
        ("7", instant, end, None, 2.5, None),
    ]


def test_results_that_are_no_numbers_are_kept_as_text(observed: Callable[[bytes], Any]) -> None:
    results = [1, "2.5", "nass", None, {"a": 1}, True]
    frame = observed(page(*({"phenomenonTime": INSTANT, "result": result} for result in results)))
    assert frame["value"].to_list() == [1.0, 2.5, None, None, None, None]
    assert frame["value_text"].to_list() == [None, None, "nass", None, '{"a":1}', "true"]


def array(components: list[str], *rows: list[Any]) -> dict[str, Any]:
    return {"Datastream@iot.navigationLink": "…", "components": components, "dataArray": [*rows]}


def test_truth_is_text_beside_numbers_of_other_pages(tables: Callable[..., list[Any]]) -> None:
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


def test_pages_without_observations_have_the_columns_but_no_rows(observed: Callable[[bytes], Any]) -> None:
    for body in (page(), page(array(["phenomenonTime", "result"]))):
        assert observed(body).is_empty()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (array(["result"], [1]), "without phenomenonTime or result; it has result"),
        (array(["phenomenonTime", "result"], [INSTANT]), "rows of fewer than its 2 components"),
    ],
)
def test_data_arrays_that_do_not_fit_their_components_are_refused(
    tables: Callable[..., list[Any]], value: Any, message: str
) -> None:
    with pytest.raises(ReadError, match=message):
        tables(page(value))


def test_a_recorded_thing_of_hamburg_is_a_station_with_its_datastreams(
    tables: Callable[..., list[Any]], payloads: Path
) -> None:
    body = (payloads / "sensorthings" / "hamburg_thing_7648_expand_datastreams_sensor.json").read_bytes()
    stations, streams = tables(body, "things")
    assert stations["station_id"].to_list() == ["7648"]
    assert stations["lon"].is_between(8.4, 10.4).all()
    assert streams.height > 0
    assert {*streams["station_id"]} == {"7648"}
    assert not streams["name"].null_count()


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
    tables: Callable[..., list[Any]], rows: list[tuple[Any, Any, float]], winner: float, compact: bool
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
