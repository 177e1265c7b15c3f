"""JSON as samples: records somewhere in a document, in lines, or as GeoJSON, and what is said beside them.

Documents of standards that need no mapping are recognised before, in `standards.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from civitas_assets.connectors.transport.http_reason import extract_reason
from civitas_assets.errors import ReadError
from civitas_assets.propose.paging import propose_paging
from civitas_assets.propose.sample import (
    DEEPEST,
    FEATURE_ID,
    KEY,
    MOST_RECORDS,
    Sample,
    build_columns,
    find_first_point,
    list_flat_members,
    quote_jmespath,
    shorten_names,
)
from civitas_assets.propose.sample_columns import SampleColumn
from civitas_assets.records.geometry import find_epsg

_ERRORS = {"error", "errors", "exception", "fault", "message"}  # members of a document that reports one


def read_json_sample(content: Any) -> Sample:
    """A document, or the list of those that were its lines.

    Raises:
        ReadError: it holds no records.
    """
    if is_geojson(content):
        return read_geojson_sample(content)
    found = sorted(_records(content, "", 0), key=lambda item: -len(msgspec.json.encode(item[1])))
    if (
        not found
        and isinstance(content, dict)
        and not _ERRORS & {*content}
        and (columns := build_columns([content]))
    ):
        return Sample("json", {"records": "[@]"}, columns, 1, remarks=["the document is one record"])
    if not found:
        raise ReadError(f"holds no list of records{_instead(content)}")
    path, records, keys = found[0]
    columns = build_columns(records[:MOST_RECORDS])
    if keys:
        columns = [SampleColumn(KEY, tuple(keys[: len(records[:MOST_RECORDS])])), *columns]
    if not columns:
        raise ReadError(f"has records at {path or 'its top level'} that hold nothing but lists")
    outside = [] if not isinstance(content, dict) or not path else _outside(content, path)
    reached = {"records": "[@]", "nested": [path]}
    others = [
        other for other, _, _ in found[1:] if len(msgspec.json.encode(_)) and not other.startswith(path)
    ]
    remarks = [f"there are more lists in it: {shorten_names(others)}"] if others else []
    pages, said = propose_paging(content, len(records))
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


def read_geojson_sample(content: Mapping[str, Any]) -> Sample:
    """A collection of features.

    Raises:
        ReadError: it has none.
    """
    features = [feature for feature in content["features"][:MOST_RECORDS] if isinstance(feature, dict)]
    if not features:
        raise ReadError("is GeoJSON without a feature: nothing can be seen of its properties")
    properties = [p if isinstance(p := feature.get("properties"), dict) else {} for feature in features]
    geometries = [g for feature in features if isinstance(g := feature.get("geometry"), dict)]
    points = [point for geometry in geometries if (point := find_first_point(geometry.get("coordinates")))]
    ids = [feature.get("id") for feature in features]
    columns = build_columns(properties)
    # What some servers make up anew for each answer begins so.
    if all(isinstance(value, str | int | float) and "fid-" not in str(value) for value in ids):
        columns.append(SampleColumn(FEATURE_ID, tuple(ids)))
    named = content.get("crs")
    name = (named.get("properties") or {}).get("name") if isinstance(named, dict) else None
    pages, said = propose_paging(content, len(content["features"]))
    return Sample(
        "geojson", pages, columns, len(features), points,
        frozenset(str(geometry.get("type")) for geometry in geometries),
        find_epsg(name) if isinstance(name, str) else None,
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
            yield from _records(
                member, f"{path}.{quote_jmespath(name)}" if path else quote_jmespath(name), depth + 1
            )


def _is_keyed(content: Mapping[str, Any]) -> bool:
    """Whether the members are records of one kind, whose names tell them apart."""
    members = [*content.values()]
    if len(members) < 2 or not all(isinstance(member, dict) and member for member in members):
        return False
    shared = {*members[0]}.intersection(*members[1:])
    plain = [name for name in shared if not isinstance(members[0][name], dict | list)]
    return len(plain) > 1 and 2 * len(shared) >= max(map(len, members))


def _outside(content: Mapping[str, Any], path: str) -> list[SampleColumn]:
    """What the top of the document says beside the list at the path, under the path from a record in it."""
    members = {
        name: value for name, value in content.items() if quote_jmespath(name) != path.partition(".")[0]
    }
    return [
        SampleColumn(f"^.{name}", (value,)) for name, value in list_flat_members(members) if value is not None
    ]


def _instead(content: Any) -> str:
    """What a document without records has, for a sentence."""
    if isinstance(content, dict):
        said = extract_reason(msgspec.json.encode(content)) if _ERRORS & {*content} else ""
        return f"; it says {said!r}" if said else f"; it has {shorten_names(content) or 'no member'}"
    if isinstance(content, list):
        kinds: Sequence[str] = sorted({type(item).__name__ for item in content})
        return f"; its elements are {shorten_names(kinds)}" if kinds else ", but an empty list"
    return f", but {str(content)[:40]!r}"
