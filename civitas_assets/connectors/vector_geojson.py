"""GeoJSON as features: every property is an attribute, and what is nested in one is its text.

The connector `geojson`, for paths into properties, reads on its own.
"""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from civitas_assets.connectors.paths import series
from civitas_assets.connectors.rows import UNREADABLE
from civitas_assets.connectors.text import to_utf8
from civitas_assets.connectors.vector import Features
from civitas_assets.errors import ReadError
from civitas_assets.records.geometry import epsg_of

_NOTHING = msgspec.Raw(b"null")


class _Feature(msgspec.Struct, gc=False):
    id: str | int | float | None = None
    geometry: msgspec.Raw = _NOTHING
    properties: dict[str, Any] | None = None


class _Collection(msgspec.Struct):
    features: list[_Feature]
    crs: Any = None


def geojson(body: bytes) -> Features:
    """The features of a collection.

    Raises:
        ReadError: it is no FeatureCollection.
    """
    try:
        collection = msgspec.json.decode(to_utf8(body), type=_Collection)
    except UNREADABLE as error:
        raise ReadError(f"is no GeoJSON FeatureCollection: {error}") from None
    found = collection.features
    properties = [feature.properties or {} for feature in found]
    names = dict.fromkeys(name for each in properties for name in each)
    shapes = [None if f.geometry == _NOTHING else bytes(f.geometry).decode() for f in found]
    ids = series("id", [feature.id for feature in found])
    return Features(
        attributes=pl.DataFrame(height=len(found)).with_columns(
            series(name, [each.get(name) for each in properties]) for name in names
        ),
        geometry=pl.Series("geometry", shapes, pl.String),
        ids=None if found and ids.null_count() == len(ids) else ids,
        crs=_declared(collection.crs),
        usual="EPSG:4326",
    )


def _declared(crs: Any) -> str | None:
    """What files before RFC 7946 say, always with x before y."""
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return epsg_of(name) if isinstance(name, str) else None
