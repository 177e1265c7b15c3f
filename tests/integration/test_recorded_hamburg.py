"""The counting network of Hamburg, a SensorThings server with intervals, through the whole chain."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.catalog import Window
from civitas_assets.pipeline.runner import Order
from tests.integration.conftest import Server, Workplace

TENANT = """
name: Freie und Hansestadt Hamburg
ags: "02000000"
bbox: [9.73, 53.39, 10.33, 53.74]
sources:
  bicycles:
    title: Hamburger Radzählnetz
    connector: sensorthings
    licence: dl-de/by-2-0
    url: "$url/v1.1"
    http: {requests_per_second: 200}
    constants: {observed_property: traffic.bicycle_count}
"""


@pytest.fixture(scope="module")
def hamburg(
    payloads: Path, new_workplace: Callable[[], Workplace], serve: Callable[[dict[str, bytes | None]], Server]
) -> Any:
    """The recorded Thing, and observations of its datastream in the recorded form."""
    (thing,) = (payloads / "sensorthings").glob("hamburg_thing_7648_*.json")
    intervals = [f"2024-12-29T10:0{m}:00Z/2024-12-29T10:0{m + 4}:59Z" for m in (0, 5)]
    counts = [{"phenomenonTime": t, "resultTime": None, "result": n} for n, t in enumerate(intervals, 3)]
    server = serve(
        {
            "/v1.1": b'{"value":[]}',
            "/v1.1/Things": b'{"value":[' + thing.read_bytes() + b"]}",
            "/v1.1/Datastreams(16183)/Observations": json.dumps({"value": counts}).encode(),
        }
    )
    workplace = new_workplace()
    workplace.clock = datetime(2026, 8, 22, 5, 11, tzinfo=UTC)
    workplace.write_tenant("hamburg", TENANT.replace("$url", server.url))
    outcome = workplace.run("hamburg", Order(window=Window(date(2024, 12, 28), date(2024, 12, 30))))
    assert outcome.errors == []
    assert outcome.rejected == 0
    return lambda sql: workplace.ask("hamburg", sql)


def test_hamburg_thing_is_a_station_with_its_datastream_and_intervals(hamburg: Any) -> None:
    assert hamburg("select station_id, name, lon, lat from station") == [
        ("7648", "Zählfeld J_52.1_1_I", 9.9786482, 53.4613167)
    ]
    rows = """
        select datastream_id, station_id, phenomenon_start_at, phenomenon_end_at, value, unit, observed_property
        from observation order by phenomenon_start_at
    """
    first, second = datetime(2024, 12, 29, 10, 0, tzinfo=UTC), datetime(2024, 12, 29, 10, 5, tzinfo=UTC)
    assert hamburg(rows) == [
        ("16183", "7648", first, first.replace(minute=4, second=59), 3, "1", "traffic.bicycle_count"),
        ("16183", "7648", second, second.replace(minute=9, second=59), 4, "1", "traffic.bicycle_count"),
    ]


def test_a_station_without_a_total_has_the_sum_of_its_channels(hamburg: Any) -> None:
    flow = "select station_id, bicycle_count, datastream_count from traffic_flow_observed order by phenomenon_start_at"
    assert hamburg(flow) == [("7648", 3, 1), ("7648", 4, 1)]
    assert hamburg("select is_station_total from datastream") == [(False,)]
