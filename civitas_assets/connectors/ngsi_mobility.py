"""Entities that park and share: parking sites and stations of sharing systems, each with its status.

Names follow the Smart Data Models. A single parking spot is a site with one space.
"""

from __future__ import annotations

from civitas_assets.connectors import ngsi_entities as ngsi
from civitas_assets.connectors.ngsi_entities import Entity, Row

PARKING = frozenset({"OffStreetParking", "OnStreetParking", "ParkingSpot"})
SHARING = frozenset({"BikeHireDockingStation"})

SITE = (
    *("site_id", "name", "purpose", "site_type", "site_type_native", "capacity", "max_height_cm", "has_fee"),
    *("address", "lon", "lat"),
)
STATUS = ("site_id", "observed_at", "free", "occupied", "capacity", "opening_status", "opening_status_native")
DOCKING = ("station_id", "name", "address", "capacity", "lon", "lat")
AVAILABILITY = (
    *("station_id", "observed_at", "vehicles_available", "docks_available", "docks_disabled"),
    *("is_renting", "is_returning"),
)
# The attributes that change, and whose times are those of the status.
PARKING_STATE = ("availableSpotNumber", "occupiedSpotNumber", "status", "totalSpotNumber")
SHARING_STATE = ("availableBikeNumber", "freeSlotNumber", "status", "outOfServiceSlotNumber")

# Vehicles that are allowed, and the purpose of the site.
PURPOSES = {
    "bicycle": "bicycle",
    "bus": "bus",
    "car": "car",
    "lorry": "truck",
    "motorcycle": "motorcycle",
}
_OPENING = {
    "almostFull": "open",
    "closed": "closed",
    "free": "open",
    "full": "open",
    "occupied": "open",
    "open": "open",
    "spacesAvailable": "open",
}
_IN_SERVICE = {
    "almostEmpty": True,
    "almostFull": True,
    "empty": True,
    "full": True,
    "outOfService": False,
    "working": True,
}


def site(entity: Entity) -> Row:
    """A parking entity as a site."""
    lon, lat = ngsi.point(entity)
    kind, categories = ngsi.kind_of(entity), ngsi.texts(entity, "category")
    height, vehicles = ngsi.measure(entity, "maximumAllowedHeight"), ngsi.texts(entity, "allowedVehicleType")
    on_street = kind == "OnStreetParking" or (kind == "ParkingSpot" and "onStreet" in categories)
    place = "underground" if "underground" in categories else "off_street"
    charged = {"feeCharged": True, "free": False}
    return {
        "site_id": entity["id"],
        "name": ngsi.text(entity, "name"),
        "purpose": PURPOSES.get(vehicles[0]) if len(vehicles) == 1 else None,
        "site_type": "on_street" if on_street else place,
        "site_type_native": ", ".join([kind, *categories]),
        "capacity": 1 if kind == "ParkingSpot" else ngsi.count(entity, "totalSpotNumber"),
        "max_height_cm": None if height is None else round(height * 100),
        "has_fee": next((charged[category] for category in categories if category in charged), None),
        "address": ngsi.address(entity),
        "lon": lon,
        "lat": lat,
    }


def status(entity: Entity) -> Row | None:
    """How full a parking entity is; None where it does not say."""
    codes = ngsi.texts(entity, "status")
    free, occupied = (
        ngsi.count(entity, "availableSpotNumber"),
        ngsi.count(entity, "occupiedSpotNumber"),
    )
    capacity = ngsi.count(entity, "totalSpotNumber")
    if ngsi.kind_of(entity) == "ParkingSpot":
        known = "free" in codes or "occupied" in codes
        free, occupied = (int("free" in codes), int("occupied" in codes)) if known else (None, None)
        capacity = 1
    if free is None and occupied is None and not codes:
        return None
    openings = {_OPENING[code] for code in codes if code in _OPENING}
    opening = "closed" if "closed" in openings else "open" if openings else "unknown" if codes else None
    return {
        "site_id": entity["id"],
        "observed_at": ngsi.instant(entity, *PARKING_STATE),
        "free": free,
        "occupied": occupied,
        "capacity": capacity,
        "opening_status": opening,
        "opening_status_native": ", ".join(codes) or None,
    }


def docking_station(entity: Entity) -> Row:
    """A docking station of a sharing system."""
    lon, lat = ngsi.point(entity)
    return {
        "station_id": entity["id"],
        "name": ngsi.text(entity, "stationName", "name"),
        "address": ngsi.address(entity),
        "capacity": ngsi.count(entity, "totalSlotNumber"),
        "lon": lon,
        "lat": lat,
    }


def availability(entity: Entity) -> Row | None:
    """What a docking station has to offer; None where it does not say."""
    codes = ngsi.texts(entity, "status")
    bikes, slots = ngsi.count(entity, "availableBikeNumber"), ngsi.count(entity, "freeSlotNumber")
    if bikes is None and slots is None and not codes:
        return None
    # A station with an incident may work or not: nothing is said then.
    services = [_IN_SERVICE[code] for code in codes if code in _IN_SERVICE]
    serves = None if not services else all(services)
    return {
        "station_id": entity["id"],
        "observed_at": ngsi.instant(entity, *SHARING_STATE),
        "vehicles_available": bikes,
        "docks_available": slots,
        "docks_disabled": ngsi.count(entity, "outOfServiceSlotNumber"),
        "is_renting": serves,
        "is_returning": serves,
    }
