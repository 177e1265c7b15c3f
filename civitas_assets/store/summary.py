"""The summary of a tenant: what its runs last did, in one small file, so that an overview need not look at everything.

It is kept beside the journal and written by the steps of a run; whatever it says can be found out from the stores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from civitas_assets.errors import Note, Problem
from civitas_assets.store.files import Files
from civitas_assets.store.layout import summary_key
from civitas_assets.store.stored_record import decode_state

_ERRORS = ("error", "read_error")


class SourceSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """One source: when it was asked, when all that was asked was answered, when that was last new, and what is left.

    `heard_at` is when it last answered anything. `error` is what fetching last failed by, `read_error` what reading
    did, `state` how it was after its tenant's last run, as `status.py` has it. `unread` is the number of payloads that
    cannot be read, `unmapped` that of published values without a known property or unit. `fetch_notes` are those of the
    last fetch, `read_notes` those of all that has been read and that the source has still.
    """

    asked_at: datetime | None = None
    answered_at: datetime | None = None
    brought_at: datetime | None = None
    heard_at: datetime | None = None
    error: Problem | None = None
    read_error: Problem | None = None
    state: str = ""
    landing_bytes: int = 0
    unread: int = 0
    rejected: int = 0
    discarded: int = 0
    unmapped: int = 0
    fetch_notes: tuple[Note, ...] = ()
    read_notes: tuple[Note, ...] = ()

    @property
    def notes(self) -> tuple[Note, ...]:
        """What people should know of the source as it is now."""
        return (*self.fetch_notes, *self.read_notes)


class TenantSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """One tenant: its sources, the bytes of records and quarantine, and what was last published when.

    `destinations` are those that hold something of it, with their bytes; `outdated` those of them that its file did not
    list for a while, in which nobody has published since.
    """

    sources: dict[str, SourceSummary] = {}
    record_bytes: int = 0
    published_at: datetime | None = None
    published_bytes: int = 0
    destinations: dict[str, int] = {}
    outdated: frozenset[str] = frozenset()

    def get_source(self, name: str) -> SourceSummary:
        """That of a source, also of one that was never asked."""
        return self.sources.get(name, SourceSummary())

    @property
    def bytes(self) -> int:
        """All that is kept of the tenant."""
        landing = sum(source.landing_bytes for source in self.sources.values())
        return landing + self.record_bytes + self.published_bytes


class SummaryStore:
    """The summary of one tenant; whoever changes it holds the tenant's lock."""

    def __init__(self, files: Files, tenant: str) -> None:
        self._files = files
        self._key = summary_key(tenant)

    def read(self) -> TenantSummary:
        """What the runs so far have left.

        Raises:
            StoreError: it is damaged.
        """
        body = self._files.read(self._key)
        return TenantSummary() if body is None else decode_state(self._files, self._key, body, _decoded)

    def change(self, change: Callable[[TenantSummary], TenantSummary]) -> None:
        """Replace it by what is made of it."""
        before = self.read()
        after = change(before)
        if after != before:
            self._files.write(self._key, msgspec.json.encode(after))

    def change_sources(self, changes: Mapping[str, Callable[[SourceSummary], SourceSummary]]) -> None:
        """Replace what is said of some sources."""
        if changes:
            self.change(
                lambda whole: msgspec.structs.replace(
                    whole,
                    sources=whole.sources
                    | {name: change(whole.get_source(name)) for name, change in changes.items()},
                )
            )


def _decoded(body: bytes) -> TenantSummary:
    try:
        return msgspec.json.decode(body, type=TenantSummary)
    except msgspec.ValidationError:  # of a version that kept of errors the texts alone
        older = msgspec.json.decode(body, type=dict[str, Any])
        older["sources"] = msgspec.convert(older.get("sources", {}), dict[str, dict[str, Any]])
        for source in older["sources"].values():
            said = {name: source[name] for name in _ERRORS if isinstance(source.get(name), str)}
            source |= {name: {"text": text} if text else None for name, text in said.items()}
        return msgspec.convert(older, TenantSummary)
