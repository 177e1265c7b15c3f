"""Geometries of every spelling become WKB in WGS 84, with a point on each; what is none is told."""

from __future__ import annotations

import math

import polars as pl
import pyproj
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from civitas_assets.records.geometry import (
    Geometries,
    add_crs,
    build_points,
    find_epsg,
    is_northing_first,
    measure_extents,
    parse_geometry_column,
    to_geojson,
    to_wkt,
)

SQUARE = "POLYGON ((11.5 50.9, 11.6 50.9, 11.6 51.0, 11.5 51.0, 11.5 50.9))"
EICHPLATZ = shapely.Point(681721.5236, 5645057.6553)  # as its operator publishes it, in UTM zone 32


def read(*values: str | bytes | None, crs: str = "EPSG:4326") -> Geometries:
    return parse_geometry_column(pl.Series("geometry", values), crs)


def wkt(found: Geometries) -> list[str | None]:
    return [None if b is None else shapely.to_wkt(shapely.from_wkb(b), trim=True) for b in found.wkb]


@pytest.mark.parametrize(
    "written",
    [
        "POINT (11.58 50.92)",
        "POINT Z (11.58 50.92 155)",
        "  Point(11.58 50.92) ",
        "SRID=4326;POINT(11.58 50.92)",
        '{"type": "Point", "coordinates": [11.58, 50.92]}',
        shapely.to_wkb(shapely.Point(11.58, 50.92), hex=True),
        shapely.to_wkb(shapely.Point(11.58, 50.92), hex=True).lower(),
        shapely.to_wkb(shapely.set_srid(shapely.Point(11.58, 50.92), 4326), hex=True, include_srid=True),
        shapely.to_wkb(shapely.Point(11.58, 50.92)),
    ],
    ids=["wkt", "with height", "blanks", "ewkt", "geojson", "hex", "lower case", "ewkb", "bytes"],
)
def test_every_spelling_is_the_same_point(written: str | bytes) -> None:
    found = read(written)
    assert wkt(found) == ["POINT (11.58 50.92)"]
    assert (found.lon[0], found.lat[0], found.unreadable[0]) == (11.58, 50.92, False)


def test_one_column_may_mix_spellings_and_lacks() -> None:
    found = read(None, "POINT (11.5 50.9)", '{"type":"Point","coordinates":[11.6,50.9]}', "", "POINT EMPTY")
    assert wkt(found) == [None, "POINT (11.5 50.9)", "POINT (11.6 50.9)", None, None]
    assert found.unreadable.to_list() == [False] * 5


@pytest.mark.parametrize(
    "written", ["POINT (1)", "hier", "{}", '{"type":"Point"}', "0101", "ABCDEF0123456789"]
)
def test_what_is_no_geometry_is_told_and_stops_nothing(written: str) -> None:
    found = read(written, SQUARE)
    assert found.unreadable.to_list() == [True, False]
    assert found.lon.to_list() == [None, pytest.approx(11.55)]


def test_the_declared_system_holds_unless_a_geometry_names_its_own() -> None:
    named = shapely.to_wkb(shapely.set_srid(EICHPLATZ, 25832), hex=True, include_srid=True)
    metres = f"POINT ({EICHPLATZ.x} {EICHPLATZ.y})"
    prefixed = f"SRID=4647;POINT ({EICHPLATZ.x + 32_000_000} {EICHPLATZ.y})"
    for found in (read(metres, crs="EPSG:25832"), read(named), read(prefixed, f"SRID=25832;{metres}")):
        assert found.lon[0] == pytest.approx(11.585954366, abs=1e-6)
        assert found.lat[0] == pytest.approx(50.928491667, abs=1e-6)


def test_a_system_that_nobody_knows_makes_no_position() -> None:
    assert read("SRID=999999;POINT (1 2)").unreadable.to_list() == [True]
    assert read("POINT (1e12 1e12)", crs="EPSG:25832").unreadable.to_list() == [True]


def test_the_point_of_an_area_lies_on_it_even_where_its_middle_does_not() -> None:
    horseshoe = "POLYGON ((0 0, 9 0, 9 9, 6 9, 6 3, 3 3, 3 9, 0 9, 0 0))"
    found = read(horseshoe)
    assert shapely.contains(shapely.from_wkt(horseshoe), shapely.Point(found.lon[0], found.lat[0]))


def test_an_area_that_crosses_itself_has_a_point_too() -> None:
    found = read("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))")
    assert found.unreadable.to_list() == [False]
    assert math.isfinite(found.lon[0])


def test_a_shape_touches_a_box_with_a_part_of_it() -> None:
    found = read(SQUARE, "LINESTRING (0 50.95, 20 50.95)", "POINT (0 0)", None)
    assert found.find_touching((11.55, 50.92, 11.56, 50.99)).to_list() == [True, True, False, False]


def test_no_rows_and_no_geometries_at_all_are_no_error() -> None:
    assert read().wkb.to_list() == []
    assert parse_geometry_column(pl.Series("geometry", [None, None]), "EPSG:25832").wkb.to_list() == [
        None,
        None,
    ]


@given(st.lists(st.text(max_size=30) | st.binary(max_size=30).map(bytes.hex), max_size=5))
@example(["POINT (1E400 1)", "1E400"])
def test_no_text_is_a_crash(values: list[str]) -> None:
    assert len(parse_geometry_column(pl.Series("geometry", values, pl.String), "EPSG:31467").wkb) == len(
        values
    )


@pytest.mark.parametrize("arc", ["CIRCULARSTRING (0 0, 1 1, 2 0)", bytes.fromhex("010800000000000000")])
def test_arcs_are_told_as_unreadable_and_stop_nothing(arc: str | bytes) -> None:
    line = "LINESTRING (11.5 50.9, 11.6 51)"
    other = line if isinstance(arc, str) else shapely.to_wkb(shapely.from_wkt(line))
    found = read(arc, other, None)
    assert found.unreadable.to_list() == [True, False, False]
    assert wkt(found) == [None, line, None]


def test_geometries_can_be_told_their_reference_system() -> None:
    given = pl.Series("geometry", ["POINT (681721.5236 5645057.6553)", None, "hier"])
    named = add_crs(given, "EPSG:25832")
    assert named.dtype == pl.Binary
    assert (named[1], named[2]) == (None, b"hier")
    found = parse_geometry_column(named, "EPSG:4326")
    assert (found.lon[0], found.lat[0]) == (
        pytest.approx(11.585954, abs=1e-6),
        pytest.approx(50.928492, abs=1e-6),
    )
    assert found.unreadable.to_list() == [False, False, True]
    assert add_crs(named, "EPSG:25833").to_list()[1:] == [None, b"hier"]


@pytest.mark.parametrize(
    ("description", "code"),
    [
        ("EPSG:25832", "EPSG:25832"),
        ("urn:ogc:def:crs:EPSG::4647", "EPSG:4647"),
        ("urn:ogc:def:crs:EPSG:6.9:31467", "EPSG:31467"),
        ("http://www.opengis.net/def/crs/EPSG/0/25833", "EPSG:25833"),
        ("http://www.opengis.net/gml/srs/epsg.xml#31468", "EPSG:31468"),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "EPSG:4326"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"),
        (pyproj.CRS("OGC:CRS84").to_wkt("WKT1_GDAL"), "EPSG:4326"),
        (pyproj.CRS("OGC:CRS84").to_json_dict(), "EPSG:4326"),
        (pyproj.CRS("EPSG:31466").to_json_dict(), "EPSG:31466"),
        (pyproj.CRS("EPSG:25832").to_wkt("WKT1_ESRI"), "EPSG:25832"),
        (pyproj.CRS("+proj=tmerc +lon_0=10").to_wkt(), None),
        *((nothing, None) for nothing in ("", "x", None, {}, {"id": 1}, 7, [])),
    ],
)
def test_reference_systems_are_known_by_every_kind_of_name(description: object, code: str | None) -> None:
    assert find_epsg(description) == code


def test_authorities_that_put_the_northing_first_are_known() -> None:
    codes = (4326, 25832, 25833, 4647, 3857, 28992, 31466, 31467, 31468, 31469, 99999)
    assert [code for code in codes if is_northing_first(f"EPSG:{code}")] == [4326, 31466, 31467, 31468, 31469]


def test_what_was_read_is_written_again() -> None:
    wkb = read(SQUARE, None, "POINT (11.123456789 50)").wkb
    assert to_wkt(wkb).to_list() == [
        "POLYGON ((11.5 50.9, 11.6 50.9, 11.6 51, 11.5 51, 11.5 50.9))",
        None,
        "POINT (11.1234568 50)",
    ]
    clockwise = pl.Series([shapely.to_wkb(shapely.from_wkt(SQUARE).reverse()), None], dtype=pl.Binary)
    written, nothing = to_geojson(clockwise).to_list()
    assert shapely.from_geojson(written).exterior.is_ccw
    assert nothing is None
    assert measure_extents(wkb).rows() == [
        ("Polygon", 11.5, 50.9, 11.6, 51.0),
        (None, None, None, None, None),
        ("Point", *([11.1234568, 50.0] * 2)),
    ]


def test_points_are_where_both_coordinates_are_known() -> None:
    lon, lat = pl.Series([9.5, None, 9.5], dtype=pl.Float64), pl.Series([50.5, 50.5, None], dtype=pl.Float64)
    assert to_wkt(build_points(lon, lat)).to_list() == ["POINT (9.5 50.5)", None, None]
    assert to_wkt(build_points(lon.clear(), lat.clear())).to_list() == []
