"""What a storm is made of: where runs are started, homes, a publisher, a server that may crash, and the report."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from civitas_assets.harmonise.project import Project
from testbed.objects import ObjectServer
from testbed.postgres import Server, postgres_server
from tests.storm.homes import Database, Home, Nursery, Tables
from tests.storm.town import TENANT, Publisher, now_of, pages
from tests.storm.wire import Wire


@pytest.fixture(scope="session")
def nursery(project: Project, object_store: ObjectServer) -> Iterator[Nursery]:
    """Starts runs, each in a process of its own."""
    found = Nursery(project.prepared.parent.parent, dict(object_store.environment))
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _way_to_objects(object_store: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def publisher() -> Iterator[Publisher]:
    found = Publisher()
    yield found
    found.close()


@pytest.fixture(scope="session")
def crashing_server() -> Iterator[tuple[Server, Wire]]:
    """A server of our own, and the wire to it."""
    with postgres_server() as server:
        wire = Wire(server.url)
        yield server, wire
        wire.close()


@pytest.fixture(scope="session")
def new_home(
    tmp_path_factory: pytest.TempPathFactory,
    nursery: Nursery,
    publisher: Publisher,
    object_store: ObjectServer,
    request: pytest.FixtureRequest,
) -> Callable[..., Home]:
    """An empty home of the town, at a place such as `objects, postgres`."""

    def make(place: str) -> Home:
        storage, destination = place.split(", ")
        home = Home(tmp_path_factory.mktemp("home") / token_hex(4), nursery)
        (home.folder / "tenants").mkdir(parents=True)
        text = TENANT.format(url=publisher.url, destination=destination)
        (home.folder / "tenants" / "stadt.yaml").write_text(text, encoding="utf-8")
        if storage == "objects":
            home.objects = object_store
        if destination == "postgres":
            server, wire = request.getfixturevalue("crashing_server")
            home.database = Database(server, wire, f"storm_{token_hex(4)}")
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute(SQL("create database {}").format(Identifier(home.database.name)))
        return home

    return make


class Calm:
    """A home to which nothing happens: what is published after each step, and which files it has."""

    def __init__(self, home: Home, publisher: Publisher, seed: int) -> None:
        self.home, self._publisher, self._seed = home, publisher, seed
        self._tables: list[dict[bool, Tables]] = []

    def after(self, step: int, *, by_clock: bool = True) -> Tables:
        """The tables after a step; the publisher has what it has then."""
        while len(self._tables) <= step:
            at = len(self._tables)
            self._publisher.held = pages(self._seed, at)
            self.home.run_well(now_of(at))
            self._tables.append({kind: self.home.tables(by_clock=kind) for kind in (True, False)})
        self._publisher.held = pages(self._seed, step)
        return self._tables[step][by_clock]


@pytest.fixture(scope="session")
def calm(new_home: Callable[[str], Home], publisher: Publisher) -> Callable[[int], Calm]:
    """The calm home of a seed, for all that are compared with it."""
    found: dict[int, Calm] = {}

    def of(seed: int) -> Calm:
        if seed not in found:
            found[seed] = Calm(new_home("folder, duckdb"), publisher, seed)
        return found[seed]

    return of


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What fell on whom, where `make storm` asks for it."""
    if "STORM_STEPS" not in os.environ:
        return
    fallen, runs = Counter[str](), 0
    for report in (r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind)):
        found = dict(report.user_properties)
        fallen.update(found.get("fallen", {}))
        runs += found.get("runs", 0)
    terminalreporter.section("storm")
    terminalreporter.write_line(f"{runs:,} runs, {fallen.total():,} faults")
    for kind, number in sorted(fallen.items()):
        terminalreporter.write_line(f"{number:7,}  {kind}")
