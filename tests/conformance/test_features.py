"""Features of GeoJSON, however a server pages them or a file frames them, are what lands, or it is told.

RFC 7946 (documents), RFC 8142 (sequences), OGC API Features 1.0 (7.15: limit, next, numberMatched).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.landing import HOST, Night, answer, land

_MAPPED = {"record_type": "place", "fields": {"place_id": "id", "name": "name"}}
NAMES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8),
    st.sampled_from(["007", "1e5", "NA", "true", "Straße 5 / Süd", '"quoted"', "a;b,c"]),
)
POINT = st.tuples(st.floats(7.01, 7.98), st.floats(51.01, 51.98)).map(
    lambda p: [round(p[0], 6), round(p[1], 6)]
)


def _square(corner: Sequence[float]) -> list[list[float]]:
    lon, lat = corner
    return [[lon, lat], [lon + 0.01, lat], [lon + 0.01, lat + 0.01], [lon, lat + 0.01], [lon, lat]]


GEOMETRIES = st.one_of(
    st.none(),
    POINT.map(lambda p: {"type": "Point", "coordinates": p}),
    POINT.map(lambda p: {"type": "Point", "coordinates": [*p, 12.5]}),
    POINT.map(lambda p: {"type": "MultiPoint", "coordinates": [p, [p[0] + 0.01, p[1] + 0.01]]}),
    POINT.map(lambda p: {"type": "LineString", "coordinates": _square(p)[:3]}),
    POINT.map(lambda p: {"type": "Polygon", "coordinates": [_square(p)]}),
    POINT.map(lambda p: {"type": "MultiPolygon", "coordinates": [[_square(p)]]}),
    POINT.map(lambda p: {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": p}]}),
    st.just({"type": "Point", "coordinates": []}),
    st.just({"type": "GeometryCollection", "geometries": []}),
)
Feature = dict[str, Any]


@st.composite
def features(draw: st.DrawFn) -> list[Feature]:
    """Features whose ids are all numbers, all texts, or both."""
    ids = draw(
        st.lists(
            st.one_of(st.integers(0, 2**53), st.integers(0, 999).map("k{}".format)),
            max_size=11,
            unique_by=str,
        )
    )
    return [
        {
            "type": "Feature",
            **draw(st.sampled_from([{"id": key}, {}])),
            "geometry": draw(GEOMETRIES),
            "properties": {"id": key, "name": draw(NAMES), **draw(st.sampled_from([{}, {"more": None}]))},
        }
        for key in ids
    ]


def _check(night: Night, found: Sequence[Feature]) -> None:
    landed = {
        key: (name, lon, lat) for key, name, lon, lat in night.rows("place", "place_id", "name", "lon", "lat")
    }
    wanted = {str(f["properties"]["id"]): f for f in found}
    assert {key: name for key, (name, _, _) in landed.items()} == {
        key: f["properties"]["name"] for key, f in wanted.items()
    }, night.told
    for key, (_, lon, lat) in landed.items():
        west, south, east, north = _extent(wanted[key]["geometry"])
        if west is None:
            assert (lon, lat) == (None, None), (key, night.told)
        else:
            assert west - 1e-9 <= lon <= east + 1e-9, (key, lon, night.told)
            assert south - 1e-9 <= lat <= north + 1e-9, (key, lat, night.told)


def _extent(geometry: Mapping[str, Any] | None) -> tuple[Any, Any, Any, Any]:
    points: list[Sequence[float]] = []

    def collect(part: Any) -> None:
        if isinstance(part, list) and part and isinstance(part[0], float):
            points.append(part)
        elif isinstance(part, list):
            for inner in part:
                collect(inner)

    for shape in (geometry or {}).get("geometries", [geometry or {}]):
        collect(shape.get("coordinates", []))
    if not points:
        return None, None, None, None
    lons, lats = [p[0] for p in points], [p[1] for p in points]
    return min(lons), min(lats), max(lons), max(lats)


def _document(found: Sequence[Feature]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": found}).encode()


def _lines(found: Sequence[Feature]) -> bytes:
    return "".join(json.dumps(feature) + "\n" for feature in found).encode()


def _sequence(found: Sequence[Feature]) -> bytes:
    return "".join("\x1e" + json.dumps(feature) + "\n" for feature in found).encode()


def _marked(found: Sequence[Feature]) -> bytes:
    return (
        b"\xef\xbb\xbf"
        + json.dumps({"type": "FeatureCollection", "features": found}, ensure_ascii=False).encode()
    )


FRAMES = st.sampled_from([_document, _lines, _sequence, _marked])


@settings(settings.get_profile("conformance"))
@given(features().filter(bool), FRAMES)
def test_features_of_a_file_land(found: list[Feature], frame: Any) -> None:
    body = frame(found)
    night = land(
        {"connector": "geojson", "url": f"{HOST}/places", **_MAPPED},
        lambda _: httpx2.Response(200, content=body),
    )
    _check(night, found)


@dataclass(frozen=True)
class Items:
    """A collection of an OGC API: a ceiling, links of some form or none, a total or none."""

    features: Sequence[Feature]
    ceiling: int
    links: str
    matched: bool
    returned: bool
    empty_last: bool

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/items"):
            return answer({"code": "NotFound", "description": "no such resource"}, status=404)
        asked = request.url.params
        offset, size = int(asked.get("offset", "0")), min(int(asked.get("limit", "10")), self.ceiling)
        page = self.features[offset : offset + size]
        found: dict[str, Any] = {"type": "FeatureCollection", "features": list(page), "links": []}
        if self.matched:
            found["numberMatched"] = len(self.features)
        if self.returned:
            found["numberReturned"] = len(page)
        left = len(self.features) - offset - size
        if self.links != "none" and (left > 0 or (left == 0 and self.empty_last)):
            url = f"/collections/places/items?f=json&limit={size}&offset={offset + size}"
            href = url if self.links == "relative" else f"{HOST}{url}"
            found["links"].append({"rel": "next", "type": "application/geo+json", "href": href})
        return answer(found)


LINKS = st.sampled_from(["absolute", "relative", "none"])


@settings(settings.get_profile("conformance"))
@given(features().filter(bool), st.integers(1, 4), LINKS, st.booleans(), st.booleans(), st.booleans())
def test_features_of_a_collection_land_however_it_is_paged(  # noqa: PLR0917 - one for each way to page
    found: list[Feature], ceiling: int, links: str, matched: bool, returned: bool, empty_last: bool
) -> None:
    service = Items(found, ceiling, links, matched, returned, empty_last)
    night = land({"connector": "ogc_features", "url": HOST, "collection": "places", **_MAPPED}, service)
    _check(night, found)
