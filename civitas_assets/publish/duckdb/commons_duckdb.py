"""The commons of all tenants that are published to DuckDB: one file, replaced by copy, change, sync and rename.

Whoever holds the lock also brings in what others have noted meanwhile, so that a hundred tenants cost a few copies.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date

import duckdb

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.errors import PublishError, StoreError
from civitas_assets.publish.commons import CommonsReport, Member, Members, merge_held_members
from civitas_assets.publish.commons_tables import CommonsTables, Holdings
from civitas_assets.publish.duckdb.commons_file import ChangingTables, CommonsFile
from civitas_assets.publish.duckdb.commons_notes import Notes
from civitas_assets.publish.duckdb.published_file import PublishedFile
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.settings import DEFAULT_LIMITS, Limits
from civitas_assets.store.files import Files
from civitas_assets.store.space import explain_full_disk

log = logging.getLogger("civitas_assets.publish")


@dataclass
class _Work:
    """What has to be done under the lock: whole models, or days, by tenant; and notes that are settled by it."""

    whole: dict[str, set[str]] = field(default_factory=dict)
    days: dict[str, frozenset[date]] = field(default_factory=dict)
    entries: dict[str, tuple[str, ...]] = field(default_factory=dict)
    forget: bool = False

    def __bool__(self) -> bool:
        return bool(self.whole or self.days)

    @property
    def tenants(self) -> list[str]:
        return sorted({*self.whole, *self.days})


class DuckDBCommons:
    """The file of the commons."""

    def __init__(
        self,
        published: PublishedFiles,
        hold: Callable[[], AbstractContextManager[object]],
        files: Files,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """`hold` keeps all others who change the commons waiting, on whichever machine."""
        self._current = published.find(COMMONS)
        self._file = CommonsFile(self._current, limits)
        self._published, self._hold = published, hold
        self._notes = Notes(files)

    @property
    def address(self) -> str:
        """See `Commons`."""
        return self._current.address

    def announce(
        self,
        tenant: str,
        run_id: str,
        days: Iterable[date],
        contracts: Mapping[str, Contract],
        *,
        whole: bool,
        forget: bool = False,
    ) -> None:
        """See `Commons`; what tables look like then is read from the published file itself."""
        del contracts
        self._notes.announce(tenant, run_id, days, whole=whole, forget=forget)

    def confirm(self, tenant: str, run_id: str) -> None:
        """See `Commons`."""
        self._notes.confirm(tenant, run_id)

    def is_current(self, tenant: str, members: Members) -> bool:
        """See `Commons`."""
        if self._notes.read_waiting(tenant):
            return False
        try:
            with self._file.open_reading() as tables:
                held = tables.read_holdings() if tables else {}
                incomplete = tables.list_incomplete() if tables else frozenset()
        except PublishError:
            return False  # bringing it up to date will say why it cannot be
        wanted = _wanted(merge_held_members(members, held))
        own = {key for key in wanted if key[0] == tenant}
        return (
            not _withdrawn(held, wanted)
            and all(held.get(key) == wanted[key] for key in own)
            and not incomplete & own
        )

    def unshare(self, members: Members) -> int:
        """See `Commons`."""
        with self._file.open_reading() as tables:
            held = tables.read_holdings() if tables else {}
            members = merge_held_members(members, held)
            if not _withdrawn(held, _wanted(members)):
                return 0
        with self._alone(), self._file.open_changing() as tables:
            taken = self._take_out(tables, members)
            tables.compact = True
        return taken

    def refresh(self, tenant: str, members: Members, contracts: Mapping[str, Contract]) -> CommonsReport:
        """See `Commons`."""
        started = time.monotonic()
        work, merged = self._examine(tenant, members, contracts)
        report = CommonsReport()
        with self._alone() if merged is not None else nullcontext():
            if merged is not None:  # whoever held the lock before may have done it
                work, merged = self._examine(tenant, members, contracts)
            if merged is not None:
                report = self._change(tenant, work, merged, contracts)
            self._notes.acknowledge(
                key for slug, keys in work.entries.items() if slug not in report.failed for key in keys
            )
        size = found.size if (found := self._current.find()) else 0
        return CommonsReport(report.rows, report.withdrawn, size, time.monotonic() - started, report.failed)

    def _examine(
        self, tenant: str, members: Members, contracts: Mapping[str, Contract]
    ) -> tuple[_Work, Members | None]:
        """What has to be done, for members with what is held of those that are left out; None where nothing has."""
        with self._file.open_reading() as tables:
            held = tables.read_holdings() if tables else {}
            members = merge_held_members(members, held)
            work = self._work(tenant, tables, members, contracts)
        return work, members if work or _withdrawn(held, _wanted(members)) else None

    def _change(
        self, tenant: str, work: _Work, members: Members, contracts: Mapping[str, Contract]
    ) -> CommonsReport:
        with self._file.open_changing() as changed:
            taken = self._take_out(changed, members)
            changed.compact = taken > 0 or work.forget
            report = self._bring_in(changed, tenant, work, members, contracts)
        return CommonsReport(report.rows, taken, 0, 0.0, report.failed)

    def count_rows_of(self, tenant: str) -> int:
        """See `Commons`."""
        with self._file.open_reading() as tables:
            return tables.count(tenant) if tables else 0

    def forget(self, tenant: str) -> int:
        """See `Commons`."""
        with self._alone():
            self._notes.forget(tenant)
            with self._file.open_reading() as tables:
                if tables is None or tenant not in tables.list_tenants():
                    return 0
            with self._file.open_changing() as changed:
                rows = sum(changed.drop(*key) for key in changed.read_holdings() if key[0] == tenant)
                changed.forget_tenant(tenant)
                _sweep(changed)
                changed.compact = True
        return rows

    def _work(
        self, tenant: str, tables: CommonsTables | None, members: Members, contracts: Mapping[str, Contract]
    ) -> _Work:
        """What the tenant and, where it is noted and published, others need."""
        held = tables.read_holdings() if tables else {}
        incomplete = tables.list_incomplete() if tables else frozenset()
        misshapen = tables.find_misshapen(contracts) if tables else frozenset()
        work = _Work()
        notes = self._notes.read_others(tenant)
        if own := self._notes.read_waiting(tenant):
            notes[tenant] = own
        for slug, waiting in notes.items():
            if slug in members and members[slug].left_out:
                continue  # its news wait until its file is mended
            work.entries[slug] = waiting.entries
            work.forget |= waiting.forget
            if slug in members and not waiting.whole:
                work.days[slug] = waiting.days
            elif slug in members:
                work.whole[slug] = set(members[slug].shared)
        for (slug, model), withheld in _wanted(members).items():
            key = (slug, model)
            new = key not in held or bool(held[key] - withheld) or key in incomplete
            if model in contracts and (model in misshapen or (new and slug == tenant)):
                work.whole.setdefault(slug, set()).add(model)
        return work

    def _take_out(self, tables: CommonsTables, members: Members) -> int:
        """Rows and columns that are not shared any more."""
        wanted, taken = _wanted(members), 0
        with tables.change():
            for (slug, model), withheld in tables.read_holdings().items():
                if (slug, model) not in wanted:
                    taken += tables.drop(slug, model)
                elif newly := wanted[slug, model] - withheld:
                    # Which counts are small, the contract of the rows says: they come back when they are brought in.
                    anew = newly.below > 1
                    taken += tables.drop(slug, model) if anew else tables.hide(slug, model, newly)
            for slug in tables.list_tenants() - members.keys():
                tables.forget_tenant(slug)
            _sweep(tables)
        return taken

    def _bring_in(
        self,
        tables: ChangingTables,
        tenant: str,
        work: _Work,
        members: Members,
        contracts: Mapping[str, Contract],
    ) -> CommonsReport:
        """Load what is to be loaded; what fails for another tenant is a problem, and waits."""
        rows: dict[str, int] = {}
        failed: dict[str, str] = {}
        with tables.change():
            for model in tables.find_misshapen(contracts):
                if model in contracts:
                    tables.begin(contracts[model])
        for slug in work.tenants:
            member = members[slug]
            file = self._published.find(slug)
            try:
                loaded = self._load(tables, member, file, work, contracts)
            except duckdb.Error as error:
                if slug == tenant:
                    raise
                failed[slug] = str(error)
                log.error("commons · %s · not brought in: %s", slug, error)
            else:
                if slug == tenant and loaded is not None:
                    rows = loaded
        return CommonsReport(rows, failed=failed)

    def _load(
        self,
        tables: ChangingTables,
        member: Member,
        file: PublishedFile,
        work: _Work,
        contracts: Mapping[str, Contract],
    ) -> dict[str, int] | None:
        """Rows by model; None where the tenant has published nothing yet."""
        held = tables.read_holdings()
        whole = work.whole.get(member.slug, set())
        days = work.days.get(member.slug)
        with ExitStack() as stack:
            with file.open_current() as path:
                if path is None:
                    return None
                published = stack.enter_context(tables.attach_published(path))
            stack.enter_context(tables.change())
            if not member.left_out:  # else who it is stays as well
                tables.compact |= tables.describe_member(member) > 0
            rows = {}
            for model in sorted(member.shared.keys() & contracts.keys()):
                if not tables.has(model):
                    tables.begin(contracts[model])
                if model in whole:
                    rows[model] = tables.load(member, published, contracts[model], None)
                elif days is not None and (member.slug, model) in held:
                    rows[model] = tables.load(member, published, contracts[model], days)
        return rows

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            with self._hold():
                yield
        except (duckdb.Error, OSError, StoreError) as error:
            told = explain_full_disk(self._current.path.parent, error)
            raise PublishError(f"{self.address} was left as it was: {told or error}") from error


def _wanted(members: Members) -> Holdings:
    return {(slug, model): out for slug, member in members.items() for model, out in member.shared.items()}


def _withdrawn(held: Holdings, wanted: Holdings) -> bool:
    """Whether there is anything that is not shared any more."""
    return any(key not in wanted or bool(wanted[key] - withheld) for key, withheld in held.items())


def _sweep(tables: CommonsTables) -> None:
    """Remove models that nobody shares any more."""
    in_use = {model for _, model in tables.read_holdings()}
    for model in tables.list_models() - in_use:
        tables.end(model)
