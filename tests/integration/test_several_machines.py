"""Three machines with homes of their own share one bucket and one PostgreSQL: all tenants once, also after a crash."""

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
from tests.integration.conftest import Server, Workplace

_TENANTS = [f"stadt{number}" for number in range(1, 7)]
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


@pytest.fixture
def tenants(workplace: Workplace, open_town: Callable[[], Server]) -> Path:
    """Six tenants' files."""
    for slug in _TENANTS:
        text = workplace.template("kleinstadt", url=open_town().url)
        workplace.write_tenant(slug, f"{text}\ndestination: postgres\n")
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
        batch_size=2,
        workers=1,
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
        "CIVITAS_WORKERS": "1",
    }
    found = [Machine(tmp_path / f"machine{number}", given) for number in range(3)]
    yield found
    for machine in found:
        machine.crash()


@pytest.mark.slow
def test_all_tenants_are_published_once_also_where_a_machine_is_lost(
    deployment: Deployment,
    machines: list[Machine],
    object_store: ObjectServer,
    postgres_url: str,
    tmp_path: Path,
) -> None:
    with opened(tmp_path / "daemon" / "dagster", postgres_url) as kept:
        batches = _tick(deployment, kept.instance)
        assert [tenant for batch in batches for tenant in batch.tags["civitas/tenants"].split()] == _TENANTS
        lost, *others = (machine.start(batch) for machine, batch in zip(machines, batches, strict=True))
        _wait(lambda: _published(postgres_url) & set(_TENANTS[:2]), machines)
        machines[0].crash()
        for machine, process in zip(machines[1:], others, strict=True):
            machine.expect_success(process)
        assert _published(postgres_url) >= set(_TENANTS[2:])

        _let_leases_expire(object_store, deployment.settings.storage_url)
        machines[0].ends_well(batches[0])  # restarted, with what is left in its home
        assert lost.returncode == -signal.SIGKILL
        assert _published(postgres_url) == set(_TENANTS)

        # Nothing lost, nothing doubled: neither in tables nor in records, landing or history.
        made = _materialised(kept.instance)
        for slug in _TENANTS:
            _holds_all_once(deployment, slug)
        assert [made[slug] for slug in _TENANTS[2:]] == [1] * 4
        *_, third = _tick(deployment, kept.instance)
        machines[1].ends_well(third)  # another machine's tenants, whom it has never seen
        assert _materialised(kept.instance) == made, "nothing is new there"
        for slug in _TENANTS[4:]:
            _holds_all_once(deployment, slug)
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


def _published(url: str) -> set[str]:
    """The tenants that have tables; each got all of them in one transaction."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select table_schema from information_schema.tables where table_name = 'observation'"
        )
        return {schema for (schema,) in found.fetchall()} & set(_TENANTS)


def _wait(is_so: Callable[[], Any], machines: list[Machine]) -> None:
    end = time.monotonic() + _PATIENCE
    while not is_so():
        assert time.monotonic() < end, (machines[0].home / "log.txt").read_text(encoding="utf-8")[-4000:]
        time.sleep(0.05)


def _let_leases_expire(server: ObjectServer, storage_url: str) -> None:
    """As if a quarter of an hour had passed since they were renewed."""
    prefix = storage_url.removeprefix(f"s3://{BUCKET}/")
    server.age(f"{prefix}/locks/", timedelta(minutes=15))


def _materialised(instance: dg.DagsterInstance) -> dict[str, int]:
    """How many times each tenant was published, as Dagster has it."""
    records = instance.fetch_materializations(dg.AssetKey(["published", "postgres"]), limit=1000).records
    found = dict.fromkeys(_TENANTS, 0)
    for record in records:
        found[str(record.partition_key)] += 1
    return found


def _holds_all_once(deployment: Deployment, slug: str) -> None:
    with open_published(deployment.settings, slug) as tables:
        counted = (
            "select count(*), sum(value)::int, (select count(*) from observation_revision) from observation"
        )
        assert tables.query_first(counted, 1)[2] == [(2, 12, 0)], slug
    files = make_storage(deployment.settings).files
    bodies = [key for key in files.list_keys(f"landing/{slug}/") if "/bodies/" in key]
    assert len(bodies) == 2, bodies
