"""GeoJSON as features: every property is an attribute, and what is nested in one is its text.

The connector `geojson`, for paths into properties, reads on its own.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import msgspec
import polars as pl

from civitas_assets.connectors.geojson_text import read_collection
from civitas_assets.connectors.paths import series
from civitas_assets.connectors.rows import UNREADABLE
from civitas_assets.connectors.vector import Features
from civitas_assets.errors import ReadError

_NOTHING = msgspec.Raw(b"null")


class _Feature(msgspec.Struct, gc=False):
    id: str | int | float | None = None
    geometry: msgspec.Raw = _NOTHING
    properties: Any = None


def geojson(body: bytes) -> Features:
    """The features of a file.

    Raises:
        ReadError: it is no GeoJSON.
    """
    collection = read_collection(body)
    if collection.broken:
        raise ReadError(f"is not GeoJSON: record {collection.broken[0].row} is no JSON")
    try:
        found = msgspec.json.decode(collection.features, type=list[_Feature])
    except UNREADABLE as error:
        raise ReadError(f"is no GeoJSON FeatureCollection: {error}") from None
    # Some programs write an empty list where there are no properties.
    properties = [each.properties if isinstance(each.properties, dict) else {} for each in found]
    names = dict.fromkeys(chain.from_iterable(properties))
    shapes = [None if f.geometry == _NOTHING else bytes(f.geometry).decode() for f in found]
    ids = series("id", [feature.id for feature in found])
    return Features(
        attributes=pl.DataFrame(height=len(found)).with_columns(
            series(name, [each.get(name) for each in properties]) for name in names
        ),
        geometry=pl.Series("geometry", shapes, pl.String),
        ids=None if found and ids.null_count() == len(ids) else ids,
        crs=collection.crs,
        usual=None if collection.unknown_crs else "EPSG:4326",
        unknown_crs=collection.unknown_crs,
    )
