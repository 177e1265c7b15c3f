"""When what runs: the nightly job, one run per tenant.

The queue keeps a tenant to one run at a time; see `deploy/dagster.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from civitas_assets.defs.deployment import Deployment

NIGHTLY = "nightly"
CADENCE_TAG = "civitas/cadence"

nightly_job = dg.define_asset_job(
    NIGHTLY,
    selection=dg.AssetSelection.all(),
    description="Fetch, read, harmonise and publish everything of one tenant.",
    executor_def=dg.in_process_executor,
    tags={CADENCE_TAG: NIGHTLY},
)


def cadences(deployment: Deployment) -> dg.Definitions:
    """The jobs and their schedules."""
    return dg.Definitions(jobs=[nightly_job], schedules=[_nightly_schedule(deployment)])


def _nightly_schedule(deployment: Deployment) -> dg.ScheduleDefinition:
    """At two in the morning, local time, a run for every tenant."""

    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        night = context.scheduled_execution_time.date().isoformat()
        for tenant in sorted(deployment.catalog.tenants):
            yield dg.RunRequest(run_key=f"{night}:{tenant}", partition_key=tenant)

    return dg.ScheduleDefinition(
        name=NIGHTLY,
        job=nightly_job,
        cron_schedule="0 2 * * *",
        execution_timezone="Europe/Berlin",
        execution_fn=requests,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night at 02:00, one run per tenant.",
    )
