"""A geometry in any form is a shape, nothing, or no geometry, and whatever has an extent has a position on it."""

from __future__ import annotations

import json
import struct

import polars as pl
import pytest
import shapely

from civitas_assets.records.geometry import parse_geometry_column
from civitas_assets.records.geometry_forms import find_position, parse_geometry

TOWN = (7.4, 51.8, 7.8, 52.1)
RING = [[7.60, 51.95], [7.62, 51.95], [7.62, 51.97], [7.60, 51.97], [7.60, 51.95]]
WKB = shapely.to_wkb(shapely.Point(7.61, 51.96))


def geo(kind: str, coordinates: object) -> dict[str, object]:
    return {"type": kind, "coordinates": coordinates}


def collection(*members: object) -> dict[str, object]:
    return {"type": "GeometryCollection", "geometries": [*members]}


def feature(geometry: object) -> dict[str, object]:
    return {"type": "Feature", "properties": {}, "geometry": geometry}


SHAPES = {
    "point": geo("Point", [7.61, 51.96]),
    "height": geo("Point", [7.61, 51.96, 60.0]),
    "height and measure": geo("Point", [7.61, 51.96, 60.0, 4]),
    "height of null": geo("Point", [7.61, 51.96, None]),
    "numbers as text": geo("Point", ["7.61", "51.96"]),
    "points": geo("MultiPoint", [[7.61, 51.96], [7.615, 51.965]]),
    "points with an empty one": geo("MultiPoint", [[], [7.61, 51.96]]),
    "line": geo("LineString", RING[:2]),
    "line with heights": geo("LineString", [[*position, 1.0] for position in RING[:2]]),
    "line with a null in it": geo("LineString", [RING[0], None, RING[1]]),
    "lines": geo("MultiLineString", [RING[:2], RING[1:3]]),
    "area": geo("Polygon", [RING]),
    "areas": geo("MultiPolygon", [[RING]]),
    "collection": collection(geo("Point", [7.61, 51.96]), geo("Polygon", [])),
    "feature": feature(geo("Polygon", [RING])),
    "features": {"type": "FeatureCollection", "features": [feature(None), feature(geo("Polygon", [RING]))]},
    "collection of features": collection(feature(geo("LineString", RING[:2]))),
    "wkt": "POLYGON Z ((7.60 51.95 1, 7.62 51.95 1, 7.62 51.97 1, 7.60 51.95 1))",
    "ewkt in lower case": "srid=4326; point (7.61 51.96)",
    "text of GeoJSON": ' {"type": "Feature", "geometry": {"type": "Point", "coordinates": [7.61, 51.96]}}',
    "hexadecimal": WKB.hex(),
    "bytes": WKB,
    "GeoPackage": b"GP\x00\x01" + struct.pack("<i", 4326) + WKB,
    "GeoPackage with an envelope": b"GP\x00\x03" + struct.pack("<i4d", 4326, 7, 8, 51, 52) + WKB,
    "MySQL": struct.pack("<I", 4326) + WKB,
}
NOTHING = {
    "null": None,
    "point": geo("Point", []),
    "point of nulls": geo("Point", [None, None]),
    "coordinates of null": geo("Point", None),
    "line": geo("LineString", []),
    "area": geo("Polygon", []),
    "ring": geo("Polygon", [[]]),
    "areas": geo("MultiPolygon", [[[]]]),
    "collection": collection(),
    "collection of nothing": collection(None, geo("Point", [])),
    "feature": feature(None),
    "features": {"type": "FeatureCollection", "features": [feature(None)]},
    "no features": {"type": "FeatureCollection", "features": []},
    "blank": "  ",
    "word": "null",
    "wkt": "POINT EMPTY",
    "areas as wkt": "MULTIPOLYGON EMPTY",
    "not a number": "POINT (NaN NaN)",
    "empty bytes": b"",
    "empty point in bytes": shapely.to_wkb(shapely.Point()),
}
NO_GEOMETRY = {
    "half a position": geo("Point", [7.61, None]),
    "one number": geo("Point", [7.61]),
    "infinite": geo("Point", [7.61, float("inf")]),
    "truth": geo("Point", [True, False]),
    "words": geo("Point", ["links", "rechts"]),
    "another kind": geo("Circle", [7.61, 51.96]),
    "no coordinates": {"type": "Point"},
    "a line of one position": geo("LineString", RING[:1]),
    "coordinates of another depth": geo("Polygon", RING),
    "list": [7.61, 51.96],
    "number": 7,
    "text": "am Markt",
    "broken GeoJSON": '{"type": "Point"',
    "bytes": b"\x01\x02",
    "GeoPackage": b"GP\x00\x0f" + bytes(80),
}


@pytest.mark.parametrize("written", SHAPES.values(), ids=SHAPES)
def test_every_form_has_a_position_on_its_geometry(written: object) -> None:
    lon, lat = find_position(written, TOWN) or (0.0, 0.0)
    shape, system = parse_geometry(written)
    assert shapely.distance(shape, shapely.Point(lon, lat)) < 1e-9
    assert 7.6 <= lon <= 7.62
    assert 51.95 <= lat <= 51.97
    assert system in {0, 4326}


@pytest.mark.parametrize("written", NOTHING.values(), ids=NOTHING)
def test_nothing_is_no_position_and_no_fault(written: object) -> None:
    assert find_position(written) is None


@pytest.mark.parametrize("written", NO_GEOMETRY.values(), ids=NO_GEOMETRY)
def test_what_is_no_geometry_is_an_error(written: object) -> None:
    with pytest.raises(ValueError, match=r"^(is|has) "):
        find_position(written)


@pytest.mark.parametrize("kind", [pl.String, pl.Binary])
def test_a_column_says_the_same_as_each_of_its_geometries(kind: type[pl.DataType]) -> None:
    native = str if kind == pl.String else bytes
    for forms, unreadable in ((SHAPES, False), (NOTHING, False), (NO_GEOMETRY, True)):
        texts = [json.dumps(v) if isinstance(v, dict) and native is str else v for v in forms.values()]
        found = parse_geometry_column(
            pl.Series("geometry", [v for v in texts if isinstance(v, native)], kind), "EPSG:4326"
        )
        assert found.unreadable.unique().to_list() == [unreadable]
        assert (found.lon.null_count() == 0) == (forms is SHAPES)


def test_what_is_larger_than_the_town_has_its_position_in_it() -> None:
    county = geo("Polygon", [[[7.5, 51.9], [12.0, 51.9], [12.0, 52.0], [7.5, 52.0], [7.5, 51.9]]])
    lon, lat = find_position(county, TOWN) or (0.0, 0.0)
    assert 7.5 < lon < 8.0
    assert 51.9 < lat < 52.0
    far = geo("LineString", [[11.0, 48.0], [11.1, 48.0]])
    assert find_position(far, TOWN) == find_position(far)


def test_a_crossed_area_has_a_position() -> None:
    bow = geo("Polygon", [[[7.60, 51.95], [7.62, 51.97], [7.62, 51.95], [7.60, 51.97], [7.60, 51.95]]])
    assert find_position(bow) is not None
