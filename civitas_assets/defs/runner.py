"""The nightly job from the shell: the same steps as in the UI, in this process, recorded in the same instance.

Dagster's own output is kept quiet; progress comes from the package's log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from civitas_assets.catalog import Window
from civitas_assets.defs.asset_checks import list_check_faults, read_outcomes
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.published import published_key
from civitas_assets.defs.report import WELL, report_to_operator
from civitas_assets.defs.scope import Days, RunScope
from civitas_assets.defs.shell import run_turn
from civitas_assets.defs.turn import Said
from civitas_assets.defs.work import Result, Work
from civitas_assets.errors import Fault


@dataclass(frozen=True)
class Outcome:
    """What a run did for one tenant; `errors` is empty only if every source and every blocking test was fine."""

    tenant: str
    run_id: str
    sources: int
    requests: int
    not_modified: int
    payloads: int
    new: int
    changed: int
    rejected: int
    days: int
    rows: int
    path: str
    errors: Sequence[str]
    warnings: Sequence[str]

    @property
    def ok(self) -> bool:
        """Whether nothing failed; rejected rows are warnings."""
        return not self.errors


@dataclass(frozen=True)
class Order:
    """What a run shall do: days and sources as in `RunScope`, whether to fetch at all, and whether to start anew."""

    window: Window | None = None
    sources: tuple[str, ...] = ()
    fetch: bool = True
    rebuild: bool = False


def run_tenant(deployment: Deployment, instance: dg.DagsterInstance, tenant: str, order: Order) -> Outcome:
    """Run the nightly job for one tenant and say what it did."""
    known, window = deployment.catalog.get_tenant(tenant), order.window
    days = Days.model_validate(
        {"from": window.first.isoformat(), "to": window.last.isoformat()} if window else {}
    )
    scope = RunScope(days=days, sources=list(order.sources), rebuild=order.rebuild)
    run_id, turn = run_turn(
        lambda run_id: Work(deployment, known, scope, run_id),
        deployment.make_http_client if order.fetch else None,
        instance,
        known.slug,
    )
    report_to_operator(deployment)
    found = _Materialisations(turn.said.results)
    errors, warnings = _verdicts(turn.said)
    errors = [*_file_errors(known.faults, "its last state without faults holds"), *errors]
    published = published_key(known.destination)
    for name in found.metadata.get(published, {}).get("unfilled", ()):
        warnings.append(
            f"{name} is new and empty on the days before; `civitas rebuild {tenant}` fills them from the records"
        )
    return Outcome(
        tenant=tenant,
        run_id=run_id,
        sources=found.total("sources", "landing"),
        requests=found.total("requests", "landing"),
        not_modified=found.total("not_modified", "landing"),
        payloads=found.total("new_payloads", "landing"),
        new=found.total("new", "records"),
        changed=found.total("changed", "records"),
        rejected=found.total("rejected", "records"),
        days=found.total("days", "published"),
        rows=found.total("rows", "published"),
        path=str(found.metadata.get(published, {}).get("path", "")),
        errors=errors,
        warnings=warnings,
    )


def build_file_outcome(tenant: str, faults: Sequence[Fault]) -> Outcome:
    """What there is to say of a tenant for whom nothing runs, because its file has faults."""
    nothing = (0, 0, 0, 0, 0, 0, 0, 0, 0)
    return Outcome(tenant, "", *nothing, "", _file_errors(faults, "it is left out"), [])


def _file_errors(faults: Sequence[Fault], meanwhile: str) -> list[str]:
    return [f"{fault}; until it is mended, {meanwhile}" for fault in faults]


class _Materialisations:
    """The metadata of what a run has materialised."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.metadata: Mapping[dg.AssetKey, Mapping[str, Any]] = {
            result.asset_key: result.metadata or {}
            for result in results
            if isinstance(result, dg.MaterializeResult) and result.asset_key is not None
        }

    def total(self, name: str, group: str) -> int:
        return sum(int(m.get(name, 0)) for key, m in self.metadata.items() if key.path[0] == group)


def _verdicts(said: Said) -> tuple[list[str], list[str]]:
    errors, warnings = [*said.errors], list[str]()
    for check in said.results:
        # The town's verdict says once more what its steps have said.
        if not isinstance(check, dg.AssetCheckResult) or check.check_name == WELL:
            continue
        for severity, text in list_check_faults(check):
            (errors if severity is dg.AssetCheckSeverity.ERROR else warnings).append(text)
        warnings += [f"{o.source}: {note.text}" for o in read_outcomes(check) for note in o.new_notes]
    return errors, list(dict.fromkeys(warnings))
