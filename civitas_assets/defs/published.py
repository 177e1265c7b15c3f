"""The assets `published/<destination>`: the tenant's output, replaced in one atomic step.

It runs only after all shared models were made and every blocking test passed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from civitas_assets.catalog.model import Destination
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.keys import shared_key
from civitas_assets.defs.presentation import table
from civitas_assets.defs.scope import Scope
from civitas_assets.defs.work import Result, Work, failures_in_words
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.publish.noted import note_publication

_DESCRIPTIONS: Mapping[Destination, str] = {
    "duckdb": "One DuckDB file per tenant with all shared models, for analysts.",
    "postgres": "One PostgreSQL schema per tenant with all shared models, for analysts.",
}


def published_key(destination: Destination) -> dg.AssetKey:
    """The key of a destination's asset."""
    return dg.AssetKey(["published", destination])


def published_assets(deployment: Deployment) -> dg.Definitions:
    """The destinations that tenants use; a run publishes to that of its tenant and skips the others."""
    used = {tenant.destination for tenant in deployment.catalog.tenants.values()} or {"duckdb"}

    @dg.multi_asset(
        name="publish",
        specs=[
            dg.AssetSpec(
                published_key(destination),
                deps=[shared_key(name) for name in deployment.project.models],
                group_name="published",
                kinds={destination},
                owners=[f"team:{deployment.settings.team}"],
                description=description,
                skippable=True,
            )
            for destination, description in _DESCRIPTIONS.items()
            if destination in used
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
    key = published_key(work.tenant.destination)
    if not work.wants(key):
        return
    destination, workspace = work.deployment.destination(work.tenant), work.workspace
    with work.locked() as ensure_held:
        task = workspace.task()
        commons, _ = work.deployment.commons(work.tenant.destination)
        contracts = read_contracts(work.deployment.project)
        commons.announce(work.tenant.slug, work.run_id, task.days, contracts, whole=task.rebuild)
        ensure_held()
        publication = destination.publish(work.deployment.project, workspace, work.run_id)
        ensure_held()
        commons.confirm(work.tenant.slug, work.run_id)
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
        asset_key=key,
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
