"""Times that nobody can have meant are told from those that somebody has: bounds, open ends, clocks never set."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from civitas_assets.records.clock import is_implausible, is_of_unset_clock, remove_open_ends
from civitas_assets.records.contract import UTC_TIME


def instants(*days: str) -> pl.Series:
    return pl.Series([datetime.fromisoformat(day).replace(tzinfo=UTC) for day in days], dtype=UTC_TIME)


@pytest.mark.parametrize(
    "written",
    [
        *("infinity", "-infinity", "Infinity", "..", "9999-12-31", "9999-12-31 23:59:59", "9999-12-31T22:59:59Z"),
        *("31.12.9999", "31.12.9999 00:00", "99991231", "2999-12-31", "0001-01-01", "0001-01-01T00:00:00"),
        *("01.01.0001", "0000-00-00 00:00:00"),
    ],
)  # fmt: skip
def test_an_open_end_is_no_time(written: str) -> None:
    assert remove_open_ends(pl.Series([written])).to_list() == [None]


@pytest.mark.parametrize(
    "written", ["2099-12-31", "1999-12-31", "31.12.1999", "infinite", "9999", "Am 31.12.9999"]
)
def test_what_only_resembles_an_open_end_stays(written: str) -> None:
    assert remove_open_ends(pl.Series([written])).to_list() == [written]


def test_open_ends_of_databases_come_as_dates_too() -> None:
    days = pl.Series([date(9999, 12, 31), date(1, 1, 1), date(2026, 3, 1), None])
    assert remove_open_ends(days).to_list() == [None, None, date(2026, 3, 1), None]
    moments = pl.Series([datetime(9999, 12, 31, 23, 59), datetime(2026, 3, 1)])  # noqa: DTZ001
    assert remove_open_ends(moments).to_list() == [None, datetime(2026, 3, 1)]  # noqa: DTZ001
    assert remove_open_ends(pl.Series([1, 9999])).to_list() == [1, 9999]


def test_every_kind_of_time_has_bounds() -> None:
    odd = is_implausible(instants("0026-02-01", "1701-01-01", "2026-02-01", "2260-01-05"))
    assert odd.to_list() == [True, False, False, True]
    days = pl.Series([date(26, 2, 1), date(1563, 5, 1), date(2026, 2, 1), date(2602, 1, 5), None])
    assert is_implausible(days).to_list() == [True, False, False, True, False]


@pytest.mark.parametrize(
    "shown",
    [
        *("1899-12-30T05:00", "1899-12-31T04:00", "1900-01-01", "1904-01-01T12:00"),
        *("1969-12-31T23:59", "1970-01-01", "1970-01-21T12:00", "1980-01-06", "1980-01-21T23:17", "2000-01-01T00:10"),
    ],
)  # fmt: skip
def test_a_clock_that_was_never_set_is_recognised(shown: str) -> None:
    assert is_of_unset_clock(instants(shown, "2026-03-01T10:00"), pl.Series(["a", "a"])).to_list() == [
        True,
        False,
    ]


def test_a_series_that_goes_back_so_far_had_those_days_too() -> None:
    times = instants("1969-12-30", "1970-01-01", "1970-01-02", "1970-05-01", "1970-01-01", "2026-03-01")
    payloads = pl.Series([*["history"] * 4, *["clock"] * 2])
    assert is_of_unset_clock(times, payloads).to_list() == [False, False, False, False, True, False]


def test_without_any_time_there_is_no_clock_to_doubt() -> None:
    nothing = pl.Series([None, None], dtype=UTC_TIME)
    assert is_of_unset_clock(nothing, pl.Series(["a", "a"])).to_list() == [False, False]


def test_midnight_of_the_year_1_is_told_from_others_although_it_was_still_the_year_0_in_utc() -> None:
    wall = pl.Series(["0001-01-01T00:00", "2026-03-01T00:00"]).str.strptime(
        pl.Datetime("us"), "%Y-%m-%dT%H:%M"
    )
    times = wall.dt.replace_time_zone("Europe/Berlin").dt.convert_time_zone("UTC")
    assert is_implausible(times).to_list() == [True, False]
    assert is_of_unset_clock(times, pl.Series(["a", "a"])).to_list() == [False, False]
