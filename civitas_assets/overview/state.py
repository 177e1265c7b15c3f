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
from civitas_assets.errors import Fault, StoreError
from civitas_assets.store.files import Files
from civitas_assets.store.journal import Journal, Pending
from civitas_assets.store.nights import Night, NightBook, StepFailure
from civitas_assets.store.status import State, read_source_status
from civitas_assets.store.summary import SourceSummary, SummaryStore, TenantSummary

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
    """How these tenants are, given the faults of their own files; a few small files are read of each.

    One whose files in the store are damaged has that as its failure, and none of its sources is known.
    """

    def read_one(tenant: str) -> TenantState:
        outline, found = tenants[tenant], tuple(faults.get(tenant, ()))
        try:
            return _read_state(files, tenant, outline, now, found)
        except StoreError as error:
            failed = StepFailure("status", str(error))
            return TenantState(
                tenant, outline, (), TenantSummary(), Pending(frozenset(), False, {}), (failed,), found
            )

    with ThreadPoolExecutor(_READERS, thread_name_prefix="status") as pool:
        return [*pool.map(read_one, tenants)]


def _read_state(
    files: Files, tenant: str, outline: TenantOutline, now: datetime, faults: tuple[Fault, ...]
) -> TenantState:
    known = SummaryStore(files, tenant).read()
    sources = (
        _source(tenant, name, cadence, known.get_source(name), now)
        for name, cadence in outline.cadences.items()
    )
    pending = Journal(files, tenant).read_pending()
    failures = _failures(NightBook(files, tenant).read_last(1), known)
    return TenantState(tenant, outline, tuple(sources), known, pending, failures, faults)


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
