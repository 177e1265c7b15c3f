"""What an installation does for itself: Dagster's own history is kept short.

No asset and no tenant is concerned.
"""

from datetime import timedelta

import dagster as dg

from civitas_assets.defs.purge import delete_history
from civitas_assets.defs.runs import OPERATORS_TIME
from civitas_assets.pipeline.deployment import Deployment

PURGE = "purge"


def build_maintenance(deployment: Deployment) -> dg.Definitions:
    """The job that forgets runs which are older than the settings allow, when the night's runs are through."""

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

    return build_daily_job(
        PURGE,
        purge_history,
        "Forget runs and events that are past their age; what the UI shows as present state stays.",
        "40 5 * * *",
        "Every morning at 05:40.",
    )


def build_daily_job(
    name: str, op: dg.OpDefinition, description: str, cron_schedule: str, when: str
) -> dg.Definitions:
    """A job of one operation, and its schedule in the time of those who operate the installation."""
    graph = dg.GraphDefinition(name=name, node_defs=[op])
    job = graph.to_job(executor_def=dg.in_process_executor, description=description)
    schedule = dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron_schedule,
        execution_timezone=OPERATORS_TIME,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=when,
    )
    return dg.Definitions(jobs=[job], schedules=[schedule])
