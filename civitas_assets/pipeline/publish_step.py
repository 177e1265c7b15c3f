"""Publishing: the tenant's output is replaced in one atomic step, after every blocking test has passed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.errors import OutdatedError
from civitas_assets.harmonise.task import Task
from civitas_assets.pipeline.asset_names import name_published
from civitas_assets.pipeline.harmonise_step import make_models
from civitas_assets.pipeline.presentation import build_table_metadata
from civitas_assets.pipeline.results import Materialised, Result
from civitas_assets.pipeline.work import Work
from civitas_assets.publish.commons import announce_publication
from civitas_assets.publish.destination import Publication, ensure_current
from civitas_assets.publish.noted import note_publication

log = logging.getLogger("civitas_assets.publish")

_ATTEMPTS = 3  # where others publish all the time, it is left to them


def publish_tenant(work: Work) -> Iterator[Result]:
    """Replace what the tenant's workspace was made for in the destination.

    Where records have moved or others have published since it was made, it is made again first.
    """
    asset = name_published(work.tenant.destination)
    if not work.wants(asset):
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
    yield Materialised(
        asset,
        counts={
            "days": task.size,
            "rows": sum(publication.rows.values()),
            "bytes": publication.bytes,
            "seconds": publication.seconds,
        },
        unfilled=publication.unfilled,
        metadata={
            "rebuilt": task.rebuild,
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
            with announce_publication(commons, tenant.slug, work.run_id, task, contracts):
                ensure_held()
                publication = destination.publish(deployment.project, work.workspace, work.run_id)
                ensure_held()
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
        work.stores.journal.acknowledge(task.entries)
        return task, publication
    return None
