"""The commons of all tenants that are published to one PostgreSQL database: views over their schemas.

Views show what tenants publish at once, so there is something to do only where a tenant shares something else than
before, or its tables change; what the views and roles look like is in `commons_views.py`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import TypeVar

import psycopg

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.errors import PublishError
from civitas_assets.publish.commons import COMMONS_SCHEMA, CommonsReport, Members
from civitas_assets.publish.postgres.commons_parts import Held
from civitas_assets.publish.postgres.commons_views import Views
from civitas_assets.publish.postgres.postgres_server import PAUSES, Server, is_transient

log = logging.getLogger("civitas_assets.publish")

_Result = TypeVar("_Result")


class PostgresCommons:
    """The schema of the commons."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def address(self) -> str:
        """See `Commons`."""
        return f"{self._server.address}, schema {COMMONS_SCHEMA}"

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
        """See `Commons`; a tenant whose tables are about to change leaves the views until it is published."""
        del run_id, days, whole, forget

        def leave(views: Views) -> None:
            mine = {model for slug, model in views.read_held() if slug == tenant}
            published = views.read_contracts_of(tenant) if mine else {}
            if any(
                published.get(model) != contracts.get(model)
                or (model in published and views.becomes_narrow(tenant, published[model]))
                for model in mine | ({"source"} if mine else set())
            ):
                self._change(
                    views,
                    {key: held for key, held in views.read_held().items() if key[0] != tenant},
                    contracts,
                )

        if self._is_there():
            self._tried(leave)

    def confirm(self, tenant: str, run_id: str) -> None:
        """See `Commons`: views show it already."""

    def is_current(self, tenant: str, members: Members) -> bool:
        """See `Commons`."""
        try:
            held = self._held()
        except PublishError:
            return False  # bringing it up to date will say why it cannot be
        wanted = _wanted(members, held)
        own = {key for key in wanted if key[0] == tenant}
        return not _withdrawn(held, wanted) and all(held.get(key) == wanted[key] for key in own)

    def unshare(self, members: Members) -> int:
        """See `Commons`."""
        held = self._held()
        if not _withdrawn(held, _wanted(members, held)):
            return 0

        def take_out(views: Views) -> int:
            before = views.read_held()
            wanted = _wanted(members, before)
            rows = views.count_rows({key for key in before if key not in wanted})
            after = {
                key: Held(wanted[key].name, held.withheld | wanted[key].withheld)
                for key, held in before.items()
                if key in wanted
            }
            self._change(views, after, None)
            return rows

        return self._tried(take_out)

    def refresh(self, tenant: str, members: Members, contracts: Mapping[str, Contract]) -> CommonsReport:
        """See `Commons`."""
        started = time.monotonic()
        if not _wanted(members, {}) and not self._is_there():
            return CommonsReport(seconds=time.monotonic() - started)

        def bring_in(views: Views) -> CommonsReport:
            views.create_schema()
            before = views.read_held()
            wanted = _wanted(members, before)
            gone = {key for key in before if key not in wanted}
            taken = views.count_rows(gone)
            after = {
                key: held if key[0] == tenant else Held(held.name, before[key].withheld | held.withheld)
                for key, held in wanted.items()
                if key[0] == tenant or key in before
            }
            if after != before or views.find_misshapen(contracts):
                self._change(views, after, contracts)
            return CommonsReport(views.count_rows_by_model(tenant), taken, 0, time.monotonic() - started)

        return self._tried(bring_in)

    def count_rows_of(self, tenant: str) -> int:
        """See `Commons`."""
        if not self._is_there():
            return 0
        return self._tried(
            lambda views: views.count_rows({key for key in views.read_held() if key[0] == tenant})
        )

    def forget(self, tenant: str) -> int:
        """See `Commons`."""
        if not self._is_there():
            return 0

        def leave(views: Views) -> int:
            before = views.read_held()
            rows = views.count_rows({key for key in before if key[0] == tenant})
            self._change(views, {key: held for key, held in before.items() if key[0] != tenant}, None)
            return rows

        return self._tried(leave)

    def _change(
        self,
        views: Views,
        after: Mapping[tuple[str, str], Held],
        contracts: Mapping[str, Contract] | None,
    ) -> None:
        """Make the views of all models that change anew, and with them who may read what."""
        before = views.read_held()
        shapes = contracts or views.read_shapes()
        touched = {key[1] for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        misshapen = views.find_misshapen(contracts) if contracts is not None else set[str]()
        touched |= misshapen
        for model in sorted(touched):
            legs = {slug: held for (slug, name), held in after.items() if name == model}
            settled = {slug for slug, held in legs.items() if before.get((slug, model)) == held}
            views.make(model, shapes.get(model), legs, set() if model in misshapen else settled)
        views.allow(after)
        views.remember(after)

    def _held(self) -> Mapping[tuple[str, str], Held]:
        return self._tried(lambda views: views.read_held()) if self._is_there() else {}

    def _is_there(self) -> bool:
        with self._server.connect() as connection:
            return Views(connection).is_there()

    def _tried(self, work: Callable[[Views], _Result]) -> _Result:
        """The result of a transaction that only one process at a time may be in.

        Raises:
            PublishError: it failed, and nothing was changed.
        """
        pauses = iter(PAUSES)
        while True:
            try:
                with self._alone() as views:
                    return work(views)
            except psycopg.Error as error:
                pause = next(pauses, None) if is_transient(error) else None
                if pause is None:
                    raise self._server.to_error("the commons were left as they were", error) from None
                log.info("commons · tried again in %g s: %s", pause, self._server.describe(error))
                self._server.pause(pause)

    @contextmanager
    def _alone(self) -> Iterator[Views]:
        with self._server.connect() as connection, connection.transaction():
            views = Views(connection)
            views.acquire_lock()
            yield views


def _wanted(members: Members, held: Mapping[tuple[str, str], Held]) -> dict[tuple[str, str], Held]:
    left_out = {slug for slug, member in members.items() if member.left_out}
    return {key: here for key, here in held.items() if key[0] in left_out} | {
        (slug, model): Held(member.name, withheld)
        for slug, member in members.items()
        for model, withheld in member.shared.items()
    }


def _withdrawn(held: Mapping[tuple[str, str], Held], wanted: Mapping[tuple[str, str], Held]) -> bool:
    """Whether there is anything that is not shared any more."""
    return any(key not in wanted or bool(wanted[key].withheld - here.withheld) for key, here in held.items())
