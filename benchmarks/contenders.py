"""Who is measured side by side on the same answers: the product, dlt with `dbt build`, and a floor written by hand.

With `CIVITAS_BENCHMARK_BEFORE=/path/of/a/checkout`, also the product as it is there, with the same packages.

Each is a process of its own; what counts is processor time of its whole tree, since a machine that others use says
nothing by its clock. Memory and bytes written are those of the tree as well, on file systems that lie on a disk.
"""

from __future__ import annotations

import compileall
import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import duckdb

from benchmarks.town import Figures
from civitas_assets.settings import PROJECT_DIR


@dataclass(frozen=True)
class Cost:
    """What a run has cost: CPU seconds, megabytes of memory at the peak, and megabytes written."""

    cpu_seconds: float
    peak_megabytes: float
    written_megabytes: float


_PREPARE = """
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.settings import Settings
prepare_project(Settings())
"""


class Contenders:
    """Each with its own files in a folder; the product stands as it does where it was installed."""

    def __init__(self, folder: Path, tenant: str, address: str, floor: str) -> None:
        self._folder, self._address, self._floor = folder, address, floor
        tenants = folder / "tenants"
        tenants.mkdir(parents=True)
        (tenants / "messstadt.yaml").write_text(tenant, encoding="utf-8")
        self._environment = {**os.environ, "CIVITAS_TENANTS_DIR": str(tenants), "DAGSTER_HOME": ""}
        self._checkouts = {"product": PROJECT_DIR}
        if before := os.environ.get("CIVITAS_BENCHMARK_BEFORE"):
            self._checkouts["before"] = Path(before)
        self._files = {}
        for name, checkout in self._checkouts.items():
            compileall.compile_dir(checkout / "civitas_assets", quiet=1)
            self._measure(name, "-c", _PREPARE)  # once per installation
            self._files[name] = self._home(name) / "published" / "messstadt" / "messstadt_db.duckdb"
        self._files |= {"dlt + dbt": folder / "dlt.duckdb", "floor": folder / "floor.duckdb"}
        if importlib.util.find_spec("dlt") is None:
            print("dlt is not installed, so it is not compared with: make install", file=sys.stderr)
            del self._files["dlt + dbt"]

    def night(self, first: str, last: str) -> Mapping[str, Cost]:
        """What these days cost each of them, one after the other; then all have the same rows and sums."""
        found = {}
        modules = {"dlt + dbt": "benchmarks.dlt_town_run", "floor": self._floor}
        for name, file in self._files.items():
            command = (
                ["civitas_assets.cli", "run", "--from", first, "--to", last]
                if name in self._checkouts
                else [modules[name], self._address, str(file), first, last]
            )
            found[name] = self._measure(name, "-m", *command)
        rows = {name: _content(file) for name, file in self._files.items()}
        assert len({*rows.values()}) == 1, rows
        return found

    def _home(self, name: str) -> Path:
        return self._folder / f"home of {name}"

    def _measure(self, name: str, *arguments: str) -> Cost:
        environment = {**self._environment, "CIVITAS_HOME": str(self._home(name))}
        return _measure(
            [sys.executable, *arguments],
            environment,
            self._checkouts.get(name, PROJECT_DIR),
            self._folder / "used.txt",
        )

    def bytes_per_observation(self) -> Figures:
        """How large the file is that each one has made."""
        return {
            f"bytes per observation: {name}": file.stat().st_size / _content(file)[0]
            for name, file in self._files.items()
        }


def compare(nights: Mapping[str, Sequence[Mapping[str, Cost]]]) -> Figures:
    """Medians by kind of night, and how many times the product each of the others costs."""
    figures: Figures = {}
    for kind, costs in nights.items():
        cpu = {name: median(cost[name].cpu_seconds for cost in costs) for name in costs[0]}
        for name, seconds in cpu.items():
            figures[f"{kind}: cpu_seconds of {name}"] = seconds
        figures[f"{kind}: ratio to floor"] = cpu["product"] / cpu["floor"]
        if "before" in cpu:
            figures[f"{kind}: ratio to before"] = median(
                cost["product"].cpu_seconds / cost["before"].cpu_seconds for cost in costs
            )
        if "dlt + dbt" in cpu:
            figures[f"{kind}: ahead of dlt + dbt"] = cpu["dlt + dbt"] / cpu["product"]
        for name in cpu:
            figures[f"{kind}: peak_megabytes of {name}"] = median(c[name].peak_megabytes for c in costs)
            figures[f"{kind}: written_megabytes of {name}"] = median(c[name].written_megabytes for c in costs)
    return figures


# A process begins with the peak of the one that has started it, so a small one does that.
_LAUNCHER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[2:])
_, status, used = os.wait4(process.pid, 0)
with open(sys.argv[1], "w") as said:
    said.write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024} {used.ru_oublock * 512 / 1e6}")
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


def _measure(command: Sequence[str], environment: Mapping[str, str], folder: Path, used: Path) -> Cost:
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(used)]
    done = subprocess.run(
        [*launcher, *command], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return Cost(*map(float, used.read_text().split()))


def _content(file: Path) -> tuple[int, float]:
    with duckdb.connect(str(file), read_only=True) as connection:
        found = connection.execute("select count(*), round(fsum(value), 2) from observation").fetchone()
    assert found
    return int(found[0]), float(found[1])
