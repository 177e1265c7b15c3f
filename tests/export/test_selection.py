"""Which rows are exported: those of the tenant's days, and events that overlap them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from civitas_assets.errors import ExportError
from civitas_assets.export.csv_format import Csv
from civitas_assets.export.selection import DaySpan, Selection, literal_sql
from tests.export.conftest import Town

MODELS = {
    "station": {"station_key": "VARCHAR", "lon": "DOUBLE", "lat": "DOUBLE"},
    "observation": {"station_key": "VARCHAR", "day": "DATE"},
    "source": {"source": "VARCHAR"},
}
AUGUST = [date(2026, 8, day) for day in range(1, 6)]


def keys(content: bytes, column: str) -> set[str]:
    header, *rows = [line.split(",") for line in content.decode().splitlines()]
    return {row[header.index(column)] for row in rows}


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        (None, None, {"1", "2", "3"}),
        (AUGUST[1], None, {"2", "3"}),
        (None, AUGUST[1], {"1", "2"}),
        (AUGUST[1], AUGUST[1], {"2"}),
        (AUGUST[3], AUGUST[4], set()),
    ],
)
def test_first_and_last_day_are_included(
    town: Town, days: Callable[..., DaySpan], first: date | None, last: date | None, found: set[str]
) -> None:
    town.put("observation", *({"datastream_key": str(day.day), "day": day} for day in AUGUST[:3]))
    span = days(first, last) if first or last else None
    assert keys(town.export("observation", Csv(), span), "datastream_key") == found


def test_events_are_those_that_overlap_the_days_of_the_tenant(
    town: Town, days: Callable[..., DaySpan]
) -> None:
    def at(day: int, hour: int) -> datetime:
        return datetime(2026, 8, day, hour, tzinfo=UTC)

    town.put(
        "event",
        {
            "event_key": "ends at midnight",
            "start_at": at(1, 8),
            "end_at": at(1, 22),
        },  # 2 August, 0:00 in Berlin
        {"event_key": "ends after", "start_at": at(1, 8), "end_at": at(1, 23)},
        {"event_key": "lasts", "start_at": at(1, 8)},
        {"event_key": "begins before midnight", "start_at": at(2, 21), "end_at": at(4, 8)},
        {"event_key": "begins at midnight", "start_at": at(2, 22)},
        {"event_key": "was always", "end_at": at(9, 8)},
    )
    found = keys(town.export("event", Csv(), days(AUGUST[1], AUGUST[1])), "event_key")
    assert found == {"ends after", "lasts", "begins before midnight", "was always"}


def test_days_in_the_wrong_order_are_an_error(days: Callable[..., DaySpan]) -> None:
    with pytest.raises(ExportError, match="--to 2026-08-01 is before --from 2026-08-02"):
        days(AUGUST[1], AUGUST[0])


def test_a_model_without_days_is_an_error_that_names_those_with_days(days: Callable[..., DaySpan]) -> None:
    with pytest.raises(ExportError, match=r"station has no days.*; these have: observation$"):
        Selection.from_models(MODELS, "station", days(AUGUST[0]))


def test_an_unknown_model_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(
        ExportError, match="no published model staton; there are: station, observation, source"
    ):
        Selection.from_models(MODELS, "staton", None)


def test_rows_are_about_a_thing_or_are_one_themselves() -> None:
    assert Selection.from_models(MODELS, "observation", None).thing == ("station", "station_key")
    assert Selection.from_models(MODELS, "station", None).thing is None
    assert not Selection.from_models(MODELS, "source", None).is_somewhere


def test_a_quote_in_a_text_ends_no_literal() -> None:
    assert literal_sql("it's") == "'it''s'"
