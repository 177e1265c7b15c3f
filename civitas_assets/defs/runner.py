"""The nightly job from the shell: the same steps as in the UI, in this process, recorded in the same instance.

Dagster's own output is kept quiet; progress comes from the package's log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from civitas_assets.catalog import Window
from civitas_assets.defs.checks import faults_of_check, outcomes_of
from civitas_assets.defs.commons import commons_key
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.keys import landing_key, records_key
from civitas_assets.defs.models import model_keys
from civitas_assets.defs.published import published_key
from civitas_assets.defs.report import MORNING_PAGE
from civitas_assets.defs.runs import SHELL_TAG
from civitas_assets.defs.schedules import NIGHTLY
from civitas_assets.records import RECORD_TYPES


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


def run_tenant(
    definitions: dg.Definitions,
    deployment: Deployment,
    instance: dg.DagsterInstance,
    tenant: str,
    order: Order,
) -> Outcome:
    """Run the nightly job for one tenant and say what it did."""
    landings = [landing_key(name) for name in deployment.catalog.connectors]
    records = [records_key(name) for name in RECORD_TYPES]
    destination = deployment.catalog.tenant(tenant).destination
    published = published_key(destination)
    later = [*records, *model_keys(deployment), published, commons_key(destination), MORNING_PAGE]
    window = order.window
    days = {"from": window.first.isoformat(), "to": window.last.isoformat()} if window else {}
    scope = {"days": days, "sources": list(order.sources), "rebuild": order.rebuild}
    result = definitions.resolve_job_def(NIGHTLY).execute_in_process(
        partition_key=deployment.catalog.tenant(tenant).slug,
        instance=instance,
        raise_on_error=False,
        asset_selection=None if order.fetch else later,
        tags={SHELL_TAG: "true"},
        run_config={
            "resources": {"scope": {"config": scope}},
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
    )
    found = _Materialisations(result)
    errors, warnings = _verdicts(result)
    for name in found.metadata.get(published, {}).get("unfilled", ()):
        warnings.append(
            f"{name} is new and empty on the days before; `civitas rebuild {tenant}` fills them from the records"
        )
    return Outcome(
        tenant=tenant,
        run_id=result.run_id,
        sources=found.total("sources", landings),
        requests=found.total("requests", landings),
        not_modified=found.total("not_modified", landings),
        payloads=found.total("new_payloads", landings),
        new=found.total("new", records),
        changed=found.total("changed", records),
        rejected=found.total("rejected", records),
        days=found.total("days", [published]),
        rows=found.total("rows", [published]),
        path=str(found.metadata.get(published, {}).get("path", "")),
        errors=errors,
        warnings=warnings,
    )


class _Materialisations:
    """The metadata of what a run has materialised."""

    def __init__(self, result: dg.ExecuteInProcessResult) -> None:
        self.metadata: Mapping[dg.AssetKey, Mapping[str, Any]] = {
            event.asset_key: {name: value.value for name, value in event.materialization.metadata.items()}
            for event in result.get_asset_materialization_events()
            if event.asset_key is not None
        }

    def total(self, name: str, keys: Sequence[dg.AssetKey]) -> int:
        return sum(int(self.metadata.get(key, {}).get(name, 0)) for key in keys)


def _verdicts(result: dg.ExecuteInProcessResult) -> tuple[list[str], list[str]]:
    errors, warnings = list[str](), list[str]()
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            given = failure.user_failure_data.description if failure.user_failure_data else None
            errors.append(f"{event.step_key}: {given or failure.error_display_string.strip()}")
    for check in result.get_asset_check_evaluations():
        for severity, text in faults_of_check(check):
            (errors if severity is dg.AssetCheckSeverity.ERROR else warnings).append(text)
        warnings += [f"{o.source}: {note.text}" for o in outcomes_of(check) for note in o.new_notes]
    return errors, list(dict.fromkeys(warnings))
