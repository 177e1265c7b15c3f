"""The asset `published/commons`: what the tenant shares, brought into what all share, right after it was published.

What is not shared any more is taken out earlier in the run, whatever becomes of the rest of it.
"""

import logging
from collections.abc import Iterator
from typing import Any

import dagster as dg

from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.presentation import table
from civitas_assets.defs.published import PUBLISHED
from civitas_assets.defs.scope import Scope
from civitas_assets.defs.work import Result, Work, failures_in_words
from civitas_assets.dictionary.contracts import read_contracts

log = logging.getLogger("civitas_assets.publish")

COMMONS_KEY = dg.AssetKey(["published", "commons"])


def commons_assets(deployment: Deployment) -> dg.Definitions:
    """The union of what tenants share."""

    @dg.multi_asset(
        name="publish_commons",
        specs=[
            dg.AssetSpec(
                COMMONS_KEY,
                deps=[PUBLISHED],
                group_name="published",
                kinds={"duckdb"},
                description="What tenants share with each other, each row with its tenant, licence and attribution.",
            )
        ],
        partitions_def=deployment.partitions,
        can_subset=True,
    )
    def share(context: dg.AssetExecutionContext, scope: Scope) -> Iterator[Any]:
        with failures_in_words():
            yield from share_tenant(Work.of(context, deployment, scope))

    return dg.Definitions(assets=[share])


def share_tenant(work: Work) -> Iterator[Result]:
    """Bring the commons up to what the tenant has published."""
    commons, slug = work.deployment.commons(work.tenant), work.tenant.slug
    with work.locked():
        contracts = read_contracts(work.deployment.project)
        report = commons.refresh(slug, work.deployment.members(work.tenant), contracts)
    if report.rows or report.withdrawn:
        log.info("%s · commons · %d rows came, %d went", slug, sum(report.rows.values()), report.withdrawn)
    yield dg.MaterializeResult(
        asset_key=COMMONS_KEY,
        metadata={
            "shared_rows": sum(report.rows.values()),
            "withdrawn_rows": report.withdrawn,
            "bytes": report.bytes,
            "seconds": report.seconds,
            "path": commons.address,
            "problems_of_others": list(report.problems),
            "tables": table(("table", "rows"), list(report.rows.items())),
        },
    )
