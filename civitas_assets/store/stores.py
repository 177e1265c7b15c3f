"""The stores of one tenant, together.

Landing is kept per source; it is opened where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass

from civitas_assets.store.files import Files
from civitas_assets.store.journal import Journal
from civitas_assets.store.quarantine import Quarantine
from civitas_assets.store.records import RecordStore
from civitas_assets.store.seen import SeenStore


@dataclass(frozen=True)
class Stores:
    """Records, quarantine and journal of one tenant, and the files that they and its landing are in."""

    files: Files
    records: RecordStore
    quarantine: Quarantine
    journal: Journal
    seen: SeenStore

    @classmethod
    def for_tenant(cls, files: Files, tenant: str) -> Stores:
        """The stores of the tenant in these files."""
        return cls(
            files,
            RecordStore(files, tenant),
            Quarantine(files, tenant),
            Journal(files, tenant),
            SeenStore(files, tenant),
        )
