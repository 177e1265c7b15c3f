"""Nights of one tenant from the shell, against a floor written by hand: a first load, new rows, nothing, a correction.

Every night is `civitas run`, and right after it the floor on the same answers; what counts is processor time of the
whole process tree, since a machine that others use says nothing by its clock.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import urllib.request
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import duckdb

from benchmarks.sensors import DAYS, NIGHT, OBSERVATIONS
from benchmarks.town import Figures
from civitas_assets.harmonise.prepare import prepare
from civitas_assets.settings import Settings

_FIRST = date(2026, 6, 1)
_NIGHTS = 3
_TENANT = """
name: Messstadt
ags: "99000097"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  sensors:
    title: Sensors
    connector: sensorthings
    licence: CC0-1.0
    url: "http://127.0.0.1:{port}/v1.1"
    http: {{requests_per_second: 200, parallel: 8}}
    slice: 124 days
    page_size: 10000
"""


class _Town:
    """The tenant and the floor's file, and what both cost."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port
        tenants = folder / "tenants"
        tenants.mkdir(parents=True)
        (tenants / "messstadt.yaml").write_text(_TENANT.format(port=port), encoding="utf-8")
        self._environment = {
            **os.environ,
            "CIVITAS_HOME": str(folder / "home"),
            "CIVITAS_TENANTS_DIR": str(tenants),
            "DAGSTER_HOME": "",
        }
        prepare(Settings(home=folder / "home"))  # once per installation

    def night(self, days: int, corrected: int = 0, *, first: date | None = None) -> tuple[float, float]:
        """Processor seconds of the product and of the floor, of a night that asks for the last two days."""
        state = f"http://127.0.0.1:{self._port}/state/{days}/{corrected}"
        with urllib.request.urlopen(urllib.request.Request(state, data=b"", method="POST")):
            last = _FIRST + timedelta(days=days - 1)
        begin = first or last - timedelta(days=1)
        product = ["civitas_assets.cli", "run", "--from", str(begin), "--to", str(last)]
        floor = [
            "benchmarks.sensor_floor",
            str(self._port),
            str(self._folder / "floor.duckdb"),
            str(begin),
            str(last),
        ]
        found = self._cpu(product), self._cpu(floor)
        self._compare()
        return found

    def _cpu(self, arguments: list[str]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", *arguments], env=self._environment, check=True, capture_output=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def _compare(self) -> None:
        """Both have the same rows and sums."""
        published = self._folder / "home" / "published" / "messstadt" / "messstadt_db.duckdb"
        found = []
        for file in (published, self._folder / "floor.duckdb"):
            with duckdb.connect(str(file), read_only=True) as connection:
                found.append(
                    connection.execute("select count(*), round(sum(value), 1) from observation").fetchone()
                )
        assert found[0] == found[1], found


def sensor_nights(folder: Path) -> Figures:
    """979,200 observations, then nights of 28,800 new ones, of nothing new, and of one old value that is corrected."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sensors"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        town = _Town(folder, int(server.stdout.readline()))
        rows: dict[str, list[tuple[float, float]]] = {"first load": [town.night(DAYS, first=_FIRST)]}
        for number in range(1, _NIGHTS + 1):
            for name, corrected in (("new rows", 0), ("nothing new", 0), ("one corrected", 1)):
                rows.setdefault(name, []).append(town.night(DAYS + number, corrected))
        server.stdin.close()
    figures: Figures = {"observations": float(OBSERVATIONS), "new in a night": float(NIGHT)}
    for name, measured in rows.items():
        product, floor = (median(column) for column in zip(*measured, strict=True))
        figures |= {
            f"{name}: cpu_seconds": product,
            f"{name}: floor": floor,
            f"{name}: ratio": product / floor,
        }
    return figures
