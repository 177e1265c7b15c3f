"""When something of DATEX II is valid: periods that recur, nights, exceptions, and what cannot be decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.connectors.datex2.datex2_document import Node
from civitas_assets.connectors.datex2.datex2_validity import UndecidableError, read_validity

BERLIN = ZoneInfo("Europe/Berlin")
NOW = "2026-07-30T22:30:00+02:00"  # a Thursday, the fifth and last one of its month


def status(at: str = NOW, **said: Any) -> str:
    """Where it stands at a time."""
    times = {"overallStartTime": "2026-07-01T00:00:00+02:00", **said}
    return read_validity(Node("specification", times), BERLIN).status(datetime.fromisoformat(at))


def clock(first: str, last: str) -> dict[str, Any]:
    return {"recurringTimePeriodOfDay": [{"startTimeOfPeriod": first, "endTimeOfPeriod": last}]}


def days(*names: str, **more: Any) -> dict[str, Any]:
    return {"recurringDayWeekMonthPeriod": [{"applicableDay": [*names], **more}]}


def between(first: str | None, last: str | None) -> dict[str, Any]:
    return {"startOfPeriod": first, "endOfPeriod": last}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, "active"),
        ({"overallEndTime": NOW}, "ended"),
        ({"overallStartTime": "2026-07-30T22:30:01+02:00"}, "planned"),
        ({"validPeriod": [between("2026-08-14T06:00:00Z", "2026-08-20T18:00:00Z")]}, "planned"),
        ({"validPeriod": [between("2026-07-02T06:00:00Z", "2026-07-10T18:00:00Z")]}, "ended"),
        ({"validPeriod": [between("2026-07-02T06:00:00Z", None)]}, "active"),
        (
            {"validPeriod": [between(None, "2026-07-02T06:00:00Z"), between("2028-01-01T00:00:00Z", None)]},
            "planned",
        ),
        (
            {
                "validPeriod": [between("2026-08-14T06:00:00Z", "2026-08-20T18:00:00Z")],
                "overallEndTime": "2026-08-10T00:00:00Z",
            },
            "ended",
        ),
    ],
)
def test_stated_periods_within_the_overall_times(said: dict[str, Any], expected: str) -> None:
    assert status(**said) == expected


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (clock("20:00:00", "05:00:00"), "active"),
        (clock("20:00:00", "24:00:00"), "active"),
        (clock("00:00:00", "00:00:00"), "active"),
        (clock("06:00:00", "18:00:00"), "planned"),
        (clock("20:00:00Z", "21:00:00Z"), "active"),
        (clock("22:00:00Z", "23:00:00Z"), "planned"),
        ({**clock("20:00:00", "05:00:00"), **days("thursday", "friday")}, "active"),
        ({**clock("20:00:00", "05:00:00"), **days("friday")}, "planned"),
        (days("thursday", applicableMonth=["july"]), "active"),
        (days("thursday", applicableMonth=["june"]), "planned"),
        (days("thursday", applicableInstanceOfDayWithinMonth=["lastInstance"]), "active"),
        (days("thursday", applicableInstanceOfDayWithinMonth=["firstInstance", "fifthInstance"]), "active"),
        (days("thursday", applicableInstanceOfDayWithinMonth=["firstInstance"]), "planned"),
        (days(applicableCalenderWeekWithinMonth=["lastWeek"]), "active"),
        (days(applicableCalenderWeekWithinMonth=["firstWeek"]), "planned"),
        ({**days("monday"), **between("2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z")}, "ended"),
    ],
)
def test_periods_that_recur_go_by_the_clock_of_the_tenant(period: dict[str, Any], expected: str) -> None:
    assert status(validPeriod=[period]) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-07-31T04:59:00+02:00", "active"),
        ("2026-07-31T05:00:00+02:00", "planned"),
        ("2026-07-30T04:00:00+02:00", "planned"),
    ],
)
def test_the_morning_after_a_night_belongs_to_the_day_on_which_the_night_began(
    at: str, expected: str
) -> None:
    assert status(at, validPeriod=[{**clock("20:00:00", "05:00:00"), **days("thursday")}]) == expected


def test_an_exception_takes_from_what_is_valid() -> None:
    nights = {"validPeriod": [clock("20:00:00", "05:00:00")]}
    assert status(**nights, exceptionPeriod=[days("thursday")]) == "planned"
    assert status(**nights, exceptionPeriod=[days("friday")]) == "active"
    assert status(exceptionPeriod=[between("2026-07-30T00:00:00Z", "2026-08-01T00:00:00Z")]) == "planned"
    assert status(exceptionPeriod=[between("2026-07-30T00:00:00Z", None)]) == "ended"


@pytest.mark.parametrize(
    "period",
    [
        {"recurringSpecialDay": [{"intersectWithApplicableDays": True, "specialDayType": "publicHoliday"}]},
        {"recurringDayWeekMonthPeriod": [{"applicableWeek": ["firstWeekOfMonth"]}]},
        days("someday"),
        between("bald", None),
        between("2026-07-31T00:00:00Z", "2026-07-30T00:00:00Z"),
        clock("20:00:00", "spät"),
        {"recurringTimePeriodOfDay": [{"startTimeOfPeriod": "20:00:00"}]},
    ],
)
def test_what_depends_on_what_is_not_known_is_not_guessed(period: dict[str, Any]) -> None:
    with pytest.raises(UndecidableError):
        status(validPeriod=[period])
