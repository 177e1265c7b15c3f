"""What an installation does for itself: Dagster's own history is kept short.

No asset and no tenant is concerned.
"""

from datetime import timedelta

import dagster as dg

from civitas_assets.defs.purge import delete_history
from civitas_assets.pipeline.deployment import Deployment

PURGE = "purge"


def build_maintenance(deployment: Deployment) -> dg.Definitions:
    """The job that keeps Dagster's history short, and when it runs."""
    job = build_purge_job(deployment)
    return dg.Definitions(jobs=[job], schedules=[build_purge_schedule(job)])


def build_purge_job(deployment: Deployment) -> dg.JobDefinition:
    """Forgets runs that are older than the settings allow."""

    @dg.op(name="purge_history", description="Remove runs and events past their age, but no present state.")
    def purge_history(context: dg.OpExecutionContext) -> None:
        before = deployment.now() - timedelta(days=deployment.settings.history_days)
        done = delete_history(
            context.instance,
            before,
            progress=lambda done, of: context.log.info(f"{done:,} of {of:,} runs are removed"),
        )
        context.add_output_metadata(
            {"runs": done.runs, "kept": done.kept, "bytes_freed": done.freed, "before": before.isoformat()}
        )

    @dg.job(
        name=PURGE,
        executor_def=dg.in_process_executor,
        description="Forget runs and events that are past their age; what the UI shows as present state stays.",
    )
    def job() -> None:
        purge_history()

    return job


def build_purge_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Every morning, when the night's runs are through."""
    return dg.ScheduleDefinition(
        name=PURGE,
        job=job,
        cron_schedule="40 5 * * *",
        execution_timezone="Europe/Berlin",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every morning at 05:40.",
    )
