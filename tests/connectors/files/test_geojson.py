"""GeoJSON: properties fill fields, points fill positions, and a foreign reference system is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from tests.connectors.conftest import MakeSource, ReadBody, ReadRecords

SITES = {"record_type": "parking_site", "fields": {"site_id": "nr", "name": "about.name"}}
Table = Callable[..., RawTable]


@pytest.fixture
def table(source: MakeSource, read: ReadBody) -> Table:
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


def test_properties_are_found_however_their_letters_are_composed(table: Table) -> None:
    found = table(
        [feature(nr="1", **{"Pla\u0308tze\u00a0": "A"})], fields={"site_id": "nr", "name": "Pl\u00e4tze"}
    )
    assert found.frame["name"].to_list() == ["A"]


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


def test_coordinates_that_nobody_can_decode_stay_for_the_contract_to_refuse(
    source: MakeSource, read: ReadBody
) -> None:
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


UTM = [684004.33, 5641038.18]
LINK = "http://www.opengis.net/def/crs/EPSG/0/25832"
NAMES = {
    "urn": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}},
    "urn with a version": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG:6.9:25832"}},
    "short": {"type": "name", "properties": {"name": "EPSG:25832"}},
    "lower case": {"properties": {"name": "epsg:25832"}},
    "address": {"type": "name", "properties": {"name": LINK}},
    "link": {"type": "link", "properties": {"href": LINK, "type": "ogcwkt"}},
    "old link": {
        "type": "link",
        "properties": {"href": "http://spatialreference.org/ref/epsg/25832/ogcwkt/"},
    },
    "code": {"type": "EPSG", "properties": {"code": 25832}},
    "surveyors": {"type": "name", "properties": {"name": "urn:adv:crs:ETRS89_UTM32"}},
    "with heights": {"type": "name", "properties": {"name": "EPSG:25832+7837"}},
    "text": "EPSG:25832",
}


@pytest.mark.parametrize("crs", NAMES.values(), ids=NAMES)
def test_the_reference_system_that_a_file_names_holds(
    source: MakeSource, records: ReadRecords, crs: Any
) -> None:
    line = {"type": "LineString", "coordinates": [UTM, UTM[:]]}
    features = [
        feature(point(*UTM), nr="1"),
        feature(line, nr="2"),
        feature(point(), nr="3"),
        feature(None, nr="4"),
    ]
    body = json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}).encode()
    place = {"record_type": "place", "fields": {"place_id": "nr"}, "constants": {"category": "x"}}
    for settings in ({}, {"crs": "EPSG:25832"}):
        found = records(source("geojson", **place, **settings), body)["place"]
        assert [(row.get("lon"), row.get("lat")) for row in found] == [
            *[(pytest.approx(11.616, abs=1e-3), pytest.approx(50.892, abs=1e-3))] * 2,
            *[(None, None)] * 2,
        ]
    with pytest.raises(ReadError, match="is in EPSG:25832, but the source says EPSG:25833: correct crs"):
        records(source("geojson", **place, crs="EPSG:25833"), body)


def test_a_reference_system_that_nobody_knows_has_to_be_said(table: Table) -> None:
    crs = {"type": "link", "properties": {"href": "grid.prj", "type": "proj4"}}
    with pytest.raises(ReadError, match=r"names the reference system grid\.prj, which is not known: set crs"):
        table([feature(point(*UTM), nr="1")], crs)
    assert table([feature(point(*UTM), nr="1")], crs, crs="EPSG:25832").frame["lon"].to_list() == [UTM[0]]


@pytest.mark.parametrize("geometry", [point(*UTM), {"type": "LineString", "coordinates": [UTM, UTM]}])
def test_coordinates_that_are_no_degrees_and_have_no_name_are_an_error(table: Table, geometry: Any) -> None:
    features = [feature(point(), nr="0"), feature(geometry, nr="1")]
    with pytest.raises(ReadError, match=r"such as 684004\.3, 5641038, which are no degrees.*set crs"):
        table(features)
    assert table(features, crs="EPSG:25832").frame.height == 2
    assert table([*features, feature(point(11.5, 50.9), nr="2")]).frame.height == 3, (
        "one mistake is no system"
    )


ONE, TWO = feature(point(11.5, 50.9), nr="1"), {**feature(None, nr="2"), "geometry": point(11.6, 51.0)}
FORMS = {
    "lines": "\n".join(map(json.dumps, (ONE, TWO))),
    "lines of Windows with a blank one": "\r\n".join(map(json.dumps, (ONE, TWO))) + "\r\n\r\n",
    "sequence": "".join(f"\x1e{json.dumps(part)}\n" for part in (ONE, TWO)),
    "sequence over several lines": "".join(f"\x1e{json.dumps(part, indent=1)}\n" for part in (ONE, TWO)),
    "collections": "\n".join(
        json.dumps({"type": "FeatureCollection", "features": [part]}) for part in (ONE, TWO)
    ),
    "collections and nothing": "\n".join(
        json.dumps({"type": "FeatureCollection", "features": part}) for part in ([ONE, TWO], [])
    ),
    "not a number": json.dumps(
        {"type": "FeatureCollection", "bbox": [float("nan")], "features": [ONE, TWO]}, indent=1
    ),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("store", ["whole", "mapped"])
def test_features_come_in_one_collection_or_one_after_another(
    source: MakeSource, read: ReadBody, text: str, store: str
) -> None:
    declared = source("geojson", record_type="parking_site", fields={"site_id": "nr"}, store=store)
    (found,) = read(declared, declared.redact_answer("data", text.encode()))
    assert found.frame.rows() == [("1", 11.5, 50.9), ("2", 11.6, 51.0)]


def test_one_feature_and_one_geometry_are_collections_of_one(source: MakeSource, read: ReadBody) -> None:
    declared = source("geojson", record_type="place", fields={"name": "nr"})
    (found,) = read(declared, json.dumps(ONE).encode())
    assert found.frame.rows() == [("1", 11.5, 50.9)]
    (found,) = read(declared, json.dumps(point(11.5, 50.9)).encode())
    assert found.frame.rows() == [(None, 11.5, 50.9)]


NO_GEOJSON = {
    "TopoJSON": ('{"type": "Topology", "objects": {}, "arcs": []}', "is TopoJSON, which is not read"),
    "Esri": ('{"geometryType": "esriGeometryPoint", "features": []}', "is JSON of Esri and no GeoJSON"),
    "an error": ('{"error": {"code": 400}}', "has no features: it is not GeoJSON"),
    "features of another kind": ('{"features": {"a": 1}}', "has features that are no list"),
    "another type": ('{"type": "Station"}', "is 'Station', and no GeoJSON"),
    "a list": ("[1, 2]", "is not GeoJSON"),
    "text": ("am Markt\nan der Mauer", "is not GeoJSON"),
    "nothing": ("", "is not GeoJSON"),
    "a broken line": (json.dumps(ONE) + '\n{"type": "Fea', "is not GeoJSON"),
    "a broken collection": ('{"type": "FeatureCollection",\n"features": [', "is not GeoJSON"),
}


@pytest.mark.parametrize(("text", "message"), NO_GEOJSON.values(), ids=NO_GEOJSON)
def test_what_only_resembles_geojson_is_named(
    source: MakeSource, read: ReadBody, text: str, message: str
) -> None:
    with pytest.raises(ReadError, match=message):
        read(source("geojson", **SITES), text.encode())


def test_ids_of_features_may_be_numbers_and_properties_may_be_missing(
    source: MakeSource, records: ReadRecords
) -> None:
    features = [
        {"type": "Feature", "id": 7, "geometry": point(11.5, 50.9)},
        {"type": "Feature", "id": "b", "geometry": point(11.5, 50.9), "properties": None},
        {"type": "Feature", "id": 9, "geometry": None, "properties": []},
    ]
    body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    place = {"record_type": "place", "feature_id": "place_id", "constants": {"category": "x"}}
    for connector in ("geojson", "geofile"):
        found = records(source(connector, **place), body)["place"]
        assert [row["place_id"] for row in found] == ["7", "b", "9"]


def test_a_reference_system_that_the_source_declares_is_right(
    table: Table, source: MakeSource, read: ReadBody
) -> None:
    body = json.dumps(
        {"crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}, "features": []}
    ).encode()
    assert read(source("geojson", **SITES, crs="EPSG:25832"), body)[0].frame.is_empty()
    for name in ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326", None):
        assert table([], {"properties": {"name": name}}).frame.is_empty()


def test_all_other_properties_can_be_kept_as_an_object(table: Table) -> None:
    settings = {
        "record_type": "place",
        "fields": {"place_id": "nr", "name": "about.name"},
        "rest": "attributes",
    }
    features = [feature(None, nr=1, about={"name": "a", "n": 2}, tree="Linde", no=None), feature(None, nr=2)]
    found = table(features, **settings, constants={"category": "other"})
    assert found.frame["attributes"].to_list() == ['{"about":{"n":2},"tree":"Linde"}', None]
    assert found.unknown_fields == ()


def test_no_features_are_a_table_without_rows(table: Table) -> None:
    assert table([]).frame.columns == ["site_id", "name", "lon", "lat"]


def test_the_recorded_car_parks_of_jena_have_their_positions(
    source: MakeSource, read: ReadBody, payloads: Path
) -> None:
    declared = source("geojson", record_type="parking_site", fields={"site_id": "id", "name": "name"})
    (table,) = read(declared, (payloads / "parking" / "jena.geojson").read_bytes())
    assert table.frame.row(0) == (185, "Eichplatz", 11.585954366, 50.928491667)
    assert not table.frame["lon"].null_count()


@pytest.mark.parametrize("separator", ["", "\x1e"])
def test_a_feature_that_was_torn_costs_itself(separator: str, source: MakeSource, read: ReadBody) -> None:
    lines = [json.dumps(feature(point(7.5, 51.5), nr=number, height=float("nan"))) for number in range(4)]
    body = "".join(f"{separator}{line}\n" for line in [*lines[:2], lines[2][:40], lines[3]]).encode()
    (found,) = read(source("geojson", **SITES), body)
    assert found.frame["site_id"].to_list() == [0, 1, 3]
    assert [(row.row, row.rule) for row in found.broken] == [(3, "unreadable_record")]
    with pytest.raises(ReadError, match="has records that are no JSON"):
        source("geojson", **SITES, store="mapped").redact_answer("data", body)
