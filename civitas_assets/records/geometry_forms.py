"""Geometries in every form that sources write them in: GeoJSON, WKT and WKB, and the bytes of some databases.

Nothing, an empty geometry and something that is no geometry are three different things here, for every form.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import polars as pl
import shapely

from civitas_assets.catalog import Box
from civitas_assets.records.position import read_plain_point, widen_box

_SRID = r"^\s*(?i:SRID)\s*=\s*(\d+)\s*;"
_HEX = r"^\s*[0-9A-Fa-f]{10,}\s*$"
_DEPTHS = {
    kind: depth
    for depth, kinds in enumerate(
        (("Point",), ("MultiPoint", "LineString"), ("MultiLineString", "Polygon"), ("MultiPolygon",))
    )
    for kind in kinds
}
_GEOPACKAGE = b"GP"
_ENVELOPES = (0, 32, 48, 48, 64)  # bytes of the envelope in the head of a GeoPackage's geometry, by its code
_FAILURES = (
    *(shapely.errors.ShapelyError, NotImplementedError, json.JSONDecodeError, struct.error),
    *(RecursionError, IndexError),
)

Array = Any  # of numpy; its element types and those of shapely say little to a type checker


def parse_geometries(values: pl.Series) -> tuple[Array, Array, Array]:
    """The shapes of a column, None for nothing; the SRID that each names, 0 for none; and which are no geometry."""
    shapes, systems = _parse_together(values)
    given = values.is_not_null().to_numpy()
    unreadable = given & shapely.is_missing(shapes)
    for row in np.flatnonzero(unreadable):
        with suppress(ValueError):
            shapes[row], systems[row] = parse_geometry(values[int(row)])
            unreadable[row] = False
    return np.where(_is_nothing(shapes), None, shapes), systems, unreadable


def parse_geometry(value: object) -> tuple[Any, int]:
    """One shape, None or empty for nothing, and the SRID that it names, 0 for none.

    A GeoJSON feature is its geometry, and a collection of features the collection of theirs. Positions that are
    null, not a number or without coordinates are nothing, and so is a height that is null.

    Raises:
        ValueError: it is no geometry.
    """
    try:
        if value is None:
            return None, 0
        if isinstance(value, Mapping):
            return _parse_geojson(value), 0
        if isinstance(value, (bytes, bytearray, memoryview)):
            return _parse_bytes(bytes(value))
        if isinstance(value, str):
            return _parse_text(value.strip())
    except _FAILURES as error:
        raise ValueError(f"is no geometry that is known: {next(iter(str(error).splitlines()), '')}") from None
    raise ValueError(f"is no geometry, but {type(value).__name__}")


def find_position(geometry: object, within: Box | None = None) -> tuple[float, float] | None:
    """A position on the geometry, first x and then y, in its own reference system; None where there is nothing.

    Of an area it is a point inside, of a line one on it, of several shapes one on those of the highest
    dimension. `within` is a tenant's box in degrees: what is larger than the town is met there, if it can be.

    Raises:
        ValueError: it is no geometry.
    """
    if (point := read_plain_point(geometry)) is not None:
        return point
    shape, _ = parse_geometry(geometry)
    if _is_nothing(shape):
        return None
    shape = shapely.make_valid(shapely.force_2d(shape))
    if within is not None and shape.geom_type not in {"Point", "MultiPoint"}:
        town = shapely.box(*widen_box(within))
        inside = shape if shapely.covers(town, shape) else shapely.intersection(shape, town)
        shape = shape if inside.is_empty else inside
    (point,) = find_points_on(np.array([shape]))
    if point is None or not (math.isfinite(point.x) and math.isfinite(point.y)):
        raise ValueError("is no geometry with finite coordinates")
    return point.x, point.y


def add_srid(wkb: bytes, system: int) -> str | None:
    """Well-known binary in hexadecimal that names its reference system, if that is one; None if it is no geometry."""
    shape = shapely.from_wkb(wkb, on_invalid="ignore") if wkb else None
    if shape is None:
        return None
    return str(
        shapely.to_wkb(shapely.set_srid(shape, system), hex=True, include_srid=system > 0, byte_order=1)
    )


def build_area(rings: Sequence[Sequence[tuple[float, float]]]) -> str:
    """What is in an odd number of the rings, as well-known text, in whatever order and direction they come.

    Raises:
        ValueError: one of them is no ring.
    """
    try:
        return str(shapely.build_area(shapely.MultiLineString(rings)).wkt)
    except shapely.errors.ShapelyError as error:
        raise ValueError(str(error)) from None


def find_points_on(shapes: Array) -> Array:
    """A point on each shape, also of those that cross themselves or have empty parts; None for none."""
    sound = np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))
    points = shapely.point_on_surface(sound)
    for row in np.flatnonzero(shapely.is_empty(points)):
        parts = [part for part in _parts(sound[row]) if not part.is_empty]
        points[row] = shapely.point_on_surface(shapely.GeometryCollection(parts)) if parts else None
    return points


def _parts(shape: Any) -> Iterator[Any]:
    """What a collection is made of, at any depth."""
    if hasattr(shape, "geoms"):
        for part in shape.geoms:
            yield from _parts(part)
    else:
        yield shape


def _is_nothing(shapes: Array) -> Array:
    """Whether a shape is none, empty, or all its coordinates are not-a-number, as those of empty points in WKB."""
    return np.isnan(shapely.bounds(shapes)).all(axis=-1)


def _parse_together(values: pl.Series) -> tuple[Array, Array]:
    """What the library reads of a whole column at once; None for the rest."""
    shapes = np.full(len(values), None, dtype=object)
    if values.dtype == pl.Binary:
        shapes = _read(shapely.from_wkb, np.array(values.to_list(), dtype=object))
        return shapes, np.where(shapely.is_missing(shapes), 0, shapely.get_srid(shapes)).astype(np.int64)
    text = values.cast(pl.String).str.strip_chars()
    forms = pl.DataFrame({"text": text}).select(
        pl.when(pl.col("text").str.starts_with("{"))
        .then(pl.lit("geojson"))
        .when(pl.col("text").str.contains(_HEX))
        .then(pl.lit("wkb"))
        .when(pl.col("text").is_not_null())
        .then(pl.lit("wkt"))
        .alias("form"),
        pl.col("text").str.extract(_SRID).cast(pl.Int64, strict=False).fill_null(0).alias("srid"),
        pl.col("text").str.replace(_SRID, ""),
    )
    for form, read in (
        ("geojson", shapely.from_geojson),
        ("wkb", shapely.from_wkb),
        ("wkt", shapely.from_wkt),
    ):
        rows = (forms["form"] == form).fill_null(value=False).to_numpy()
        if rows.any():
            found = np.array(forms["text"].filter(pl.Series(rows)).to_list(), dtype=object)
            shapes[rows] = _read(read, found)
    own = np.where(shapely.is_missing(shapes), 0, shapely.get_srid(shapes))
    written = forms["srid"].to_numpy()
    return shapes, np.where(written > 0, written, own).astype(np.int64)


def _read(read: Callable[..., Any], written: Array) -> Array:
    """The shapes; None for what is none, and for arcs, which are not known here."""
    with np.errstate(all="ignore"):  # a number may be larger than any; that is for the bounds to find
        try:
            return read(written, on_invalid="ignore")
        except NotImplementedError:
            shapes = np.full(len(written), None, dtype=object)
            for row, value in enumerate(written):
                with suppress(NotImplementedError):
                    shapes[row] = read(value, on_invalid="ignore")
            return shapes


def _parse_text(text: str) -> tuple[Any, int]:
    if not text or text.lower() == "null":
        return None, 0
    if text.startswith("{"):
        return _parse_geojson(json.loads(text)), 0
    named = re.match(_SRID, text)
    text, system = (text[named.end() :], int(named[1])) if named else (text, 0)
    shape = shapely.from_wkb(text) if re.match(_HEX, text) else shapely.from_wkt(text)
    return shape, system or shapely.get_srid(shape)


def _parse_bytes(written: bytes) -> tuple[Any, int]:
    """WKB alone, behind the head that a GeoPackage has, or behind the number of MySQL's reference system."""
    if not written:
        return None, 0
    if written.startswith(_GEOPACKAGE):
        flags = written[3]
        (system,) = struct.unpack_from("<i" if flags & 1 else ">i", written, 4)
        size = (flags >> 1) & 7
        if size >= len(_ENVELOPES):
            raise ValueError("is no geometry of a GeoPackage")
        return shapely.from_wkb(written[8 + _ENVELOPES[size] :]), max(system, 0)
    try:
        shape = shapely.from_wkb(written)
    except shapely.errors.ShapelyError:
        return shapely.from_wkb(written[4:]), struct.unpack_from("<I", written)[0]
    return shape, int(shapely.get_srid(shape))


def _parse_geojson(written: Mapping[str, Any]) -> Any:
    plain = _without_nothing(written)
    return None if plain is None else shapely.from_geojson(json.dumps(plain))


def _without_nothing(written: object) -> dict[str, Any] | None:
    """GeoJSON of plane positions that are all there; None where it has none at all."""
    if written is None:
        return None
    if not isinstance(written, Mapping):
        raise ValueError("is no object of GeoJSON")
    kind = written.get("type")
    if kind == "Feature" or (kind is None and "geometry" in written):
        return _without_nothing(written.get("geometry"))
    if kind in {"FeatureCollection", "GeometryCollection"}:
        members = written.get("features" if kind == "FeatureCollection" else "geometries")
        if not isinstance(members, Sequence | None) or isinstance(members, str):
            raise ValueError(f"has no list of members of its {kind}")
        there = [plain for member in members or () if (plain := _without_nothing(member))]
        return {"type": "GeometryCollection", "geometries": there} if there else None
    if kind not in _DEPTHS or "coordinates" not in written:
        raise ValueError(f"has no geometry of GeoJSON, but {kind!r}")
    coordinates = _plane(written["coordinates"], _DEPTHS[kind])
    return None if coordinates is None else {"type": kind, "coordinates": coordinates}


def _plane(written: object, depth: int) -> list[Any] | None:
    """Positions of two numbers, in as many lists as the kind has; None for nothing."""
    if written is None:
        return None
    if not isinstance(written, Sequence) or isinstance(written, str):
        raise ValueError("has coordinates that are no list")
    if depth:
        return [part for each in written if (part := _plane(each, depth - 1))] or None
    numbers = [_number(each) for each in written[:2]]
    if all(map(math.isnan, numbers)):
        return None
    if len(numbers) != 2 or not all(map(math.isfinite, numbers)):
        raise ValueError("has a position without two coordinates")
    return numbers


def _number(written: object) -> float:
    if isinstance(written, bool):
        raise ValueError("has a coordinate that is no number")
    try:
        return math.nan if written is None else float(written)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise ValueError("has a coordinate that is no number") from None
