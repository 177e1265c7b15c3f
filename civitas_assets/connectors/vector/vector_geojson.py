"""GeoJSON as features: every property is an attribute, and what is nested in one is its text.

The connector `geojson`, for paths into properties, reads on its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec
import polars as pl

from civitas_assets.catalog.frame import DEFAULT_FRAME, Frame
from civitas_assets.connectors.content.extent import check_extent
from civitas_assets.connectors.content.geojson_text import read_collection
from civitas_assets.connectors.mapping.paths import to_series
from civitas_assets.connectors.mapping.record_sample import read_first_records
from civitas_assets.connectors.mapping.service_rows import UNREADABLE, Json
from civitas_assets.connectors.vector.vector import Features
from civitas_assets.errors import ReadError

_NOTHING = msgspec.Raw(b"null")


class _Feature(msgspec.Struct, gc=False):
    id: str | int | float | None = None
    geometry: msgspec.Raw = _NOTHING
    properties: Any = None


def read_geojson(
    body: bytes,
    members: Mapping[str, msgspec.Raw] | None = None,
    wanted: Collection[str] | None = None,
    frame: Frame = DEFAULT_FRAME,
) -> Features:
    """The features of a file; `members` are those of the body, where they are known already.

    Of attributes that are not `wanted` there may be the names alone; None wants all of them.

    Raises:
        ReadError: it is no GeoJSON, or more than the frame lets be.
    """
    collection = read_collection(body, members)
    if collection.broken:
        raise ReadError(f"is not GeoJSON: record {collection.broken[0].row} is no JSON")
    found, attributes = _alike(collection.features, wanted) or _different(collection.features, frame)
    shapes = [None if f.geometry == _NOTHING else bytes(f.geometry).decode() for f in found]
    ids = to_series("id", [feature.id for feature in found])
    return Features(
        attributes=pl.DataFrame(height=len(found)).with_columns(attributes),
        geometry=pl.Series("geometry", shapes, pl.String),
        ids=None if found and ids.null_count() == len(ids) else ids,
        crs=collection.crs,
        usual=None if collection.unknown_crs else "EPSG:4326",
        unknown_crs=collection.unknown_crs,
    )


def _alike(
    features: Json, wanted: Collection[str] | None
) -> tuple[Sequence[_Feature], Iterable[pl.Series]] | None:
    """Features that have no other attributes than the first ones, and their attributes; None where some have."""
    try:
        sample = [record.get("properties") for record in read_first_records(features)]
        names = [*dict.fromkeys(chain.from_iterable(each for each in sample if isinstance(each, dict)))]
        fields = {f"f{number}": name for number, name in enumerate(names)}
        needed = {field for field, name in fields.items() if wanted is None or name in wanted}
        properties = msgspec.defstruct(
            "Properties",
            [(field, Any if field in needed else msgspec.Raw, None) for field in fields],
            rename=fields,
            forbid_unknown_fields=True,
            gc=False,
        )
        # Some programs write an empty list where there are no properties.
        kind = msgspec.defstruct(
            "Feature", [("properties", properties | list[Any] | None, None)], bases=(_Feature,), gc=False
        )
        found: Any = msgspec.json.decode(features, type=list[kind])  # type: ignore[valid-type]
    except (*UNREADABLE, AttributeError):
        return None
    nothing = properties()
    given = [each.properties if isinstance(each.properties, properties) else nothing for each in found]
    return found, (
        to_series(name, [*map(attrgetter(field), given)])
        if field in needed
        else pl.Series(name, [None]).new_from_index(0, len(given))
        for field, name in fields.items()
    )


def _different(features: Json, frame: Frame) -> tuple[Sequence[_Feature], Iterable[pl.Series]]:
    """Features with any attributes."""
    try:
        found = msgspec.json.decode(features, type=list[_Feature])
    except UNREADABLE as error:
        raise ReadError(f"is no GeoJSON FeatureCollection: {error}") from None
    properties = [each.properties if isinstance(each.properties, dict) else {} for each in found]
    names = dict.fromkeys(chain.from_iterable(properties))
    check_extent(frame, len(found), len(names))
    return found, (to_series(name, [each.get(name) for each in properties]) for name in names)
