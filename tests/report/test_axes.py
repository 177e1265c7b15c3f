"""Ticks are round, hold all values and read as the language writes them; days are equally long whatever clocks do."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from math import inf, isfinite, nan
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitas_assets.report.axes import DayScale, Scale, find_ticks, is_drawable
from civitas_assets.report.language import Language

BERLIN = ZoneInfo("Europe/Berlin")
DE, EN = Language.from_code("de", BERLIN), Language.from_code("en", BERLIN)


@pytest.mark.parametrize(
    ("values", "german"),
    [
        ([10.1, 37.0], ["10", "20", "30", "40"]),
        ([0.12, 0.34], ["0,10", "0,15", "0,20", "0,25", "0,30", "0,35"]),
        ([-3.2, 4.1], ["−4", "−2", "0", "2", "4", "6"]),
        ([-9.0, -1.0], ["−10", "−8", "−6", "−4", "−2", "0"]),
        ([0.0, 6823.0], ["0", "2.000", "4.000", "6.000", "8.000"]),
        ([], ["0,0", "0,2", "0,4", "0,6", "0,8", "1,0"]),
        ([0.0, 0.0], ["0,0", "0,2", "0,4", "0,6", "0,8", "1,0"]),
        ([2.0], ["1,8", "1,9", "2,0", "2,1", "2,2"]),
        ([-2.0, -2.0], ["−2,2", "−2,1", "−2,0", "−1,9", "−1,8"]),
        ([0.1 + 0.2, 0.3], ["0,26", "0,28", "0,30", "0,32", "0,34"]),
        ([1e12, 3e12], ["1,0·10¹²", "1,5·10¹²", "2,0·10¹²", "2,5·10¹²", "3,0·10¹²"]),
        ([0.0, 2.5e-7], ["0", "0,5·10⁻⁷", "1,0·10⁻⁷", "1,5·10⁻⁷", "2,0·10⁻⁷", "2,5·10⁻⁷"]),
        ([0.0, 9_500_000.0], ["0", "2.000.000", "4.000.000", "6.000.000", "8.000.000", "10.000.000"]),
    ],
)  # fmt: skip
def test_ticks_are_round_and_written_with_as_many_decimals_as_they_need(
    values: list[float], german: list[str]
) -> None:
    ticks = find_ticks(values)
    assert ticks.labels(DE) == german
    assert ticks.labels(EN) == [text.translate(str.maketrans(",.", ".,")) for text in german]


def test_counts_have_no_half_ticks_and_sums_start_at_zero() -> None:
    assert find_ticks([1, 2], with_zero=True, whole=True).labels(DE) == ["0", "1", "2"]
    assert find_ticks([0], with_zero=True, whole=True).labels(DE) == ["0", "1"]
    assert find_ticks([950.0, 1000.0], with_zero=True).values == [0, 200, 400, 600, 800, 1000]


@given(st.lists(st.floats(), max_size=5))
def test_whatever_the_values_all_that_can_be_drawn_have_a_place_between_few_ticks(
    values: list[float],
) -> None:
    ticks = find_ticks(values)
    scale = Scale(ticks.low, ticks.high, 100.0, 0.0)
    assert 2 <= len(ticks.values) <= 8
    assert len(set(ticks.labels(DE))) == len(ticks.values)
    places = [scale.place(value) for value in values if is_drawable(value)]
    assert all(isfinite(place) and -0.1 <= place <= 100.1 for place in places)


def test_what_is_no_number_cannot_be_drawn() -> None:
    assert not any(map(is_drawable, (None, nan, inf, -inf, 1e300)))
    assert is_drawable(-1e249)


def test_weeks_end_on_the_last_day_across_months_leap_days_and_years() -> None:
    assert [DE.format_short(day) for day in DayScale(date(2024, 2, 10), date(2024, 3, 8), 0, 1).weeks] == [
        "16.2.",
        "23.2.",
        "1.3.",
        "8.3.",
    ]
    assert [EN.format_short(day) for day in DayScale(date(2026, 12, 20), date(2027, 1, 2), 0, 1).weeks] == [
        "26 Dec",
        "2 Jan",
    ]
    assert DayScale(date(2026, 5, 1), date(2026, 5, 1), 0, 1).weeks == [date(2026, 5, 1)]


@pytest.mark.parametrize("change", [date(2026, 3, 29), date(2026, 10, 25)])
def test_the_day_on_which_clocks_change_is_as_long_as_any_other(change: date) -> None:
    days = DayScale(change - timedelta(days=13), change + timedelta(days=14), 0.0, 28.0)
    assert days.width == 1.0
    assert [days.middle(change + timedelta(days=n)) for n in (-1, 0, 1)] == [12.5, 13.5, 14.5]
    assert days.place(datetime.combine(change, time(6))) == 13.25
