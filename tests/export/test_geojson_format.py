"""GeoJSON by RFC 7946, which GDAL reads back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely

from civitas_assets.errors import ExportError
from civitas_assets.export.geojson_format import GeoJson
from tests.export.conftest import Town

STATION = {"station_key": "town:s:1", "lon": 9.1, "lat": 50.1, "name": 'Straße "A"'}
MOMENT = datetime(2026, 8, 20, 10, tzinfo=UTC)
CLOCKWISE = shapely.Polygon([(9, 50), (9, 51), (10, 51), (10, 50), (9, 50)])


def features(content: bytes) -> list[dict[str, Any]]:
    collection = json.loads(content)
    assert collection["type"] == "FeatureCollection"
    assert collection.keys() == {"type", "features"}  # since RFC 7946 there is no crs
    found: list[dict[str, Any]] = collection["features"]
    return found


def test_a_row_with_a_position_is_a_point_with_its_columns(town: Town) -> None:
    town.put("station", STATION)
    (feature,) = features(town.export("station", GeoJson()))
    assert feature["geometry"] == {"type": "Point", "coordinates": [9.1, 50.1]}
    assert feature["properties"]["name"] == 'Straße "A"'
    assert feature["properties"]["operator"] is None
    assert not {"lon", "lat"} & feature["properties"].keys()


def test_a_row_about_a_thing_lies_where_it_does(town: Town) -> None:
    town.put("station", STATION)
    town.put(
        "observation",
        {"station_key": "town:s:1", "value": 1.5, "phenomenon_start_at": MOMENT, "day": date(2026, 8, 20)},
        {"station_key": "town:s:2", "value": float("nan")},
    )
    here, nowhere = sorted(
        features(town.export("observation", GeoJson())),
        key=lambda feature: feature["properties"]["station_key"],
    )
    assert here["geometry"]["coordinates"] == [9.1, 50.1]
    assert here["properties"]["phenomenon_start_at"] == "2026-08-20T10:00:00Z"
    assert here["properties"]["day"] == "2026-08-20"
    assert nowhere["geometry"] is None
    assert nowhere["properties"]["value"] is None


def test_a_row_lies_where_the_thing_was_at_its_time(town: Town) -> None:
    moved = datetime(2026, 8, 1, tzinfo=UTC)
    town.put("station_history", {**STATION, "version": 1, "lon": 9.0, "valid_to": moved})
    town.put("station_history", {**STATION, "version": 2})
    rows = [{"station_key": "town:s:1", "station_version": version} for version in (1, 2, None)]
    town.put("observation", *rows)
    lon = [row["geometry"]["coordinates"][0] for row in features(town.export("observation", GeoJson()))]
    assert sorted(lon) == [9.0, 9.1, 9.1]


def test_an_area_has_its_outer_ring_anticlockwise_and_attributes_as_json(town: Town) -> None:
    town.put(
        "area_feature",
        {
            "feature_key": "a",
            "geometry_wkb": shapely.to_wkb(CLOCKWISE),
            "attributes": '{"höhe": 3}',
            "lon": 9.5,
        },
        {"feature_key": "b", "lon": 9.5, "lat": 50.5, "attributes": "no json"},
    )
    area, point = features(town.export("area_feature", GeoJson()))
    assert shapely.from_geojson(json.dumps(area["geometry"])).exterior.is_ccw
    assert area["properties"]["attributes"] == {"höhe": 3}
    assert point["geometry"] == {"type": "Point", "coordinates": [9.5, 50.5]}
    assert point["properties"]["attributes"] == "no json"


@pytest.mark.parametrize("lines", [False, True])
def test_gdal_reads_it_back(town: Town, tmp_path: Path, lines: bool) -> None:
    town.put("station", STATION, {"station_key": "town:s:2"})
    file = tmp_path / ("stations.geojsonl" if lines else "stations.geojson")
    file.write_bytes(town.export("station", GeoJson(lines)))
    meta, _, geometry, fields = pyogrio.raw.read(file)
    assert meta["crs"] == "EPSG:4326"
    assert [shape and shapely.to_wkt(shapely.from_wkb(shape), trim=True) for shape in geometry] == [
        "POINT (9.1 50.1)",
        None,
    ]
    names = fields[[*meta["fields"]].index("name")]
    assert names.tolist() == ['Straße "A"', None]


def test_lines_are_features_one_by_one(town: Town) -> None:
    town.put("station", STATION, {**STATION, "name": "two\nlines"})
    lines = town.export("station", GeoJson(lines=True)).decode().splitlines()
    assert [json.loads(line)["properties"]["name"] for line in lines] == ['Straße "A"', "two\nlines"]


def test_a_model_without_rows_is_a_collection_without_features(town: Town) -> None:
    assert features(town.export("station", GeoJson())) == []
    assert town.export("station", GeoJson(lines=True)) == b""


def test_a_model_that_is_nowhere_is_an_error_that_names_those_with_a_position(town: Town) -> None:
    with pytest.raises(
        ExportError, match=r"source has no geometry.*: air_quality_assessment, .*, weather_observed$"
    ):
        town.export("source", GeoJson())
