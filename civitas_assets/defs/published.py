"""The assets `published/<destination>`: the tenant's output, replaced in one atomic step.

It runs only after all shared models were made and every blocking test passed.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.presentation import table
from civitas_assets.defs.scope import Scope
from civitas_assets.defs.shared import shared_key
from civitas_assets.defs.work import Result, Work, failures_in_words
from civitas_assets.publish.noted import note_publication

PUBLISHED = dg.AssetKey(["published", "duckdb"])


def published_assets(deployment: Deployment) -> dg.Definitions:
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
    def publish(context: dg.AssetExecutionContext, scope: Scope) -> Iterator[Any]:
        with failures_in_words():
            yield from publish_tenant(Work.of(context, deployment, scope))

    return dg.Definitions(assets=[publish])


def publish_tenant(work: Work) -> Iterator[Result]:
    """Replace what the tenant's workspace was made for in the destination."""
    destination, workspace = work.deployment.destination(work.tenant), work.workspace
    with work.locked():
        task = workspace.task()
        publication = destination.publish(work.deployment.project, workspace, work.run_id)
        work.stores.journal.strike(task.entries)
        note_publication(
            work.deployment.settings,
            work.deployment.files,
            work.tenant.slug,
            publication,
            work.deployment.now(),
        )
        workspace.remove()
    yield dg.MaterializeResult(
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
