"""Free vehicles of GBFS: counted by kind within the box, and never kept one by one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitas_assets.catalog import Window
from civitas_assets.connectors.gbfs.gbfs import GbfsSource
from civitas_assets.connectors.gbfs.gbfs_vehicles import count_vehicles, read_vehicle_kinds
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import ReadError
from tests.connectors.conftest import MakeSession, MakeSource, ReadBody, ReadRecords

BOX = (7.0, 51.0, 8.0, 52.0)
DAY = Window(date(2026, 7, 30), date(2026, 7, 30))
ROOT = "https://data.example/"
KINDS = json.dumps(
    {"city": "bicycle:human", "cargo": "cargo_bicycle:electric_assist", "town": "bicycle:human"}
)


def vehicle(number: int, type_id: str | None = "city", **more: Any) -> dict[str, Any]:
    """A free vehicle in the middle of the box."""
    here = {
        "vehicle_id": f"secret-{number}",
        "lat": 51.51,
        "lon": 7.51,
        "is_reserved": False,
        "is_disabled": False,
    }
    return {**here, **({"vehicle_type_id": type_id} if type_id else {}), **more}


def feed(*vehicles: dict[str, Any], key: str = "vehicles", at: Any = "2026-07-30T10:00:00+02:00") -> bytes:
    return json.dumps({"last_updated": at, "ttl": 60, "data": {key: vehicles}}).encode()


def numbers(body: bytes, box: Any = BOX) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads(count_vehicles(body, box))["counted"]
    return found


def test_vehicles_are_counted_by_type_and_by_whether_they_can_be_taken() -> None:
    body = feed(
        vehicle(1),
        vehicle(2),
        vehicle(3, is_reserved=True),
        vehicle(4, is_disabled=True),
        vehicle(5, is_reserved=True, is_disabled=True),
        vehicle(6, "cargo"),
        vehicle(7, None),
    )
    assert numbers(body) == {
        "": {"free": 1},
        "cargo": {"free": 1},
        "city": {"disabled": 2, "free": 2, "reserved": 1},
    }


def test_a_vehicle_at_a_station_is_counted_there_and_not_as_free() -> None:
    assert numbers(feed(vehicle(1, station_id="s"), vehicle(2, station_id=""))) == {"city": {"free": 1}}


def test_only_vehicles_in_the_box_of_the_tenant_are_counted() -> None:
    away = vehicle(1, lat=48.1), vehicle(2, lon=11.5), {**vehicle(3), "lat": None}
    assert numbers(feed(vehicle(4), *away)) == {"city": {"free": 1}}
    assert numbers(feed(vehicle(4), *away), box=None) == {"city": {"free": 4}}


def test_version_2_says_bikes_and_writes_truth_as_numbers() -> None:
    bike = {"lat": 51.5, "lon": 7.5, "is_reserved": 1, "is_disabled": 0}
    bikes = [{"bike_id": name, **bike} for name in "ab"]
    body = feed(*bikes, key="bikes", at=1785398400)
    assert json.loads(count_vehicles(body, BOX)) == {
        "counted": {"": {"reserved": 2}},
        "last_updated": "2026-07-30T08:00:00+00:00",
    }


def test_a_time_that_is_none_is_not_kept_as_text() -> None:
    assert json.loads(count_vehicles(feed(vehicle(1), at="secret-1"), BOX))["last_updated"] is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"data":{}}',
        b'{"data":{"scooters":[{"vehicle_id":"secret-1"}]}}',
        b'{"data":{"vehicles":{"vehicle_id":"secret-1"}}}',
        b'{"data":{"vehicles":["secret-1"]}}',
        b'{"data":{"vehicles":[{"vehicle_id":"secret-1","lat":"secret-1"}]}}',
        b'{"data":{"vehicles":[{"vehicle_type_id":["secret-1"]}]}}',
    ],
)
def test_a_body_of_unknown_shape_is_refused_without_showing_any_of_it(body: bytes) -> None:
    source = GbfsSource(connector="gbfs", title="t", licence="CC0-1.0", url=ROOT)
    with pytest.raises(ReadError) as caught:
        source.redact_answer("vehicles", body)
    assert "secret" not in str(caught.value)


def test_one_vehicle_that_cannot_be_read_costs_nothing_but_itself_and_is_told(
    source: MakeSource, read: ReadBody
) -> None:
    odd = [
        vehicle(1, is_disabled="vielleicht"),
        vehicle(2, lat="secret-2"),
        vehicle(3, vehicle_type_id=["x"]),
    ]
    body = count_vehicles(feed(*odd, vehicle(4), {**vehicle(5), "lat": None}, "secret-6"), BOX)
    assert json.loads(body)["counted"] == {"city": {"free": 1}}
    assert b"secret" not in body
    *_, observed = read(source("gbfs"), body, "vehicles", system_id="s", kinds=KINDS)
    assert [(note.code, note.text) for note in observed.notes] == [
        (
            "vehicles_nowhere",
            "1 vehicle(s) of the feed name neither a station nor a position and are not counted",
        ),
        ("vehicles_unreadable", "4 vehicle(s) of the feed cannot be read and are not counted"),
    ]


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        ({"is_disabled": "false", "is_reserved": "0"}, {"city": {"free": 1}}),
        ({"is_disabled": "True"}, {"city": {"disabled": 1}}),
        ({"is_disabled": 0, "is_reserved": 1.0}, {"city": {"reserved": 1}}),
        ({"is_disabled": None}, {"city": {"free": 1}}),
        ({"vehicle_type_id": 7, "lat": "51.51", "lon": "7.51"}, {"7": {"free": 1}}),
        ({"vehicle_type_id": 7.0}, {"7": {"free": 1}}),
        ({"station_id": 12}, {}),
    ],
)
def test_truth_ids_and_places_are_read_as_numbers_and_as_texts(odd: dict[str, Any], expected: Any) -> None:
    assert numbers(feed(vehicle(1, **odd))) == expected


def test_a_vehicle_that_is_listed_twice_as_a_whole_counts_once() -> None:
    assert numbers(feed(vehicle(1), vehicle(1), vehicle(1, lon=7.6), vehicle(2))) == {"city": {"free": 3}}


def test_types_may_have_numbers_as_ids_and_one_that_is_none_costs_itself() -> None:
    types = [
        {"vehicle_type_id": 1, "form_factor": "car", "propulsion_type": "electric"},
        "x",
        {"vehicle_type_id": "2"},
    ]
    body = json.dumps({"data": {"vehicle_types": types}}).encode()
    assert read_vehicle_kinds(body) == {"1": "car:electric", "2": "unknown:unknown"}


IDS = st.text("0123456789abcdef", min_size=12, max_size=20)


@given(
    data=st.lists(
        st.tuples(
            IDS,
            st.sampled_from(["city", "cargo", None]),
            st.floats(51.111111, 51.999999),
            st.floats(7.111111, 7.999999),
            st.booleans(),
            st.booleans(),
        ),
        max_size=20,
    ),
    version=st.sampled_from([("bikes", "bike_id"), ("vehicles", "vehicle_id")]),
)
def test_no_id_and_no_coordinate_of_a_vehicle_survives(data: list[Any], version: tuple[str, str]) -> None:
    key, name = version
    vehicles = [
        {name: i, "vehicle_type_id": kind, "lat": lat, "lon": lon, "is_reserved": r, "is_disabled": d,
         "rental_uris": {"web": f"https://ride.example/{i}"}, "last_reported": 1785398400, "home_station_id": i}
        for i, kind, lat, lon, r, d in data
    ]  # fmt: skip
    kept = json.loads(count_vehicles(feed(*vehicles, key=key), BOX))
    assert kept.keys() == {"counted", "last_updated"}
    assert kept["counted"].keys() <= {"", "city", "cargo"}
    states = [pair for states in kept["counted"].values() for pair in states.items()]
    assert {state for state, _ in states} <= {"free", "reserved", "disabled"}
    assert sum(number for _, number in states) == len({*data})
    assert kept["last_updated"] == "2026-07-30T10:00:00+02:00"


def test_a_system_without_stations_is_asked_for_its_vehicles_only(
    source: MakeSource, session: MakeSession
) -> None:
    names = ("system_information", "vehicle_status")
    bodies = {
        "discovery": json.dumps({"data": {"feeds": [{"name": n, "url": ROOT + n} for n in names]}}).encode(),
        "system_information": b'{"data":{"system_id":"rad"}}',
    }
    asked = session(lambda request: bodies.get(request.role, b"{}"))
    CONNECTORS["gbfs"].fetch(source("gbfs"), DAY, ZoneInfo("UTC"), asked)
    last = asked.requests[-1]
    assert (last.url, last.role, dict(last.variables)) == (
        f"{ROOT}vehicle_status", "vehicles", {"system_id": "rad"},
    )  # fmt: skip


def test_numbers_become_observations_of_the_system_by_form_and_propulsion(
    source: MakeSource, records: ReadRecords
) -> None:
    body = count_vehicles(
        feed(vehicle(1), vehicle(2, "town"), vehicle(3, "new"), vehicle(4, is_disabled=True)), BOX
    )
    found = records(source("gbfs"), body, "vehicles", system_id="rad", kinds=KINDS)
    assert {row["datastream_id"]: row["value"] for row in found["observation"]} == {
        "rad:free:bicycle:human": 2,
        "rad:reserved:bicycle:human": 0,
        "rad:disabled:bicycle:human": 1,
        "rad:free:cargo_bicycle:electric_assist": 0,
        "rad:reserved:cargo_bicycle:electric_assist": 0,
        "rad:disabled:cargo_bicycle:electric_assist": 0,
        "rad:free:unknown": 1,
        "rad:reserved:unknown": 0,
        "rad:disabled:unknown": 0,
    }
    assert {row["phenomenon_start"] for row in found["observation"]} == {datetime(2026, 7, 30, 8, tzinfo=UTC)}
    assert found["datastream"][0] == {
        "datastream_id": "rad:free:bicycle:human",
        "station_id": "rad",
        "name": "bicycle human, free",
        "observed_property": "sharing.vehicles_free",
        "unit": "1",
    }


def test_a_system_that_lists_no_types_has_bicycles(source: MakeSource, records: ReadRecords) -> None:
    for vehicles in ((), (vehicle(1, None),)):
        found = records(source("gbfs"), count_vehicles(feed(*vehicles), BOX), "vehicles", system_id="rad")
        values = {row["datastream_id"]: row["value"] for row in found["observation"]}
        assert values["rad:free:bicycle:human"] == len(vehicles)


def test_the_system_itself_is_the_station(source: MakeSource, records: ReadRecords) -> None:
    texts = [{"text": "Town bikes", "language": "en"}, {"text": "Stadtrad", "language": "de"}]
    body = json.dumps({"data": {"system_id": "rad", "name": texts, "operator": "Stadtwerke"}}).encode()
    assert records(source("gbfs"), body, "system_information")["station"] == [
        {"station_id": "rad", "name": "Stadtrad", "operator": "Stadtwerke"}
    ]
