"""Sharing systems in GBFS 2 and 3 through the whole chain: each expected row was read from the recorded feeds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Server, Workplace

# The stations of the recorded feeds stand in the Gulf of Aden, and one of them in Portland.
TENANT = """
name: Leihstadt
ags: "99000097"
bbox: [44.0, 11.0, 46.0, 13.0]
sources:
  second: &system
    title: Leihräder in GBFS 2
    connector: gbfs
    licence: CC0-1.0
    url: "$url/v2/gbfs.json"
    free_vehicles: false
    http: {requests_per_second: 200}
  third: {<<: *system, title: Leihräder in GBFS 3, url: "$url/v3/gbfs.json"}
"""


@pytest.fixture(scope="module")
def systems(
    payloads: Path, new_workplace: Callable[[], Workplace], serve: Callable[[dict[str, bytes | None]], Server]
) -> Any:
    """Both systems, whose discovery leads to this machine."""
    server = serve({})
    for version, host in (("v2", b"testatlantis"), ("v3", b"testozon")):
        discovery = (payloads / "gbfs" / f"{version}_gbfs.json").read_bytes()
        here = f"{server.url}/{version}".encode()
        server.pages[f"/{version}/gbfs.json"] = discovery.replace(b"http://localhost:8888/" + host, here)
        for feed in ("station_information", "station_status"):
            body = (payloads / "gbfs" / f"{version}_{feed}.json").read_bytes()
            server.pages[f"/{version}/{feed}"] = body
    workplace = new_workplace()
    workplace.write_tenant("leihstadt", TENANT.replace("$url", server.url))
    outcome = workplace.run("leihstadt")
    assert outcome.errors == []
    assert outcome.rejected == 1
    return lambda sql: workplace.ask("leihstadt", sql)


def test_stations_of_both_versions(systems: Any) -> None:
    stations = """
        select source, station_id, name, address, capacity, is_virtual, lon, lat
        from sharing_station order by source, station_id
    """
    assert systems(stations) == [
        ("second", "1", "Cool bikes", None, None, None, 45.67, 12.34),
        ("second", "TST:Station:2", "Cooler bikes", None, None, None, 44.67, 11.34),
        ("third", "pga", "Parking garage A", None, None, None, 45.678901, 12.345678),
    ]
    rejected = "select source, record_type, rule, field, record_count, example_detail from rejected_record"
    assert systems(rejected) == [
        ("third", "sharing_station", "position_is_outside", "lon, lat", 1, "-122.655775, 45.516445")
    ]


def test_statuses_of_both_versions_with_times_in_seconds_and_with_an_offset(systems: Any) -> None:
    statuses = """
        select source, station_id, observed_at, day, vehicles_available, vehicles_disabled, docks_available,
               docks_disabled, is_installed, is_renting, is_returning, quality_rule
        from sharing_status order by source, station_id
    """
    summer = (datetime(2015, 6, 11, 20, 31, 18, tzinfo=UTC), date(2015, 6, 11))  # 1434054678
    winter, day = datetime(2021, 1, 5, 17, 2, 5, tzinfo=UTC), date(2021, 1, 5)
    said = (True, True, True, "stale")
    assert systems(statuses) == [
        ("second", "2", *summer, 6, None, 8, None, *said),
        ("second", "TST:Station:1", *summer, 1, 2, 3, None, *said),
        ("third", "station1", winter, day, 1, 2, 3, 1, *said),
        ("third", "station2", winter.replace(minute=1, second=46), day, 6, 1, 8, 1, *said),
    ]
