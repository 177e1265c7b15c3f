"""PostgreSQL as a destination: one schema per tenant, changed in one transaction.

Rows are deleted and copied anew, and no table that readers use is put in the place of another: whoever reads keeps the
state that their statement or transaction began with, views on the tables live on, and nobody waits for a lock. Only a
changed contract needs one, which is asked for briefly and several times.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TypeVar

import adbc_driver_manager
import duckdb
import pyarrow as pa

from civitas_assets.dictionary.contracts import Contract, read_contracts
from civitas_assets.dictionary.evolution import Evolution, plan_evolution
from civitas_assets.errors import PublishError
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.task import Portion
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.publish.destination import Publication, ensure_collected, ensure_current
from civitas_assets.publish.postgres.postgres_changes import Changes
from civitas_assets.publish.postgres.postgres_following import find_misplaced, find_unfit, list_wide
from civitas_assets.publish.postgres.postgres_forgetting import rewrite_partitions
from civitas_assets.publish.postgres.postgres_names import Names
from civitas_assets.publish.postgres.postgres_roles import ensure_roles, remove_schemas
from civitas_assets.publish.postgres.postgres_server import PAUSES, Server, is_transient
from civitas_assets.publish.workspace_reader import WorkspaceReader, open_workspace
from civitas_assets.settings import DEFAULT_LIMITS, Limits

log = logging.getLogger("civitas_assets.publish")

Result = TypeVar("Result")
_UNTRANSLATABLE = "22021"  # PostgreSQL's texts cannot hold the character zero


@dataclass(frozen=True)
class _Published:
    """What a transaction has published, the tables that are to be analysed, and the models that are not narrow yet."""

    rows: Mapping[str, int]
    bytes: int
    unfilled: tuple[str, ...]
    stale: Sequence[str]
    wide: Sequence[str]


class PostgresDestination:
    """The published schema of one tenant."""

    kind = "postgres"

    def __init__(
        self,
        server: Server,
        tenant: str,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.names = Names(tenant)
        self._server, self._limits = server, limits

    @property
    def address(self) -> str:
        """Database and schema, without account and password."""
        return f"{self._server.address}, schema {self.names.schema}"

    def plan_migration(self, project: Project) -> Evolution:
        """See `Destination`."""

        def look(changes: Changes) -> Evolution:
            if not changes.is_published():
                return Evolution(reasons=("there is no output yet",))
            self._begin(changes)
            held = changes.read_contracts(self.names.schema)
            if held is None:
                return Evolution(reasons=("the output does not say what contracts it follows",))
            return plan_evolution(held, read_contracts(project))

        return self._tried(look, "cannot be looked at")

    def read_publication(self) -> str:
        """See `Destination`."""

        def look(changes: Changes) -> str:
            if not changes.is_published():
                return ""
            self._begin(changes)
            return changes.read_publication()

        return self._tried(look, "cannot be looked at")

    def read_collected(self, project: Project) -> Mapping[date, str] | None:
        """See `Destination`."""
        ensure_roles(self._server, self.names)

        def look(changes: Changes) -> Mapping[date, str] | None:
            self._begin(changes)
            follows = changes.read_contracts(self.names.rebuild) == read_contracts(project)
            return changes.read_collected() if follows else None

        return self._tried(look, "cannot be looked at")

    def discard_rebuild(self) -> None:
        """See `Destination`."""
        ensure_roles(self._server, self.names)

        def forget(changes: Changes) -> None:
            self._begin(changes)
            changes.forget_collected()

        self._tried(forget, "cannot begin anew")

    def collect(self, project: Project, workspace: Workspace, portion: Portion) -> None:
        """See `Destination`."""
        ensure_roles(self._server, self.names)

        def collect(changes: Changes, made: WorkspaceReader) -> None:
            self._begin(changes)
            changes.acquire_lock()
            layouts = changes.make_layouts(read_contracts(project))
            facts = [model for model in project.models.values() if model.by_day]
            changes.remember_collected([model.name for model in facts], portion.versions)
            for model in facts:
                changes.collect(layouts[model.name], made.read_rows(model))
            changes.remember_contracts(self.names.rebuild, read_contracts(project), run_id=None)

        self._loaded(collect, workspace, "takes no further days")

    def publish(self, project: Project, workspace: Workspace, run_id: str) -> Publication:
        """See `Destination`."""
        started = time.monotonic()
        ensure_roles(self._server, self.names)
        task = workspace.read_task()
        contracts = read_contracts(project)

        def publish(changes: Changes, made: WorkspaceReader) -> _Published:
            self._begin(changes)
            changes.acquire_lock()
            ensure_current(self, task, changes.read_publication(), run_id)
            held = changes.read_contracts(self.names.schema)
            days = made.list_days()
            layouts = changes.make_layouts(contracts)
            if task.rebuild:
                ensure_collected(self.address, task, changes.read_collected())
                changes.drop(find_unfit(held, contracts, changes.list_models()) | find_misplaced(layouts))
                layouts = changes.make_layouts(contracts)
            else:
                change = plan_evolution(held or {}, contracts)
                if change.reasons:
                    raise PublishError(f"the output has to be rebuilt: {'; '.join(change.reasons)}")
                changes.follow(change, project, layouts, days)
            changes.prepare(layouts.values())
            rows = {}
            for name, model in project.models.items():
                layout = layouts[name]
                of_model = made.read_rows(model)
                if task.rebuild and model.by_day:
                    changes.replace_all(layout, of_model, days)
                    rows[name] = changes.count(name)
                else:
                    rows[name] = changes.replace(layout, of_model, days)
            if task.rebuild:
                changes.fill()
                changes.forget_collected()
            if held != contracts or changes.created:
                for layout in layouts.values():
                    changes.run(*layout.comments())
            changes.remember_contracts(self.names.schema, contracts, run_id)
            stale = (
                [table for layout in layouts.values() for table in layout.tables]
                if task.rebuild
                else changes.list_stale_tables(layouts)
            )
            return _Published(
                rows, changes.measure_bytes(), changes.list_unfilled(), stale, list_wide(layouts)
            )

        made = self._loaded(publish, workspace, "was left as it was")
        self._analyze(made.stale)
        if task.forget:
            rewrite_partitions(self._server, self.names, task.days)
        size = self._make_narrow(contracts, made.wide)
        return Publication(
            made.rows, made.bytes if size is None else size, time.monotonic() - started, made.unfilled
        )

    def clear(self) -> None:
        """See `Destination`; roles stay, and with them who may read once it is published there again."""
        remove_schemas(self._server, self.names)

    def _begin(self, changes: Changes) -> None:
        """Act as the tenant's writer, within limits of time."""
        changes.begin(self._server.limits_sql())

    def _make_narrow(self, contracts: Mapping[str, Contract], models: Sequence[str]) -> int | None:
        """Keep large tables in the narrow form, one after the other; the bytes that all take up then, if it was done.

        A table that something hangs on stays as it is, and so does one whose readers do not end: the next publication
        tries again.
        """

        def make(changes: Changes, model: str) -> int:
            self._begin(changes)
            changes.acquire_lock()
            layout = changes.make_layouts({model: contracts[model]})[model]
            hindering = changes.find_hindrances(model)
            if hindering:
                log.info(
                    "%s · %s stays as large as it is, since %s uses it: drop that, publish, and make it again",
                    self.names.slug,
                    model,
                    ", ".join(hindering),
                )
            else:
                changes.make_narrow(layout, lambda table: changes.lock(table, PAUSES, self._server.pause))
            return changes.measure_bytes()

        size = None
        for model in models:
            try:
                size = self._tried(partial(make, model=model), f"keeps {model} as it is")
            except PublishError as error:
                log.warning(
                    "%s · %s is tried again with the next publication: %s", self.names.slug, model, error
                )
        return size

    def _analyze(self, tables: Sequence[str]) -> None:
        """Have the server look at tables that are new or have grown: nobody else ever does at partitioned ones."""

        def analyze(changes: Changes) -> None:
            self._begin(changes)
            changes.analyze(tables)

        if tables:
            try:
                self._tried(analyze, "cannot be analysed")
            except PublishError as error:
                log.warning(
                    "%s · queries may be slow until the tables are analysed: %s", self.names.slug, error
                )

    def _loaded(
        self, work: Callable[[Changes, WorkspaceReader], Result], workspace: Workspace, failed: str
    ) -> Result:
        """The result of a transaction that takes rows of a workspace."""
        cleaned = False

        def load(changes: Changes) -> Result:
            nonlocal cleaned
            with open_workspace(workspace, self._limits, cleaned=cleaned) as made:
                try:
                    return work(changes, made)
                except adbc_driver_manager.Error as error:
                    cleaned = cleaned or error.sqlstate == _UNTRANSLATABLE
                    raise

        return self._tried(load, failed)

    def _tried(self, work: Callable[[Changes], Result], failed: str) -> Result:
        """The result of a transaction; it is tried again where what stopped it passes.

        Raises:
            PublishError: it did not pass, or what stopped it does not pass.
        """
        pauses = iter(PAUSES)
        while True:
            try:
                with self._transaction() as changes:
                    return work(changes)
            except adbc_driver_manager.Error as error:
                pause = next(pauses, None) if _may_pass(error) else None
                if pause is None:
                    raise self._server.to_error(f"schema {self.names.schema} {failed}", error) from None
                log.info("%s · tried again in %g s: %s", self.names.slug, pause, self._server.describe(error))
                if error.sqlstate != _UNTRANSLATABLE:
                    self._server.pause(pause)
            except (duckdb.Error, pa.ArrowException, OSError) as error:
                raise PublishError(f"{self.address} {failed}: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[Changes]:
        """Committed where all goes well; else the connection ends, and with it all that was done."""
        with self._server.open_loader() as connection, connection.cursor() as cursor:
            yield Changes(cursor, self.names)
            connection.commit()


def _may_pass(error: adbc_driver_manager.Error) -> bool:
    return is_transient(error) or error.sqlstate == _UNTRANSLATABLE
