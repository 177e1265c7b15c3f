"""The assets `landing/<connector>`: what the sources answered, as bytes.

A check says of each source what became of it, so that one that is down is seen and stops nothing else.
"""

from collections.abc import Iterator

import dagster as dg

from civitas_assets.connectors.registry import locate_connector
from civitas_assets.defs.asset_checks import build_partitioned_check, build_partitions
from civitas_assets.defs.asset_keys import landing_key
from civitas_assets.defs.asset_steps import build_step_assets
from civitas_assets.defs.models import make_code_link
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.fetch_step import fetch_tenant
from civitas_assets.pipeline.outcomes import ANSWERED, FRESH
from civitas_assets.pipeline.results import Result
from civitas_assets.pipeline.work import Work


def build_landing_assets(deployment: Deployment) -> dg.Definitions:
    """The landings of all connectors that a tenant uses, fetched in one step."""
    specs, checks, partitions = [], [], build_partitions(deployment)
    for connector in deployment.catalog.connectors:
        specs.append(
            dg.AssetSpec(
                landing_key(connector),
                group_name="landing",
                kinds={connector},
                owners=[f"team:{deployment.settings.team}"],
                description=f"Bodies received from the tenant's {connector} sources, each kept once.",
                metadata=make_code_link(deployment.settings, file, "Connector")
                if (file := locate_connector(connector))
                else {},
            )
        )
        for check, what in (
            (ANSWERED, "Everything that was asked of the tenant's sources was answered."),
            (FRESH, "Each source has answered within the time that its cadence allows."),
        ):
            checks.append(build_partitioned_check(check, landing_key(connector), partitions, what))
    if not specs:
        return dg.Definitions()

    def fetch(work: Work) -> Iterator[Result]:
        with deployment.make_http_client() as client:
            yield from fetch_tenant(work, client)

    return dg.Definitions(assets=[build_step_assets(deployment, "fetch", fetch, specs, checks)])
