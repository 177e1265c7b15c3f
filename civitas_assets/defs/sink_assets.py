"""The asset `tenants/sinks`: servers of others, brought up to what each tenant has published when all else is done."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from civitas_assets.defs.asset_keys import SINKS_KEY
from civitas_assets.defs.asset_steps import build_work, take_step
from civitas_assets.defs.partitions import build_partitions
from civitas_assets.defs.scope import RunScope
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.sink_step import deliver_tenant

_LATE = {"dagster/priority": "-50"}  # before the page, after everything else


def build_sink_assets(deployment: Deployment) -> dg.Definitions:
    """The sinks; where no tenant has one, there is nothing."""
    if not any(tenant.sinks for tenant in deployment.catalog.tenants.values()):
        return dg.Definitions()

    @dg.multi_asset(
        name="sinks",
        specs=[
            dg.AssetSpec(
                SINKS_KEY,
                group_name="tenants",
                kinds={"sensorthings"},
                owners=[f"team:{deployment.settings.team}"],
                description="Each tenant's sinks: servers that are kept up to date with what it has published.",
                skippable=True,
            )
        ],
        partitions_def=build_partitions(deployment),
        op_tags=_LATE,
        can_subset=True,
    )
    def sinks(context: dg.AssetExecutionContext, scope: RunScope) -> Iterator[Any]:
        work = build_work(context, deployment, scope)
        yield from take_step("sinks", work, deliver_tenant)

    return dg.Definitions(assets=[sinks])
