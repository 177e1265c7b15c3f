"""Deployments that schedules and sensors are asked about: sources of several cadences, a clock that stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from civitas_assets.definitions import build_definitions
from civitas_assets.harmonise.project import Project
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.settings import Settings

SOURCE = """
  {name}:
    title: {name}
    connector: json
    licence: CC0-1.0
    url: "{url}"
    record_type: place
    fields: {{place_id: id, name: name}}
    crs: EPSG:4326
"""


def town(number: int, **cadences: str) -> str:
    """A town whose sources have these cadences, by name."""
    head = f'name: Stadt {number}\nags: "9900{number:04}"\nbbox: [9.0, 50.0, 9.2, 50.2]\n'
    sources = "".join(
        SOURCE.format(name=name, url=f"http://127.0.0.1:9/{name}.json") + f"    cadence: {cadence}\n"
        for name, cadence in cadences.items()
    )
    return head + (f"sources:{sources}" if sources else "")


Deploy = Callable[..., Deployment]

Define = Callable[[Deployment], dg.Definitions]


@pytest.fixture
def deployed(tmp_path: Path, project: Project) -> Deploy:
    """Makes a deployment of these tenants' files, at this time."""

    def make(
        now: datetime = datetime(2026, 8, 22, 0, 0, 30, tzinfo=UTC),
        more: dict[str, Any] | None = None,
        **towns: str,
    ) -> Deployment:
        folder = tmp_path / "tenants"
        folder.mkdir(exist_ok=True)
        for slug, text in towns.items():
            (folder / f"{slug}.yaml").write_text(text, encoding="utf-8")
        settings = Settings(home=tmp_path / "home", tenants_dir=folder, **(more or {}))
        return Deployment(load_catalogue(settings), settings, project, now=lambda: now)

    return make


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """Dagster with its files in a folder, as schedules and sensors want it."""
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance:
        yield instance


@pytest.fixture
def instance(standing: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """Dagster without any run."""
    yield standing
    for run in standing.get_runs():
        standing.delete_run(run.run_id)


@pytest.fixture(name="town")
def town_of() -> Callable[..., str]:
    """What makes a tenant's file."""
    return town


@pytest.fixture(name="definitions_of")
def built() -> Define:
    """What makes a deployment's definitions."""
    return build_definitions
