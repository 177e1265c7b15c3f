"""A night of many tenants through Dagster's own queue: code location, daemon and a process for each run, as deployed.

Sources answer on loopback, so what is measured is everything but the network.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from benchmarks.town import Figures
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.settings import Settings
from testbed.deployed import deployed, launch, run_ended
from testbed.history import History, history
from testbed.serving import Request, answer, serving

TENANTS = 100
SENSORS, TIMES = 125, 80  # 10,000 observations of one day
_DAY = datetime(2026, 7, 30, 1, tzinfo=UTC)
_TENANT = """
name: Stadt {number}
ags: "99{number:06d}"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  counters:
    title: Counters
    connector: csv
    licence: CC0-1.0
    url: "http://127.0.0.1:{port}/{number}.csv"
    http: {{requests_per_second: 200}}
    record_type: observation
    fields: {{datastream_id: id, value: count}}
    constants: {{station_id: "1", observed_property: traffic.bicycle_count, unit: "1"}}
    time: {{column: time, zone: offset, stamp: interval_start, interval: 15 min}}
"""


@contextmanager
def _sources() -> Iterator[int]:
    """The port of a server that gives each tenant a file of its own."""
    times = [(_DAY + timedelta(minutes=15 * step)).isoformat() for step in range(TIMES)]

    def give_counters(request: Request) -> None:
        number = int(request.path.strip("/").removesuffix(".csv"))
        rows = [f"{at},{id_},{(number + id_) % 97}" for id_ in range(SENSORS) for at in times]
        answer(request, "\n".join(["time,id,count", *rows]).encode())

    with serving(give_counters) as port:
        yield port


def night_of_tenants(folder: Path, size: int = TENANTS) -> Figures:
    """Every tenant has 10,000 new observations; from the first run's submission to the last one's end."""
    tenants, home = folder / "tenants", folder / "home"
    tenants.mkdir(parents=True)
    with _sources() as port, history(folder / "dagster") as kept:
        for number in range(1, size + 1):
            (tenants / f"stadt{number:03d}.yaml").write_text(
                _TENANT.format(number=number, port=port), encoding="utf-8"
            )
        environment = {
            **os.environ,
            "CIVITAS_HOME": str(home),
            "CIVITAS_TENANTS_DIR": str(tenants),
            "DAGSTER_HOME": str(kept.home),
        }
        prepare_project(Settings(home=home))  # once per installation
        before, told = kept.size(), datetime.now(UTC)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        with deployed(environment) as server:
            launch("nightly_batch", server.environment)
            run = run_ended(kept, "nightly_batch", told, 120 + 60 * size)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = used.ru_utime + used.ru_stime - spent.ru_utime - spent.ru_stime
        return {
            "cpu_seconds of all processes": cpu,
            "cpu_seconds per tenant": cpu / size,
            **_figures(kept, run, size, kept.size() - before),
        }


def _figures(kept: History, run: dg.RunRecord, size: int, grown: int) -> Figures:
    """How long the run took, and what its history takes."""
    entries = kept.instance.all_logs(run.dagster_run.run_id)
    moments = {entry.dagster_event_type: entry.timestamp for entry in reversed(entries)}
    started = moments[dg.DagsterEventType.RUN_STARTING]
    made = [entry.asset_materialization for entry in entries if entry.asset_materialization]
    kept_rows = 0
    for one in made:
        if one.asset_key.path == ["records", "observation"]:
            kept_rows += int(str(one.metadata["new"].value).replace(",", ""))  # as the UI shows it
    published = {one.partition for one in made if one.asset_key.path[0] == "published"}
    assert kept_rows == size * SENSORS * TIMES, f"{kept_rows} observations are new"
    assert len(published) == size, f"{len(published)} tenants are published"
    return {
        "seconds": (run.end_time or 0.0) - run.create_timestamp.timestamp(),
        "tenants": float(size),
        "seconds until the run begins": moments[dg.DagsterEventType.RUN_START] - started,
        "events per tenant": len(entries) / size,
        "history_kb per tenant": grown / size / 1000,
    }
