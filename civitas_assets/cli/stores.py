"""What commands work on that read or repair stores themselves: the configured tenant, its stores and its lock.

What they do with them is in the package `ingest`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from civitas_assets.catalog import Source, Tenant
    from civitas_assets.settings import Settings
    from civitas_assets.store.files import Files
    from civitas_assets.store.stores import Stores


def open_files(settings: Settings) -> Files:
    """The objects of the deployment."""
    from civitas_assets.store.storage import make_storage

    return make_storage(settings).files


@dataclass(frozen=True)
class Site:
    """One tenant as its file has it, and what is stored of it."""

    settings: Settings
    tenant: Tenant
    stores: Stores

    @classmethod
    def open(cls, settings: Settings, slug: str) -> Site:
        """The tenant of that key.

        Raises:
            CatalogError: there is none, or a file has faults.
        """
        from civitas_assets.ingest.catalogue import load_catalogue
        from civitas_assets.store.stores import Stores

        tenant = load_catalogue(settings).get_tenant(slug)
        return cls(settings, tenant, Stores.for_tenant(open_files(settings), tenant.slug))

    def select_sources(self, names: list[str] | None) -> Mapping[str, Source]:
        """The named sources, or all."""
        unknown = sorted({*(names or ())} - self.tenant.sources.keys())
        if unknown:
            known = ", ".join(self.tenant.sources) or "none"
            raise typer.BadParameter(
                f"{self.tenant.slug} has no source {unknown[0]}; it has: {known}", param_hint="--source"
            )
        return {name: source for name, source in self.tenant.sources.items() if not names or name in names}

    def lock(self) -> AbstractContextManager[Any]:
        """Hold the tenant's lock.

        Raises:
            TenantBusy: a run works for the tenant.
        """
        from civitas_assets.store.storage import make_storage

        return make_storage(self.settings).hold(self.tenant.slug)

    def summarise(self) -> None:
        """Bring the summary up to what is unread, rejected and discarded now; the lock must be held."""
        from civitas_assets.ingest.summarise import note_read

        note_read(self.stores, self.tenant.slug, self.tenant.sources, grown=False)


def make_run_id(what: str) -> str:
    """The name under which records say that they came from a command."""
    return f"{what}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
