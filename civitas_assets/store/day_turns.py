"""Turns of days: rows of many days in parts of bounded size, of which no day is torn apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import polars as pl

DAY = "day"


def group_days(rows: Mapping[date, int], most: int) -> Iterator[tuple[date, date]]:
    """The first and the last day of each turn, given the rows of each day: so many at most together, or one day."""
    turn, taken = list[date](), 0
    for day in sorted(rows):
        if turn and taken + rows[day] > most:
            yield turn[0], turn[-1]
            turn, taken = [], 0
        turn.append(day)
        taken += rows[day]
    if turn:
        yield turn[0], turn[-1]


def count_days(records: pl.DataFrame) -> Mapping[date, int]:
    """How many rows each day has; `records` has a `day` in each row."""
    return dict(records[DAY].value_counts().iter_rows())


def split_by_days(records: pl.DataFrame, most: int) -> Iterator[pl.DataFrame]:
    """The rows in turns, those of a turn in their order; rows that are few, or of no day, in one."""
    if records.height <= most or records[DAY].has_nulls():
        yield records
        return
    for first, last in group_days(count_days(records), most):
        yield records.filter(pl.col(DAY).is_between(first, last))
