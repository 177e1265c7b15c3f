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

DAY = Window(date(2026, 7, 30), date(2026, 7, 30))
Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def rows(source: Callable[..., Any], records: Callable[..., Any]) -> Rows:
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
    source: Callable[..., Any], session: Any, feed: Any, system: tuple[str, str, str], free_vehicles: bool
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


def test_the_language_is_taken_where_it_is_offered(source: Callable[..., Any], session: Any) -> None:
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
    source: Callable[..., Any], session: Any, names: tuple[str, ...], missing: str
) -> None:
    discovery = json.dumps({"data": {"feeds": [{"name": name, "url": name} for name in names]}}).encode()
    asked = session(lambda request: discovery)
    with pytest.raises(ReadError, match=f"offers no {missing}; it has {', '.join(names)}"):
        CONNECTORS["gbfs"].fetch(source("gbfs"), DAY, ZoneInfo("UTC"), asked)


def test_recorded_stations_of_both_versions(rows: Rows, feed: Any) -> None:
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


def test_recorded_status_of_both_versions(rows: Rows, feed: Any) -> None:
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
