"""Where the rows of a shared model are: their own geometry, their own position, or that of the thing they are about.

Formats with geometry share it.
"""

from __future__ import annotations

import polars as pl

from civitas_assets.errors import ExportError
from civitas_assets.export.selection import Selection
from civitas_assets.records.geometry import build_points

WKB, LON, LAT = "@wkb", "@lon", "@lat"


def position_sql(selection: Selection) -> str:
    """SQL for the columns that `build_geometries` needs.

    Raises:
        ExportError: neither the model nor what it is about is anywhere.
    """
    if not selection.is_somewhere:
        where = ", ".join(
            name
            for name, columns in selection.models.items()
            if Selection(name, columns, selection.models).is_somewhere
        )
        raise ExportError(
            f"{selection.model} has no geometry, so it cannot be exported with one; export it as csv."
            f" These have one: {where}"
        )
    place = "thing" if selection.thing else "picked"
    wkb = "picked.geometry_wkb" if "geometry_wkb" in selection.columns else "null::blob"
    return f'{wkb} as "{WKB}", {place}.lon as "{LON}", {place}.lat as "{LAT}"'


def build_geometries(wkb: pl.Series, lon: pl.Series, lat: pl.Series) -> pl.Series:
    """Geometries as WKB: those that rows have, else points."""
    if wkb.null_count() < len(wkb):
        return pl.select(pl.coalesce(wkb, build_points(lon, lat))).to_series()
    return build_points(lon, lat)
