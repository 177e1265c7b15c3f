"""The assets `published/<destination>`: the tenant's output, replaced in one atomic step.

It runs only after all shared models were made and every blocking test passed.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg

from civitas_assets.catalog.model import Destination
from civitas_assets.defs.asset_keys import shared_key
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.presentation import build_table_metadata
from civitas_assets.defs.scope import RunScope
from civitas_assets.defs.shared_models import make_models
from civitas_assets.defs.work import Result, Work, raise_as_failures
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.errors import OutdatedError
from civitas_assets.harmonise.task import Task
from civitas_assets.publish.destination import Publication, ensure_current
from civitas_assets.publish.noted import note_publication

log = logging.getLogger("civitas_assets.publish")

_ATTEMPTS = 3  # where others publish all the time, it is left to them

_DESCRIPTIONS: Mapping[Destination, str] = {
    "duckdb": "One DuckDB file per tenant with all shared models, for analysts.",
    "postgres": "One PostgreSQL schema per tenant with all shared models, for analysts.",
}


def published_key(destination: Destination) -> dg.AssetKey:
    """The key of a destination's asset."""
    return dg.AssetKey(["published", destination])


def build_published_assets(deployment: Deployment) -> dg.Definitions:
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
    def publish(context: dg.AssetExecutionContext, scope: RunScope) -> Iterator[Any]:
        with raise_as_failures():
            yield from publish_tenant(Work.from_context(context, deployment, scope))

    return dg.Definitions(assets=[publish])


def publish_tenant(work: Work) -> Iterator[Result]:
    """Replace what the tenant's workspace was made for in the destination.

    Where records have moved or others have published since it was made, it is made again first.
    """
    key = published_key(work.tenant.destination)
    if not work.wants(key):
        return
    destination, workspace = work.deployment.make_destination(work.tenant), work.workspace
    with work.hold_lock() as ensure_held:
        done = _publish(work, ensure_held)
        if done is None:
            log.info("%s · another run has published what this one was to", work.tenant.slug)
            workspace.remove()
            return
        task, publication = done
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
            "tables": build_table_metadata(
                ("table", "rows"), [(name, rows) for name, rows in publication.rows.items() if rows]
            ),
        },
    )


def _publish(work: Work, ensure_held: Callable[[], None]) -> tuple[Task, Publication] | None:
    """What was published, and what came of it; None if others have done so.

    Raises:
        OutdatedError: others publish all the time.
    """
    deployment, tenant = work.deployment, work.tenant
    destination, commons = deployment.make_destination(tenant), deployment.make_commons(tenant.destination)[0]
    contracts = read_contracts(deployment.project)
    for attempt in range(_ATTEMPTS):
        task = work.workspace.read_task()
        try:
            if deployment.read_versions(tenant).have_moved(task, work.stores):
                raise OutdatedError(f"{tenant.slug}: records have changed since the rows were made")
            ensure_current(destination.address, task, destination.read_publication(), work.run_id)
            announced = {"whole": task.rebuild, "forget": task.forget}
            commons.announce(tenant.slug, work.run_id, task.days, contracts, **announced)
            ensure_held()
            publication = destination.publish(deployment.project, work.workspace, work.run_id)
        except OutdatedError as error:
            ensure_held()
            if attempt + 1 == _ATTEMPTS:
                raise
            log.info("%s: they are made again", error)
            made = make_models(work)
            if made is None:
                return None
            made.ensure_sound()
            continue
        ensure_held()
        commons.confirm(tenant.slug, work.run_id)
        work.stores.journal.acknowledge(task.entries)
        return task, publication
    return None
