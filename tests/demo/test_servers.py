"""The sample servers behave as real ones do: conditional requests, compression, paging, 404."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from civitas_assets.demo.servers import SampleServers, find_reply, start_servers

TODAY = date(2026, 8, 22)
SERVICE = "/musterstadt/sensorthings/v1.1"
OBSERVATIONS = f"{SERVICE}/Datastreams(100)/Observations"


def _json(path: str, query: Mapping[str, str] | None = None) -> dict[str, object]:
    reply = find_reply(path, dict(query or {}), "http://h", TODAY)
    assert reply.status == 200
    answer: dict[str, object] = json.loads(reply.body)
    return answer


def _pages(query: Mapping[str, str]) -> Iterator[dict[str, object]]:
    page = _json(OBSERVATIONS, query)
    while True:
        yield page
        link = page.get("@iot.nextLink")
        if link is None:
            return
        parts = urlsplit(str(link))
        page = _json(parts.path, dict(parse_qsl(parts.query)))


@pytest.fixture(scope="module")
def servers() -> Iterator[SampleServers]:
    with SampleServers(TODAY) as running:
        yield running


def test_an_unchanged_answer_is_not_sent_again(servers: SampleServers) -> None:
    url = f"{servers.url}/musterstadt/counters/900100/2026-08.csv"
    first = httpx2.get(url, headers={"Accept-Encoding": "gzip"})
    assert (first.status_code, first.headers["content-encoding"]) == (200, "gzip")
    assert first.text.startswith("Datetime,900100 (Zählstelle)")
    again = httpx2.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert httpx2.get(url, headers={"If-None-Match": '"another"'}).status_code == 200


def test_who_asks_for_no_compression_gets_none(servers: SampleServers) -> None:
    plain = httpx2.get(
        f"{servers.url}/probeheim/parking/status.json", headers={"Accept-Encoding": "identity"}
    )
    assert "content-encoding" not in plain.headers
    assert plain.json()["parkings"][0]["status"] == "geschlossen"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nowhere/parking/status.json",
        "/musterstadt/counters/1/2026-08.csv",
        "/musterstadt/counters/900100/2026-13.csv",
        "/musterstadt/counters/900100/2020-01.csv",
        "/beispielhausen/parking/sites.geojson",
        "/probeheim/counters/900100/2026-08.csv",
        f"{SERVICE}/Datastreams(999)/Observations",
        f"{SERVICE}/Sensors",
    ],
)
def test_what_a_town_does_not_have_is_not_found(path: str) -> None:
    assert find_reply(path, {}, "http://h", TODAY).status == 404


def test_the_service_says_that_it_has_data_arrays_and_lists_its_things() -> None:
    assert any("data-array" in text for text in _json(SERVICE)["serverSettings"]["conformance"])  # type: ignore[index]
    things = _json(f"{SERVICE}/Things")["value"]
    assert [thing["name"] for thing in things] == ["Rathausplatz", "Wetterwarte", "Leihgerät auf Reisen"]  # type: ignore[attr-defined]


def test_both_forms_page_through_the_same_observations_without_gap_or_repetition() -> None:
    plain = [row for page in _pages({"$top": "100"}) for row in page["value"]]  # type: ignore[attr-defined]
    assert len(plain) == 21 * 24
    times = [row["phenomenonTime"] for row in plain]
    assert all(one < other for one, other in pairwise(times))
    compact = [
        row
        for page in _pages({"$top": "100", "$resultFormat": "dataArray"})
        for row in page["value"][0]["dataArray"]  # type: ignore[index]
    ]
    assert [tuple(row) for row in compact] == [tuple(row.values()) for row in plain]


def test_a_filter_gives_exactly_its_half_open_span() -> None:
    span = "phenomenonTime ge 2026-08-10T00:00:00Z and phenomenonTime lt 2026-08-11T00:00:00Z"
    found = [row for page in _pages({"$top": "7", "$filter": span}) for row in page["value"]]  # type: ignore[attr-defined]
    assert [row["phenomenonTime"][11:13] for row in found] == [f"{hour:02d}" for hour in range(24)]


def test_a_taken_port_is_no_obstacle() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with start_servers(TODAY, port) as servers:
            assert not servers.url.endswith(f":{port}")
            assert httpx2.get(f"{servers.url}/probeheim/parking/status.json").status_code == 200


BROKER = "/beispielhausen/ngsi-ld/v1/entities"


def test_the_broker_gives_twenty_entities_to_who_asks_for_no_more_and_counts_on_request() -> None:
    page = find_reply(BROKER, {"type": "AirQualityObserved"}, "http://h", TODAY)
    assert (len(json.loads(page.body)), page.headers) == (20, {})
    query = {"type": "WeatherObserved", "limit": "100", "offset": "20", "count": "true"}
    rest = find_reply(BROKER, query, "http://h", TODAY)
    assert (len(json.loads(rest.body)), rest.headers) == (5, {"NGSILD-Results-Count": "25"})
    assert json.loads(find_reply(BROKER, {"type": "Tree"}, "http://h", TODAY).body) == []
    (pole, *_) = json.loads(page.body)
    assert {"pm10", "pm25"} <= pole.keys()
    assert "temperature" not in pole


def test_the_sharing_system_names_feeds_that_it_has() -> None:
    found = _json("/musterstadt/gbfs/gbfs.json")["data"]["de"]["feeds"]  # type: ignore[index]
    for feed in found:
        document = _json(urlsplit(feed["url"]).path)
        assert document["data"], feed
    bikes = _json("/musterstadt/gbfs/free_bike_status.json")["data"]["bikes"]  # type: ignore[index]
    assert {"bike_id", "lat", "lon"} <= bikes[0].keys()


def test_roadworks_are_paged_to_their_end_and_have_every_kind_of_geometry() -> None:
    address: str | None = "http://h/beispielhausen/features/collections/baustellen/items?limit=100"
    found: list[dict[str, object]] = []
    while address:
        parts = urlsplit(address)
        page = _json(parts.path, dict(parse_qsl(parts.query)))
        found += page["features"]  # type: ignore[operator]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)  # type: ignore[attr-defined]
    assert len({feature["id"] for feature in found}) == len(found) == page["numberMatched"]
    kinds = {feature["geometry"]["type"] if feature["geometry"] else None for feature in found}  # type: ignore[index]
    assert kinds == {"Point", "LineString", "Polygon", None}


def test_the_source_that_is_down_says_so() -> None:
    assert find_reply("/probeheim/levels.json", {}, "http://h", TODAY).status == 503


def test_a_file_has_the_same_bytes_whenever_it_is_asked_for() -> None:
    one, other = (find_reply("/musterstadt/spielplaetze.xlsx", {}, "http://h", TODAY).body for _ in range(2))
    assert one == other
