"""GeoJSON: properties fill fields, points fill positions, and a foreign reference system is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

SITES = {"record_type": "parking_site", "fields": {"site_id": "nr", "name": "about.name"}}
Table = Callable[..., RawTable]


@pytest.fixture
def table(source: Callable[..., Any], read: Callable[..., list[RawTable]]) -> Table:
    """Reads features as parking sites, unless settings say otherwise."""

    def parse(features: Any, named: Any = None, **settings: Any) -> RawTable:
        body = json.dumps(
            {"type": "FeatureCollection", "features": features, **({"crs": named} if named else {})}
        )
        (only,) = read(source("geojson", **{**SITES, **settings}), body.encode())
        return only

    return parse


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def point(*coordinates: Any) -> dict[str, Any]:
    return {"type": "Point", "coordinates": coordinates}


def test_properties_and_points_fill_the_fields(table: Table) -> None:
    found = table(
        [feature(point(11.5, 50.9, 140.0), nr="1", about={"name": "A"}), feature(point(11.6, 51), nr="2")]
    )
    assert found.frame.select("site_id", "name", "lon").rows() == [("1", "A", 11.5), ("2", None, 11.6)]
    assert [float(lat) for lat in found.frame["lat"]] == [50.9, 51.0]


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [1, 2]]]},
        {"type": "Point", "coordinates": []},
        {"type": "Point"},
        {"type": "GeometryCollection", "geometries": []},
    ],
)
def test_what_is_no_point_gives_no_position_and_no_error(table: Table, geometry: Any) -> None:
    frame = table([feature(geometry, nr="1"), feature(point(11.5, 50.9), nr="2")]).frame
    assert frame.select("lon", "lat").rows() == [(None, None), (11.5, 50.9)]


def test_coordinates_that_nobody_can_decode_stay_for_the_contract_to_refuse(source: Any, read: Any) -> None:
    huge = json.dumps(feature(point(7.5, 51.5), nr="1")).replace("51.5", "1e999")
    right = json.dumps(feature(point(11.5, 50.9), nr="2"))
    body = f'{{"type": "FeatureCollection", "features": [{huge}, {right}]}}'.encode()
    (found,) = read(source("geojson", **SITES), body)
    assert found.frame["lat"].to_list() == ["[7.5, 1e999]", "50.9"]


def test_other_shapes_than_points_are_handed_on_as_geometries(table: Table) -> None:
    area = {"type": "Polygon", "coordinates": [[[11.5, 50.9], [11.6, 50.9], [11.6, 51.0], [11.5, 50.9]]]}
    both = {"type": "GeometryCollection", "geometries": [area, point(11.5, 50.9)]}
    frame = table(
        [
            feature(area, nr="1"),
            feature(point(11.5, 50.9), nr="2"),
            feature(None, nr="3"),
            feature(both, nr="4"),
        ]
    ).frame
    found = [text and json.loads(text) for text in frame["geometry"]]
    assert found == [
        area,
        None,
        None,
        {**both, "geometries": [area, {**point(), "coordinates": [11.5, 50.9]}]},
    ]
    assert "geometry" not in table([feature(point(11.5, 50.9), nr="2")]).frame.columns


def test_a_position_among_the_properties_goes_before_the_geometry(table: Table) -> None:
    fields = {"site_id": "nr", "lon": "x", "lat": "y"}
    frame = table(
        [feature(point(1, 2), nr="1", x=681721.5, y=5645057.6)], fields=fields, crs="EPSG:25832"
    ).frame
    assert frame.select("lon", "lat").rows() == [(681721.5, 5645057.6)]


def test_the_id_of_the_feature_itself_may_fill_a_field(table: Table) -> None:
    features = [{**feature(nr="x"), "id": "site.7"}, {**feature(nr="y"), "id": "site.8"}]
    frame = table(features, fields={"name": "nr"}, feature_id="site_id").frame
    assert frame.select("site_id", "name").rows() == [("site.7", "x"), ("site.8", "y")]


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:EPSG::25832", "EPSG:25832", "http://…/EPSG:25832"])
def test_a_reference_system_that_the_source_does_not_declare_is_refused(table: Table, name: str) -> None:
    crs = {"type": "name", "properties": {"name": name}}
    with pytest.raises(ReadError, match="is in EPSG:25832, but the source says EPSG:4326: set crs"):
        table([], crs)


def test_a_reference_system_that_the_source_declares_is_right(table: Table, source: Any, read: Any) -> None:
    body = json.dumps(
        {"crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}, "features": []}
    ).encode()
    assert read(source("geojson", **SITES, crs="EPSG:25832"), body)[0].frame.is_empty()
    for name in ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326", None):
        assert table([], {"properties": {"name": name}}).frame.is_empty()


def test_no_features_are_a_table_without_rows(table: Table) -> None:
    assert table([]).frame.columns == ["site_id", "name", "lon", "lat"]


def test_the_recorded_car_parks_of_jena_have_their_positions(
    source: Callable[..., Any], read: Callable[..., list[RawTable]], payloads: Path
) -> None:
    declared = source("geojson", record_type="parking_site", fields={"site_id": "id", "name": "name"})
    (table,) = read(declared, (payloads / "parking" / "jena.geojson").read_bytes())
    assert table.frame.row(0) == (185, "Eichplatz", 11.585954366, 50.928491667)
    assert not table.frame["lon"].null_count()
