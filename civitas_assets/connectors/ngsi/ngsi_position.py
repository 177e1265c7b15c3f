"""Where an NGSI entity is: the geometries of NGSI-LD, and those of NGSI-v2, which write latitude first.

A point is a position; what is no point is handed on as a geometry, of which the contract makes a position.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from civitas_assets.connectors.ngsi.ngsi_values import to_plain_list

Where = dict[str, object]
COLUMNS = ("lon", "lat", "geometry")

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LATITUDE_FIRST = re.compile(rf"({_NUMBER})\s*,\s*({_NUMBER})")


def is_geometry(content: Any) -> bool:
    """Whether an attribute says of itself, or by what it holds, that it is a geometry."""
    if not isinstance(content, dict):
        return False
    kind = content.get("type")
    return (
        kind == "GeoProperty"
        or (isinstance(kind, str) and kind.startswith("geo:"))
        or "coordinates" in content
    )


def read_position(value: Any, kind: Any = None) -> Where:
    """Longitude and latitude of a point, or the geometry as text; all None for nothing.

    `kind` is the type of the attribute, such as geo:box, which says what a list of positions makes.
    """
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {"lon": None, "lat": None, "geometry": value}
    if isinstance(value, dict):
        return _from_geojson(value)
    corners = [*map(_latitude_first, to_plain_list(value))]
    if value is None or not corners or None in corners:
        written = value if isinstance(value, str | None) else json.dumps(value)
        return {"lon": None, "lat": None, "geometry": written}
    return _from_corners([corner for corner in corners if corner], kind)


def _from_geojson(value: Mapping[str, Any]) -> Where:
    match value.get("type"), value:
        case "Point", {"coordinates": None | [] | [None, None]}:
            return dict.fromkeys(COLUMNS)
        case "Point", {"coordinates": [lon, lat, *_]}:
            x, y = _degrees(lon), _degrees(lat)
            if x is not None and y is not None:
                return {"lon": x, "lat": y, "geometry": None}
        case "Feature", {"geometry": dict() as geometry}:
            return _from_geojson(geometry)
        case "Feature", _:
            return dict.fromkeys(COLUMNS)
        case "FeatureCollection", {"features": [dict() as feature]}:
            return _from_geojson(feature)
    return {"lon": None, "lat": None, "geometry": json.dumps(value)}


def _from_corners(corners: list[tuple[float, float]], kind: Any) -> Where:
    """Positions as NGSI-v2 writes them: one is a point, and without a type a list is an area if it closes."""
    if len(corners) == 1:
        return {"lon": corners[0][0], "lat": corners[0][1], "geometry": None}
    if kind == "geo:box" and len(corners) == 2:
        (west, south), (east, north) = corners
        corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    if kind in {"geo:box", "geo:polygon"} or (len(corners) > 3 and corners[0] == corners[-1]):
        ring = corners if corners[0] == corners[-1] else [*corners, corners[0]]
        shape: dict[str, object] = {"type": "Polygon", "coordinates": [ring]}
    else:
        shape = {"type": "LineString", "coordinates": corners}
    return {"lon": None, "lat": None, "geometry": json.dumps(shape)}


def _latitude_first(text: Any) -> tuple[float, float] | None:
    match = _LATITUDE_FIRST.fullmatch(text.strip()) if isinstance(text, str) else None
    return (float(match[2]), float(match[1])) if match else None


def _degrees(written: Any) -> float | None:
    try:
        value = math.nan if isinstance(written, bool) else float(written)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None
