"""Settings are held against the same spellings by which the models understand values."""

from __future__ import annotations

import duckdb
import pytest

from civitas_assets.catalog.vocabulary import Kind, read_vocabulary
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.workspace_tables import STAGING_SCHEMA, WORKSPACE_FILE
from civitas_assets.settings import PROJECT_DIR


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
