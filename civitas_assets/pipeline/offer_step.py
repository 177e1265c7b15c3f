"""Offering: the tenant's folder of open data is brought up to what it has published, when all else is done."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from civitas_assets.pipeline.asset_names import OPEN_DATA
from civitas_assets.pipeline.results import Materialised, Result, Shown
from civitas_assets.pipeline.work import Work
from civitas_assets.store.open_folder import OpenFolder

log = logging.getLogger("civitas_assets.publish")


def publish_open_folder(work: Work) -> Iterator[Result]:
    """Bring the tenant's folder up to what it has published; in runs of many on a day it waits for the night."""
    if not work.scope.is_of_a_night:
        return
    deployment, tenant = work.deployment, work.tenant
    if tenant.open_data.folder is None and OpenFolder(deployment.files, tenant.slug).read_index() is None:
        return  # as of most tenants, and no lock is needed to see it
    from civitas_assets.opendata.folder_contents import make_open_folder  # noqa: PLC0415 - with all of RDF

    with work.hold_lock():
        change = make_open_folder(deployment.settings, deployment.files, tenant, deployment.now())
    if change is None:
        return
    log.info("%s · open data · %d files changed", tenant.slug, len(change.changed))
    files = change.index.files if change.index else {}
    yield Materialised(
        OPEN_DATA,
        counts={"files": len(files), "bytes": sum(file.size for file in files.values())},
        metadata={
            "changed": list(change.changed),
            "left_out": Shown("json", dict(change.left_out)),
        },
    )
