"""The assets that come when all else of a tenant is done, whatever became of it: its folder of open data, and sinks.

Like the page, they depend on no step: what is not open any more goes from the folder even in a night that publishes
nothing. Where no tenant has one, there is no asset.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import dagster as dg

from civitas_assets.catalog import Tenant
from civitas_assets.defs.asset_keys import OPEN_DATA_KEY, SINKS_KEY
from civitas_assets.defs.asset_steps import build_step_assets
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.offer_step import publish_open_folder
from civitas_assets.pipeline.results import Result
from civitas_assets.pipeline.sink_step import deliver_tenant
from civitas_assets.pipeline.work import Work

_LATE = {"dagster/priority": "-50"}  # before the page, after everything else


class _LateStep(NamedTuple):
    name: str
    key: dg.AssetKey
    kinds: set[str]
    description: str
    is_used: Callable[[Tenant], bool]
    take: Callable[[Work], Iterator[Result]]


_STEPS = (
    _LateStep(
        "offer",
        OPEN_DATA_KEY,
        {"csv", "parquet"},
        "Each tenant's folder of open data: files of its open tables, and their catalogue.",
        lambda tenant: bool(tenant.open_data.folder),
        publish_open_folder,
    ),
    _LateStep(
        "sinks",
        SINKS_KEY,
        {"sensorthings"},
        "Each tenant's sinks: servers that are kept up to date with what it has published.",
        lambda tenant: bool(tenant.sinks),
        deliver_tenant,
    ),
)


def build_late_assets(deployment: Deployment) -> dg.Definitions:
    """Those that any tenant uses."""
    tenants = deployment.catalog.tenants.values()
    return dg.Definitions(
        assets=[_asset(deployment, step) for step in _STEPS if any(map(step.is_used, tenants))]
    )


def _asset(deployment: Deployment, late: _LateStep) -> dg.AssetsDefinition:
    spec = dg.AssetSpec(
        late.key,
        group_name="tenants",
        kinds=late.kinds,
        owners=[f"team:{deployment.settings.team}"],
        description=late.description,
        skippable=True,
    )
    return build_step_assets(deployment, late.name, late.take, [spec], op_tags=_LATE)
