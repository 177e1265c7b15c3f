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
from civitas_assets.dictionary.evolution import Evolution, evolution
from civitas_assets.errors import PublishError
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.task import Portion
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.publish.destination import Publication, ensure_collected, ensure_current
from civitas_assets.publish.made import Made, opened
from civitas_assets.publish.postgres_changes import Changes
from civitas_assets.publish.postgres_following import misplaced, unfit, wide
from civitas_assets.publish.postgres_forgetting import rewrite
from civitas_assets.publish.postgres_names import Names
from civitas_assets.publish.postgres_roles import ensure
from civitas_assets.publish.postgres_server import PAUSES, Server, passes
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

    def lacks(self, project: Project) -> Evolution:
        """See `Destination`."""

        def look(changes: Changes) -> Evolution:
            if not changes.is_published():
                return Evolution(reasons=("there is no output yet",))
            self._begin(changes)
            held = changes.contracts(self.names.schema)
            if held is None:
                return Evolution(reasons=("the output does not say what contracts it follows",))
            return evolution(held, read_contracts(project))

        return self._tried(look, "cannot be looked at")

    def held(self) -> str:
        """See `Destination`."""

        def look(changes: Changes) -> str:
            if not changes.is_published():
                return ""
            self._begin(changes)
            return changes.publication()

        return self._tried(look, "cannot be looked at")

    def rebuilt(self, project: Project) -> Mapping[date, str]:
        """See `Destination`."""
        ensure(self._server, self.names)

        def look(changes: Changes) -> Mapping[date, str]:
            self._begin(changes)
            if changes.contracts(self.names.rebuild) == read_contracts(project):
                return changes.collected()
            changes.forget_collected()
            return {}

        return self._tried(look, "cannot be looked at")

    def begin_anew(self) -> None:
        """See `Destination`."""
        ensure(self._server, self.names)

        def forget(changes: Changes) -> None:
            self._begin(changes)
            changes.forget_collected()

        self._tried(forget, "cannot begin anew")

    def collect(self, project: Project, workspace: Workspace, portion: Portion) -> None:
        """See `Destination`."""
        ensure(self._server, self.names)

        def collect(changes: Changes, made: Made) -> None:
            self._begin(changes)
            changes.wait_for_turn()
            layouts = changes.layouts(read_contracts(project))
            facts = [model for model in project.models.values() if model.by_day]
            changes.remember_collected([model.name for model in facts], portion.versions)
            for model in facts:
                changes.collect(layouts[model.name], made.rows(model))
            changes.remember_contracts(self.names.rebuild, read_contracts(project), run_id=None)

        self._loaded(collect, workspace, "takes no further days")

    def publish(self, project: Project, workspace: Workspace, run_id: str) -> Publication:
        """See `Destination`."""
        started = time.monotonic()
        ensure(self._server, self.names)
        task = workspace.task()
        contracts = read_contracts(project)

        def publish(changes: Changes, made: Made) -> _Published:
            self._begin(changes)
            changes.wait_for_turn()
            ensure_current(self.address, task, changes.publication(), run_id)
            held = changes.contracts(self.names.schema)
            days = made.days()
            layouts = changes.layouts(contracts)
            if task.rebuild:
                ensure_collected(self.address, task, changes.collected())
                changes.drop(unfit(held, contracts, changes.models()) | misplaced(layouts))
                layouts = changes.layouts(contracts)
            else:
                change = evolution(held or {}, contracts)
                if change.reasons:
                    raise PublishError(f"the output has to be rebuilt: {'; '.join(change.reasons)}")
                changes.follow(change, project, layouts, days)
            changes.prepare(layouts.values())
            rows = {}
            for name, model in project.models.items():
                layout = layouts[name]
                of_model = made.rows(model)
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
                else changes.stale(layouts)
            )
            return _Published(rows, changes.bytes(), changes.unfilled(), stale, wide(layouts))

        made = self._loaded(publish, workspace, "was left as it was")
        self._analyze(made.stale)
        if task.forget:
            rewrite(self._server, self.names, task.days)
        size = self._make_narrow(contracts, made.wide)
        return Publication(
            made.rows, made.bytes if size is None else size, time.monotonic() - started, made.unfilled
        )

    def _begin(self, changes: Changes) -> None:
        """Act as the tenant's writer, within limits of time."""
        changes.begin(self._server.limits())

    def _make_narrow(self, contracts: Mapping[str, Contract], models: Sequence[str]) -> int | None:
        """Keep large tables in the narrow form, one after the other; the bytes that all take up then, if it was done.

        A table that something hangs on stays as it is, and so does one whose readers do not end: the next publication
        tries again.
        """

        def make(changes: Changes, model: str) -> int:
            self._begin(changes)
            changes.wait_for_turn()
            layout = changes.layouts({model: contracts[model]})[model]
            hindering = changes.hindering(model)
            if hindering:
                log.info(
                    "%s · %s stays as large as it is, since %s uses it: drop that, publish, and make it again",
                    self.names.slug,
                    model,
                    ", ".join(hindering),
                )
            else:
                changes.make_narrow(layout, lambda table: changes.lock(table, PAUSES, self._server.pause))
            return changes.bytes()

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

    def _loaded(self, work: Callable[[Changes, Made], Result], workspace: Workspace, failed: str) -> Result:
        """The result of a transaction that takes rows of a workspace."""
        cleaned = False

        def load(changes: Changes) -> Result:
            nonlocal cleaned
            with opened(workspace, self._limits, cleaned=cleaned) as made:
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
                    raise self._server.fault(f"schema {self.names.schema} {failed}", error) from None
                log.info("%s · tried again in %g s: %s", self.names.slug, pause, self._server.told(error))
                if error.sqlstate != _UNTRANSLATABLE:
                    self._server.pause(pause)
            except (duckdb.Error, pa.ArrowException, OSError) as error:
                raise PublishError(f"{self.address} {failed}: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[Changes]:
        """Committed where all goes well; else the connection ends, and with it all that was done."""
        with self._server.loading() as connection, connection.cursor() as cursor:
            yield Changes(cursor, self.names)
            connection.commit()


def _may_pass(error: adbc_driver_manager.Error) -> bool:
    return passes(error) or error.sqlstate == _UNTRANSLATABLE
