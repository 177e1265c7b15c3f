"""The assets `staging/<model>` and `shared/<model>`: what dbt makes of the affected days, and its tests as checks.

Where nothing is affected, neither workspace nor dbt is started, and publishing is skipped.
"""

import dagster as dg

from civitas_assets.defs.asset_checks import build_partitioned_check, build_partitions
from civitas_assets.defs.asset_keys import shared_key
from civitas_assets.defs.asset_steps import build_step_assets
from civitas_assets.defs.models import build_model_specs
from civitas_assets.harmonise.project import DataTest
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.harmonise_step import harmonise_tenant
from civitas_assets.pipeline.outcomes import TESTED


def build_shared_assets(deployment: Deployment) -> dg.Definitions:
    """All models, made in one step."""
    project, partitions = deployment.project, build_partitions(deployment)
    checks = [
        build_partitioned_check(
            TESTED,
            shared_key(model),
            partitions,
            "\n".join(["Every data test holds:", *map(_described, tests)]),
            blocking=any(test.blocking for test in tests),
        )
        for model, tests in project.tests_by_model.items()
    ]
    assets = build_step_assets(
        deployment, "harmonise", harmonise_tenant, build_model_specs(deployment), checks
    )
    return dg.Definitions(assets=[assets])


def _described(test: DataTest) -> str:
    """A line about a data test: what it guards, and what follows where it is broken."""
    follows = "stops publishing" if test.blocking else "warns"
    return f"- `{test.name}` ({follows}): {test.description}"
