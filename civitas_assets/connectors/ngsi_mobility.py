"""Entities that park, share and charge: parking sites, stations of sharing systems and charging stations, with status.

Names follow the Smart Data Models. A single parking spot is a site with one space.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from civitas_assets.connectors.ngsi_entities import Row
from civitas_assets.connectors.ngsi_reader import Reader

_SITE = (
    *("site_id", "name", "purpose", "site_type", "site_type_native", "capacity", "max_height_cm", "has_fee"),
    *("address", "operator", "opening_hours", "is_park_and_ride", "lon", "lat", "geometry"),
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
_DOCKING = ("station_id", "name", "address", "capacity", "lon", "lat", "geometry")
_AVAILABILITY = (
    *("station_id", "observed_at", "vehicles_available", "docks_available", "docks_disabled"),
    *("is_renting", "is_returning"),
)
_CHARGING = (
    *("charge_point_id", "evse_id", "name", "operator", "points", "plug_types", "street", "postcode", "city"),
    *("opening_hours", "payment", "lon", "lat", "geometry"),
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


def site(entity: Reader) -> Row:
    """A parking entity as a site."""
    kind, categories = entity.kind, entity.codes("category")
    height, vehicles = entity.measure("maximumAllowedHeight"), entity.codes("allowedVehicleType")
    on_street = kind == "OnStreetParking" or (kind == "ParkingSpot" and "onStreet" in categories)
    place = "underground" if "underground" in categories else "off_street"
    charged = {"feeCharged": True, "free": False}
    return {
        "site_id": entity.id,
        "name": entity.text("name"),
        "purpose": PURPOSES.get(vehicles[0]) if len(vehicles) == 1 else None,
        "site_type": "on_street" if on_street else place,
        "site_type_native": ", ".join([kind, *categories]),
        "capacity": 1 if kind == "ParkingSpot" else entity.count("totalSpotNumber"),
        "max_height_cm": None if height is None else round(height * 100),
        "has_fee": next((charged[category] for category in categories if category in charged), None),
        "address": entity.address(),
        "operator": entity.text("operator", "provider"),
        "opening_hours": entity.text("openingHours"),
        "is_park_and_ride": True if {"urbanDeterrentParking", "parkAndRide"} & {*categories} else None,
        **entity.position(),
    }


def status(entity: Reader) -> Row | None:
    """How full a parking entity is; None where it does not say."""
    codes = entity.codes("status")
    free, occupied = (
        entity.count("availableSpotNumber"),
        entity.count("occupiedSpotNumber"),
    )
    capacity = entity.count("totalSpotNumber")
    if entity.kind == "ParkingSpot":
        known = "free" in codes or "occupied" in codes
        free, occupied = (int("free" in codes), int("occupied" in codes)) if known else (None, None)
        capacity = 1
    if free is None and occupied is None and not codes:
        return None
    openings = {_OPENING[code] for code in codes if code in _OPENING}
    opening = "closed" if "closed" in openings else "open" if openings else "unknown" if codes else None
    return {
        "site_id": entity.id,
        "observed_at": entity.moment(*_PARKING_STATE),
        "free": free,
        "occupied": occupied,
        "capacity": capacity,
        "opening_status": opening,
        "opening_status_native": ", ".join(codes) or None,
    }


def docking_station(entity: Reader) -> Row:
    """A docking station of a sharing system."""
    return {
        "station_id": entity.id,
        "name": entity.text("stationName", "name"),
        "address": entity.address(),
        "capacity": entity.count("totalSlotNumber"),
        **entity.position(),
    }


def availability(entity: Reader) -> Row | None:
    """What a docking station has to offer; None where it does not say."""
    codes = entity.codes("status")
    bikes, slots = entity.count("availableBikeNumber"), entity.count("freeSlotNumber")
    if bikes is None and slots is None and not codes:
        return None
    # A station with an incident may work or not: nothing is said then.
    services = [_IN_SERVICE[code] for code in codes if code in _IN_SERVICE]
    serves = None if not services else all(services)
    return {
        "station_id": entity.id,
        "observed_at": entity.moment(*_SHARING_STATE),
        "vehicles_available": bikes,
        "docks_available": slots,
        "docks_disabled": entity.count("outOfServiceSlotNumber"),
        "is_renting": serves,
        "is_returning": serves,
    }


def charging_station(entity: Reader) -> Row:
    """A charging station, which may have several points."""
    address = entity.part("address")
    return {
        "charge_point_id": entity.id,
        "evse_id": entity.text("chargingUnitId"),
        "name": entity.text("name"),
        "operator": entity.text("operator", "network"),
        "points": entity.count("capacity"),
        "plug_types": ", ".join(entity.codes("socketType")) or None,
        "street": address.text("streetAddress") if address else entity.text("address"),
        "postcode": address and address.text("postalCode"),
        "city": address and address.text("addressLocality"),
        "opening_hours": entity.text("openingHours"),
        "payment": ", ".join(entity.codes("acceptedPaymentMethod")) or None,
        **entity.position(),
    }


def charging_status(entity: Reader) -> Row | None:
    """Whether a vehicle can be charged; None where the station does not say."""
    codes, free = entity.codes("status"), entity.count("availableCapacity")
    if free is None and not codes:
        return None
    if "outOfService" in codes:
        status = "out_of_order"
    elif free is None:
        status = "unknown"  # whether an empty station has no vehicle or no free point, the model does not say
    else:
        status = "available" if free else "charging"
    return {
        "charge_point_id": entity.id,
        "observed_at": entity.moment(*_CHARGING_STATE),
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
    thing_of: Callable[[Reader], Row]
    state_of: Callable[[Reader], Row | None]
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
