"""Making and testing the shared models of a workspace: the plan's statements, in DuckDB.

dbt has compiled them when the project was prepared; a run neither needs nor imports it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

import duckdb

from civitas_assets.errors import HarmoniseError
from civitas_assets.harmonise.plan import Node, Plan, PlannedModel, PlannedTest
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.workspace import Workspace, read_content
from civitas_assets.settings import Limits
from civitas_assets.store.space import explain_full_disk

log = logging.getLogger("civitas_assets.harmonise")


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test; `failures` counts the rows that broke a test.

    `status` is dbt's word: success, error or skipped of a model; pass, warn, fail, error or skipped of a test. `rows`
    are those that a model has got.
    """

    unique_id: str
    name: str
    kind: str
    status: str
    seconds: float = 0.0
    failures: int = 0
    message: str = ""
    rows: int = 0

    @property
    def ok(self) -> bool:
        """Whether the node did what it should."""
        return self.status in {"success", "pass"}


def merge_results(before: Sequence[NodeResult], after: Sequence[NodeResult]) -> Sequence[NodeResult]:
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


def build_models(
    project: Project, workspace: Workspace, label: str, *, limits: Limits
) -> Sequence[NodeResult]:
    """Make and test the models that the workspace has records for; `label` begins the lines of the log.

    All others are there, empty, and their tests have nothing to find.

    Raises:
        HarmoniseError: a model could not be made or a test not be asked; failed tests are results, not errors.
    """
    started = time.monotonic()
    try:
        with workspace.open(limits) as connection:
            wanted = frozenset(project.select_nodes(*read_content(connection)))
            results = run_nodes(project.plan, connection, wanted, label)
            connection.execute("checkpoint")  # whoever keeps it open closes it without a word
    except duckdb.Error as error:  # of the last write
        if told := explain_full_disk(workspace.folder, error):
            raise _no_room(workspace, told) from error
        raise
    if broken := [result for result in results if result.status == "error"]:
        for result in broken:
            if told := explain_full_disk(workspace.folder, duckdb.Error(result.message)):
                raise _no_room(workspace, told)
        files = {node.unique_id: project.prepared / node.file for node in project.plan.nodes}
        raise HarmoniseError(
            "; ".join(
                f"{r.kind} {r.name} ({files[r.unique_id]}): {' '.join(r.message.split())}" for r in broken
            )
        )
    log.info("%s · harmonise · done: %d nodes in %.1f s", label, len(results), time.monotonic() - started)
    return results


def _no_room(workspace: Workspace, told: str) -> HarmoniseError:
    workspace.remove()  # what is not complete is not worth its room
    return HarmoniseError(f"the shared models could not be made: {told}")


def run_nodes(
    plan: Plan, connection: duckdb.DuckDBPyConnection, wanted: Container[str], label: str
) -> Sequence[NodeResult]:
    """Make and test the wanted nodes, by unique id, in the plan's order.

    What builds on a model that could not be made, or that broke a test of severity error, is skipped.
    """
    results = list[NodeResult]()
    unwell = set[str]()  # and what builds on it, also by way of what is not wanted
    for node in plan.nodes:
        skipped = not unwell.isdisjoint(node.after)
        if skipped:
            unwell.add(node.unique_id)
        if node.unique_id not in wanted:
            continue
        if skipped:
            results.append(NodeResult(node.unique_id, node.name, node.kind, "skipped"))
            continue
        result = _run(connection, node)
        results.append(result)
        if result.status in {"error", "fail"}:
            unwell.add(node.unique_id)
        if isinstance(node, PlannedModel) and node.shared:
            log.info("%s · harmonise · %s · %s", label, node.name, result.status)
    return results


def _run(connection: duckdb.DuckDBPyConnection, node: Node) -> NodeResult:
    started = time.monotonic()
    status, failures, message, rows = "success", 0, "", 0
    try:
        if isinstance(node, PlannedModel):
            rows = _fill(connection, node)
        else:
            status, failures, message = _ask(connection, node)
    except duckdb.Error as error:
        status, message = "error", str(error)
    seconds = time.monotonic() - started
    return NodeResult(node.unique_id, node.name, node.kind, status, seconds, failures, message, rows)


def _fill(connection: duckdb.DuckDBPyConnection, model: PlannedModel) -> int:
    """Fill the table anew, and say with how many rows.

    It is there, empty, as the contract says; so names and types agree, and null is refused.
    """
    connection.execute(f"truncate {model.relation}")
    row = connection.execute(f"insert into {model.relation} by name\n{model.sql}").fetchone()
    return int(row[0]) if row else 0


def _ask(connection: duckdb.DuckDBPyConnection, test: PlannedTest) -> tuple[str, int, str]:
    """Status, failures and message of a test, as dbt says them."""
    row = connection.execute(test.query()).fetchone()
    failures, should_warn, should_error = row or (0, False, False)
    count = f"Got {failures} result{'' if failures == 1 else 's'}, configured to"
    if test.severity == "ERROR" and should_error:
        return "fail", int(failures), f"{count} fail if {test.error_if}"
    if should_warn:
        return "warn", int(failures), f"{count} warn if {test.warn_if}"
    return "pass", 0, ""
