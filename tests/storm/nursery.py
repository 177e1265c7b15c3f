"""Runs of a town, each in a process of its own that may be killed: forked from one that has only imported.

`python nursery.py` reads a JSON line for each run from its input: `home`, `tenants`, `prepared`, `now`, `run_id`, maybe
`storage` and `postgres`, and `hit`, what happens to it at which point. It answers the run's process id; a line
`{"wait": pid}` asks for how it ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import obstore.store  # noqa: F401 - loaded once, for all runs

import civitas_assets.publish.postgres.postgres
import civitas_assets.store.objects  # noqa: F401
from civitas_assets.catalog import load_catalog
from civitas_assets.connectors.registry import CONNECTORS, SOURCE_MODELS
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.turn import Turn
from civitas_assets.pipeline.turn_scope import Scope
from civitas_assets.pipeline.work import Work
from civitas_assets.settings import Settings
from civitas_assets.store import leases
from civitas_assets.store.record_archive import archive_records
from civitas_assets.store.retention import apply_retention
from civitas_assets.store.storage import make_storage

SLUG = "stadt"
# What a run does to files, as the interpreter tells it just before.
_WRITES = frozenset({"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"})


def watch(home: str, hit: dict[str, Any]) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that sends this process a signal at the n-th event whose kind and path match."""
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in _WRITES and event != "open":
            return
        path = next((str(a) for a in reversed(arguments[:2]) if isinstance(a, str | os.PathLike)), "")
        if event == "open":
            path = str(arguments[0])
            mode = arguments[1] if len(arguments) > 1 else None
            opens = isinstance(mode, str) and mode[:1] in {"w", "a", "x"}
            if not (hit.get("opens") and hit["at"] in path) and not opens:
                return
        if not path.startswith(home) or hit.get("at", "") not in path:
            return
        seen += 1
        if seen == hit["nth"]:
            os.kill(os.getpid(), getattr(signal, hit["signal"]))

    return hook


def run(order: dict[str, Any]) -> int:
    """One run; 0 where nothing failed."""
    now = datetime.fromisoformat(order["now"])
    settings = Settings(
        home=Path(order["home"]),
        tenants_dir=Path(order["tenants"]),
        workers=0,
        threads=1,
        storage_url=order.get("storage", ""),
        postgres_url=order.get("postgres"),
    )
    deployment = Deployment(
        load_catalog(settings.tenants_dir, SOURCE_MODELS),
        settings,
        prepare_project(Settings(home=Path(order["prepared"]))),
        now=lambda: now,
    )
    # As if the machine had slept for so many seconds, once that is written there.
    slept = settings.home / "slept"
    leases.read_elapsed = lambda: time.monotonic() + (float(slept.read_text()) if slept.exists() else 0.0)
    hit = order.get("hit") or {}
    if "cpu" in hit:
        signal.setitimer(signal.ITIMER_PROF, hit["cpu"])  # at the end of which the system ends the process
    elif hit:
        sys.addaudithook(watch(order["home"], hit))
    scope = Scope(rebuild=order.get("rebuild", False) or order.get("anew", False))
    work = Work(deployment, deployment.catalog.get_tenant(SLUG), scope, order["run_id"], lock_timeout=60.0)
    if order.get("retention"):
        with work.hold_lock():
            apply_retention(work.tenant, work.stores, now)
        return 0
    if order.get("anew"):
        with make_storage(settings).hold(SLUG, 60.0):
            archive_records(make_storage(settings).files, SLUG)
    turn = Turn(work)
    for _ in turn.take(deployment.make_http_client):
        pass
    for error in turn.said.errors:
        sys.stderr.write(f"{order['run_id']} {error}\n")
    return 1 if turn.said.errors else 0


def answer(number: int) -> None:
    """Say a number to whoever has asked."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def serve() -> None:
    """Fork a process for each run that is asked for."""
    assert CONNECTORS
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            answer(os.waitstatus_to_exitcode(status))
            continue
        pid = os.fork()
        if pid == 0:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(2, 1)
            try:
                code = run(order)
            except BaseException:  # noqa: BLE001 - the process ends here, and says why
                traceback.print_exc()
                code = 2
            os._exit(code)
        answer(pid)


if __name__ == "__main__":
    serve()
