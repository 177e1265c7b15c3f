"""The asset `tenants/open_data`: the folder of open data of each tenant that has one, made when all else is.

Like the page, it depends on no step: what is not open any more goes from the folder even in a night that publishes
nothing.
"""

import logging
from collections.abc import Iterator
from typing import Any

import dagster as dg

from civitas_assets.defs.asset_keys import OPEN_DATA
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.scope import RunScope
from civitas_assets.defs.work import Result, Work, raise_as_failures
from civitas_assets.opendata.folder_contents import make_open_folder
from civitas_assets.store.open_folder import OpenFolder

log = logging.getLogger("civitas_assets.publish")
_LATE = {"dagster/priority": "-50"}  # before the page, after everything else


def build_open_folder_assets(deployment: Deployment) -> dg.Definitions:
    """The folders of open data; where no tenant has one, there is nothing."""
    if not any(tenant.open_data.folder for tenant in deployment.catalog.tenants.values()):
        return dg.Definitions()

    @dg.multi_asset(
        name="offer",
        specs=[
            dg.AssetSpec(
                OPEN_DATA,
                group_name="tenants",
                kinds={"csv", "parquet"},
                owners=[f"team:{deployment.settings.team}"],
                description="Each tenant's folder of open data: files of its open tables, and their catalogue.",
                skippable=True,
            )
        ],
        partitions_def=deployment.partitions,
        op_tags=_LATE,
        can_subset=True,
    )
    def offer(context: dg.AssetExecutionContext, scope: RunScope) -> Iterator[Any]:
        with raise_as_failures():
            yield from publish_open_folder(Work.from_context(context, deployment, scope))

    return dg.Definitions(assets=[offer])


def publish_open_folder(work: Work) -> Iterator[Result]:
    """Bring the tenant's folder up to what it has published; in runs of many on a day it waits for the night."""
    if not work.scope.is_of_a_night:
        return
    deployment, tenant = work.deployment, work.tenant
    if tenant.open_data.folder is None and OpenFolder(deployment.files, tenant.slug).read_index() is None:
        return  # as of most tenants, and no lock is needed to see it
    with work.hold_lock():
        change = make_open_folder(deployment.settings, deployment.files, tenant, deployment.now())
    if change is None:
        return
    log.info("%s · open data · %d files changed", tenant.slug, len(change.changed))
    files = change.index.files if change.index else {}
    yield dg.MaterializeResult(
        asset_key=OPEN_DATA,
        metadata={
            "files": len(files),
            "bytes": sum(file.size for file in files.values()),
            "changed": list(change.changed),
            "left_out": dict(change.left_out),
        },
    )
