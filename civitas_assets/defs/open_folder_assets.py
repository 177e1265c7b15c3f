"""The asset `tenants/open_data`: the folder of open data of each tenant that has one, made when all else is.

Like the page, it depends on no step: what is not open any more goes from the folder even in a night that publishes
nothing.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from civitas_assets.defs.asset_keys import OPEN_DATA_KEY
from civitas_assets.defs.asset_steps import build_work, take_step
from civitas_assets.defs.partitions import build_partitions
from civitas_assets.defs.scope import RunScope
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.offer_step import publish_open_folder

_LATE = {"dagster/priority": "-50"}  # before the page, after everything else


def build_open_folder_assets(deployment: Deployment) -> dg.Definitions:
    """The folders of open data; where no tenant has one, there is nothing."""
    if not any(tenant.open_data.folder for tenant in deployment.catalog.tenants.values()):
        return dg.Definitions()

    @dg.multi_asset(
        name="offer",
        specs=[
            dg.AssetSpec(
                OPEN_DATA_KEY,
                group_name="tenants",
                kinds={"csv", "parquet"},
                owners=[f"team:{deployment.settings.team}"],
                description="Each tenant's folder of open data: files of its open tables, and their catalogue.",
                skippable=True,
            )
        ],
        partitions_def=build_partitions(deployment),
        op_tags=_LATE,
        can_subset=True,
    )
    def offer(context: dg.AssetExecutionContext, scope: RunScope) -> Iterator[Any]:
        work = build_work(context, deployment, scope)
        yield from take_step("offer", work, publish_open_folder)

    return dg.Definitions(assets=[offer])
