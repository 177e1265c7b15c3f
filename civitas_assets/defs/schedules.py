"""When what runs: per cadence a schedule whose runs work through the tenants that have a source of it, see `batch.py`.

The job `nightly` is that of one tenant, to be started by hand; the queue keeps a tenant to one such run at a time, see
`deploy/dagster.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from civitas_assets.catalog.cadence import CADENCES, Cadence
from civitas_assets.defs.asset_checks import build_partitions
from civitas_assets.defs.batch import build_batch_job, make_batch_op_name
from civitas_assets.defs.runs import (
    ARRIVALS,
    CADENCE_TAG,
    NIGHTLY,
    OPERATORS_TIME,
    TENANT_TAG,
    TENANTS_TAG,
    list_busy_tenants,
)
from civitas_assets.pipeline.deployment import Deployment


def build_cadences(deployment: Deployment) -> dg.Definitions:
    """The jobs and their schedules."""
    batches = {cadence: build_batch_job(deployment, cadence) for cadence in CADENCES}
    jobs: list[Any] = [
        *batches.values(),
        build_tenant_job(deployment, NIGHTLY, "By hand"),
        build_tenant_job(deployment, ARRIVALS, "When files or messages wait"),
    ]
    return dg.Definitions(jobs=jobs, schedules=[_schedule(deployment, *batch) for batch in batches.items()])


def build_tenant_job(deployment: Deployment, name: str, title: str) -> Any:
    """The job that does everything for one tenant; its runs name tenant and cadence, also those from the UI."""
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.all(),
        description=f"{title}: fetch, read, harmonise and publish everything of one tenant.",
        executor_def=dg.in_process_executor,
        tags={CADENCE_TAG: name},
        config=dg.PartitionedConfig(
            build_partitions(deployment),
            run_config_for_partition_key_fn=lambda _: {},
            tags_for_partition_key_fn=lambda tenant: {TENANT_TAG: tenant},
        ),
    )


def _schedule(deployment: Deployment, cadence: Cadence, job: Any) -> dg.ScheduleDefinition:
    rhythm = CADENCES[cadence]

    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        yield from _due(
            deployment.with_current_catalog(), cadence, context.scheduled_execution_time, context.instance
        )

    return dg.ScheduleDefinition(
        name=cadence,
        job=job,
        cron_schedule=rhythm.cron,
        execution_timezone=OPERATORS_TIME,
        execution_fn=requests,
        default_status=dg.DefaultScheduleStatus[deployment.settings.schedules.upper()],
        description=f"{rhythm.title}, for all tenants together.",
    )


def _due(
    deployment: Deployment, cadence: Cadence, tick: datetime, instance: dg.DagsterInstance
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """The runs of a tick, or why there is none."""
    due, going = deployment.list_scheduled_tenants(cadence), list_busy_tenants(instance, cadence)
    waiting = [tenant for tenant in due if tenant not in going]
    if deployment.now() >= _next(tick, cadence):
        yield dg.SkipReason(f"{tick.isoformat()} was missed; the tick after it catches up, once")
    elif not due:
        yield dg.SkipReason(f"no tenant has a source with cadence: {cadence}")
    elif not waiting:
        yield dg.SkipReason(f"the {cadence} run before is still going for {', '.join(due)}")
    else:
        size = deployment.settings.batch_size or len(waiting)
        parts = [waiting[start : start + size] for start in range(0, len(waiting), size)]
        yield from (_batch(cadence, tick, part) for part in parts)


def _next(tick: datetime, cadence: Cadence) -> datetime:
    """The tick after this one; the next night begins at the same time of the clock."""
    period = CADENCES[cadence].period
    return tick + period if period.days else tick.astimezone(UTC) + period


def _batch(cadence: Cadence, tick: datetime, tenants: Sequence[str]) -> dg.RunRequest:
    # A night has one date; hours and their quarters are told apart in UTC, since the clock shows one of them twice.
    when = tick.date().isoformat() if cadence == NIGHTLY else f"{tick.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    return dg.RunRequest(
        run_key=f"{when}:{tenants[0]}",
        run_config={"ops": {make_batch_op_name(cadence): {"config": {"tenants": list(tenants)}}}},
        tags={TENANTS_TAG: " ".join(tenants), CADENCE_TAG: cadence},
    )
