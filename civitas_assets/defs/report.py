"""The asset `tenants/health`: how each tenant is, with the page that says why; made last, whatever happened before.

It depends on no step, because one that failed or had nothing to do takes all that depend on it with it: its priority
lets every other step go first. A page that cannot be made is told by a check, and stops nothing.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from civitas_assets.catalog import Tenant
from civitas_assets.defs.asset_checks import build_partitioned_check
from civitas_assets.defs.asset_keys import HEALTH
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.events import EventRecorder
from civitas_assets.defs.night import read_night
from civitas_assets.defs.presentation import format_description
from civitas_assets.defs.runs import OUTCOME_TAG, summarise_outcome
from civitas_assets.defs.work import Result
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.report.kept_pages import make_page_address, make_pages
from civitas_assets.report.page_file import read_summary, write_operator_page, write_tenant_page
from civitas_assets.report.page_summary import PageSummary
from civitas_assets.report.renewal import is_old, is_told
from civitas_assets.store.nights import Night, NightBook

_MADE = "the_page_was_made"
WELL = "nothing_is_wrong"
_LAST = {"dagster/priority": "-100"}


def build_report_assets(deployment: Deployment) -> dg.Definitions:
    """The morning page of a tenant, and with it the operator's page."""

    @dg.multi_asset(
        name="write_morning_page",
        specs=[
            dg.AssetSpec(
                HEALTH,
                group_name="tenants",
                kinds={"html"},
                owners=[f"team:{deployment.settings.team}"],
                description="How each tenant is, with a link to its morning page: what failed, why, what is missing, "
                "and how to put it right.",
                skippable=True,
            )
        ],
        check_specs=[
            build_partitioned_check(
                _MADE, HEALTH, deployment.partitions, "The morning page is as of this run."
            ),
            build_partitioned_check(
                WELL,
                HEALTH,
                deployment.partitions,
                "The morning page has no error; its partitions are all tenants.",
            ),
        ],
        partitions_def=deployment.partitions,
        op_tags=_LAST,
        can_subset=True,
    )
    def write_morning_page(context: dg.AssetExecutionContext) -> Iterator[Any]:
        tenant = deployment.catalog.get_tenant(context.partition_key)
        night = read_night(context.instance, context.run.run_id, deployment.now())
        yield from report_night(deployment, tenant, night)
        report_to_operator(deployment)
        context.instance.add_run_tags(
            context.run.run_id, {OUTCOME_TAG: summarise_outcome([night] if night is not None else [])}
        )
        if night is not None and not night.failures:
            recorder = EventRecorder(tenant.slug, context.instance)
            for event in recorder.clear(context.run.run_id, recorder.unplanned(context.run)):
                context.log_event(event)

    return dg.Definitions(assets=[write_morning_page])


def report_night(deployment: Deployment, tenant: Tenant, night: Night | None) -> Iterator[Result]:
    """Note what became of a tenant's night, if anything did, and make its page."""
    made, error = capture_errors(f"{tenant.slug} · report", lambda: _page(deployment, tenant, night))
    yield from _results(deployment, made, error)


def report_between_nights(deployment: Deployment, tenant: Tenant, run: Night) -> Iterator[Result]:
    """Note what became of a tenant's run, and make its page, as far as the last one does not tell just that."""

    def renewed() -> PageSummary | None:
        last, now = read_summary(make_pages(deployment.settings), tenant.slug), deployment.now()
        if last is not None and is_told(last, tenant, deployment.make_stores(tenant), run, now):
            return _page(deployment, tenant, None) if is_old(last, now) else None
        return _page(deployment, tenant, run)

    made, error = capture_errors(f"{tenant.slug} · report", renewed)
    if made is not None or error:
        yield from _results(deployment, made, error)


def _results(deployment: Deployment, made: PageSummary | None, error: str) -> Iterator[Result]:
    if made is not None:
        yield dg.MaterializeResult(asset_key=HEALTH, metadata=_metadata(deployment, made))
        wrong = [topic for topic in made.topics if topic.severity == "error"]
        yield dg.AssetCheckResult(
            asset_key=HEALTH,
            check_name=WELL,
            passed=not made.errors,
            severity=dg.AssetCheckSeverity.WARN,  # what is wrong is an error of the step that found it
            description=format_description(
                " · ".join(filter(None, [topic.source, topic.kind])) for topic in wrong
            ),
            metadata={"errors": made.errors, "warnings": made.warnings},
        )
    yield dg.AssetCheckResult(
        asset_key=HEALTH,
        check_name=_MADE,
        passed=made is not None,
        severity=dg.AssetCheckSeverity.WARN,
        description=format_description(filter(None, [error])),
    )


def report_to_operator(deployment: Deployment) -> None:
    """Make the page of all tenants; one that cannot be made is told in the log, and stops nothing."""
    catalog, settings = deployment.catalog, deployment.settings
    capture_errors(
        "report", lambda: write_operator_page(settings, catalog, deployment.now(), make_pages(settings))
    )


def _page(deployment: Deployment, tenant: Tenant, night: Night | None) -> PageSummary:
    if night is not None:
        NightBook(deployment.files, tenant.slug).write(night)
    settings, contracts = deployment.settings, read_contracts(deployment.project)
    stores = deployment.make_stores(tenant)
    return write_tenant_page(settings, tenant, stores, contracts, deployment.now(), make_pages(settings))


def _metadata(deployment: Deployment, made: PageSummary) -> dict[str, Any]:
    return {
        "page": dg.MetadataValue.url(make_page_address(deployment.settings, made.tenant)),
        "state": made.state,
        "errors": made.errors,
        "warnings": made.warnings,
        "observations": made.observations,
    }
