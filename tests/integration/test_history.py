"""What was measured and counted stays with the station and the car park as they were at the time, also in a rebuild."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from civitas_assets.pipeline.runner import Order
from tests.integration.conftest import MakeCounts, Server, Workplace

TOWN = """
name: Wandelstadt
ags: "99000095"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  stations:
    title: Messstellen
    connector: json
    licence: CC0-1.0
    url: "$url/stations.json"
    http: {requests_per_second: 100, attempts: 1}
    record_type: station
    id_space: counters
    fields: {station_id: id, name: name, lon: x, lat: y}
  counts:
    title: Zählwerte
    connector: csv
    licence: CC0-1.0
    url: "$url/counter.csv"
    http: {requests_per_second: 100, attempts: 1}
    record_type: observation
    id_space: counters
    time: {column: time, zone: offset, interval: 1 hour}
    fields: {datastream_id: id, station_id: id, value: count}
    constants: {observed_property: traffic.bicycle_count, unit: "1"}
  sites:
    title: Parkhäuser
    connector: json
    licence: CC0-1.0
    url: "$url/sites.json"
    http: {requests_per_second: 100, attempts: 1}
    record_type: parking_site
    snapshot: true
    id_space: parking
    fields: {site_id: id, capacity: total}
  parking:
    title: Belegung
    connector: json
    licence: CC0-1.0
    url: "$url/parking.json"
    http: {requests_per_second: 100, attempts: 1}
    record_type: parking_status
    id_space: parking
    fields: {site_id: id, free: free}
    time: {column: at, zone: offset, stamp: instant}
"""
COUNTED = """
    select o.phenomenon_start_at::varchar, o.value, o.station_version, h.lon
    from observation as o
    inner join station_history as h on o.station_key = h.station_key and o.station_version = h.version
    order by 1
"""
PARKED = "select observed_at::varchar, free, capacity, site_version from parking_status order by 1"
PRESENT = "select site_id, capacity from parking_site"
GONE = """
    select site_id, valid_to is null, (last_seen_at at time zone 'UTC')::date::varchar
    from parking_site_history order by site_id, version
"""
WIDE = "select phenomenon_start_at::varchar, station_version from traffic_flow_observed order by 1"


@pytest.fixture
def changing(workplace: Workplace, town: Server, counts: MakeCounts) -> Any:
    """A town whose counter moved and whose car park grew between two nights, and another one vanished."""
    workplace.write_tenant("wandelstadt", TOWN.replace("$url", town.url))
    nights = (
        (datetime(2026, 8, 21, 3, tzinfo=UTC), 9.05, 100, "2026-08-20T10:00:00Z", 40),
        (datetime(2026, 8, 22, 3, tzinfo=UTC), 9.15, 150, "2026-08-22T10:00:00Z", 60),
    )
    for night, lon, capacity, moment, free in nights:
        town.pages["/stations.json"] = json.dumps(
            [{"id": "1", "name": "Brücke", "x": lon, "y": 50.1}]
        ).encode()
        sites = [{"id": "P1", "total": capacity}, *([{"id": "P2", "total": 9}] if capacity == 100 else [])]
        town.pages["/sites.json"] = json.dumps(sites).encode()
        town.pages["/counter.csv"] = counts({moment: 5})
        town.pages["/parking.json"] = json.dumps([{"id": "P1", "free": free, "at": moment}]).encode()
        workplace.clock = night
        outcome = workplace.run("wandelstadt")
        assert outcome.ok, outcome.errors
    return workplace


@pytest.mark.parametrize("destination", ["duckdb", "postgres"])
def test_facts_belong_to_the_version_of_their_time_and_a_rebuild_gives_the_same(changing: Any) -> None:
    counted = [("2026-08-20 10:00:00+00", 5.0, 1, 9.05), ("2026-08-22 10:00:00+00", 5.0, 2, 9.15)]
    parked = [("2026-08-20 10:00:00+00", 40, 100, 1), ("2026-08-22 10:00:00+00", 60, 150, 2)]
    for order in (None, Order(fetch=False, rebuild=True)):
        if order:
            assert changing.run("wandelstadt", order).ok
        assert changing.ask("wandelstadt", COUNTED) == counted
        assert changing.ask("wandelstadt", PARKED) == parked
        assert changing.ask("wandelstadt", WIDE) == [(moment, version) for moment, _, version, _ in counted]
        assert changing.ask("wandelstadt", "select lon from station") == [(9.15,)]
        assert changing.ask("wandelstadt", PRESENT) == [("P1", 150)]
        assert changing.ask("wandelstadt", GONE) == [
            ("P1", False, "2026-08-22"),
            ("P1", True, "2026-08-22"),
            ("P2", False, "2026-08-21"),
        ]
