"""Whole runs in a test's own folder: a catalogue, a clock that stands where the test puts it, and Dagster in memory."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

import dagster as dg
import duckdb
import pytest

from civitas_assets.catalog import load_catalog
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.definitions import build_definitions
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.runner import Order, Outcome, run_tenant
from civitas_assets.harmonise.project import Project, prepare
from civitas_assets.settings import Settings

TENANTS = Path(__file__).parent / "tenants"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The dbt project, parsed once for all tests of a process."""
    return prepare(Settings(home=tmp_path_factory.mktemp("prepared")))


@dataclass
class Workplace:
    """A deployment in a folder, and what a user does with it."""

    folder: Path
    project: Project
    clock: datetime = datetime(2026, 8, 22, 5, 11, tzinfo=UTC)
    instance: dg.DagsterInstance = field(init=False)

    def __post_init__(self) -> None:
        self.instance = dg.DagsterInstance.ephemeral(tempdir=str(self.folder / "dagster"))

    @property
    def settings(self) -> Settings:
        return Settings(home=self.folder / "home", tenants_dir=self.folder / "tenants")

    def write_tenant(self, slug: str, text: str) -> None:
        self.settings.tenants_dir.mkdir(parents=True, exist_ok=True)
        (self.settings.tenants_dir / f"{slug}.yaml").write_text(text, encoding="utf-8")

    def copy_tenant(self, slug: str, **values: str) -> None:
        text = (TENANTS / f"{slug}.yaml").read_text(encoding="utf-8")
        self.write_tenant(slug, Template(text).substitute(values))

    @property
    def deployment(self) -> Deployment:
        catalog = load_catalog(self.settings.tenants_dir, SOURCE_MODELS)
        return Deployment(catalog, self.settings, self.project, now=lambda: self.clock)

    def run(self, tenant: str, order: Order | None = None) -> Outcome:
        deployment = self.deployment
        return run_tenant(build_definitions(deployment), deployment, self.instance, tenant, order or Order())

    def published(self, tenant: str) -> Path:
        return self.settings.published / tenant / f"{tenant}_db.duckdb"

    def ask(self, tenant: str, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.published(tenant)), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()


@pytest.fixture
def workplace(tmp_path: Path, project: Project) -> Workplace:
    """An empty deployment."""
    return Workplace(tmp_path, project)


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


@pytest.fixture(scope="module")
def new_workplace(tmp_path_factory: pytest.TempPathFactory, project: Project) -> Callable[[], Workplace]:
    """Further empty deployments, for tests that compare two."""
    return lambda: Workplace(tmp_path_factory.mktemp("workplace"), project)
