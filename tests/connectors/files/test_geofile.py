"""Files of features: every format gives the same rows, places come out right, and nothing else is reached."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pyogrio.raw
import pyproj
import pytest
import shapely
from pydantic import ValidationError

from civitas_assets.connectors.vector.vector_geojson import read_geojson
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from testbed.serving import Loopback, Request
from tests.connectors.conftest import MakeSource, ReadBody, zipped

Records = Callable[..., dict[str, list[dict[str, Any]]]]

# Two trees in Jena, in UTM zone 32, and where they are in degrees.
UTM = [(681721.5236, 5645057.6553), (681793.0172, 5645066.8577)]
DEGREES = [(11.585954, 50.928492), (11.586975, 50.928552)]
TREES: dict[str, Any] = {"record_type": "place", "fields": {"place_id": "nr", "category": "art"}}
UNWRITABLE = (
    b'GEOGCS["\xe7",DATUM["D",SPHEROID["S",6378000.0,298.0]],PRIMEM["Greenwich",0.0],'
    b'UNIT["Degree",0.0174532925199433]]'
)
EXPECTED = [("007", "Linde"), ("008", "Röteiche")]


def wkb(points: list[tuple[float, float]]) -> Any:
    return np.array([shapely.to_wkb(shapely.Point(p)) for p in points], dtype=object)


def written(name: str, folder: Path, crs: str | None = "EPSG:25832", **more: Any) -> bytes:
    """The trees as GDAL writes them; for a Shapefile, a ZIP archive of its parts."""
    columns = [np.array(["007", "008"], dtype=object), np.array(["Linde", "Röteiche"], dtype=object)]
    path = folder / name
    pyogrio.raw.write(path, wkb(UTM), columns, ["nr", "art"], geometry_type="Point", crs=crs, **more)
    if path.suffix != ".shp":
        return path.read_bytes()
    return zipped({part.name: part.read_bytes() for part in sorted(folder.glob(f"{path.stem}.*"))})


def geoparquet(crs: Any = None, encoding: str = "WKB", points: Any = UTM, **column: Any) -> bytes:
    geo = {
        "version": "1.1.0",
        "primary_column": "geom",
        "columns": {"geom": {"encoding": encoding, **column}},
    }
    if crs is not None:
        geo["columns"]["geom"]["crs"] = crs  # type: ignore[index]
    table = pa.table({"nr": ["007", "008"], "art": ["Linde", "Röteiche"], "geom": [*wkb(points)]})
    file = io.BytesIO()
    pa.parquet.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), file)
    return file.getvalue()


def kml(placemarks: str, head: str = "") -> bytes:
    opening = f'<?xml version="1.0"?>{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    return f"{opening}{placemarks}</Document></kml>".encode()


def gml(*trees: str, head: str = "", attributes: str = "") -> bytes:
    members = "".join(f"<wfs:member>{tree}</wfs:member>" for tree in trees)
    return (
        f'<?xml version="1.0"?>{head}<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0"'
        f' xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:a="http://data.example/a" {attributes}>'
        f"{members}</wfs:FeatureCollection>"
    ).encode()


def tree(number: str, geometry: str = "", more: str = "") -> str:
    place = f"<a:ort>{geometry}</a:ort>" if geometry else ""
    return f'<a:baum gml:id="b.{number}"><a:nr>{number}</a:nr>{more}{place}</a:baum>'


def point(position: str, crs: str | None) -> str:
    name = f' srsName="{crs}"' if crs else ""
    return f"<gml:Point{name}><gml:pos>{position}</gml:pos></gml:Point>"


ReadRows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def rows(source: MakeSource, records: Records) -> ReadRows:
    """Reads a file of trees, or what settings say, into its contract."""

    def read(body: bytes, **settings: Any) -> list[dict[str, Any]]:
        declared = source("geofile", **{**TREES, **settings})
        return records(declared, body)[declared.record_type]

    return read


@pytest.fixture
def table(source: MakeSource, read: ReadBody) -> Callable[..., RawTable]:
    """Reads a file as far as the rows that it holds."""

    def only(body: bytes, **settings: Any) -> RawTable:
        (found,) = read(source("geofile", **{**TREES, **settings}), body)
        return found

    return only


def assert_trees(found: list[dict[str, Any]]) -> None:
    assert [(row["place_id"], row["category"]) for row in found] == EXPECTED
    for row, place in zip(found, DEGREES, strict=True):
        assert (row["lon"], row["lat"]) == pytest.approx(place, abs=2e-6)
        shape = shapely.from_wkb(row["geometry"])
        assert (shape.x, shape.y) == pytest.approx((row["lon"], row["lat"]))


@pytest.mark.parametrize("name", ["trees.gpkg", "trees.shp", "trees.geojson", "trees.fgb"])
@pytest.mark.parametrize("more", [{}, {"crs": "EPSG:25832"}], ids=["crs of the file", "crs declared"])
def test_the_trees_are_the_same_in_every_format(
    name: str, more: dict[str, Any], rows: ReadRows, tmp_path: Path
) -> None:
    # An index has features in the order of their places.
    assert_trees(sorted(rows(written(name, tmp_path), **more), key=itemgetter("place_id")))


def test_they_are_the_same_in_geoparquet(rows: ReadRows) -> None:
    crs = json.loads(pyproj.CRS("EPSG:25832").to_json())
    assert_trees(rows(geoparquet(crs)))
    assert_trees(rows(geoparquet(points=DEGREES)))  # without a word, it is in longitude and latitude
    assert_trees(rows(geoparquet(crs, bbox=[0, 0, 1, 1]), crs="EPSG:25832"))


def test_they_are_the_same_in_kml_and_kmz(rows: ReadRows) -> None:
    placemarks = "".join(
        f"<Placemark><name>{nr}</name><description>{art}</description>"
        f"<Point><coordinates>{x}, {y},0</coordinates></Point></Placemark>"
        for (nr, art), (x, y) in zip(EXPECTED, DEGREES, strict=True)
    )
    fields = {"place_id": "name", "category": "description"}
    assert_trees(rows(kml(placemarks), fields=fields))
    assert_trees(rows(zipped({"doc.kml": kml(placemarks), "files/icon.png": b"x"}), fields=fields))


def test_they_are_the_same_in_gml(rows: ReadRows) -> None:
    members = [
        tree(nr, point(f"{x} {y}", "urn:ogc:def:crs:EPSG::25832"), f"<a:art>{art}</a:art>")
        for (nr, art), (x, y) in zip(EXPECTED, UTM, strict=True)
    ]
    assert_trees(rows(gml(*members)))


@pytest.mark.parametrize(
    ("crs", "position"),
    [
        ("urn:ogc:def:crs:EPSG::4326", "50.928492 11.585954"),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "50.928492 11.585954"),
        ("EPSG:4326", "11.585954 50.928492"),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", "11.585954 50.928492"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "11.585954 50.928492"),
        ("urn:ogc:def:crs:EPSG::25832", "681721.5236 5645057.6553"),
        ("urn:ogc:def:crs:EPSG::25833", "260098.82 5647424.91"),
        ("urn:ogc:def:crs:EPSG::4647", "32681721.5236 5645057.6553"),
        ("urn:ogc:def:crs:EPSG::31468", "5643769.76 4470995.84"),
        ("EPSG:31468", "4470995.84 5643769.76"),
        ("urn:ogc:def:crs:EPSG::3857", "1289742.5 6608654.52"),
        ("CRS84", "11.585954 50.928492"),
        ("urn:adv:crs:ETRS89_UTM32", "681721.5236 5645057.6553"),
        ("urn:adv:crs:ETRS89_UTM32*DE_DHHN2016_NH", "681721.5236 5645057.6553"),
        ("urn:adv:crs:ETRS89_UTM33", "260098.82 5647424.91"),
        ("urn:adv:crs:DE_DHDN_3GK4", "4470995.84 5643769.76"),
        ("urn:adv:crs:DE_DHDN_3GK4_BY120", "4470995.84 5643769.76"),
        ("urn:adv:crs:ETRS89_Lat-Lon", "50.928492 11.585954"),
        ("urn:ogc:def:crs,crs:EPSG::25832,crs:EPSG::7837", "681721.5236 5645057.6553"),
    ],
)
def test_axes_are_those_of_the_name_of_the_reference_system(crs: str, position: str, rows: ReadRows) -> None:
    (row,) = rows(gml(tree("007", point(position, crs))))
    assert (row["lon"], row["lat"]) == pytest.approx(DEGREES[0], abs=3e-5)


@pytest.mark.parametrize("order", ["east_north", "north_east"])
@pytest.mark.parametrize("crs", ["urn:ogc:def:crs:EPSG::4326", "EPSG:4326", "urn:ogc:def:crs:EPSG::31468"])
def test_what_the_source_says_of_the_axes_goes_before_the_name(order: str, crs: str, rows: ReadRows) -> None:
    numbers = ["4470995.84", "5643769.76"] if "31468" in crs else ["11.585954", "50.928492"]
    numbers = numbers if order == "east_north" else numbers[::-1]
    where = {"lon": pytest.approx(DEGREES[0][0], abs=3e-5), "lat": pytest.approx(DEGREES[0][1], abs=3e-5)}
    (row,) = rows(gml(tree("007", point(" ".join(numbers), crs))), axis_order=order)
    assert {name: row[name] for name in where} == where
    feature = {
        "type": "Feature",
        "properties": {"nr": "007"},
        "geometry": {"type": "Point", "coordinates": [*map(float, numbers), 155.0]},
    }
    named = {"type": "name", "properties": {"name": crs}}
    collection = {
        "type": "FeatureCollection",
        "crs": named,
        "features": [feature, feature | {"geometry": None}],
    }
    row, nowhere = rows(json.dumps(collection).encode(), axis_order=order)
    assert {name: row[name] for name in where} == where
    assert "lon" not in nowhere


@pytest.mark.parametrize("zone", [2, 3, 4, 5])
def test_gauss_krueger_is_read_in_each_of_its_zones(zone: int, rows: ReadRows) -> None:
    meridian = 3 * zone
    (row,) = rows(gml(tree("007", point(f"5650000 {zone}500000", f"urn:ogc:def:crs:EPSG::{31464 + zone}"))))
    assert (row["lon"], row["lat"]) == pytest.approx((meridian, 50.98), abs=0.01)


def test_a_declared_reference_system_that_is_not_the_file_s_is_an_error(
    table: Callable[..., RawTable], tmp_path: Path
) -> None:
    with pytest.raises(
        ReadError, match="is in EPSG:25832, but the source says EPSG:4326: correct crs, or leave"
    ):
        table(written("trees.gpkg", tmp_path), crs="EPSG:4326")


def test_a_file_that_names_none_needs_a_declared_one(
    rows: ReadRows, table: Callable[..., RawTable], tmp_path: Path
) -> None:
    body = written("trees.shp", tmp_path)
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if not name.endswith(".prj")}
    with pytest.raises(ReadError, match="names no reference system with an EPSG code: set crs"):
        table(zipped(parts))
    assert_trees(rows(zipped(parts), crs="EPSG:25832"))
    unnamed = gml(tree("007", point("681721.5236 5645057.6553", None)))
    with pytest.raises(ReadError, match="names no reference system"):
        table(unnamed)
    assert rows(unnamed, crs="EPSG:25832")[0]["lon"] == pytest.approx(DEGREES[0][0], abs=1e-5)


def test_geojson_without_a_name_is_in_degrees_unless_the_source_says_otherwise(rows: ReadRows) -> None:
    def body(point: tuple[float, float]) -> bytes:
        geometry = {"type": "Point", "coordinates": point}
        feature = {"type": "Feature", "geometry": geometry, "properties": {"nr": "1"}}
        return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()

    assert rows(body(DEGREES[0]))[0]["lon"] == pytest.approx(DEGREES[0][0])
    assert rows(body(UTM[0]), crs="EPSG:25832")[0]["lon"] == pytest.approx(DEGREES[0][0], abs=1e-5)


def test_any_geometry_is_kept_and_arcs_become_lines(rows: ReadRows) -> None:
    arc = (
        '<gml:Curve srsName="urn:ogc:def:crs:EPSG::25832"><gml:segments><gml:Arc><gml:posList>'
        "681700 5645000 681750 5645050 681800 5645000</gml:posList></gml:Arc></gml:segments></gml:Curve>"
    )
    ring = "681700 5645000 681800 5645000 681800 5645100 681700 5645000"
    area = (
        '<gml:MultiSurface srsName="urn:ogc:def:crs:EPSG::25832"><gml:surfaceMember><gml:Polygon><gml:exterior>'
        f"<gml:LinearRing><gml:posList>{ring}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
        "</gml:surfaceMember></gml:MultiSurface>"
    )
    found = rows(gml(tree("1", arc), tree("2", area), tree("3")))
    shapes = [shapely.from_wkb(row["geometry"]) for row in found[:2]]
    assert [shape.geom_type for shape in shapes] == ["LineString", "MultiPolygon"]
    assert shapes[0].length == pytest.approx(0.00195, rel=0.1)  # longer than its chord, about 0.0014
    assert len(shapes[0].coords) > 20
    assert found[2] == {"place_id": "3"}


def test_elements_that_are_repeated_are_one_text_and_codes_stay_text(rows: ReadRows) -> None:
    more = "<a:art>Linde</a:art><a:art>Eiche</a:art><a:plz>07743</a:plz><a:zahl>12</a:zahl>"
    (row,) = rows(gml(tree("007", more=more)), feature_id="name", rest="attributes")
    assert row == {
        "place_id": "007",
        "category": "Linde, Eiche",
        "name": "b.007",
        "attributes": '{"plz":"07743","zahl":"12"}',
    }


def test_a_file_with_several_layers_needs_the_name_of_one(
    rows: ReadRows, table: Callable[..., RawTable], tmp_path: Path
) -> None:
    written("trees.gpkg", tmp_path, layer="baeume")
    body = written("trees.gpkg", tmp_path, layer="straeucher", append=True)
    with pytest.raises(ReadError, match="has the layers baeume, straeucher: set layer"):
        table(body)
    with pytest.raises(ReadError, match="has no layer 'blumen'; it has baeume, straeucher"):
        table(body, layer="blumen")
    assert_trees(rows(body, layer="straeucher"))
    other = tree("2").replace("a:baum", "a:strauch")
    assert [row["place_id"] for row in rows(gml(tree("1"), other), layer="strauch")] == ["2"]


def test_tables_beside_the_only_layer_with_geometries_do_not_stop_it(
    rows: ReadRows, table: Callable[..., RawTable], tmp_path: Path
) -> None:
    def beside(name: str) -> bytes:
        columns, names = [np.array(["x"], dtype=object)], ["styleQML"]
        pyogrio.raw.write(
            tmp_path / "trees.gpkg", None, columns, names, geometry_type=None, layer=name, append=True
        )
        return (tmp_path / "trees.gpkg").read_bytes()

    written("trees.gpkg", tmp_path)
    styled = beside("layer_styles")
    assert_trees(rows(styled))
    assert table(styled).notes == ()
    more = beside("arten")
    assert_trees(rows(more))
    (note,) = table(more).notes
    assert note.text == (
        "read is the layer trees, which alone has geometries; not read: arten (layer names another)"
    )
    assert table(more, layer="trees").notes == ()
    assert table(more, layer="layer_styles", fields={"place_id": "styleQML"}).frame.height == 1


def parquet_of_duckdb(folder: Path, version: str, system: str = "") -> bytes:
    """The trees with DuckDB's geometries; of a version without one, as Parquet's own type alone."""
    quoted = system.replace("'", "''")
    kind = f"GEOMETRY('{quoted}')" if system else "GEOMETRY"
    trees = zip(EXPECTED, UTM if system else DEGREES, strict=True)
    rows = ", ".join(f"('{nr}', '{art}', 'POINT ({x} {y})'::{kind})" for (nr, art), (x, y) in trees)
    path, how = folder / "trees.parquet", f"(format parquet, geoparquet_version '{version}')"
    duckdb.execute(f"copy (from (values {rows}) as trees(nr, art, wo)) to '{path}' {how}")
    return path.read_bytes()


def test_geometries_of_parquet_itself_are_read(rows: ReadRows, tmp_path: Path) -> None:
    for version in ("NONE", "V1", "V2", "BOTH"):
        assert_trees(rows(parquet_of_duckdb(tmp_path, version)))
    body = parquet_of_duckdb(tmp_path, "NONE", pyproj.CRS.from_epsg(25832).to_json())
    assert_trees(rows(body))
    with pytest.raises(ReadError, match="is in EPSG:25832, but the source says EPSG:25833"):
        rows(body, crs="EPSG:25833")


def test_nested_coordinates_and_boxes_of_geoparquet_are_read(
    rows: ReadRows, table: Callable[..., RawTable]
) -> None:
    def nested(kind: str, coordinates: Any, value: pa.DataType) -> bytes:
        covering = {"bbox": {"xmin": ["box", "xmin"], "ymin": ["box", "ymin"]}}
        column = {"encoding": kind, "covering": covering}
        geo = {"version": "1.1.0", "primary_column": "geom", "columns": {"geom": column}}
        found = pa.table(
            {
                "nr": ["007"],
                "art": ["Linde"],
                "geom": pa.array([coordinates], value),
                "box": [{"xmin": 11.0, "ymin": 50.0}],
            }
        )
        file = io.BytesIO()
        pa.parquet.write_table(found.replace_schema_metadata({"geo": json.dumps(geo)}), file)
        return file.getvalue()

    position = pa.struct([("x", pa.float64()), ("y", pa.float64())])
    spot = {"x": 11.5, "y": 50.9}
    body = nested("point", spot, position)
    assert table(body).unknown_fields == ()
    ((lon, lat),) = [(row["lon"], row["lat"]) for row in rows(body)]
    assert (lon, lat) == (11.5, 50.9)
    ring = [{"x": x, "y": y} for x, y in ((11.5, 50.9), (11.6, 50.9), (11.6, 51.0), (11.5, 50.9))]
    (row,) = rows(nested("multipolygon", [[ring]], pa.list_(pa.list_(pa.list_(position)))))
    assert shapely.from_wkb(row["geometry"]).geom_type == "MultiPolygon"
    (row,) = rows(nested("linestring", [[11.5, 50.9], [11.6, 51.0]], pa.list_(pa.list_(pa.float64(), 2))))
    assert shapely.from_wkb(row["geometry"]).geom_type == "LineString"


def test_a_reference_system_without_a_code_is_named(
    table: Callable[..., RawTable], rows: ReadRows, tmp_path: Path
) -> None:
    system = pyproj.CRS.from_proj4("+proj=tmerc +lon_0=10 +datum=WGS84").to_json_dict() | {
        "name": "Stadtnetz"
    }
    body = geoparquet(crs=system)
    with pytest.raises(ReadError, match="names the reference system Stadtnetz, which is not known: set crs"):
        table(body)
    assert_trees(rows(body, crs="EPSG:25832"))


def test_parts_and_databases_that_are_no_files_of_features_are_named(
    table: Callable[..., RawTable], tmp_path: Path
) -> None:
    written("trees.shp", tmp_path)
    with pytest.raises(ReadError, match="is a part of a Shapefile alone"):
        table((tmp_path / "trees.shp").read_bytes())
    with closing(sqlite3.connect(tmp_path / "x.sqlite")) as database:
        database.execute("create table x (a)")
    with pytest.raises(ReadError, match="is a database of SQLite, but no GeoPackage"):
        table((tmp_path / "x.sqlite").read_bytes())


def test_a_key_of_a_geopackage_and_no_number_of_a_line_is_an_id(
    rows: ReadRows, table: Callable[..., RawTable], tmp_path: Path
) -> None:
    body = written("trees.gpkg", tmp_path)
    assert [row["place_id"] for row in rows(body, fields={}, feature_id="place_id")] == ["1", "2"]
    with pytest.raises(ReadError, match="has no ids of features: map an attribute instead of feature_id"):
        table(geoparquet(points=DEGREES), feature_id="place_id", fields={})


def test_an_attribute_that_does_not_exist_is_an_error_where_the_file_lists_them(
    table: Callable[..., RawTable], tmp_path: Path
) -> None:
    with pytest.raises(ReadError, match=r"lacks the attribute\(s\) nummer; it has nr, art"):
        table(written("trees.gpkg", tmp_path), fields={"place_id": "nummer"})
    found = table(written("trees.gpkg", tmp_path), fields={"place_id": "nr"})
    assert found.unknown_fields == ("art",)


def test_texts_of_a_shapefile_are_in_its_encoding_the_declared_one_or_that_of_windows(
    rows: ReadRows, table: Callable[..., RawTable], tmp_path: Path
) -> None:
    body = written("trees.shp", tmp_path, encoding="cp1252")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if not name.endswith(".cpg")}
    assert_trees(rows(zipped(parts)))
    assert_trees(rows(zipped(parts), encoding="cp1252"))
    assert rows(zipped(parts), encoding="cp850")[1]["category"] == "R÷teiche"
    with pytest.raises(ReadError, match="has texts that are not utf-8: set encoding"):
        table(zipped(parts), encoding="utf-8")


def test_an_archive_holds_one_file_of_features_or_says_which(
    rows: ReadRows, table: Callable[..., RawTable], tmp_path: Path
) -> None:
    package, other = written("trees.gpkg", tmp_path), geoparquet(points=DEGREES)
    metadata = {"meta.xml": b"<a/>", "liesmich.txt": b"", "__MACOSX/._trees.gpkg": b"x"}
    assert_trees(rows(zipped({"daten/trees.gpkg": package, **metadata})))
    both = zipped({"trees.gpkg": package, "trees.parquet": other})
    with pytest.raises(
        ReadError, match=r"2 files that could be meant; it has trees\.gpkg, trees\.parquet: set file"
    ):
        table(both)
    assert_trees(rows(both, file="*.parquet"))
    with pytest.raises(ReadError, match=r"has 0 files that could be meant; it has liesmich\.txt: set file"):
        table(zipped({"liesmich.txt": b""}))
    with pytest.raises(ReadError, match=r"has a\.gpkg in more than one folder"):
        table(zipped({"x/a.gpkg": package, "y/a.gpkg": package}))
    with pytest.raises(ReadError, match=r"has a Shapefile without its \.shx and \.dbf"):
        table(zipped({"a.shp": b""}))


def test_an_archive_that_unfolds_beyond_the_limit_is_refused(table: Callable[..., RawTable]) -> None:
    bomb = zipped({"trees.gml": b" " * 5_000_000})
    assert len(bomb) < 10_000
    with pytest.raises(ReadError, match=r"more than 1000000 bytes unpacked: raise http\.max_bytes"):
        table(bomb, http={"max_bytes": 1_000_000})


def test_a_parquet_file_that_unfolds_beyond_the_limit_is_refused(table: Callable[..., RawTable]) -> None:
    file = io.BytesIO()
    pa.parquet.write_table(pa.table({"nr": ["x" * 100] * 100_000}), file)
    assert len(file.getvalue()) < 5_000
    with pytest.raises(ReadError, match=r"unfolds to \d+ bytes or more: raise http\.max_bytes"):
        table(file.getvalue(), http={"max_bytes": 50_000})
    assert table(file.getvalue(), fields={"place_id": "nr"}).frame.height == 100_000


def test_geometries_that_are_not_binary_are_refused(table: Callable[..., RawTable]) -> None:
    with pytest.raises(ReadError, match="has geometries as point, which is not read: publish them as WKB"):
        table(geoparquet(encoding="point"))


def test_placemarks_have_their_folder_extended_data_times_and_every_shape(rows: ReadRows) -> None:
    shapes = (
        "<MultiGeometry><Point><coordinates>11,50</coordinates></Point>"
        "<LineString><coordinates>11,50 12,51</coordinates></LineString></MultiGeometry>"
    )
    ring = "<LinearRing><coordinates>{} 11.5,50.5,3</coordinates></LinearRing>"
    polygon = (
        f"<Polygon><outerBoundaryIs>{ring.format('11,50 13,50 13,52 11,52 11,50')}</outerBoundaryIs></Polygon>"
    ).replace(" 11.5,50.5,3", "")
    data = (
        '<ExtendedData><Data name="nr"><value>7</value></Data><Data name="name"><value>nein</value></Data>'
        '<SchemaData><SimpleData name="art">Park</SimpleData></SchemaData></ExtendedData>'
    )
    body = kml(
        "<Folder><name>Grün</name><Folder><name>Parks</name>"
        f'<Placemark id="p1"><name>Paradies</name><TimeStamp><when>2026-08-01</when></TimeStamp>{data}{shapes}'
        f"</Placemark></Folder><Placemark id='p2'>{polygon}</Placemark></Folder><Placemark id='p3'/>"
    )
    first, second, third = rows(body, fields={"name": "name"}, feature_id="place_id", rest="attributes")
    assert first["attributes"] == '{"art":"Park","folder":"Grün / Parks","nr":"7","when":"2026-08-01"}'
    assert (first["place_id"], first["name"]) == ("p1", "Paradies")
    assert shapely.from_wkb(first["geometry"]).geom_type == "GeometryCollection"
    assert shapely.from_wkb(second["geometry"]).area == pytest.approx(4)
    assert second["attributes"] == '{"folder":"Grün"}'
    assert third == {"place_id": "p3"}


@pytest.mark.parametrize("make", [kml, gml], ids=["kml", "gml"])
def test_entities_are_refused(make: Callable[..., bytes], table: Callable[..., RawTable]) -> None:
    for dtd in ('<!DOCTYPE a [<!ENTITY b "c">]>', '<!DOCTYPE a SYSTEM "file:///etc/passwd">'):
        with pytest.raises(ReadError, match="has a document type declaration, which is not trusted"):
            table(make("", head=dtd))


def test_a_file_that_only_points_to_others_is_not_opened(
    table: Callable[..., RawTable], tmp_path: Path
) -> None:
    written("trees.gpkg", tmp_path)
    pointer = (
        f'<OGRVRTDataSource><OGRVRTLayer name="l"><SrcDataSource>{tmp_path / "trees.gpkg"}</SrcDataSource>'
        "<SrcLayer>trees</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"
    )
    assert len(pyogrio.raw.read(pointer.encode())[2]) == 2, "GDAL itself would follow it"
    for body in (pointer.encode(), zipped({"trees.gml": pointer.encode()})):
        with pytest.raises(ReadError, match="is OGRVRTDataSource, and holds no features"):
            table(body)


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and what it was asked for."""
    asked: list[str] = []

    class Listener(Request):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

    with closing(Loopback(Listener)) as server:
        yield f"http://127.0.0.1:{server.port}/x", asked


def test_schemas_links_and_styles_elsewhere_are_not_fetched(
    elsewhere: tuple[str, list[str]], rows: ReadRows
) -> None:
    address, asked = elsewhere
    schema = (
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' xsi:schemaLocation="http://data.example/a {address}?SERVICE=WFS&amp;VERSION=2.0.0'
        '&amp;REQUEST=DescribeFeatureType&amp;TYPENAME=a:baum"'
    )
    reference = f'<a:art xlink:href="{address}#1"/>'
    place = f'<gml:pointProperty xlink:href="{address}#2"/>'
    assert rows(gml(tree("1", more=reference + place), attributes=schema)) == [{"place_id": "1"}]
    links = (
        f"<NetworkLink><Link><href>{address}</href></Link></NetworkLink><Placemark><name>1</name>"
        f"<styleUrl>{address}#s</styleUrl></Placemark>"
    )
    assert rows(kml(links), fields={"place_id": "name"}) == [{"place_id": "1"}]
    assert asked == []


def test_what_of_kml_is_not_read_is_told(table: Callable[..., RawTable]) -> None:
    link = "<NetworkLink><Link><href>https://data.example/x.kml</href></Link></NetworkLink>"
    track = "<Placemark><name>2</name><Track><when>2026-07-01</when></Track></Placemark>"
    found = table(kml(f"{link}<Placemark><name>1</name></Placemark>{track}"), fields={"place_id": "name"})
    assert found.frame["place_id"].to_list() == ["1", "2"]
    assert [(note.code, note.text) for note in found.notes] == [
        ("unread_elements", "of KML are not read: 1 NetworkLink, 1 Track")
    ]
    with pytest.raises(ReadError, match="has no placemarks of its own, but links to other files"):
        table(kml(link), fields={"place_id": "name"})


def test_a_geopackage_that_computes_what_it_holds_is_refused(
    table: Callable[..., RawTable], tmp_path: Path
) -> None:
    def changed(*statements: str) -> bytes:
        path = tmp_path / "trees.gpkg"
        path.unlink(missing_ok=True)
        written(path.name, tmp_path)
        with closing(sqlite3.connect(path)) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()
        return path.read_bytes()

    with pytest.raises(ReadError, match="has x as a virtual table, which is not trusted"):
        table(changed("create virtual table x using fts5(a)"))
    view = changed(
        "create view v as select fid, geom, nr, art from trees",
        "update gpkg_contents set table_name = 'v', identifier = 'v'",
        "update gpkg_geometry_columns set table_name = 'v'",
    )
    with pytest.raises(ReadError, match="has v as a view, which is not read: publish it as a table"):
        table(view, layer="v")


def test_a_damaged_geopackage_is_an_error(table: Callable[..., RawTable], tmp_path: Path) -> None:
    body = written("trees.gpkg", tmp_path)
    for damaged in (body[:200], body[: len(body) // 2], body[:4096] + bytes(len(body) - 4096)):
        with pytest.raises(ReadError):
            table(damaged)


def test_damaged_files_are_no_crash(files: dict[str, Any], table: Callable[..., RawTable]) -> None:
    chance = Random(20261201)  # noqa: S311 - the same damage in every run

    def damaged(body: bytes) -> bytes:
        changed = bytearray(body)
        for _ in range(chance.randint(0, 8)):
            changed[chance.randrange(len(body))] = chance.randrange(256)
        return bytes(changed[: chance.choice((len(body), chance.randint(0, len(body))))])

    for _ in range(150):
        body = files[chance.choice(sorted(files))]
        if isinstance(body, dict):
            part = chance.choice(sorted(body))
            body = zipped({**body, part: damaged(body[part])})
        else:
            body = damaged(body)
        with suppress(ReadError):
            table(body, rest="attributes")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    """The trees in binary formats; the Shapefile as its parts."""
    with zipfile.ZipFile(io.BytesIO(written("trees.shp", tmp_path))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return {"gpkg": written("trees.gpkg", tmp_path), "parquet": geoparquet(points=DEGREES), "shp": parts}


@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        ("trees.prj", b'PROJCS["x",GEOGCS["y"', "cannot be read: missing"),
        ("trees.prj", UNWRITABLE, "has a reference system that cannot be understood"),
        ("trees.dbf", b"", r"lacks the attribute\(s\) art, nr"),
    ],
)
def test_a_part_of_a_shapefile_that_makes_no_sense_is_named(
    part: str, content: bytes, message: str, files: dict[str, Any], table: Callable[..., RawTable]
) -> None:
    with pytest.raises(ReadError, match=message):
        table(zipped({**files["shp"], part: content}))


def test_what_is_nested_too_deep_is_an_error(table: Callable[..., RawTable]) -> None:
    with pytest.raises(ReadError, match="nests elements more than 200 deep"):
        table(b"<kml>" + b"<Folder>" * 300 + b"</Folder>" * 300 + b"</kml>")
    with pytest.raises(ReadError, match="is not GeoJSON"):
        table(b'{"features":[{"properties":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}]}")


@pytest.mark.parametrize("settings", [{"feature_id": "nr"}, {"rest": "lon"}, {"fields": {"nr": "nr"}}])
def test_fields_that_the_record_type_does_not_have_are_a_fault_of_the_file(
    settings: dict[str, Any], source: MakeSource
) -> None:
    with pytest.raises(ValidationError, match="allowed: place_id, category, name"):
        source("geofile", **{**TREES, **settings})


def test_the_recorded_sensors_of_jena(rows: ReadRows, payloads: Path) -> None:
    found = rows(
        (payloads / "kml_jena" / "sensoren.kml").read_bytes(),
        fields={"place_id": "sensorstandort_gid", "name": "standort", "category": "was"},
        split_lines="description",
        rest="attributes",
    )
    assert len(found) == 51
    first, second = found[:2]
    assert [shapely.from_wkb(row.pop("geometry")).wkt for row in (first, second)] == [
        "POINT (11.608237 50.94435)",
        "POINT (11.608303 50.944385)",
    ]
    link = "https://ttntst.jena.de/grafana/dashboards/f/TntY1Hynz/bodenfeuchte"
    assert json.loads(first.pop("attributes")) == {
        "bnr": "80", "eingesetzt": "2022/03/28", "hersteller": "SENSOTERRA", "html": link, "in_tiefe": "30 cm",
        "model": "Single Depth sensor 30", "sensor_nr": "4", "x": "683224.801", "y": "5646875.914",
    }  # fmt: skip
    assert json.loads(second.pop("attributes"))["model"] == "Single Depth sensor 90"
    assert (first, second) == (
        {
            "place_id": "126",
            "name": "Wiesenstraße",
            "category": "Bodenfeuchte",
            "lon": 11.608237,
            "lat": 50.94435,
        },
        {
            "place_id": "127",
            "name": "Wiesenstraße",
            "category": "Bodenfeuchte",
            "lon": 11.608303,
            "lat": 50.944385,
        },
    )


def test_lines_of_the_recorded_descriptions_say_the_same_as_their_extended_data(
    rows: ReadRows, payloads: Path
) -> None:
    body = (payloads / "kml_jena" / "sensoren.kml").read_bytes()
    without = body.replace(b"<ExtendedData>", b"<metadata>").replace(b"</ExtendedData>", b"</metadata>")
    settings = {
        "fields": {"place_id": "sensorstandort_gid", "name": "standort"},
        "split_lines": "description",
        "rest": "attributes",
    }
    assert rows(
        without.replace(b"<Data ", b"<Nothing ").replace(b"</Data>", b"</Nothing>"), **settings
    ) == rows(body, **settings)


def test_the_recorded_addresses_in_the_dutch_system(rows: ReadRows, payloads: Path) -> None:
    found = rows(
        (payloads / "geofiles" / "dutch_addresses_28992.gpkg").read_bytes(),
        fields={"place_id": "id", "address": "straatnaam", "postcode": "postcode", "city": "woonplaats"},
        rest="attributes",
    )
    assert len(found) == 2481
    shapes = [shapely.from_wkb(row.pop("geometry")) for row in found]
    assert [(row["lon"], row["lat"]) for row in found[:2]] == [(s.x, s.y) for s in shapes[:2]]
    assert found[:2] == [
        {
            "place_id": "inspireadressen.1742212",
            "address": "Willinkhuizersteeg",
            "postcode": "6733EB",
            "city": "Wekerom",
            "attributes": '{"huisletter":"C","huisnummer":"2"}',
            "lon": 5.7148467,
            "lat": 52.1212275,
        },
        {
            "place_id": "inspireadressen.1744950",
            "address": "Arnhemseweg",
            "postcode": "6731BV",
            "city": "Otterlo",
            "attributes": '{"huisnummer":"92"}',
            "lon": 5.7736964,
            "lat": 52.0931591,
        },
    ]


def test_the_recorded_car_parks_of_jena_are_the_same_as_by_the_connector_of_geojson(
    rows: ReadRows, payloads: Path
) -> None:
    found = rows(
        (payloads / "parking" / "jena.geojson").read_bytes(), fields={"place_id": "gid", "name": "name"}
    )
    assert len(found) == 103
    assert shapely.from_wkb(found[0].pop("geometry")).wkt == "POINT (11.5859544 50.9284917)"
    assert found[0] == {"place_id": "185", "name": "Eichplatz", "lon": 11.5859544, "lat": 50.9284917}


@pytest.mark.parametrize("late", [{"b": 7}, {"a": 1, "new": {"c": [1]}}, []])
def test_attributes_are_all_found_wherever_they_first_stand(late: Any) -> None:
    written = [{"a": n, "b": {"x": "ü"}} for n in range(150)] + [late]
    found = read_geojson(
        json.dumps(
            {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": p} for p in written]}
        ).encode()
    ).attributes
    assert found.height == 151
    assert found["a"].to_list()[:150] == [*range(150)]
    assert found["b"][0] == '{"x":"ü"}'
    assert found.columns == ["a", "b", *(["new"] if "new" in late else [])]
    assert found.row(150, named=True) == {
        "a": dict(late).get("a"), "b": "7" if "b" in late else None,
    } | ({"new": '{"c":[1]}'} if "new" in late else {})  # fmt: skip


def test_attributes_that_nobody_wants_are_named_alone() -> None:
    body = b'{"type":"FeatureCollection","features":[{"properties":{"a":1,"b":[1]}},{"properties":{"a":2}}]}'
    found = read_geojson(body, wanted={"a"}).attributes
    assert found.to_dict(as_series=False) == {"a": [1, 2], "b": [None, None]}


def test_a_document_without_folders_has_no_attribute_of_them(source: MakeSource, read: ReadBody) -> None:
    body = b"<kml><Document><Placemark><name>A</name><Point><coordinates>7.5,51.5</coordinates></Point></Placemark>"
    declared = source(
        "geofile", record_type="place", fields={"place_id": "name"}, constants={"category": "x"}
    )
    (table,) = read(declared, body + b"</Document></kml>")
    assert table.unknown_fields == ()
