"""DuckDB as a destination: one file per tenant, replaced by copy, change, sync and rename.

A reader that holds the file keeps its old state until it opens it again, and is in nobody's way.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import duckdb

from civitas_assets.dictionary.contracts import Contract, read_contracts
from civitas_assets.dictionary.evolution import Evolution, plan_evolution
from civitas_assets.errors import PublishError
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.task import Portion
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.publish.destination import (
    Publication,
    check_key,
    ensure_collected,
    ensure_current,
)
from civitas_assets.publish.duckdb.duckdb_tables import DuckDBTables
from civitas_assets.publish.duckdb.duckdb_waste import measure_waste
from civitas_assets.publish.duckdb.published_file import find_published_file
from civitas_assets.publish.duckdb.replacing import copy_file, sync_file
from civitas_assets.settings import DEFAULT_LIMITS, Limits
from civitas_assets.store.files import remove_folder
from civitas_assets.store.locks import hold_folder_lock
from civitas_assets.store.space import explain_full_disk
from civitas_assets.store.whole_file import sync_folder

# What analysts need at least to open the file. Older formats take a third longer to write.
READABLE_SINCE = "v1.4.0"
# A file of which more than this holds nothing is written anew, so that corrected days do not make it grow for good.
_WASTED = 0.1


class DuckDBDestination:
    """The published file of one tenant."""

    kind = "duckdb"

    def __init__(self, published: Path, tenant: str, limits: Limits = DEFAULT_LIMITS) -> None:
        check_key(tenant)
        self.file = find_published_file(published, tenant)
        self._unfinished = self.file.parent / ".rebuild" / self.file.name
        self._limits = limits

    @property
    def address(self) -> str:
        """The file's path."""
        return str(self.file)

    def plan_migration(self, project: Project) -> Evolution:
        """See `Destination`."""
        if not self.file.is_file():
            return Evolution(reasons=("there is no output yet",))
        try:
            held = _read_statement(self.file).contracts
        except duckdb.Error as error:
            raise PublishError(
                f"{self.file} cannot be opened: {error}; close whoever writes to it, or remove it to have it rebuilt"
            ) from error
        if held is None:
            return Evolution(reasons=("the output does not say what contracts it follows",))
        return plan_evolution(held, read_contracts(project))

    def read_publication(self) -> str:
        """See `Destination`."""
        if not self.file.is_file():
            return ""
        try:
            return _read_statement(self.file).publication
        except duckdb.Error as error:
            raise PublishError(f"{self.file} cannot be opened: {error}") from error

    def read_collected(self, project: Project) -> Mapping[date, str] | None:
        """See `Destination`."""
        if not self._unfinished.is_file():
            return {}
        try:
            with self._open(self._unfinished) as tables:
                if tables.read_contracts() == read_contracts(project):
                    return tables.read_collected()
        except duckdb.Error:
            pass  # what cannot be read is made again
        return None

    def discard_rebuild(self) -> None:
        """See `Destination`."""
        remove_folder(self._unfinished.parent)

    def collect(self, project: Project, workspace: Workspace, portion: Portion) -> None:
        """See `Destination`."""
        try:
            self._make_folder()
            self._unfinished.parent.mkdir(exist_ok=True)
            with self._open(self._unfinished) as tables, tables.change(workspace):
                contracts = read_contracts(project)
                by_day = [model for model in project.models.values() if model.by_day]
                tables.replace_all(by_day, contracts)
                tables.comment({model.name: contracts[model.name] for model in by_day})
                tables.remember_contracts(contracts, run_id=None)
                tables.remember_collected(portion.versions)
        except (duckdb.Error, OSError) as error:
            told = explain_full_disk(self.file.parent, error, _size(workspace.database))
            raise PublishError(f"{self._unfinished} takes no further days: {told or error}") from error

    def publish(self, project: Project, workspace: Workspace, run_id: str) -> Publication:
        """See `Destination`."""
        started = time.monotonic()
        task = workspace.read_task()
        rebuild = task.rebuild
        contracts = read_contracts(project)
        try:
            self._make_folder()
            for leftover in self.file.parent.glob(".publish-*"):
                remove_folder(leftover)
            with self._copy(rebuild=rebuild) as copy:
                with self._open(copy) as tables:
                    if not rebuild:
                        tables.follow(
                            plan_evolution(tables.read_contracts() or {}, contracts), project, workspace
                        )
                    with tables.change(workspace):
                        rows = tables.replace_all(project.models.values(), contracts)
                        tables.comment(contracts)
                        tables.remember_contracts(contracts, run_id)
                    if rebuild:
                        ensure_collected(self.address, task, tables.read_collected())
                        tables.forget_collected()
                        rows = {name: tables.count(name) for name in project.models}
                    unfilled = tables.list_unfilled()
                    unmapped = tables.count_unmapped()
                    anew = task.forget or tables.has_forgotten or measure_waste(tables.connection) > _WASTED
                if anew:
                    self._write_anew(copy, contracts)
                copy.chmod(0o640)
                sync_file(copy)
                with hold_folder_lock(self.file.parent):
                    ensure_current(self, task, self.read_publication(), run_id)
                    copy.replace(self.file)
                sync_folder(self.file.parent)
        except (duckdb.Error, OSError) as error:
            # A copy, and while it is written in order another one.
            told = explain_full_disk(
                self.file.parent, error, 2 * _size(self.file) + _size(workspace.database)
            )
            raise PublishError(f"{self.file} was left as it was: {told or error}") from error
        return Publication(rows, self.file.stat().st_size, time.monotonic() - started, unfilled, unmapped)

    def clear(self) -> None:
        """See `Destination`."""
        try:
            remove_folder(self.file.parent)
        except OSError as error:
            raise PublishError(f"{self.file} is still there: {error}") from error

    def _write_anew(self, file: Path, contracts: Mapping[str, Contract]) -> None:
        """Write the file once more in order: DuckDB keeps what was deleted in its blocks, also after a checkpoint."""
        fresh = file.with_name(f".fresh-{file.name}")
        fresh.unlink(missing_ok=True)
        with self._open(fresh) as tables:
            tables.copy_from(file, contracts)
        fresh.replace(file)

    def _make_folder(self) -> None:
        """The tenant's folder, which is for its group: analysts of one tenant need not see the files of another."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.parent.chmod(0o750)

    @contextmanager
    def _open(self, file: Path) -> Iterator[DuckDBTables]:
        """The file's tables; what was changed is in the file itself when it is closed, not beside it."""
        with duckdb.connect(
            str(file), config={"storage_compatibility_version": READABLE_SINCE}
        ) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(self._limits.statements)
            # What is committed goes into the file at once, and not into a log beside it first: no reader has it yet.
            connection.execute("set checkpoint_threshold = '0KB'")
            yield DuckDBTables(connection)
            connection.execute("checkpoint")

    @contextmanager
    def _copy(self, *, rebuild: bool) -> Iterator[Path]:
        """The file to change and to rename then: a copy of what is published, or what a rebuild has collected."""
        if rebuild:
            self._unfinished.parent.mkdir(parents=True, exist_ok=True)
            yield self._unfinished
            self.discard_rebuild()
            return
        working = Path(tempfile.mkdtemp(dir=self.file.parent, prefix=".publish-"))
        try:
            copy = working / self.file.name
            copy_file(self.file, copy)
            yield copy
        finally:
            remove_folder(working)


@dataclass(frozen=True)
class _Statement:
    """What a published file says of itself."""

    contracts: Mapping[str, Contract] | None
    publication: str


def _read_statement(file: Path) -> _Statement:
    """What the file says, asked once as long as no other one takes its name: nobody changes one that is published."""
    found = file.stat()
    return _ask(file, found.st_ino, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=8)
def _ask(file: Path, *_: int) -> _Statement:
    with duckdb.connect(str(file), read_only=True) as connection:
        tables = DuckDBTables(connection)
        return _Statement(tables.read_contracts(), tables.read_publication())


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0
