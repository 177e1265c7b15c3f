"""What a roster does not name is marked as deleted, keeps its history, and may come back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.files.csv import CsvConnector
from civitas_assets.connectors.files.json import JsonConnector, JsonSource
from civitas_assets.errors import ReadError
from civitas_assets.records import RECORD_TYPES, RawTable, Roster
from tests.ingest.conftest import Publisher, Town

SITE = RECORD_TYPES["parking_site"]


class Listing:
    """A connector whose one file says its sites, and that these are all."""

    name, source_model = "json", JsonSource

    def fetch(self, source: Any, window: Any, zone: Any, session: Any) -> None:
        fetch_addresses(source, window, session)

    def read(self, source: Any, payload: Any) -> Iterator[RawTable | Roster]:
        if payload.body == b"?":
            raise ReadError("is no listing")
        (rows,) = JsonConnector().read(source, payload)
        yield rows
        yield Roster(source.record_type, rows.frame.select(*source.contract.key))


@pytest.fixture
def night(town: Town, publisher: Publisher) -> Callable[..., Any]:
    """A night in which the publisher has these sites, with their capacity; its report."""
    town.with_sources(
        s={
            "connector": "json",
            "url": "https://data.example/sites",
            "each": {},
            "record_type": "parking_site",
            "fields": {"site_id": "id", "capacity": "n"},
            "time": None,
        }
    )

    def work(sites: dict[str, Any], *, read: bool = True) -> Any:
        rows = [{"id": key, "n": n} for key, n in sites.items()]
        publisher.bodies["sites"] = json.dumps(rows).encode()
        town.fetch({"json": Listing()})
        return town.read({"json": Listing()})["s"] if read else None

    return work


def history(town: Town) -> list[tuple[Any, ...]]:
    stored = town.stores.records.read_rows(SITE, [])
    return sorted(stored.select("site_id", "capacity", "revision", "deleted").rows())


def test_what_the_roster_lacks_is_marked_with_the_payload_that_lacks_it(
    town: Town, night: Callable[..., Any]
) -> None:
    night({"a": 1, "b": 2})
    town.stores.journal.acknowledge(town.stores.journal.read_pending().entries)
    counts = night({"a": 1}).counts["parking_site"]
    assert (counts.new, counts.changed, counts.deleted) == (0, 1, 1)
    assert history(town) == [("a", 1, 1, False), ("b", 2, 1, False), ("b", 2, 2, True)]
    first, _, mark = town.stores.records.read_rows(SITE, []).sort("site_id", "revision").rows(named=True)
    assert mark["payload"] != first["payload"]
    assert mark["received_at"] > first["received_at"]
    assert town.stores.journal.read_pending().things


def test_the_same_roster_again_marks_nothing(town: Town, night: Callable[..., Any]) -> None:
    night({"a": 1, "b": 2})
    night({"a": 1})
    counts = night({"a": 3}).counts["parking_site"]
    assert (counts.changed, counts.deleted) == (1, 0)


def test_what_comes_back_is_a_further_revision(town: Town, night: Callable[..., Any]) -> None:
    for sites in ({"a": 1, "b": 2}, {"a": 1}, {"a": 1, "b": 2}):
        night(sites)
    assert history(town)[1:] == [("b", 2, 1, False), ("b", 2, 2, True), ("b", 2, 3, False)]


def test_editions_that_are_read_together_are_each_called_in_their_turn(
    town: Town, night: Callable[..., Any]
) -> None:
    night({"a": 1, "b": 2}, read=False)
    night({"a": 1}, read=False)
    report = night({"a": 1, "b": 5, "c": 1})
    assert report.counts["parking_site"].deleted == 1
    assert history(town)[1:4] == [("b", 2, 1, False), ("b", 2, 2, True), ("b", 5, 3, False)]


def test_a_row_that_breaks_its_contract_is_not_gone(town: Town, night: Callable[..., Any]) -> None:
    night({"a": 1, "b": 2})
    report = night({"a": 1, "b": "viele"})
    assert report.counts["parking_site"].deleted == 0
    assert not town.stores.records.read_rows(SITE, [])["deleted"].any()


def test_a_roster_without_any_name_deletes_nothing_and_is_an_error(
    town: Town, night: Callable[..., Any]
) -> None:
    night({"a": 1})
    report = night({})
    assert "names no parking_site at all, but 1 are known: nothing is deleted" in report.errors[0]
    assert history(town) == [("a", 1, 1, False)]


def test_a_payload_that_cannot_be_read_deletes_nothing(
    town: Town, night: Callable[..., Any], publisher: Publisher
) -> None:
    night({"a": 1})
    publisher.bodies["sites"] = b"?"
    town.fetch({"json": Listing()})
    assert "is no listing" in town.read({"json": Listing()})["s"].errors[0]
    assert history(town) == [("a", 1, 1, False)]


def test_another_source_with_the_same_key_keeps_its_thing(
    town: Town, night: Callable[..., Any], publisher: Publisher
) -> None:
    source = town.tenant.sources["s"].model_dump()
    source = {key: value for key, value in source.items() if value is not None} | {"http": {"attempts": 1}}
    town.with_sources(s=source, t={**source, "url": "https://data.example/other"})
    publisher.bodies["other"] = b'[{"id":"b","n":7}]'
    night({"a": 1, "b": 2})
    night({"a": 1})
    marked = town.stores.records.read_rows(SITE, []).filter("deleted")
    assert marked.select("source", "site_id").rows() == [("s", "b")]


def test_days_with_events_of_a_deleted_thing_are_made_again(
    town: Town, night: Callable[..., Any], publisher: Publisher
) -> None:
    status = {
        "connector": "csv",
        "url": "https://data.example/status",
        "each": {},
        "record_type": "parking_status",
        "fields": {"site_id": "id", "free": "n"},
        "time": {"column": "t", "zone": "utc"},
    }
    listing = town.tenant.sources["s"]
    town.with_sources(t=status)
    town.tenant = town.tenant.model_copy(
        update={"sources": {"s": listing, "t": town.tenant.sources["t"]}}
    ).with_key("town")
    publisher.bodies["status"] = b"id,n,t\nb,1,2026-07-02T10:00\n"
    connectors = {"json": Listing(), "csv": CsvConnector()}
    for body in (b'[{"id":"a","n":1},{"id":"b","n":2}]', b'[{"id":"a","n":1}]'):
        publisher.bodies["sites"] = body
        town.stores.journal.acknowledge(town.stores.journal.read_pending().entries)
        town.fetch(connectors)
        town.read(connectors)
    assert town.stores.journal.read_pending().days == {date(2026, 7, 2)}


def test_a_roster_with_less_than_half_of_what_is_known_deletes_nothing_unless_told_so(
    town: Town, night: Callable[..., Any]
) -> None:
    night({"a": 1, "b": 2, "c": 3})
    report = night({"a": 1})
    assert "lacks 2 of 3 parking_site; none is closed" in report.errors[0]
    assert not any(row[3] for row in history(town))
