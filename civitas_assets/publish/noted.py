"""What a publication leaves in the tenant's summary: when it was, how large the tables are, and what nobody can map.

The summary's form is in the package `store`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from civitas_assets.errors import PublishError
from civitas_assets.ingest.summarise import note_published
from civitas_assets.publish.destination import UNMAPPED_SQL, Publication
from civitas_assets.publish.reading import open_published
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files

if TYPE_CHECKING:
    from civitas_assets.catalog.model import Destination

log = logging.getLogger("civitas_assets.publish")


def note_publication(
    settings: Settings,
    files: Files,
    tenant: str,
    destination: Destination,
    publication: Publication,
    *,
    at: datetime,
) -> None:
    """Note the publication in the summary; the tenant's lock must be held."""
    unmapped = publication.unmapped
    if unmapped is None:
        unmapped = _count_unmapped(settings, tenant, destination)
    note_published(files, tenant, destination, at=at, bytes_=publication.bytes, unmapped=unmapped)


def _count_unmapped(settings: Settings, tenant: str, destination: Destination) -> Mapping[str, int]:
    try:
        with open_published(settings, tenant, destination=destination) as tables:
            rows = tables.query_rows(UNMAPPED_SQL)
    except PublishError as error:
        # What was published stays published, whether or not it can be counted.
        log.warning("%s · what nobody can map is not counted: %s", tenant, error)
        return {}
    return {str(row["source"]): int(str(row["unmapped"])) for row in rows}
