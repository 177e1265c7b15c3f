"""A tenant's turn from the shell: taken in this process, without Dagster, whose history takes it in later.

Progress comes from the package's log.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from civitas_assets.catalog import Tenant, Window
from civitas_assets.errors import Fault
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.pipeline.asset_names import name_published
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.outcomes import WELL, list_check_faults
from civitas_assets.pipeline.report_step import report_to_operator
from civitas_assets.pipeline.results import Checked, Materialised
from civitas_assets.pipeline.turn import Said, Turn
from civitas_assets.pipeline.turn_records import TurnRecord, TurnRecords
from civitas_assets.pipeline.turn_scope import Scope
from civitas_assets.pipeline.work import Work
from civitas_assets.store.step_reports import StepReport


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
    """What a run shall do: days and sources as in `Scope`, whether to fetch at all, and whether to start anew."""

    window: Window | None = None
    sources: tuple[str, ...] = ()
    fetch: bool = True
    rebuild: bool = False


def run_tenant(deployment: Deployment, tenant: str, order: Order) -> Outcome:
    """Take one tenant's turn, leave a record of it for Dagster's history, and say what it did."""
    known, window = deployment.catalog.get_tenant(tenant), order.window
    scope = Scope(
        first=window.first.isoformat() if window else None,
        last=window.last.isoformat() if window else None,
        sources=order.sources,
        rebuild=order.rebuild,
    )
    run_id, started_at = str(uuid4()), time.time()
    turn = Turn(Work(deployment, known, scope, run_id))
    for _ in turn.take(deployment.make_http_client if order.fetch else None):
        pass
    said = turn.said
    record = TurnRecord(
        run_id,
        known.slug,
        started_at,
        time.time(),
        tuple(said.results),
        tuple(said.errors),
        failed=bool(said.errors),
        is_through=turn.is_through,
        unseen=tuple(sorted(turn.unseen)),
        workspace=said.workspace,
        night=said.night,
    )
    _, unrecorded = capture_errors(
        f"{known.slug} · history", partial(TurnRecords(deployment.files).add, record)
    )
    report_to_operator(deployment)
    total = partial(_total, said.steps)
    errors, warnings = _verdicts(said)
    errors = [*_file_errors(known.faults, "its last state without faults holds"), *errors]
    if unrecorded:
        errors.append(f"Dagster's history will not show this run: {unrecorded}")
    published = [report for report in said.steps if report.layer == "published"]
    for name in (name for report in published for name in report.unfilled):
        warnings.append(
            f"{name} is new and empty on the days before; `civitas rebuild {tenant}` fills them from the records"
        )
    return Outcome(
        tenant=tenant,
        run_id=run_id,
        sources=total("sources", "landing"),
        requests=total("requests", "landing"),
        not_modified=total("not_modified", "landing"),
        payloads=total("new_payloads", "landing"),
        new=total("new", "records"),
        changed=total("changed", "records"),
        rejected=total("rejected", "records"),
        days=_most(published, "days"),
        rows=_most(published, "rows"),
        path=", ".join(_list_addresses(deployment, known, said)),
        errors=errors,
        warnings=warnings,
    )


def build_file_outcome(tenant: str, faults: Sequence[Fault]) -> Outcome:
    """What there is to say of a tenant for whom nothing runs, because its file has faults."""
    nothing = (0, 0, 0, 0, 0, 0, 0, 0, 0)
    return Outcome(tenant, "", *nothing, "", _file_errors(faults, "it is left out"), [])


def _file_errors(faults: Sequence[Fault], meanwhile: str) -> list[str]:
    return [f"{fault}; until it is mended, {meanwhile}" for fault in faults]


def _total(reports: Sequence[StepReport], name: str, layer: str) -> int:
    return sum(int(report.counts.get(name, 0)) for report in reports if report.layer == layer)


def _most(reports: Sequence[StepReport], name: str) -> int:
    """Of several destinations, which get the same."""
    return max((int(report.counts.get(name, 0)) for report in reports), default=0)


def _list_addresses(deployment: Deployment, tenant: Tenant, said: Said) -> Sequence[str]:
    """Where something was published."""
    made = {result.asset for result in said.results if isinstance(result, Materialised)}
    kinds = [kind for kind in tenant.destinations if name_published(kind) in made]
    return [deployment.make_destination(tenant, kind).address for kind in kinds]


def _verdicts(said: Said) -> tuple[list[str], list[str]]:
    errors, warnings = [*said.errors], list[str]()
    for check in said.results:
        # The town's verdict says once more what its steps have said.
        if not isinstance(check, Checked) or check.check == WELL:
            continue
        for severity, text in list_check_faults(check):
            (errors if severity == "error" else warnings).append(text)
        warnings += [f"{o.source}: {note.text}" for o in check.sources for note in o.new_notes]
    return errors, list(dict.fromkeys(warnings))
