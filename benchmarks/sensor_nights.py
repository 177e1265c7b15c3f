"""Nights of one tenant from the shell, side by side: a first load, new rows, nothing, a correction; and one large file.

What is measured of whom is in `contenders.py`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from benchmarks.contenders import Contenders, Cost, compare
from benchmarks.sensors import DAYS, NIGHT, OBSERVATIONS
from benchmarks.town import Figures
from testbed.serving import Request, serving

_FIRST = date(2026, 6, 1)
_NIGHTS = 3
ROWS = 5_000_000
_SENSORS = 1000  # of the large file, each with so many rows that all rows come
_HEAD = """
name: Messstadt
ags: "99000097"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
"""
_SERVICE = """  sensors:
    title: Sensors
    connector: sensorthings
    licence: CC0-1.0
    url: "{address}"
    http: {{requests_per_second: 200, parallel: 8}}
    slice: 124 days
    page_size: 10000
"""
_FILE = """  counters:
    title: Counters
    connector: csv
    licence: CC0-1.0
    url: "{address}"
    http: {{max_bytes: 2000000000, total_time: 1 h}}
    record_type: observation
    fields: {{datastream_id: id, value: count}}
    constants: {{station_id: "1", observed_property: traffic.bicycle_count, unit: "1"}}
    time: {{column: time, zone: offset, stamp: interval_start, interval: 15 min}}
"""


def sensor_nights(folder: Path) -> Figures:
    """979,200 observations, then nights of 28,800 new ones, of nothing new, and of one old value that is corrected."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sensors"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        root = f"http://127.0.0.1:{int(server.stdout.readline())}"
        address = f"{root}/v1.1"
        town = Contenders(
            folder, _HEAD + _SERVICE.format(address=address), address, "benchmarks.sensor_floor"
        )

        def night(days: int, corrected: int = 0, *, first: date | None = None) -> Mapping[str, Cost]:
            state = urllib.request.Request(f"{root}/state/{days}/{corrected}", data=b"", method="POST")
            with urllib.request.urlopen(state):
                last = _FIRST + timedelta(days=days - 1)
            return town.night(str(first or last - timedelta(days=1)), str(last))

        nights = {"first load": [night(DAYS, first=_FIRST)]}
        for number in range(1, _NIGHTS + 1):
            for name, corrected in (("new rows", 0), ("nothing new", 0), ("one corrected", 1)):
                nights.setdefault(name, []).append(night(DAYS + number, corrected))
        server.stdin.close()
    sizes: Figures = {"observations": float(OBSERVATIONS), "new in a night": float(NIGHT)}
    return {**sizes, **compare(nights), **town.bytes_per_observation()}


def large_csv(folder: Path, rows: int = ROWS) -> Figures:
    """One file with all observations of some months, from its address to the tables."""
    folder.mkdir(parents=True, exist_ok=True)
    last = _write(folder / "counters.csv", rows)
    with _serving(folder / "counters.csv") as address:
        tenant = _HEAD + _FILE.format(address=address)
        town = Contenders(folder, tenant, address, "benchmarks.csv_floor")
        nights = {"first load": [town.night(str(_FIRST), str(last))]}
        size = (folder / "counters.csv").stat().st_size
    return {
        "observations": float(rows),
        "megabytes of the file": size / 1e6,
        **compare(nights),
        **town.bytes_per_observation(),
    }


def _write(file: Path, rows: int) -> date:
    """The file, a sensor after the other at each time; the last day in it."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    number = pl.int_range(rows)
    frame = pl.select(
        time=(pl.lit(start) + pl.duration(minutes=number // _SENSORS * 15)).dt.strftime(
            "%Y-%m-%dT%H:%M:%S+00:00"
        ),
        id=pl.lit("zaehlstelle-") + (number % _SENSORS).cast(pl.String),
        count=number * 7 % 97,
    )
    frame.write_csv(file)
    return (start + timedelta(minutes=15 * (rows // _SENSORS))).date()


@contextmanager
def _serving(file: Path) -> Iterator[str]:
    def give_file(request: Request) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(file.stat().st_size))
        request.end_headers()
        with file.open("rb") as body:
            shutil.copyfileobj(body, request.wfile)

    with serving(give_file) as port:
        yield f"http://127.0.0.1:{port}/{file.name}"
