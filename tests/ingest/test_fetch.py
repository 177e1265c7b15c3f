"""Every answer lands, nothing lands twice, and what goes wrong for one request or source stops no other."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import zstandard

from civitas_assets.catalog import Source
from civitas_assets.catalog.access import SecretRef
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.ingest.fetch import fetch_sources
from tests.ingest.conftest import Publisher, Town

FILES = {"each": {"file": ("a", "b", "c")}}


def states(town: Town, source: str = "s") -> list[list[str]]:
    """The states of the lines of each manifest."""
    return [
        sorted(line.state for line in manifest.lines) for manifest in town.landing(source).list_manifests()
    ]


def test_an_answer_lands_as_it_was_received(town: Town, publisher: Publisher) -> None:
    publisher.bodies["a.csv"] = b"\xff\x00 anything"
    report = town.fetch()["s"]
    assert (report.ok, report.requests, report.stored, report.bytes) == (True, 1, 1, 11)
    ((line,),) = (manifest.lines for manifest in town.landing().list_manifests())
    assert town.landing().read_body(line.sha256) == b"\xff\x00 anything"
    assert (line.url, line.role, line.variables) == ("https://data.example/a.csv", "data", {"file": "a"})
    assert line.fetched_at == town.now


def test_an_unchanged_answer_costs_one_conditional_request(town: Town, publisher: Publisher) -> None:
    publisher.bodies["a.csv"] = b"1"
    town.fetch()
    second, third = town.fetch()["s"], town.fetch()["s"]
    for report in (second, third):
        assert (report.not_modified, report.unchanged, report.stored, report.bytes) == (1, 1, 0, 0)
    assert states(town) == [["stored"], ["unchanged"], ["unchanged"]]
    assert [status for _, status in publisher.asked] == [200, 304, 304]


def test_an_answer_with_the_same_bytes_is_unchanged_even_if_the_server_does_not_say_so(
    town: Town, publisher: Publisher
) -> None:
    publisher.tags, publisher.bodies["a.csv"] = False, b"1"
    town.fetch()
    assert (town.fetch()["s"].unchanged, publisher.asked[-1][1]) == (1, 200)
    publisher.bodies["a.csv"] = b"2"
    assert town.fetch()["s"].stored == 1
    publisher.bodies["a.csv"] = b"1"
    assert town.fetch()["s"].stored == 1, "what comes back is news"


def test_a_body_that_landing_lost_is_asked_for_as_if_for_the_first_time(
    town: Town, publisher: Publisher
) -> None:
    publisher.bodies["a.csv"] = b"1"
    town.fetch()
    (key,) = town.files.list_keys("landing/town/s/bodies/")
    town.files.delete(key)
    town.fetch()
    assert publisher.asked[-1][1] == 200
    assert town.files.exists(key)


def test_without_the_index_of_addresses_the_manifests_know_what_is_unchanged(
    town: Town, publisher: Publisher
) -> None:
    publisher.bodies["a.csv"] = b"1"
    town.fetch()
    town.files.delete("landing/town/s/addresses.json")
    assert town.fetch()["s"].not_modified == 1


def test_what_was_good_lands_when_something_else_fails(town: Town, publisher: Publisher) -> None:
    town.with_sources(s=FILES)
    publisher.bodies.update({"a.csv": b"1", "b.csv": 500, "c.csv": b"3"})
    report = town.fetch()["s"]
    assert (report.ok, report.stored) == (False, 2)
    assert report.error == "HTTP 500 from https://data.example/b.csv: fetch later"
    assert states(town) == [["stored", "stored"]]
    publisher.bodies["b.csv"] = b"2"
    assert (town.fetch()["s"].stored, town.fetch()["s"].not_modified) == (1, 3)


def test_several_failures_are_counted(town: Town, publisher: Publisher) -> None:
    town.with_sources(s=FILES)
    publisher.bodies.update({"a.csv": 500, "b.csv": b"2", "c.csv": 500})
    assert town.fetch()["s"].error.endswith("(and 1 more)")


def test_a_period_that_is_not_there_is_skipped_where_the_source_says_so(
    town: Town, publisher: Publisher
) -> None:
    town.with_sources(s={**FILES, "not_found": "skip"})
    publisher.bodies["a.csv"] = b"1"
    report = town.fetch()["s"]
    assert (report.ok, report.stored, report.not_found) == (True, 1, 2)
    town.with_sources(s=FILES)
    assert "HTTP 404" in town.fetch()["s"].error


def test_nothing_found_at_all_is_an_error(town: Town) -> None:
    town.with_sources(s={**FILES, "not_found": "skip"})
    report = town.fetch()["s"]
    assert "none of 3 address(es) was found" in report.error
    assert report.not_found == 3


def test_a_source_that_crashes_stops_no_other(town: Town, publisher: Publisher) -> None:
    town.with_sources(s={}, bad={"each": {"file": ("bad",)}})
    publisher.bodies["a.csv"] = b"1"

    class Crashing:
        def fetch(self, source: Source, *rest: Any) -> None:
            if source.name == "bad":
                raise ZeroDivisionError("oops")
            CONNECTORS["csv"].fetch(source, *rest)

    reports = town.fetch({"csv": Crashing()})
    assert reports["bad"].error == "unforeseen ZeroDivisionError: oops"
    assert reports["s"].ok
    assert states(town) == [["stored"]]
    assert states(town, "bad") == []


def test_a_tenant_without_such_sources_is_no_error(town: Town, publisher: Publisher) -> None:
    assert fetch_sources(town.tenant, {}, CONNECTORS, None, town.files, town.client, lambda: town.now) == []
    assert publisher.asked == []


def test_without_given_days_each_source_looks_back_as_far_as_it_says(
    town: Town, publisher: Publisher
) -> None:
    town.with_sources(s={"url": "https://data.example/{day:%m%d}", "look_back": "2 days", "each": None})
    publisher.bodies.update(dict.fromkeys(["0701", "0702", "0703"], b"x"))
    sources = town.tenant.sources
    (report,) = fetch_sources(
        town.tenant, sources, CONNECTORS, None, town.files, town.client, lambda: town.now
    )
    assert (report.ok, publisher.paths) == (True, ["0701", "0702", "0703"])


class Pages:
    """Follows links that the bodies list, in a crawl that starts at the source's address."""

    def fetch(self, source: Source, window: Any, zone: Any, session: Any) -> None:
        def follow(answer: Any) -> Any:
            try:
                links = json.loads(answer.body)
            except ValueError:
                raise ReadError("is not JSON") from None
            return [Request(f"https://data.example/{link}") for link in links]

        for _ in session.crawl([Request("https://data.example/1")], follow):
            pass


def test_links_are_followed_to_their_end(town: Town, publisher: Publisher) -> None:
    publisher.bodies.update({"1": b'["2","3"]', "2": b'["4"]', "3": b"[]", "4": b"[]"})
    report = town.fetch({"csv": Pages()})["s"]
    assert (report.ok, report.stored) == (True, 4)
    assert publisher.paths == ["1", "2", "3", "4"]


def test_links_are_found_in_bodies_that_did_not_change(town: Town, publisher: Publisher) -> None:
    publisher.bodies.update({"1": b'["2"]', "2": b"[]"})
    town.fetch({"csv": Pages()})
    report = town.fetch({"csv": Pages()})["s"]
    assert (report.ok, report.not_modified) == (True, 2)


def test_links_in_a_circle_end_in_an_error_and_the_others_are_followed(
    town: Town, publisher: Publisher
) -> None:
    publisher.bodies.update({"1": b'["1","2","3"]', "2": b'["1"]', "3": b'["4"]', "4": b"[]"})
    report = town.fetch({"csv": Pages()})["s"]
    assert "https://data.example/1 is asked for a second time in one fetch" in report.error
    assert report.stored == 4
    assert publisher.paths == ["1", "2", "3", "4"]


def test_a_page_that_cannot_be_followed_is_named_and_the_others_are(town: Town, publisher: Publisher) -> None:
    publisher.bodies.update({"1": b'["2","3"]', "2": b"<html>", "3": b'["4"]', "4": b"[]"})
    report = town.fetch({"csv": Pages()})["s"]
    assert report.error == "https://data.example/2 is not JSON"
    assert publisher.paths == ["1", "2", "3", "4"]


def test_a_crawl_without_end_ends_at_the_ceiling(town: Town, publisher: Publisher) -> None:
    town.with_sources(s={"http": {"max_pages": 5, "attempts": 1, "requests_per_second": 200.0}})
    publisher.bodies.update({str(page): f'["{page + 1}"]'.encode() for page in range(1, 20)})
    report = town.fetch({"csv": Pages()})["s"]
    assert "more than 5 requests" in report.error
    assert report.stored == 5


def test_a_source_that_answers_without_end_is_left_in_time_and_what_it_gave_stays(
    town: Town, publisher: Publisher
) -> None:
    files = tuple(f"{number}" for number in range(99))
    town.with_sources(
        s={
            "each": {"file": files},
            "http": {"fetch_time": "1 min", "parallel": 1, "attempts": 5, "requests_per_second": 1.0},
        },
        other={"url": "https://other.example/x"},
    )
    publisher.bodies |= {"0.csv": b"id,t,v", "https://other.example/x": b"id,t,v"}
    publisher.bodies |= {f"{name}.csv": 503 for name in files[1:]}
    reports = town.fetch()
    assert reports["other"].ok
    assert reports["s"].stored == 1
    assert " request(s) not answered within http.fetch_time (60 s): raise it" in reports["s"].error
    assert town.client.read_clock() < 62


def test_sources_of_a_tenant_share_the_time_that_a_batch_gives_it(town: Town, publisher: Publisher) -> None:
    files = tuple(f"{number}" for number in range(99))
    publisher.bodies |= {f"{name}.csv": 503 for name in files}
    town.with_sources(s={"each": {"file": files}, "http": {"parallel": 1, "requests_per_second": 1.0}})
    (report,) = fetch_sources(
        town.tenant, town.tenant.sources, CONNECTORS, None, town.files, town.client, lambda: town.now,
        limit=timedelta(seconds=30),
    )  # fmt: skip
    assert "within the tenant's time in a batch (30 s): the next one asks again" in report.error
    assert town.client.read_clock() < 32


def test_a_full_disk_is_the_error_of_the_source(
    town: Town, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.bodies["a.csv"] = b"1"

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(type(town.files), "write_once", full)
    assert "no space left on device" in town.fetch()["s"].error


def test_an_answer_that_repeats_a_secret_lands_without_it_and_is_noted(
    town: Town, publisher: Publisher
) -> None:
    """Sent are the names of secrets, in this town; what is gone is still known to be gone."""
    town.with_sources(s={**FILES, "headers": {"X-Key": SecretRef(secret="TOWN_CANARY")}})  # noqa: S106 - a name
    publisher.bodies.update(
        {"a.csv": b"id;TOWN_CANARY", "b.csv": b"2", "c.csv": b'{"x": "TOWN\\u005fCANARY"}'}
    )
    report = town.fetch()["s"]
    assert (report.ok, report.stored) == (True, 3)
    (note,) = report.notes
    assert note.code == "secret_repeated"
    assert note.text.startswith("https://data.example/")
    assert note.text.endswith(".csv and 1 more answer(s) repeated a secret that was sent: 27 byte(s) were made "
                              "unreadable before anything was kept")  # fmt: skip
    assert town.landing().read_answered().is_whole
    kept = [file.read_bytes() for file in town.home.rglob("*") if file.is_file()]
    kept += [
        zstandard.ZstdDecompressor().decompress(body) for body in kept if body.startswith(b"\x28\xb5\x2f\xfd")
    ]
    assert b"id;***********" in kept
    assert not any(b"CANARY" in body for body in kept)


def test_what_comes_by_another_way_than_http_is_looked_through_too(town: Town) -> None:
    class Echoing:
        def fetch(self, source: Source, _: object, __: object, session: Any) -> None:
            password = session.read_secret("TOWN_CANARY")
            session.deliver(Request("sql://db/t"), f"id,login\n1,{password}\n".encode())
            raise FetchError(f"sql://db/t: no login with {quote(password[::-1][::-1])}")

    report = town.fetch({"csv": Echoing()})["s"]
    assert report.error == "sql://db/t: no login with ***"
    assert [note.code for note in report.notes] == ["secret_repeated"]
    ((line,),) = (manifest.lines for manifest in town.landing().list_manifests())
    assert town.landing().read_body(line.sha256) == b"id,login\n1,***********\n"
