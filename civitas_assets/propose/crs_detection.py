"""Where positions lie: which reference system brings coordinates into the tenant's box, and whether they are swapped.

Without a tenant, the box is Germany's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from civitas_assets.catalog import Box
from civitas_assets.records.position import to_wgs84, widen_box

GERMANY: Box = (5.8, 47.2, 15.1, 55.1)
# Those in use in Germany, the likeliest first.
SYSTEMS = (
    "EPSG:4326",
    "EPSG:25832",
    "EPSG:25833",
    "EPSG:31467",
    "EPSG:31468",
    "EPSG:31466",
    "EPSG:31469",
    "EPSG:3857",
)
_ENOUGH = 0.5  # of the positions: files hold zeros and places elsewhere
_LOOKED_AT = 200


@dataclass(frozen=True)
class Located:
    """The reference system that fits, others that fit as well, and whether x and y stand in each other's place."""

    crs: str
    others: tuple[str, ...] = ()
    swapped: bool = False


def detect_crs(points: Sequence[tuple[float, float]], box: Box, named: str | None = None) -> Located | None:
    """The reference system in which these are positions in the box; None if there is none.

    A system that the data names itself is not doubted.
    """
    if named is not None:
        return Located(named)
    some = points[:_LOOKED_AT]
    for swapped in (False, True):
        turned = [(y, x) for x, y in some] if swapped else some
        shares = {crs: measure_share_inside(turned, crs, box) for crs in SYSTEMS}
        best = max(shares.values(), default=0.0)
        if best >= _ENOUGH:
            # Equally good ones cannot be told apart by this data.
            fitting = [crs for crs in SYSTEMS if shares[crs] == best]
            return Located(fitting[0], tuple(fitting[1:]), swapped)
    return None


def measure_share_inside(points: Sequence[tuple[float, float]], crs: str, box: Box) -> float:
    """The share of the positions that lie in the box, if they are in that reference system."""
    if not points:
        return 0.0
    x = pl.Series([x for x, _ in points], dtype=pl.Float64)
    y = pl.Series([y for _, y in points], dtype=pl.Float64)
    if crs != "EPSG:4326" and float(x.abs().max() or 0) < 1000:  # type: ignore[arg-type]
        return 0.0  # degrees
    lon, lat = to_wgs84(x, y, crs)
    west, south, east, north = widen_box(box)
    inside = lon.is_between(west, east) & lat.is_between(south, north)
    return float(inside.mean() or 0.0)  # type: ignore[arg-type]
