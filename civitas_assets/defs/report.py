"""The asset `tenants/health`: how each tenant is, with the page that says why; made last, whatever happened before.

It depends on no step, because one that failed or had nothing to do takes all that depend on it with it: its priority
lets every other step go first. A page that cannot be made is told by a check, and stops nothing.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from civitas_assets.defs.asset_checks import build_partitioned_check, build_partitions, to_dagster
from civitas_assets.defs.asset_keys import HEALTH_KEY
from civitas_assets.defs.events import EventRecorder
from civitas_assets.defs.night import read_night
from civitas_assets.defs.runs import OUTCOME_TAG
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.night_entry import summarise_outcome
from civitas_assets.pipeline.outcomes import PAGE_MADE, WELL
from civitas_assets.pipeline.report_step import report_night, report_to_operator
from civitas_assets.store.step_reports import StepReports

_LAST = {"dagster/priority": "-100"}


def build_report_assets(deployment: Deployment) -> dg.Definitions:
    """The morning page of a tenant, and with it the operator's page."""
    partitions = build_partitions(deployment)

    @dg.multi_asset(
        name="write_morning_page",
        specs=[
            dg.AssetSpec(
                HEALTH_KEY,
                group_name="tenants",
                kinds={"html"},
                owners=[f"team:{deployment.settings.team}"],
                description="How each tenant is, with a link to its morning page: what failed, why, what is missing, "
                "and how to put it right.",
                skippable=True,
            )
        ],
        check_specs=[
            build_partitioned_check(PAGE_MADE, HEALTH_KEY, partitions, "The morning page is as of this run."),
            build_partitioned_check(
                WELL, HEALTH_KEY, partitions, "The morning page has no error; its partitions are all tenants."
            ),
        ],
        partitions_def=partitions,
        op_tags=_LAST,
        can_subset=True,
    )
    def write_morning_page(context: dg.AssetExecutionContext) -> Iterator[Any]:
        tenant = deployment.catalog.get_tenant(context.partition_key)
        run_id, files = context.run.run_id, deployment.files
        night = read_night(context.instance, files, tenant.slug, run_id, deployment.now())
        yield from map(to_dagster, report_night(deployment, tenant, night))
        StepReports(files, tenant.slug).forget(run_id)
        report_to_operator(deployment)
        context.instance.add_run_tags(
            context.run.run_id, {OUTCOME_TAG: summarise_outcome([night] if night is not None else [])}
        )
        if night is not None and not night.failures:
            recorder = EventRecorder(tenant.slug, context.instance)
            for event in recorder.clear(context.run.run_id, recorder.unplanned(context.run)):
                context.log_event(event)

    return dg.Definitions(assets=[write_morning_page])
