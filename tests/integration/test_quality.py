"""Quality does not depend on how a day came to be harmonised: forwards, alone, late or all together, it is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from civitas_assets.pipeline.runner import Order
from tests.integration.conftest import MakeCounts, Server, Workplace

TOWN = """
name: Wetterstadt
ags: "99000096"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  weather:
    title: Wetterstation
    connector: csv
    licence: CC0-1.0
    url: "$url/counter.csv"
    http: {requests_per_second: 100, attempts: 1}
    record_type: observation
    nulls: ["-999"]
    time: {column: time, zone: offset, stamp: instant}
    fields: {datastream_id: id, value: count}
    constants: {station_id: s, observed_property: PROPERTY, unit: UNIT}
"""
ROWS = """
    select phenomenon_start_at::varchar, value, quality_code, quality_rule from observation
    order by phenomenon_start_at
"""
MARKED = ROWS.replace("order by", "where quality_code <> 'good' order by")
MEANS = "select day::varchar, limit_code, value, is_representative from air_quality_assessment order by all"


@pytest.fixture
def weather(workplace: Workplace, town: Server) -> Any:
    workplace.write_tenant("wetterstadt", tenant(town))
    workplace.clock = datetime(2026, 10, 28, 5, tzinfo=UTC)
    return workplace


def tenant(town: Server, observed_property: str = "weather.temperature", unit: str = "Cel") -> str:
    return TOWN.replace("$url", town.url).replace("PROPERTY", observed_property).replace("UNIT", f'"{unit}"')


def series(first: str, values: list[float | str], minutes: int = 60) -> dict[str, object]:
    """Values from a moment on, in steps."""
    start = datetime.fromisoformat(first)
    moments = (start + timedelta(minutes=minutes * step) for step in range(len(values)))
    return {f"{moment:%Y-%m-%dT%H:%M:%SZ}": value for moment, value in zip(moments, values, strict=True)}


def of_day(values: Mapping[str, object], *days: str) -> dict[str, object]:
    """Those of the values that lie in these days in Berlin, in the nights around the end of summer time."""
    ends = {"2026-10-24": "2026-10-24T22", "2026-10-25": "2026-10-25T23", "2026-10-26": "2026-10-26T23"}
    starts = {"2026-10-24": "2026-10-23T22", "2026-10-25": "2026-10-24T22", "2026-10-26": "2026-10-25T23"}
    return {
        moment: value
        for moment, value in values.items()
        if any(starts[day] <= moment < ends[day] for day in days)
    }


# From 14:00 on the 24th until 06:00 on the 25th nothing moves; at midnight between the 25th and 26th it jumps.
VALUES = series(
    "2026-10-23T22:00",
    [
        *(round(8 + 0.1 * hour, 1) for hour in range(14)),
        *[12.5] * 20,
        *(round(13 + 0.1 * hour, 1) for hour in range(15)),
        *(round(38 + 0.1 * hour, 1) for hour in range(24)),
    ],
)


def test_each_day_alone_gives_the_same_quality_as_all_days_together(
    weather: Any, town: Server, counts: MakeCounts
) -> None:
    for days in (["2026-10-24"], ["2026-10-25"], ["2026-10-26"]):
        town.pages["/counter.csv"] = counts(of_day(VALUES, *days))
        outcome = weather.run("wetterstadt")
        assert (outcome.ok, outcome.days) == (True, 1), outcome.errors
    forwards = weather.ask("wetterstadt", ROWS)
    assert len(forwards) == len(VALUES)
    marked = weather.ask("wetterstadt", MARKED)
    assert [moment for moment, *_, rule in marked if rule == "flatline"] == [
        f"2026-10-25 {hour:02d}:00:00+00" for hour in range(8)
    ]
    assert [row for row in marked if row[3] != "flatline"] == [
        ("2026-10-25 23:00:00+00", 38.0, "suspect", "rate_of_change")
    ]
    rebuilt = weather.run("wetterstadt", Order(fetch=False, rebuild=True))
    assert rebuilt.ok
    assert weather.ask("wetterstadt", ROWS) == forwards


def test_a_day_that_comes_before_others_marks_what_follows_it(
    weather: Any, town: Server, counts: MakeCounts, new_workplace: Callable[[], Workplace]
) -> None:
    for day in ("2026-10-26", "2026-10-25", "2026-10-24"):
        town.pages["/counter.csv"] = counts(of_day(VALUES, day))
        assert weather.run("wetterstadt").ok
    together = new_workplace()
    together.write_tenant("wetterstadt", tenant(town))
    together.clock = weather.clock
    town.pages["/counter.csv"] = counts(VALUES)
    assert together.run("wetterstadt").ok
    assert weather.ask("wetterstadt", ROWS) == together.ask("wetterstadt", ROWS)


def test_a_correction_changes_the_quality_of_the_day_after_and_of_no_other(
    weather: Any, town: Server, counts: MakeCounts
) -> None:
    town.pages["/counter.csv"] = counts(VALUES)
    assert weather.run("wetterstadt").ok
    before = weather.ask("wetterstadt", MARKED)
    # The last value of the 25th was wrong as well, so that what follows is no jump.
    town.pages["/counter.csv"] = counts({**VALUES, "2026-10-25T22:00:00Z": 37.0})
    outcome = weather.run("wetterstadt")
    assert (outcome.ok, outcome.changed, outcome.days) == (True, 1, 2)
    after = weather.ask("wetterstadt", MARKED)
    assert [row for row in after if row not in before] == [
        ("2026-10-25 22:00:00+00", 37.0, "suspect", "rate_of_change")
    ]
    assert [row[0] for row in before if row not in after] == ["2026-10-25 23:00:00+00"]
    assert weather.run("wetterstadt", Order(fetch=False, rebuild=True)).ok
    assert weather.ask("wetterstadt", MARKED) == after


def test_what_is_doubtful_in_the_evening_is_not_in_a_mean_that_reaches_back_to_it(
    weather: Any, town: Server, counts: MakeCounts, new_workplace: Callable[[], Workplace]
) -> None:
    # Ozone stands still from 06:00 on the 24th, so that it is doubtful from 18:00 on, and lower after midnight.
    values = series(
        "2026-10-23T22:00",
        [*(70.0 + hour for hour in range(8)), *[99.0] * 16, *(60.0 + hour for hour in range(25))],
    )
    weather.write_tenant("wetterstadt", tenant(town, "air.o3", "ug/m3"))
    for days in (["2026-10-24"], ["2026-10-25"]):
        town.pages["/counter.csv"] = counts(of_day(values, *days))
        assert weather.run("wetterstadt").ok
    together = new_workplace()
    together.write_tenant("wetterstadt", tenant(town, "air.o3", "ug/m3"))
    together.clock = weather.clock
    town.pages["/counter.csv"] = counts(values)
    assert together.run("wetterstadt").ok
    assert weather.ask("wetterstadt", ROWS) == together.ask("wetterstadt", ROWS)
    assert weather.ask("wetterstadt", MEANS) == together.ask("wetterstadt", MEANS)
    flat = (
        "select min(phenomenon_start_at)::varchar, count(*) from observation where quality_rule = 'flatline'"
    )
    assert weather.ask("wetterstadt", flat) == [("2026-10-24 18:00:00+00", 4)]


def test_a_value_that_becomes_a_sentinel_is_missing_and_says_so(
    weather: Any, town: Server, counts: MakeCounts
) -> None:
    town.pages["/counter.csv"] = counts(series("2026-10-24T10:00", [8.0, 8.1, 8.2]))
    assert weather.run("wetterstadt").ok
    town.pages["/counter.csv"] = counts(series("2026-10-24T10:00", ["-999", "", -9999]))
    outcome = weather.run("wetterstadt")
    assert (outcome.ok, outcome.changed, outcome.rejected) == (True, 3, 0)
    assert weather.ask("wetterstadt", MARKED) == [
        ("2026-10-24 10:00:00+00", None, "missing", "sentinel"),
        ("2026-10-24 11:00:00+00", None, "missing", "withdrawn"),
        ("2026-10-24 12:00:00+00", None, "missing", "sentinel"),
    ]
    native = "select value_native from observation order by phenomenon_start_at"
    assert weather.ask("wetterstadt", native) == [(None,), (None,), (-9999.0,)]
