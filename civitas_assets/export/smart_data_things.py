"""Things and their states as entities of the Smart Data Models: devices, parking, sharing, charging, places, events.

A state becomes an entity with all that is known of its thing, and of each thing the last one: a broker keeps one.
"""

from __future__ import annotations

from civitas_assets.connectors.ngsi_mobility import PURPOSES
from civitas_assets.export.entities import Attribute, Entity, Kind, address, chosen, listed, point

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
    return Attribute(name, Kind.TEXT, value)


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
            Attribute("category", Kind.LIST, f"nullif({categories}, [])"),
            Attribute("allowedVehicleType", Kind.LIST, listed(chosen(f"{of}.purpose", words))),
            Attribute("address", Kind.OBJECT, address(streetAddress=f"{of}.address")),
            Attribute("location", Kind.PLACE, point(of)),
        )
        only_here = (
            Attribute("maximumAllowedHeight", Kind.NUMBER, f"{of}.max_height_cm / 100", "m"),
            _text("openingHours", f"{of}.opening_hours"),
        )
        return (*everywhere, *only_here) if off_street else everywhere

    at = "picked.observed_at"
    state = (
        Attribute("totalSpotNumber", Kind.NUMBER, "picked.capacity", at=at),
        Attribute("availableSpotNumber", Kind.NUMBER, "picked.free", at=at),
        Attribute("occupiedSpotNumber", Kind.NUMBER, "picked.occupied", at=at),
        Attribute("observationDateTime", Kind.MOMENT, at),
        Attribute("status", Kind.LIST, listed("nullif(picked.opening_status, 'unknown')"), at=at),
        _text("qualityCode", "picked.quality_code"),
    )
    more = (Attribute("occupancy", Kind.NUMBER, "picked.occupancy_ratio", at=at),)
    capacity = Attribute("totalSpotNumber", Kind.NUMBER, "picked.capacity")
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
            Attribute("totalSlotNumber", Kind.NUMBER, f"{of}.capacity"),
            Attribute("address", Kind.OBJECT, address(streetAddress=f"{of}.address")),
            Attribute("location", Kind.PLACE, point(of)),
        )

    at = "picked.observed_at"
    works = "case picked.is_renting and picked.is_returning when true then 'working' when false then 'outOfService' end"
    state = (
        Attribute("availableBikeNumber", Kind.NUMBER, "picked.vehicles_available", at=at),
        Attribute("freeSlotNumber", Kind.NUMBER, "picked.docks_available", at=at),
        Attribute("outOfServiceSlotNumber", Kind.NUMBER, "picked.docks_disabled", at=at),
        Attribute("status", Kind.TEXT, works, at=at),
        Attribute("observationDateTime", Kind.MOMENT, at),
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
            Attribute("capacity", Kind.NUMBER, f"{of}.points"),
            Attribute(
                "socketType",
                Kind.LIST,
                f"case when {of}.plug_types is not null then coalesce(nullif({found}, []), ['Other']) end",
            ),
            _text("chargingUnitId", f"{of}.evse_id"),
            Attribute(
                "address",
                Kind.OBJECT,
                address(streetAddress=street, postalCode=f"{of}.postcode", addressLocality=f"{of}.city"),
            ),
            Attribute("location", Kind.PLACE, point(of)),
        )

    at = "picked.observed_at"
    state = (
        Attribute("status", Kind.TEXT, chosen("picked.status", CHARGING_STATES), at=at),
        Attribute("availableCapacity", Kind.NUMBER, "picked.points_available", at=at),
        Attribute("observationDateTime", Kind.MOMENT, at),
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
        Attribute("deviceCategory", Kind.LIST, "['sensor']"),
        Attribute(
            "controlledProperty",
            Kind.LIST,
            "(select list(distinct observed_property order by observed_property) from datastream"
            " where datastream.station_key = picked.station_key and observed_property is not null)",
        ),
        Attribute("location", Kind.PLACE, point("picked")),
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
        Attribute("category", Kind.LIST, listed("picked.category")),
        Attribute(
            "address",
            Kind.OBJECT,
            address(
                streetAddress="picked.address", postalCode="picked.postcode", addressLocality="picked.city"
            ),
        ),
        Attribute(
            "additionalInfoURL",
            Kind.REFERENCE,
            r"case when regexp_full_match(picked.website, 'https?://[^\s<>\"]+') then picked.website end",
        ),
        Attribute("location", Kind.PLACE, point("picked")),
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
        Attribute("category", Kind.LIST, listed("picked.event_type")),
        Attribute("eventStatus", Kind.LIST, listed("picked.status")),
        Attribute("startDate", Kind.MOMENT, "picked.start_at"),
        Attribute("endDate", Kind.MOMENT, "picked.end_at"),
        _text("webSite", "picked.website"),
        Attribute("address", Kind.OBJECT, address(streetAddress="picked.place_name")),
        Attribute("location", Kind.PLACE, point("picked")),
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
