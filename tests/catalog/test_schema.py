"""Editors and the loader agree: what one accepts, the other accepts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import civitas_assets
from civitas_assets.catalog import Catalog, load_catalog
from civitas_assets.catalog.schema import build_tenant_schema
from civitas_assets.catalog.vocabulary import read_vocabulary
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.errors import CatalogError
from civitas_assets.settings import PROJECT_DIR

jsonschema = pytest.importorskip("jsonschema")
TENANTS = sorted((Path(civitas_assets.__file__).parent / "tenants").glob("*.yaml"))
SCHEMA = build_tenant_schema(SOURCE_MODELS, read_vocabulary(PROJECT_DIR / "dbt_project"))


def complaints(text: str) -> list[str]:
    """Where the schema sees faults."""
    checker: Any = jsonschema.Draft202012Validator(SCHEMA)
    return [error.json_path for error in checker.iter_errors(yaml.safe_load(text))]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_there_are_packaged_tenants() -> None:
    assert TENANTS


@pytest.mark.parametrize("file", TENANTS, ids=lambda file: file.stem)
def test_packaged_tenants_fit(file: Path) -> None:
    assert complaints(file.read_text(encoding="utf-8")) == []


def test_a_right_file_fits(right: str) -> None:
    assert complaints(right) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"05515000"', "5515000", "$.ags"),
        ("name:", "nam:", "$"),
        ("connector: csv", "connector: cvs", "$.sources.counters.connector"),
        ("fields:", "feilds:", "$.sources.counters"),
        ("15 min", "15 months", "$.sources.counters.time"),
        ("dl-de/by-2-0", "free", "$.sources.counters.licence"),
        ("secret: TOWN_TOKEN", "secret: town", "$.sources.counters.headers.Authorization"),
        ("  counters:", "  Counters:", "$.sources"),
        ("[7, 51.8, 7.8, 52.1]", "[7, 51.8]", "$.bbox"),
    ],
)
def test_a_fault_is_seen_by_the_editor_and_by_the_loader(
    load: Callable[..., Catalog], right: str, old: str, new: str, place: str
) -> None:
    text = right.replace(old, new)
    assert place in complaints(text)
    with pytest.raises(CatalogError):
        load(muster=text)


def test_every_connector_is_offered_and_each_field_explains_itself() -> None:
    sources = SCHEMA["properties"]["sources"]["additionalProperties"]
    assert sources["properties"]["connector"]["enum"] == sorted(SOURCE_MODELS)
    for model in SOURCE_MODELS.values():
        described = SCHEMA["$defs"][model.__name__]["properties"]
        assert "description" in described["url"]
        assert "description" in described["licence"]


@pytest.mark.parametrize(("section", "right_one"), [("properties", "air.pm10"), ("units", "ug/m3")])
def test_an_editor_offers_the_codes_of_properties_and_units(right: str, section: str, right_one: str) -> None:
    assert complaints(f"{right}{section}: {{x: {right_one}}}\n") == []
    assert complaints(f"{right}{section}: {{x: nonsense}}\n") == [f"$.{section}.x"]
    constants = SCHEMA["$defs"]["CsvSource"]["properties"]["constants"]["properties"]
    assert "Cel" in constants["unit"]["anyOf"][0]["enum"]


DEFAULTS = """
sources:
  counters: {title: Zähler, connector: csv, licence: CC0-1.0, url: "https://open.example/{ags}.csv",
    record_type: observation, fields: {datastream_id: id, value: v}, time: {column: at, zone: utc}}
"""
TOWN = 'name: Stadt\nags: "99000001"\nbbox: [9.9, 50.9, 10.1, 51.1]\n'


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ("defaults: all\nsources: {counters: {title: Räder}}\n", None),
        ("defaults: [counters]\nsources: {counters: {connector: csv, title: Räder}}\n", None),
        ("sources: {counters: {title: Räder}}\n", "$.sources.counters"),
        ("sources: {counters: {connector: csv, title: Räder}}\n", "$.sources.counters"),
        ("defaults: all\nsources: {counters: {titel: Räder}}\n", "$.sources.counters"),
        ("defaults: all\nsources: {counters: {connector: csv, titel: Räder}}\n", "$.sources.counters"),
        (
            "defaults: all\nsources: {counters: {connector: csv, licence: free}}\n",
            "$.sources.counters.licence",
        ),
    ],
)
def test_a_source_that_is_taken_over_says_only_what_is_otherwise(
    tmp_path: Path, more: str, place: str | None
) -> None:
    (tmp_path / "defaults.yaml").write_text(DEFAULTS, encoding="utf-8")
    (tmp_path / "town.yaml").write_text(TOWN + more, encoding="utf-8")
    assert {*complaints(TOWN + more)} == ({place} if place else set())
    if place:
        with pytest.raises(CatalogError):
            load_catalog(tmp_path, SOURCE_MODELS)
    else:
        assert load_catalog(tmp_path, SOURCE_MODELS).get_tenant("town").sources["counters"].title == "Räder"
