"""A town's buses, council and devices through the whole chain: feeds, lists and a queue become published tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.connectors.gtfs_rt.gtfs_rt_format import decode_feed
from testbed.broker import mosquitto, program, publish
from tests.integration.conftest import Server, Workplace

CLOCK = datetime(2026, 8, 1, 10, tzinfo=UTC)
TENANT = """
name: Lebensstadt
ags: "99000097"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  buses:
    title: Verspätungen
    connector: gtfs_rt
    licence: CC0-1.0
    url: "{root}/delays.pb"
    http: {{requests_per_second: 200}}
  council:
    title: Rat
    connector: oparl
    licence: CC0-1.0
    url: "{root}/body"
    http: {{requests_per_second: 200}}
  bins:
    title: Füllstände
    connector: mqtt
    licence: CC0-1.0
    url: "mqtt://127.0.0.1:{port}"
    queue: {{client_id: civitas-life, quiet: 1 s, topics: ["bins/{{device}}/state"]}}
    record_type: observation
    fields: {{station_id: "{{device}}", datastream_id: "{{device}}", value: mm}}
    time: {{column: at, zone: offset}}
    constants: {{observed_property: waste.distance, unit: mm}}
"""


def _feed() -> bytes:
    """A trip that is late, and later cancelled, and an alert."""
    feed = decode_feed(b"\x0a\x05\x0a\x032.0")
    trip = b"\x0a\x0f\x0a\x01t\x1a\x0820260801\x20\x03"  # CANCELED
    call = b"\x12\x0c\x08\x02\x1a\x02\x08\x3c\x22\x02s1\x28\x00"  # the second stop, a minute late
    update = trip + call
    feed.entity.append(b"\x0a\x011\x1a" + bytes([len(update)]) + update)
    feed.entity.append(b"\x0a\x01a\x2a\x0a\x52\x08\x0a\x06\x0a\x04Auf!")
    written: bytes = feed.SerializeToString()
    return written


def _council(root: str, *papers: dict[str, Any]) -> dict[str, bytes]:
    body = {"id": f"{root}/body", "meeting": f"{root}/meetings", "paper": f"{root}/papers"}
    meeting = {"id": "m1", "name": "Rat", "start": "2026-08-04T17:00:00+02:00", "participant": ["5ecret"]}
    pages = {"/body": body, "/meetings": {"data": [meeting]}, "/papers": {"data": papers}}
    return {path: json.dumps(page).encode() for path, page in pages.items()}


@pytest.fixture(scope="module")
def town(
    new_workplace: Callable[[], Workplace],
    serve: Callable[[dict[str, bytes | None]], Server],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """Two nights: in the second one bins have told something, and a paper was deleted."""
    if program() is None:
        pytest.skip("mosquitto is not installed")
    server = serve({"/delays.pb": _feed()})
    first, second = {"id": "p1", "name": "Antrag", "reference": "0012/26"}, {"id": "p2", "name": "5ecret"}
    server.pages.update(_council(server.url, first, second))
    workplace = new_workplace()
    workplace.clock = CLOCK
    with mosquitto(tmp_path_factory.mktemp("broker")) as port:
        workplace.write_tenant("lebensstadt", TENANT.format(root=server.url, port=port))
        outcome = workplace.run("lebensstadt")
        assert not outcome.errors, outcome.errors
        told = b'{"mm": 640, "at": "2026-08-01T08:00:00+02:00"}'
        publish(port, "bins/7/state", [told, b"{broken", told])
        server.pages.update(_council(server.url, first, {"id": "p2", "deleted": True}))
        outcome = workplace.run("lebensstadt")
        assert not outcome.errors, outcome.errors
    return workplace


def test_a_trip_and_its_stop_are_published_with_what_was_told(town: Any) -> None:
    found = town.ask(
        "lebensstadt",
        "select trip_id, day, stop_call, stop_id, status, departure_delay_s from transit_delay order by stop_call",
    )
    day = date(2026, 8, 1)
    assert found == [("t", day, "*", None, "canceled", None), ("t", day, "2", "s1", "scheduled", 60)]


def test_alerts_and_meetings_are_events(town: Any) -> None:
    found = town.ask("lebensstadt", "select event_id, event_type, title, status from event order by event_id")
    assert found == [("a", "traffic_other", "Auf!", None), ("m1", "meeting", "Rat", None)]


def test_a_paper_that_was_deleted_is_gone(town: Any) -> None:
    found = town.ask("lebensstadt", "select paper_id, reference, title from council_paper")
    assert found == [("p1", "0012/26", "Antrag")]


def test_a_broken_message_is_one_rejected_row_and_one_that_came_twice_counts_once(town: Any) -> None:
    found = town.ask("lebensstadt", "select datastream_id, value, revision from observation")
    assert found == [("7", 640, 1)]
    rejected = town.ask("lebensstadt", "select source, rule, record_count from rejected_record")
    assert rejected == [("bins", "unreadable_message", 1)]


def test_no_person_has_landed(town: Any) -> None:
    kept = [path.read_bytes() for path in Path(town.settings.home).rglob("*") if path.is_file()]
    assert not any(b"participant" in body for body in kept)
