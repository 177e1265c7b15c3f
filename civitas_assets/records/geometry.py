"""Geometries in any form and reference system, as well-known binary in WGS 84.

The forms are read in `geometry_forms.py`. What a geometry means, and whether it may be where it is, is not decided
here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import numpy as np
import polars as pl
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from civitas_assets.catalog import Box
from civitas_assets.records.geometry_forms import Array, find_points_on, parse_geometries

_DECIMALS = 7  # a centimetre; more is noise of the transformation

# Codes in names such as EPSG:25832, urn:ogc:def:crs:EPSG::25832, …/def/crs/EPSG/0/25832 and …/epsg.xml#25832.
_CODE = re.compile(
    r"EPSG(?::[\d.]*:|/[\d.]+/|:|\.xml#)(\d+)$|spatialreference\.org/ref/epsg/(\d+)(?:/|$)", re.IGNORECASE
)
_SURVEYORS = re.compile(
    r"^urn:adv:crs:(?P<system>ETRS89_UTM|DE_DHDN_3GK|ETRS89_Lat-Lon)(?P<zone>\d*)(?:_[^*]*)?(?:\*.*)?$",
    re.IGNORECASE,
)

# By shapely's number of the kind.
_KINDS = (
    *("Point", "LineString", "LinearRing", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"),
    "GeometryCollection",
)


@dataclass(frozen=True)
class Geometries:
    """Rows' geometries: WKB in WGS 84, a point on each, and which rows hold something that is no geometry."""

    wkb: pl.Series
    lon: pl.Series
    lat: pl.Series
    unreadable: pl.Series
    _shapes: Array

    def find_touching(self, box: Box) -> pl.Series:
        """Whether each one has a part within the box; false for none."""
        return pl.Series("touching", shapely.intersects(self._shapes, shapely.box(*box)), pl.Boolean)


def parse_geometry_column(values: pl.Series, crs: str) -> Geometries:
    """The geometries of a column; one that names its reference system is in that one, all others in `crs`."""
    shapes, named, unreadable = parse_geometries(values)
    readable = ~shapely.is_missing(shapes)
    shapes = shapely.force_2d(shapes)
    declared = int(crs.removeprefix("EPSG:"))
    systems = np.where(named > 0, named, declared)
    for system in np.unique(systems[readable]):
        rows = readable & (systems == system)
        shapes[rows] = _to_wgs84(shapes[rows], int(system))
    bounds = shapely.bounds(shapes)
    with np.errstate(invalid="ignore"):
        finite = readable & np.isfinite(bounds).all(axis=1)
    shapes = np.where(finite, shapes, None)
    points_on_them = find_points_on(shapes)
    lon, lat = shapely.get_x(points_on_them), shapely.get_y(points_on_them)
    return Geometries(
        wkb=pl.Series("geometry", shapely.to_wkb(shapes).tolist(), pl.Binary),
        lon=pl.Series("lon", lon, pl.Float64, nan_to_null=True).round(_DECIMALS),
        lat=pl.Series("lat", lat, pl.Float64, nan_to_null=True).round(_DECIMALS),
        unreadable=pl.Series(unreadable | (readable & ~finite)),
        _shapes=shapes,
    )


def _to_wgs84(shapes: Array, system: int) -> Array:
    """Array with their coordinates in degrees; infinite where they are none, or the system is not known."""
    if system == 4326:
        return shapely.transform(shapes, lambda xy: np.round(xy, _DECIMALS))
    try:
        # `always_xy` keeps easting before northing whatever the authority's axis order says.
        transformer = Transformer.from_crs(CRS.from_epsg(system), "EPSG:4326", always_xy=True)
    except ProjError:
        return shapely.transform(shapes, lambda xy: np.full_like(xy, np.inf))
    return shapely.transform(
        shapes, lambda xy: np.round(np.column_stack(transformer.transform(xy[:, 0], xy[:, 1])), _DECIMALS)
    )


def add_crs(values: pl.Series, crs: str) -> pl.Series:
    """The geometries as binary; those that name no reference system name this one. What is none stays as it is."""
    shapes, systems, unreadable = parse_geometries(values)
    systems = np.where(systems > 0, systems, int(crs.removeprefix("EPSG:")))
    return _as_named(values, shapes, systems, unreadable)


def swap_axes(values: pl.Series) -> pl.Series:
    """The geometries as binary with y before x; what is none stays as it is."""
    shapes, systems, unreadable = parse_geometries(values)
    plane = shapely.transform(shapely.force_2d(shapes), lambda xy: xy[:, ::-1])
    return _as_named(values, plane, systems, unreadable)


def _as_named(values: pl.Series, shapes: Array, systems: Array, unreadable: Array) -> pl.Series:
    """The shapes as binary that names their reference system, and what is no geometry as it was written."""
    binary = shapely.to_wkb(shapely.set_srid(shapes, systems), include_srid=True)
    written = values if values.dtype == pl.Binary else values.cast(pl.String).cast(pl.Binary)
    return written.zip_with(pl.Series(unreadable), pl.Series(binary.tolist(), dtype=pl.Binary))


def find_epsg(description: object) -> str | None:
    """The EPSG code of a reference system, described as a name, an address, WKT or PROJJSON; None without one.

    Of one with heights it is the code of its plane.
    """
    text = description.strip() if isinstance(description, str) else json.dumps(description)
    if re.search(r"CRS:?84h?$", text):
        return "EPSG:4326"  # the same, with longitude first, as here always
    if name := _CODE.search(text):
        return f"EPSG:{name[1] or name[2]}"
    if name := _SURVEYORS.search(text):
        return _of_surveyors(name["system"].upper(), int(name["zone"] or 0))
    try:
        system = CRS.from_user_input(description)
        if system.is_compound:
            system = system.sub_crs_list[0]
        if system.to_authority() == ("OGC", "CRS84"):
            return "EPSG:4326"
        code = system.to_epsg()
    except (ProjError, TypeError, ValueError, AttributeError, LookupError):
        return None
    return None if code is None else f"EPSG:{code}"


def _of_surveyors(system: str, zone: int) -> str | None:
    """The code of what the surveyors of the German states name so, with or without their system of heights."""
    code = {"ETRS89_UTM": 25800 + zone, "DE_DHDN_3GK": 31464 + zone, "ETRS89_LAT-LON": 4258}.get(system)
    known = {25831, 25832, 25833, 31466, 31467, 31468, 31469, 4258}
    return f"EPSG:{code}" if code in known else None


def is_northing_first(crs: str) -> bool:
    """Whether the authority of the reference system writes northing or latitude before easting or longitude."""
    try:
        return str(CRS.from_user_input(crs).axis_info[0].direction).lower() in {"north", "south"}
    except (ProjError, LookupError):
        return False


def build_points(lon: pl.Series, lat: pl.Series) -> pl.Series:
    """Points as WKB; null where one of the two is."""
    known = (lon.is_not_null() & lat.is_not_null()).to_numpy()
    shapes = np.full(len(lon), None, dtype=object)
    shapes[known] = shapely.points(lon.to_numpy()[known], lat.to_numpy()[known])
    return pl.Series("geometry", shapely.to_wkb(shapes).tolist(), pl.Binary)


def to_wkt(wkb: pl.Series) -> pl.Series:
    """Geometries as WKT, with the decimals that positions have."""
    shapes = shapely.from_wkb(np.array(wkb.to_list(), dtype=object))
    return pl.Series(wkb.name, shapely.to_wkt(shapes, rounding_precision=_DECIMALS).tolist(), pl.String)


def to_geojson(wkb: pl.Series) -> pl.Series:
    """Geometries as GeoJSON, their outer rings anticlockwise as RFC 7946 asks for."""
    shapes = shapely.orient_polygons(shapely.from_wkb(np.array(wkb.to_list(), dtype=object)))
    return pl.Series(wkb.name, shapely.to_geojson(shapes).tolist(), pl.String)


def measure_extents(wkb: pl.Series) -> pl.DataFrame:
    """Kind and bounds of each geometry: `kind` by its name in GeoJSON, `xmin`, `ymin`, `xmax` and `ymax`."""
    shapes = shapely.from_wkb(np.array(wkb.to_list(), dtype=object))
    bounds = shapely.bounds(shapes)
    numbers = {
        name: pl.Series(bounds[:, place], dtype=pl.Float64, nan_to_null=True)
        for place, name in enumerate(("xmin", "ymin", "xmax", "ymax"))
    }
    kinds = [None if kind < 0 else _KINDS[kind] for kind in shapely.get_type_id(shapes)]
    return pl.DataFrame({"kind": pl.Series(kinds, dtype=pl.String), **numbers})
