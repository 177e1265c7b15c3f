"""Sharing: the commons are brought up to what the tenant has published.

What is not shared any more is taken out earlier in the run, whatever becomes of the rest of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from civitas_assets.catalog.model import Destination as Kind
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.pipeline.asset_names import name_commons
from civitas_assets.pipeline.presentation import build_table_metadata
from civitas_assets.pipeline.results import Materialised, Result
from civitas_assets.pipeline.work import Work

log = logging.getLogger("civitas_assets.publish")


def share_tenant(work: Work, kind: Kind) -> Iterator[Result]:
    """Bring the commons of a destination up to what the tenant has published there."""
    if kind not in work.tenant.destinations:
        return
    slug, asset = work.tenant.slug, name_commons(kind)
    commons, members = work.deployment.make_commons(kind)
    with work.hold_lock():
        report = commons.refresh(slug, members, read_contracts(work.deployment.project))
    if report.rows or report.withdrawn:
        log.info("%s · commons · %d rows came, %d went", slug, sum(report.rows.values()), report.withdrawn)
    elif work.keys is None and slug not in members and not report.problems:
        return  # in a tenant's turn only what has happened is said
    yield Materialised(
        asset,
        counts={
            "shared_rows": sum(report.rows.values()),
            "withdrawn_rows": report.withdrawn,
            "bytes": report.bytes,
            "seconds": report.seconds,
        },
        metadata={
            "path": commons.address,
            "problems_of_others": list(report.problems),
            "tables": build_table_metadata(("table", "rows"), list(report.rows.items())),
        },
    )
