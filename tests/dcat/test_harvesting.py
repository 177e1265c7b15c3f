"""The parser with which CKAN harvests (ckanext-dcat) finds in a catalogue what was put in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from civitas_assets.dcat.catalogue_files import write_catalogue
from civitas_assets.dcat.catalogue_graph import build_catalogue
from civitas_assets.dcat.offered_files import find_offer
from civitas_assets.dcat.open_tables import read_open_tables
from civitas_assets.ingest.catalogue import load_catalogue
from tests.dcat.conftest import OpenTown

pytestmark = [pytest.mark.integration, pytest.mark.slow]

_PARSE = """
import json, sys
from ckanext.dcat.processors import RDFParser
found = {}
for form in ("turtle", "json-ld", "xml"):
    parser = RDFParser(profiles=["euro_dcat_ap_3"])
    parser.parse(open(f"catalogue-{form}").read(), _format=form)
    found[form] = list(parser.datasets())
print(json.dumps(found))
"""


def test_ckan_finds_datasets_with_licences_places_and_files(
    town: OpenTown, tmp_path: Path, oracle: Callable[..., Path]
) -> None:
    python = oracle("ckanext-dcat", "2.4.4", "ckan[requirements]==2.12.0")
    tenant = load_catalogue(town.settings).get_tenant("town")
    graph = build_catalogue(read_open_tables(town.settings, tenant), find_offer(town.settings, tenant))
    for form, name in {"turtle": "turtle", "jsonld": "json-ld", "rdfxml": "xml"}.items():
        with (tmp_path / "out").open("wb") as out:
            write_catalogue(graph, form, tmp_path / f"catalogue-{name}", out)
    command = [str(python), "-c", _PARSE]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for form, datasets in json.loads(done.stdout).items():
        by_title = {dataset["title"]: dataset for dataset in datasets}
        titles = {"Air quality (Musterstadt)", "Stations (Musterstadt)", "Events and roadworks (Musterstadt)"}
        assert set(by_title) == titles, form
        air = by_title["Air quality (Musterstadt)"]
        said = {extra["key"]: extra["value"] for extra in air["extras"]}
        assert said["publisher_name"] == "Stadt Musterstadt"
        assert said["contact_email"] == "offene-daten@musterstadt.example"
        assert (said["temporal_start"], said["temporal_end"]) == ("2026-11-01", "2026-11-02")
        assert json.loads(said["hvd_category"]) == ["http://data.europa.eu/bna/c_dd313021"]
        assert json.loads(said["spatial_bbox"])["coordinates"][0][0] == [9.95, 50.95]
        files = {resource["url"]: (resource["license"], resource["format"]) for resource in air["resources"]}
        licence = "http://dcat-ap.de/def/licenses/dl-by-de/2.0"
        kinds = "http://publications.europa.eu/resource/authority/file-type"
        assert files == {
            f"https://daten.musterstadt.example/export/air_quality_observed.{ending}": (
                licence,
                f"{kinds}/{kind}",
            )
            for ending, kind in {"csv": "CSV", "geojson": "GEOJSON", "parquet": "PARQUET"}.items()
        }
