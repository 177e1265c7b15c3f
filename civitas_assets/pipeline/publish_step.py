"""Publishing: the tenant's output is replaced in one atomic step, after every blocking test has passed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from civitas_assets.catalog.model import Destination as Kind
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


def publish_tenant(work: Work, kind: Kind) -> Iterator[Result]:
    """Replace what the tenant's workspace was made for in one of its destinations.

    Where records have moved or others have published since it was made, or it was made for other destinations that need
    something else, it is made again first.
    """
    asset = name_published(kind)
    if kind not in work.tenant.destinations or not work.wants(asset):
        return
    destination = work.deployment.make_destination(work.tenant, kind)
    with work.hold_lock() as ensure_held:
        done = _publish(work, kind, ensure_held)
        if done is None:
            log.info("%s · %s is up to date already", work.tenant.slug, destination.address)
            work.workspace.release(kind)
            return
        task, publication = done
        note_publication(
            work.deployment.settings,
            work.deployment.files,
            work.tenant.slug,
            kind,
            publication,
            listed=work.tenant.destinations,
            at=work.deployment.now(),
        )
        # Last: what ends in between leaves the notes, and all of it is done once more.
        work.stores.journal.settle(task.entries, kind, work.tenant.destinations)
        work.workspace.release(kind)
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


def _publish(work: Work, kind: Kind, ensure_held: Callable[[], None]) -> tuple[Task, Publication] | None:
    """What was published, and what came of it; None if others have done so.

    Raises:
        OutdatedError: others publish all the time.
    """
    deployment, tenant = work.deployment, work.tenant
    destination, commons = deployment.make_destination(tenant, kind), deployment.make_commons(kind)[0]
    contracts = read_contracts(deployment.project)
    for attempt in range(_ATTEMPTS):
        task = _find_task(work, kind)
        if task is None:
            return None
        try:
            if deployment.read_versions(tenant).have_moved(task, work.stores):
                raise OutdatedError(f"{tenant.slug}: records have changed since the rows were made")
            ensure_current(destination, task, destination.read_publication(), work.run_id)
            with announce_publication(commons, tenant.slug, work.run_id, task, contracts):
                ensure_held()
                publication = destination.publish(deployment.project, work.workspace, work.run_id)
                ensure_held()
        except OutdatedError as error:
            ensure_held()
            if attempt + 1 == _ATTEMPTS:
                raise
            log.info("%s: they are made again", error)
            if _make_anew(work, kind) is None:
                return None
            continue
        return task, publication
    return None


def _find_task(work: Work, kind: Kind) -> Task | None:
    """What the workspace holds for the destination; it is made where it holds what others of the tenant need, or did.

    None where the destination needs nothing.
    """
    if work.workspace.is_made or len(work.tenant.destinations) == 1:
        task = work.workspace.read_task()
        if task.basis is None or kind in task.basis:
            return task
    return _make_anew(work, kind)


def _make_anew(work: Work, kind: Kind) -> Task | None:
    made = make_models(work, [kind])
    if made is None:
        return None
    made.ensure_sound()
    return work.workspace.read_task()
