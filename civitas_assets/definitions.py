"""Dagster's entry: all definitions of a deployment, built from its catalogue and settings.

Nothing is read at import; Dagster asks when it loads the code location.
"""

from __future__ import annotations

import dagster as dg

from civitas_assets.catalog import Catalog, load_catalog
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.landing import landing_assets
from civitas_assets.defs.published import published_asset
from civitas_assets.defs.records import record_assets
from civitas_assets.defs.report import report_assets
from civitas_assets.defs.schedules import nightly_job, nightly_schedule
from civitas_assets.defs.scope import Scope
from civitas_assets.defs.shared import shared_assets
from civitas_assets.harmonise.prepare import prepare
from civitas_assets.settings import Settings


def build_definitions(deployment: Deployment) -> dg.Definitions:
    """The assets, checks, job and schedule of a deployment."""
    landing = landing_assets(deployment)
    pipeline = dg.Definitions(
        assets=[
            *([landing] if landing else []),
            record_assets(deployment),
            shared_assets(deployment),
            published_asset(deployment),
        ],
        jobs=[nightly_job],
        schedules=[nightly_schedule(deployment)],
        resources={"scope": Scope()},
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(pipeline, report_assets(deployment))


def load_deployment(settings: Settings | None = None, catalog: Catalog | None = None) -> Deployment:
    """The deployment that the environment describes.

    Raises:
        CatalogError: a tenant's file has faults.
        HarmoniseError: the dbt project cannot be parsed.
    """
    settings = settings or Settings()
    catalog = catalog or load_catalog(settings.tenants_dir, SOURCE_MODELS)
    return Deployment(catalog, settings, prepare(settings))


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of this deployment."""
    return build_definitions(load_deployment())
