"""Messages of GTFS-Realtime: what is told is read, what is not told is empty, and a damaged entity costs no other."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from civitas_assets.connectors.gtfs_rt.gtfs_rt_format import decode_entity, decode_feed
from civitas_assets.errors import ReadError
from tests.connectors.conftest import MakeSource, ReadBody, ReadRecords

Rows = dict[str, list[dict[str, Any]]]
# Synthetic; written by gtfs-realtime-bindings 3.0.0, which knows nothing of this project: trip t1 with three stops, t2
# DELETED, t3 of the day before without a schedule_relationship, the position of a vehicle, and two alerts.
FEED = base64.b64decode(
    "CgsKAzIuMBiA7rTTBhJ2CgExGnEKFAoCdDEaCDIwMjYwODAxIAAqAjRFEiQIAxIICDwQ2PK00wYaCAhaEJTztNMGIgpkZTowNTUxNToxKAAS"
    "EAgEIgpkZTowNTUxNToyKAESGRILCOL//////////wEiCmRlOjA1NTE1OjMg9u200wYoWhIbCgEyGhYKFAoCdDIaCDIwMjYwODAxIAcqAk5B"
    "EjEKATMaLAoSCgJ0MxoIMjAyNjA3MzEqAjRFEhYIARoGEJTztNMGIgpkZTowOTQ2MTo5EiAKATQiGwoECgJ0MRIKDZqZT0IVMzPzQEIHCgVi"
    "dXMgNxKwAQoBNSqqAQoMCIDutNMGEICRutMGCgwIgLS/0wYQgNfE0wYqBBICNEUqDCoKZGU6MDU1MTU6MTAKOARCHQobChlodHRwczovL3Zl"
    "cmtlaHIuZXhhbXBsZS81UjEKDwoJRGl2ZXJzaW9uEgJlbgoeChhVbWxlaXR1bmcgS8O2bmlnc3N0cmHDn2USAmRlWiAKHgocSGFsdGVzdGVs"
    "bGUgTWFya3QgZW50ZsOkbGx0LnADEicKATYqIgoGCIDutNMGKgwqCmRlOjA5NDYxOjlSCgoICgZBdWZ6dWc="
)


@pytest.fixture
def observed(source: MakeSource, records: ReadRecords) -> Callable[..., Rows]:
    """Reads a feed as a source that is made with these settings."""
    return lambda body=FEED, **settings: records(source("gtfs_rt", **settings), body)


def changed(**entities: bytes) -> bytes:
    """A feed with these entities, as bytes."""
    feed = decode_feed(FEED)
    del feed.entity[:]
    feed.entity.extend(entities.values())
    written: bytes = feed.SerializeToString()
    return written


def trip(**fields: Any) -> bytes:
    """An entity of a trip update whose descriptor has these fields."""
    made = decode_entity(b"")
    made.id = b"x"
    made.trip_update.delay = 5
    for name, value in fields.items():
        setattr(made.trip_update.trip, name, value)
    written: bytes = made.SerializeToString()
    return written


def test_a_trip_and_its_stops_are_rows_with_what_is_told(observed: Callable[..., Rows]) -> None:
    whole, first, skipped, unnumbered = [r for r in observed()["transit_delay"] if r["trip_id"] == "t1"]
    assert (whole["stop_call"], whole["status"], whole["departure_delay_s"]) == ("*", "scheduled", 90)
    assert "stop_id" not in whole
    assert first == {
        "trip_id": "t1", "route_id": "4E", "service_start": datetime(2026, 7, 31, 22, tzinfo=UTC), "stop_call": "3",
        "stop_id": "de:05515:1", "stop_sequence": 3, "status": "scheduled", "arrival_delay_s": 60,
        "departure_delay_s": 90, "arrival_at": datetime(2026, 8, 1, 0, 10, tzinfo=UTC),
        "departure_at": datetime(2026, 8, 1, 0, 11, tzinfo=UTC),
    }  # fmt: skip
    assert (skipped["status"], skipped.get("arrival_delay_s")) == ("skipped", None), "no delay is not 0"
    assert (unnumbered["stop_call"], unnumbered["arrival_delay_s"]) == ("de:05515:3", -30)
    assert "status" not in unnumbered, "what nobody has told is not SCHEDULED"


def test_a_trip_that_is_deleted_is_not_scheduled_and_its_line_may_be_called_na(
    observed: Callable[..., Rows],
) -> None:
    (row,) = [row for row in observed()["transit_delay"] if row["trip_id"] == "t2"]
    assert (row["stop_call"], row["status"], row["route_id"]) == ("*", "deleted", "NA")


def test_of_a_trip_of_which_nothing_is_told_there_are_its_stops_alone(observed: Callable[..., Rows]) -> None:
    (row,) = [row for row in observed()["transit_delay"] if row["trip_id"] == "t3"]
    assert (row["stop_call"], row["service_start"]) == ("1", datetime(2026, 7, 30, 22, tzinfo=UTC))


def test_a_code_that_nobody_knows_is_empty_and_noted(
    source: MakeSource, read: ReadBody, observed: Callable[..., Rows]
) -> None:
    body = changed(a=trip(trip_id=b"t", start_date=b"20260801", schedule_relationship=99))
    (row,) = observed(body)["transit_delay"]
    assert "status" not in row
    delays, _ = read(source("gtfs_rt"), body)
    assert "schedule_relationship of a trip 99" in delays.notes[0].text


def test_alerts_are_events_in_the_language_that_is_wanted(observed: Callable[..., Rows]) -> None:
    diversion, lift = observed()["event"]
    assert diversion == {
        "event_id": "5", "event_type": "roadworks", "event_type_native": "CONSTRUCTION/DETOUR",
        "title": "Umleitung Königsstraße", "description": "Haltestelle Markt entfällt.",
        "start_at": datetime(2026, 8, 1, tzinfo=UTC), "end_at": datetime(2026, 8, 4, tzinfo=UTC),
        "severity": "medium", "severity_native": "WARNING", "website": "https://verkehr.example/5",
    }  # fmt: skip
    assert lift["event_type"] == "traffic_other"
    assert not {"end_at", "severity", "event_type_native"} & lift.keys(), "not told, and not the default"
    assert observed(language="en-GB")["event"][0]["title"] == "Diversion"


@pytest.mark.parametrize(
    ("settings", "trips", "alerts"),
    [
        ({"stops": ("de:05515:*",)}, {("t1", "*"), ("t1", "3"), ("t1", "4"), ("t1", "de:05515:3")}, ["5"]),
        ({"stops": ("de:05515:2",)}, {("t1", "*"), ("t1", "4")}, []),
        ({"routes": ("NA",)}, {("t2", "*")}, []),
        ({"routes": ("4*",), "stops": ("de:09461:*",)}, {("t3", "1")}, ["5", "6"]),
        ({"stops": ("nowhere",)}, set(), []),
    ],
)
def test_of_the_feed_of_a_country_there_is_what_is_wanted(
    observed: Callable[..., Rows], settings: Any, trips: Any, alerts: list[str]
) -> None:
    found = observed(**settings)
    assert {(row["trip_id"], row["stop_call"]) for row in found.get("transit_delay", [])} == trips
    assert [row["event_id"] for row in found.get("event", [])] == alerts


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        (b"\x1a\x7f", "is damaged"),
        (trip(start_date=b"20260801"), "without trip_id"),
        (trip(trip_id=b"t"), "without start_date"),
        (trip(trip_id=b"t", start_date=b"1.8.26"), "start_date is 1.8.26"),
        (trip(trip_id=b"t", start_date=b"2026811"), "start_date is 2026811"),
    ],
)
def test_an_entity_that_cannot_be_read_is_one_rejected_row(
    source: MakeSource, read: ReadBody, entity: bytes, message: str
) -> None:
    good = trip(trip_id=b"good", start_date=b"20260801")
    delays, _ = read(source("gtfs_rt"), changed(a=good, b=entity, c=good))
    assert delays.frame["trip_id"].to_list() == ["good", "good"]
    ((row, rule, detail),) = [(each.row, each.rule, each.detail) for each in delays.broken]
    assert (row, rule) == (2, "unreadable_entity")
    assert message in detail


def alert(name: bytes = b"a", **selector: bytes) -> bytes:
    """An entity of an alert about what has these ids."""
    made = decode_entity(b"")
    made.id = name
    made.alert.SetInParent()
    if selector:
        about = made.alert.informed_entity.add()
        for field, value in selector.items():
            setattr(about, field, value)
    written: bytes = made.SerializeToString()
    return written


def test_a_copy_of_a_trip_is_a_trip_of_its_own(
    source: MakeSource, read: ReadBody, observed: Callable[..., Rows]
) -> None:
    planned = trip(trip_id=b"t", start_date=b"20260801", schedule_relationship=0)
    copy = decode_entity(trip(trip_id=b"t", start_date=b"20260801", schedule_relationship=6))
    delays, _ = read(source("gtfs_rt"), changed(a=planned, b=copy.SerializeToString()))
    assert delays.frame["trip_id"].to_list() == ["t"]
    assert [row.detail for row in delays.broken] == ["is of the copy of t without trip_id"]
    copy.trip_update.trip_properties.trip_id, copy.trip_update.trip_properties.start_date = b"t2", b"20260802"
    first, second = observed(changed(a=planned, b=copy.SerializeToString()))["transit_delay"]
    assert (first["trip_id"], first["status"]) == ("t", "scheduled")
    assert (second["trip_id"], second["status"]) == ("t2", "duplicated")
    assert second["service_start"] == datetime(2026, 8, 1, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("settings", "found", "notes"),
    [
        ({}, ["agency", "kind", "route", "all"], []),
        ({"routes": ("4*",)}, ["route", "all"], ["unnamed_alert"]),
        ({"routes": ("4*",), "agencies": ("SW*",)}, ["agency", "route", "all"], ["unnamed_alert"]),
        ({"routes": ("5",), "agencies": ("DB",)}, ["all"], ["unnamed_alert"]),
        ({"agencies": ("DB",)}, ["kind", "route", "all"], []),
    ],
)
def test_an_alert_about_a_whole_agency_is_chosen_by_it_and_never_left_out_without_a_word(
    source: MakeSource, read: ReadBody, settings: Any, found: list[str], notes: list[str]
) -> None:
    kind = decode_entity(alert(b"kind", agency_id=b""))
    body = changed(
        a=alert(b"agency", agency_id=b"SWM"),
        b=kind.SerializeToString(),
        c=alert(b"route", route_id=b"4E"),
        d=alert(b"all"),
    )
    delays, events = read(source("gtfs_rt", **settings), body)
    assert events.frame["event_id"].to_list() == found
    assert [note.code for note in delays.notes] == notes


def test_what_patterns_cannot_choose_because_it_is_not_named_is_told(
    source: MakeSource, read: ReadBody
) -> None:
    nameless = decode_entity(trip(trip_id=b"t", start_date=b"20260801"))
    nameless.trip_update.stop_time_update.add(stop_sequence=1).arrival.delay = 60
    body = changed(a=nameless.SerializeToString())
    for settings, note in (({"routes": ("4",)}, "unnamed_route"), ({"stops": ("4",)}, "unnamed_stop")):
        delays, _ = read(source("gtfs_rt", **settings), body)
        assert delays.frame.is_empty()
        assert [(each.code, each.text[:9]) for each in delays.notes] == [(note, "1 trip(s)")]
    delays, _ = read(source("gtfs_rt"), body)
    assert (delays.frame.height, delays.notes) == (2, ())


def test_an_alert_that_the_feed_has_no_more_is_over_and_one_that_cannot_be_read_is_not(
    source: MakeSource, read: ReadBody
) -> None:
    wanted = source("gtfs_rt")
    assert wanted.is_snapshot("event")
    assert not wanted.is_snapshot("transit_delay")
    wrong = decode_entity(alert(b"7"))
    wrong.alert.active_period.add(start=1_785_542_400_000)  # milliseconds
    body = changed(a=wrong.SerializeToString(), b=trip(trip_id=b"t"), c=b"\x1a\x7f")
    delays, events = read(wanted, body)
    assert [(row.row, row.about) for row in events.broken] == [(1, ("7",))]
    assert [(row.row, row.about) for row in delays.broken] == [(2, ("x",)), (3, ())]


def test_alerts_of_several_feeds_are_not_taken_for_each_other(
    source: MakeSource, records: ReadRecords
) -> None:
    wanted = source("gtfs_rt", url="https://data.example/{feed}", each={"feed": ("bus", "tram")})
    found = [records(wanted, changed(a=alert()), feed=feed)["event"] for feed in ("bus", "tram")]
    assert [row["event_id"] for (row,) in found] == ["bus/a", "tram/a"]


def test_a_feed_that_says_only_what_has_changed_is_noted(source: MakeSource, read: ReadBody) -> None:
    feed = decode_feed(FEED)
    feed.header.incrementality = 1
    delays, _ = read(source("gtfs_rt"), feed.SerializeToString())
    assert [note.code for note in delays.notes] == ["differential_feed"]


def test_an_entity_that_is_taken_back_is_no_row(observed: Callable[..., Rows]) -> None:
    gone = decode_entity(trip(trip_id=b"t", start_date=b"20260801"))
    gone.is_deleted = True
    assert observed(changed(a=gone.SerializeToString())) == {"transit_delay": [], "event": []}


def test_no_vehicle_lands_and_what_lands_reads_the_same(source: MakeSource, records: ReadRecords) -> None:
    driven = decode_entity(trip(trip_id=b"t", start_date=b"20260801"))
    driven.vehicle = driven.trip_update.vehicle = b"\x1a\x065ecret"
    unknown = b"\x42\x03new"  # of a field that nobody reads: it stays, to be read later
    feed = decode_feed(FEED)
    feed.entity.extend([driven.SerializeToString() + unknown, b"\x1a\x7f"])
    body = feed.SerializeToString()
    kept = source("gtfs_rt").redact_answer("data", body)
    assert b"5ecret" in body
    assert b"5ecret" not in kept
    assert unknown in kept
    assert not any(decode_entity(entity).HasField("vehicle") for entity in decode_feed(kept).entity[:-1])
    assert decode_feed(kept).entity[-1] == b"\x1a\x7f"
    del feed.entity[-1]
    body = feed.SerializeToString()
    assert records(source("gtfs_rt"), source("gtfs_rt").redact_answer("data", body)) == records(
        source("gtfs_rt"), body
    )
    with pytest.raises(ReadError, match="no feed of GTFS-Realtime"):
        source("gtfs_rt").redact_answer("data", b"<html>")


def test_a_feed_that_stands_still_is_noted(source: MakeSource, read: ReadBody) -> None:
    feed = decode_feed(FEED)
    feed.header.timestamp -= 86_400
    delays, _ = read(source("gtfs_rt"), feed.SerializeToString())
    assert "24 h before it was fetched" in delays.notes[0].text
    delays, _ = read(source("gtfs_rt"), FEED)
    assert delays.notes == ()


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04", b"\x0a\x00", b"<html>", FEED[:40]])
def test_what_is_no_feed_is_refused(source: MakeSource, read: ReadBody, body: bytes) -> None:
    with pytest.raises(ReadError, match="no feed of GTFS-Realtime"):
        read(source("gtfs_rt"), body)
