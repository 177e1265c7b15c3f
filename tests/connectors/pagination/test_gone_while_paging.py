"""Entities that go while pages are read take no others with them, which move up into a page that was read before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import CONNECTORS
from tests.connectors.conftest import MakeSession, MakeSource

DAYS = Window(date(2026, 7, 1), date(2026, 7, 2))
COUNT, GIVES = 40, 5


class Service:
    """Forty entities, five on a page; of those at the front some go after the pages that `goes` says."""

    def __init__(
        self, write: Callable[[list[int], int, int | None], Any], goes: Iterable[tuple[int, int]]
    ) -> None:
        self.held, self.given, self.pages = [*range(COUNT)], set[int](), 0
        self._write, self._goes = write, dict(goes)

    def __call__(self, request: Request) -> Any:
        query = parse_qs(urlsplit(request.url).query)
        first = next((int(v[0]) for name, v in query.items() if name in {"$skip", "offset"}), 0)
        size = min(GIVES, *(int(v[0]) for name, v in query.items() if name in {"$top", "limit"}))
        page = self.held[first : first + size]
        after = first + size if first + size < len(self.held) else None
        answer = self._write(page, len(self.held), after)
        self.given.update(page)
        self.pages += 1
        del self.held[: self._goes.get(self.pages, 0)]
        return answer


def things(page: list[int], total: int, after: int | None) -> bytes:
    link = (
        {} if after is None else {"@iot.nextLink": f"https://data.example/v1/Things?$top=100&$skip={after}"}
    )
    return json.dumps({"value": [{"@iot.id": n, "Datastreams": []} for n in page], **link}).encode()


def entities(page: list[int], total: int, after: int | None) -> Any:
    found = [{"id": str(n), "type": "WeatherObserved"} for n in page]
    return json.dumps(found).encode(), {"ngsild-results-count": str(total)}


def features(page: list[int], total: int, after: int | None) -> bytes:
    links = [] if after is None else [{"rel": "next", "href": f"?limit={GIVES}&offset={after}"}]
    found: list[dict[str, Any]] = [
        {"type": "Feature", "id": n, "geometry": None, "properties": {}} for n in page
    ]
    return json.dumps(
        {"type": "FeatureCollection", "features": found, "numberMatched": total, "links": links}
    ).encode()


PROTOCOLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "sensorthings": (things, {}),
    "ngsi_ld": (entities, {"types": ("WeatherObserved",)}),
    "ogc_features": (features, {"record_type": "place", "collection": "c", "page_size": GIVES}),
}


@pytest.fixture(params=[*PROTOCOLS])
def read_all(
    request: pytest.FixtureRequest, source: MakeSource, session: MakeSession
) -> Callable[..., tuple[Service, Any]]:
    """Fetches all pages of a service from which entities go so."""

    def fetch(*goes: tuple[int, int]) -> tuple[Service, Any]:
        write, settings = PROTOCOLS[request.param]
        service = Service(write, goes)

        def answer(asked: Any) -> Any:
            return b"{}" if asked.role == "root" else service(asked)

        asked = session(answer)
        declared = source(request.param, url="https://data.example/v1", **settings)
        CONNECTORS[request.param].fetch(declared, DAYS, ZoneInfo("UTC"), asked)
        return service, asked

    return fetch


@pytest.mark.parametrize("goes", [(), ((1, 1),), ((2, 3),), ((2, 10),), ((2, 2), (12, 2)), ((1, 5), (6, 35))])
def test_what_stays_comes(
    read_all: Callable[..., tuple[Service, Any]], goes: tuple[tuple[int, int], ...]
) -> None:
    service, asked = read_all(*goes)
    assert service.given >= {*service.held}
    assert not asked.notes


def test_where_entities_go_all_the_time_it_is_told(read_all: Callable[..., tuple[Service, Any]]) -> None:
    _, asked = read_all(*((number, 1) for number in range(2, 30)))
    (note,) = asked.notes
    assert note.code == "end_unproven"
    assert "have gone" in note.text
