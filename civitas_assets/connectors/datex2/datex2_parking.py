"""Parking of DATEX II, of version 3 and of both extensions of version 2: car parks, and how full they are.

The extensions name the same things differently. What a car park says itself counts, never what one of its groups of
spaces, entrances or thresholds says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from civitas_assets.connectors.datex2.datex2_document import (
    Node,
    list_unread_elements,
    note_exercises,
    parse_document,
)
from civitas_assets.connectors.datex2.datex2_location import read_located_position
from civitas_assets.connectors.mapping.service_rows import build_raw_table, parse_number
from civitas_assets.errors import ReadError
from civitas_assets.records import Note, RawTable

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
    "openWithServiceLimitation": "open",
    "closed": "closed",
    "closedAbnormal": "closed",
    "closedOnHoliday": "closed",
    "closedOnMaintenance": "closed",
    "temporarilyClosed": "closed",
    "full": "open",
    "almostFull": "open",
}
# The same things under the names of the two parking extensions that are in use, and of version 3.
_RECORDS = ("parkingRecord", "parkingFacility")
_STATES = ("parkingRecordStatus", "parkingFacilityStatus", "parkingStatusInformation")
_NAMES = ("parkingName", "parkingFacilityName")
_KINDS = ("parkingLayout", "parkingFacilityLayout", "urbanParkingSiteType")
_PLACES = ("parkingLocation", "facilityLocation", "entranceLocation", "parkingAccess")
_CAPACITY = ("parkingNumberOfSpaces", "totalParkingCapacity")
_OCCUPANCY = ("parkingOccupancy", "occupancy")
_VACANT = ("parkingNumberOfVacantSpaces", "totalNumberOfVacantParkingSpaces", "numberOfVacantSpaces")
_OCCUPIED = ("parkingNumberOfOccupiedSpaces", "totalNumberOfOccupiedParkingSpaces", "numberOfOccupiedSpaces")
_OVERRIDE = (
    "parkingNumberOfSpacesOverride",
    "numberOfSpacesOverride",
    "totalParkingCapacityOverride",
    "totalParkingCapacityShortTermOverride",
)
_RATIOS = ("parkingOccupancy", "parkingFacilityOccupancy", "occupancy")
_TIMES = ("parkingStatusOriginTime", "parkingFacilityStatusTime", "lastUpdated")
_OPEN = ("parkingSiteOpeningStatus", "openingStatus", "parkingFacilityStatus")
_REFERENCES = ("parkingRecordReference", "parkingFacilityReference", "reference")
_GROUPS = ("groupOfParkingSpaces", "groupOfParkingSpacesStatus")
_PUBLICATIONS = (
    "ParkingTablePublication",
    "ParkingStatusPublication",
    "ParkingFacilityTableStatusPublication",
)
# What no shared model has, and what only says again what is read.
_NO_MODEL = frozenset({
    "id", "lang", "version", "targetClass", "parkingAlias", "parkingDescription", "parkingRecordVersionTime",
    "parkingFacilityRecordVersionTime", "parkingFacilityDescription", "openingTimes", "operatingHours", "operator",
    "owner", "contact", "emergencyContact", "securityService", "serviceFacility", "responsibleAuthority",
    "tariffsAndPayment", "tariffs", "photo", "photoUrl", "urlLinkAddress", "parkingThresholds",
    "overrideParkingThresholds",
    "parkingEquipmentOrServiceFacility", "parkingStandardsAndSecurity", "parkingUsageScenario", "parkingSiteAddress",
    "accessRestriction", "onlyAssignedParking", "assignedParkingAmongOthers", "permitsAndProhibitions", "parkingSpace",
    "parkingSiteStatus", "parkingSiteOvercrowdingStatus", "parkingSiteFullAtFloor", "parkingSiteNumberOfFloors",
    "parkingRecordDimension", "parkingVMS", "parkingRoute", "subitemParkingRecord", "parkingOccupanyDetectionType",
    "parkingOccupancyDetectionType", "parkingReservation", "parkingReservationService", "parkingSiteIsolated",
    "parkingNumberOfSpacesAtLevel", "parkingFacilityNumberOfFloors", "parkingFacilityReservationService", "status",
})  # fmt: skip
_READ = frozenset({
    *_NAMES, *_KINDS, *_PLACES, *_CAPACITY, *_OCCUPANCY, *_VACANT, *_OCCUPIED, *_OVERRIDE, *_RATIOS, *_TIMES, *_OPEN,
    *_REFERENCES,
})  # fmt: skip

Row = dict[str, object]


def read_parking_tables(body: bytes, language: str) -> Iterator[RawTable]:
    """Sites, status, or both; whatever prefix their elements have.

    Raises:
        ReadError: it is no publication of parking.
    """
    document = parse_document(body, *_RECORDS, *_STATES)
    records = [record.unwrap("prk") for record, _ in document.list_parts(*_RECORDS)]
    states = [(state.unwrap("prk"), published) for state, published in document.list_parts(*_STATES)]
    is_parking = any("parking" in name.lower() for name in document.publications)
    if not (records or states or document.unreal or is_parking):
        raise ReadError("holds neither a parking table nor a parking status of DATEX II")
    notes = note_exercises(document.unreal)
    if records:
        latest = _latest(records)
        rows = [_site(record, language) for record in latest]
        found = build_raw_table("parking_site", rows, _SITE)
        yield replace(found, unknown_fields=_unread(latest), notes=(*notes, *_parts_alone(latest, rows)))
    if states or not records:
        rows = [_status(state, at) for state, at in states]
        nodes = [state for state, _ in states]
        found = build_raw_table("parking_status", rows, _STATUS)
        told = (*(() if records else notes), *_parts_alone(nodes, rows), *_negative(nodes))
        _require_measures(nodes)
        yield replace(found, unknown_fields=_unread(nodes), notes=told)


def _latest(records: Sequence[Node]) -> list[Node]:
    """Each record in its latest version, in order; those without an id stay, to be found at fault."""
    latest: dict[object, tuple[int, Node]] = {}
    for record in records:
        key, written = record.word("id") or object(), record.word("version") or ""
        version = int(written) if written.isdecimal() else 0
        # Of two with the same version both stay, so that it is told that one replaces the other.
        if key in latest and version == latest[key][0]:
            key = (key, object())
        if key not in latest or latest[key][0] <= version:
            latest[key] = (version, record)
    return [record for _, record in latest.values()]


def _site(record: Node, language: str) -> Row:
    kinds = [kind for name in _KINDS for node in record.all(name) if (kind := node.word())]
    name = next(iter(record.all(*_NAMES)), None)
    lon, lat = _position(record)
    return {
        "site_id": record.word("id"),
        "name": name.read_localized(language) if name else None,
        "site_type": next((_LAYOUTS[kind] for kind in kinds if kind in _LAYOUTS), "other" if kinds else None),
        "site_type_native": ", ".join(kinds) or None,
        "capacity": _own(record, _CAPACITY),
        "lon": lon,
        "lat": lat,
    }


def _position(record: Node) -> tuple[object, object]:
    """Where it is, else where its entrance is."""
    places = (read_located_position(place) for name in _PLACES for place in record.all(name))
    return next((place for place in places if None not in place), (None, None))


def _status(state: Node, published: str | None) -> Row:
    reference = next(iter(state.all(*_REFERENCES)), None)
    openings = [word for name in _OPEN for node in state.all(name) if (word := node.word())]
    known = (_OPENING[word] for word in openings if word in _OPENING)
    return {
        "site_id": None if reference is None else reference.word("id"),
        "observed_at": _own(state, _TIMES) or published,
        **{column: _count(state, names) for column, names in _COUNTS.items()},
        "opening_status": next(known, "unknown" if openings else None),
        "opening_status_native": ", ".join(openings) or None,
    }


_COUNTS = {"free": _VACANT, "occupied": _OCCUPIED, "capacity": _OVERRIDE}


def _count(state: Node, names: Iterable[str]) -> str | None:
    """A number of the car park as a whole, of itself or of its occupancy; below zero it is none."""
    written = next((text for node in _wholes(state) if (text := _own(node, names))), None)
    return None if _is_negative(written) else written


def _wholes(state: Node) -> list[Node]:
    return [state, *state.all(*_OCCUPANCY)]


def _is_negative(written: str | None) -> bool:
    value = parse_number(written)
    return value is not None and value < 0


def _own(node: Node, names: Iterable[str]) -> str | None:
    return next((text for name in names for child in node.all(name) if (text := child.word())), None)


def _parts_alone(nodes: Sequence[Node], rows: Sequence[Mapping[str, object]]) -> tuple[Note, ...]:
    """Notes on figures of groups, and on percentages, that stand alone: they are no count of the whole."""
    empty = [
        node for node, row in zip(nodes, rows, strict=True) if not any(row.get(name) for name in _COUNTS)
    ]
    notes = []
    for code, what, found in (
        (
            "groups_not_summed",
            "only figures of groups of spaces, which may overlap",
            [n for n in empty if n.all(*_GROUPS)],
        ),
        (
            "percentage_alone",
            "only a percentage",
            [n for n in empty if any(_own(w, _RATIOS) for w in _wholes(n))],
        ),
    ):
        if found:
            reference = next(iter(found[0].all(*_REFERENCES)), found[0])
            text = f"{len(found):,} car park(s) state {what}: they get no number ({reference.word('id')})"
            notes.append(Note(code, text))
    return tuple(notes)


def _require_measures(states: Sequence[Node]) -> None:
    """Nothing, if one of the states has an element that says how full or open its car park is, be it without a value.

    Raises:
        ReadError: none has, so that the publication tells otherwise than it did.
    """
    telling = {*_VACANT, *_OCCUPIED, *_OPEN, *_RATIOS, *_GROUPS}
    there = {child.name for state in states for whole in _wholes(state) for child in whole.children}
    if states and not telling & there:
        raise ReadError(
            f"has no {_VACANT[0]}, {_OCCUPIED[0]} or {_OPEN[0]} in any status; they have {', '.join(sorted(there))}"
        )


def _negative(states: Sequence[Node]) -> tuple[Note, ...]:
    found = [
        text
        for state in states
        for names in _COUNTS.values()
        for node in _wholes(state)
        if _is_negative(text := _own(node, names))
    ]
    if not found:
        return ()
    return (Note("negative_counts", f"{len(found):,} count(s) below zero are taken for none ({found[0]})"),)


def _unread(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Names of what car parks say and nobody reads, also within their occupancy."""
    said = {child.name for node in nodes for whole in _wholes(node) for child in whole.children}
    return list_unread_elements(said, _READ, _NO_MODEL)
