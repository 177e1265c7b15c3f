"""What a converter of parkapi-sources makes of an answer that has landed: its one request is given that answer.

Where the package knows no time of an occupancy, it stamps the moment of its own reading (0.24.0: Aalen, Ulm and
others); then the time is that at which the answer came.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import msgspec
from parkapi_sources import ParkAPISources
from parkapi_sources.exceptions import ImportException
from requests import Response
from requests.utils import get_encoding_from_headers
from validataclass.exceptions import ValidationError

from civitas_assets.catalog import Box
from civitas_assets.connectors.base import Payload, read_clock
from civitas_assets.connectors.mapping.service_rows import UNREADABLE, build_raw_table
from civitas_assets.connectors.parkapi.parkapi import BOTH, STATIC_DATA
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable

# What a converter meets in a body that it does not know, besides its own errors.
_FAULTS = (
    ImportException, ValidationError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
    RecursionError,
)  # fmt: skip
_SECOND = timedelta(seconds=1)  # which the package cuts from its times
_PURPOSES = {"CAR": "car", "BIKE": "bicycle", "MOTORCYCLE": "motorcycle"}
_TYPES = {
    "CAR_PARK": "car_park", "UNDERGROUND": "underground", "OFF_STREET_PARKING_GROUND": "off_street",
    "ON_STREET": "on_street", "OTHER": "other",
}  # fmt: skip
_OPEN = {"OPEN": "open", "CLOSED": "closed"}
_SITE = (
    "site_id", "name", "purpose", "site_type", "site_type_native", "capacity", "capacity_disabled", "max_height_cm",
    "has_fee", "is_park_and_ride", "address", "operator", "opening_hours", "lon", "lat",
)  # fmt: skip
_STATUS = ("site_id", "observed_at", "free", "capacity", "opening_status", "opening_status_native")
_SHOWN = 300
Found = tuple[Sequence[Any], Sequence[Any]]


@dataclass(frozen=True)
class _Parsed:
    """What a converter said of one kind: its items as mappings, and what it could not read."""

    items: list[Mapping[str, Any]]
    broken: list[BrokenRow]


def read_town(town: str, payload: Payload, box: Box | None) -> Iterator[RawTable]:
    """Sites and status in an answer of the town, as its role says, of what lies in the box.

    Raises:
        ReadError: nothing in it is what the package reads.
    """
    kinds = ("static", "realtime") if payload.role == BOTH else (payload.role,)
    outside = set[str]()
    for kind in kinds:
        parsed = _parse(town, kind, payload)
        if kind == "static":
            rows = [_build_site(town, item) for item in parsed.items]
            outside.update(str(row["site_id"]) for row in rows if not _is_in(box, row))
            columns: tuple[str, ...] = _SITE
        else:
            rows = [_build_status(town, item, payload.received_at) for item in parsed.items]
            columns = _STATUS
        inside = [row for row in rows if row["site_id"] not in outside]
        table = build_raw_table("parking_site" if kind == "static" else "parking_status", inside, columns)
        yield RawTable(table.record_type, table.frame, broken=tuple(parsed.broken))


def _parse(town: str, kind: str, payload: Payload) -> _Parsed:
    """What the converter reads of the whole; where it breaks off at an element, of each element by itself."""
    try:
        return _convert(town, kind, payload, payload.body)
    except _FAULTS as error:
        why = _describe(error)
    parts = _split(payload.body)
    whole = _Parsed([], [])
    for number, part in enumerate(parts, 1):
        try:
            found = _convert(town, kind, payload, part)
        except _FAULTS as error:
            raw = part.decode(errors="replace")[:_SHOWN]
            whole.broken.append(BrokenRow(number, "unreadable_element", _describe(error), raw))
        else:
            whole.items.extend(found.items)
            whole.broken.extend(found.broken)
    if not whole.items:
        raise ReadError(f"is not what parkapi-sources reads of {town}: {why}")
    return whole


def _split(body: bytes) -> list[bytes]:
    """A body with each of its elements alone, where it is a list or a collection of features."""
    try:
        document = msgspec.json.decode(body)
    except UNREADABLE:
        return []
    if isinstance(document, list):
        return [msgspec.json.encode([element]) for element in document]
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        return []
    return [msgspec.json.encode({**document, "features": [element]}) for element in features]


def _convert(town: str, kind: str, payload: Payload, body: bytes) -> _Parsed:
    package = ParkAPISources(config={"STATIC_GEOJSON_BASE_URL": STATIC_DATA}, converter_uids=[town])
    converter: Any = package.converter_by_uid[town]
    converter.request_get = lambda **_: _build_response(body, payload.content_type)
    began = read_clock() - _SECOND
    get: Callable[[], Found] = getattr(converter, f"get_{kind}_parking_sites")
    found, faults = get()
    ended = read_clock()
    items = list[Mapping[str, Any]]()
    for item in found:
        values = {name: _to_text(value) for name, value in item.to_dict().items()}
        at = values.get("realtime_data_updated_at")
        # The package's own clock; one that a town writes without a zone is none.
        if isinstance(at, datetime) and at.tzinfo is not None and began <= at <= ended:
            values["realtime_data_updated_at"] = payload.received_at
        items.append(values)
    broken = [
        BrokenRow(number, "refused_by_parkapi_sources", _describe(fault), "", _name_sites(town, fault))
        for number, fault in enumerate(faults, 1)
    ]
    return _Parsed(items, broken)


def _name_sites(town: str, fault: object) -> tuple[str, ...]:
    uid = getattr(fault, "parking_site_uid", None)
    return (f"{town}:{uid}",) if uid else ()


def _build_response(body: bytes, content_type: str) -> Response:
    """An answer as the package's library of HTTP gives it."""
    response = Response()
    response.status_code, response.raw = 200, io.BytesIO(body)
    response.headers["Content-Type"] = content_type
    response.encoding = get_encoding_from_headers(response.headers)
    return response


def _to_text(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:_SHOWN]


def _is_in(box: Box | None, row: Mapping[str, object]) -> bool:
    if box is None:
        return True
    west, south, east, north = box
    lon, lat = row["lon"], row["lat"]
    return isinstance(lon, float) and isinstance(lat, float) and west <= lon <= east and south <= lat <= north


def _build_site(town: str, item: Mapping[str, Any]) -> dict[str, object]:
    """Codes that the package leaves open or does not know are none; so is a list of park and ride that is empty."""
    lon, lat, rides = item.get("lon"), item.get("lat"), item.get("park_and_ride_type")
    kinds = {str(_to_text(one)) for one in rides or ()}
    return {
        "site_id": f"{town}:{item['uid']}",
        "name": item.get("name"),
        "purpose": _PURPOSES.get(str(item.get("purpose"))),
        "site_type": _TYPES.get(str(item.get("type"))),
        "site_type_native": item.get("type"),
        "capacity": item.get("capacity"),
        "capacity_disabled": item.get("capacity_disabled"),
        "max_height_cm": item.get("max_height") or None,
        "has_fee": item.get("has_fee"),
        "is_park_and_ride": "NO" not in kinds if kinds else None,
        "address": item.get("address"),
        "operator": item.get("operator_name"),
        "opening_hours": item.get("opening_hours"),
        "lon": None if lon is None else float(lon),
        "lat": None if lat is None else float(lat),
    }


def _build_status(town: str, item: Mapping[str, Any], received_at: datetime) -> dict[str, object]:
    at, opening = item.get("realtime_data_updated_at", received_at), item.get("realtime_opening_status")
    return {
        "site_id": f"{town}:{item['uid']}",
        "observed_at": at.isoformat() if isinstance(at, datetime) else at,
        "free": item.get("realtime_free_capacity"),
        "capacity": item.get("realtime_capacity"),
        "opening_status": _OPEN.get(str(opening)),
        "opening_status_native": opening,
    }
