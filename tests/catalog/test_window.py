"""Windows are calendar days of the tenant's zone, and durations are what people write."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from civitas_assets.catalog import Window
from civitas_assets.catalog.window import Duration, parse_duration

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("15 min", timedelta(minutes=15)),
        ("1 hour", timedelta(hours=1)),
        (" 60days ", timedelta(days=60)),
        ("2 weeks", timedelta(weeks=2)),
        ("30 s", timedelta(seconds=30)),
    ],
)
def test_durations_are_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


def test_a_duration_is_no_longer_than_a_calendar() -> None:
    assert parse_duration("36525 days") == timedelta(days=36_525)
    for text in ("36526 days", "99999999999 days", "999999999999999 weeks"):
        with pytest.raises(ValueError, match="longer than 36525 days"):
            parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "15", "min", "0 min", "-1 day", "1.5 h", "1 month", "1 Day", 15, None, "1 h 5 min"]
)
def test_what_is_no_duration_is_answered_by_an_example(text: object) -> None:
    with pytest.raises(ValueError, match="such as '15 min'"):
        parse_duration(text)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 10**8))
def test_a_written_duration_is_read_as_the_same(seconds: int) -> None:
    adapter: TypeAdapter[timedelta] = TypeAdapter(Duration)
    span = timedelta(seconds=seconds)
    assert adapter.validate_python(adapter.dump_python(span)) == span


def test_a_window_ends_today_in_the_tenants_zone() -> None:
    """At 23:30 UTC it is tomorrow in Berlin."""
    now = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert Window.from_lookback(timedelta(days=1), now, BERLIN) == Window(date(2026, 6, 30), date(2026, 7, 1))
    assert Window.from_lookback(timedelta(hours=3), now, BERLIN) == Window(date(2026, 7, 1), date(2026, 7, 1))
    assert Window.from_lookback(timedelta(days=1), now, ZoneInfo("UTC")).last == date(2026, 6, 30)


def test_a_window_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="ends"):
        Window(date(2026, 1, 2), date(2026, 1, 1))


def test_days_months_and_years_are_all_that_the_window_touches() -> None:
    window = Window(date(2025, 12, 31), date(2026, 2, 1))
    assert len([*window.list_days()]) == 33
    assert [*window.list_months()] == [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]
    assert [*window.list_years()] == [date(2025, 1, 1), date(2026, 1, 1)]


def test_a_window_that_fits_into_a_slice_is_asked_for_at_once() -> None:
    """Also on the nights on which it reaches from one week into the next."""
    for day in range(20, 30):
        night = Window(date(2026, 8, day), date(2026, 8, day + 1))
        (part,) = night.split(124)
        assert (part.last - part.first).days + 1 == 3
        assert [part] == [*night.split(7)]
        assert [*night.split(2)] == [night]


@settings(deadline=None, max_examples=30)
@given(DAYS, st.integers(0, 400), st.integers(1, 60))
def test_slices_cover_the_window_without_gap_and_recur_from_night_to_night(
    first: date, length: int, days: int
) -> None:
    tonight = Window(first, first + timedelta(days=length))
    tomorrow = Window(first + timedelta(days=1), first + timedelta(days=length + 1))
    slices = [*tonight.split(days)]
    assert slices[0].first <= tonight.first
    assert slices[-1].last >= tonight.last
    (size,) = {(part.last - part.first).days + 1 for part in slices}
    asked = length + 1
    assert (asked <= size < 2 * asked and size <= days) if asked <= days else size == days
    assert all(b.first - a.last == timedelta(days=1) for a, b in pairwise(slices))
    assert {*slices[1:]} <= {*tomorrow.split(days)}
    assert len(slices) == 1 or length >= days


@settings(deadline=None, max_examples=30)
@given(DAYS, st.integers(1, 30))
def test_the_slice_of_a_short_window_is_another_one_every_so_many_nights(first: date, length: int) -> None:
    """So the same address is asked on as many nights as the window has days."""
    nights = [
        Window(first + timedelta(days=n), first + timedelta(days=n + length - 1)) for n in range(2 * length)
    ]
    assert len({*(part for night in nights for part in night.split(124))}) <= 3
