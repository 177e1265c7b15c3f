"""What a whole fetch has no more is closed or told, on no less than the word of a whole answer; and all is seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from civitas_assets.connectors.files.csv import CsvConnector
from civitas_assets.connectors.files.json import JsonConnector
from civitas_assets.records import RECORD_TYPES, BrokenRow, RawTable
from civitas_assets.store.landing import SourceLanding
from tests.ingest.conftest import Publisher, Town

PLACE = RECORD_TYPES["place"]
CONNECTORS: dict[str, Any] = {"csv": CsvConnector(), "json": JsonConnector()}

Night = Callable[..., Any]


@pytest.fixture
def night(town: Town, publisher: Publisher) -> Night:
    """A night in which pages have these rows; its report. A page that is None is not answered."""

    def work(*pages: str | None, read: bool = True, **settings: Any) -> Any:
        town.with_sources(
            s={
                "connector": "csv",
                "url": "https://data.example/{page}",
                "each": {"page": tuple(f"p{number}" for number in range(len(pages)))},
                "record_type": "place",
                "fields": {"place_id": "id", "name": "n", "lon": "x"},
                "time": None,
                **settings,
            }
        )
        for number, rows in enumerate(pages):
            if rows is None:
                publisher.bodies.pop(f"p{number}", None)
            else:
                publisher.bodies[f"p{number}"] = f"id,n,x\n{rows}".encode()
        town.fetch(CONNECTORS)
        return town.read(CONNECTORS)["s"] if read else None

    return work


def there(town: Town) -> dict[str, bool]:
    """The places by id, and whether they are there still."""
    rows = town.stores.records.read_current(PLACE, "s", [])
    return {row["place_id"]: not row["deleted"] for row in rows.sort("place_id").rows(named=True)}


def seen(town: Town) -> dict[str, Any]:
    known = SourceLanding(town.files, town.tenant.slug, "s").read_addresses
    rows = town.stores.seen.read_last_seen("s", known).filter(record_type="place")
    return dict(rows.select("id", "last_seen_at").rows())


def test_what_a_snapshot_has_no_more_is_closed_and_may_come_back(town: Town, night: Night) -> None:
    night("1,A,\n2,B,\n3,C,", snapshot=True)
    report = night("1,A,\n2,B,", snapshot=True)
    assert (report.counts["place"].deleted, report.notes, report.errors) == (1, (), [])
    assert there(town) == {"1": True, "2": True, "3": False}
    assert night("1,A,\n2,B2,", snapshot=True).counts["place"].deleted == 0
    night("1,A,\n2,B,\n3,C,", snapshot=True)
    assert there(town) == {"1": True, "2": True, "3": True}


@pytest.mark.parametrize(
    "last", ["1,A,\n2,B,\n3,C,", "1,A,\n2,B2,\n3,C,\n5,E,"], ids=["as before", "otherwise"]
)
def test_what_was_away_between_two_readings_is_told(town: Town, night: Night, last: str) -> None:
    """No answer closes it, since the last one has it: that is all that tables can say."""
    night("1,A,\n2,B,\n3,C,", "4,D,", snapshot=True)
    night("1,A,\n2,B,", "4,D,", snapshot=True, read=False)
    report = night(last, "4,D,", snapshot=True)
    assert [note.code for note in report.new_notes] == ["away_meanwhile"]
    assert "1 place, such as 3, were gone and came back" in report.new_notes[0].text
    assert all(there(town).values())
    assert night("1,A,\n2,B,", "4,D,", snapshot=True).notes == ()
    assert not there(town)["3"]


def test_what_was_not_away_is_not_told(town: Town, night: Night) -> None:
    night("1,A,\n2,B,\n3,C,", "4,D,", snapshot=True)
    moved = (
        [("1,A,\n2,B,", "3,C,\n4,D,"), ("1,A,\n2,B,\n3,C,", "4,D,")],  # to another page, and back
        [("1,A,\n2,B,", None), ("1,A,\n2,B,\n3,C,", "4,D,")],  # a fetch that was not whole
        [("1,A,", ""), ("1,A,\n2,B,\n3,C,", "4,D,")],  # less than what closes anything
        [
            ("1,A,\n2,B,\n3,C,\n,X,", "4,D,"),
            ("1,A,\n2,B,\n3,C,", "4,D,"),
        ],  # a row without an id, which may be any
        [
            ("1,A,\n2,B,\n3,C,\n6,F,", "4,D,"),
            ("1,A,\n2,B,\n3,C,", "4,D,"),
        ],  # came and went: closed by the last
    )
    for first, last in moved:
        night(*first, snapshot=True, read=False)
        assert night(*last, snapshot=True).notes == (), first
        assert {name for name, is_there in there(town).items() if is_there} == {"1", "2", "3", "4"}


def test_without_a_word_on_it_what_is_gone_is_told_and_stays(town: Town, night: Night) -> None:
    night("1,A,\n2,B,\n3,C,")
    town.stores.journal.acknowledge(town.stores.journal.read_pending().entries)
    report = night("1,A,\n2,B,")
    assert town.stores.journal.read_pending().things
    assert [note.code for note in report.new_notes] == ["gone_from_source"]
    assert "1 of 3 place are no longer in the source, such as 3" in report.new_notes[0].text
    assert there(town)["3"]
    again = night("1,A2,\n2,B,")
    assert (again.notes, again.new_notes) == (report.notes, ())
    assert night("1,A,\n2,B,\n3,C,").notes == ()


def test_what_never_is_whole_is_neither_closed_nor_told(town: Town, night: Night) -> None:
    night("1,A,\n2,B,", snapshot=False)
    assert night("1,A,", snapshot=False).notes == ()
    assert there(town) == {"1": True, "2": True}


def test_pages_are_one_snapshot_also_those_that_stand_unchanged(town: Town, night: Night) -> None:
    night("1,A,\n2,B,", "3,C,\n4,D,", snapshot=True)
    assert night("1,A,", "3,C,\n4,D,", snapshot=True).counts["place"].deleted == 1
    assert there(town) == {"1": True, "2": False, "3": True, "4": True}
    night("1,A,\n3,C,", "4,D,", snapshot=True)  # a row that has moved to another page is not gone
    assert there(town) == {"1": True, "2": False, "3": True, "4": True}
    night("1,A,\n3,C,", snapshot=True)  # a page less
    assert there(town) == {"1": True, "2": False, "3": True, "4": False} or there(town)["4"]


def test_a_page_that_is_not_answered_closes_nothing_until_it_is(town: Town, night: Night) -> None:
    night("1,A,\n2,B,", "3,C,", snapshot=True)
    report = night("1,A,", None, snapshot=True)
    assert report.counts["place"].deleted == 0
    assert all(there(town).values())
    night("1,A2,", "3,C,", snapshot=True)
    assert there(town) == {"1": True, "2": False, "3": True}


def test_pages_that_lead_to_each_other_are_one_snapshot(town: Town, publisher: Publisher) -> None:
    """The last page is gone in the second night; in the third one leads to a page that there is not."""
    settings = {
        "connector": "json", "url": "https://data.example/p0", "each": {}, "record_type": "place", "records": "items",
        "fields": {"place_id": "id"}, "time": None, "snapshot": True, "next": "next",
    }  # fmt: skip
    town.with_sources(s=settings)
    nights = (
        ({"p0": ([1, 2], "/p1"), "p1": ([3, 4], "/p2"), "p2": ([5], None)}, "12345"),
        ({"p0": ([1, 2], "/p1"), "p1": ([3, 4], None)}, "1234"),
        ({"p0": ([1, 2], "/p1"), "p1": ([3], "/p9")}, "1234"),
        ({"p0": ([1, 2], "/p1"), "p1": ([3], None)}, "123"),
    )
    for pages, left in nights:
        for name, (ids, following) in pages.items():
            document = {"items": [{"id": number} for number in ids], "next": following}
            publisher.bodies[name] = json.dumps(document).encode()
        town.night()
        assert "".join(name for name, is_there in there(town).items() if is_there) == left


def test_an_answer_that_may_be_cut_closes_nothing(town: Town, night: Night) -> None:
    """A service that gives a hundred at most, since yesterday."""
    rows = [f"{number},A," for number in range(120)]
    night("\n".join(rows), snapshot=True, url="https://data.example/p0", each={})
    report = night("\n".join(rows[:100]), snapshot=True, url="https://data.example/p0", each={})
    assert [note.code for note in report.notes] == ["end_unproven"]
    assert all(there(town).values())
    report = night("\n".join(rows[:101]), snapshot=True, url="https://data.example/p0", each={})
    assert (report.counts["place"].deleted, report.notes) == (19, ())


@pytest.mark.parametrize("rows", ["1,A,\n2,B,east", "1,A,\n2,B,9e99"])
def test_a_row_with_a_fault_is_there(town: Town, night: Night, rows: str) -> None:
    night("1,A,\n2,B,", snapshot=True)
    report = night(rows, snapshot=True)
    assert report.counts["place"].deleted == 0
    assert there(town) == {"1": True, "2": True}


def test_a_row_of_which_nobody_knows_what_it_is_about_closes_nothing_and_is_told(
    town: Town, night: Night
) -> None:
    night("1,A,\n2,B,\n3,C,", snapshot=True)
    report = night("1,A,\n2,B,\n,C,", snapshot=True)
    assert "rows without an id may be about them" in report.notes[0].text
    assert all(there(town).values())


class _SomeUnreadable(CsvConnector):
    """Cannot read rows that are called ?, of which it knows no more than the id."""

    def read(self, source: Any, payload: Any) -> Iterator[RawTable]:
        for table in super().read(source, payload):
            is_lost = pl.col("name") == "?"
            ids = table.frame.filter(is_lost)["place_id"]
            broken = tuple(BrokenRow(row, "no_name", "", "", (key,)) for row, key in enumerate(ids, 1))
            yield replace(table, frame=table.frame.filter(~is_lost), broken=broken)


def test_a_row_that_cannot_be_read_is_there_if_it_says_what_it_is_about_and_others_are_closed(
    town: Town, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONNECTORS, "csv", _SomeUnreadable())
    night("1,A,\n2,B,\n3,C,", snapshot=True)
    report = night("1,A,\n2,?,\n9,?,", snapshot=True)
    assert (report.counts["place"].deleted, report.notes) == (1, ())
    assert there(town) == {"1": True, "2": True, "3": False}


def test_much_less_than_is_known_closes_nothing_and_is_told(town: Town, night: Night) -> None:
    night("1,A,\n2,B,\n3,C,", snapshot=True)
    report = night("1,A,", snapshot=True)
    assert "less than 50% of what is known" in report.notes[0].text
    assert all(there(town).values())
    night("1,A1,", snapshot=True, snapshot_share=0.0)
    assert there(town) == {"1": True, "2": False, "3": False}


def test_an_empty_answer_closes_nothing_and_is_an_error(town: Town, night: Night) -> None:
    night("1,A,\n2,B,", snapshot=True)
    assert night("", snapshot=True).errors
    assert all(there(town).values())


def test_everything_is_seen_as_long_as_its_answer_stands(town: Town, night: Night) -> None:
    night("1,A,\n2,B,")
    first = seen(town)
    stamps = town.files.list_stamps(f"records/{town.tenant.slug}/")
    night("1,A,\n2,B,")
    assert town.files.list_stamps(f"records/{town.tenant.slug}/").keys() == stamps.keys()
    second = seen(town)
    assert all(second[key] - first[key] == timedelta(days=1) for key in ("1", "2"))
    night("1,A,")
    third = seen(town)
    assert third["1"] - second["1"] == timedelta(days=1)
    assert third["2"] == second["2"]
