"""Charging infrastructure of DATEX II, version 3: sites with their points, and whether a vehicle could be charged.

Read is the profile of the AFIR in JSON, as Germany publishes it, and the same in XML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
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

_SITE, _STATUS = "energyInfrastructureSite", "energyInfrastructureSiteStatus"
_STATES = {
    "available": "available",
    "blocked": "blocked",
    "charging": "charging",
    "faulted": "out_of_order",
    "inoperative": "inoperative",
    "occupied": "charging",  # in use, which is what OCPI calls charging
    "outOfOrder": "out_of_order",
    "outOfStock": "out_of_order",
    "planned": "planned",
    "removed": "removed",
    "reserved": "reserved",
    "unavailable": "inoperative",
    "unknown": "unknown",
}
_POINT = (
    *("charge_point_id", "evse_id", "installation_id", "name", "operator", "points", "power_kw"),
    *("current_type", "current_type_native", "plug_types", "street", "house_number", "postcode", "city"),
    *("opening_hours", "lon", "lat"),
)
_POINT_STATUS = ("charge_point_id", "observed_at", "status", "status_native")
_READ = frozenset({
    "energyInfrastructureStationStatus", "refillPointStatus", "reference", "lastUpdated", "status",
})  # fmt: skip
# Prices, and words on the place; how a station is as a whole is what its points are.
_NO_MODEL = frozenset({
    "energyRateUpdate", "openingStatus", "operationStatus", "regularOperatingHoursInForce", "newOperatingHours",
    "statusDescription", "fault", "supplementalFacilityStatus", "serviceType", "isAvailable",
    "plannedRefillPointStatus",
})  # fmt: skip
_EVSE_ID = re.compile(r"[A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9*]+")
# The model writes watt, some publishers kilowatt: no point has less than one of these, or more than as many kilowatt.
_LEAST_WATT = 1000

Row = dict[str, object]


def read_charging_tables(body: bytes, only: Sequence[str], language: str) -> Iterator[RawTable]:
    """Points, status, or both; `only` are beginnings of the ids of sites, stations or points to read.

    Raises:
        ReadError: it is no publication of charging infrastructure.
    """
    document = parse_document(body, _SITE, _STATUS)
    names, unlisted = set[str](), list[str]()
    points = [row for site, _ in document.list_parts(_SITE) for row in _points(site, tuple(only), language)]
    states = [
        row
        for site, at in document.list_parts(_STATUS)
        for row in _states(site, at, tuple(only), names, unlisted)
    ]
    published = {name.rpartition("EnergyInfrastructure")[2] for name in document.publications}
    if not published & {"TablePublication", "StatusPublication"}:
        raise ReadError("holds neither a table nor a status of charging points of DATEX II, version 3")
    notes = note_exercises(document.unreal)
    if "TablePublication" in published:
        yield replace(build_raw_table("charge_point", points, _POINT), notes=notes)
    if "StatusPublication" in published:
        found = build_raw_table("charge_point_status", states, _POINT_STATUS)
        if states and not any(row["status_native"] for row in states):
            raise ReadError(f"has no status of any point; they have {', '.join(sorted(names))}")
        if unlisted:
            text = f"{len(unlisted):,} station(s) say nothing of their points, and have no status ({unlisted[0]})"
            notes += (Note("stations_without_points", text),)
        yield replace(found, notes=notes, unknown_fields=list_unread_elements(names, _READ, _NO_MODEL))


def _wanted(only: tuple[str, ...], *ids: str | None) -> bool:
    return not only or any(native.startswith(only) for native in ids if native)


def _states(
    site: Node, published: str | None, only: tuple[str, ...], names: set[str], unlisted: list[str]
) -> Iterator[Row]:
    """Status of each point; `names` and `unlisted` gather what is said besides, and stations without points."""
    names.update(child.name for child in site.children)
    for station in site.all("energyInfrastructureStationStatus"):
        names.update(child.name for child in station.children)
        native = station.word("reference", "id")
        if not station.all("refillPointStatus") and _wanted(only, site.word("reference", "id"), native):
            unlisted.append(str(native))
        for wrapped in station.all("refillPointStatus"):
            point = wrapped.unwrap("aegi")
            names.update(child.name for child in point.children)
            native, ids = point.word("status"), [n.word("reference", "id") for n in (site, station, point)]
            if _wanted(only, *ids):
                yield {
                    "charge_point_id": ids[-1],
                    # The point's own time may be later than that of the publication, which was begun before.
                    "observed_at": point.word("lastUpdated") or published,
                    "status": _STATES.get(native, "unknown") if native else None,
                    "status_native": native,
                }


def _points(site: Node, only: tuple[str, ...], language: str) -> Iterator[Row]:
    for station in site.all("energyInfrastructureStation"):
        points = [wrapped.unwrap("aegi") for wrapped in station.all("refillPoint")]
        # A station whose points are not listed is told as one installation.
        for point in points or [station]:
            if _wanted(only, *(node.word("id") for node in (site, station, point))):
                yield _point((point, station, site), language)


def _point(nodes: tuple[Node, Node, Node], language: str) -> Row:
    """A point, from what it says itself, else from its station, else from its site."""
    point, station, site = nodes
    connectors = point.all("connector")
    places = [place for node in nodes for place in node.all("locationReference", "entrance")]
    lon, lat = next((p for place in places if None not in (p := read_located_position(place))), (None, None))
    native = point.word("currentType")
    itself = point is not station
    return {
        "charge_point_id": point.word("id"),
        "evse_id": _evse_id(point),
        "installation_id": station.word("id") if itself else site.word("id"),
        "name": _said((node.first("name") for node in nodes), language),
        "operator": _operator(nodes, language),
        "points": 1 if itself else station.word("numberOfRefillPoints"),
        "power_kw": _kilowatt(point, connectors),
        "current_type": native if native in ("ac", "dc") else None,
        "current_type_native": native,
        "plug_types": ", ".join(dict.fromkeys(t for c in connectors if (t := c.word("connectorType"))))
        or None,
        **_address(places, language),
        "opening_hours": _opening_hours(nodes),
        "lon": lon,
        "lat": lat,
    }


def _said(nodes: Iterable[Node | None], language: str) -> str | None:
    return next(
        (text for node in nodes if node is not None and (text := node.read_localized(language))), None
    )


def _evse_id(point: Node) -> str | None:
    """The id by the rules of eMI3: named as such at the point or its plugs, or else its own one if it has that form."""
    for identifier in point.below("externalIdentifier"):
        kinds = {
            n.text for n in identifier.below("typeOfIdentifier", "value", "extendedValue", "_extendedValue")
        }
        if "evseId" in kinds and identifier.word("identifier"):
            return identifier.word("identifier")
    own = point.word("id") or ""
    return own if _EVSE_ID.fullmatch(own) else None


def _operator(nodes: Sequence[Node], language: str) -> str | None:
    named = (
        name
        for role in ("operator", "energyDistributor")
        for node in nodes
        for organisation in node.all(role)
        for name in organisation.below("name")
    )
    return _said(named, language)


def _kilowatt(point: Node, connectors: Sequence[Node]) -> float | None:
    """What the strongest plug gives, else the point, else the whole station."""
    for written in (
        [connector.word("maxPowerAtSocket") for connector in connectors],
        [node.text for node in point.all("availableChargingPower")],
        [point.word("totalMaximumPower")],
    ):
        watts = [watt for each in written if (watt := parse_number(each)) is not None and watt > 0]
        if watts:
            return max(watt / 1000 if watt >= _LEAST_WATT else watt for watt in watts)
    return None


def _address(places: Sequence[Node], language: str) -> Row:
    address = next((address for place in places for address in place.below("address")), None)
    if address is None:
        return {}
    lines = {line.word("type"): _said([line.first("text")], language) for line in address.all("addressLine")}
    return {
        "street": lines.get("street"),
        "house_number": lines.get("houseNumber"),
        "postcode": address.word("postcode"),
        "city": _said([address.first("city")], language),
    }


def _opening_hours(nodes: Sequence[Node]) -> str | None:
    kinds = {hours.unwrap("afac").kind for node in nodes for hours in node.all("operatingHours")}
    return "24/7" if "OpenAllHours" in kinds else None
