"""What is in a folder of open data: what is open and nothing else, described truly, and made only when it changes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from rdflib import Graph, URIRef

from civitas_assets.dcat.catalogue_graph import DCAT, SPDX
from civitas_assets.errors import ExportError
from civitas_assets.ingest.catalogue import load_catalogue
from tests.opendata.conftest import NOW, OfferingTown

DESCRIBED = {
    "catalogue.ttl", "catalogue.jsonld", "catalogue.rdf", "datapackage.json", "dictionary.json", "licences.json",
    "index.html",
}  # fmt: skip
TABLES = {
    "air_quality_observed.csv", "air_quality_observed.parquet", "event.csv", "event.geojson", "event.parquet",
    "station.csv", "station.geojson", "station.parquet",
}  # fmt: skip


def test_what_is_open_is_there_in_each_format_and_what_is_not_is_told(offering: OfferingTown) -> None:
    change = offering.offer()
    assert set(change.index.files) == DESCRIBED | TABLES
    assert set(change.changed) == DESCRIBED | TABLES
    assert set(change.left_out) == {"parking_status", "rejected_record", "water_observed"}
    rows = list(csv.DictReader(io.StringIO(offering.read("station.csv").decode())))
    # In the order of the key, without the closed source's row, and with the licence of each.
    assert [(row["station_key"], row["licence"]) for row in rows] == [
        ("a", "dl-de/by-2-0"),
        ("b", "dl-de/by-2-0"),
    ]
    features = json.loads(offering.read("station.geojson"))["features"]
    assert [feature["properties"]["station_key"] for feature in features] == ["a", "b"]
    table = pq.read_table(io.BytesIO(offering.read("station.parquet")))
    assert table["station_key"].to_pylist() == ["a", "b"]
    metadata = pq.read_metadata(io.BytesIO(offering.read("station.parquet"))).metadata
    assert json.loads(metadata[b"geo"])["primary_column"] == "geometry"
    for name in change.index.files:
        assert b"closed" not in offering.read(name), name
        assert b"lots" not in offering.read(name), name


def test_nothing_is_made_anew_while_nothing_has_changed(offering: OfferingTown) -> None:
    first = offering.offer().index
    assert offering.offer(NOW + timedelta(days=1)) is None
    offering.publish("r2")  # the same rows, published once more
    change = offering.offer(NOW + timedelta(days=2))
    assert (change.changed, change.index.files) == ([], first.files)
    offering.put("station", {"source": "air", "station_key": "d"})
    offering.publish("r3")
    change = offering.offer(NOW + timedelta(days=3))
    assert {"station.csv", "station.parquet", "station.geojson", "datapackage.json"} <= set(change.changed)
    kept = {"air_quality_observed.csv", "event.parquet", "licences.json", "dictionary.json"}
    assert {change.index.files[name] for name in kept} == {first.files[name] for name in kept}


def test_what_is_withheld_is_in_no_file_and_gives_no_position(offering: OfferingTown) -> None:
    with duckdb.connect(str(offering.tables)) as connection:
        connection.execute("update station set description = 'secret'")
    share = "{table: station, withhold: [lon, lat, description]}, air_quality_observed"
    offering.say("{}", share)
    change = offering.offer()
    assert set(change.index.files) - DESCRIBED == {
        "air_quality_observed.csv", "air_quality_observed.parquet", "station.csv", "station.parquet",
    }  # fmt: skip
    for name in ("station.parquet", "air_quality_observed.parquet"):
        names = pq.read_schema(io.BytesIO(offering.read(name))).names
        assert not {"lon", "description", "geometry", "bbox"} & set(names), name
    for name in change.index.files:
        assert b"secret" not in offering.read(name), name
        assert b"10.05" not in offering.read(name) or name.startswith(("catalogue", "air")), name
    assert "lon" not in json.loads(offering.read("dictionary.json"))["station"]["properties"]


def test_a_source_that_is_closed_takes_its_tables_out_although_nothing_new_came(
    offering: OfferingTown,
) -> None:
    offering.offer()
    offering.say("{}", **{"title: Luft,": "title: Luft, licence: proprietary,"})
    change = offering.offer()
    assert set(change.index.files) - DESCRIBED == set()
    assert all(
        "licence is not open" in change.left_out[name] or "no rows" in change.left_out[name]
        for name in ("station", "event", "air_quality_observed")
    )
    offering.say("")
    assert offering.offer().index is None
    assert offering.folder.read_index() is None
    assert offering.offer() is None


def test_small_counts_are_left_out_below_what_the_table_says(offering: OfferingTown) -> None:
    with duckdb.connect(str(offering.tables)) as connection:
        connection.execute("update station set elevation_m = case station_key when 'a' then 4 else 5 end")
    offering.say("{}", "{table: station, k: 5}")
    offering.offer()
    rows = csv.DictReader(io.StringIO(offering.read("station.csv").decode()))
    assert [row["elevation_m"] for row in rows] == ["", "5.0"]


def test_a_folder_needs_to_know_who_publishes(offering: OfferingTown) -> None:
    offering.say("{}", **{"  contact:": "  #contact:"})
    with pytest.raises(ExportError, match=r"town: a folder of open data needs open_data\.contact; set it"):
        offering.offer()


def test_the_catalogue_leads_to_the_files_with_their_sizes_and_digests(offering: OfferingTown) -> None:
    index = offering.offer().index
    graph = Graph().parse(offering.read("catalogue.ttl"), format="turtle")
    address = "http://localhost:3000/open/town/"
    found = {
        str(graph.value(node, DCAT.downloadURL)): (
            int(graph.value(node, DCAT.byteSize)),  # type: ignore[call-overload]
            str(graph.value(graph.value(node, SPDX.checksum), SPDX.checksumValue)),
        )
        for node in graph.subjects(DCAT.downloadURL)
    }
    assert found == {
        f"{address}{name}": (index.files[name].size, index.files[name].digest) for name in TABLES
    }
    offering.say("{access: login}")
    assert offering.offer().index.access == "login"
    graph = Graph().parse(offering.read("catalogue.ttl"), format="turtle")
    assert list(graph.subjects(DCAT.downloadURL)) == []
    assert (None, DCAT.accessURL, URIRef("https://www.musterstadt.example/daten")) in graph


@pytest.mark.integration
def test_the_data_package_is_valid_and_the_tables_are_as_it_says(
    offering: OfferingTown, tmp_path: Path, oracle: Callable[..., Path]
) -> None:
    for name in offering.offer().index.files:
        (tmp_path / name).write_bytes(offering.read(name))
    python = oracle("frictionless", "5.21.0")
    program = (
        "import json, frictionless; package = frictionless.Package('datapackage.json')\n"
        "package.resources = [r for r in package.resources if r.format == 'csv']\n"
        "report = package.validate(); print(json.dumps([report.valid, report.flatten(['name', 'rowNumber', 'note']),"
        " {task.name: task.stats['rows'] for task in report.tasks}]))"
    )
    command = [str(python), "-c", program]
    said = subprocess.run(
        command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120
    ).stdout
    is_valid, faults, rows = json.loads(said)
    assert faults == []
    assert is_valid
    assert rows == {"station": 2, "air_quality_observed": 3, "event": 1}


def test_folder_and_downloads_exclude_each_other(offering: OfferingTown) -> None:
    offering.say("{}\n  downloads: {url: 'https://a.example/x'}")
    (fault,) = load_catalogue(offering.settings).faulty["town"]
    assert "folder and downloads" in str(fault)
