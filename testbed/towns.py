"""Many small towns, and what Dagster asks their code location for, by gRPC, as its webserver and daemon do.

How long it may take is no question of this module.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import dagster as dg
from dagster._core.definitions.timestamp import TimestampWithTimezone
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import ExternalScheduleExecutionArgs, SensorExecutionArgs

from testbed.deployed import CodeServer

SOURCES = 10  # of each town
_LOCATION = "civitas_assets"
_HEAD = 'name: Stadt {town}\nags: "99{town:06d}"\nbbox: [9.0, 50.0, 9.2, 50.2]\nsources:\n'
_COUNTER = """  zaehler_{town}_{number}:
    title: Radzählstelle {number}
    connector: csv
    licence: CC0-1.0
    url: "http://127.0.0.1:{port}/{town}/{number}.csv"
    http: {{requests_per_second: 200}}
    record_type: observation
    fields: {{datastream_id: id, value: count}}
    constants: {{station_id: "{number}", observed_property: traffic.bicycle_count, unit: "1"}}
    time: {{column: time, zone: offset, stamp: interval_start, interval: 15 min}}
"""
_PLACES = """  standorte_{town}_{number}:
    title: Standorte {number}
    connector: geojson
    licence: CC0-1.0
    url: "http://127.0.0.1:{port}/{town}/{number}.geojson"
    http: {{requests_per_second: 200}}
    record_type: place
    feature_id: place_id
    fields: {{name: name}}
    constants: {{category: playground}}
"""


def write_towns(folder: Path, size: int, port: int = 9, sources: int = SOURCES) -> None:
    """The files of so many tenants: counters, and every fifth source places."""
    folder.mkdir(parents=True, exist_ok=True)
    for town in range(1, size + 1):
        parts = [
            (_COUNTER if number % 5 else _PLACES).format(town=town, number=number, port=port)
            for number in range(1, sources + 1)
        ]
        (folder / f"stadt{town:03d}.yaml").write_text(
            _HEAD.format(town=town) + "".join(parts), encoding="utf-8"
        )


class Location:
    """What the webserver and the daemon ask the code location for."""

    def __init__(self, server: CodeServer, instance: dg.DagsterInstance) -> None:
        self._client = DagsterGrpcClient(port=server.port, host="127.0.0.1")
        self._instance = instance
        place = GrpcServerCodeLocationOrigin("127.0.0.1", port=server.port, location_name=_LOCATION)
        self._origin = RemoteRepositoryOrigin(place, "__repository__")

    def definitions(self) -> str:
        """Everything that is defined, in the form in which it travels."""
        return self._client.external_repository(self._origin, defer_snapshots=True)

    def tick(self, schedule: str, at: datetime) -> str:
        """The answer to a schedule's tick."""
        stamp = TimestampWithTimezone(at.timestamp(), "Europe/Berlin")
        asked = ExternalScheduleExecutionArgs(
            repository_origin=self._origin,
            instance_ref=self._instance.get_ref(),
            schedule_name=schedule,
            scheduled_execution_timestamp=stamp.timestamp,
            scheduled_execution_timezone=stamp.timezone,
            log_key=None,
        )
        return self._client.external_schedule_execution(asked)

    def look(self, sensor: str) -> str:
        """The answer of a sensor."""
        asked = SensorExecutionArgs(
            repository_origin=self._origin,
            instance_ref=self._instance.get_ref(),
            sensor_name=sensor,
            last_tick_completion_time=None,
            last_run_key=None,
            cursor=None,
            log_key=None,
        )
        return self._client.external_sensor_execution(asked)


def environment_of(folder: Path) -> dict[str, str]:
    """Of a deployment in the folder."""
    return {
        **os.environ,
        "CIVITAS_HOME": str(folder / "home"),
        "CIVITAS_TENANTS_DIR": str(folder / "tenants"),
        "DAGSTER_HOME": str(folder / "dagster"),
    }
