"""The command `catalogue`: a file for one tenant, one for all, and sentences about what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import Result
from rdflib import RDF, Graph, URIRef
from typer.testing import CliRunner

from civitas_assets.cli import app
from civitas_assets.errors import ExportError

DATASET = URIRef("http://www.w3.org/ns/dcat#Dataset")
TOWN = """\
name: Town
ags: "99000001"
bbox: [9, 50, 10, 51]
share: [station]
open_data:
  publisher: {name: Town}
  contact: {name: Office, email: data@town.example}
  landing_page: https://town.example/data
sources: {air: {connector: uba, title: Air, stations: [DEHE046]}}
"""


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, for a town that has published, and one whose file lacks who publishes."""
    tenants, published = tmp_path / "tenants", tmp_path / "published" / "town"
    tenants.mkdir()
    published.mkdir(parents=True)
    (tenants / "town.yaml").write_text(TOWN, encoding="utf-8")
    (tenants / "other.yaml").write_text(TOWN.replace("  publisher: {name: Town}\n", ""), encoding="utf-8")
    (tenants / "silent.yaml").write_text(TOWN.replace("share: [station]\n", ""), encoding="utf-8")
    with duckdb.connect(str(published / "town_db.duckdb")) as connection:
        connection.execute(
            "create table source as select 'air' as source, 'dl-de/by-2-0' as licence, 'UBA' as attribution"
        )
        connection.execute("create table station as select 'air' as source, 9.5 as lon, 50.5 as lat")
    monkeypatch.setenv("CIVITAS_HOME", str(tmp_path))
    monkeypatch.setenv("CIVITAS_TENANTS_DIR", str(tenants))
    return lambda *arguments: CliRunner().invoke(app, ["catalogue", *arguments])


def test_one_tenant_and_all_have_the_same_dataset(catalogue: Callable[..., Result], tmp_path: Path) -> None:
    one, all_of_them = tmp_path / "one.ttl", tmp_path / "all.ttl"
    assert catalogue("town", "--output", str(one)).exit_code == 0
    page = ("--publisher", "Operator", "--landing-page", "https://operator.example/data")
    done = catalogue(*page, "--output", str(all_of_them))
    assert done.exit_code == 0
    assert "left out: other: a catalogue needs open_data.publisher in the tenant's file" in done.output
    assert "silent" not in done.output
    found = [set(Graph().parse(file).subjects(RDF.type, DATASET)) for file in (one, all_of_them)]
    assert found[0] == found[1] == {URIRef("https://town.example/data#town/station")}


def test_what_is_missing_is_said(catalogue: Callable[..., Result]) -> None:
    for tenant, sentence in (
        ("other", "open_data.publisher in the tenant's file"),
        ("silent", "list the tables that others may have under share:"),
    ):
        done = catalogue(tenant)
        assert isinstance(done.exception, ExportError)
        assert sentence in str(done.exception)
    assert catalogue().exit_code == 2
    assert catalogue("town", "--publisher", "Operator").exit_code == 2
