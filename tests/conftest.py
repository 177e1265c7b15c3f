"""What all tests share: no network but loopback, the prepared dbt project, and `../shared` where that is there."""

from __future__ import annotations

import fcntl
import gc
import hashlib
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg.sql import SQL, Identifier

from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.harmonise.project import Project
from civitas_assets.settings import LOOPBACK, Settings
from testbed.broker import mosquitto, program
from testbed.browser import chromium
from testbed.browser import program as program_of_browser
from testbed.objects import BUCKET, ObjectServer, object_server
from testbed.postgres import TRUSTED, embedded, postgres
from testbed.serving import Loopback, Request

if TYPE_CHECKING:
    from testbed.history import History

# The same examples in every run, however slow the machine: `make conform` looks for others.
settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

gc.disable()  # until all tests are collected: nothing of them goes

os.environ["CIVITAS_REACHABLE"] = LOOPBACK  # of the servers of these tests, in processes of their own, too

TESTS = Path(__file__).resolve().parent
SHARED = TESTS.parents[1] / "shared"

INSTALLING = 180.0  # seconds at most for the environment of a package of others

# Folders of tests of a whole deployment, those with the longest files first.
_WHOLE = ("docs", "dbt", "deploy", "storm", "integration")
# Fixtures, and values of parameters, that stand for a server, a browser, or the project that dbt has prepared.
_SERVERS = {
    "broker", "browser", "history", "newest_postgres", "newest_postgres_server", "object_store", "objects", "postgres",
    "postgres_server", "project",
}  # fmt: skip


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name binary values by their argument: archives hold the time, and workers must agree on the names of tests."""
    return argname if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes its time, and let workers begin with it: none is left with a long file at the end."""
    place = {folder: number for number, folder in enumerate(_WHOLE)}
    folders = {item: item.path.relative_to(TESTS).parts[0] for item in items}
    for item in items:
        callspec = getattr(item, "callspec", None)
        chosen = (
            {value for value in callspec.params.values() if isinstance(value, str)} if callspec else set()
        )
        needed = {*getattr(item, "fixturenames", ()), *chosen}
        if folders[item] in place or not _SERVERS.isdisjoint(needed):
            item.add_marker("integration")
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: place.get(folders[item], len(place)))


def pytest_collection_finish() -> None:
    """Look for garbage among what tests make, and no more in what was collected."""
    gc.freeze()
    gc.enable()


def _is_loopback(host: object) -> bool:
    if host in ("localhost", "", None):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but loopback is an error of the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def payloads() -> Path:
    """Recorded payloads of real publishers; without them the test is skipped, and says so."""
    folder = SHARED / "payloads"
    if not folder.is_dir():
        pytest.skip("recorded payloads are not beside this repository (../shared/payloads)")
    return folder


@pytest.fixture
def broker(tmp_path: Path) -> Callable[..., AbstractContextManager[int]]:
    """Starts a broker whose state is in the test's folder; without one installed the test is skipped, and says so."""
    if program() is None:
        pytest.skip("mosquitto is not installed")
    return partial(mosquitto, tmp_path / "broker")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The server that CIVITAS_TEST_POSTGRES_URL names, else one of our own."""
    given = os.environ.get("CIVITAS_TEST_POSTGRES_URL")
    if given:
        yield given
    else:
        with postgres() as url:
            yield url


@pytest.fixture(scope="session")
def newest_postgres_server() -> Iterator[str]:
    """The server of the wheel, which is of the newest version that is supported."""
    with postgres(embedded()) as url:
        yield url


@contextmanager
def _database(server: str) -> Iterator[str]:
    """An empty database, whose tenants' roles do not outlive it."""
    name = f"civitas_test_{token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("create database {}").format(Identifier(name)))
        parts = urlsplit(server)
        yield urlunsplit(parts._replace(path=f"/{name}"))
        connection.execute(SQL("drop database {} with (force)").format(Identifier(name)))
        roles = connection.execute(
            "select rolname from pg_roles where rolname ~ '^(civitas_(reader|writer)_|civitas_commons|commons_reader)'"
        )
        for (role,) in roles.fetchall():
            with suppress(
                psycopg.errors.DependentObjectsStillExist, psycopg.errors.UndefinedObject
            ):  # of a neighbour
                connection.execute(SQL("drop role {}").format(Identifier(role)))


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database, with its owner's password."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture(scope="module")
def postgres_url_of_module(postgres_server: str) -> Iterator[str]:
    """The same for all tests of a module."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture
def newest_postgres_url(newest_postgres_server: str) -> Iterator[str]:
    """The same on the newest version."""
    with _database(newest_postgres_server) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Dagster's instance as it is deployed on one machine and on several, for all tests of a module."""
    from testbed.history import history as opened  # noqa: PLC0415 - most tests do without Dagster

    home = tmp_path_factory.mktemp("dagster")
    if request.param == "sqlite":
        with opened(home) as found:
            yield found
    else:
        with _database(request.getfixturevalue("postgres_server")) as url:
            parts = urlsplit(url)
            if "CIVITAS_TEST_POSTGRES_URL" not in os.environ:  # one of our own
                parts = parts._replace(netloc=f"{TRUSTED}@{parts.hostname}:{parts.port}")
            with opened(home, urlunsplit(parts)) as found:
                yield found


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectServer]:
    """An object store on loopback, for all tests of a process."""
    with object_server() as server:
        yield server


@pytest.fixture
def storage_url(object_store: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A part of its bucket that is the test's own, with the variables that lead there."""
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{token_hex(6)}"


@pytest.fixture(scope="session")
def prepare_once(pytestconfig: pytest.Config) -> Callable[..., Project]:
    """Prepares a dbt project once for all processes that run tests, until it or what prepares it changes.

    Each name has a folder of its own, which others may copy as soon as it is prepared. Tests do not change it;
    `make clean` removes it.
    """
    code = hashlib.sha256()
    for file in sorted((pytestconfig.rootpath / "civitas_assets/harmonise").rglob("*.py")):
        code.update(file.read_bytes())
    folder = pytestconfig.rootpath / ".pytest_cache" / "prepared"
    folder.mkdir(parents=True, exist_ok=True)

    def prepare(name: str, **where: Path) -> Project:
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return prepare_project(Settings(home=folder / f"{name}-{code.hexdigest()[:24]}", **where))

    return prepare


@pytest.fixture(scope="session")
def project(prepare_once: Callable[..., Project]) -> Project:
    """The dbt project, prepared."""
    return prepare_once("project")


class Webhook:
    """A server that takes JSON; `status` is what it answers."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.status = 200
        webhook = self

        class Handler(Request):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook.taken.append(json.loads(body))
                self.reply(status=webhook.status)

        self._server = Loopback(Handler)
        self.url = f"json://127.0.0.1:{self._server.port}/hook"

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """The webhook."""
    hook = Webhook()
    yield hook
    hook.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window; where it is not installed the test is skipped, and says so."""
    executable = program_of_browser()
    if executable is None:
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    with chromium(executable) as opened:
        yield opened


@pytest.fixture(scope="session")
def oracle() -> Callable[..., Path]:
    """The Python of an environment with a package that nobody here wrote, which is made once, or the test is skipped.

    Such a package may want other versions of what this project has locked, and further ones beside it.
    """

    def environment(package: str, version: str, *more: str) -> Path:
        folder = Path(sys.prefix) / "oracles" / f"{package}-{version}"
        folder.parent.mkdir(exist_ok=True)
        with (folder.parent / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a neighbour that makes it is done within its time, or gone
            if not folder.is_dir() and (why := _install(folder, f"{package}=={version}", *more)):
                pytest.skip(f"{package} {version} cannot be installed here: {why}")
        return folder / "bin" / "python"

    return environment


def _install(folder: Path, *wanted: str) -> str:
    """Make an environment with these packages within the time that there is; why that is impossible, if it is.

    uv is several times faster; pip also finds an index of which its configuration alone knows.
    """
    new, until = folder.with_name(f"{folder.name}.new"), time.monotonic() + INSTALLING
    python, why = str(new / "bin" / "python"), ""
    uv = [sys.executable, "-m", "uv"]
    for commands in (
        (
            [*uv, "venv", "-q", "--python", sys.executable, str(new)],
            [*uv, "pip", "install", "-q", "--python", python, *wanted],
        ),
        (
            [sys.executable, "-m", "venv", str(new)],
            [python, "-m", "pip", "install", "-q", "--no-input", "--retries", "1", *wanted],
        ),
    ):
        shutil.rmtree(new, ignore_errors=True)
        try:
            for command in commands:
                left = max(until - time.monotonic(), 0.1)
                environment = os.environ | {"UV_HTTP_TIMEOUT": "20", "UV_HTTP_RETRIES": "1"}
                subprocess.run(  # where uv does not find what this project overrides of others' requirements
                    command, check=True, capture_output=True, timeout=left, env=environment, cwd=folder.anchor
                )
            new.rename(folder)
        except subprocess.CalledProcessError as error:
            why = next(iter(error.stderr.decode(errors="replace").strip().splitlines()[-1:]), "")
        except (subprocess.SubprocessError, OSError) as error:
            why = type(error).__name__
        else:
            return ""
    shutil.rmtree(new, ignore_errors=True)
    return why or "it ended"
