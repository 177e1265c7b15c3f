"""A sample OGC API Features server: roadworks as points, lines and areas, a few to a page.

Two of them have no geometry yet, and one has lasted for longer than anybody says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from civitas_assets.demo.generator import Town, make_noise

Json = dict[str, object]

COLLECTION = "baustellen"
_MOST = 10
_COUNT = 23
_WORKS = ("Leitungsbau", "Deckenerneuerung", "Vollsperrung", "Kanalbau")


def answer_features(town: Town, root: str, path: str, query: Mapping[str, str], today: date) -> Json | None:
    """What the server says to a path below its root; None where there is nothing."""
    if path in {"", "/"}:
        return {"title": f"Geodaten {town.name.title()}", "links": [_link("data", f"{root}/collections")]}
    if path == "/conformance":
        return {"conformsTo": ["http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"]}
    description: Json = {
        "id": COLLECTION,
        "title": "Baustellen",
        "links": [_link("items", f"{root}/collections/{COLLECTION}/items")],
    }
    if path == "/collections":
        return {"collections": [description], "links": []}
    if path == f"/collections/{COLLECTION}":
        return description
    if path == f"/collections/{COLLECTION}/items":
        return _page(town, f"{root}{path}", query, today)
    return None


def _page(town: Town, address: str, query: Mapping[str, str], today: date) -> Json:
    limit, offset = min(int(query.get("limit", str(_MOST))), _MOST), int(query.get("offset", "0"))
    numbers = range(_COUNT)[offset : offset + limit]
    links = [_link("self", f"{address}?limit={limit}&offset={offset}")]
    if offset + limit < _COUNT:
        links.append(_link("next", f"{address}?limit={limit}&offset={offset + limit}"))
    return {
        "type": "FeatureCollection",
        "numberMatched": _COUNT,
        "numberReturned": len(numbers),
        "features": [_works(town, number, today) for number in numbers],
        "links": links,
    }


def _works(town: Town, number: int, today: date) -> Json:
    begin = today - timedelta(days=int(60 * make_noise(town.name, "begin", number)))
    length = timedelta(days=5 + int(90 * make_noise(town.name, "length", number)))
    return {
        "type": "Feature",
        "id": f"b{number:03d}",
        "geometry": None if number % 11 == 5 else _geometry(town, number),
        "properties": {
            "strasse": f"Beispielstraße {number + 1}",
            "massnahme": _WORKS[number % len(_WORKS)],
            "beginn": f"{begin:%d.%m.%Y}",
            "ende": None if number % 9 == 4 else f"{begin + length:%d.%m.%Y}",
            "status": "in Arbeit" if begin <= today <= begin + length else "beendet",
        },
    }


def _geometry(town: Town, number: int) -> Json:
    west, south, east, north = town.box
    x = round(west + (east - west) * make_noise(town.name, "x", number), 5)
    y = round(south + (north - south) * make_noise(town.name, "y", number), 5)
    if number % 3 == 0:
        return {"type": "Point", "coordinates": [x, y]}
    if number % 3 == 1:
        return {"type": "LineString", "coordinates": [[x, y], [x + 0.001, y + 0.0005], [x + 0.002, y]]}
    ring = [[x, y], [x + 0.001, y], [x + 0.001, y + 0.001], [x, y + 0.001], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def _link(relation: str, address: str) -> Json:
    return {"rel": relation, "href": address, "type": "application/json"}
