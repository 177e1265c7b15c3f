"""JSON as samples: records somewhere in a document, in lines, or as GeoJSON, and what is said beside them.

Documents of standards that need no mapping are recognised before, in `standards.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from civitas_assets.connectors.http_reason import stated_reason
from civitas_assets.errors import ReadError
from civitas_assets.propose.columns import Column
from civitas_assets.propose.paging import paging
from civitas_assets.propose.sample import (
    DEEPEST,
    FEATURE_ID,
    KEY,
    MOST_RECORDS,
    Sample,
    columns_of,
    first_point,
    flat_members,
    quoted,
    shown,
)
from civitas_assets.records.geometry import epsg_of

_ERRORS = {"error", "errors", "exception", "fault", "message"}  # members of a document that reports one


def json_sample(content: Any) -> Sample:
    """A document, or the list of those that were its lines.

    Raises:
        ReadError: it holds no records.
    """
    if is_geojson(content):
        return geojson_sample(content)
    found = sorted(_records(content, "", 0), key=lambda item: -len(msgspec.json.encode(item[1])))
    if (
        not found
        and isinstance(content, dict)
        and not _ERRORS & {*content}
        and (columns := columns_of([content]))
    ):
        return Sample("json", {"records": "[@]"}, columns, 1, remarks=["the document is one record"])
    if not found:
        raise ReadError(f"holds no list of records{_instead(content)}")
    path, records, keys = found[0]
    columns = columns_of(records[:MOST_RECORDS])
    if keys:
        columns = [Column(KEY, tuple(keys[: len(records[:MOST_RECORDS])])), *columns]
    if not columns:
        raise ReadError(f"has records at {path or 'its top level'} that hold nothing but lists")
    outside = [] if not isinstance(content, dict) or not path else _outside(content, path)
    reached = {"records": "[@]", "nested": [path]}
    others = [
        other for other, _, _ in found[1:] if len(msgspec.json.encode(_)) and not other.startswith(path)
    ]
    remarks = [f"there are more lists in it: {shown(others)}"] if others else []
    pages, said = paging(content, len(records))
    return Sample(
        "json", {"records": path or "@", **pages}, columns, len(records),
        outside=outside, reached=reached if outside else {}, remarks=[*remarks, *said],
    )  # fmt: skip


def is_geojson(content: Any) -> bool:
    """Whether it is a collection of features."""
    if not isinstance(content, dict) or not isinstance(content.get("features"), list):
        return False
    features = content["features"]
    return content.get("type") == "FeatureCollection" or any(
        isinstance(feature, dict) and "properties" in feature for feature in features
    )


def geojson_sample(content: Mapping[str, Any]) -> Sample:
    """A collection of features.

    Raises:
        ReadError: it has none.
    """
    features = [feature for feature in content["features"][:MOST_RECORDS] if isinstance(feature, dict)]
    if not features:
        raise ReadError("is GeoJSON without a feature: nothing can be seen of its properties")
    properties = [p if isinstance(p := feature.get("properties"), dict) else {} for feature in features]
    geometries = [g for feature in features if isinstance(g := feature.get("geometry"), dict)]
    points = [point for geometry in geometries if (point := first_point(geometry.get("coordinates")))]
    ids = [feature.get("id") for feature in features]
    columns = columns_of(properties)
    # What some servers make up anew for each answer begins so.
    if all(isinstance(value, str | int | float) and "fid-" not in str(value) for value in ids):
        columns.append(Column(FEATURE_ID, tuple(ids)))
    named = content.get("crs")
    name = (named.get("properties") or {}).get("name") if isinstance(named, dict) else None
    pages, said = paging(content, len(content["features"]))
    return Sample(
        "geojson", pages, columns, len(features), points,
        frozenset(str(geometry.get("type")) for geometry in geometries),
        epsg_of(name) if isinstance(name, str) else None,
        outside=_outside(content, "features"), remarks=said,
    )  # fmt: skip


def _records(content: Any, path: str, depth: int) -> Iterator[tuple[str, list[Any], list[str]]]:
    """Path, records and, where these stand in an object, their names; of each list or object of objects."""
    if isinstance(content, list):
        if content and all(isinstance(item, dict) for item in content):
            yield path, content, []
    elif isinstance(content, dict) and depth < DEEPEST:
        if _is_keyed(content):
            yield path or "@", [*content.values()], [*content]
            return
        for name, member in content.items():
            yield from _records(member, f"{path}.{quoted(name)}" if path else quoted(name), depth + 1)


def _is_keyed(content: Mapping[str, Any]) -> bool:
    """Whether the members are records of one kind, whose names tell them apart."""
    members = [*content.values()]
    if len(members) < 2 or not all(isinstance(member, dict) and member for member in members):
        return False
    shared = {*members[0]}.intersection(*members[1:])
    plain = [name for name in shared if not isinstance(members[0][name], dict | list)]
    return len(plain) > 1 and 2 * len(shared) >= max(map(len, members))


def _outside(content: Mapping[str, Any], path: str) -> list[Column]:
    """What the top of the document says beside the list at the path, under the path from a record in it."""
    members = {name: value for name, value in content.items() if quoted(name) != path.partition(".")[0]}
    return [Column(f"^.{name}", (value,)) for name, value in flat_members(members) if value is not None]


def _instead(content: Any) -> str:
    """What a document without records has, for a sentence."""
    if isinstance(content, dict):
        said = stated_reason(msgspec.json.encode(content)) if _ERRORS & {*content} else ""
        return f"; it says {said!r}" if said else f"; it has {shown(content) or 'no member'}"
    if isinstance(content, list):
        kinds: Sequence[str] = sorted({type(item).__name__ for item in content})
        return f"; its elements are {shown(kinds)}" if kinds else ", but an empty list"
    return f", but {str(content)[:40]!r}"
