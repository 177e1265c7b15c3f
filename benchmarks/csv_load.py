"""One CSV of many rows from the shell, fetched, read, harmonised and published, against a floor written by hand.

Called as `python -m benchmarks.csv_load PORT FILE` it is the floor: what the same answer costs at least.
"""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import httpx2

from benchmarks.town import Figures
from civitas_assets.harmonise.prepare import prepare
from civitas_assets.settings import Settings

_STREAMS = 500
_START = datetime(2025, 1, 1, tzinfo=UTC)
_PROPERTIES = (("air temperature", "Cel"), ("relative humidity", "%"), ("PM10", "ug/m3"))
_TENANT = """
name: Messstadt
ags: "99000097"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  table:
    title: Table
    connector: csv
    licence: CC0-1.0
    url: "http://127.0.0.1:{port}/observations.csv"
    http: {{max_bytes: 4000000000, total_time: 1 h, fetch_time: 1 h}}
    record_type: observation
    time: {{column: observed_at, format: "%Y-%m-%d %H:%M:%S", zone: utc}}
    fields:
      station_id: station
      datastream_id: stream
      observed_property: property
      unit: unit
      value: value
"""

# What a process starts with is counted as its peak as well, so that its parent should be small.
_MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def write_table(file: Path, rows: int) -> None:
    """So many values, datastream by datastream, a quarter of an hour apart: 64 bytes a row."""
    query = f"""
        select
            'Station ' || stream // 10 as station,
            'Sensor-' || lpad(stream::varchar, 6, '0') as stream,
            strftime(timestamp '{_START:%Y-%m-%d}' + to_minutes(15 * step), '%Y-%m-%d %H:%M:%S') as observed_at,
            {[name for name, _ in _PROPERTIES]}[1 + stream % 3] as property,
            {[unit for _, unit in _PROPERTIES]}[1 + stream % 3] as unit,
            round((step * (stream % 7 + 3) % 250) / 10 + 5, 2) as value
        from range({_STREAMS}) as streams (stream), range({rows // _STREAMS}) as steps (step)
        order by all
    """  # noqa: S608
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        connection.execute(f"copy ({query}) to '{file}' (header)")


@contextmanager
def _served(file: Path) -> Iterator[int]:
    """The port of a server that answers everything with the file."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/csv")
            self.send_header("Content-Length", str(file.stat().st_size))
            self.end_headers()
            with file.open("rb") as body:
                shutil.copyfileobj(body, self.wfile, 1 << 20)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def csv_load(folder: Path, rows: int = 1_000_000) -> Figures:
    """Processor seconds and peak memory of `civitas run` and of the floor."""
    table, tenants = folder / "observations.csv", folder / "tenants"
    tenants.mkdir(parents=True)
    write_table(table, rows)
    environment = {
        **os.environ,
        "CIVITAS_HOME": str(folder / "home"),
        "CIVITAS_TENANTS_DIR": str(tenants),
        "DAGSTER_HOME": "",
    }
    prepare(Settings(home=folder / "home"))  # once per installation
    with _served(table) as port:
        (tenants / "messstadt.yaml").write_text(_TENANT.format(port=port), encoding="utf-8")
        product = measured([sys.executable, "-m", "civitas_assets.cli", "run"], environment)
        file = folder / "floor.duckdb"
        floor = measured([sys.executable, "-m", "benchmarks.csv_load", str(port), str(file)], environment)
    published = folder / "home" / "published" / "messstadt" / "messstadt_db.duckdb"
    found = []
    for database in (published, folder / "floor.duckdb"):
        with duckdb.connect(str(database), read_only=True) as connection:
            found.append(connection.execute("select count(*), round(sum(value)) from observation").fetchone())
    assert found[0] == found[1], found
    return {
        "rows": float(rows),
        "input_mb": table.stat().st_size / 1e6,
        "cpu_seconds": product[0],
        "floor": floor[0],
        "ratio": product[0] / floor[0],
        "peak_mb of the run": product[1],
        "peak_mb of the floor": floor[1],
    }


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Processor seconds and peak memory in MB of a command, as a small process sees it that starts nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-1500:]}")
    seconds, peak = done.stdout.splitlines()[-1].split()
    return float(seconds), float(peak)


def floor(port: int, file: Path) -> None:
    """The answer kept as a file, and brought into one table in the order of the published one; nothing is checked."""
    landed = file.with_suffix(".csv")
    with (
        httpx2.Client(timeout=600) as client,
        client.stream("GET", f"http://127.0.0.1:{port}/observations.csv") as reply,
        landed.open("wb") as body,
    ):
        for piece in reply.iter_raw():
            body.write(piece)
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'UTC'; set memory_limit = '1GB'")
        connection.execute(
            "create table observation as select *, observed_at::date as day from read_csv(?, columns = {"
            "station: 'varchar', stream: 'varchar', observed_at: 'timestamptz', property: 'varchar', unit: 'varchar', "
            "value: 'double'}) order by day, observed_at, stream",
            [str(landed)],
        )


if __name__ == "__main__":
    floor(int(sys.argv[1]), Path(sys.argv[2]))
