"""The assets `published/<destination>`: the tenant's output, replaced in one atomic step.

It runs only after all shared models were made and every blocking test passed.
"""

from typing import Any

import dagster as dg

from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.presentation import table
from civitas_assets.defs.shared import shared_key
from civitas_assets.publish.noted import note_publication

PUBLISHED = dg.AssetKey(["published", "duckdb"])


def published_asset(deployment: Deployment) -> dg.AssetsDefinition:
    """The DuckDB destination."""

    @dg.multi_asset(
        name="publish_duckdb",
        specs=[
            dg.AssetSpec(
                PUBLISHED,
                deps=[shared_key(name) for name in deployment.project.models],
                group_name="published",
                kinds={"duckdb"},
                description="One DuckDB file per tenant with all shared models, for analysts.",
            )
        ],
        partitions_def=deployment.partitions,
        can_subset=True,
    )
    def publish(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        tenant = deployment.catalog.tenant(context.partition_key)
        workspace = deployment.workspace(context.run.run_id)
        destination = deployment.destination(tenant)
        with deployment.working_for(tenant):
            task = workspace.task()
            publication = destination.publish(deployment.project, workspace, context.run.run_id)
            deployment.stores(tenant).journal.strike(task.entries)
            note_publication(
                deployment.settings, deployment.files, tenant.slug, publication, deployment.now()
            )
            workspace.remove()
        return dg.MaterializeResult(
            asset_key=PUBLISHED,
            metadata={
                "days": task.size,
                "rebuilt": task.rebuild,
                "rows": sum(publication.rows.values()),
                "bytes": publication.bytes,
                "seconds": publication.seconds,
                "path": destination.address,
                "unfilled": list(publication.unfilled),
                "tables": table(("table", "rows"), list(publication.rows.items())),
            },
        )

    return publish
