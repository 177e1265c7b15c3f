"""What a tenant has, at a glance: its parts, its days, and when it was last published.

Nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.model import Destination as Kind
from civitas_assets.errors import PublishError
from civitas_assets.lifecycle.parts import Part, Size
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.publish.postgres.postgres_reading import open_stream
from civitas_assets.publish.postgres.postgres_server import Server
from civitas_assets.records import RECORD_TYPES
from civitas_assets.settings import Settings
from civitas_assets.store.status import State, read_source_status
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SummaryStore


@dataclass(frozen=True)
class SourceFacts:
    """A source, how it is, and when it last answered and last brought something new."""

    name: str
    connector: str
    licence: str
    state: State
    fetched: datetime | None
    changed: datetime | None


@dataclass(frozen=True)
class Overview:
    """What there is of a tenant; `pending` days are recorded and not published yet."""

    sources: Sequence[SourceFacts]
    parts: dict[str, Size]
    days: Sequence[date]
    pending: int
    published: datetime | None


def read_overview(settings: Settings, tenant: Tenant, stores: Stores, parts: Sequence[Part]) -> Overview:
    """Look at everything that belongs to the tenant."""
    days = {
        day
        for kind in RECORD_TYPES.values()
        if kind.event_time is not None
        for day in stores.records.list_days(kind)
    }
    known = SummaryStore(stores.files, tenant.slug).read()
    return Overview(
        [
            SourceFacts(
                name,
                source.connector,
                source.licence,
                read_source_status(known.get_source(name), source.cadence, datetime.now(UTC)).state,
                known.get_source(name).heard_at,
                known.get_source(name).brought_at,
            )
            for name, source in tenant.sources.items()
        ],
        {part.name: part.measure() for part in parts},
        sorted(days),
        len(stores.journal.read_pending().days),
        read_published_at(settings, tenant),
    )


def read_published_at(settings: Settings, tenant: Tenant) -> datetime | None:
    """When the tenant's output was last replaced, of several destinations in the one that is furthest behind.

    None where there is none, or it cannot be asked.
    """
    found = [_read_published_at(settings, tenant, kind) for kind in tenant.destinations]
    known = [at for at in found if at is not None]
    return min(known) if len(known) == len(found) else None


def _read_published_at(settings: Settings, tenant: Tenant, kind: Kind) -> datetime | None:
    if kind == "postgres":
        try:
            with open_stream(Server.from_settings(settings), tenant.slug) as stream:
                found = stream.query("select published_at from _publication", ()).column(0).to_pylist()
        except PublishError:
            return None
        return found[0] if found and isinstance(found[0], datetime) else None
    published = PublishedFiles.from_settings(settings).find(tenant.slug).find()
    return published.published_at if published else None
