"""Where a DATEX II location is: its coordinates as well-known text, and its name.

Locations that are only given by a code of a table or by OpenLR's binary form have none here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from civitas_assets.connectors.datex2_document import Node
from civitas_assets.connectors.rows import number

_DISPLAY = ("locationForDisplay", "coordinatesForDisplay")
_RINGS = ("exterior", "interior", "gmlPolygon", "gmlMultiPolygon")
_NAMES = ("roadNumber", "roadName", "locationDescription", "alertCLocationName")

Position = tuple[str, str]


def display_point(location: Node) -> tuple[float | None, float | None]:
    """Longitude and latitude of the point where a map shows it, if it says so."""
    for node in location.below(*_DISPLAY):
        if node.word("latitude") and node.word("longitude"):
            return number(node.word("longitude")), number(node.word("latitude"))
    return None, None


def first_point(location: Node) -> tuple[float | None, float | None]:
    """Longitude and latitude of the first point that it names."""
    found = next(((lon, lat) for lon, lat in _points(location)), (None, None))
    return number(found[0]), number(found[1])


def geometry(location: Node) -> str | None:
    """Area, line or points as well-known text, longitude first; what is no coordinate stays, to be found at fault.

    DATEX II writes latitude first.
    """
    rings = [ring for area in location.below("exterior") for ring in _lists(area)]
    if rings:
        return _several("POLYGON", [f"(({_joined(ring)}))" for ring in rings])
    within_areas = {id(node) for area in location.below(*_RINGS) for node in area.walk()}
    lines = [line for node in location.walk() if id(node) not in within_areas for line in _own_lists(node)]
    if any(len(line) > 1 for line in lines):
        return _several("LINESTRING", [f"({_joined(line)})" for line in lines if len(line) > 1])
    shown = {id(node) for display in location.below(*_DISPLAY) for node in display.walk()}
    points = [p for line in lines for p in line] or [*_points(location, shown)]
    return _several("POINT", [f"({_joined([point])})" for point in dict.fromkeys(points)])


def place_name(location: Node, language: str) -> str | None:
    """Roads and places that it names."""
    names = (node.said(language) for node in location.below(*_NAMES))
    return ", ".join(dict.fromkeys(name for name in names if name)) or None


def _points(location: Node, but: set[int] | frozenset[int] = frozenset()) -> Iterator[Position]:
    for node in location.walk():
        lat, lon = node.word("latitude"), node.word("longitude")
        if lat and lon and id(node) not in but:
            yield lon, lat


def _lists(node: Node) -> list[list[Position]]:
    return [positions for each in node.walk() for positions in _own_lists(each)]


def _own_lists(node: Node) -> list[list[Position]]:
    size = 3 if node.word("srsDimension") == "3" else 2
    lists = []
    for written in (child.text.split() for child in node.all("posList") if child.text):
        whole = len(written) % size == 0
        # Half a position cannot be dropped: nobody knows which half.
        lists.append(
            [(written[i + 1], written[i]) for i in range(0, len(written), size)]
            if whole
            else [("?", "?")] * 2
        )
    return lists


def _joined(positions: Sequence[Position]) -> str:
    return ", ".join(f"{lon} {lat}" for lon, lat in positions)


def _several(kind: str, shapes: Sequence[str]) -> str | None:
    if not shapes:
        return None
    return f"{kind} {shapes[0]}" if len(shapes) == 1 else f"MULTI{kind} ({', '.join(shapes)})"
