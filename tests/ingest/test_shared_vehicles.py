"""A night with a sharing system: of its vehicles nothing but numbers is anywhere in what a town keeps."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.ingest.conftest import Publisher, Town

HOST = "https://data.example/"
TRACES = ("secret", "51.512345", "7.512345", "51.51", "7.51")


def _discovery() -> bytes:
    names = ("station_information", "station_status", "system_information", "vehicle_types", "vehicle_status")
    return json.dumps({"data": {"feeds": [{"name": name, "url": HOST + name} for name in names]}}).encode()


@pytest.fixture
def system(town: Town, publisher: Publisher) -> Any:
    """The town with a system of three vehicles, one of which has just moved."""
    town.with_sources(
        s={
            "connector": "gbfs",
            "url": HOST + "gbfs.json",
            "each": None,
            "record_type": None,
            "time": None,
            "fields": None,
        }
    )
    station = {"station_id": "1", "name": "A", "lat": 51.2, "lon": 7.2}
    status = {"station_id": "1", "num_vehicles_available": 1, "last_reported": "2026-07-01T00:00:00Z"}
    kind = {"vehicle_type_id": "k", "form_factor": "scooter_standing", "propulsion_type": "electric"}
    publisher.bodies |= {
        "gbfs.json": _discovery(),
        "station_information": json.dumps({"data": {"stations": [station]}}).encode(),
        "station_status": json.dumps({"data": {"stations": [status]}}).encode(),
        "system_information": b'{"data":{"system_id":"roll","name":"Roller"}}',
        "vehicle_types": json.dumps({"data": {"vehicle_types": [kind]}}).encode(),
    }
    return town


def _vehicles(hour: int, count: int) -> bytes:
    vehicles = [
        {
            "vehicle_id": f"secret-{number}",
            "vehicle_type_id": "k",
            "lat": 51.512345,
            "lon": 7.512345,
            "is_reserved": False,
            "is_disabled": False,
        }
        for number in range(count)
    ]
    return json.dumps(
        {"last_updated": f"2026-07-01T{hour:02}:00:00Z", "data": {"vehicles": vehicles}}
    ).encode()


def _everything_kept(town: Town) -> str:
    """All that the files of the town say, whatever their format."""
    said = []
    for file in town.home.rglob("*"):
        if file.suffix == ".parquet":
            said.append(pl.read_parquet(file).cast(pl.String, strict=False).write_csv())
        elif file.is_file():
            said.append(f"{file} {file.read_bytes()!r}")
    landing = town.landing()
    for manifest in landing.list_manifests(after=""):
        said += [f"{line!r} {landing.read_body(line.sha256)!r}" for line in manifest.lines if line.sha256]
    return "\n".join(said)


def test_numbers_are_kept_each_night_and_no_trace_of_a_vehicle(
    system: Any, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for hour, count in ((8, 3), (9, 2)):
        publisher.bodies["vehicle_status"] = _vehicles(hour, count)
        report = system.night()
        assert report.ok, report.errors
        assert not report.warnings
    free = [row for row in system.values("datastream_id", "value") if "free" in row[0]]
    assert free == [
        ("roll:free:scooter_standing:electric", 2.0),
        ("roll:free:scooter_standing:electric", 3.0),
    ]
    kept = _everything_kept(system)
    assert "scooter_standing" in kept
    assert "num_vehicles_available" in kept, "the bodies that are kept were not looked at"
    for trace in TRACES:
        assert trace not in kept
        assert trace not in caplog.text


def test_a_feed_that_cannot_be_counted_fails_by_name_and_leaves_no_trace(
    system: Any, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.bodies["vehicle_status"] = _vehicles(8, 3)[:-5]
    report = system.fetch()["s"]
    assert "vehicle_status is not what GBFS answers" in report.error
    assert report.error.endswith("nothing of it is kept")
    for trace in TRACES:
        assert trace not in _everything_kept(system) + report.error
