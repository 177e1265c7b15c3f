"""Entities that park, share and charge: parking sites, stations of sharing systems and charging stations, with status.

Names follow the Smart Data Models. A single parking spot is a site with one space.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat

from civitas_assets.connectors.ngsi.ngsi_page import Columns, EntityPage

# The attributes that change, and whose times are those of the status.
_PARKING_STATE = ("availableSpotNumber", "occupiedSpotNumber", "status", "totalSpotNumber")
_SHARING_STATE = ("availableBikeNumber", "freeSlotNumber", "status", "outOfServiceSlotNumber")
_CHARGING_STATE = ("availableCapacity", "status")

# Vehicles that are allowed, and the purpose of the site.
PURPOSES = {"bicycle": "bicycle", "bus": "bus", "car": "car", "lorry": "truck", "motorcycle": "motorcycle"}
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
_CHARGED = {"feeCharged": True, "free": False}
_PARK_AND_RIDE = frozenset({"urbanDeterrentParking", "parkAndRide"})


def build_sites(page: EntityPage) -> Columns:
    """Parking entities as sites."""
    kinds, categories = page.kinds, page.codes("category")
    heights, vehicles = page.measures("maximumAllowedHeight"), page.codes("allowedVehicleType")
    return {
        "site_id": page.ids,
        "name": page.texts("name"),
        "purpose": [PURPOSES.get(codes[0]) if len(codes) == 1 else None for codes in vehicles],
        "site_type": [*map(_site_type, kinds, categories)],
        "site_type_native": [
            ", ".join([kind, *codes]) for kind, codes in zip(kinds, categories, strict=True)
        ],
        "capacity": [*map(_capacity, kinds, page.counts("totalSpotNumber"))],
        "max_height_cm": [None if height is None else round(height * 100) for height in heights],
        "has_fee": [
            next((_CHARGED[code] for code in codes if code in _CHARGED), None) for codes in categories
        ],
        "address": page.addresses(),
        "operator": page.texts("operator", "provider"),
        "opening_hours": page.texts("openingHours"),
        "is_park_and_ride": [None if _PARK_AND_RIDE.isdisjoint(codes) else True for codes in categories],
        **page.positions(),
    }


def build_parking_states(page: EntityPage) -> Columns:
    """How full parking entities are, of those that say it."""
    kinds, codes = page.kinds, page.codes("status")
    free = [*map(_spaces, kinds, codes, repeat("free"), page.counts("availableSpotNumber"))]
    occupied = [*map(_spaces, kinds, codes, repeat("occupied"), page.counts("occupiedSpotNumber"))]
    capacity = [*map(_capacity, kinds, page.counts("totalSpotNumber"))]
    if None in free and not all(said := _said(free, occupied, codes)):
        return build_parking_states(page.where(said))
    return {
        "site_id": page.ids,
        "observed_at": page.moments(*_PARKING_STATE),
        "free": free,
        "occupied": occupied,
        "capacity": capacity,
        "opening_status": [*map(_opening, codes)],
        "opening_status_native": [", ".join(given) or None for given in codes],
    }


def build_docking_stations(page: EntityPage) -> Columns:
    """Docking stations of a sharing system."""
    return {
        "station_id": page.ids,
        "name": page.texts("stationName", "name"),
        "address": page.addresses(),
        "capacity": page.counts("totalSlotNumber"),
        **page.positions(),
    }


def build_docking_states(page: EntityPage) -> Columns:
    """What docking stations have to offer, of those that say it."""
    codes = page.codes("status")
    bikes, slots = page.counts("availableBikeNumber"), page.counts("freeSlotNumber")
    disabled = page.counts("outOfServiceSlotNumber")
    if None in bikes and not all(said := _said(bikes, slots, disabled, codes)):
        return build_docking_states(page.where(said))
    serves = [*map(_serves, codes)]
    return {
        "station_id": page.ids,
        "observed_at": page.moments(*_SHARING_STATE),
        "vehicles_available": bikes,
        "docks_available": slots,
        "docks_disabled": disabled,
        "is_renting": serves,
        "is_returning": serves,
    }


def build_charging_stations(page: EntityPage) -> Columns:
    """Charging stations, which may have several points."""
    places = page.places()
    return {
        "charge_point_id": page.ids,
        "evse_id": page.texts("chargingUnitId"),
        "name": page.texts("name"),
        "operator": page.texts("operator", "network"),
        "points": page.counts("capacity"),
        "plug_types": [", ".join(codes) or None for codes in page.codes("socketType")],
        "street": [street for street, _, _ in places],
        "postcode": [postcode for _, postcode, _ in places],
        "city": [town for _, _, town in places],
        "opening_hours": page.texts("openingHours"),
        "payment": [", ".join(codes) or None for codes in page.codes("acceptedPaymentMethod")],
        **page.positions(),
    }


def build_charging_states(page: EntityPage) -> Columns:
    """Whether a vehicle can be charged, of the stations that say it."""
    codes, free = page.codes("status"), page.counts("availableCapacity")
    if None in free and not all(said := _said(free, codes)):
        return build_charging_states(page.where(said))
    return {
        "charge_point_id": page.ids,
        "observed_at": page.moments(*_CHARGING_STATE),
        "status": [*map(_charging, codes, free)],
        "status_native": [", ".join(given) or None for given in codes],
        "points_available": free,
    }


def _site_type(kind: str, categories: Sequence[str]) -> str:
    if kind == "OnStreetParking" or (kind == "ParkingSpot" and "onStreet" in categories):
        return "on_street"
    return "underground" if "underground" in categories else "off_street"


def _capacity(kind: str, counted: int | None) -> int | None:
    return 1 if kind == "ParkingSpot" else counted


def _spaces(kind: str, codes: Sequence[str], state: str, counted: int | None) -> int | None:
    """How many spaces are in a state; a single one is, or is not."""
    if kind != "ParkingSpot":
        return counted
    return int(state in codes) if "free" in codes or "occupied" in codes else None


def _opening(codes: Sequence[str]) -> str | None:
    openings = {_OPENING[code] for code in codes if code in _OPENING}
    return "closed" if "closed" in openings else "open" if openings else "unknown" if codes else None


def _serves(codes: Sequence[str]) -> bool | None:
    """Whether a station works; with an incident it may work or not: nothing is said then."""
    services = [_IN_SERVICE[code] for code in codes if code in _IN_SERVICE]
    return all(services) if services else None


def _charging(codes: Sequence[str], free: int | None) -> str:
    if "outOfService" in codes:
        return "out_of_order"
    if free is None:
        return "unknown"  # whether an empty station has no vehicle or no free point, the model does not say
    return "available" if free else "charging"


def _said(*columns: Sequence[object]) -> list[bool]:
    """Whether an entity says anything in one of the columns."""
    return [any(value not in (None, []) for value in values) for values in zip(*columns, strict=True)]


@dataclass(frozen=True)
class StatusModel:
    """Entity types of things with a status, and how they become records; `changing` are the status's attributes."""

    kinds: frozenset[str]
    thing: str
    state: str
    things_of: Callable[[EntityPage], Columns]
    states_of: Callable[[EntityPage], Columns]
    changing: tuple[str, ...]


MODELS = (
    StatusModel(
        frozenset({"OffStreetParking", "OnStreetParking", "ParkingSpot"}), "parking_site", "parking_status",
        build_sites, build_parking_states, _PARKING_STATE,
    ),
    StatusModel(
        frozenset({"BikeHireDockingStation"}), "sharing_station", "sharing_status",
        build_docking_stations, build_docking_states, _SHARING_STATE,
    ),
    StatusModel(
        frozenset({"EVChargingStation"}), "charge_point", "charge_point_status",
        build_charging_stations, build_charging_states, _CHARGING_STATE,
    ),
)  # fmt: skip
