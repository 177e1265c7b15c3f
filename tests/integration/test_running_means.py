"""Averages over eight hours are right across midnight, summer time and nights; a late value changes the day after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.conftest import MakeCounts, Server, Workplace

TOWN = """
name: Ozonstadt
ags: "99000098"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  air:
    title: Luftmessung
    connector: csv
    licence: CC0-1.0
    url: "$url/counter.csv"
    http: {requests_per_second: 100, attempts: 1}
    record_type: observation
    time: {column: time, zone: offset, stamp: interval_start, interval: 1 hour}
    fields: {datastream_id: id, value: count}
    constants: {station_id: s, observed_property: air.o3, unit: ug/m3}
"""
HIGHEST = """
    select day::varchar, value, is_exceeded from air_quality_assessment
    where directive = '2008/50/EC' order by day
"""


@pytest.fixture
def ozone(workplace: Workplace, town: Server) -> Any:
    workplace.write_tenant("ozonstadt", TOWN.replace("$url", town.url))
    workplace.clock = datetime(2026, 10, 27, 5, tzinfo=UTC)
    return workplace


def hours(first: str, count: int, **others: float) -> Mapping[str, float]:
    """Hourly values of 80 from a moment on, other ones at some of them; they move a trifle, as no flat line does."""
    start = datetime.fromisoformat(first)
    values = {
        f"{start + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}": 80 + hour % 2 / 1e8 for hour in range(count)
    }
    return {**values, **{moment.replace("_", ":"): value for moment, value in others.items()}}


def test_a_mean_of_eight_hours_reaches_over_midnight_and_over_the_end_of_summer_time(
    ozone: Any, town: Server, counts: MakeCounts
) -> None:
    # The evening of the 24th, in summer time, is high; so are the first hours of the 25th, which has 25 of them.
    moments = [f"2026-10-24T{hour}:00:00Z" for hour in (20, 21, 22, 23)]
    high = dict.fromkeys([*moments, "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"], 200)
    town.pages["/counter.csv"] = counts({**hours("2026-10-23T22:00", 24 + 25), **high})
    assert ozone.run("ozonstadt").ok
    # Six of the eight hours that end at 02:00 UTC on the 25th are at 200, two at 80.
    assert ozone.ask("ozonstadt", HIGHEST) == [
        ("2026-10-24", pytest.approx((2 * 200 + 6 * 80) / 8), False),
        ("2026-10-25", pytest.approx((6 * 200 + 2 * 80) / 8), True),
    ]
    counted = "select day::varchar, valid_count, expected_count from observation_daily order by day"
    assert ozone.ask("ozonstadt", counted) == [("2026-10-24", 24, 24), ("2026-10-25", 25, 25)]


def test_a_value_that_comes_late_changes_the_mean_of_the_day_after(
    ozone: Any, town: Server, counts: MakeCounts
) -> None:
    three_days = dict(hours("2026-10-19T22:00", 3 * 24))
    town.pages["/counter.csv"] = counts(three_days)
    assert ozone.run("ozonstadt").ok
    assert [value for _, value, _ in ozone.ask("ozonstadt", HIGHEST)] == pytest.approx([80, 80, 80])
    late = {f"2026-10-20T{hour:02d}:00:00Z": 180 for hour in range(17, 22)}
    town.pages["/counter.csv"] = counts({**three_days, **late})
    outcome = ozone.run("ozonstadt")
    assert (outcome.ok, outcome.changed, outcome.days) == (True, 5, 2)
    found = ozone.ask("ozonstadt", HIGHEST)
    assert [day for day, _, _ in found] == ["2026-10-20", "2026-10-21", "2026-10-22"]
    # Until 24:00 on the 20th five of eight hours are high, until 01:00 on the 21st as well.
    assert [value for _, value, _ in found] == pytest.approx([(5 * 180 + 3 * 80) / 8] * 2 + [80])


def test_a_day_that_is_new_looks_back_into_one_that_is_not_affected(
    ozone: Any, town: Server, counts: MakeCounts
) -> None:
    evening = dict(hours("2026-10-20T14:00", 8))
    town.pages["/counter.csv"] = counts(evening)
    assert ozone.run("ozonstadt").ok
    town.pages["/counter.csv"] = counts(hours("2026-10-20T22:00", 2))
    outcome = ozone.run("ozonstadt")
    assert (outcome.ok, outcome.days) == (True, 1)
    assert ozone.ask("ozonstadt", HIGHEST) == [
        ("2026-10-20", pytest.approx(80), False),
        ("2026-10-21", pytest.approx(80), False),
    ]
