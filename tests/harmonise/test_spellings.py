"""Settings are held against the same spellings by which the models understand values."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from civitas_assets.catalog import load_catalog
from civitas_assets.catalog.vocabulary import Kind, read_vocabulary
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.task import Task
from civitas_assets.harmonise.workspace import make_workspace
from civitas_assets.harmonise.workspace_tables import STAGING_SCHEMA, WORKSPACE_FILE
from civitas_assets.settings import DEFAULT_LIMITS, PROJECT_DIR
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.stores import Stores


@pytest.mark.parametrize(
    ("kind", "view", "column"),
    [
        ("property", "int_observed_property_spelling", "observed_property"),
        ("unit", "int_unit_spelling", "unit"),
    ],
)
def test_the_vocabulary_has_what_the_models_know(
    project: Project, kind: Kind, view: str, column: str
) -> None:
    vocabulary = read_vocabulary(PROJECT_DIR / "dbt_project")
    with duckdb.connect(str(project.prepared / WORKSPACE_FILE), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        query = f"select spelling, list({column}) from {STAGING_SCHEMA}.{view} group by all"  # noqa: S608
        known = dict(connection.execute(query).fetchall())
    assert len(known) > 100
    assert all(vocabulary.find_code(spelling, kind) in codes for spelling, codes in known.items())
    assert {code for codes in known.values() for code in codes} == {*vocabulary.list_codes(kind)}


_TOWN = """
name: Musterstadt
ags: "99000001"
bbox: [9.0, 50.0, 9.2, 50.2]
properties: {Radler: traffic.bicycle_count}
sources: {}
"""


@pytest.mark.parametrize(("explained", "known"), [(True, "traffic.bicycle_count"), (False, None)])
def test_what_a_tenant_explains_is_known_in_its_workspace_alone(
    project: Project, tmp_path: Path, explained: bool, known: str | None
) -> None:
    folder = tmp_path / "tenants"
    folder.mkdir()
    body = _TOWN if explained else _TOWN.replace("properties", "# properties")
    (folder / "town.yaml").write_text(body, encoding="utf-8")
    tenant = load_catalog(folder, SOURCE_MODELS).get_tenant("town")
    stores = Stores.for_tenant(LocalFiles(tmp_path), tenant.slug)
    made = make_workspace(
        tmp_path / "run", project, tenant, stores, Task((), rebuild=False, entries={}), limits=DEFAULT_LIMITS
    )
    query = (
        f"select observed_property from {STAGING_SCHEMA}.int_observed_property_spelling where spelling = ?"  # noqa: S608
    )
    with made.open(DEFAULT_LIMITS) as connection:
        assert connection.execute(query, ["radler"]).fetchone() == (known and (known,))
        assert connection.execute(query, ["traffic.bicycle_count"]).fetchone() is not None
