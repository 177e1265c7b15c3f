"""GeoJSON as publishers send it, brought into one collection of features, and the reference system that it names.

A collection, one feature or geometry, one of them per line, and text sequences of RFC 8142 are all GeoJSON here; what
only resembles it is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from civitas_assets.connectors.content.sequences import is_sequence, is_whole, join_records, split_sequence
from civitas_assets.connectors.content.text_encoding import to_utf8
from civitas_assets.connectors.mapping.service_rows import (
    UNREADABLE,
    Json,
    normalise_member_names,
    read_text_start,
    replace_nan,
)
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow
from civitas_assets.records.geometry import find_epsg

_GEOMETRIES = frozenset(
    {
        *("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),
        "GeometryCollection",
    }
)


@dataclass(frozen=True)
class Collection:
    """The JSON text of the list of features, and the reference system that the file names.

    `crs` is its EPSG code; `unknown_crs` its name where nobody knows what that means. `broken` are records that
    cannot be read.
    """

    features: Json
    crs: str | None = None
    unknown_crs: str | None = None
    broken: tuple[BrokenRow, ...] = ()


_NONE = msgspec.Raw(b"")


class _Object(msgspec.Struct):
    type: Any = None
    features: msgspec.Raw = _NONE
    crs: Any = None
    geometry_type: Any = msgspec.field(name="geometryType", default=None)


def read_collection(body: bytes, members: Mapping[str, msgspec.Raw] | None = None) -> Collection:
    """The features of a file; numbers that JSON does not have, such as NaN, are null.

    `members` are those of the body, where they are known already.

    Raises:
        ReadError: it is no GeoJSON.
    """
    text = normalise_member_names(to_utf8(body))
    try:
        records, found, broken = _records(text, members if text is body else None)
        is_read = not broken
    except UNREADABLE as error:
        is_read, fault = False, error
    if not is_read:
        try:
            records, found, broken = _records(replace_nan(text))
        except UNREADABLE:
            raise ReadError(f"is not GeoJSON: {fault}") from None
    if len(found) == 1 and found[0].features != _NONE:
        features: Json = _list_of(found[0])
    else:
        parts = (_features(record, each).strip() for record, each in zip(records, found, strict=True))
        features = b"[" + b",".join(filter(None, parts)) + b"]"
    name = next(filter(None, (_named(each.crs) for each in found)), None)
    crs = None if name is None else find_epsg(f"EPSG:{name}" if name.isdigit() else name)
    return Collection(features, crs, name if crs is None else None, broken)


def to_collection_text(body: bytes, members: Mapping[str, msgspec.Raw] | None = None) -> bytes:
    """The body as one FeatureCollection, as it is where it is one.

    `members` are those of the body, where they are known already.

    Raises:
        ReadError: it is no GeoJSON, or a record of it is none.
    """
    text = normalise_member_names(to_utf8(body))
    if text is body and "features" in (members or ()):
        return text
    try:
        if _decoded(text).features != _NONE:
            return text
    except UNREADABLE:
        pass
    found = read_collection(body)
    if found.broken:  # which would be kept nowhere
        raise ReadError("has records that are no JSON")
    name = found.crs or found.unknown_crs
    crs = {} if name is None else {"crs": {"type": "name", "properties": {"name": name}}}
    return msgspec.json.encode(
        {"type": "FeatureCollection", **crs, "features": msgspec.Raw(bytes(found.features))}
    )


def _records(
    text: bytes, members: Mapping[str, msgspec.Raw] | None = None
) -> tuple[list[bytes], list[_Object], tuple[BrokenRow, ...]]:
    """The one object of a file, which may be known by its members, else those between separators or of its lines."""
    if members:
        return [text], [_of_members(members)], ()
    if not is_sequence(text):
        try:
            return [text], [_decoded(text)], ()
        except UNREADABLE:
            lines = split_sequence(text)
            if len(lines) < 2 or not is_whole(lines[0]):  # one object, in which something is wrong
                raise
    records = split_sequence(text)
    listed, broken = join_records(records)
    if listed is not None:
        records = [bytes(record) for record in msgspec.json.decode(listed, type=list[msgspec.Raw])]
    return records, [_decoded(record) for record in records], broken


def _of_members(members: Mapping[str, msgspec.Raw]) -> _Object:
    """The object that has these members."""
    plain = [msgspec.json.decode(members.get(name, b"null")) for name in ("type", "crs", "geometryType")]
    return _Object(plain[0], members.get("features", _NONE), *plain[1:])


def _decoded(record: bytes) -> _Object:
    return msgspec.json.decode(record, type=_Object)


def _features(record: bytes, found: _Object) -> bytes:
    """The features of one record, without the brackets of their list."""
    if found.features != _NONE:
        return bytes(_list_of(found)).strip()[1:-1]
    if found.type == "Feature":
        return record
    if found.type in _GEOMETRIES:
        return b'{"type":"Feature","properties":{},"geometry":' + record + b"}"
    if found.type == "Topology":
        raise ReadError("is TopoJSON, which is not read: ask its publisher for GeoJSON")
    if found.type is None:
        raise ReadError("has no features: it is not GeoJSON")
    raise ReadError(f"is {found.type!r}, and no GeoJSON with features")


def _list_of(found: _Object) -> Json:
    if read_text_start(found.features, 1) != b"[":
        raise ReadError("has features that are no list: it is not GeoJSON")
    if found.type is None and found.geometry_type is not None:
        raise ReadError("is JSON of Esri and no GeoJSON: ask its server for f=geojson")
    return found.features


def _named(crs: Any) -> str | None:
    """What files before RFC 7946 say, always with x before y; null says nothing."""
    properties = crs.get("properties") if isinstance(crs, dict) else crs
    parts = (
        [properties.get(n) for n in ("name", "href", "code")]
        if isinstance(properties, dict)
        else [properties]
    )
    return next((str(part).strip() for part in parts if part is not None and str(part).strip()), None)
