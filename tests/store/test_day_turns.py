"""Turns of days: of bounded size, no day torn apart, all rows there once and in their order."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from civitas_assets.store.day_turns import group_days, split_by_days

FIRST, SECOND, THIRD = (date(2026, 7, day) for day in (1, 2, 3))


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (1, [(FIRST, FIRST), (SECOND, SECOND), (THIRD, THIRD)]),
        (3, [(FIRST, FIRST), (SECOND, THIRD)]),
        (4, [(FIRST, SECOND), (THIRD, THIRD)]),
        (6, [(FIRST, THIRD)]),
    ],
)
def test_days_are_taken_together_as_far_as_rows_go(most: int, expected: list[tuple[date, date]]) -> None:
    assert [*group_days({THIRD: 2, FIRST: 3, SECOND: 1}, most)] == expected
    assert [*group_days({}, most)] == []


def test_rows_of_many_days_come_in_turns_in_their_order() -> None:
    rows = pl.DataFrame({"day": [THIRD, FIRST, THIRD, SECOND, FIRST], "n": range(5)})
    assert [part["n"].to_list() for part in split_by_days(rows, 3)] == [[1, 3, 4], [0, 2]]
    assert [part["n"].to_list() for part in split_by_days(rows, 1)] == [[1, 4], [3], [0, 2]]


def test_few_rows_and_rows_without_a_day_stay_as_they_are() -> None:
    rows = pl.DataFrame({"day": [THIRD, None], "n": range(2)}, schema_overrides={"day": pl.Date})
    for most in (1, 2):
        (part,) = split_by_days(rows, most)
        assert part.equals(rows)
