"""Locations of OCPI with their EVSEs, as the protocol documents them, and what of them becomes rows.

What is asked for is in `ocpi.py`; names and units are those of OCPI 2.2.1, chapter 8, and of 2.1.1 where they differ.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from civitas_assets.connectors.mapping.service_rows import decode_answer, decode_each
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow

_SERVICE = "the module locations of OCPI"
_SUCCESS = range(1000, 2000)
_STATES = {
    "AVAILABLE": "available",
    "BLOCKED": "blocked",
    "CHARGING": "charging",
    "INOPERATIVE": "inoperative",
    "OUTOFORDER": "out_of_order",
    "PLANNED": "planned",
    "REMOVED": "removed",
    "RESERVED": "reserved",
    "UNKNOWN": "unknown",
}
# Lines that carry the current, by the kind of power; the voltage is that of one line to neutral.
_LINES = {"AC_1_PHASE": 1, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2, "AC_3_PHASE": 3, "DC": 1}
_LINE_TO_LINE = 300  # volts: more is between two lines, as some write it in spite of the specification
_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$", re.IGNORECASE)
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")

POINT_FIELDS = (
    *("charge_point_id", "evse_id", "installation_id", "name", "operator", "points", "power_kw"),
    *("current_type", "current_type_native", "plug_types", "street", "postcode", "city", "opening_hours"),
    *("lon", "lat"),
)
STATUS_FIELDS = ("charge_point_id", "observed_at", "status", "status_native")

Number = float | str | None


class EvsePlug(msgspec.Struct):
    """A plug or socket; voltage and amperage are called otherwise in 2.1.1."""

    standard: str | None = None
    power_type: str | None = None
    max_voltage: Number = None
    max_amperage: Number = None
    voltage: Number = None
    amperage: Number = None
    max_electric_power: Number = None


class Evse(msgspec.Struct):
    """A point at which one vehicle can be charged at a time."""

    uid: str
    status: str | None = None
    evse_id: str | None = None
    connectors: list[EvsePlug] = []
    last_updated: str | None = None


class Coordinates(msgspec.Struct):
    """A place in degrees of WGS 84, as text."""

    latitude: Number = None
    longitude: Number = None


class RegularHours(msgspec.Struct):
    """Hours of one day of the week, 1 for Monday."""

    weekday: int
    period_begin: str
    period_end: str


class Hours(msgspec.Struct):
    """When a location is open."""

    twentyfourseven: bool | None = None
    regular_hours: list[RegularHours] | None = None


class Operator(msgspec.Struct):
    """Who runs a location."""

    name: str | None = None


class ChargingLocation(msgspec.Struct):
    """A place with EVSEs; `publish` says whether others may show it, which 2.1.1 does not say."""

    id: str
    country_code: str | None = None
    party_id: str | None = None
    publish: bool | None = None
    name: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    coordinates: Coordinates | None = None
    operator: Operator | None = None
    opening_times: Hours | None = None
    evses: list[msgspec.Raw] | None = None


class LocationPage(msgspec.Struct):
    """An answer of OCPI: its own status, which may be an error with HTTP 200, and the list."""

    status_code: int
    data: msgspec.Raw = msgspec.Raw(b"null")
    status_message: str | None = None
    timestamp: str | None = None


Row = Mapping[str, object]


def decode_page(body: bytes) -> LocationPage:
    """The answer.

    Raises:
        ReadError: it is none of OCPI, or says that the request has failed.
    """
    page: LocationPage = decode_answer(body, LocationPage, _SERVICE)
    if page.status_code not in _SUCCESS:
        raise ReadError(
            f"says status {page.status_code}, {(page.status_message or 'without a message')[:200]}"
        )
    return page


def list_locations(page: LocationPage) -> tuple[list[ChargingLocation], tuple[BrokenRow, ...]]:
    """The locations of a page, and what of it, or of their EVSEs, is none, each for itself.

    Raises:
        ReadError: it holds no list.
    """
    found, broken = decode_each(bytes(page.data), ChargingLocation, _SERVICE, is_page=True)
    return found, broken


def list_evses(location: ChargingLocation) -> tuple[list[Evse], tuple[BrokenRow, ...]]:
    """The EVSEs of a location, and what of its list is none."""
    found, broken = list[Evse](), list[BrokenRow]()
    for row, element in enumerate(location.evses or (), 1):
        try:
            found.append(msgspec.json.decode(element, type=Evse))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            broken.append(
                BrokenRow(
                    row,
                    "unreadable_evse",
                    f"{location.id}: {error}",
                    bytes(element)[:200].decode(errors="replace"),
                )
            )
    return found, tuple(broken)


def build_point_rows(locations: Iterable[ChargingLocation]) -> Iterator[Row]:
    """Each EVSE as a charge point, also one that was removed; a location without any is none."""
    for location in locations:
        for evse in list_evses(location)[0]:
            kinds = [*dict.fromkeys(c.power_type for c in evse.connectors if c.power_type)]
            currents = sorted({kind.partition("_")[0].lower() for kind in kinds} & {"ac", "dc"})
            powers = [power for c in evse.connectors if (power := _find_power(c)) is not None]
            place = location.coordinates or Coordinates()
            yield {
                "charge_point_id": _build_id(location, evse),
                "evse_id": evse.evse_id,
                "installation_id": location.id,
                "name": location.name,
                "operator": location.operator.name if location.operator else None,
                "points": 1,
                "power_kw": max(powers, default=None),
                "current_type": "_".join(currents) or None,
                "current_type_native": ", ".join(kinds) or None,
                "plug_types": ", ".join(dict.fromkeys(c.standard for c in evse.connectors if c.standard))
                or None,
                "street": location.address,
                "postcode": location.postal_code,
                "city": location.city,
                "opening_hours": _format_hours(location.opening_times),
                "lon": place.longitude,
                "lat": place.latitude,
            }


def list_removed(locations: Iterable[ChargingLocation]) -> frozenset[str]:
    """The ids of charge points that are there no more, of which the list still has the status."""
    return frozenset(
        _build_id(location, evse)
        for location in locations
        for evse in list_evses(location)[0]
        if evse.status == "REMOVED"
    )


def build_status_rows(
    locations: Iterable[ChargingLocation], near: Collection[object], published: str | None
) -> Iterator[Row]:
    """The status of each EVSE of `near`, which holds since the EVSE was last updated."""
    for location in locations:
        for evse in list_evses(location)[0]:
            key = _build_id(location, evse)
            if key in near:
                yield {
                    "charge_point_id": key,
                    "observed_at": _to_utc(evse.last_updated or published),
                    "status": _STATES.get(evse.status) if evse.status else None,
                    "status_native": evse.status,
                }


def _build_id(location: ChargingLocation, evse: Evse) -> str:
    """A platform may list EVSEs of several parties, each with ids of its own; 2.1.1 names no party."""
    party = "*".join(part for part in (location.country_code, location.party_id) if part)
    return f"{party}/{evse.uid}" if party else evse.uid


def _find_power(connector: EvsePlug) -> float | None:
    """Kilowatts, as they are said or as voltage and amperage make them."""
    said = _read_number(connector.max_electric_power)
    if said:
        return said / 1000
    volts = _read_number(connector.max_voltage if connector.max_voltage is not None else connector.voltage)
    ampere = _read_number(
        connector.max_amperage if connector.max_amperage is not None else connector.amperage
    )
    lines = _LINES.get(connector.power_type or "")
    if not volts or not ampere or lines is None:
        return None
    if lines == _LINES["AC_3_PHASE"] and volts > _LINE_TO_LINE:
        volts /= math.sqrt(3)
    return round(volts * ampere * lines / 1000, 3)


def _read_number(written: Number) -> float | None:
    try:
        value = float(written) if written is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _to_utc(written: str | None) -> str | None:
    """A time of OCPI is one of UTC, also without the Z (2.2.1, section 16.5)."""
    return written if written is None or _OFFSET.search(written) else f"{written}Z"


def _format_hours(hours: Hours | None) -> str | None:
    """As OpenStreetMap writes opening hours."""
    if hours is None:
        return None
    if hours.twentyfourseven:
        return "24/7"
    said = [
        f"{_DAYS[each.weekday - 1]} {each.period_begin}-{each.period_end}"
        for each in hours.regular_hours or ()
        if 1 <= each.weekday <= len(_DAYS)
    ]
    return "; ".join(said) or None
