"""Where a DATEX II location is: its coordinates as well-known text, and its name.

Locations that are only given by a code of a table or by OpenLR's binary form have none here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from civitas_assets.connectors.datex2.datex2_document import Node
from civitas_assets.records.geometry import find_epsg, is_northing_first, parse_geometry_column

_DISPLAY = ("locationForDisplay", "coordinatesForDisplay")
_RINGS = ("exterior", "interior", "gmlPolygon", "gmlMultiPolygon")
_AREAS = ("gmlPolygon", "polygonMember", "polygon", "Polygon")
_POINTS = ("pointCoordinates", *_DISPLAY)
_NAMES = ("roadNumber", "roadName", "locationDescription", "alertCLocationName")

Position = tuple[str, str]


def read_display_point(location: Node) -> tuple[str | None, str | None]:
    """Longitude and latitude of the point where a map shows it, as written, if it says so."""
    for node in location.below(*_DISPLAY):
        if node.word("latitude") and node.word("longitude"):
            return node.word("longitude"), node.word("latitude")
    return None, None


def read_located_position(location: Node) -> tuple[object, object]:
    """Longitude and latitude of a point that it names, as written, else of one on its line or area."""
    points = [node for node in location.below(*_POINTS) if node.word("latitude") and node.word("longitude")]
    if points:
        return points[0].word("longitude"), points[0].word("latitude")
    shape = read_located_geometry(location)
    if shape is None:
        return read_display_point(location)
    on_it = parse_geometry_column(pl.Series([shape], dtype=pl.String), "EPSG:4326")
    if on_it.unreadable[0]:
        return shape, shape  # no number, to be found at fault
    return on_it.lon[0], on_it.lat[0]


def read_located_geometry(location: Node) -> str | None:
    """Area, line or points as well-known text, longitude first; what is no coordinate stays, to be found at fault.

    DATEX II writes latitude first; lists of GML in another reference system follow the order of its authority.
    """
    gml = _Gml.of(location)
    areas = [
        area for area in location.below(*_AREAS) if any(child.name == "exterior" for child in area.children)
    ]
    rings = [
        [ring for part in area.all("exterior", "interior") for ring in gml.lists(part)] for area in areas
    ]
    if not any(rings):
        rings = [[ring] for area in location.below("exterior") for ring in gml.lists(area)]
    if any(rings):
        shapes = [f"({', '.join(f'({_joined(ring)})' for ring in area)})" for area in rings if area]
        return gml.system + (_several("POLYGON", shapes) or "")
    within_areas = {id(node) for area in location.below(*_RINGS) for node in area.walk()}
    lines = [line for node in location.walk() if id(node) not in within_areas for line in gml.own_lists(node)]
    if any(len(line) > 1 for line in lines):
        shapes = [f"({_joined(line)})" for line in lines if len(line) > 1]
        return gml.system + (_several("LINESTRING", shapes) or "")
    shown = {id(node) for display in location.below(*_DISPLAY) for node in display.walk()}
    points = [p for line in lines for p in line]
    system = gml.system if points else ""
    shape = _several(
        "POINT", [f"({_joined([p])})" for p in dict.fromkeys(points or _points(location, shown))]
    )
    return system + shape if shape else None


def read_place_name(location: Node, language: str) -> str | None:
    """Roads and places that it names."""
    names = (node.read_localized(language) for node in location.below(*_NAMES))
    return ", ".join(dict.fromkeys(name for name in names if name)) or None


def _points(location: Node, but: set[int] | frozenset[int] = frozenset()) -> Iterator[Position]:
    for node in location.walk():
        lat, lon = node.word("latitude"), node.word("longitude")
        if lat and lon and id(node) not in but:
            yield lon, lat


@dataclass(frozen=True)
class _Gml:
    """How the lists of GML in a location are written: their system as a prefix of the text, and their order."""

    system: str
    is_east_first: bool

    @classmethod
    def of(cls, location: Node) -> _Gml:
        name = next((node.text for node in location.below("srsName") if node.text), None)
        crs = find_epsg(name) if name else None
        if crs in {None, "EPSG:4326"}:
            return cls("", bool(name and name.upper().endswith(("CRS84", "CRS:84"))))
        return cls(f"SRID={str(crs).removeprefix('EPSG:')};", not is_northing_first(str(crs)))

    def lists(self, node: Node) -> list[list[Position]]:
        """Those of the node and of all below it."""
        return [positions for each in node.walk() for positions in self.own_lists(each)]

    def own_lists(self, node: Node) -> list[list[Position]]:
        """Positions of each list that the node holds, and of its single ones as one list; the east comes first."""
        written = [child.text for child in node.all("posList") if child.text]
        singles = [child.text for child in node.all("pos") if child.text]
        size = 3 if node.word("srsDimension") == "3" else 2
        lists = []
        for numbers in (text.split() for text in [*written, *([" ".join(singles)] if singles else [])]):
            if len(numbers) % size:  # half a position cannot be dropped: nobody knows which half
                lists.append([("?", "?")] * 2)
                continue
            pairs = [(numbers[i], numbers[i + 1]) for i in range(0, len(numbers), size)]
            lists.append(pairs if self.is_east_first else [(east, north) for north, east in pairs])
        return lists


def _joined(positions: Sequence[Position]) -> str:
    return ", ".join(f"{lon} {lat}" for lon, lat in positions)


def _several(kind: str, shapes: Sequence[str]) -> str | None:
    if not shapes:
        return None
    return f"{kind} {shapes[0]}" if len(shapes) == 1 else f"MULTI{kind} ({', '.join(shapes)})"
