"""KML as features: placemarks with what they say about themselves, their extended data and their folder.

Links to other files, images, models and tracks are not read, which a note tells; styles are left aside. Nothing is
fetched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

import polars as pl

from civitas_assets.catalog.frame import DEFAULT_FRAME, Frame
from civitas_assets.connectors.content.extent import check_extent
from civitas_assets.connectors.content.trusted_xml import XML_FAULTS, read_xml_events
from civitas_assets.connectors.vector.vector import Features
from civitas_assets.errors import Note, ReadError

_OWN = {"name", "description", "address", "phoneNumber", "when", "begin", "end"}
_TIMES = {"TimeStamp", "TimeSpan"}
_SHAPES = {"Point", "LineString", "LinearRing", "Polygon", "MultiGeometry"}
_UNREAD = {"NetworkLink", "GroundOverlay", "Track", "MultiTrack", "Model"}
_COMMA = re.compile(r"\s*,\s*")


def read_kml(body: bytes, frame: Frame = DEFAULT_FRAME) -> Features:
    """The placemarks of all folders, of a document whose outline is known.

    The attribute `folder` has the names of the folders that each is in.

    Raises:
        ReadError: it is nothing that can be trusted, only links to other files, or is more than the frame lets be.
    """
    unread = Counter[str]()
    try:
        found = [*_placemarks(body, unread)]
    except XML_FAULTS as error:
        raise ReadError(f"is no XML that can be trusted: {str(error) or type(error).__name__}") from None
    if unread["NetworkLink"] and not found:
        raise ReadError(
            "has no placemarks of its own, but links to other files: set url to one that it names"
        )
    told = ", ".join(f"{number} {name}" for name, number in sorted(unread.items()))
    names = dict.fromkeys(name for _, attributes, _ in found for name in attributes)
    check_extent(frame, len(found), len(names))
    ids = pl.Series("id", [key for key, _, _ in found], pl.String)
    return Features(
        attributes=pl.DataFrame(height=len(found)).with_columns(
            pl.Series(name, [row.get(name) for _, row, _ in found], pl.String) for name in names
        ),
        geometry=pl.Series("geometry", [shape for _, _, shape in found], pl.String),
        ids=None if found and ids.null_count() == len(ids) else ids,
        crs="EPSG:4326",
        notes=(Note("unread_elements", f"of KML are not read: {told}"),) if told else (),
    )


def _placemarks(body: bytes, unread: Counter[str]) -> Iterator[tuple[str | None, dict[str, str], str | None]]:
    """Id, attributes and geometry of each, as the document passes, which counts what is not read."""
    path, folders = list[str](), list[str]()
    for event, element in read_xml_events(body):
        name = _name(element)
        if event == "start":
            path.append(name)
            if name == "Folder":
                folders.append("")
            continue
        path.pop()
        if name == "name" and path[-1:] == ["Folder"]:
            folders[-1] = _text(element)
        elif name == "Placemark":
            named = " / ".join(filter(None, folders))
            attributes = {**({"folder": named} if named else {}), **_attributes(element)}
            shape = next((_wkt(child) for child in element if _name(child) in _SHAPES), None)
            yield element.get("id"), attributes, shape
            element.clear()
        elif name in _UNREAD:
            unread[name] += 1
        elif name == "Folder":
            folders.pop()
            element.clear()


def _attributes(placemark: Element) -> dict[str, str]:
    """What the placemark says itself goes before extended data of the same name."""
    own = [*placemark, *(e for child in placemark if _name(child) in _TIMES for e in child)]
    attributes = {_name(e): _text(e) for e in own if _name(e) in _OWN}
    for element in placemark.iter():
        name = element.get("name")
        if name is None or _name(element) not in {"Data", "SimpleData"}:
            continue
        texts = [element] if _name(element) == "SimpleData" else [e for e in element if _name(e) == "value"]
        if not attributes.get(name):
            attributes[name] = "".join(map(_text, texts[:1]))
    return attributes


def _wkt(shape: Element) -> str | None:
    """The geometry as text; what is wrong in its numbers shows when the text is read."""
    name = _name(shape)
    if name == "MultiGeometry":
        parts = [text for child in shape if _name(child) in _SHAPES and (text := _wkt(child))]
        return f"GEOMETRYCOLLECTION ({', '.join(parts)})" if parts else None
    if name == "Polygon":
        rings = [_positions(ring) for ring in shape.iter() if _name(ring) == "LinearRing"]
        return f"POLYGON ({', '.join(f'({ring})' for ring in rings)})" if any(rings) else None
    positions = _positions(shape)
    kind = "POINT" if name == "Point" else "LINESTRING"
    return f"{kind} ({positions})" if positions else None


def _positions(shape: Element) -> str:
    """Positions as WKT has them, without heights."""
    text = next((_text(e) for e in shape.iter() if _name(e) == "coordinates"), "")
    return ", ".join(_plane(position.split(",")) for position in _COMMA.sub(",", text).split())


def _plane(numbers: Sequence[str]) -> str:
    return " ".join(numbers[:2])


def _name(element: Element) -> str:
    """The name without its namespace."""
    return element.tag.rpartition("}")[2]


def _text(element: Element) -> str:
    return (element.text or "").strip()
