"""How each source of each tenant is: fresh, late, failing, or never asked; with what is rejected, unread and unmapped.

How it is shown is decided by whoever shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from civitas_assets.catalog.cadence import CADENCES
from civitas_assets.catalog.outline import Outline
from civitas_assets.store.files import Files
from civitas_assets.store.journal import Journal, Pending
from civitas_assets.store.summary import SourceSummary, TenantSummary, summaries

State = Literal["ok", "late", "failing", "unread", "never"]

_READERS = 16


@dataclass(frozen=True)
class SourceState:
    """One source of one tenant; `age` is that of its last complete answer."""

    tenant: str
    source: str
    cadence: str
    state: State
    age: timedelta | None
    summary: SourceSummary

    @property
    def is_fine(self) -> bool:
        """Whether nobody has to look at it."""
        return self.state == "ok"


@dataclass(frozen=True)
class TenantState:
    """One tenant: its sources, and what is to be published."""

    tenant: str
    outline: Outline
    sources: tuple[SourceState, ...]
    summary: TenantSummary
    pending: Pending

    @property
    def is_fine(self) -> bool:
        """Whether nobody has to look at it."""
        return self.outline.readable and all(source.is_fine for source in self.sources)


def states(files: Files, tenants: Mapping[str, Outline], now: datetime) -> list[TenantState]:
    """How these tenants are; a few small files are read of each."""
    known = summaries(files, tenants)
    with ThreadPoolExecutor(_READERS, thread_name_prefix="pending") as pool:
        pending = pool.map(lambda tenant: Journal(files, tenant).pending(), tenants)
        return [
            TenantState(
                tenant,
                outline,
                tuple(
                    _source(tenant, name, cadence, known[tenant].source(name), now)
                    for name, cadence in outline.cadences.items()
                ),
                known[tenant],
                waiting,
            )
            for (tenant, outline), waiting in zip(tenants.items(), pending, strict=True)
        ]


def troubled(found: Iterable[TenantState]) -> list[SourceState]:
    """The sources that somebody has to look at."""
    return [source for tenant in found for source in tenant.sources if not source.is_fine]


def _source(tenant: str, name: str, cadence: str, summary: SourceSummary, now: datetime) -> SourceState:
    age = now - summary.answered_at if summary.answered_at else None
    state: State = "ok"
    if summary.asked_at is None:
        state = "never"
    elif summary.error:
        state = "failing"
    elif age is None or age > _patience(cadence):
        state = "late"
    elif summary.unread:
        state = "unread"
    return SourceState(tenant, name, cadence, state, age, summary)


def _patience(cadence: str) -> timedelta:
    """How old the last complete answer of a source may be; one of a cadence that there is not counts as nightly."""
    known = {str(name): rhythm.patience for name, rhythm in CADENCES.items()}
    return known.get(cadence, CADENCES["nightly"].patience)
