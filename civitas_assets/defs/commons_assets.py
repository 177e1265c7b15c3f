"""The assets `commons/<destination>`: what the tenant shares, brought into what all share once it is published.

What is not shared any more is taken out earlier in the run, whatever becomes of the rest of it.
"""

import logging
from collections.abc import Iterator
from typing import Any

import dagster as dg

from civitas_assets.catalog.model import Destination
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.presentation import build_table_metadata
from civitas_assets.defs.published import published_key
from civitas_assets.defs.scope import RunScope
from civitas_assets.defs.work import Result, Work, raise_as_failures
from civitas_assets.dictionary.contracts import read_contracts

log = logging.getLogger("civitas_assets.publish")


def commons_key(destination: Destination) -> dg.AssetKey:
    """The key of the commons of a destination."""
    return dg.AssetKey(["commons", destination])


def build_commons_assets(deployment: Deployment) -> dg.Definitions:
    """The union of what tenants share, for each destination that they use."""
    used = {tenant.destination for tenant in deployment.catalog.tenants.values()} or {"duckdb"}
    return dg.Definitions(assets=[_asset(deployment, destination) for destination in sorted(used)])


def _asset(deployment: Deployment, destination: Destination) -> dg.AssetsDefinition:
    """In a step of its own: it is skipped with its destination, and only with that."""

    @dg.multi_asset(
        name=f"commons_{destination}",
        specs=[
            dg.AssetSpec(
                commons_key(destination),
                deps=[published_key(destination)],
                group_name="published",
                kinds={destination},
                owners=[f"team:{deployment.settings.team}"],
                description="What tenants share with each other, each row with its tenant, licence and attribution.",
            )
        ],
        partitions_def=deployment.partitions,
        can_subset=True,
    )
    def share(context: dg.AssetExecutionContext, scope: RunScope) -> Iterator[Any]:
        with raise_as_failures():
            yield from share_tenant(Work.from_context(context, deployment, scope))

    return share


def share_tenant(work: Work) -> Iterator[Result]:
    """Bring the commons up to what the tenant has published."""
    slug, key = work.tenant.slug, commons_key(work.tenant.destination)
    commons, members = work.deployment.make_commons(work.tenant.destination)
    with work.hold_lock():
        report = commons.refresh(slug, members, read_contracts(work.deployment.project))
    if report.rows or report.withdrawn:
        log.info("%s · commons · %d rows came, %d went", slug, sum(report.rows.values()), report.withdrawn)
    elif work.keys is None and slug not in members and not report.problems:
        return  # in a tenant's turn only what has happened is said
    yield dg.MaterializeResult(
        asset_key=key,
        metadata={
            "shared_rows": sum(report.rows.values()),
            "withdrawn_rows": report.withdrawn,
            "bytes": report.bytes,
            "seconds": report.seconds,
            "path": commons.address,
            "problems_of_others": list(report.problems),
            "tables": build_table_metadata(("table", "rows"), list(report.rows.items())),
        },
    )
