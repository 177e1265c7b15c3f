"""Whole runs in a test's own folder: a catalogue, a clock that stands where the test puts it, and Dagster in memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import unquote, urlsplit

import dagster as dg
import duckdb
import psycopg
import pytest
import yaml
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from civitas_assets import cli
from civitas_assets.defs.shell_runs import record_shell_runs
from civitas_assets.harmonise.project import Project
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.runner import Order, Outcome, run_tenant
from civitas_assets.publish.reading import open_published
from civitas_assets.settings import PROJECT_DIR, Settings
from civitas_assets.store.files import LocalFiles
from testbed.objects import BUCKET
from testbed.serving import Loopback, Request
from tests.integration.changed_project import write_changed_project

TENANTS = Path(__file__).parent / "tenants"
PACKAGED = PROJECT_DIR / "civitas_assets" / "tenants"


@cache
def _read_settings(folder: Path, postgres_url: str | None, _given: tuple[tuple[str, str], ...]) -> Settings:
    """Those of a deployment while the environment gives the same: reading them takes longer than most that asks."""
    url = SecretStr(postgres_url) if postgres_url else None
    return Settings(home=folder / "home", tenants_dir=folder / "tenants", postgres_url=url, workers=0)


@dataclass
class Workplace:
    """A deployment in a folder, and what a user does with it."""

    folder: Path
    project: Project
    clock: datetime = datetime(2026, 8, 22, 5, 11, tzinfo=UTC)
    postgres_url: str | None = None  # tenants are published there, where it is given
    _instance: dg.DagsterInstance | None = field(init=False, default=None)

    @property
    def instance(self) -> dg.DagsterInstance:
        """Dagster's, in memory unless a test has given another; who looks there finds all that has run."""
        if self._instance is None:
            self._instance = dg.DagsterInstance.ephemeral(tempdir=str(self.folder / "dagster"))
        record_shell_runs(self.settings, self._instance)
        return self._instance

    @instance.setter
    def instance(self, given: dg.DagsterInstance) -> None:
        self._instance = given

    @property
    def settings(self) -> Settings:
        given = tuple(sorted(item for item in os.environ.items() if item[0].startswith("CIVITAS_")))
        return _read_settings(self.folder, self.postgres_url, given)

    def write_tenant(self, slug: str, text: str) -> None:
        if self.postgres_url:
            text += "\ndestination: postgres\n"
        self.settings.tenants_dir.mkdir(parents=True, exist_ok=True)
        (self.settings.tenants_dir / f"{slug}.yaml").write_text(text, encoding="utf-8")

    def copy_tenant(self, slug: str, **values: str) -> None:
        self.write_tenant(slug, self.template(slug, **values))

    def template(self, name: str, **values: str) -> str:
        return Template((TENANTS / f"{name}.yaml").read_text(encoding="utf-8")).substitute(values)

    def write_packaged_tenant(self, slug: str, elsewhere: Mapping[str, str], more: str = "{}") -> None:
        """The tenant that comes with the project, with those of its sources that are to be read elsewhere, and more."""
        tenant = yaml.safe_load((PACKAGED / f"{slug}.yaml").read_text(encoding="utf-8"))
        sources = {name: {**tenant["sources"][name], "url": url} for name, url in elsewhere.items()}
        sources |= yaml.safe_load(more)
        for source in sources.values():
            source.setdefault("http", {"requests_per_second": 200})
        self.write_tenant(slug, yaml.safe_dump({**tenant, "sources": sources}))

    @property
    def deployment(self) -> Deployment:
        return Deployment(
            load_catalogue(self.settings, keep=True), self.settings, self.project, now=lambda: self.clock
        )

    def run(self, tenant: str, order: Order | None = None) -> Outcome:
        outcome = run_tenant(self.deployment, tenant, order or Order())
        if self._instance is not None:
            record_shell_runs(self.settings, self._instance)
        return outcome

    def drop_file(self, path: str, body: bytes) -> None:
        """Put a file into a drop folder, `tenant/source/name`, as if a while ago."""
        files = self.deployment.files
        files.write(f"drop/{path}", body)
        if isinstance(files, LocalFiles):
            os.utime(files.locate(f"drop/{path}"), (self.clock.timestamp() - 60,) * 2)

    def environment(self) -> dict[str, str]:
        """That of a process of its own that works on this deployment."""
        self.settings.home.mkdir(parents=True, exist_ok=True)
        prepared = self.settings.home / "dbt"
        if not prepared.exists():  # the manifest is prepared once for all tests
            prepared.symlink_to(self.project.prepared.parent)
        return {
            **os.environ,
            "CIVITAS_HOME": str(self.settings.home),
            "CIVITAS_TENANTS_DIR": str(self.settings.tenants_dir),
            **({"CIVITAS_POSTGRES_URL": self.postgres_url} if self.postgres_url else {}),
            "DAGSTER_HOME": "",
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }

    def published(self, tenant: str) -> Path:
        return self.settings.published / tenant / f"{tenant}_db.duckdb"

    def state(self, tenant: str) -> object:
        """Everything that is published, and when and by what it was."""
        if self.postgres_url is None:
            return self.published(tenant).read_bytes()
        with psycopg.connect(self.postgres_url) as connection:
            found = connection.execute(
                "select table_name from information_schema.tables where table_schema = %s order by 1",
                [tenant],
            )
            return {
                name: connection.execute(SQL("select * from {}").format(Identifier(tenant, name))).fetchall()
                for (name,) in found.fetchall()
            }

    def ask(self, tenant: str, sql: str) -> list[tuple[Any, ...]]:
        if self.postgres_url:
            with open_published(self.settings, tenant) as tables:
                return tables.query_first(sql, 10_000)[2]
        with duckdb.connect(str(self.published(tenant)), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()


MakeCounts = Callable[[dict[str, object]], bytes]


@pytest.fixture
def destination() -> str:
    """Where tenants are published; modules whose promises hold for all destinations say all of them."""
    return "duckdb"


@pytest.fixture
def storage() -> str:
    """Where landing and records are; modules whose promises hold for all places say all of them."""
    return "folder"


@pytest.fixture
def workplace(  # noqa: PLR0917 - fixtures
    tmp_path: Path,
    project: Project,
    destination: str,
    storage: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Workplace:
    """An empty deployment."""
    url = request.getfixturevalue("postgres_url") if destination == "postgres" else None
    if storage == "objects":
        monkeypatch.setenv("CIVITAS_STORAGE_URL", request.getfixturevalue("storage_url"))
    return Workplace(tmp_path, project, postgres_url=url)


@pytest.fixture
def stored(
    workplace: Workplace, storage: str, request: pytest.FixtureRequest
) -> Callable[[], Mapping[str, bytes]]:
    """What landing, records and all that is kept beside them hold, by key."""

    def look() -> Mapping[str, bytes]:
        if storage == "objects":
            root = str(workplace.settings.storage_url).removeprefix(f"s3://{BUCKET}/")
            found = request.getfixturevalue("object_store").bodies(f"{root}/")
            return {key.removeprefix(f"{root}/"): body for key, body in found.items()}
        home = workplace.settings.home
        files = (file for file in home.rglob("*") if file.is_file())
        return {file.relative_to(home).as_posix(): file.read_bytes() for file in files}

    return look


@dataclass
class Replay:
    """The server of recorded payloads, standing at one of the recorded nights."""

    url: str

    def nights(self) -> list[str]:
        with urllib.request.urlopen(f"{self.url}/clock") as answer:
            nights: list[str] = json.load(answer)["nights"]
            return nights

    def move(self, night: str) -> datetime:
        urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/clock", night.encode(), method="POST")
        ).close()
        return datetime.strptime(night, "%Y-%m-%dT%H%M").replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def replay(payloads: Path) -> Iterator[Replay]:
    """The recorded payloads, served on loopback as the municipal servers did."""
    script = payloads.parent / "replay" / "serve.py"
    process = subprocess.Popen(
        [sys.executable, str(script), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield Replay(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def changed_project(
    tmp_path_factory: pytest.TempPathFactory, prepare_once: Callable[..., Project]
) -> Project:
    """The project as another version has it, with other columns of parking and a test that fails by the value 666."""
    return prepare_once(
        "changed", dbt_project_dir=write_changed_project(tmp_path_factory.mktemp("changed") / "dbt_project")
    )


@pytest.fixture(scope="module")
def new_workplace(tmp_path_factory: pytest.TempPathFactory, project: Project) -> Callable[[], Workplace]:
    """Further empty deployments, for tests that compare two."""
    return lambda: Workplace(tmp_path_factory.mktemp("workplace"), project)


class Server:
    """A server on loopback with these pages, which a test changes at will; None is a server error."""

    def __init__(self, pages: dict[str, bytes | None]) -> None:
        self.pages = pages

        class Handler(Request):
            def do_GET(self) -> None:
                path = self.path if self.path in pages else unquote(urlsplit(self.path).path)
                body = pages.get(path)
                etag = f'"{zlib.crc32(body or b"")}"'
                unchanged = body is not None and self.headers.get("If-None-Match") == etag
                missing = 503 if path in pages else 404
                content = b"" if unchanged or body is None else body
                self.reply(content, missing if body is None else 304 if unchanged else 200, ETag=etag)

        self._server = Loopback(Handler)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        self._server.close()


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[dict[str, bytes | None]], Server]]:
    """Starts servers that stand until the module is through."""
    with ExitStack() as servers:

        def started(pages: dict[str, bytes | None]) -> Server:
            server = Server(pages)
            servers.callback(server.close)
            return server

        yield started


def counts(values: dict[str, object]) -> bytes:
    """A counter's file."""
    lines = [f"{moment},1,{'' if value is None else value}" for moment, value in values.items()]
    return "\n".join(["time,id,count", *lines]).encode()


def small_town() -> dict[str, bytes | None]:
    """The pages of a town with a counter and a car park."""
    return {
        "/counter.csv": counts({"2026-08-20T10:00:00Z": 5, "2026-08-20T11:00:00Z": 7}),
        "/parking.json": b'[{"id": "P1", "free": 3, "total": 10, "x": 9.1, "y": 50.1,'
        b' "at": "2026-08-20T12:00:00"}]',
    }


@pytest.fixture
def town() -> Iterator[Server]:
    """The server of that town."""
    server = Server(small_town())
    yield server
    server.close()


@pytest.fixture(scope="module")
def open_town(serve: Callable[[dict[str, bytes | None]], Server]) -> Callable[[], Server]:
    """Further servers, for tests that share what was published once."""
    return lambda: serve(small_town())


@pytest.fixture(name="counts")
def counts_of() -> MakeCounts:
    """What makes a counter's file of times and values."""
    return counts


@pytest.fixture
def kleinstadt(workplace: Workplace, town: Server) -> Workplace:
    """A deployment with that one town."""
    workplace.copy_tenant("kleinstadt", url=town.url)
    return workplace


@dataclass(frozen=True)
class Called:
    """What a call of the command did."""

    exit_code: int
    stdout: str
    output: str


Ask = Callable[[str], list[tuple[Any, ...]]]
Civitas = Callable[..., Called]
CivitasIn = Callable[[Workplace], Civitas]


@pytest.fixture
def command_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CivitasIn:
    """The command in this process, in a deployment."""

    def within(workplace: Workplace) -> Civitas:
        home, dagster_home = workplace.settings.home, workplace.folder / "dagster-home"
        monkeypatch.setenv("CIVITAS_HOME", str(home))
        monkeypatch.setenv("CIVITAS_TENANTS_DIR", str(workplace.settings.tenants_dir))
        monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))
        if workplace.postgres_url:
            monkeypatch.setenv("CIVITAS_POSTGRES_URL", workplace.postgres_url)
        dagster_home.mkdir(exist_ok=True)
        home.mkdir(exist_ok=True)
        if not (home / "dbt").exists():  # the manifest is prepared once for all tests
            (home / "dbt").symlink_to(workplace.project.prepared.parent)

        def call(*arguments: str) -> Called:
            monkeypatch.setattr(sys, "argv", ["civitas", *arguments])
            try:
                cli.main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            else:
                code = 0
            printed = capsys.readouterr()
            return Called(code, printed.out, printed.out + printed.err)

        return call

    return within


@pytest.fixture
def civitas(kleinstadt: Workplace, command_in: CivitasIn) -> Civitas:
    """The command in the small town's deployment."""
    return command_in(kleinstadt)
