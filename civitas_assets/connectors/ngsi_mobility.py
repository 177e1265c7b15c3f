"""Entities that park, share and charge: parking sites, stations of sharing systems and charging stations, with status.

Names follow the Smart Data Models. A single parking spot is a site with one space.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from civitas_assets.connectors import ngsi_entities as ngsi
from civitas_assets.connectors.ngsi_entities import Entity, Row

_SITE = (
    *("site_id", "name", "purpose", "site_type", "site_type_native", "capacity", "max_height_cm", "has_fee"),
    *("address", "lon", "lat"),
)
_STATUS = (
    "site_id",
    "observed_at",
    "free",
    "occupied",
    "capacity",
    "opening_status",
    "opening_status_native",
)
_DOCKING = ("station_id", "name", "address", "capacity", "lon", "lat")
_AVAILABILITY = (
    *("station_id", "observed_at", "vehicles_available", "docks_available", "docks_disabled"),
    *("is_renting", "is_returning"),
)
_CHARGING = (
    *("charge_point_id", "name", "operator", "points", "plug_types", "street", "postcode", "city"),
    *("opening_hours", "payment", "lon", "lat"),
)
_CHARGING_STATUS = ("charge_point_id", "observed_at", "status", "status_native", "points_available")
# The attributes that change, and whose times are those of the status.
_PARKING_STATE = ("availableSpotNumber", "occupiedSpotNumber", "status", "totalSpotNumber")
_SHARING_STATE = ("availableBikeNumber", "freeSlotNumber", "status", "outOfServiceSlotNumber")
_CHARGING_STATE = ("availableCapacity", "status")

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
        "observed_at": ngsi.instant(entity, *_PARKING_STATE),
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
        "observed_at": ngsi.instant(entity, *_SHARING_STATE),
        "vehicles_available": bikes,
        "docks_available": slots,
        "docks_disabled": ngsi.count(entity, "outOfServiceSlotNumber"),
        "is_renting": serves,
        "is_returning": serves,
    }


def charging_station(entity: Entity) -> Row:
    """A charging station, which may have several points."""
    lon, lat = ngsi.point(entity)
    place = ngsi.value_of(entity.get("address"))
    address: Entity = place if isinstance(place, dict) else {}
    return {
        "charge_point_id": entity["id"],
        "name": ngsi.text(entity, "name"),
        "operator": ngsi.text(entity, "operator", "network"),
        "points": ngsi.count(entity, "capacity"),
        "plug_types": ", ".join(ngsi.texts(entity, "socketType")) or None,
        "street": ngsi.text(address, "streetAddress"),
        "postcode": ngsi.text(address, "postalCode"),
        "city": ngsi.text(address, "addressLocality"),
        "opening_hours": ngsi.text(entity, "openingHours"),
        "payment": ", ".join(ngsi.texts(entity, "acceptedPaymentMethod")) or None,
        "lon": lon,
        "lat": lat,
    }


def charging_status(entity: Entity) -> Row | None:
    """Whether a vehicle can be charged; None where the station does not say."""
    codes, free = ngsi.texts(entity, "status"), ngsi.count(entity, "availableCapacity")
    if free is None and not codes:
        return None
    if "outOfService" in codes:
        status = "out_of_order"
    elif free is None:
        status = "unknown"  # whether an empty station has no vehicle or no free point, the model does not say
    else:
        status = "available" if free else "charging"
    return {
        "charge_point_id": entity["id"],
        "observed_at": ngsi.instant(entity, *_CHARGING_STATE),
        "status": status,
        "status_native": ", ".join(codes) or None,
        "points_available": free,
    }


@dataclass(frozen=True)
class StatusModel:
    """Entity types of things with a status, and how they become records; `changing` are the status's attributes."""

    kinds: frozenset[str]
    thing: str
    state: str
    thing_of: Callable[[Entity], Row]
    state_of: Callable[[Entity], Row | None]
    thing_columns: tuple[str, ...]
    state_columns: tuple[str, ...]
    changing: tuple[str, ...]


MODELS = (
    StatusModel(
        frozenset({"OffStreetParking", "OnStreetParking", "ParkingSpot"}), "parking_site", "parking_status",
        site, status, _SITE, _STATUS, _PARKING_STATE,
    ),
    StatusModel(
        frozenset({"BikeHireDockingStation"}), "sharing_station", "sharing_status",
        docking_station, availability, _DOCKING, _AVAILABILITY, _SHARING_STATE,
    ),
    StatusModel(
        frozenset({"EVChargingStation"}), "charge_point", "charge_point_status",
        charging_station, charging_status, _CHARGING, _CHARGING_STATUS, _CHARGING_STATE,
    ),
)  # fmt: skip
