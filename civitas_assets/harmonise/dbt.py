"""Running dbt in this process, on the prepared manifest, in one workspace.

dbt is imported only when there is something to harmonise.
"""

from __future__ import annotations

import gc
import importlib
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from civitas_assets.errors import HarmoniseError
from civitas_assets.harmonise.invocation import arguments
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.workspace import Workspace

log = logging.getLogger("civitas_assets.harmonise")

_PARSED = "target/partial_parse.msgpack"
_WANTED = "wanted_in_this_run"
_PATIENCE = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)  # seconds


@dataclass(frozen=True)
class NodeResult:
    """What became of one model, seed or test; `failures` counts the rows that broke a test."""

    unique_id: str
    name: str
    kind: str
    status: str
    seconds: float
    failures: int
    message: str

    @property
    def ok(self) -> bool:
        """Whether the node did what it should."""
        return self.status in {"success", "pass"}


def together(before: Sequence[NodeResult], after: Sequence[NodeResult]) -> Sequence[NodeResult]:
    """What became of each node in two builds, of two portions: the worse of both."""
    known = {result.unique_id: result for result in before}
    return [
        replace(
            result if known.get(result.unique_id, result).ok else known[result.unique_id],
            seconds=known[result.unique_id].seconds + result.seconds,
            failures=known[result.unique_id].failures + result.failures,
        )
        if result.unique_id in known
        else result
        for result in after
    ]


def preload() -> None:
    """Start importing dbt, which takes seconds, beside whatever the caller does next."""
    threading.Thread(target=importlib.import_module, args=("dbt.cli.main",), daemon=True).start()


def build(project: Project, workspace: Workspace, label: str) -> Sequence[NodeResult]:
    """Make and test the models that the workspace has records for; `label` begins the lines of the log.

    All others are there, empty, and their tests have nothing to find.

    Raises:
        HarmoniseError: a model or seed could not be made; failed tests are results, not errors.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    started = time.monotonic()
    manifest = Manifest.from_msgpack((project.prepared / _PARSED).read_bytes())
    # dbt takes a tenth of a second for each name that is selected, but no time for a tag.
    for unique_id in project.nodes_of(workspace.record_types(), workspace.occasions()):
        manifest.nodes[unique_id].tags.append(_WANTED)
    selection = ["--select", f"tag:{_WANTED}", "--indirect-selection", "empty"]
    command = arguments("build", project.folder, workspace.folder, selection)
    command += ["--quiet", "--log-level", "none", "--no-write-json", "--no-partial-parse"]
    try:
        outcome: Any = dbtRunner(manifest=manifest, callbacks=[partial(_show_progress, label)]).invoke(
            command
        )
    finally:
        # dbt keeps the database open in this process, and publishing could not attach it. Its own way of closing only
        # forgets the environment, which may then live on in whatever still knows it.
        environment = DuckDBConnectionManager._ENV
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        if environment is not None:
            environment.close()
        _let_go(workspace.database)
    if outcome.exception is not None:
        raise HarmoniseError(f"dbt stopped: {outcome.exception}")
    results = [_result(result) for result in outcome.result.results]
    broken = [r for r in results if r.kind != "test" and not r.ok and r.status != "skipped"]
    broken += [r for r in results if r.kind == "test" and r.status == "error"]
    if broken:
        raise HarmoniseError("; ".join(f"{r.name}: {' '.join(r.message.split())}" for r in broken))
    log.info("%s · harmonise · done: %d nodes in %.1f s", label, len(results), time.monotonic() - started)
    return results


def _let_go(database: Path) -> None:
    """Wait until the database is free for others: a thread of dbt may be about to close it, or a cycle of objects.

    Raises:
        HarmoniseError: it is not free after seconds.
    """
    fault: duckdb.Error | None = None
    for pause in _PATIENCE:
        try:
            duckdb.connect(str(database), read_only=True).close()
        except duckdb.Error as error:
            fault = error
            gc.collect()
            time.sleep(pause)
        else:
            return
    raise HarmoniseError(f"dbt has not let go of {database}, run it again: {fault}") from fault


def _result(result: Any) -> NodeResult:
    return NodeResult(
        unique_id=result.node.unique_id,
        name=result.node.name,
        kind=str(result.node.resource_type),
        status=str(result.status),
        seconds=float(result.execution_time),
        failures=int(result.failures or 0),
        message=str(result.message or ""),
    )


def _show_progress(label: str, event: Any) -> None:
    if event.info.name == "NodeFinished":
        node = event.data.node_info
        if node.resource_type == "model" and node.node_path.startswith("shared/"):
            log.info("%s · harmonise · %s · %s", label, node.node_name, node.node_status)
