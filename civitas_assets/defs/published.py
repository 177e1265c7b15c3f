"""The assets `published/<destination>`: the tenant's output, replaced in one atomic step.

It runs only after all shared models were made and every blocking test passed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from civitas_assets.catalog.model import Destination
from civitas_assets.defs.asset_keys import published_key, shared_key
from civitas_assets.defs.asset_steps import build_work, take_step
from civitas_assets.defs.partitions import build_partitions
from civitas_assets.defs.scope import RunScope
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.publish_step import publish_tenant

_DESCRIPTIONS: Mapping[Destination, str] = {
    "duckdb": "One DuckDB file per tenant with all shared models, for analysts.",
    "postgres": "One PostgreSQL schema per tenant with all shared models, for analysts.",
}


def build_published_assets(deployment: Deployment) -> dg.Definitions:
    """The destinations that tenants use; a run publishes to that of its tenant and skips the others."""
    used = {tenant.destination for tenant in deployment.catalog.tenants.values()} or {"duckdb"}

    @dg.multi_asset(
        name="publish",
        specs=[
            dg.AssetSpec(
                published_key(destination),
                deps=[shared_key(name) for name in deployment.project.models],
                group_name="published",
                kinds={destination},
                owners=[f"team:{deployment.settings.team}"],
                description=description,
                skippable=True,
            )
            for destination, description in _DESCRIPTIONS.items()
            if destination in used
        ],
        partitions_def=build_partitions(deployment),
        can_subset=True,
    )
    def publish(context: dg.AssetExecutionContext, scope: RunScope) -> Iterator[Any]:
        work = build_work(context, deployment, scope)
        yield from take_step("publish", work, publish_tenant)

    return dg.Definitions(assets=[publish])
