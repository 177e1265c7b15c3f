"""Councils by OParl: lists are read to their end, deleted objects are told, and no person ever lands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import FetchError, ReadError
from tests.connectors.conftest import FakeSession, MakeSession, MakeSource, ReadBody, ReadRecords

ROOT = "https://data.example/v1"
CHANGED = "modified_since=2026-07-31T22%3A00%3A00%2B00%3A00&modified_until=2026-08-02T22%3A00%3A00%2B00%3A00"
WINDOW, ZONE = Window(date(2026, 8, 1), date(2026, 8, 2)), ZoneInfo("Europe/Berlin")
BODY = {"id": ROOT, "type": "https://schema.oparl.org/1.1/Body", "meeting": f"{ROOT}/m", "paper": f"{ROOT}/p"}
MEETING = {
    "id": f"{ROOT}/m/1",
    "type": "https://schema.oparl.org/1.1/Meeting",
    "name": "4. Sitzung des\n Finanzausschusses",
    "start": "2026-08-04T17:00:00+02:00",
    "end": "2026-08-04T19:00:00+02:00",
    "meetingState": "eingeladen",
    "location": {"id": "x", "room": "Saal 1", "description": "Rathaus", "geojson": {"type": "Point"}},
    "participant": [{"id": "person/29", "name": "5ecret"}],
    "agendaItem": [{"id": "a", "resolutionText": "5ecret"}],
    "modified": "2026-08-01T12:00:00+02:00",
}
PAPER = {
    "id": f"{ROOT}/p/1",
    "type": "https://schema.oparl.org/1.1/Paper",
    "name": "Antwort auf die Anfrage",
    "reference": "0012/2026",
    "date": "2026-07-30",
    "paperType": "Antwort",
    "originatorPerson": ["5ecret"],
    "mainFile": {
        "downloadUrl": "https://files.example/1.pdf",
        "accessUrl": "https://files.example/1",
        "text": "5ecret",
    },
    "location": [{"description": "Honschaftsstraße 312"}, "https://data.example/location/7"],
    "modified": "2026-08-01T12:00:00+02:00",
}


def page(*objects: Any, **more: Any) -> bytes:
    """A page of a list."""
    return json.dumps({"data": objects, **more}).encode()


def crawled(source: MakeSource, session: MakeSession, answers: dict[str, Any]) -> Any:
    """The session of a fetch of these answers, by address."""
    made = session(
        {url: body if isinstance(body, bytes) else json.dumps(body).encode() for url, body in answers.items()}
    )
    CONNECTORS["oparl"].fetch(source, WINDOW, ZONE, made)
    return made


@pytest.fixture
def council(source: MakeSource) -> Any:
    return source("oparl")


def test_what_has_changed_in_the_window_is_asked_for_page_by_page(council: Any, session: MakeSession) -> None:
    asked = crawled(
        council,
        session,
        {
            ROOT: BODY,
            f"{ROOT}/m?{CHANGED}": page({"id": "m1"}, links={"next": f"{ROOT}/m?cursor=a%2Bb"}),
            f"{ROOT}/m?cursor=a%2Bb": page({"id": "m2"}, links={}, pagination={"totalElements": 2}),
            f"{ROOT}/p?{CHANGED}": page(),
        },
    )
    assert [(r.url, r.role) for r in asked.requests] == [
        (ROOT, "start"),
        (f"{ROOT}/m?{CHANGED}", "meetings"),
        (f"{ROOT}/p?{CHANGED}", "papers"),
        (f"{ROOT}/m?cursor=a%2Bb", "meetings"),
    ]


def test_a_system_leads_to_all_of_its_bodies(source: MakeSource, session: MakeSession) -> None:
    second = {**BODY, "id": "b2", "paper": f"{ROOT}/q?body=2"}
    asked = crawled(
        source("oparl", objects=("papers",)),
        session,
        {
            ROOT: {"id": ROOT, "type": "https://schema.oparl.org/1.0/System", "body": f"{ROOT}/bodies"},
            f"{ROOT}/bodies": page(
                BODY, {"id": "gone", "deleted": True}, links={"next": f"{ROOT}/bodies?page=2"}
            ),
            f"{ROOT}/bodies?page=2": page(second, links={}),
            f"{ROOT}/p?{CHANGED}": page(PAPER),
            f"{ROOT}/q?body=2&{CHANGED}": page(),
        },
    )
    assert [r.url for r in asked.requests if r.role == "papers"] == [
        f"{ROOT}/p?{CHANGED}",
        f"{ROOT}/q?body=2&{CHANGED}",
    ]


class _Patient(FakeSession):
    """Asks for what a page led to before it was found at fault, as landing does."""

    def crawl(self, requests: Any, follow: Any = None) -> Iterator[Payload]:
        faults = list[str]()

        def follow_on(answer: Payload) -> Iterator[Request]:
            try:
                yield from follow(answer)
            except ReadError as error:
                faults.append(str(error))

        yield from super().crawl(requests, follow_on)
        if faults:
            raise FetchError("; ".join(faults))


def test_a_body_that_is_at_fault_is_told_and_costs_no_other(council: Any) -> None:
    bodies = page(
        {"id": "b1", "meeting": f"{ROOT}/m"},
        {"id": "b2", "paper": ["5ecret"]},
        {**BODY, "id": "b3", "meeting": f"{ROOT}/n"},
        links={"next": f"{ROOT}/bodies?page=2"},
    )
    system = json.dumps({"id": ROOT, "body": f"{ROOT}/bodies"}).encode()
    asked = _Patient(
        lambda request: {ROOT: system, f"{ROOT}/bodies": bodies}.get(request.url, page(links={}))
    )
    with pytest.raises(FetchError) as error:
        CONNECTORS["oparl"].fetch(council, WINDOW, ZONE, asked)
    assert "no list of papers in b1" in str(error.value)
    assert "a body b2 that is none of Start" in str(error.value)
    assert [request.url.removeprefix(ROOT).partition("?modified")[0] for request in asked.requests] == [
        "", "/bodies", "/m", "/n", "/p", "/bodies?page=2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({f"{ROOT}/m?{CHANGED}": page({"id": "m1"}, pagination={"totalElements": 7})}, "1 of 7 came"),
        ({f"{ROOT}/m?{CHANGED}": page({"id": "m1"}, links={"next": f"{ROOT}/m?{CHANGED}"})}, "leads back"),
        ({f"{ROOT}/m?{CHANGED}": page({"id": "m1"}, links={"next": f"{ROOT}/gone"})}, "gone was not found"),
        ({ROOT: {**BODY, "paper": None}}, "no list of papers"),
        ({}, None),
    ],
)
def test_a_list_that_has_not_come_whole_is_an_error(
    council: Any, session: MakeSession, answers: dict[str, Any], message: str | None
) -> None:
    right = {ROOT: BODY, f"{ROOT}/m?{CHANGED}": page({"id": "m1"}), f"{ROOT}/p?{CHANGED}": page()}
    if message is None:
        crawled(council, session, {**right, **answers})
        return
    with pytest.raises((FetchError, ReadError), match=message):
        crawled(council, session, {**right, **answers})


def test_a_meeting_is_an_event(council: Any, records: ReadRecords) -> None:
    (event,) = records(council, page(MEETING), "meetings")["event"]
    assert event == {
        "event_id": f"{ROOT}/m/1", "event_type": "meeting", "event_type_native": "meeting",
        "title": "4. Sitzung des Finanzausschusses",
        "start_at": datetime(2026, 8, 4, 15, tzinfo=UTC), "end_at": datetime(2026, 8, 4, 17, tzinfo=UTC),
        "status": "planned", "status_native": "eingeladen", "place_name": "Saal 1, Rathaus",
        "changed_at": datetime(2026, 8, 1, 10, tzinfo=UTC),
    }  # fmt: skip


def test_a_paper_keeps_its_number_as_it_is_written(council: Any, records: ReadRecords) -> None:
    (paper,) = records(council, page(PAPER), "papers")["council_paper"]
    assert paper == {
        "paper_id": f"{ROOT}/p/1", "reference": "0012/2026", "title": "Antwort auf die Anfrage",
        "paper_type": "Antwort", "dated_on": date(2026, 7, 30), "place_name": "Honschaftsstraße 312",
        "file_url": "https://files.example/1.pdf",
        "changed_at": datetime(2026, 8, 1, 10, tzinfo=UTC), "is_withdrawn": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "status", "native"),
    [
        ({"cancelled": True}, "cancelled", "eingeladen"),
        ({"meetingState": "Durchgeführt"}, "ended", "Durchgeführt"),
        ({"meetingState": "vertagt"}, None, "vertagt"),
        ({"meetingState": None}, None, None),
    ],
)
def test_a_state_that_nobody_knows_is_none(
    council: Any, records: ReadRecords, change: dict[str, Any], status: str | None, native: str | None
) -> None:
    (event,) = records(council, page({**MEETING, **change}), "meetings")["event"]
    assert (event.get("status"), event.get("status_native")) == (status, native)


def test_what_is_said_to_be_nothing_is_not_deleted(council: Any, records: ReadRecords) -> None:
    """As servers write every member, also those that they have no value for."""
    (paper,) = records(council, page({**PAPER, "deleted": None, "web": None}), "papers")["council_paper"]
    assert paper["is_withdrawn"] is False


def test_what_was_deleted_is_told(council: Any, records: ReadRecords) -> None:
    gone = {"id": "x", "type": "t", "deleted": True, "modified": "2026-08-01T12:00:00+02:00"}
    (event,) = records(council, page(gone), "meetings")["event"]
    assert (event["status"], event["status_native"]) == ("cancelled", "deleted")
    (paper,) = records(council, page(gone), "papers")["council_paper"]
    assert paper["is_withdrawn"] is True


def test_no_person_and_no_text_lands_and_what_lands_reads_the_same(
    council: Any, records: ReadRecords
) -> None:
    links = {"next": f"{ROOT}/m?page=2", "self": "5ecret"}
    for role, body in (("meetings", page(MEETING, links=links)), ("papers", page(PAPER, links=links))):
        kept = council.redact_answer(role, body)
        assert b"5ecret" not in kept
        assert b"page=2" in kept
        assert records(council, kept, role) == records(council, body, role)
        assert council.redact_answer(role, kept) == kept
    start = {**BODY, "legislativeTerm": ["5ecret"], "contactName": "5ecret"}
    assert b"5ecret" not in council.redact_answer("start", json.dumps(start).encode())


def test_an_object_that_is_none_is_one_rejected_row_of_which_nothing_lands(
    council: Any, read: ReadBody
) -> None:
    wrong = {"id": "m2", "name": {"first": "5ecret"}}
    body = page(MEETING, wrong, "5ecret", {"name": "5ecret"}, {**MEETING, "id": "m5"})
    kept = council.redact_answer("meetings", body)
    assert b"5ecret" not in kept
    for text in (body, kept):
        (table,) = read(council, text, "meetings")
        assert table.frame["event_id"].to_list() == [f"{ROOT}/m/1", "m5"]
        assert [(each.row, each.rule, each.raw) for each in table.broken] == [
            (2, "unreadable_object", "m2"),
            (3, "unreadable_object", ""),
            (4, "unreadable_object", ""),
        ]


def test_the_objects_of_the_specification_are_read(
    council: Any, records: ReadRecords, payloads: Path
) -> None:
    def of(name: str) -> bytes:
        return page(json.loads((payloads / "oparl" / f"{name}.json").read_text(encoding="utf-8")))

    (event,) = records(council, of("Meeting"), "meetings")["event"]
    assert event["start_at"] == datetime(2013, 1, 4, 7, tzinfo=UTC)
    assert event["place_name"] == "Rathaus der Beispielstadt, Ratshausplatz 1, 12345 Beispielstadt"
    (paper,) = records(council, of("Paper"), "papers")["council_paper"]
    assert (paper["reference"], paper["dated_on"]) == ("1234/2014", date(2014, 4, 4))
    assert paper["file_url"] == "https://oparl.example.org/files/download/57737.pdf"
