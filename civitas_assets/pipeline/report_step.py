"""The last step: the tenant's morning page, made whatever happened before, and the operator's page.

A page that cannot be made is told by a check, and stops nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from civitas_assets.catalog import Tenant
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.errors import Problem
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.pipeline.asset_names import HEALTH
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.outcomes import PAGE_MADE, WELL
from civitas_assets.pipeline.presentation import format_description
from civitas_assets.pipeline.results import Checked, Materialised, Result, Shown
from civitas_assets.report.kept_pages import make_page_link, make_pages
from civitas_assets.report.language import Language
from civitas_assets.report.page import read_summary, write_operator_page, write_tenant_page
from civitas_assets.report.page_summary import PageSummary
from civitas_assets.report.renewal import is_old, is_told
from civitas_assets.store.nights import Night, NightBook


def report_night(deployment: Deployment, tenant: Tenant, night: Night | None) -> Iterator[Result]:
    """Note what became of a tenant's night, if anything did, and make its page."""
    made, error = capture_errors(f"{tenant.slug} · report", lambda: _page(deployment, tenant, night))
    yield from _results(deployment, tenant, made, error)


def report_between_nights(deployment: Deployment, tenant: Tenant, run: Night) -> Iterator[Result]:
    """Note what became of a tenant's run, and make its page, as far as the last one does not tell just that."""

    def renewed() -> PageSummary | None:
        last, now = read_summary(make_pages(deployment.settings), tenant.slug), deployment.now()
        if last is not None and is_told(last, tenant, deployment.make_stores(tenant), run, now):
            if run.errors:
                NightBook(deployment.files, tenant.slug).write_repeated(run)
            return _page(deployment, tenant, None) if is_old(last, now) else None
        return _page(deployment, tenant, run)

    made, error = capture_errors(f"{tenant.slug} · report", renewed)
    if made is not None or error:
        yield from _results(deployment, tenant, made, error)


def _results(
    deployment: Deployment, tenant: Tenant, made: PageSummary | None, error: Problem | None
) -> Iterator[Result]:
    if made is not None:
        counts = {"errors": made.errors, "warnings": made.warnings, "observations": made.observations}
        link = Shown("url", make_page_link(deployment.settings, made.tenant))
        yield Materialised(HEALTH, {"page": link, "state": made.state}, counts=counts)
        t = Language.from_code("en", tenant.zone)  # as all of the UI
        wrong = [topic for topic in made.topics if topic.severity == "error"]
        yield Checked(
            HEALTH,
            WELL,
            passed=not made.errors,
            severity="warn",  # what is wrong is an error of the step that found it
            description=format_description(
                ": ".join(filter(None, [topic.source, t(f"finding.{topic.kind}.title", **topic.values)]))
                for topic in wrong
            ),
            metadata={"errors": made.errors, "warnings": made.warnings},
        )
    yield Checked(
        HEALTH,
        PAGE_MADE,
        passed=made is not None,
        severity="warn",
        description=format_description(filter(None, [str(error or "")])),
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
