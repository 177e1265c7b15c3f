"""The scenarios of the command line: how soon it answers, for its help and for the overview of many tenants.

Runs from the shell are measured in `scenarios.py`.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.town import Figures
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.summary import SourceSummary, SummaryStore, TenantSummary

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
    return _best(["--help"], folder)


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
    return {**_best(["status"], folder), "files": float(TENANTS * SOURCES * BODIES)}


def _best(arguments: list[str], folder: Path) -> Figures:
    environment = {
        **os.environ,
        "CIVITAS_HOME": str(folder / "home"),
        "CIVITAS_TENANTS_DIR": str(folder / "tenants"),
    }
    command, found = [sys.executable, "-m", "civitas_assets.cli", *arguments], list[tuple[float, float]]()
    for _ in range(_TRIES):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found.append((time.perf_counter() - started, used))
    return {"seconds": min(s for s, _ in found), "cpu_seconds": min(used for _, used in found)}
