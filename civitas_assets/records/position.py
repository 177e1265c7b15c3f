"""From native coordinates to WGS 84, and whether they can be right.

A position outside its municipality is a fault; swapped and zero coordinates are named as what they are.
"""

from __future__ import annotations

import math

import polars as pl

from civitas_assets.catalog import Box

MARGIN_KM = 10.0
_KM_PER_DEGREE = 111.32
_DECIMALS = 7  # a centimetre; more is noise of the transformation


def read_plain_point(geometry: object) -> tuple[float, float] | None:
    """The x and y of a point of GeoJSON, as most positions of things are written; None for all else.

    It needs no library of geometries, which takes longer to load than a quiet night takes to read.
    """
    match geometry:
        case {"type": "Point", "coordinates": [float() | int() as x, float() | int() as y, *_]} if (
            math.isfinite(x) and math.isfinite(y) and not isinstance(x, bool) and not isinstance(y, bool)
        ):
            return float(x), float(y)
    return None


def to_wgs84(lon: pl.Series, lat: pl.Series, crs: str) -> tuple[pl.Series, pl.Series]:
    """Longitude and latitude in degrees from x and y in the given system; what cannot be is infinite."""
    if crs == "EPSG:4326":
        return lon.round(_DECIMALS), lat.round(_DECIMALS)
    from pyproj import Transformer  # noqa: PLC0415 - most positions need none

    # `always_xy` keeps easting before northing whatever the authority's axis order says.
    transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    x, y = transformer.transform(lon.fill_null(math.nan).to_list(), lat.fill_null(math.nan).to_list())
    known = lon.is_not_null() & lat.is_not_null()
    # Half a position stays as it is, so that it can be named a fault.
    return (
        pl.Series("lon", x, pl.Float64).round(_DECIMALS).zip_with(known, lon),
        pl.Series("lat", y, pl.Float64).round(_DECIMALS).zip_with(known, lat),
    )


def widen_box(box: Box) -> Box:
    """The box with a margin around it, in degrees: what lies just outside a municipality may be its own."""
    west, south, east, north = box
    margin_lat = MARGIN_KM / _KM_PER_DEGREE
    margin_lon = margin_lat / max(math.cos(math.radians((south + north) / 2)), 0.01)
    return west - margin_lon, south - margin_lat, east + margin_lon, north + margin_lat


def find_position_faults(
    lon: pl.Series, lat: pl.Series, box: Box, near: pl.Series | None = None
) -> dict[str, pl.Series]:
    """Rows whose position cannot be right, by rule; a row without a position is no fault.

    `near` says of rows with a geometry that a part of it lies within the widened box, wherever its middle is.
    """
    given = lon.is_not_null() | lat.is_not_null()
    half = given & (lon.is_null() | lat.is_null())
    inside = _inside(lon, lat, box)
    if near is not None:
        inside = inside | near
    zero = ((lon == 0) & (lat == 0)).fill_null(value=False)
    swapped = _inside(lat, lon, box) & ~inside & ~zero
    outside = given & ~half & ~inside & ~zero & ~swapped
    return {
        "position_is_incomplete": half,
        "position_is_zero": zero,
        "position_is_swapped": swapped,
        "position_is_outside": outside,
    }


def _inside(lon: pl.Series, lat: pl.Series, box: Box) -> pl.Series:
    west, south, east, north = widen_box(box)
    return (lon.is_between(west, east) & lat.is_between(south, north)).fill_null(value=False)
