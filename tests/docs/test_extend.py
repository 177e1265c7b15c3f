"""The examples by which a deployment is extended work as they stand in the documentation."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from civitas_assets.catalog import load_catalog
from civitas_assets.catalog.load import read_catalog
from civitas_assets.connectors import registry
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.registry import CONNECTORS, GROUP, SOURCE_MODELS
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.errors import HarmoniseError, ReadError, SettingsError
from civitas_assets.harmonise.own_models import check_own_models
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.workspace_tables import WORKSPACE_FILE
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.runner import Order, run_tenant
from civitas_assets.publish.duckdb.published_file import find_published_file
from civitas_assets.settings import PROJECT_DIR, Settings

PAGE = (PROJECT_DIR / "docs/extend.md").read_text(encoding="utf-8")
TOWN = """
name: Unsere Stadt
ags: "99000001"
bbox: [9.9, 50.9, 10.1, 51.1]
sources:
  gauges: {title: Pegel, connector: gauge_lines, licence: CC0-1.0, url: "https://gauges.example/now"}
"""
WARM_TOWN = """
name: Warmstadt
ags: "99000001"
bbox: [9.9, 50.9, 10.1, 51.1]
sources:
  weather: {title: Wetter, connector: csv, licence: CC0-1.0, url: "drop:*.csv", record_type: observation,
    fields: {datastream_id: id, value: value}, time: {column: at, zone: offset},
    constants: {observed_property: weather.temperature, unit: Cel}}
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def block(language: str, word: str) -> str:
    (found,) = (text for text in blocks(language) if word in text)
    return found


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a package `our_town` that is installed for one test."""
    (tmp_path / "our_town").mkdir()
    (tmp_path / "our_town/__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    # What is loaded for this test is kept apart, so that connectors of other tests stay the ones they are.
    for name in ("_own", "_load_connector"):
        monkeypatch.setattr(registry, name, cache(getattr(registry, name).__wrapped__))
    importlib.invalidate_caches()
    yield tmp_path
    importlib.invalidate_caches()


def install(folder: Path, entry: str, code: str = "") -> None:
    (folder / "our_town/gauge_lines.py").write_text(code, encoding="utf-8")
    info = folder / "our_town-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our_town\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entry}\n", encoding="utf-8")


def test_a_connector_of_another_package_is_one_of_all(package: Path, forgotten_modules: None) -> None:
    entry = block("toml", GROUP).splitlines()[1].replace('"', "")
    install(package, entry, block("python", "class GaugeLinesConnector"))
    assert "gauge_lines" in CONNECTORS
    assert "gauge_lines" in [*CONNECTORS]
    assert len(CONNECTORS) == len([*CONNECTORS])
    (package / "tenants").mkdir()
    (package / "tenants/town.yaml").write_text(TOWN, encoding="utf-8")
    source = load_catalog(package / "tenants", SOURCE_MODELS).get_tenant("town").sources["gauges"]

    def read(body: bytes) -> list[Any]:
        url = "https://gauges.example/now"
        payload = Payload(Request(url), body, datetime(2026, 8, 1, tzinfo=UTC), "text/plain")
        return [*CONNECTORS["gauge_lines"].read(source, payload)]

    (table,) = read(b"mill;2026-08-01T04:00:00Z;1.25\n")
    assert table.frame.row(0) == ("mill", "2026-08-01T04:00:00Z", "1.25", 1)
    with pytest.raises(ReadError, match="GAUGE;TIME;VALUE"):
        read(b"<html>")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("csv = our_town.gauge_lines:X", "two connectors csv"),
        ("gauge_lines = our_town.gauge_lines:Missing", "gauge_lines .* cannot be loaded: AttributeError"),
        ("gauge_lines = builtins:dict", "is no connector: it lacks name, source_model, fetch, read"),
    ],
)
def test_what_is_no_connector_is_named(package: Path, entry: str, said: str, forgotten_modules: None) -> None:
    install(package, entry)
    with pytest.raises(SettingsError, match=said):
        print(CONNECTORS["gauge_lines"])  # noqa: T201 - what is asked for is loaded


def test_a_connector_that_cannot_be_loaded_concerns_the_tenants_that_use_it(
    package: Path, forgotten_modules: None
) -> None:
    install(package, "gauge_lines = our_town.gauge_lines:Missing")
    (package / "tenants").mkdir()
    (package / "tenants/town.yaml").write_text(TOWN, encoding="utf-8")
    (package / "tenants/other.yaml").write_text(
        "name: Andere\nags: '99000002'\nbbox: [9, 50, 10, 51]\n", encoding="utf-8"
    )
    catalog = read_catalog(package / "tenants", SOURCE_MODELS)
    assert {*catalog.tenants} == {"other"}
    assert "gauge_lines (our_town.gauge_lines:Missing) cannot be loaded" in str(catalog.faulty["town"])


@pytest.fixture
def forgotten_modules() -> Iterator[None]:
    """What a test imports of `our_town` is gone after it."""
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "our_town"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Project]:
    """A deployment with the model of the page."""
    folder = tmp_path_factory.mktemp("deployment")
    own = folder / "own"
    own.mkdir()
    (own / "warm_day.sql").write_text(block("jinja", "observation_daily"), encoding="utf-8")
    (own / "warm_day.yml").write_text(block("yaml", "warm_day"), encoding="utf-8")
    (own / "notes.txt").write_text("no model", encoding="utf-8")
    settings = Settings(home=folder / "home", tenants_dir=folder / "tenants", models_dir=own, workers=0)
    return settings, prepare_project(settings)


def test_own_models_go_through_the_nights_of_a_town(own: tuple[Settings, Project]) -> None:
    settings, project = own
    settings.tenants_dir.mkdir()
    (settings.tenants_dir / "town.yaml").write_text(WARM_TOWN, encoding="utf-8")
    night = datetime(2026, 8, 22, 2, tzinfo=UTC)
    deployment = Deployment(load_catalogue(settings), settings, project, now=lambda: night)

    def warm_days(value: float) -> list[Any]:
        """What is published after a night in which a file brought this temperature of one hour."""
        files, body = deployment.files, f"id,at,value\na,2026-08-20T12:00:00Z,{value}\n"
        files.write(f"drop/town/weather/{value}.csv", body.encode())
        assert run_tenant(deployment, "town", Order()).ok
        with duckdb.connect(str(find_published_file(settings.published, "town")), read_only=True) as tables:
            return tables.execute("select day, temperature_cel, source from warm_day").fetchall()

    assert warm_days(26.5) == [(date(2026, 8, 20), 26.5, "weather")]
    assert warm_days(20.5) == [], "a correction takes the day away"


def test_own_models_are_made_and_published_like_the_shared_ones(own: tuple[Settings, Project]) -> None:
    _, project = own
    model = project.models["warm_day"]
    found = {
        n["name"]: n["group"] for n in project.manifest["nodes"].values() if n["resource_type"] == "model"
    }
    assert (found["warm_day"], found["station"]) == ("deployment", "harmonisation")
    assert (model.subject, model.by_day, model.shared_parents) == ("own", True, ("observation_daily",))
    assert read_contracts(project)["warm_day"].columns["temperature_cel"].unit == "Cel"
    assert "a_warm_day_is_there_once" in {test.name for test in project.tests_by_model["warm_day"]}
    (node,) = (node for node in project.plan.nodes if node.name == "warm_day")
    with duckdb.connect(str(project.prepared / WORKSPACE_FILE)) as connection:
        assert [name for name, *_ in connection.execute(node.sql).description] == [*model.columns]
    assert (project.folder / "models/shared/own/warm_day.sql").is_file()
    assert not (project.folder / "models/shared/own/notes.txt").exists()


def test_own_models_that_promise_nothing_are_named() -> None:
    node = {
        "resource_type": "model", "fqn": ["civitas", "shared", "own", "m"], "columns": {}, "original_file_path":
        "models/shared/own/m.sql", "config": {"contract": {"enforced": False}, "meta": {}},
    }  # fmt: skip
    with pytest.raises(HarmoniseError) as told:
        check_own_models({"nodes": {"model.civitas.m": node}})
    assert len(re.findall(r"^m\.sql: needs ", str(told.value), flags=re.MULTILINE)) == 3
    shared = {**node, "fqn": ["civitas", "shared", "things", "m"]}
    check_own_models({"nodes": {"model.civitas.m": shared}})


@pytest.fixture
def own_project(package: Path) -> Path:
    """The project of the page, as it is before there is anything of one's own in it."""
    (package / "pyproject.toml").write_text(block("toml", "[tool.dg]"), encoding="utf-8")
    (package / "our_town/defs").mkdir()
    (package / "our_town/defs/__init__.py").touch()
    (package / "our_town/definitions.py").write_text(block("python", "def defs"), encoding="utf-8")
    return package


def test_dg_writes_into_the_project_and_lists_what_is_there_beside_the_deployment(
    own_project: Path, project: Project
) -> None:
    (own_project / "tenants").mkdir()
    (own_project / "tenants/town.yaml").write_text(WARM_TOWN, encoding="utf-8")
    environment = {
        **os.environ,
        "CIVITAS_HOME": str(own_project / "home"),
        "CIVITAS_PREPARED_DIR": str(project.prepared.parent),
        "CIVITAS_TENANTS_DIR": str(own_project / "tenants"),
        "DAGSTER_DG_UPDATE_CHECK_ENABLED": "0",
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "HOME": str(own_project),
        "VIRTUAL_ENV": sys.prefix,
    }

    def dg_prints(command: str) -> str:
        assert f"`{command}`" in PAGE, "what is called here is what the page says"
        done = subprocess.run(
            [str(Path(sys.executable).parent / "dg"), *command.split()[1:], *(["--json"] if "list" in command else [])],
            check=False, cwd=own_project, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    dg_prints("dg scaffold defs dagster.asset rivers.py")
    file = own_project / "our_town/defs/rivers.py"
    assert "def rivers" in file.read_text(encoding="utf-8")
    file.write_text(block("python", "def rivers"), encoding="utf-8")
    listed = json.loads(dg_prints("dg list defs"))
    assets = {asset["asset_key"]: asset for asset in listed["assets"]}
    assert assets["rivers"]["dependency_keys"] == ["shared/water_observed"]
    assert {"landing/csv", "shared/water_observed", "tenants/health"} <= assets.keys()
    assert {"nightly", "hourly"} <= {schedule["name"] for schedule in listed["schedules"]}


def test_definitions_of_a_folder_stand_beside_those_of_the_deployment(
    own_project: Path, forgotten_modules: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset(key=["shared", "water_observed"])
    def water_observed() -> None: ...

    monkeypatch.setattr("civitas_assets.definitions.defs", lambda: dg.Definitions(assets=[water_observed]))
    (own_project / "our_town/defs/rivers.py").write_text(block("python", "def rivers"), encoding="utf-8")
    made = importlib.import_module("our_town.definitions").defs()
    graph = made.resolve_asset_graph()
    assert graph.get(dg.AssetKey("rivers")).parent_keys == {dg.AssetKey(["shared", "water_observed"])}
    assert {key.to_user_string() for key in graph.materializable_asset_keys} == {
        "rivers",
        "shared/water_observed",
    }
