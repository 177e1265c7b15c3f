"""NGSI-LD and NGSI-v2: pages to the very end, as many entities as the broker counts, with tenant and context."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import FetchError, ReadError
from tests.connectors.conftest import MakeSession, MakeSource

DAY = Window(date(2026, 7, 30), date(2026, 7, 30))
COUNT = {"ld": "ngsild-results-count", "v2": "fiware-total-count"}


class Fetch:
    """Fetches, and keeps the addresses that were asked for, also of a fetch that fails."""

    def __init__(self, source: MakeSource, session: MakeSession) -> None:
        self._source, self._session, self.asked = source, session, list[str]()

    def __call__(self, answers: Any, **settings: Any) -> list[str]:
        session = self._session(answers)
        declared = self._source("ngsi_ld", **{"types": ("WeatherObserved",), **settings})
        try:
            CONNECTORS["ngsi_ld"].fetch(declared, DAY, ZoneInfo("UTC"), session)
        finally:
            self.asked = [request.url for request in session.requests]
        return self.asked


def page(*names: object) -> bytes:
    return json.dumps([{"id": f"e{name}", "type": "WeatherObserved"} for name in names]).encode()


def offset_of(request: Request) -> int:
    return int(parse_qs(urlsplit(request.url).query)["offset"][0])


@pytest.fixture
def fetch(source: MakeSource, session: MakeSession) -> Fetch:
    """The addresses that a fetch asks for."""
    return Fetch(source, session)


def broker(entities: int, gives: int, headers: Callable[[int], Mapping[str, str]]) -> Any:
    """A broker with so many entities, which gives so many at once."""

    def answer(request: Request) -> tuple[bytes, Mapping[str, str]]:
        offset = offset_of(request)
        return page(*range(offset, min(offset + gives, entities))), headers(offset)

    return answer


def test_pages_are_asked_for_until_one_brings_nothing_new_even_if_the_broker_gives_fewer(
    fetch: Fetch,
) -> None:
    urls = fetch(broker(5, 2, lambda _: {}))
    assert [url.partition("?")[2] for url in urls] == [
        f"type=WeatherObserved&limit=100&offset={offset}&count=true" for offset in range(5)
    ]


@pytest.mark.parametrize(("api", "asks"), [("ld", "count=true"), ("v2", "options=count")])
def test_a_broker_that_counts_is_asked_for_no_empty_page(fetch: Fetch, api: str, asks: str) -> None:
    urls = fetch(broker(5, 2, lambda _: {COUNT[api]: "5"}), api=api)
    assert [url.partition("?")[2] for url in urls] == [
        f"type=WeatherObserved&limit=100&offset={offset}&{asks}" for offset in range(4)
    ]
    assert len(fetch(broker(0, 2, lambda _: {COUNT[api]: "0"}), api=api)) == 1


def test_a_count_that_ends_where_a_page_does_is_not_believed(fetch: Fetch) -> None:
    counted = {offset: {COUNT["ld"]: str(offset + 20)} for offset in (0, 20, 40)}
    assert len(fetch(broker(45, 20, lambda offset: counted.get(offset, {})))) == 4


def test_a_type_of_which_nothing_comes_is_noted_beside_others_that_do(
    source: MakeSource, session: MakeSession
) -> None:
    asked = session(
        lambda request: page(*range(offset_of(request), 2)) if "type=A&" in request.url else b"[]"
    )
    CONNECTORS["ngsi_ld"].fetch(source("ngsi_ld", types=("A", "Bx")), DAY, ZoneInfo("UTC"), asked)
    (note,) = asked.notes
    assert note.code == "no_entities"
    assert "no entity of type Bx of https://data.example/v1: check its spelling" in note.text


def test_what_the_broker_warns_of_is_noted_once(source: MakeSource, session: MakeSession) -> None:
    warning = '199 urn:broker:east "no answer"'
    asked = session(broker(3, 2, lambda offset: {"ngsild-warning": warning} if offset < 3 else {}))
    CONNECTORS["ngsi_ld"].fetch(source("ngsi_ld", types=("WeatherObserved",)), DAY, ZoneInfo("UTC"), asked)
    assert {(note.code, note.text) for note in asked.notes} == {
        ("broker_warns", f"the broker warns of what it gives of type WeatherObserved: {warning}")
    }


def test_every_type_has_its_own_count(fetch: Fetch) -> None:
    def answer(request: Request) -> tuple[bytes, Mapping[str, str]]:
        kind = request.variables["type"]
        return page(*range(2 if kind == "A" else 0)), {COUNT["ld"]: "2" if kind == "A" else "0"}

    assert len(fetch(answer, types=("A", "B"))) == 2


def test_fewer_entities_than_every_page_counted_are_an_error_once_all_that_came_is_kept(fetch: Fetch) -> None:
    with pytest.raises(
        FetchError, match=r"WeatherObserved of https://data.example/v1: 3 of 4 came: .* lower page_size"
    ):
        fetch(broker(3, 2, lambda offset: {COUNT["ld"]: "5" if offset == 0 else "4"}))
    assert len(fetch.asked) == 3


def test_an_entity_that_is_deleted_while_pages_are_read_is_no_shortfall(fetch: Fetch) -> None:
    assert len(fetch(broker(3, 2, lambda offset: {COUNT["ld"]: "4" if offset == 0 else "3"}))) == 2


def test_an_entity_that_is_created_while_pages_are_read_is_fetched(fetch: Fetch) -> None:
    assert len(fetch(broker(5, 2, lambda offset: {COUNT["ld"]: "4" if offset == 0 else "5"}))) == 4


def test_a_count_that_is_no_number_is_none(fetch: Fetch) -> None:
    assert len(fetch(broker(3, 2, lambda _: {COUNT["ld"]: "many"}))) == 3


def test_an_entity_that_comes_twice_does_not_stand_for_one_that_never_came(fetch: Fetch) -> None:
    def answer(request: Request) -> tuple[bytes, Mapping[str, str]]:
        pages = {"offset=0&": page(0, 1), "offset=1&": page(1, 0, 2), "offset=3&": page(2)}
        body = next((found for name, found in pages.items() if name in request.url), page())
        return body, {COUNT["ld"]: "4"}

    with pytest.raises(FetchError, match=r"3 of 4 came \(1 of 4 came more than once\)"):
        fetch(answer, page_size=2)


def test_a_count_that_ends_where_a_full_page_does_is_not_believed(fetch: Fetch) -> None:
    """A broker that counts no further than its own limit."""
    requests = fetch(broker(5, 2, lambda offset: {COUNT["ld"]: "2"}), page_size=2)
    assert len(requests) == 5


def test_a_link_to_the_next_page_is_followed_at_the_address_of_the_source(fetch: Fetch) -> None:
    context = '<https://c.example/x.jsonld>; rel="http://www.w3.org/ns/json-ld#context"'
    link = '<http://broker.internal:1026/ngsi-ld/v1/entities?type=X&anchor=2&offset=0>;rel="next"'

    def answer(request: Request) -> tuple[bytes, Mapping[str, str]]:
        if "anchor=2" in request.url:
            return page(2, 3), {"link": context}
        return page(0, 1), {"link": f"{context}, {link}"}

    assert fetch(answer) == [
        "https://data.example/v1/entities?type=WeatherObserved&limit=100&offset=0&count=true",
        "https://data.example/v1/entities?type=X&anchor=2&offset=0",
    ]


def test_links_that_end_too_early_are_a_shortfall(fetch: Fetch) -> None:
    def answer(request: Request) -> tuple[bytes, Mapping[str, str]]:
        if "anchor" in request.url:
            return page(2), {}
        return page(0, 1), {COUNT["ld"]: "9", "link": "</entities?anchor=2>; rel=next"}

    with pytest.raises(FetchError, match="3 of 9 came"):
        fetch(answer)


@pytest.mark.parametrize("headers", [{}, {COUNT["ld"]: "3"}])
def test_a_broker_that_ignores_offset_is_an_error_and_no_endless_loop(
    fetch: Fetch, headers: Mapping[str, str]
) -> None:
    with pytest.raises(ReadError, match="ignores offset"):
        fetch(lambda request: (page(0), headers))


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
    source: MakeSource, session: MakeSession, settings: dict[str, Any], headers: dict[str, str]
) -> None:
    asked = session(lambda request: b"[]")
    CONNECTORS["ngsi_ld"].fetch(source("ngsi_ld", types=("A",), **settings), DAY, ZoneInfo("UTC"), asked)
    assert asked.requests[0].headers == {"Accept": "application/json", **headers}


def test_a_context_that_is_no_address_is_refused(source: MakeSource) -> None:
    with pytest.raises(ValidationError, match="must be the address of a JSON-LD context"):
        source("ngsi_ld", types=("A",), context="https://c.example/>; rel=x")


@pytest.mark.parametrize(
    ("types", "records"),
    [
        (("OnStreetParking",), {"parking_site", "parking_status"}),
        (("https://smartdatamodels.org/dataModel.Parking/ParkingSpot",), {"parking_site", "parking_status"}),
        (("BikeHireDockingStation",), {"sharing_station", "sharing_status"}),
        (
            ("A", "OffStreetParking"),
            {"station", "datastream", "observation", "parking_site", "parking_status"},
        ),
    ],
)
def test_the_types_say_which_records_a_source_brings(
    source: MakeSource, types: tuple[str, ...], records: set[str]
) -> None:
    assert source("ngsi_ld", types=types).record_types() == records
