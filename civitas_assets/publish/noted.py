"""What a publication leaves in the tenant's summary: when it was, how large the tables are, and what nobody can map.

The summary's form is in the package `store`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from civitas_assets.errors import PublishError
from civitas_assets.ingest.summarise import note_published
from civitas_assets.publish.destination import UNMAPPED_SQL, Publication
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.publish.reading import open_published
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files
from civitas_assets.store.summary import SummaryStore

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
    listed: Collection[Destination],
    at: datetime,
) -> None:
    """Note the publication in the summary, and that destinations not `listed` fall behind; the lock must be held."""
    unmapped = publication.unmapped
    if unmapped is None:
        unmapped = _count_unmapped(settings, tenant, destination)
    note_published(
        files, tenant, destination, listed=listed, at=at, bytes_=publication.bytes, unmapped=unmapped
    )


def list_held_destinations(settings: Settings, files: Files, tenant: str) -> frozenset[str]:
    """The destinations that hold something of the tenant, whatever its file lists.

    A file is there also where nobody has noted it, as of versions that noted none.
    """
    noted = SummaryStore(files, tenant).read().destinations
    has_file = PublishedFiles.from_settings(settings).find(tenant).find() is not None
    return frozenset(noted) | ({"duckdb"} if has_file else set())


def _count_unmapped(settings: Settings, tenant: str, destination: Destination) -> Mapping[str, int]:
    try:
        with open_published(settings, tenant, destination=destination) as tables:
            rows = tables.query_rows(UNMAPPED_SQL)
    except PublishError as error:
        # What was published stays published, whether or not it can be counted.
        log.warning("%s · what nobody can map is not counted: %s", tenant, error)
        return {}
    return {str(row["source"]): int(str(row["unmapped"])) for row in rows}
