"""A counter of bicycles in both months of the change of time: each expected row was read from the recorded files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from civitas_assets.catalog import Window
from civitas_assets.pipeline.runner import Order
from tests.integration.conftest import Replay, Workplace


@pytest.fixture(scope="module")
def muenster(replay: Replay, new_workplace: Callable[[], Workplace]) -> Any:
    """The city's own tenant, with its counter at the Promenade as it was in 2019."""
    workplace = new_workplace()
    counters = f"{replay.url}/files/ecocounter_muenster/{{counter}}_{{month:%Y-%m}}.csv"
    workplace.write_packaged_tenant("muenster", {"bicycle_counters": counters})
    outcome = workplace.run("muenster", Order(window=Window(date(2019, 3, 1), date(2019, 10, 31))))
    assert outcome.errors == []
    assert outcome.rejected == 0
    return lambda sql: workplace.ask("muenster", sql)


def at(*moment: int) -> datetime:
    """A moment in UTC."""
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]


def during(first: str, last: str) -> str:
    """The condition that an interval begins between two moments in UTC, both included."""
    return f"phenomenon_start_at between '{first}:00+00' and '{last}:00+00'"


def test_the_total_of_a_counter_is_told_from_its_directions(muenster: Any) -> None:
    channels = """
        select datastream_id, name, station_id, observed_property, is_station_total
        from datastream where source = 'bicycle_counters' order by datastream_id
    """
    bicycles = ("100031297", "traffic.bicycle_count")
    assert muenster(channels) == [
        ("100031297", "Promenade", *bicycles, True),
        ("101031297", "Promenade Radfahrer FR Mauritztor", *bicycles, False),
        ("102031297", "Promenade Radfahrer FR Salzstraße", *bicycles, False),
        ("103031297", "Promenade Radfahrer FR Mauritztor", *bicycles, False),
        ("104031297", "Promenade Radfahrer FR Salzstraße", *bicycles, False),
        ("105031297", "Promenade Radfahrer FR Mauritztor", *bicycles, False),
        ("106031297", "Promenade Radfahrer FR Salzstraße", *bicycles, False),
    ]


def test_what_rode_past_a_counter_counts_once(muenster: Any) -> None:
    # In each of the two months the six directions add up to the total to the last bicycle.
    months = """
        select monthname(day), sum(bicycle_count)::int, count(*), max(datastream_count)
        from traffic_flow_observed group by 1 order by 1
    """
    assert muenster(months) == [("March", 363_164, 2_972, 1), ("October", 451_105, 2_976, 1)]
    channels = "select sum(value)::int from observation where station_id = '100031297' and month(day) = 10"
    assert muenster(channels) == [(2 * 451_105,)]


def test_the_nights_of_the_changes_of_time_have_each_count_in_its_place(muenster: Any) -> None:
    flow = """
        select station_id, phenomenon_start_at, phenomenon_end_at, day, bicycle_count, vehicle_count,
               pedestrian_count, datastream_count, quality_code, source
        from traffic_flow_observed
    """
    last = (None, None, 1, "good", "bicycle_counters")
    spring = date(2019, 3, 31)
    found = f"{flow} where {during('2019-03-31 00:45', '2019-03-31 01:15')} order by 2"
    assert muenster(found) == [
        (
            "100031297",
            at(2019, 3, 31, 0, 45),
            at(2019, 3, 31, 1, 0),
            spring,
            59,
            *last,
        ),  # 01:45 in winter time
        (
            "100031297",
            at(2019, 3, 31, 1, 0),
            at(2019, 3, 31, 1, 15),
            spring,
            38,
            *last,
        ),  # 03:00 in summer time
        ("100031297", at(2019, 3, 31, 1, 15), at(2019, 3, 31, 1, 30), spring, 48, *last),
    ]
    # The file has the hour from 02:00 once, with what was counted in both its passes: one begins at 00:00 in UTC,
    # and the other ends at 02:00.
    autumn = date(2019, 10, 27)
    found = f"{flow} where {during('2019-10-26 23:45', '2019-10-27 02:00')} order by 2"
    assert muenster(found) == [
        ("100031297", at(2019, 10, 26, 23, 45), at(2019, 10, 27, 0, 0), autumn, 69, *last),
        ("100031297", at(2019, 10, 27, 0, 0), at(2019, 10, 27, 1, 15), autumn, 84, *last),
        ("100031297", at(2019, 10, 27, 0, 15), at(2019, 10, 27, 1, 30), autumn, 69, *last),
        ("100031297", at(2019, 10, 27, 0, 30), at(2019, 10, 27, 1, 45), autumn, 82, *last),
        ("100031297", at(2019, 10, 27, 0, 45), at(2019, 10, 27, 2, 0), autumn, 53, *last),
        (
            "100031297",
            at(2019, 10, 27, 2, 0),
            at(2019, 10, 27, 2, 15),
            autumn,
            17,
            *last,
        ),  # 03:00 in winter time
    ]
    folded = "select distinct value, time_flag from observation where datastream_id = station_id and time_flag <> '' "
    assert muenster(f"{folded} order by value") == [(v, "fold_summed") for v in (53, 69, 82, 84)]


def test_days_of_23_and_25_hours_are_covered(muenster: Any) -> None:
    days = """
        select day, value_count, coverage_ratio from coverage
        where datastream_id = '100031297' and day in ('2019-03-31', '2019-10-27') order by day
    """
    assert muenster(days) == [(date(2019, 3, 31), 92, 1.0), (date(2019, 10, 27), 96, 1.0)]
