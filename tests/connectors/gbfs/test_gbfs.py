"""GBFS 2 and 3: both forms of discovery, names, times and counts, on the recorded feeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import ReadError
from civitas_assets.records.time import parse_instants
from tests.connectors.conftest import MakeSession, MakeSource, ReadBody, ReadRecords

DAY = Window(date(2026, 7, 30), date(2026, 7, 30))
Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def rows(source: MakeSource, records: ReadRecords) -> Rows:
    """Records of one feed."""

    def read(body: bytes, role: str, **settings: Any) -> Any:
        (found,) = records(source("gbfs", **settings), body, role).values()
        return found

    return read


@pytest.fixture
def feed(payloads: Path) -> Callable[[str], bytes]:
    """A recorded feed."""
    return lambda name: (payloads / "gbfs" / f"{name}.json").read_bytes()


@pytest.mark.parametrize(
    "system", [("v2", "testatlantis", "free_bike_status"), ("v3", "testozon", "vehicle_status")]
)
@pytest.mark.parametrize("free_vehicles", [True, False])
def test_recorded_discovery_leads_to_stations_and_status_and_to_vehicles_if_they_are_to_be_counted(
    source: MakeSource,
    session: MakeSession,
    feed: Callable[[str], bytes],
    system: tuple[str, str, str],
    free_vehicles: bool,
) -> None:
    version, path, vehicles = system
    bodies = {
        "discovery": feed(f"{version}_gbfs"),
        "system_information": feed("v2_system_information"),
        "vehicle_types": feed("v2_vehicle_types"),
    }
    asked = session(lambda request: bodies.get(request.role, b"{}"))
    CONNECTORS["gbfs"].fetch(source("gbfs", free_vehicles=free_vehicles), DAY, ZoneInfo("UTC"), asked)
    names = ["station_information", "station_status"]
    names += ["system_information", "vehicle_types", vehicles] if free_vehicles else []
    assert [r.url for r in asked.requests[1:]] == [f"http://localhost:8888/{path}/{name}" for name in names]


def test_the_language_is_taken_where_it_is_offered(source: MakeSource, session: MakeSession) -> None:
    def feeds(language: str) -> dict[str, Any]:
        names = ("station_information", "station_status")
        return {"feeds": [{"name": name, "url": f"{language}/{name}"} for name in names]}

    discovery = json.dumps({"data": {"en": feeds("en"), "de": feeds("de")}}).encode()
    for language, expected in (("de", "de"), ("en", "en"), ("fr", "en")):
        asked = session(lambda request: discovery)
        CONNECTORS["gbfs"].fetch(source("gbfs", language=language), DAY, ZoneInfo("UTC"), asked)
        assert asked.requests[1].url == f"https://data.example/{expected}/station_information"


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (("system_regions",), "station_information"),
        (("station_information", "vehicle_status", "system_information"), "station_status"),
        (("vehicle_status",), "system_information"),
    ],
)
def test_a_system_without_what_is_needed_is_an_error_that_says_what_it_has(
    source: MakeSource, session: MakeSession, names: tuple[str, ...], missing: str
) -> None:
    discovery = json.dumps({"data": {"feeds": [{"name": name, "url": name} for name in names]}}).encode()
    asked = session(lambda request: discovery)
    with pytest.raises(ReadError, match=f"offers no {missing}; it has {', '.join(names)}"):
        CONNECTORS["gbfs"].fetch(source("gbfs"), DAY, ZoneInfo("UTC"), asked)


def test_recorded_stations_of_both_versions(rows: Rows, feed: Callable[[str], bytes]) -> None:
    second = rows(feed("v2_station_information"), "station_information")
    assert second[0] == {"station_id": "1", "name": "Cool bikes", "lon": 45.67, "lat": 12.34}
    third = rows(feed("v3_station_information"), "station_information")
    assert third == [
        {"station_id": "pga", "name": "Parking garage A", "lon": 45.678901, "lat": 12.345678},
        {
            "station_id": "station12",
            "name": "SE Belmont & SE 10th",
            "capacity": 16,
            "is_virtual": True,
            "lon": -122.655775,
            "lat": 45.516445,
        },
    ]


def test_recorded_status_of_both_versions(rows: Rows, feed: Callable[[str], bytes]) -> None:
    (second, _) = rows(feed("v2_station_status"), "station_status")
    assert second == {
        "station_id": "TST:Station:1",
        "observed_at": datetime(2015, 6, 11, 20, 31, 18, tzinfo=UTC),
        "vehicles_available": 1,
        "vehicles_disabled": 2,
        "docks_available": 3,
        "is_installed": True,
        "is_renting": True,
        "is_returning": True,
    }
    third, _ = rows(feed("v3_station_status"), "station_status")
    assert third["observed_at"] == datetime(2021, 1, 5, 17, 2, 5, tzinfo=UTC)
    assert (third["vehicles_available"], third["docks_available"], third["docks_disabled"]) == (1, 3, 1)


def test_numbers_for_truth_and_a_station_that_never_reported(rows: Rows) -> None:
    stations = [
        {"station_id": "s", "is_renting": 1, "is_returning": 0, "last_reported": 0, "num_bikes_available": 0}
    ]
    body = json.dumps({"last_updated": 1767225600, "data": {"stations": stations}}).encode()
    (row,) = rows(body, "station_status")
    assert (row["is_renting"], row["is_returning"], row["vehicles_available"]) == (True, False, 0)
    assert row["observed_at"] == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_name_in_several_languages_is_that_of_the_source(rows: Rows) -> None:
    names = [{"text": "Station", "language": "en"}, {"text": "Bahnhof", "language": "de"}]
    body = json.dumps({"data": {"stations": [{"station_id": "s", "name": names}]}}).encode()
    assert rows(body, "station_information")[0]["name"] == "Bahnhof"
    assert rows(body, "station_information", language="fr")[0]["name"] == "Station"


@pytest.mark.parametrize(
    ("language", "name"),
    [("de", "Bahnhof"), ("de-AT", "Bahnhof"), ("DE_de", "Bahnhof"), ("en-US", "Station"), ("fr", "Station")],
)
def test_a_language_may_carry_a_region(rows: Rows, language: str, name: str) -> None:
    names = [{"text": "Station", "language": "en-GB"}, {"text": "Bahnhof", "language": "de-DE"}]
    body = json.dumps({"data": {"stations": [{"station_id": "s", "name": names}]}}).encode()
    assert rows(body, "station_information", language=language)[0]["name"] == name


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (1785398400, 0),
        (1785398400000, 0),
        (1785398400000000, 0),
        (1785398400.5, 0.5),
        ("1785398400", 0),
        ("1785398400000", 0),
        ("2026-07-30T10:00:00+02:00", 0),
        ("2026-07-30T08:00:00Z", 0),
    ],
)
def test_a_time_in_any_form_is_that_moment_and_never_that_of_the_feed(
    rows: Rows, written: Any, seconds: float
) -> None:
    body = json.dumps(
        {"last_updated": 1785402000, "data": {"stations": [{"station_id": "s", "last_reported": written}]}}
    ).encode()
    (row,) = rows(body, "station_status")
    assert row["observed_at"].timestamp() == 1785398400 + seconds


@pytest.mark.parametrize("written", ["gestern", "20260730", 17, -1, True, {"at": 1785398400}])
def test_a_time_that_is_none_is_found_at_fault_and_not_replaced(
    read: ReadBody, source: MakeSource, written: Any
) -> None:
    body = json.dumps(
        {"last_updated": 1785402000, "data": {"stations": [{"station_id": "s", "last_reported": written}]}}
    ).encode()
    (found,) = read(source("gbfs"), body, "station_status")
    assert parse_instants(found.frame["observed_at"]).to_list() == [None]
    assert found.frame["observed_at"].null_count() == 0


def test_a_station_that_is_none_and_ids_as_numbers_cost_no_other(read: ReadBody, source: MakeSource) -> None:
    stations = [
        {"station_id": 7, "capacity": "20", "lat": "51.9", "lon": 7.6},
        "x",
        {"station_id": "8", "lat": "Nord"},
    ]
    body = json.dumps({"data": {"stations": stations}}).encode()
    (found,) = read(source("gbfs"), body, "station_information")
    assert found.frame["station_id"].to_list() == ["7", "8"]
    assert found.frame["lat"].to_list() == ["51.9", "Nord"], "a text is the contract's to judge"
    assert [(row.row, row.rule) for row in found.broken] == [(2, "not_a_station")]


def test_a_number_that_json_does_not_have_is_none_and_costs_nothing_else(
    read: ReadBody, source: MakeSource
) -> None:
    body = (
        b'{"data":{"stations":[{"station_id":"NaN","capacity":NaN,"lat":51.9,"lon":7.6},{"station_id":"b"}]}}'
    )
    (found,) = read(source("gbfs"), body, "station_information")
    assert found.frame.select("station_id", "capacity").rows() == [("NaN", None), ("b", None)]


def test_a_virtual_station_without_a_point_has_one_in_its_area(rows: Rows) -> None:
    ring = [[7.6, 51.9], [7.7, 51.9], [7.7, 52.0], [7.6, 52.0], [7.6, 51.9]]
    area = {"type": "MultiPolygon", "coordinates": [[ring]]}
    stations = [{"station_id": "s", "is_virtual_station": "true", "station_area": area}]
    (row,) = rows(json.dumps({"data": {"stations": stations}}).encode(), "station_information")
    assert row["is_virtual"] is True
    assert 7.6 <= row["lon"] <= 7.7
    assert 51.9 <= row["lat"] <= 52.0


def test_totals_by_type_stand_in_for_one_that_is_missing_and_a_difference_is_told(
    read: ReadBody, source: MakeSource
) -> None:
    parts = [{"vehicle_type_id": "a", "count": 2}, {"vehicle_type_id": "b", "count": 3}]
    docks = [{"vehicle_type_ids": ["a"], "count": 4}]
    stations = [
        {"station_id": "sum", "vehicle_types_available": parts, "vehicle_docks_available": docks},
        {"station_id": "own", "num_bikes_available": 0, "vehicle_types_available": parts},
        {"station_id": "torn", "vehicle_types_available": [*parts, {"vehicle_type_id": "c"}]},
    ]
    (found,) = read(source("gbfs"), json.dumps({"data": {"stations": stations}}).encode(), "station_status")
    assert found.frame["vehicles_available"].to_list() == ["5", "0", None]
    assert found.frame["docks_available"].to_list() == ["4", None, None]
    assert [note.text for note in found.notes] == [
        (
            "1 station(s) have another total than their vehicle_types_available add up to; the total counts "
            "(own: 0, in parts 5)"
        )
    ]
    assert found.unknown_fields == ("vehicle_docks_available", "vehicle_types_available")


def test_what_no_list_of_stations_is_in_is_an_error(read: ReadBody, source: MakeSource) -> None:
    for role in ("station_information", "station_status"):
        with pytest.raises(ReadError, match="is no list of stations"):
            read(source("gbfs"), b'{"data":{"bikes":[]}}', role)


def test_a_language_that_lacks_a_feed_takes_it_from_another_and_a_feed_with_two_addresses_is_told(
    source: MakeSource, session: MakeSession
) -> None:
    def feeds(language: str, *names: str) -> dict[str, Any]:
        return {"feeds": [{"name": name, "url": f"{language}/{name}"} for name in names]}

    spoken = {
        "en": feeds("en", "station_status", "station_information"),
        "de-DE": feeds("de", "station_information", "station_information"),
    }
    spoken["de-DE"]["feeds"] += [
        {"name": "station_information", "url": "elsewhere"},
        {"name": "x", "url": None},
        7,
    ]
    asked = session(lambda request: json.dumps({"data": spoken}).encode())
    CONNECTORS["gbfs"].fetch(source("gbfs"), DAY, ZoneInfo("UTC"), asked)
    assert [r.url.removeprefix("https://data.example/") for r in asked.requests[1:]] == [
        "de/station_information",
        "en/station_status",
    ]
    assert [note.code for note in asked.notes] == ["feed_listed_twice"]


@pytest.mark.parametrize(
    ("role", "station", "named"),
    [
        ("station_status", {"bikes": 3}, "num_bikes_available"),
        ("station_status", {"num_bikes_available": 3, "renting": True, "is_returning": True}, "is_renting"),
        ("station_status", {"num_bikes_available": 3, "is_renting": True, "returning": True}, "is_returning"),
        ("station_information", {"latitude": 50.1, "longitude": 9.1}, "lat"),
    ],
)
def test_what_every_station_has_and_none_has_any_more_is_an_error(
    rows: Rows, role: str, station: dict[str, Any], named: str
) -> None:
    document = {
        "last_updated": 1785398400,
        "data": {"stations": [{"station_id": "1", "name": "A", **station}]},
    }
    with pytest.raises(
        ReadError, match=rf"has no .*{named}.* in any station; they have .*{next(iter(station))}"
    ):
        rows(json.dumps(document).encode(), role)


def test_what_every_station_has_and_no_value_hangs_on_is_told_where_none_has_it_any_more(
    read: ReadBody, source: MakeSource
) -> None:
    station = {"station_id": "1", "num_bikes_available": 3, "is_renting": True, "is_returning": True}
    document = {"last_updated": 1785398400, "data": {"stations": [station | {"reported": 1785398400}]}}
    (found,) = read(source("gbfs"), json.dumps(document).encode(), "station_status")
    (note,) = found.notes
    assert note.code == "missing_field"
    assert note.text.startswith("in no station: is_installed, last_reported; they have is_renting, ")
