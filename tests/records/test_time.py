"""Written times become instants by declared rules; what is ambiguous is a fault, not a guess."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civitas_assets.catalog import TimeRule
from civitas_assets.records.contract import UTC_TIME
from civitas_assets.records.time import (
    EventTimes,
    parse_dates,
    parse_event_times,
    parse_instants,
    parse_other_times,
)

BERLIN = ZoneInfo("Europe/Berlin")
RECEIVED = datetime(2026, 8, 1, 2, tzinfo=UTC)
WALL = {"zone": "local_wall", "format": "%Y-%m-%d %H:%M"}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def read(*written: Any, series: Any = None, **rule: Any) -> EventTimes:
    """What the rule makes of times of one column."""
    rule = {"column": "t", **rule}
    return parse_event_times(
        pl.Series(written, strict=False),
        TimeRule.model_validate(rule),
        "Europe/Berlin",
        pl.Series([RECEIVED] * len(written), dtype=UTC_TIME),
        pl.Series(series or ["a"] * len(written)),
    )


def broken(times: EventTimes) -> list[str | None]:
    """The rule that each row breaks."""
    return [
        next((rule for rule, rows in times.faults.items() if rows[i]), None) for i in range(len(times.start))
    ]


@pytest.mark.parametrize(
    ("rule", "written", "expected"),
    [
        ({"zone": "utc"}, "2026-07-01T12:00:00", "2026-07-01 12:00"),
        ({"zone": "utc"}, "2026-07-01 12:00:00Z", "2026-07-01 12:00"),
        ({"zone": "utc"}, "2026-07-01", "2026-07-01 00:00"),
        ({"zone": "utc"}, "2026-07-01T12:00:00.250", "2026-07-01 12:00:00.250"),
        ({"zone": "utc", "format": "%d.%m.%Y %H:%M"}, "01.07.2026 12:00", "2026-07-01 12:00"),
        ({"zone": "offset"}, "2026-07-01T12:00:00+02:00", "2026-07-01 10:00"),
        ({"zone": "offset"}, "2026-07-01T12:00:00Z", "2026-07-01 12:00"),
        ({"zone": "offset"}, "2026-07-01T12:00:00.123Z", "2026-07-01 12:00:00.123"),
        ({"zone": "offset"}, "2026-07-01T12:00+0200", "2026-07-01 10:00"),
        ({"zone": "offset", "format": "%d.%m.%Y %H:%M %z"}, "01.07.2026 12:00 +0200", "2026-07-01 10:00"),
        ({"zone": "offset"}, "2026-07-01T12+02:00", "2026-07-01 10:00"),
        ({"zone": "offset"}, "2026-07-01T12Z", "2026-07-01 12:00"),
        ({"zone": "offset", "format": "%d.%m.%Y %H:%M %Z"}, "01.07.2026 12:00 MESZ", "2026-07-01 10:00"),
        ({"zone": "utc"}, "2026-07-01T05", "2026-07-01 05:00"),
        ({"zone": "cet_fixed", "format": "%d.%m.%Y %H"}, "01.07.2026 5", "2026-07-01 04:00"),
        ({"zone": "cet_fixed"}, "2026-07-01T12:00", "2026-07-01 11:00"),
        ({"zone": "cet_fixed"}, "2026-01-01T12:00", "2026-01-01 11:00"),
        (WALL, "2026-07-01 12:00", "2026-07-01 10:00"),
        (WALL, "2026-01-01 12:00", "2026-01-01 11:00"),
        ({"zone": "utc", "format": "epoch_s"}, 1782907200, "2026-07-01 12:00"),
        ({"zone": "utc", "format": "epoch_s"}, "1782907200.5", "2026-07-01 12:00:00.5"),
        ({"zone": "utc", "format": "epoch_ms"}, "1782907200000", "2026-07-01 12:00"),
    ],
)
def test_each_zone_and_format_is_read_as_declared(rule: dict[str, Any], written: Any, expected: str) -> None:
    times = read(written, **rule)
    assert times.start.to_list() == times.end.to_list() == [utc(expected)]
    assert broken(times) == [None]
    assert times.flag.to_list() == [None]


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        ({"zone": "utc"}, "2026-07-01T12:00:00+02:00"),
        ({"zone": "offset"}, "2026-07-01T12:00:00"),
        ({"zone": "cet_fixed"}, "2026-02-30T12:00"),
        (WALL, "01.07.2026 12:00"),
        (WALL, "2026-07-01 24:00"),
        ({"zone": "utc", "format": "epoch_s"}, "yesterday"),
        ({"zone": "utc", "format": "epoch_s"}, 9e18),
        ({"zone": "utc", "format": "epoch_ms"}, float("inf")),
    ],
)
def test_a_time_that_is_not_as_declared_is_unreadable(rule: dict[str, Any], written: Any) -> None:
    times = read(written, "2026-07-01T12:00" if isinstance(written, str) else 0, **rule)
    assert broken(times)[0] == "time_is_unreadable"
    assert times.start[0] is None


def test_a_time_that_is_absent_is_missing() -> None:
    assert broken(read(None, "2026-07-01", zone="utc")) == ["time_is_missing", None]
    assert broken(read(None, 0, zone="utc", format="epoch_s")) == ["time_is_missing", None]


def test_data_without_times_happens_when_it_is_received() -> None:
    times = parse_event_times(
        None,
        TimeRule(zone="received"),
        "Europe/Berlin",
        pl.Series([RECEIVED], dtype=UTC_TIME),
        pl.Series(["a"]),
    )
    assert times.start.to_list() == times.end.to_list() == [RECEIVED]


def test_a_stamp_at_the_end_of_its_interval_starts_an_interval_earlier() -> None:
    for zone, written in (("utc", "2026-07-01T12:00"), ("offset", "2026-07-01T14:00+02:00")):
        times = read(written, zone=zone, stamp="interval_end", interval="1 hour")
        assert times.start.to_list() == [utc("2026-07-01 11:00")]
        assert times.end.to_list() == [utc("2026-07-01 12:00")]


FOLD = {**WALL, "format": "%Y-%m-%d %H:%M", "stamp": "interval_start", "interval": "15 min"}


@pytest.mark.parametrize(
    ("fold", "start", "end"),
    [
        ("first", "2025-10-26 00:30", "2025-10-26 00:45"),
        ("second", "2025-10-26 01:30", "2025-10-26 01:45"),
        ("summed", "2025-10-26 00:30", "2025-10-26 01:45"),
    ],
)
def test_the_repeated_hour_is_read_by_its_rule_and_flagged(fold: str, start: str, end: str) -> None:
    times = read("2025-10-26 01:45", "2025-10-26 02:30", "2025-10-26 03:00", fold=fold, **FOLD)
    assert times.start.to_list() == [utc("2025-10-25 23:45"), utc(start), utc("2025-10-26 02:00")]
    assert times.end.to_list() == [utc("2025-10-26 00:00"), utc(end), utc("2025-10-26 02:15")]
    assert times.flag.to_list() == [None, f"fold_{fold}", None]
    assert broken(times) == [None] * 3


def test_summed_values_span_from_the_first_pass_to_the_end_of_the_second() -> None:
    """Four rows hold eight quarters: they overlap, and none of them pretends to be one pass only."""
    times = read(*(f"2025-10-26 02:{minute:02}" for minute in (0, 15, 30, 45)), fold="summed", **FOLD)
    assert [end - start for start, end in zip(times.start, times.end, strict=True)] == [
        timedelta(minutes=75)
    ] * 4
    assert times.end.to_list()[-1] == utc("2025-10-26 02:00")


def test_without_a_rule_the_repeated_hour_is_a_fault() -> None:
    assert broken(read("2025-10-26 01:45", "2025-10-26 02:30", **WALL)) == [None, "time_is_ambiguous"]


def test_by_order_the_second_time_of_a_series_is_the_second_pass() -> None:
    times = read(
        *["2025-10-26 02:00", "2025-10-26 02:00", "2025-10-26 02:30", "2025-10-26 02:00", "2025-10-26 02:30"],
        series=["a", "b", "a", "a", "a"],
        fold="by_order",
        **FOLD,
    )
    assert [f"{start:%H:%M}" for start in times.start] == ["00:00", "00:00", "00:30", "01:00", "01:30"]
    assert {*times.flag} == {"fold_by_order"}


def test_by_order_three_oclock_twice_ends_both_passes() -> None:
    """Stamped at their ends, the hours of that night are 02, 03, 03, 04: 03:00 is ambiguous, 02:00 is not."""
    times = read(
        *(f"2025-10-26 {hour:02}:00" for hour in (2, 3, 3, 4)),
        **{**FOLD, "stamp": "interval_end", "interval": "1 hour", "fold": "by_order"},
    )
    assert [f"{start:%H:%M}" for start in times.start] == ["23:00", "00:00", "01:00", "02:00"]
    assert times.flag.to_list() == [None, "fold_by_order", "fold_by_order", None]


def test_the_hour_that_spring_leaves_out_does_not_exist() -> None:
    times = read("2026-03-29 01:59", "2026-03-29 02:00", "2026-03-29 02:59", "2026-03-29 03:00", **WALL)
    assert broken(times) == [None, "time_does_not_exist", "time_does_not_exist", None]
    assert times.start[3] - times.start[0] == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-28 24:00", "2026-03-28 23:00"),
        ("2026-03-28T24:00:00", "2026-03-28 23:00"),
        ("2026-12-31 24:00", "2026-12-31 23:00"),
        ("2026-03-28 13:24:00", "2026-03-28 12:24"),
        ("2026-03-28 00:00", "2026-03-27 23:00"),
    ],
)
def test_the_end_of_a_day_may_be_written_as_hour_24(written: str, expected: str) -> None:
    assert read(written, zone="cet_fixed", hour24=True).start.to_list() == [utc(expected)]


@pytest.mark.parametrize("written", ["2026-03-28 24:01", "2026-03-28 24:00:01", "2026-03-28 25:00"])
def test_no_day_is_longer_than_24_hours(written: str) -> None:
    assert broken(read(written, zone="cet_fixed", hour24=True)) == ["time_is_unreadable"]


def test_instants_of_a_column_without_any_value_are_all_unknown() -> None:
    assert parse_instants(pl.Series([None, None])).to_list() == [None, None]
    assert parse_instants(pl.Series([None, None])).dtype == UTC_TIME


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 34_000_000), min_size=1, max_size=50))
def test_an_instant_survives_the_wall_clock_wherever_that_is_unambiguous(minutes: list[int]) -> None:
    instants = [utc("1996-01-01") + timedelta(minutes=minute) for minute in minutes]
    walls = [instant.astimezone(BERLIN) for instant in instants]
    times = read(*(f"{wall:%Y-%m-%d %H:%M}" for wall in walls), **WALL)
    for instant, wall, start, fault in zip(instants, walls, times.start, broken(times), strict=True):
        if wall.replace(fold=0).utcoffset() == wall.replace(fold=1).utcoffset():
            assert (start, fault) == (instant, None)
        else:
            assert fault == "time_is_ambiguous"


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2026-07-01", 96), ("2025-10-26", 96)])
def test_a_day_of_quarters_has_as_many_rows_as_its_clock_shows(day: str, quarters: int) -> None:
    written = [f"{day} {hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45)]
    times = read(*written, fold="summed", **FOLD)
    starts = [start for start, fault in zip(times.start, broken(times), strict=True) if fault is None]
    assert len({*starts}) == quarters
    assert {start.astimezone(BERLIN).date().isoformat() for start in starts} == {day}


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [
        ("2024", "2023-12-31T23:00", "2024-12-31T23:00"),
        ("2011/2012", "2010-12-31T23:00", "2012-12-31T23:00"),
        ("2024-03", "2024-02-29T23:00", "2024-03-31T22:00"),
        ("2024-Q4", "2024-09-30T22:00", "2024-12-31T23:00"),
        ("2024-10-27", "2024-10-26T22:00", "2024-10-27T23:00"),
    ],
)
def test_a_period_lasts_until_the_next_one_on_the_wall_clock(written: str, start: str, end: str) -> None:
    times = read(written, zone="local_wall", format="period")
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in (times.start[0], times.end[0])] == [start, end]


@pytest.mark.parametrize(
    "written", ["24", "2012/2011", "2024-13", "2024-Q5", "2024-02-30", "Mai 2024", "2024-3"]
)
def test_what_is_no_period_is_unreadable(written: str) -> None:
    times = read(written, zone="utc", format="period")
    assert (times.start[0], times.end[0]) == (None, None)
    assert times.faults["time_is_unreadable"].to_list() == [True]


def test_days_are_read_as_files_write_them() -> None:
    written = [
        "2026-01-31",
        "31.01.2026",
        "2026/01/31",
        "2026-01-31 00:00:00",
        "2026-02-30",
        "31-01-2026",
        "31.01.26",
        None,
    ]
    assert parse_dates(pl.Series(written), "Europe/Berlin").to_list() == [date(2026, 1, 31)] * 4 + [None] * 4


@pytest.mark.parametrize(
    "written",
    [
        *("2026-03-01T23:00:00Z", "2026-03-01T23:00Z", "2026-03-01 23:00:00+00", "2026-03-02T00:00:00+01:00"),
        *("2026-03-02+01:00", "2026-03-02Z", "20260302", "2.3.2026", "02.03.2026 00:00"),
    ],
)
def test_a_day_written_as_an_instant_is_the_day_of_the_tenant(written: str) -> None:
    assert parse_dates(pl.Series([written]), "Europe/Berlin").to_list() == [date(2026, 3, 2)]


def test_a_day_that_a_format_has_as_an_instant_is_the_day_of_the_tenant() -> None:
    instant = pl.Series([datetime(2026, 3, 1, 23, tzinfo=UTC)], dtype=UTC_TIME)
    assert parse_dates(instant, "Europe/Berlin").to_list() == [date(2026, 3, 2)]
    wall = pl.Series([datetime(2026, 3, 1, 23)])  # noqa: DTZ001
    assert parse_dates(wall, "Europe/Berlin").to_list() == [date(2026, 3, 1)]


def test_other_times_than_that_of_the_event_follow_the_rule_of_the_source() -> None:
    written = pl.Series(
        ["2026-07-01 08:00", "2026-07-01T08:00:00Z", "2026-10-25 02:30", "2026-03-29 02:30", "x", None]
    )
    rule = TimeRule(
        column="t", zone="local_wall", format="iso", stamp="interval_end", interval=timedelta(hours=1)
    )
    found = parse_other_times(written, parse_instants(written), rule, "Europe/Berlin")
    assert found.to_list() == [
        datetime(2026, 7, 1, 6, tzinfo=UTC),
        datetime(2026, 7, 1, 8, tzinfo=UTC),
        *[None] * 4,
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("20260701T1000Z", "2026-07-01 10:00"),
        ("20260701T100000.5+0200", "2026-07-01 08:00:00.5"),
        ("20260701T100000,25Z", "2026-07-01 10:00:00.25"),
        ("2026-07-01T10:00:00,5Z", "2026-07-01 10:00:00.5"),
        ("2026-07-01T12:00:00+02:00[Europe/Berlin]", "2026-07-01 10:00"),
        ("2026-12-31T24:00:00+01:00", "2026-12-31 23:00"),
        ("2026-07-01T24:00Z", "2026-07-02 00:00"),
        ("2026-07-01T24:30:00Z", None),
        ("12345678T999999Z", None),
        ("x[y]", None),
    ],
)
def test_seldom_forms_of_iso_8601_are_instants_beside_usual_ones(written: str, expected: str | None) -> None:
    usual = "2026-07-01T10:00:00Z"
    found = parse_instants(pl.Series([usual, written, None, usual])).to_list()
    assert found == [utc("2026-07-01 10:00"), expected and utc(expected), None, utc("2026-07-01 10:00")]
