"""The assets `published/<destination>`: the tenant's output, replaced in one atomic step.

It runs only after all shared models were made and every blocking test passed.
"""

from collections.abc import Iterator, Mapping
from functools import partial
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
    """The destinations that tenants use; a run publishes to those of its tenant and skips the others."""
    return dg.Definitions(assets=[_asset(deployment, destination) for destination in deployment.kinds])


def _asset(deployment: Deployment, destination: Destination) -> dg.AssetsDefinition:
    """In a step of its own: what one destination does not take, others do."""

    @dg.multi_asset(
        name=f"publish_{destination}",
        specs=[
            dg.AssetSpec(
                published_key(destination),
                deps=[shared_key(name) for name in deployment.project.models],
                group_name="published",
                kinds={destination},
                owners=[f"team:{deployment.settings.team}"],
                description=_DESCRIPTIONS[destination],
                skippable=True,
            )
        ],
        partitions_def=build_partitions(deployment),
        can_subset=True,
    )
    def publish(context: dg.AssetExecutionContext, scope: RunScope) -> Iterator[Any]:
        work = build_work(context, deployment, scope)
        yield from take_step(f"publish_{destination}", work, partial(publish_tenant, kind=destination))

    return publish
