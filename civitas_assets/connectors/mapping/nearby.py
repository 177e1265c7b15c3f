"""Of a table that reaches over a country, the rows that lie near the tenant: the others are no fault, and not its own.

What is wrong with a position, and what near means, is the contract's to say.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from civitas_assets.catalog import Box
from civitas_assets.records import RawTable
from civitas_assets.records.geometry import parse_geometry_column
from civitas_assets.records.position import find_position_faults, widen_box


def select_nearby(found: RawTable, box: Box | None) -> RawTable:
    """The table without what the contract would reject for being elsewhere; without a position a row stays.

    Coordinates are degrees of WGS 84.
    """
    frame = found.frame
    if box is None or "lon" not in frame.columns or frame.is_empty():
        return found
    # What is no number is not elsewhere: it stays, for the contract to reject.
    lon, lat = (frame[name].cast(pl.Float64, strict=False) for name in ("lon", "lat"))
    near = None
    if "geometry" in frame.columns:
        shapes = parse_geometry_column(frame["geometry"], "EPSG:4326")
        pointless = lon.is_null() & lat.is_null()
        lon, lat = shapes.lon.zip_with(pointless, lon), shapes.lat.zip_with(pointless, lat)
        near = shapes.find_touching(widen_box(box))
    outside = find_position_faults(lon, lat, box, near)["position_is_outside"]
    return replace(found, frame=frame.filter(~outside))
