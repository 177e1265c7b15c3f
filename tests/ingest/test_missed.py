"""Nights that were missed: their days are asked for later, or named with the command that asks for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.ingest.fetch import fetch_sources
from civitas_assets.store.landing import SourceLanding
from tests.ingest.conftest import Publisher, Town

FIRST = datetime(2026, 7, 1, 4, tzinfo=UTC)
Night = Callable[..., Any]


@pytest.fixture
def night(town: Town, publisher: Publisher) -> Night:
    """A night so many days after the first one; its report. Days are those in July, whose files are all there."""
    publisher.bodies.update({f"{date(2026, 6, 1) + timedelta(days=n):%m%d}": b"id,v,t\n" for n in range(200)})

    def work(day: int, days: Window | None = None, **settings: Any) -> Any:
        declared = {
            "url": "https://data.example/{day:%m%d}",
            "look_back": "2 days",
            "catch_up": "10 days",
            "each": None,
            "cadence": "nightly",
            **settings,
        }
        town.with_sources(s=declared)
        publisher.asked.clear()
        now = FIRST + timedelta(days=day)
        (report,) = fetch_sources(
            town.tenant, town.tenant.sources, CONNECTORS, days, town.files, town.client, lambda: now
        )
        return report

    return work


def test_the_days_of_missed_nights_are_asked_for_as_if_none_had_been_missed(
    night: Night, publisher: Publisher
) -> None:
    assert night(0).ok
    assert publisher.paths == ["0629", "0630", "0701"]
    assert night(6).ok
    # As the nights of the second to the seventh together, of which each looks back two days.
    assert publisher.paths == ["0630", "0701", "0702", "0703", "0704", "0705", "0706", "0707"]
    assert not night(7).notes
    assert publisher.paths == ["0706", "0707", "0708"]


def test_a_night_that_failed_is_made_up_for(night: Night, publisher: Publisher) -> None:
    night(0)
    publisher.bodies["0702"] = 500
    for day in (1, 2, 3, 4):
        assert not night(day).ok
    publisher.bodies["0702"] = b"id,v,t\n"
    assert night(5).ok
    assert publisher.paths == ["0630", "0701", "0702", "0703", "0704", "0705", "0706"]


def test_days_beyond_the_bound_are_named_until_somebody_asks_for_them(
    night: Night, publisher: Publisher, town: Town
) -> None:
    night(0)
    (note,) = night(20).notes
    assert publisher.paths[0] == "0711"
    assert note.code == "days_missing"
    assert "the days 2026-07-01 to 2026-07-10, since" in note.text
    assert note.text.endswith("civitas run --tenant town --sources s --from 2026-07-01 --to 2026-07-10")
    assert night(21).notes == (note,)
    assert night(21).new_notes == ()
    publisher.bodies["0710"] = 500
    assert night(22, Window(date(2026, 7, 5), date(2026, 7, 10))).notes == (note,), "not all was answered"
    publisher.bodies["0710"] = b"id,v,t\n"
    (part,) = night(22, Window(date(2026, 7, 5), date(2026, 7, 8))).notes
    assert "the days 2026-07-01 to 2026-07-04, 2026-07-09 to 2026-07-10, since" in part.text
    assert not night(22, Window(date(2026, 6, 1), date(2026, 7, 12))).notes
    assert not night(23).notes


def test_a_frequent_source_catches_up_once(night: Night, publisher: Publisher) -> None:
    night(0, cadence="every_15_minutes")
    night(6, cadence="every_15_minutes")
    assert len(publisher.paths) == 8
    night(6, cadence="every_15_minutes")
    assert publisher.paths == ["0707"]


def test_what_is_not_asked_for_by_days_misses_none(night: Night, publisher: Publisher) -> None:
    night(0, url="https://data.example/0701")
    assert not night(100, url="https://data.example/0701").notes
    assert publisher.paths == ["0701"]


def test_a_clock_that_went_back_makes_no_day_missing(night: Night, publisher: Publisher) -> None:
    night(20)
    assert not night(0).notes
    assert publisher.paths == ["0629", "0630", "0701"]


def test_what_an_older_version_has_noted_is_understood(
    night: Night, town: Town, publisher: Publisher
) -> None:
    old = b'{"at":"2026-07-01T04:00:00Z","whole_on":"2026-07-01","is_whole":true}'
    town.files.write("landing/town/s/answered.json", old)
    assert night(4).ok
    assert publisher.paths == ["0630", "0701", "0702", "0703", "0704", "0705"]
    assert SourceLanding(town.files, "town", "s").read_answered().missing == ()
