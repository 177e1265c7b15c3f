"""The assets `published/<destination>` and `commons/<destination>`: what a tenant publishes, and what of it it shares.

A destination's own steps: what one does not take, others do, and the commons is skipped with its destination alone.
They run only after all shared models were made and every blocking test passed; what is not shared any more is taken
out earlier in the run, whatever becomes of the rest of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import dagster as dg

from civitas_assets.catalog.model import Destination
from civitas_assets.defs.asset_keys import commons_key, published_key, shared_key
from civitas_assets.defs.asset_steps import build_step_assets
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.publish_step import publish_tenant
from civitas_assets.pipeline.share_step import share_tenant

_DESCRIPTIONS: Mapping[Destination, str] = {
    "duckdb": "One DuckDB file per tenant with all shared models, for analysts.",
    "postgres": "One PostgreSQL schema per tenant with all shared models, for analysts.",
}


def build_published_assets(deployment: Deployment) -> dg.Definitions:
    """The destinations that tenants use; a run publishes to those of its tenant and skips the others."""
    return dg.Definitions(
        assets=[each for kind in deployment.kinds for each in _build_assets(deployment, kind)]
    )


def _build_assets(deployment: Deployment, kind: Destination) -> Iterator[dg.AssetsDefinition]:
    spec = partial(
        dg.AssetSpec, group_name="published", kinds={kind}, owners=[f"team:{deployment.settings.team}"]
    )
    published = spec(
        published_key(kind),
        deps=[shared_key(name) for name in deployment.project.models],
        description=_DESCRIPTIONS[kind],
        skippable=True,
    )
    shared = spec(
        commons_key(kind),
        deps=[published_key(kind)],
        description="What tenants share with each other, each row with its tenant, licence and attribution.",
    )
    yield build_step_assets(deployment, f"publish_{kind}", partial(publish_tenant, kind=kind), [published])
    yield build_step_assets(deployment, f"commons_{kind}", partial(share_tenant, kind=kind), [shared])
