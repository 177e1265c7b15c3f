"""Calendars: each occurrence by itself, with instants that are right also where clocks change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.ical import ical_events
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from tests.connectors.conftest import MakeSource, ReadBody


@pytest.fixture
def calendar(source: MakeSource) -> Callable[..., RawTable]:
    """Reads events, each given as its lines, as they were received in March 2026."""

    def read(*events: str, fold: int = 0, **settings: Any) -> RawTable:
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
        for event in events:
            lines += ["BEGIN:VEVENT", *event.split("\n"), "END:VEVENT"]
        body = "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()
        if fold:
            body = b"\r\n".join(
                b"\r\n ".join(line[i : i + fold] for i in range(0, max(len(line), 1), fold))
                for line in body.split(b"\r\n")
            )
        declared = source("ical", **settings)
        payload = Payload(Request("u"), body, datetime(2026, 3, 1, tzinfo=UTC))
        (table,) = CONNECTORS["ical"].read(declared, payload)
        assert isinstance(table, RawTable)
        return table

    return read


def _times(table: RawTable) -> dict[str, tuple[str, str]]:
    return {row["event_id"]: (row["start_at"][5:16], row["end_at"][5:16]) for row in table.frame.to_dicts()}


NIGHT = "UID:n\nDTSTART;TZID=Europe/Berlin:20260328T220000\nDURATION:PT8H\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:Nacht"


def test_hours_are_counted_in_utc_and_recurrences_in_the_zone_of_the_event(
    calendar: Callable[..., RawTable],
) -> None:
    assert _times(calendar(NIGHT)) == {
        "n|20260328T210000Z": ("03-28T21:00", "03-29T05:00"),
        "n|20260329T200000Z": ("03-29T20:00", "03-30T04:00"),
        "n|20260330T200000Z": ("03-30T20:00", "03-31T04:00"),
    }, "22:00 is one hour earlier in summer, and eight hours stay eight"
    by_end = NIGHT.replace("DURATION:PT8H", "DTEND;TZID=Europe/Berlin:20260329T060000")
    assert {*_times(calendar(by_end)).values()} >= {
        ("03-28T21:00", "03-29T04:00"),
        ("03-29T20:00", "03-30T03:00"),
    }


def test_days_and_floating_times_are_of_the_clock_of_the_tenant(calendar: Callable[..., RawTable]) -> None:
    day = "UID:d\nDTSTART;VALUE=DATE:20260329\nSUMMARY:Restabfall"
    assert _times(calendar(day)) == {"d": ("03-28T23:00", "03-29T22:00")}, "a day of 23 hours"
    floating = "UID:f\nDTSTART:20260401T100000\nDURATION:P1DT1H"
    assert _times(calendar(floating)) == {"f": ("04-01T08:00", "04-02T09:00")}
    assert _times(calendar("UID:z\nDTSTART:20260401T100000Z")) == {"z": ("04-01T10:00", "04-01T10:00")}


def test_an_occurrence_that_was_moved_keeps_its_id_and_one_that_was_taken_out_is_none(
    calendar: Callable[..., RawTable],
) -> None:
    moved = (
        "UID:n\nRECURRENCE-ID;TZID=Europe/Berlin:20260329T220000\nDTSTART;TZID=Europe/Berlin:20260330T010000\n"
        "DURATION:PT1H\nSUMMARY:Verschoben\nSTATUS:CANCELLED"
    )
    table = calendar(f"{NIGHT}\nEXDATE;TZID=Europe/Berlin:20260330T220000", moved)
    assert _times(table) == {
        "n|20260328T210000Z": ("03-28T21:00", "03-29T05:00"),
        "n|20260329T200000Z": ("03-29T23:00", "03-30T00:00"),
    }
    by_id = {row["event_id"]: (row["title"], row["status"]) for row in table.frame.to_dicts()}
    assert by_id == {
        "n|20260328T210000Z": ("Nacht", "planned"), "n|20260329T200000Z": ("Verschoben", "cancelled"),
    }  # fmt: skip


def test_a_status_that_nobody_knows_is_empty_and_never_the_default(calendar: Callable[..., RawTable]) -> None:
    (row,) = calendar("UID:a\nDTSTART:20260401T100000Z\nSTATUS:MAYBE").frame.to_dicts()
    assert (row["status"], row["status_native"]) == (None, "MAYBE")


def test_lines_are_put_together_before_their_letters_are_decoded(calendar: Callable[..., RawTable]) -> None:
    event = (
        "UID:urn:uuid:1\nDTSTART;VALUE=DATE:20260401\nSUMMARY:Grünabfall\\, Weißglas\nLOCATION:Große Straße\n"
        "CATEGORIES:Müll,Grün\nGEO:51.9;7.6\nBEGIN:VALARM\nTRIGGER:-PT12H\nSUMMARY:Wecker\nEND:VALARM"
    )
    for fold in (0, 1, 2, 3, 7, 74):
        (row,) = calendar(event, fold=fold).frame.to_dicts()
        assert (row["event_id"], row["title"]) == ("urn:uuid:1", "Grünabfall, Weißglas")
        assert (row["place_name"], row["event_type_native"]) == ("Große Straße", "Müll, Grün")
        assert (row["lat"], row["lon"]) == (51.9, 7.6)


def test_events_that_share_an_id_or_have_none_are_told_apart_by_their_beginning(
    calendar: Callable[..., RawTable],
) -> None:
    shared = [f"UID:x\nDTSTART;VALUE=DATE:202604{day:02}\nSUMMARY:Papier" for day in (1, 15)]
    nameless = [f"DTSTART;VALUE=DATE:202604{day:02}\nSUMMARY:Bio" for day in (2, 16)]
    assert {*_times(calendar(*shared, *nameless))} == {
        "x|20260401",
        "x|20260415",
        "Bio|20260402",
        "Bio|20260416",
    }
    newer = calendar(
        "UID:y\nDTSTART:20260401T100000Z\nSUMMARY:alt", "UID:y\nDTSTART:20260401T100000Z\nSUMMARY:neu"
    )
    assert newer.frame["title"].to_list() == ["neu"]


def test_what_recurs_for_ever_ends_with_the_days_that_are_read(calendar: Callable[..., RawTable]) -> None:
    weekly = "UID:w\nDTSTART;VALUE=DATE:20200106\nRRULE:FREQ=WEEKLY"
    found = calendar(weekly, days_ahead="30 days").frame["start_at"].to_list()
    assert (found[0][:10], found[-1][:10], len(found)) == ("2025-03-02", "2026-03-29", 57)


def test_one_bad_event_is_rejected_and_all_others_count(
    calendar: Callable[..., RawTable], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = [
        "UID:b\nDTSTART:gestern",
        "UID:c\nSUMMARY:ohne Zeit",
        "UID:d\nDTSTART:20260401T100000Z\nRRULE:FREQ=NEVER",
    ]
    often = "UID:e\nDTSTART:20260301T000000Z\nRRULE:FREQ=MINUTELY;COUNT=3"
    monkeypatch.setattr(ical_events, "MOST_OCCURRENCES", 5)
    many = "UID:f\nDTSTART:20260301T000000Z\nRRULE:FREQ=DAILY;COUNT=6"
    table = calendar(*bad, often, many, "UID:g\nDTSTART:20260401T100000Z")
    assert table.frame["event_id"].to_list() == ["g"]
    assert [(row.row, row.rule) for row in table.broken] == [(n, "unreadable_event") for n in (1, 2, 3, 4, 5)]
    assert [row.detail for row in table.broken][3:] == [
        "recurs by the minute or the second",
        "occurs more than 5 times",
    ]


def test_people_are_left_out_before_anything_is_kept(source: MakeSource) -> None:
    body = (
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nORGANIZER;CN=Someone:mailto:someone@mail.example\r\n"
        b'ATTENDEE;CN="Some\r\n one":mailto:some\r\n one@mail.example\r\nSUMMARY:Rat\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n'
    )
    kept = source("ical").redact_answer("data", body)
    assert (
        kept == b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Rat\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def test_a_calendar_that_was_cut_short_is_an_error(read: ReadBody, source: MakeSource) -> None:
    with pytest.raises(ReadError, match="cut short"):
        read(source("ical"), b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\n")
