"""The scenarios of the command line: how soon it answers, for its help, a query, and the overview of many tenants.

Runs from the shell are measured in `scenarios.py`.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.town import Figures
from civitas_assets.settings import Settings
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.summary import SourceSummary, SummaryStore, TenantSummary
from testbed.output_file import write_output

TENANTS, SOURCES, BODIES = 200, 5, 60
_TRIES = 5
_SOURCE = """
  source_{number}:
    title: Radzählstellen {number}
    connector: csv
    licence: dl-de/by-2-0
    attribution: Stadt
    url: "https://data.musterstadt.example/{{counter}}/{{month:%Y-%m}}.csv"
    each: {{counter: ["100", "200", "300", "400"]}}
    look_back: 60 days
    record_type: observation
    fields: {{value: Anzahl}}
    time: {{column: Zeit, zone: local_wall, fold: by_order, stamp: interval_start, interval: 1 hour}}
    constants: {{datastream_id: "{{counter}}", observed_property: traffic.bicycle_count, unit: "1"}}
"""


def help_of_the_command(folder: Path) -> Figures:
    """`civitas --help`, the best of some tries."""
    return _best({"": _civitas("--help")}, folder)


def start_of_a_query(folder: Path) -> Figures:
    """`civitas query` of a town's tables, beside the same question to DuckDB alone, and to the build before."""
    settings = Settings(home=folder / "home", tenants_dir=folder / "tenants")
    file, asked = write_output(settings, "town"), "select count(*) from station"
    floor = f"import duckdb; print(duckdb.connect({str(file)!r}, read_only=True).sql({asked!r}))"
    before = os.environ.get("CIVITAS_BENCHMARK_BEFORE", "")
    builds = {"": _civitas("query", "town", asked), "floor: ": [sys.executable, "-c", floor]}
    if before:
        builds["before: "] = [f"{before}/.venv/bin/civitas", *builds[""][1:]]
    return _best(builds, folder)


def status_of_200_tenants(folder: Path) -> Figures:
    """`civitas status` for tenants with landings, records and summaries as years of nights leave them."""
    home, tenants = folder / "home", folder / "tenants"
    tenants.mkdir(parents=True)
    files, now = LocalFiles(home), datetime.now(UTC)
    for number in range(TENANTS):
        slug = f"town_{number:03d}"
        head = f'name: Town {number}\nags: "05515000"\nbbox: [7.4, 51.8, 7.8, 52.1]\nsources:'
        text = head + "".join(_SOURCE.format(number=source) for source in range(SOURCES))
        (tenants / f"{slug}.yaml").write_text(text, encoding="utf-8")
        known = SourceSummary(
            asked_at=now, answered_at=now, brought_at=now, landing_bytes=10**7, rejected=number
        )
        whole = TenantSummary({f"source_{source}": known for source in range(SOURCES)}, 10**8, now, 10**8)
        SummaryStore(files, slug).change(lambda _, whole=whole: whole)  # type: ignore[misc]
        for source in range(SOURCES):
            bodies = home / "landing" / slug / f"source_{source}" / "bodies"
            bodies.mkdir(parents=True)
            for body in range(BODIES):
                (bodies / f"{body:064x}.zst").write_bytes(b"body")
    return {**_best({"": _civitas("status")}, folder), "files": float(TENANTS * SOURCES * BODIES)}


def _civitas(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("civitas")), *arguments]


def _best(commands: Mapping[str, Sequence[str]], folder: Path) -> Figures:
    """The best of some tries of each command; they take turns, so that a busy machine slows all of them."""
    environment = {
        **os.environ,
        "CIVITAS_HOME": str(folder / "home"),
        "CIVITAS_TENANTS_DIR": str(folder / "tenants"),
    }
    found: dict[str, list[tuple[float, float]]] = {whose: [] for whose in commands}
    for _ in range(_TRIES):
        for whose, command in commands.items():
            before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run(command, env=environment, check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            found[whose].append((time.perf_counter() - started, used))
    return {
        f"{whose}{name}": min(one[place] for one in tries)
        for whose, tries in found.items()
        for place, name in enumerate(("seconds", "cpu_seconds"))
    }
