"""A sample DATEX II publisher, version 2: a table of car parks, and how full they are.

Namespace prefixes are those of one real publisher; others choose other ones.
"""

from __future__ import annotations

from datetime import date, datetime
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from civitas_assets.demo.generator import ZONE, SampleSite, Town, make_parking_status

_NAMESPACE = "http://datex2.eu/schema/2/2_0"
_LAYOUT = {"Parkhaus": "multiStorey", "Tiefgarage": "underground", "Parkplatz": "openSpace"}

register_namespace("d2", _NAMESPACE)


def build_parking_table(town: Town) -> bytes:
    """Where the car parks are, and how many cars they take."""
    model, publication = _publication("parkingTablePublication")
    parking = _sub(publication, "parkingTable", id=f"{town.name}-table", version="1")
    for site in town.sites:
        _record(parking, site)
    return _written(model)


def build_parking_status(town: Town, today: date) -> bytes:
    """How full they were a quarter of an hour before the last midnight."""
    model, publication = _publication("parkingStatusPublication")
    for state in make_parking_status(town, today):
        updated = datetime.fromisoformat(str(state["updated"])).replace(tzinfo=ZONE)
        record = _sub(publication, "parkingRecordStatus")
        _sub(record, "parkingRecordReference", id=str(state["id"]), version="1")
        _sub(record, "parkingStatusOriginTime", updated.isoformat())
        occupancy = _sub(record, "parkingOccupancy")
        _sub(occupancy, "parkingNumberOfVacantSpaces", str(state["free"]))
        _sub(record, "parkingSiteOpeningStatus", "open" if state["status"] == "geöffnet" else "closed")
    return _written(model)


def _publication(name: str) -> tuple[Element, Element]:
    model = Element(f"{{{_NAMESPACE}}}d2LogicalModel", {"modelBaseVersion": "2"})
    payload = _sub(model, "payloadPublication", lang="de")
    _sub(payload, "genericPublicationName", name)
    extension = _sub(payload, "genericPublicationExtension")
    return model, _sub(extension, name)


def _record(parent: Element, site: SampleSite) -> None:
    record = _sub(parent, "parkingRecord", id=site.key, version="1")
    values = _sub(_sub(record, "parkingName"), "values")
    _sub(values, "value", site.name, lang="de")
    _sub(record, "parkingNumberOfSpaces", str(site.capacity))
    point = _sub(_sub(_sub(record, "parkingLocation"), "pointByCoordinates"), "pointCoordinates")
    _sub(point, "latitude", str(site.lat))
    _sub(point, "longitude", str(site.lon))
    _sub(record, "parkingLayout", _LAYOUT[site.kind])


def _sub(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    element = SubElement(parent, f"{{{_NAMESPACE}}}{name}", attributes)
    element.text = text
    return element


def _written(model: Element) -> bytes:
    written: bytes = tostring(model, encoding="utf-8", xml_declaration=True)
    return written
