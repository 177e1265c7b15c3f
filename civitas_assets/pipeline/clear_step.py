"""Clearing: what a tenant has published where its file does not list it any more is taken away.

It goes once all destinations that are listed have been published to, so that there is always one to read from.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from civitas_assets.catalog.destination_kinds import DESTINATIONS
from civitas_assets.ingest.summarise import note_cleared
from civitas_assets.pipeline.results import Result
from civitas_assets.pipeline.work import Work
from civitas_assets.publish.noted import list_held_destinations

log = logging.getLogger("civitas_assets.publish")


def clear_unlisted(work: Work) -> Iterator[Result]:
    """Take the tenant's output, and what it shares, out of destinations that its file does not list any more.

    Raises:
        PublishError: a destination does not let go of it; the next run tries again.
    """
    deployment, tenant = work.deployment, work.tenant
    held = list_held_destinations(deployment.settings, deployment.files, tenant.slug)
    unlisted = held - {*tenant.destinations}
    if not unlisted or not held.issuperset(tenant.destinations):
        return
    with work.hold_lock():
        for kind in DESTINATIONS:
            if kind in unlisted and not deployment.has_server(kind):
                log.warning("%s · what is in %s stays there, as no server is set", tenant.slug, kind)
            elif kind in unlisted:
                deployment.make_commons(kind)[0].forget(tenant.slug)
                destination = deployment.make_destination(tenant, kind)
                destination.clear()
                note_cleared(deployment.files, tenant.slug, kind)
                log.info(
                    "%s · %s is not listed any more, and was taken away", tenant.slug, destination.address
                )
    yield from ()
