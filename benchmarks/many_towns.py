"""Many tenants in one installation, each with ten sources whose names nobody else has.

What is asked of the code location is asked as Dagster's webserver and daemon do: by gRPC, of a process of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.definitions.timestamp import TimestampWithTimezone
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import ExternalScheduleExecutionArgs, SensorExecutionArgs

from benchmarks.deployed import CodeServer, code_server, deployed, launch, run_ended
from benchmarks.history import history
from benchmarks.serving import Request, answer, serving
from benchmarks.town import Figures
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.settings import Settings

TENANTS, SOURCES = 500, 10
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


def code_location_of_500_tenants(folder: Path, size: int = TENANTS) -> Figures:
    """The code location from its start, what it answers, and what schedules and sensors take."""
    write_towns(folder / "tenants", size)
    prepare_project(Settings(home=folder / "home"))  # once per installation
    with history(folder / "dagster") as kept, code_server(environment_of(folder)) as server:
        location = Location(server, kept.instance)
        begun = time.perf_counter()
        answer = location.definitions()
        cpu, _ = server.used()
        figures = {
            "cpu_seconds until it is loaded": cpu,
            "megabytes of the answer": len(answer.encode()) / 1e6,
            "seconds of the answer": time.perf_counter() - begun,
            "tenants": float(size),
        }
        for name in ("nightly", "dropped_files", "waiting_messages", "stale_sources"):
            begun = time.perf_counter()
            said = location.tick(name, datetime.now(UTC)) if name == "nightly" else location.look(name)
            assert "SerializableErrorInfo" not in said, said[:2000]
            figures[f"seconds of {name}"] = time.perf_counter() - begun
        figures["megabytes at the peak"] = server.used()[1]
        return figures


def quiet_night_of_tenants(folder: Path, size: int = TENANTS) -> Figures:
    """A night in which nothing is new for anybody, after one in which everything was, through the queue."""
    with _sources() as port, history(folder / "dagster") as kept:
        write_towns(folder / "tenants", size, port)
        prepare_project(Settings(home=folder / "home"))
        figures: Figures = {"tenants": float(size)}
        with deployed(environment_of(folder)) as server:
            for name in ("first", "quiet"):
                asked, (before, _), events = datetime.now(UTC), server.used(), kept.size()
                launch("nightly_batch", server.environment)
                run = run_ended(kept, "nightly_batch", asked, 300 + 10 * size)
                server.wait_for_runs()
                cpu = server.used()[0] - before
                figures |= {
                    f"{name} night: seconds": (run.end_time or 0.0) - (run.start_time or 0.0),
                    f"{name} night: cpu_seconds": cpu,
                    f"{name} night: cpu_seconds per tenant": cpu / size,
                    f"{name} night: events": float(len(kept.instance.all_logs(run.dagster_run.run_id))),
                    f"{name} night: history_kb": (kept.size() - events) / 1000,
                }
        return figures


@contextmanager
def _sources() -> Iterator[int]:
    """The port of a server with a few rows for each source; every second source has an ETag and says 304."""
    day = datetime(2026, 7, 30, 1, tzinfo=UTC)
    times = [(day + timedelta(minutes=15 * step)).isoformat() for step in range(20)]

    def give_rows(request: Request) -> None:
        _, town, file = request.path.split("/")
        number, _, form = file.partition(".")
        tag = f'"{town}-{number}"'
        if request.headers.get("If-None-Match") == tag:
            request.send_response(304)
            request.end_headers()
            return
        if form == "csv":
            body = "\n".join(["time,id,count", *(f"{at},{town}-{number},{town}" for at in times)])
        else:
            point = '{"type": "Point", "coordinates": [9.1, 50.1]}'
            properties = f'{{"name": "Platz {number}"}}'
            feature = (
                f'{{"type": "Feature", "id": "{number}", "geometry": {point}, "properties": {properties}}}'
            )
            body = f'{{"type": "FeatureCollection", "features": [{feature}]}}'
        answer(request, body.encode(), tag=tag if int(number) % 2 else "")

    with serving(give_rows) as port:
        yield port
