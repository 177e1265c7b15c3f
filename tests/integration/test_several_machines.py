"""Three machines with homes of their own do thirty tenants in one bucket and one PostgreSQL, also where one crashes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
import yaml
from pydantic import SecretStr

from civitas_assets.catalog import load_catalog
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.definitions import build_definitions
from civitas_assets.harmonise.project import Project
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.publish.reading import open_published
from civitas_assets.settings import PROJECT_DIR, Settings
from civitas_assets.store.storage import make_storage
from testbed.history import history as opened
from testbed.objects import BUCKET, ObjectServer
from tests.integration.conftest import MakeCounts, Server, Workplace

_TENANTS = [f"stadt{number:02}" for number in range(1, 31)]
_A_BATCH = 10
_CHANGING = frozenset(_TENANTS[::3])
_IN_POSTGRES = frozenset(_TENANTS[1::_A_BATCH])  # one of each batch; the others are published as DuckDB files
_PATIENCE = 240  # seconds for what takes some on a quiet machine


@dataclass
class Machine:
    """One that has nothing but its own home, the prepared project as its image brings it, and the way to the shared."""

    home: Path
    given: Mapping[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, request: Any) -> subprocess.Popen[bytes]:
        """Work through the batch of a schedule's request."""
        (self.home / "dagster").mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT_DIR / "deploy" / "dagster-postgres.yaml", self.home / "dagster" / "dagster.yaml")
        config = self.home / "batch.json"
        config.write_text(json.dumps(request.run_config), encoding="utf-8")
        environment = {
            **os.environ, **self.given, "CIVITAS_HOME": str(self.home), "DAGSTER_HOME": str(self.home / "dagster"),
        }  # fmt: skip
        job = ["-m", "civitas_assets.definitions", "-j", "nightly_batch", "-c", str(config)]
        with (self.home / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dagster", "job", "execute", *job],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def ends_well(self, request: Any) -> None:
        """Likewise, to its end."""
        self.expect_success(self.start(request))

    def expect_success(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for its end."""
        assert process.wait(_PATIENCE) == 0, (self.home / "log.txt").read_text(encoding="utf-8")[-4000:]

    def crash(self) -> None:
        """Everything that runs there ends at once; its workers are in groups of their own."""
        for process in self.processes:
            if process.poll() is None:
                children = Path(f"/proc/{process.pid}/task").glob("*/children")
                workers = [int(child) for file in children for child in file.read_text().split()]
                for group in (process.pid, *workers):
                    try:
                        os.killpg(group, signal.SIGKILL)
                    except ProcessLookupError:
                        continue
                process.wait()


@dataclass
class Towns:
    """The servers that all tenants ask: some one that will have something new."""

    steady: Server
    changing: Server


@pytest.fixture
def town(open_town: Callable[[], Server]) -> Towns:
    return Towns(open_town(), open_town())


@pytest.fixture
def tenants(workplace: Workplace, town: Towns) -> Path:
    """Thirty tenants' files, each with a counter."""
    for slug in _TENANTS:
        server = town.changing if slug in _CHANGING else town.steady
        tenant = yaml.safe_load(workplace.template("kleinstadt", url=server.url))
        tenant["sources"].pop("parking")
        tenant["destination"] = "postgres" if slug in _IN_POSTGRES else "duckdb"
        workplace.write_tenant(slug, yaml.safe_dump(tenant))
    return Path(workplace.settings.tenants_dir)


@pytest.fixture
def settings(
    tmp_path: Path, project: Project, storage_url: str, postgres_url: str, tenants: Path
) -> Settings:
    """What all machines share: the tenants, a bucket, a database of tables and of Dagster's history."""
    return Settings(
        home=tmp_path / "daemon",
        tenants_dir=tenants,
        storage_url=storage_url,
        postgres_url=SecretStr(postgres_url),
        prepared_dir=project.prepared.parent,
        batch_size=_A_BATCH,
        workers=0,
    )


@pytest.fixture
def deployment(settings: Settings, project: Project) -> Deployment:
    return Deployment(load_catalog(settings.tenants_dir, SOURCE_MODELS), settings, project)


@pytest.fixture
def machines(settings: Settings, postgres_url: str, tmp_path: Path) -> Iterator[list[Machine]]:
    given = {
        "CIVITAS_TENANTS_DIR": str(settings.tenants_dir),
        "CIVITAS_STORAGE_URL": settings.storage_url,
        "CIVITAS_POSTGRES_URL": postgres_url,
        "CIVITAS_DAGSTER_URL": postgres_url,
        "CIVITAS_PREPARED_DIR": str(settings.prepared_dir),
        "CIVITAS_WORKERS": "0",
    }
    found = [Machine(tmp_path / f"machine{number}", given) for number in range(3)]
    yield found
    for machine in found:
        machine.crash()


@pytest.fixture
def pointers(settings: Settings, object_store: ObjectServer) -> Callable[[], set[str]]:
    """The tenants that have a published file."""
    prefix = settings.storage_url.removeprefix(f"s3://{BUCKET}/")

    def look() -> set[str]:
        objects = object_store.list_keys(f"{prefix}/published/")
        return {key.split("/")[0] for key in objects if key.endswith("/current.json")}

    return look


@pytest.fixture
def published(pointers: Callable[[], set[str]], postgres_url: str) -> Callable[[], set[str]]:
    """The tenants that readers see something of, which came at once."""

    def look() -> set[str]:
        with psycopg.connect(postgres_url) as connection:
            found = connection.execute(
                "select table_schema from information_schema.tables where table_name = 'observation'"
            )
            schemas = {schema for (schema,) in found.fetchall()} & {*_TENANTS}
        assert not pointers() & schemas
        return pointers() | schemas

    return look


@pytest.mark.slow
def test_all_tenants_are_published_once_by_whichever_machine_also_where_one_is_lost(  # noqa: PLR0917 - fixtures
    deployment: Deployment,
    machines: list[Machine],
    pointers: Callable[[], set[str]],
    published: Callable[[], set[str]],
    town: Towns,
    counts: MakeCounts,
    object_store: ObjectServer,
    postgres_url: str,
    tmp_path: Path,
) -> None:
    with opened(tmp_path / "daemon" / "dagster", postgres_url) as kept:
        batches = _tick(deployment, kept.instance)
        given = [batch.tags["civitas/tenants"].split() for batch in batches]
        assert [slug for slugs in given for slug in slugs] == _TENANTS
        lost, *others = (machine.start(batch) for machine, batch in zip(machines, batches, strict=True))
        _wait(lambda: len(pointers() & {*given[0]}) > 1, machines)
        machines[0].crash()
        for machine, process in zip(machines[1:], others, strict=True):
            machine.expect_success(process)
        assert lost.returncode == -signal.SIGKILL
        assert published() >= {*given[1], *given[2]}
        assert not published() >= {*given[0]}

        # Restarted with what is left in its home, it goes on, also with tenants of another machine that have news.
        _let_leases_expire(object_store, deployment.settings.storage_url)
        made = _materialised(kept.instance)
        more = {"2026-08-20T10:00:00Z": 5, "2026-08-20T11:00:00Z": 7, "2026-08-20T12:00:00Z": 8}
        town.changing.pages["/counter.csv"] = counts(more)
        (op,) = batches[0].run_config["ops"].values()
        op["config"]["tenants"] += given[2][1:5]
        machines[0].ends_well(batches[0])

        # Nothing lost, nothing doubled: neither in tables nor in objects, records, landing or history.
        assert published() == {*_TENANTS}
        changed = {*given[0], *given[2][1:5]} & _CHANGING
        for slug in _TENANTS:
            _holds_all_once(deployment, slug, more=slug in changed)
        again = _materialised(kept.instance)
        assert {made[slug] for slug in given[1] + given[2]} == {1}
        assert {slug for slug in given[1] + given[2] if again[slug] > 1} == changed & {*given[2]}
        assert max(again.values()) <= 2
        assert not [path for machine in machines for path in machine.home.glob("dbt/*")], (
            "nobody has compiled"
        )


def _tick(deployment: Deployment, instance: dg.DagsterInstance) -> Any:
    """What the nightly schedule starts."""
    definitions = build_definitions(deployment)
    at = datetime.now(UTC) - timedelta(seconds=1)
    with dg.build_schedule_context(
        instance=instance, scheduled_execution_time=at, repository_def=definitions.get_repository_def()
    ) as context:
        return definitions.resolve_schedule_def("nightly").evaluate_tick(context).run_requests


def _wait(is_so: Callable[[], Any], machines: list[Machine]) -> None:
    end = time.monotonic() + _PATIENCE
    while not is_so():
        assert time.monotonic() < end, (machines[0].home / "log.txt").read_text(encoding="utf-8")[-4000:]
        time.sleep(0.2)


def _let_leases_expire(server: ObjectServer, storage_url: str) -> None:
    """As if a quarter of an hour had passed since they were renewed."""
    prefix = storage_url.removeprefix(f"s3://{BUCKET}/")
    server.age(f"{prefix}/locks/", timedelta(minutes=15))


def _materialised(instance: dg.DagsterInstance) -> dict[str, int]:
    """How many times each tenant was published, as Dagster has it."""
    found = dict.fromkeys(_TENANTS, 0)
    for kind in ("duckdb", "postgres"):
        for record in instance.fetch_materializations(dg.AssetKey(["published", kind]), limit=1000).records:
            found[str(record.partition_key)] += 1
    return found


def _holds_all_once(deployment: Deployment, slug: str, *, more: bool = False) -> None:
    with open_published(deployment.settings, slug) as tables:
        counted = (
            "select count(*), sum(value)::int, (select count(*) from observation_revision) from observation"
        )
        assert tables.query_first(counted, 1)[2] == [(3, 20, 0) if more else (2, 12, 0)], slug
    files = make_storage(deployment.settings).files
    bodies = [key for key in files.list_keys(f"landing/{slug}/") if "/bodies/" in key]
    assert 1 <= len(bodies) <= 1 + more, bodies
    assert len(files.list_keys(f"published/{slug}/")) == (0 if slug in _IN_POSTGRES else 2), "one version"
