"""Many tenants in one installation: what their code location takes, and what their quiet night does.

The towns, and how their code location is asked, are in `testbed/towns.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.town import Figures
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.settings import Settings
from testbed.deployed import code_server, deployed, launch, run_ended
from testbed.history import history
from testbed.serving import Request, answer, serving
from testbed.towns import Location, environment_of, write_towns

TENANTS = 500


def code_location_of_500_tenants(folder: Path, size: int = TENANTS) -> Figures:
    """The code location from its start, what it answers, and what schedules and sensors take.

    It is started twice: the first one makes tenants of their files, the second one finds what was made of them.
    """
    write_towns(folder / "tenants", size)
    prepare_project(Settings(home=folder / "home"))  # once per installation
    with ExitStack() as held:
        kept = held.enter_context(history(folder / "dagster"))
        with code_server(environment_of(folder)) as server:
            new, _ = server.used()
        server = held.enter_context(code_server(environment_of(folder)))
        location = Location(server, kept.instance)
        begun = time.perf_counter()
        answer = location.definitions()
        cpu, _ = server.used()
        figures = {
            "cpu_seconds until it is loaded": cpu,
            "cpu_seconds of all files that are new": new,
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
        answer(request, body.encode(), 200, **({"ETag": tag} if int(number) % 2 else {}))

    with serving(give_rows) as port:
        yield port
