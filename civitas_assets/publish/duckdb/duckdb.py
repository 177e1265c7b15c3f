"""DuckDB as a destination: one file per tenant, of which a copy is changed that then takes its place.

A reader that holds the file keeps its old state until it opens it again, and is in nobody's way. Where the file is, and
how another one takes its place, is in `published_file.py` and `shared_file.py`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
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
    ensure_collected,
    ensure_current,
)
from civitas_assets.publish.duckdb.duckdb_tables import DuckDBTables
from civitas_assets.publish.duckdb.duckdb_waste import measure_waste
from civitas_assets.publish.duckdb.published_file import PublishedFile, PublishedVersion, Statement
from civitas_assets.settings import DEFAULT_LIMITS, Limits
from civitas_assets.store.files import remove_folder
from civitas_assets.store.space import explain_full_disk

# What analysts need at least to open the file. Older formats take a third longer to write.
READABLE_SINCE = "v1.4.0"
# A file of which more than this holds nothing is written anew, so that corrected days do not make it grow for good.
_WASTED = 0.1


class DuckDBDestination:
    """The published file of one tenant."""

    kind = "duckdb"

    def __init__(self, file: PublishedFile, limits: Limits = DEFAULT_LIMITS) -> None:
        self._file = file
        self._folder = file.path.parent
        self._unfinished = self._folder / ".rebuild" / file.path.name
        self._limits = limits

    @property
    def address(self) -> str:
        """See `Destination`."""
        return self._file.address

    def plan_migration(self, project: Project) -> Evolution:
        """See `Destination`."""
        found = self._file.find()
        if found is None:
            return Evolution(reasons=("there is no output yet",))
        try:
            held = self._file.read_statement(found).contracts
        except duckdb.Error as error:
            raise PublishError(
                f"{self.address} cannot be opened: {error}; close whoever writes to it, or remove it to have it rebuilt"
            ) from error
        if held is None:
            return Evolution(reasons=("the output does not say what contracts it follows",))
        return plan_evolution(held, read_contracts(project))

    def read_publication(self) -> str:
        """See `Destination`."""
        return self._read_publication(self._file.find())

    def _read_publication(self, found: PublishedVersion | None) -> str:
        if found is None:
            return ""
        try:
            return self._file.read_statement(found).publication
        except duckdb.Error as error:
            raise PublishError(f"{self.address} cannot be opened: {error}") from error

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
            told = explain_full_disk(self._folder, error, _size(workspace.database))
            raise PublishError(f"{self._unfinished} takes no further days: {told or error}") from error

    def publish(self, project: Project, workspace: Workspace, run_id: str) -> Publication:
        """See `Destination`."""
        started = time.monotonic()
        task = workspace.read_task()
        rebuild = task.rebuild
        contracts = read_contracts(project)
        try:
            self._make_folder()
            for leftover in self._folder.glob(".publish-*"):
                remove_folder(leftover)
            found = self._file.find()
            ensure_current(self, task, self._read_publication(found), run_id)
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
                    statement = Statement(contracts, tables.read_publication())
                    anew = task.forget or tables.has_forgotten or measure_waste(tables.connection) > _WASTED
                if anew:
                    self._write_anew(copy, contracts)
                size = _size(copy)
                self._file.replace(copy, found, statement)
        except (duckdb.Error, OSError) as error:
            # A copy, and while it is written in order another one.
            told = explain_full_disk(
                self._folder, error, 2 * _size(self._file.path) + _size(workspace.database)
            )
            raise PublishError(f"{self.address} was left as it was: {told or error}") from error
        return Publication(rows, size, time.monotonic() - started, unfilled, unmapped)

    def clear(self) -> None:
        """See `Destination`."""
        try:
            self._file.remove()
        except OSError as error:
            raise PublishError(f"{self.address} is still there: {error}") from error

    def _write_anew(self, file: Path, contracts: Mapping[str, Contract]) -> None:
        """Write the file once more in order: DuckDB keeps what was deleted in its blocks, also after a checkpoint."""
        fresh = file.with_name(f".fresh-{file.name}")
        fresh.unlink(missing_ok=True)
        with self._open(fresh) as tables:
            tables.copy_from(file, contracts)
        fresh.replace(file)

    def _make_folder(self) -> None:
        """The tenant's folder, which is for its group: analysts of one tenant need not see the files of another."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o750)

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
        working = Path(tempfile.mkdtemp(dir=self._folder, prefix=".publish-"))
        try:
            copy = working / self._file.path.name
            self._file.copy_current(copy)
            yield copy
        finally:
            remove_folder(working)


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0
