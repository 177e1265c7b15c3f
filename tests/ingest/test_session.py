"""What a session lands besides answers to plain requests: deliveries, parts, and only what may be kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

import httpx2
import pytest

from civitas_assets.catalog import Source
from civitas_assets.connectors.base import Request
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.store.landing import SourceLanding
from tests.ingest.conftest import Publisher, Town


class Discreet(Source):
    """Keeps what comes before a bar, and nothing of what has none."""

    connector: Literal["discreet"]

    def redact_answer(self, role: str, body: bytes) -> bytes:
        kept, bar, _ = body.partition(b"|")
        if not bar:
            raise ReadError("has no bar")
        return kept


class Fetching:
    """A connector whose fetching is the test's."""

    name, source_model = "discreet", Discreet

    def __init__(self, work: Callable[[Any], None]) -> None:
        self._work = work

    def fetch(self, source: Any, window: Any, zone: Any, session: Any) -> None:
        self._work(session)

    def read(self, source: Any, payload: Any) -> Iterator[Any]:
        yield from ()


@pytest.fixture
def fetch(town: Town) -> Callable[[Callable[[Any], None]], Any]:
    """Runs a connector's work in a session of the one source; its report."""
    town.with_sources(s={"url": "https://data.example/a"})
    discreet = Discreet(connector="discreet", title="T", licence="CC0-1.0", url="https://data.example/a")
    town.tenant = town.tenant.model_copy(
        update={"sources": {"s": discreet.with_place("s", (7.0, 51.0, 8.0, 52.0))}}
    ).with_key("town")
    return lambda work: town.fetch({"discreet": Fetching(work)})["s"]


def bodies(town: Town) -> list[bytes]:
    lines = [line for manifest in town.landing().list_manifests() for line in manifest.lines]
    return [town.landing().read_body(line.sha256) for line in lines]


def test_bodies_land_beside_each_other(
    town: Town,
    publisher: Publisher,
    fetch: Callable[[Callable[[Any], None]], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of two waits until the other one is being stored as well."""
    publisher.bodies |= {"a": b"one|", "b": b"two|"}
    together, store = threading.Barrier(2, timeout=10), SourceLanding.store

    def meeting(landing: SourceLanding, body: bytes) -> str:
        together.wait()
        return store(landing, body)

    monkeypatch.setattr(SourceLanding, "store", meeting)
    seen = []

    def work(session: Any) -> None:
        asked = [Request(f"https://data.example/{name}") for name in "ab"]
        seen.extend(answer.body for answer in session.crawl(asked))

    assert fetch(work).ok
    assert sorted(seen) == sorted(bodies(town)) == [b"one", b"two"]


def test_a_delivery_is_kept_before_its_sender_hears_of_it(
    town: Town, fetch: Callable[[Callable[[Any], None]], Any]
) -> None:
    seen = []

    def work(session: Any) -> None:
        session.deliver(Request("queue://up", role="uplinks", variables={"last": "7"}), b"one|")
        seen.extend(bodies(town))
        raise FetchError("the connection is lost")

    report = fetch(work)
    assert seen == [b"one"], "landed while the connector is still at work"
    assert (report.error, report.stored) == ("the connection is lost", 1)
    ((line,),) = (manifest.lines for manifest in town.landing().list_manifests())
    assert (line.url, line.role, line.variables) == ("queue://up", "uplinks", {"last": "7"})


def test_the_same_delivery_again_is_unchanged(
    town: Town, fetch: Callable[[Callable[[Any], None]], Any]
) -> None:
    def work(session: Any) -> None:
        session.deliver(Request("queue://up"), b"one|")

    assert (fetch(work).stored, fetch(work).unchanged) == (1, 1)


def test_a_delivery_tells_the_next_fetch_where_to_go_on(
    town: Town, fetch: Callable[[Callable[[Any], None]], Any]
) -> None:
    found = []

    def work(session: Any) -> None:
        found.append(session.read_delivered("db://table"))
        session.deliver(Request("db://table", variables={"cursor": f"{len(found)}"}), b"x|")

    for _ in range(3):
        fetch(work)
    assert found == [{}, {"cursor": "1"}, {"cursor": "2"}]


def test_what_may_not_be_kept_is_nowhere_in_landing_nor_seen_by_the_connector(
    town: Town, fetch: Callable[[Callable[[Any], None]], Any], publisher: Publisher
) -> None:
    publisher.bodies["a"] = b"value|token"
    seen = []
    report = fetch(lambda session: seen.extend(a.body for a in session.crawl([_request("a")])))
    assert (report.error, seen, bodies(town)) == ("", [b"value"], [b"value"])


def test_an_answer_that_cannot_be_told_apart_is_not_kept_and_stops_no_other(
    town: Town, fetch: Callable[[Callable[[Any], None]], Any], publisher: Publisher
) -> None:
    publisher.bodies |= {"a": b"token", "b": b"good|"}
    report = fetch(lambda session: list(session.crawl([_request("a"), _request("b")])))
    assert report.error == "https://data.example/a has no bar; nothing of it is kept"
    assert bodies(town) == [b"good"]


def test_the_place_in_a_result_is_known_also_of_an_answer_that_did_not_change(
    town: Town, fetch: Callable[[Callable[[Any], None]], Any]
) -> None:
    seen: list[dict[str, str]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if "if-none-match" in request.headers:
            return httpx2.Response(304)
        headers = {"etag": '"1"', "NGSILD-Results-Count": "3", "X-Secret": "no"}
        return httpx2.Response(200, content=b"x|", headers=headers)

    town.client._client._transport = httpx2.MockTransport(answer)
    for _ in range(2):
        fetch(lambda session: seen.extend(dict(a.headers) for a in session.crawl([_request("a")])))
    assert seen == [{"ngsild-results-count": "3"}] * 2


def test_a_part_is_an_answer_only_for_who_asks_for_parts(
    town: Town, fetch: Callable[[Callable[[Any], None]], Any]
) -> None:
    town.client._client._transport = httpx2.MockTransport(
        lambda request: httpx2.Response(206, content=b"x|", headers={"content-range": "date-time a-b/3"})
    )
    assert "HTTP 206" in fetch(lambda session: list(session.crawl([_request("a")]))).error
    seen = []
    whole = Request("https://data.example/a", partial=True)
    fetch(lambda session: seen.extend(dict(a.headers) for a in session.crawl([whole])))
    assert seen == [{"content-range": "date-time a-b/3"}]


def _request(path: str) -> Request:
    return Request(f"https://data.example/{path}")
