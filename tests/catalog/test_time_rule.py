"""Declarations of times that contradict themselves, and patterns that cannot be read with, are refused at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from civitas_assets.catalog import TimeRule
from civitas_assets.catalog.pattern import check_time_pattern, parse_pattern_instants, parse_wall_times


@pytest.mark.parametrize(
    "pattern",
    [
        *("%d.%m.%Y %H:%M", "%Y-%m-%d %H", "%d.%m.%Y", "%m.%Y", "%Y", "%d.%m.%y", "%Y-%m-%d %I:%M %p", "%Y%m%d%H%M"),
        "%H:%M %d.%m.%Y",
        *("%d.%m.%Y %H:%M %Z", "%d.%m.%Y %H %z", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%j", "%s", "'%Y-%m-%d %H:%M'", "%d/%m/%Y"),
    ],
)  # fmt: skip
def test_a_pattern_that_reads_what_it_writes_is_taken(pattern: str) -> None:
    assert check_time_pattern(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("%H:%M", "must name a day"),
        ("dd.MM.yyyy", "must name a day"),
        ("iso8601", "must name a day"),
        ("%Y-%m-%d %I:%M", "%I without %p"),
        ("%Y-%M-%d %H:%m", "has %M, the minutes, among days"),
        ("%d.%m.%Y %H:%m", "or %m, the month, behind hours"),
        ("%Y-%m-%d %Q", "unknown directive"),
        ("%d.%m.%Y %H:%M:%S,%f", "write %.f"),
    ],
)
def test_a_pattern_that_cannot_be_read_with_is_refused_with_its_reason(pattern: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as error:
        TimeRule.model_validate({"zone": "local_wall", "column": "t", "format": pattern})
    assert error.value.errors()[0]["loc"] == ("format",)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"zone": "local_wall", "format": "%d.%m.%Y %H:%M %z"}, "zone: offset"),
        ({"zone": "utc", "format": "%d.%m.%Y %H:%M %Z"}, "zone: offset"),
        ({"zone": "cet_fixed", "format": "%+"}, "zone: offset"),
        ({"zone": "offset", "format": "%d.%m.%Y %H:%M"}, "needs %z"),
        ({"zone": "offset", "format": "period"}, "no offset"),
        ({"zone": "local_wall", "format": "epoch_s"}, "zone: utc"),
        ({"zone": "cet_fixed", "format": "epoch_ms"}, "zone: utc"),
        ({"zone": "utc", "format": "epoch_s", "hour24": True}, "wall clock"),
        ({"zone": "offset", "hour24": True}, "wall clock"),
        (
            {"zone": "utc", "format": "period", "interval": "1 hour", "stamp": "interval_end"},
            "how long it is",
        ),
    ],
)
def test_declarations_that_contradict_each_other_are_refused(rule: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        TimeRule.model_validate({"column": "t", **rule})


def test_names_of_zones_mean_their_offset_and_others_are_unreadable() -> None:
    written = [
        f"01.07.2026 12:00 {name}" for name in ("MESZ", "CEST", "MEZ", "CET", "UTC", "GMT", "cest", "PST", "")
    ]
    read = parse_pattern_instants(pl.Series(written), "%d.%m.%Y %H:%M %Z").to_list()
    hours = [10, 10, 11, 11, 12, 12, 10]
    assert read == [*(datetime(2026, 7, 1, hour, tzinfo=UTC) for hour in hours), None, None]


def test_an_offset_as_number_goes_before_the_name_beside_it() -> None:
    read = parse_pattern_instants(pl.Series(["01.07.2026 12:00 +0200 PST"]), "%d.%m.%Y %H:%M %z %Z")
    assert read.to_list() == [datetime(2026, 7, 1, 10, tzinfo=UTC)]


def test_hours_are_read_without_minutes() -> None:
    read = parse_wall_times(
        pl.Series(["01.07.2026 5", "01.07.2026 05", None, "01.07.2026 25"]), "%d.%m.%Y %H"
    )
    assert read.to_list() == [datetime(2026, 7, 1, 5)] * 2 + [None] * 2  # noqa: DTZ001
