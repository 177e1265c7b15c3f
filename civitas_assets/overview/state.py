"""How each source of each tenant is: fresh, late, failing, or never asked; with what is rejected, unread and unmapped.

How it is shown is decided by whoever shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from civitas_assets.catalog.outline import TenantOutline
from civitas_assets.errors import Fault
from civitas_assets.store.files import Files
from civitas_assets.store.journal import Journal, Pending
from civitas_assets.store.nights import Night, NightBook, StepFailure
from civitas_assets.store.status import State, read_source_status
from civitas_assets.store.summary import SourceSummary, TenantSummary, read_summaries

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
    """One tenant: its sources, and what is to be published.

    `failures` are the steps and tests that its last recorded run failed by, if nothing was published since.
    """

    tenant: str
    outline: TenantOutline
    sources: tuple[SourceState, ...]
    summary: TenantSummary
    pending: Pending
    failures: tuple[StepFailure, ...] = ()
    file_faults: tuple[Fault, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether nobody has to look at it."""
        fine = self.outline.readable and not self.failures and not self.file_faults
        return fine and all(source.is_fine for source in self.sources)


def read_states(
    files: Files,
    tenants: Mapping[str, TenantOutline],
    now: datetime,
    faults: Mapping[str, Sequence[Fault]] = MappingProxyType({}),
) -> list[TenantState]:
    """How these tenants are, given the faults of their own files; a few small files are read of each."""
    known = read_summaries(files, tenants)
    with ThreadPoolExecutor(_READERS, thread_name_prefix="pending") as pool:
        pending = pool.map(lambda tenant: Journal(files, tenant).read_pending(), tenants)
        nights = pool.map(lambda tenant: NightBook(files, tenant).read_last(1), tenants)
        return [
            TenantState(
                tenant,
                outline,
                tuple(
                    _source(tenant, name, cadence, known[tenant].get_source(name), now)
                    for name, cadence in outline.cadences.items()
                ),
                known[tenant],
                waiting,
                _failures(night, known[tenant]),
                tuple(faults.get(tenant, ())),
            )
            for (tenant, outline), waiting, night in zip(tenants.items(), pending, nights, strict=True)
        ]


def select_troubled(found: Iterable[TenantState]) -> list[SourceState]:
    """The sources that somebody has to look at."""
    return [source for tenant in found for source in tenant.sources if not source.is_fine]


def _failures(nights: Iterable[Night], known: TenantSummary) -> tuple[StepFailure, ...]:
    last = next(iter(nights), None)
    is_past = last is None or (known.published_at is not None and known.published_at > last.ended_at)
    return () if last is None or is_past else last.failures


def _source(tenant: str, name: str, cadence: str, summary: SourceSummary, now: datetime) -> SourceState:
    status = read_source_status(summary, cadence, now)
    return SourceState(tenant, name, cadence, status.state, status.age, summary)
