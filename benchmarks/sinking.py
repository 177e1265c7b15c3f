"""A SensorThings server that a sink fills and keeps up to date, beside frost-sta-client, entity by entity.

The server is django-ogc-sensorthings. The sink reads back what it writes, which is in its time; the client does not.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from benchmarks.environments import make_environment
from benchmarks.town import Figures
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.settings import LOOPBACK, Settings
from civitas_assets.sinks.deliver import bring_to_sinks
from civitas_assets.sinks.sink_report import SinkReport
from civitas_assets.store.files import LocalFiles
from testbed.sensorthings_server import PACKAGE, VERSION, SensorThings, start_sensorthings

CLIENT = "frost-sta-client==1.1.53"
STREAMS, BY_CLIENT = 10, 600
_NOW = datetime(2026, 7, 3, 5, tzinfo=UTC)
_TOWN = """\
name: Messstadt
ags: "99000001"
bbox: [7.0, 51.0, 8.0, 52.5]
sinks:
  sta: {{kind: sensorthings, url: "{url}", times: start, http: {{requests_per_second: 200}}}}
sources:
  air: {{connector: uba, title: Luft, stations: [DEHE046]}}
"""
_TABLES = """
create table source as select 'air' as source, 'dl-de/by-2-0' as licence, 'Umweltbundesamt' as attribution;
create table station as select 't/' || n as station_key, 's' || n as station_id, 'Station ' || n as name,
    null::varchar as description, 7.5::double as lon, (51.5 + n / 100)::double as lat, 'air' as source
    from range({streams}) as made(n);
create table datastream as select 't/d' || n as datastream_key, 'd' || n as datastream_id, 't/' || n as station_key,
    'NO2 ' || n as name, null::varchar as description, null::varchar as sensor, 'air.no2' as observed_property,
    'ug/m3' as unit, 'air' as source from range({streams}) as made(n);
create table observation as select 't/d' || n % {streams} as datastream_key,
    timestamptz '2026-06-30 22:00:00+00' + interval (n // {streams}) minute as phenomenon_start_at,
    null::timestamptz as phenomenon_end_at, null::timestamptz as result_at,
    (n / 8)::double as value, 'good' as quality_code,
    (timestamp '2026-07-01' + interval (n // {streams}) minute)::date as day, 'air' as source
    from range({rows}) as made(n);
"""
# What frost-sta-client is asked, as its documentation shows it: an observation after the other, of one datastream.
_ASKED = """
import sys
from datetime import datetime, timedelta, timezone
import frost_sta_client as fsc
root, count = sys.argv[1], int(sys.argv[2])
service = fsc.SensorThingsService(root)
stream = next(iter(service.datastreams().query().top(1).list()))
first = datetime(2020, 1, 1, tzinfo=timezone.utc)
for number in range(count):
    at = (first + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = fsc.Observation(
        phenomenon_time=at, result_time=at, result=number / 8, result_quality={"code": "good"}, datastream=stream
    )
    service.create(given)
"""


def fill_sensorthings(folder: Path, rows: int = 20_000) -> Figures:
    """Observations a second of the first load, with all reading back; how many times ahead of frost-sta-client."""
    python = make_environment(
        folder / "others", "CIVITAS_BENCHMARK_SENSORTHINGS", f"{PACKAGE}=={VERSION}", CLIENT
    )
    if python is None:
        return {}
    (folder / "server").mkdir(parents=True)
    with start_sensorthings(python, folder / "server", arrays=True) as server:
        town = _Town(folder / "home", server.root, rows)
        sink = _measure(server, town.bring)
        assert town.report.created == rows, town.report
        client = _measure(server, lambda: _write_by_client(python, server.root))
        quiet = _measure(server, town.bring)
        assert not town.report.has_written, town.report
    return {
        "observations_per_second": rows / sink.seconds,
        "observations_per_second: frost-sta-client": BY_CLIENT / client.seconds,
        "ahead of frost-sta-client": rows / sink.seconds / (BY_CLIENT / client.seconds),
        "ahead in processor time": rows / sink.cpu_seconds / (BY_CLIENT / client.cpu_seconds),
        "seconds: nothing new": quiet.seconds,
    }


@dataclass(frozen=True)
class _Cost:
    """Seconds by the clock, and of processors: the server's and those of whoever writes."""

    seconds: float
    cpu_seconds: float


def _measure(server: SensorThings, work: Callable[[], object]) -> _Cost:
    used, begun = server.read_cpu_seconds() + _read_own_seconds(), time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    return _Cost(seconds, server.read_cpu_seconds() + _read_own_seconds() - used)


def _read_own_seconds() -> float:
    """Processor time of this process and of those that it has waited for."""
    return sum(os.times()[:4])


def _write_by_client(python: Path, root: str) -> None:
    given = [str(python), "-c", _ASKED, root, str(BY_CLIENT)]
    subprocess.run(given, stdout=subprocess.DEVNULL, check=True)


class _Town:
    """A town with a sink, and published tables made by hand."""

    def __init__(self, home: Path, root: str, rows: int) -> None:
        self._settings = Settings(
            home=home, tenants_dir=home / "tenants", contact="a@b.example", reachable=LOOPBACK
        )
        tables = self._settings.published / "town" / "town_db.duckdb"
        tables.parent.mkdir(parents=True)
        self._settings.tenants_dir.mkdir()
        (self._settings.tenants_dir / "town.yaml").write_text(_TOWN.format(url=root), encoding="utf-8")
        with duckdb.connect(str(tables)) as connection:
            connection.execute(_TABLES.format(streams=STREAMS, rows=rows))
        self._tenant = load_catalogue(self._settings).get_tenant("town")
        self.report = SinkReport()

    def bring(self) -> None:
        """Bring everything, and read all of it back."""
        files = LocalFiles(self._settings.home)
        (report,) = bring_to_sinks(self._settings, files, self._tenant, _NOW).values()
        assert isinstance(report, SinkReport), report
        assert not report.refused, report.refused
        self.report = report
