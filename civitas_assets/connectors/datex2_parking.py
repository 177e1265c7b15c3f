"""Parking of DATEX II, version 2, with either of its parking extensions: car parks and how full they are.

Both extensions name the same things differently, under prefixes that vary.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from civitas_assets.connectors.datex2_document import local_name, trusted_xml
from civitas_assets.connectors.rows import number, table
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

_SITE = ("site_id", "name", "site_type", "site_type_native", "capacity", "lon", "lat")
_STATUS = (
    "site_id",
    "observed_at",
    "free",
    "occupied",
    "capacity",
    "opening_status",
    "opening_status_native",
)
_LAYOUTS = {
    "multiStorey": "car_park",
    "underground": "underground",
    "undergroundParking": "underground",
    "singleLevel": "off_street",
    "openSpace": "off_street",
    "onStreetParking": "on_street",
    "offStreetParking": "off_street",
    "parkAndRide": "park_and_ride",
}
_OPENING = {
    "open": "open",
    "closed": "closed",
    "closedAbnormal": "closed",
    "full": "open",
    "almostFull": "open",
}
# The same things under the names of the two parking extensions that are in use.
_RECORDS = ("parkingRecord", "parkingFacility")
_STATES = ("parkingRecordStatus", "parkingFacilityStatus")
_CAPACITY = ("parkingNumberOfSpaces", "totalParkingCapacity")
_VACANT = ("parkingNumberOfVacantSpaces", "totalNumberOfVacantParkingSpaces")
_OCCUPIED = ("parkingNumberOfOccupiedSpaces", "totalNumberOfOccupiedParkingSpaces")
_OVERRIDE = (
    "parkingNumberOfSpacesOverride",
    "totalParkingCapacityOverride",
    "totalParkingCapacityShortTermOverride",
)
_TIMES = ("parkingStatusOriginTime", "parkingFacilityStatusTime")
_OPEN = ("parkingSiteOpeningStatus", "parkingFacilityStatus")

Row = dict[str, object]


def parking_tables(body: bytes) -> Iterator[RawTable]:
    """Sites, status, or both; whatever prefix their elements have.

    Raises:
        ReadError: it is no publication of parking.
    """
    root = trusted_xml(body)
    if local_name(root) != "d2LogicalModel":
        raise ReadError(f"is {local_name(root)}, not the d2LogicalModel of DATEX II, version 2")
    published = next((e.text for e in root.iter() if local_name(e) == "publicationTime"), None)
    sites = [_site(e) for e in root.iter() if local_name(e) in _RECORDS and e.get("id")]
    # The name of the older extension's status is also that of a text within it.
    states = [_status(e, published) for e in root.iter() if local_name(e) in _STATES and len(e)]
    if not sites and not states:
        raise ReadError("holds neither a parking table nor a parking status")
    if sites:
        yield table("parking_site", sites, _SITE)
    if states:
        yield table("parking_status", states, _STATUS)


def _site(record: Element) -> Row:
    kinds = [*_texts(record, "parkingLayout"), *_texts(record, "urbanParkingSiteType")]
    return {
        "site_id": record.get("id"),
        "name": _value(record, ("parkingName", "parkingFacilityName")),
        "site_type": next((_LAYOUTS[kind] for kind in kinds if kind in _LAYOUTS), "other" if kinds else None),
        "site_type_native": ", ".join(kinds) or None,
        "capacity": _text(record, _CAPACITY),
        "lon": number(_text(record, ("longitude",))),
        "lat": number(_text(record, ("latitude",))),
    }


def _status(state: Element, published: str | None) -> Row:
    reference = next((e for e in state.iter() if local_name(e).endswith("Reference") and e.get("id")), None)
    opening = _text(state, _OPEN)
    return {
        "site_id": None if reference is None else reference.get("id"),
        "observed_at": _text(state, _TIMES) or published,
        "free": _text(state, _VACANT),
        "occupied": _text(state, _OCCUPIED),
        "capacity": _text(state, _OVERRIDE),
        "opening_status": None if opening is None else _OPENING.get(opening, "unknown"),
        "opening_status_native": opening,
    }


def _texts(element: Element, *names: str) -> list[str]:
    """Texts of all elements of these names that hold text alone, in order."""
    found = (e for e in element.iter() if e is not element and local_name(e) in names and not len(e))
    return [text for e in found if (text := (e.text or "").strip())]


def _text(element: Element, names: tuple[str, ...]) -> str | None:
    return next(iter(_texts(element, *names)), None)


def _value(element: Element, names: tuple[str, ...]) -> str | None:
    """The first of the texts, of several languages, below an element."""
    holder = next((e for e in element.iter() if local_name(e) in names), None)
    if holder is None:
        return None
    return (holder.text or "").strip() or _text(holder, ("value",))
