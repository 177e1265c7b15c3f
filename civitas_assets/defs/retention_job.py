"""Every night, before tenants are run: what is older than a tenant keeps it goes from its landing and its records.

What retention does is in `store/retention.py`; the run that follows publishes the days that are gone.
"""

import logging
from collections.abc import Iterable, Iterator

import dagster as dg

from civitas_assets.catalog import Tenant
from civitas_assets.defs.asset_checks import to_metadata
from civitas_assets.defs.maintenance import build_daily_job
from civitas_assets.errors import CivitasError
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.presentation import build_table_metadata
from civitas_assets.publish.destinations import remove_unpublished_commons
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.store.retention import Expired, apply_retention
from civitas_assets.store.storage import make_storage

log = logging.getLogger("civitas_assets.retention")

RETENTION = "retention"


def build_retention(deployment: Deployment) -> dg.Definitions:
    """The job and its schedule."""

    @dg.op(name="let_go", description="Let go of what is older than each tenant keeps it.")
    def let_go(context: dg.OpExecutionContext) -> None:
        tenants = [deployment.catalog.tenants[slug] for slug in deployment.catalog.active]
        done = list(apply_retention_to(deployment, tenants))
        rows = [(tenant, str(expired or ""), fault) for tenant, expired, fault in done]
        context.add_output_metadata(
            to_metadata(
                {"tenants": len(done), "outcome": build_table_metadata(("tenant", "gone", "fault"), rows)}
            )
        )
        faults = [f"{tenant}: {fault}" for tenant, _, fault in done if fault]
        try:
            remove_unpublished_commons(deployment.settings)
        except CivitasError as error:
            faults.append(str(error))
        if faults:
            raise dg.Failure("; ".join(faults), allow_retries=False)

    return build_daily_job(
        RETENTION,
        let_go,
        "Let go of landing and records that are older than their tenants keep them.",
        "20 1 * * *",
        "Every night at 01:20, before the nightly runs.",
    )


def apply_retention_to(
    deployment: Deployment, tenants: Iterable[Tenant], *, dry_run: bool = False
) -> Iterator[tuple[str, Expired | None, str]]:
    """What has gone of each tenant that keeps things for a time only, or why nothing could go."""
    storage = make_storage(deployment.settings)
    for tenant in tenants:
        try:
            with storage.hold(tenant.slug):
                stores = deployment.make_stores(tenant)
                expired = apply_retention(tenant, stores, deployment.now(), dry_run=dry_run)
                if not dry_run:
                    PublishedFiles.from_settings(deployment.settings).find(tenant.slug).remove_unpublished()
        except CivitasError as error:
            log.error("%s · retention · %s", tenant.slug, error)
            yield tenant.slug, None, str(error)
        else:
            if expired:
                log.info("%s · retention · %s%s", tenant.slug, "would go: " if dry_run else "", expired)
            yield tenant.slug, expired, ""
