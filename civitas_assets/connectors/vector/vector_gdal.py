"""GeoPackage, Shapefile, FlatGeobuf and GML by GDAL, from memory, without any reach beyond the bytes that are given.

What GDAL could also open, such as files that only point to others, is refused before it gets to see them.
"""

from __future__ import annotations

import io
import re
import sqlite3
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyogrio
import pyogrio.raw

from civitas_assets.catalog.frame import DEFAULT_FRAME, Frame
from civitas_assets.connectors.content.extent import check_extent
from civitas_assets.connectors.content.markup import MarkupOutline
from civitas_assets.connectors.vector.vector import AxisOrder, Features
from civitas_assets.connectors.vector.vector_faults import ManyParts
from civitas_assets.errors import ReadError
from civitas_assets.records import Note
from civitas_assets.records.geometry import find_epsg

# For the whole process: no guessing of types, by which 07743 would be a number, and no way to other places.
_CONFIGURATION = {
    "GML_FIELDTYPES": "ALWAYS_STRING",
    "GML_DOWNLOAD_SCHEMA": "NO",
    "GML_SKIP_RESOLVE_ELEMS": "ALL",
    "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": "NO",
}
_WITHOUT_FILES_BESIDE: dict[str, Any] = {"DOWNLOAD_SCHEMA": "NO", "WRITE_GFS": "NO"}
_SWAPPED: Mapping[AxisOrder, str] = {"by_name": "AUTO", "east_north": "NO", "north_east": "YES"}
# Names of reference systems that the surveyors of the German states use, and one that GDAL does not know alone.
_NAME = re.compile(rb"""srsName=(["'])(urn:adv:crs:[^"']+|CRS84)\1""")
# Letters count alike from behind the attribute on: what begins with plain letters is found much sooner.
_SHORT_NAME = re.compile(rb"""srsName=["'](?i:EPSG:|http://www\.opengis\.net/gml/srs/epsg\.xml#)""")
_FAILURES = (RuntimeError, ValueError, IndexError, pa.ArrowException)
_SQLITE = b"SQLite format 3\x00"
_GEOPACKAGES = (b"GPKG", b"GP10", b"GP11")
# Tables in which programs keep styles and projects beside the data.
_OF_PROGRAMS = ("layer_styles", "qgis_", "gpkg_", "ogr_")
_APPLICATION_ID = slice(68, 72)
_ARCS = range(8, 13)  # types of WKB whose lines are arcs
_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_JOINT = ", "


class _NotText(ReadError):
    """Texts are in another encoding than was thought."""


def is_geopackage(body: bytes) -> bool:
    """Whether it is an SQLite file that says that it is a GeoPackage."""
    return body.startswith(_SQLITE) and body[_APPLICATION_ID] in _GEOPACKAGES


def read_geopackage(body: bytes, layer: str | None, frame: Frame) -> Features:
    """The features of a table of a GeoPackage; its primary key is their id.

    Raises:
        ReadError: it is damaged, has no such layer, or has parts that compute or reach elsewhere.
    """
    views = _checked_schema(body)
    listed = {str(name): kind for name, kind in _listed(body)}
    tables = [name for name in listed if not name.lower().startswith(_OF_PROGRAMS)]
    shaped = [name for name in tables if listed[name] is not None]
    is_clear = layer is None and len(shaped) == 1
    name = shaped[0] if is_clear else choose_layer(layer, [*listed] if layer else tables)
    if name.lower() in views:
        raise ReadError(f"has {name} as a view, which is not read: publish it as a table")
    found = _features(body, name, frame, complete=True)
    beside = [other for other in tables if other != name]
    if not is_clear or not beside:
        return found
    text = f"read is the layer {name}, which alone has geometries; not read: {', '.join(beside)} (layer names another)"
    return replace(found, notes=(Note("layer_chosen", text),))


def read_flatgeobuf(body: bytes, frame: Frame) -> Features:
    """The features of a FlatGeobuf.

    Raises:
        ReadError: it is damaged.
    """
    return _features(body, None, frame, complete=True, ids=False)


def read_shapefile(parts: Mapping[str, bytes], encoding: str | None, frame: Frame) -> Features:
    """The features of a Shapefile, from its parts by their suffix in lower case, such as `.shp`.

    Raises:
        ReadError: a part is missing or damaged, or its texts are not in the encoding.
    """
    missing = [suffix for suffix in (".shp", ".shx", ".dbf") if suffix not in parts]
    if missing:
        raise ReadError(f"has a Shapefile without its {' and '.join(missing)}")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for suffix in _PARTS:
            if suffix in parts:
                archive.writestr(f"layer{suffix}", parts[suffix])
    # Without a word about it, texts are in the encoding of the system that wrote them.
    encodings: list[str | None] = [encoding] if encoding else [None, "cp1252"]
    for number, name in enumerate(encodings, 1):
        try:
            return _features(file.getvalue(), None, frame, complete=True, ids=False, encoding=name)
        except _NotText:
            if number == len(encodings):
                raise ReadError(f"has texts that are not {name}: set encoding") from None
    raise AssertionError


def read_gml(
    body: bytes,
    document: MarkupOutline,
    layer: str | None,
    usual: str | None = None,
    axis_order: AxisOrder = "by_name",
    *,
    frame: Frame = DEFAULT_FRAME,
) -> Features:
    """The features of one kind in a GML document, whose outline is known; `gml:id` is their id.

    `usual` is the layer where the document has several, and none is named; `axis_order` which coordinate is written
    first, where the name of the reference system does not say it.

    Raises:
        ReadError: it reports an error, has no such features, or more than the frame lets be.
    """
    check_extent(frame, len(document.features), len(document.names))
    if document.complaint:
        raise ReadError(f"reports an error: {document.complaint}")
    kinds = [*dict.fromkeys(feature.kind for feature in document.features)]
    if not kinds:
        if not document.root.endswith("Collection"):
            raise ReadError(f"is {document.root}, and holds no features")
        return Features(pl.DataFrame(), pl.Series(dtype=pl.Binary), pl.Series(dtype=pl.String))
    name = choose_layer(layer or (usual if len(kinds) > 1 else None), kinds)
    options = {**_WITHOUT_FILES_BESIDE, "SWAP_COORDINATES": _SWAPPED[axis_order]}
    found = _features(_NAME.sub(_common_name, body), name, None, **options)
    key = next((name for name in ("gml_id", "fid") if name in found.attributes.columns), None)
    ids = None if key is None else found.attributes[key]
    # Of short names some services mean the order of the register, such as MapServer in version 1.1 of WFS.
    is_unclear = axis_order == "by_name" and _SHORT_NAME.search(body) is not None
    return replace(
        found,
        attributes=found.attributes.drop(*([key] if key else ())),
        ids=ids,
        complete=False,
        either_order=is_unclear,
    )


def _common_name(found: re.Match[bytes]) -> bytes:
    """The name with a code that means the same: these have the easting first, but for degrees of latitude."""
    quote, code = found[1], find_epsg(found[2].decode(errors="replace"))
    if code is None:
        return found[0]
    if found[2] == b"CRS84":
        name = "urn:ogc:def:crs:OGC:1.3:CRS84"
    else:
        name = code.replace("EPSG:", "urn:ogc:def:crs:EPSG::") if b"Lat" in found[2] else code
    return b"srsName=" + quote + name.encode() + quote


def choose_layer(layer: str | None, layers: Sequence[str]) -> str:
    """The one layer, or the one that is named, with or without the prefix of its namespace.

    Raises:
        ReadError: there are several and none is named, or there is none of the name.
    """
    if layer is None and len(layers) == 1:
        return layers[0]
    for name in layers:
        if layer is not None and name in {layer, layer.rpartition(":")[2]}:
            return name
    there = ", ".join(layers) or "none"
    if layer:
        raise ReadError(f"has no layer {layer!r}; it has {there}")
    raise ManyParts(f"has the layers {there}: set layer", layers, "layer")


def _checked_schema(body: bytes) -> set[str]:
    """The names of views, in lower case; tables that another program stands behind are refused."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(body)
        schema = connection.execute("select type, name, coalesce(sql, '') from sqlite_master").fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise ReadError(f"is no sound GeoPackage: {error}") from None
    finally:
        connection.close()
    for _, name, sql in schema:
        if re.search(r"\bas\s*\(", sql, re.IGNORECASE) and re.match(r"\s*create\s+table", sql, re.IGNORECASE):
            raise ReadError(f"has {name} with columns that are computed, which are not trusted")
        if re.match(r"\s*create\s+virtual", sql, re.IGNORECASE) and not re.search(
            r"\busing\s+[\"']?rtree\b", sql, re.IGNORECASE
        ):
            raise ReadError(f"has {name} as a virtual table, which is not trusted")
    return {name.lower() for kind, name, _ in schema if kind == "view"}


def _listed(body: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        pyogrio.set_gdal_config_options(_CONFIGURATION)
        try:
            return pyogrio.list_layers(body)
        except _FAILURES as error:
            raise ReadError(f"cannot be read: {_first_line(error)}") from None


def _features(
    body: bytes,
    layer: str | None,
    frame: Frame | None,
    *,
    complete: bool = False,
    ids: bool = True,
    encoding: str | None = None,
    **options: str,
) -> Features:
    with warnings.catch_warnings():  # what GDAL remarks on names and types of files in memory
        warnings.simplefilter("ignore", RuntimeWarning)
        pyogrio.set_gdal_config_options(_CONFIGURATION)
        try:
            if frame is not None:
                told = pyogrio.read_info(body, layer=layer, encoding=encoding)
                check_extent(frame, told["features"], len(told["fields"]))
            meta, table = pyogrio.raw.read_arrow(
                body, layer=layer, encoding=encoding, return_fids=True, datetime_as_string=True, **options
            )
            _check_texts(table)
            key = table.column_names[0]  # named like no attribute
            geometry = _geometries(body, layer, table, meta)
        except UnboundLocalError:  # the library's way to fail at a system that it cannot write down
            raise ReadError("has a reference system that cannot be understood") from None
        except _FAILURES as error:
            raise ReadError(f"cannot be read: {_first_line(error)}") from None
    columns = [_series(name, table.column(name)) for name in meta["fields"]]
    crs = find_epsg(meta["crs"]) if meta["crs"] else None
    return Features(
        attributes=pl.DataFrame(height=table.num_rows).with_columns(columns),
        geometry=geometry,
        ids=_series(key, table.column(key)) if ids else None,
        crs=crs,
        unknown_crs=_shortened(meta["crs"]) if crs is None and meta["crs"] else None,
        complete=complete,
    )


def _check_texts(table: pa.Table) -> None:
    """Polars takes it for granted that texts are UTF-8."""
    try:
        table.validate(full=True)
    except pa.ArrowInvalid as error:
        raise _NotText(f"has texts that are not UTF-8: {error}") from None


def _series(name: str, column: pa.ChunkedArray) -> pl.Series:
    """A column; elements that are repeated in a feature are one text."""
    values = pl.Series(name, pl.from_arrow(column))
    if values.dtype == pl.List(pl.String):
        return values.list.join(_JOINT)
    return values


def _geometries(body: bytes, layer: str | None, table: pa.Table, meta: Mapping[str, Any]) -> pl.Series:
    """Well-known binary, with arcs as lines of many points."""
    if meta["geometry_type"] is None:
        return pl.Series([None], dtype=pl.Binary).new_from_index(0, table.num_rows)
    column = table.column(meta["geometry_name"] or "wkb_geometry")
    wkb = pl.Series("geometry", pl.from_arrow(column.cast(pa.binary())), pl.Binary)
    kinds = wkb.bin.slice(1, 4).bin.reinterpret(dtype=pl.UInt32, endianness="little") % 1000
    if kinds.is_in([*_ARCS]).any():
        _, _, straight, _ = pyogrio.raw.read(body, layer=layer, columns=[])
        return pl.Series("geometry", np.asarray(straight).tolist(), pl.Binary)
    return wkb


def _shortened(crs: str) -> str:
    """The name of a reference system that has no code, of its description as WKT."""
    name = re.search(r'\["([^"]{1,100})"', crs)
    return name[1] if name else crs[:100]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
