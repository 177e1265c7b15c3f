"""The assets `commons/<destination>`: what the tenant shares, brought into what all share once it is published.

What is not shared any more is taken out earlier in the run, whatever becomes of the rest of it.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg

from civitas_assets.catalog.model import Destination
from civitas_assets.defs.asset_keys import commons_key, published_key
from civitas_assets.defs.asset_steps import build_work, take_step
from civitas_assets.defs.partitions import build_partitions
from civitas_assets.defs.scope import RunScope
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.share_step import share_tenant


def build_commons_assets(deployment: Deployment) -> dg.Definitions:
    """The union of what tenants share, for each destination that they use."""
    return dg.Definitions(assets=[_asset(deployment, destination) for destination in deployment.kinds])


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
        partitions_def=build_partitions(deployment),
        can_subset=True,
    )
    def share(context: dg.AssetExecutionContext, scope: RunScope) -> Iterator[Any]:
        work = build_work(context, deployment, scope)
        yield from take_step(f"commons_{destination}", work, partial(share_tenant, kind=destination))

    return share
