"""The synthetic data is the same everywhere, adds up, and knows the days with 23 and 25 hours."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from civitas_assets.demo.generator import (
    DAYS,
    TOWNS,
    find_extent,
    make_counter_csv,
    make_noise,
    make_observations,
    make_parking_status,
)

TODAY = date(2026, 8, 22)


def _rows(month: date, today: date = TODAY) -> list[list[str]]:
    text = make_counter_csv("900100", month, today)
    assert text is not None
    return [line.split(",") for line in text.splitlines()]


def test_noise_depends_on_its_parts_alone_and_is_between_zero_and_one() -> None:
    values = [make_noise("stream", number) for number in range(2000)]
    assert values == [make_noise("stream", number) for number in range(2000)]
    assert values[0] != make_noise("other", 0)
    assert min(values) >= 0
    assert max(values) <= 1
    assert 0.45 < sum(values) / len(values) < 0.55


def test_there_are_three_weeks_up_to_the_last_midnight() -> None:
    assert find_extent(TODAY) == (date(2026, 8, 1), date(2026, 8, 21))
    header, *rows = _rows(date(2026, 8, 1))
    assert header[0] == "Datetime"
    assert len(rows) == DAYS * 96
    assert (rows[0][0], rows[-1][0]) == ("2026-08-01 00:00", "2026-08-21 23:45")
    assert make_counter_csv("900100", date(2026, 9, 1), TODAY) is None


def test_past_days_stay_as_they_were_but_for_the_last_evening_which_is_corrected() -> None:
    before = {row[0]: row for row in _rows(date(2026, 8, 1))}
    after = {row[0]: row for row in _rows(date(2026, 8, 1), TODAY + timedelta(days=3))}
    both = before.keys() & after.keys()
    assert len(both) > 17 * 96
    changed = {time for time in both if before[time] != after[time]}
    assert changed
    assert all(time.startswith("2026-08-21 2") for time in changed)


def test_a_total_is_the_sum_of_its_directions() -> None:
    rows = [row for row in _rows(date(2026, 8, 1))[1:] if row[1] not in {"", "-999"}]
    assert len(rows) > 1900
    assert all(int(row[1]) == int(row[2]) + int(row[3]) for row in rows)


def test_the_demo_holds_gaps_and_error_values_that_a_reader_has_to_cope_with() -> None:
    counts = {row[1] for row in _rows(date(2026, 8, 1))[1:]}
    assert "" in counts
    assert any(
        "-999" in row
        for counter in TOWNS["musterstadt"].counters
        for row in (make_counter_csv(counter, date(2026, 8, 1), TODAY) or "").split(",")
    )


@pytest.mark.parametrize(
    ("today", "day", "quarters"),
    [
        (date(2026, 4, 2), "2026-03-29", 92),
        (date(2026, 10, 28), "2026-10-25", 96),
        (date(2026, 10, 28), "2026-10-24", 96),
    ],
)
def test_the_wall_clock_skips_an_hour_in_spring_and_shows_one_once_in_autumn(
    today: date, day: str, quarters: int
) -> None:
    rows = [row for row in _rows(date.fromisoformat(f"{day[:7]}-01"), today)[1:] if row[0].startswith(day)]
    assert len(rows) == quarters
    assert len({row[0] for row in rows}) == quarters
    hours = {datetime.fromisoformat(row[0]).hour for row in rows}
    assert (2 in hours) == (quarters != 92)


def test_an_hour_that_passes_twice_holds_the_counts_of_both_passes() -> None:
    autumn = {row[0][-5:]: row for row in _rows(date(2026, 10, 1), date(2026, 10, 28)) if "-25 0" in row[0]}
    usual = {row[0][-5:]: row for row in _rows(date(2026, 10, 1), date(2026, 10, 28)) if "-24 0" in row[0]}
    twice = [time for time in autumn if time.startswith("02") and autumn[time][1] and usual[time][1]]
    assert twice
    assert sum(int(autumn[t][1]) for t in twice) > 1.3 * sum(int(usual[t][1]) for t in twice)


def test_observations_are_hourly_in_their_native_unit() -> None:
    town = TOWNS["beispielhausen"]
    roof = town.stations[1]
    kelvin = dict(make_observations(town, roof, roof.series[0], TODAY))
    assert len(kelvin) == DAYS * 24
    measured = [value for value in kelvin.values() if value is not None]
    assert len(measured) < len(kelvin)
    assert 270 < min(measured) < max(measured) < 300


def test_car_parks_are_never_fuller_than_they_are_large() -> None:
    for town in TOWNS.values():
        for status in make_parking_status(town, TODAY):
            assert 0 <= int(str(status["free"])) <= int(str(status["total"]))
            assert status["updated"] == "2026-08-21 23:45:00"
