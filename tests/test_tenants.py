"""The tenants that come with the project: real municipalities, their official keys, and sources that are proven."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from civitas_assets.catalog import load_catalog
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.settings import PROJECT_DIR

TENANTS = PROJECT_DIR / "civitas_assets" / "tenants"
CATALOG = load_catalog(TENANTS, SOURCE_MODELS)
# Official keys and a point in the middle of each town.
TOWNS = {
    "bamberg": ("09461000", 10.887, 49.892),
    "hassfurt": ("09674147", 10.512, 50.034),
    "jena": ("16053000", 11.586, 50.928),
    "kassel": ("06611000", 9.497, 51.316),
    "muenster": ("05515000", 7.626, 51.962),
    "osnabrueck": ("03404000", 8.047, 52.279),
    "paderborn": ("05774032", 8.754, 51.719),
}
# Each has its own recorded payloads in tests/integration: test_services.py, or the named source of a real city.
PROVEN_SERVICES = {"dwd", "opensensemap", "pegelonline", "sensor_community", "uba"}
PROVEN_SOURCES = {("muenster", "bicycle_counters"), ("jena", "parking_sites")}
RECORDED = Path(__file__).parent / "integration" / "tenants" / "deutschland.yaml"


def test_these_towns_are_here() -> None:
    assert CATALOG.tenants.keys() == TOWNS.keys()


@pytest.mark.parametrize("slug", TOWNS)
def test_a_town_has_its_official_key_and_lies_in_its_box(slug: str) -> None:
    ags, lon, lat = TOWNS[slug]
    tenant = CATALOG.tenants[slug]
    west, south, east, north = tenant.bbox
    assert tenant.ags == ags
    assert west < lon < east
    assert south < lat < north
    assert east - west < 0.4, "a town, not a county"


@pytest.mark.parametrize("slug", TOWNS)
def test_every_source_is_of_a_kind_that_was_proven_on_a_recorded_payload(slug: str) -> None:
    for name, source in CATALOG.tenants[slug].sources.items():
        assert source.connector in PROVEN_SERVICES or (slug, name) in PROVEN_SOURCES
        assert source.attribution
        assert source.url.startswith("https://")
        assert source.licence != "proprietary"


def test_the_parking_sites_of_jena_are_read_as_the_recorded_ones_are() -> None:
    recorded = yaml.safe_load(RECORDED.read_text(encoding="utf-8"))["sources"]["jena_parking"]
    real = yaml.safe_load((TENANTS / "jena.yaml").read_text(encoding="utf-8"))["sources"]["parking_sites"]
    different = {key for key in recorded | real if recorded.get(key) != real.get(key)}
    assert different == {"url", "http", "attribution"}
