"""What licences ask for is in every format, and what they do not let be given away stays."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from civitas_assets.catalog.licence import CHANGED, LICENCES, combine_notices, find_terms_of_licence
from civitas_assets.export.csv_format import Csv
from civitas_assets.export.export_vocabulary import ExportVocabulary
from civitas_assets.export.geojson_format import GeoJson
from civitas_assets.export.geoparquet_format import GeoParquet
from civitas_assets.export.ngsi_ld_format import NgsiLd
from civitas_assets.harmonise.project import Project
from civitas_assets.settings import Settings
from tests.export.conftest import Town

URL = LICENCES["ODbL-1.0"].address
ALIKE = find_terms_of_licence("ODbL-1.0").build_notice("ODbL-1.0")


@pytest.fixture
def licensed(town: Town) -> Any:
    """Stations of a source that is open, of one that is not, and of one that nobody knows any more."""
    town.put(
        "source",
        {"source": "open", "licence": "ODbL-1.0", "attribution": "Stadt O'Town"},
        {"source": "free", "licence": "CC0-1.0"},
        {"source": "shut", "licence": "proprietary"},
        {"source": "said", "licence": "proprietary", "is_shareable": True},
    )
    names = ("open", "shut", "gone", "said")
    town.put("station", *({"station_key": name, "source": name, "lon": 9.1, "lat": 50.1} for name in names))
    return town


def test_rows_that_may_not_be_given_to_others_stay_unless_they_are_for_the_tenant(licensed: Any) -> None:
    def keys(**options: Any) -> list[str]:
        content = licensed.export("station", Csv(), **options).decode()
        return sorted(row["station_key"] for row in csv.DictReader(io.StringIO(content)))

    assert keys() == ["open", "said"]
    assert keys(everything=True) == ["gone", "open", "said", "shut"]
    said = []
    licensed.export("station", Csv(), tell=said.append)
    assert said[0].closed == ["shut"]
    assert "ODbL-1.0, which is share-alike" in said[0].combine_notices()


def test_licence_link_attribution_and_notice_are_beside_every_row(
    licensed: Any, vocabulary: ExportVocabulary
) -> None:
    row = next(csv.DictReader(io.StringIO(licensed.export("station", Csv()).decode())))
    expected = {"licence": "ODbL-1.0", "licence_url": URL, "attribution": "Stadt O'Town", "notice": ALIKE}
    assert {name: row[name] for name in expected} == expected

    collection = json.loads(licensed.export("station", GeoJson()))
    assert collection["features"][0]["properties"].items() >= expected.items()
    assert (
        expected.items()
        <= next(s for s in collection["licences"]["sources"] if s["source"] == "open").items()
    )
    (line, _) = licensed.export("station", GeoJson(lines=True)).splitlines()
    assert json.loads(line)["properties"].items() >= expected.items()

    file = pq.ParquetFile(io.BytesIO(licensed.export("station", GeoParquet())))
    assert file.read().to_pylist()[0].items() >= expected.items()
    about = json.loads(file.metadata.metadata[b"licences"])
    assert [source["source"] for source in about["sources"]] == ["free", "open", "said"]
    assert "share-alike" in about["notice"]

    entity = json.loads(licensed.export("station", NgsiLd(vocabulary)))[0]
    found = [entity[name]["value"] for name in ("license", "licenseUrl", "attribution", "licenseNotice")]
    assert found == [*expected.values()]


def test_small_counts_are_left_out_with_what_follows_from_them(
    licensed: Any, tmp_path: Path, project: Project
) -> None:
    tenants = tmp_path / "tenants"
    tenants.mkdir()
    file = 'name: T\nags: "99000001"\nbbox: [9, 50, 10, 51]\nk: 5\n'
    (tenants / "town.yaml").write_text(file, encoding="utf-8")
    object.__setattr__(licensed, "settings", Settings(home=tmp_path, tenants_dir=tenants))
    status = {"source": "free", "capacity": 10}
    licensed.put(
        "parking_status",
        {"site_key": "few", "occupied": 4, "free": 6, "occupancy_ratio": 0.4, **status},
        {"site_key": "many", "occupied": 5, "free": 5, **status},
        {"site_key": "none", "occupied": 0, "free": 10, **status},
    )
    licensed.follow("parking_status", project)
    rows = csv.DictReader(io.StringIO(licensed.export("parking_status", Csv()).decode()))
    found = {
        row["site_key"]: (row["occupied"], row["free"], row["occupancy_ratio"], row["capacity"])
        for row in rows
    }
    assert found == {"few": ("", "", "", "10"), "many": ("5", "5", "", "10"), "none": ("0", "10", "", "10")}
    assert b"0.4" in licensed.export("parking_status", Csv(), everything=True)


def test_what_is_said_depends_on_the_licence() -> None:
    assert find_terms_of_licence("CC-BY-4.0").build_notice("CC-BY-4.0") == CHANGED
    assert "Not open" in find_terms_of_licence(None).build_notice("unknown")
    assert not find_terms_of_licence("of my own").is_open
    assert combine_notices(["CC0-1.0", "CC-BY-4.0"]) == ""
    assert combine_notices(["ODbL-1.0"]) == ""
    assert "under CC0-1.0" in combine_notices(["ODbL-1.0", "CC0-1.0"])
