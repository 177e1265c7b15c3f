"""Things and their states as entities of the Smart Data Models: devices, parking, sharing, charging, places, events.

A state becomes an entity with all that is known of its thing, and of each thing the last one: a broker keeps one.
"""

from __future__ import annotations

from civitas_assets.connectors.ngsi.ngsi_mobility import PURPOSES
from civitas_assets.export.entities import (
    Attribute,
    AttributeKind,
    Entity,
    address_sql,
    code_sql,
    list_sql,
    point_sql,
)

_TRANSPORT = "dataModel.Transportation"
_OCCUPANCY = {"available": "working", "charging": "full", "reserved": "full", "blocked": "withIncidence"}
CHARGING_STATES = {**_OCCUPANCY, "inoperative": "outOfService", "out_of_order": "outOfService"}
# Plugs in the words of registers, of OCPI and of DATEX II.
SOCKETS = {
    "CCS/SAE": "combo|ccs",
    "CHAdeMO": "chademo",
    "J-1772": "j.?1772|typ(e)? ?1|62196_?t1($|[^_c0-9])",
    "Tesla": "tesla",
    "Type2": "typ(e)? ?2( |-)?(steck|kupp|fahr|$|[^ c])|mennekes|62196_?t2($|[^_c0-9])",
    "Type3": "typ(e)? ?3|62196_?t3",
    "Wall_Euro": "schuko|domestic_?f",
}


def _text(name: str, value: str) -> Attribute:
    return Attribute(name, AttributeKind.TEXT, value)


def _parking(kind: str, thing: str, condition: str) -> tuple[Entity, Entity]:
    """A kind of parking as a site, and with its state."""
    off_street = kind == "OffStreetParking"
    words = {purpose: vehicle for vehicle, purpose in PURPOSES.items()}

    def known(of: str) -> tuple[Attribute, ...]:
        fee = f"case {of}.has_fee when true then 'feeCharged' when false then 'free' end"
        below = f"case when {of}.site_type = 'underground' then 'underground' end"
        categories = f"list_filter([{fee}, {below}], lambda word: word is not null)"
        everywhere = (
            _text("name", f"{of}.name"),
            Attribute("category", AttributeKind.LIST, f"nullif({categories}, [])"),
            Attribute("allowedVehicleType", AttributeKind.LIST, list_sql(code_sql(f"{of}.purpose", words))),
            Attribute("address", AttributeKind.OBJECT, address_sql(streetAddress=f"{of}.address")),
            Attribute("location", AttributeKind.PLACE, point_sql(of)),
        )
        only_here = (
            Attribute("maximumAllowedHeight", AttributeKind.NUMBER, f"{of}.max_height_cm / 100", "m"),
            _text("openingHours", f"{of}.opening_hours"),
        )
        return (*everywhere, *only_here) if off_street else everywhere

    at = "picked.observed_at"
    state = (
        Attribute("totalSpotNumber", AttributeKind.NUMBER, "picked.capacity", at=at),
        Attribute("availableSpotNumber", AttributeKind.NUMBER, "picked.free", at=at),
        Attribute("occupiedSpotNumber", AttributeKind.NUMBER, "picked.occupied", at=at),
        Attribute("observationDateTime", AttributeKind.MOMENT, at),
        Attribute("status", AttributeKind.LIST, list_sql("nullif(picked.opening_status, 'unknown')"), at=at),
        _text("qualityCode", "picked.quality_code"),
    )
    more = (Attribute("occupancy", AttributeKind.NUMBER, "picked.occupancy_ratio", at=at),)
    capacity = Attribute("totalSpotNumber", AttributeKind.NUMBER, "picked.capacity")
    subject = "dataModel.Parking"
    return (
        Entity(
            kind,
            subject,
            "parking_site",
            "picked.site_key",
            (capacity, *known("picked")),
            f"picked.{condition}",
        ),
        Entity(
            kind,
            subject,
            "parking_status",
            "picked.site_key",
            (*state, *(more if off_street else ()), *known("thing")),
            f"{thing}.{condition}",
            latest=("site_key", "observed_at"),
        ),
    )


def _docking() -> tuple[Entity, Entity]:
    """Stations of sharing systems."""

    def known(of: str) -> tuple[Attribute, ...]:
        return (
            _text("name", f"{of}.name"),
            _text("stationName", f"{of}.name"),
            Attribute("totalSlotNumber", AttributeKind.NUMBER, f"{of}.capacity"),
            Attribute("address", AttributeKind.OBJECT, address_sql(streetAddress=f"{of}.address")),
            Attribute("location", AttributeKind.PLACE, point_sql(of)),
        )

    at = "picked.observed_at"
    works = "case picked.is_renting and picked.is_returning when true then 'working' when false then 'outOfService' end"
    state = (
        Attribute("availableBikeNumber", AttributeKind.NUMBER, "picked.vehicles_available", at=at),
        Attribute("freeSlotNumber", AttributeKind.NUMBER, "picked.docks_available", at=at),
        Attribute("outOfServiceSlotNumber", AttributeKind.NUMBER, "picked.docks_disabled", at=at),
        Attribute("status", AttributeKind.TEXT, works, at=at),
        Attribute("observationDateTime", AttributeKind.MOMENT, at),
    )
    kind, key = "BikeHireDockingStation", "picked.station_key"
    return (
        Entity(kind, _TRANSPORT, "sharing_station", key, known("picked"), "true"),
        Entity(
            kind,
            _TRANSPORT,
            "sharing_status",
            key,
            (*state, *known("thing")),
            "true",
            latest=("station_key", "observed_at"),
        ),
    )


def _charging() -> tuple[Entity, Entity]:
    """Charge points, and installations of several."""

    def known(of: str) -> tuple[Attribute, ...]:
        sockets = ", ".join(
            f"case when regexp_matches(lower({of}.plug_types), '{pattern}') then '{socket}' end"
            for socket, pattern in SOCKETS.items()
        )
        found = f"list_filter([{sockets}], lambda word: word is not null)"
        street = f"nullif(concat_ws(' ', {of}.street, {of}.house_number), '')"
        return (
            _text("name", f"{of}.name"),
            _text("operator", f"{of}.operator"),
            _text("openingHours", f"{of}.opening_hours"),
            Attribute("capacity", AttributeKind.NUMBER, f"{of}.points"),
            Attribute(
                "socketType",
                AttributeKind.LIST,
                f"case when {of}.plug_types is not null then coalesce(nullif({found}, []), ['Other']) end",
            ),
            _text("chargingUnitId", f"{of}.evse_id"),
            Attribute(
                "address",
                AttributeKind.OBJECT,
                address_sql(streetAddress=street, postalCode=f"{of}.postcode", addressLocality=f"{of}.city"),
            ),
            Attribute("location", AttributeKind.PLACE, point_sql(of)),
        )

    at = "picked.observed_at"
    state = (
        Attribute("status", AttributeKind.TEXT, code_sql("picked.status", CHARGING_STATES), at=at),
        Attribute("availableCapacity", AttributeKind.NUMBER, "picked.points_available", at=at),
        Attribute("observationDateTime", AttributeKind.MOMENT, at),
        _text("qualityCode", "picked.quality_code"),
    )
    kind, key = "EVChargingStation", "picked.charge_point_key"
    return (
        Entity(kind, _TRANSPORT, "charge_point", key, known("picked"), "true"),
        Entity(
            kind,
            _TRANSPORT,
            "charge_point_status",
            key,
            (*state, *known("thing")),
            "true",
            latest=("charge_point_key", "observed_at"),
        ),
    )


_DEVICE = Entity(
    "Device",
    "dataModel.Device",
    "station",
    "picked.station_key",
    (
        _text("name", "picked.name"),
        _text("description", "picked.description"),
        _text("provider", "picked.operator"),
        Attribute("deviceCategory", AttributeKind.LIST, "['sensor']"),
        Attribute(
            "controlledProperty",
            AttributeKind.LIST,
            "(select list(distinct observed_property order by observed_property) from datastream"
            " where datastream.station_key = picked.station_key and observed_property is not null)",
        ),
        Attribute("location", AttributeKind.PLACE, point_sql("picked")),
    ),
    "true",
)
_PLACE = Entity(
    "PointOfInterest",
    "dataModel.PointOfInterest",
    "place",
    "picked.place_key",
    (
        _text("name", "picked.name"),
        _text("description", "picked.description"),
        Attribute("category", AttributeKind.LIST, list_sql("picked.category")),
        Attribute(
            "address",
            AttributeKind.OBJECT,
            address_sql(
                streetAddress="picked.address", postalCode="picked.postcode", addressLocality="picked.city"
            ),
        ),
        Attribute(
            "additionalInfoURL",
            AttributeKind.REFERENCE,
            r"case when regexp_full_match(picked.website, 'https?://[^\s<>\"]+') then picked.website end",
        ),
        Attribute("location", AttributeKind.PLACE, point_sql("picked")),
    ),
    "true",
)
_EVENT = Entity(
    "Event",
    "dataModel.TourismDestinations",
    "event",
    "picked.event_key",
    (
        _text("name", "picked.title"),
        _text("description", "picked.description"),
        Attribute("category", AttributeKind.LIST, list_sql("picked.event_type")),
        Attribute("eventStatus", AttributeKind.LIST, list_sql("picked.status")),
        Attribute("startDate", AttributeKind.MOMENT, "picked.start_at"),
        Attribute("endDate", AttributeKind.MOMENT, "picked.end_at"),
        _text("webSite", "picked.website"),
        Attribute("address", AttributeKind.OBJECT, address_sql(streetAddress="picked.place_name")),
        Attribute("location", AttributeKind.PLACE, point_sql("picked")),
    ),
    "true",
)

THINGS = (
    *_parking("OffStreetParking", "thing", "site_type is distinct from 'on_street'"),
    *_parking("OnStreetParking", "thing", "site_type = 'on_street'"),
    *_docking(),
    *_charging(),
    _DEVICE,
    _PLACE,
    _EVENT,
)
