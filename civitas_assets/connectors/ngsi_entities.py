"""NGSI entities as they come over the wire, in any of their forms, and the rows that they become.

Names and units follow the Smart Data Models; an attribute that is not one of theirs is still observed, and reported
where no seed knows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from civitas_assets.connectors.rows import decoded, number
from civitas_assets.errors import ReadError
from civitas_assets.records.raw import INTERVAL, RESULT

Entity = Mapping[str, Any]
Row = dict[str, object]

PARKING = frozenset({"OffStreetParking", "OnStreetParking"})
SITE = ("site_id", "name", "site_type", "site_type_native", "capacity", "max_height_cm", "lon", "lat")
STATUS = ("site_id", "observed_at", "free", "occupied", "capacity", "opening_status", "opening_status_native")
STATION = ("station_id", "name", "description", "lon", "lat")
DATASTREAM = ("datastream_id", "station_id", "name", "observed_property", "unit", "sensor")
OBSERVATION = ("datastream_id", INTERVAL, RESULT)

# What the models recommend where an attribute carries no unit. Pollutants have no such unit: they need their unitCode.
_UNITS = {
    "temperature": "Cel",
    "dewPoint": "Cel",
    "feelsLikeTemperature": "Cel",
    "relativeHumidity": "1",
    "atmosphericPressure": "hPa",
    "precipitation": "mm",
    "windSpeed": "m/s",
    "gustSpeed": "m/s",
    "windDirection": "deg",
    "solarRadiation": "W/m2",
    "illuminance": "lx",
    "snowHeight": "cm",
    "streamGauge": "cm",
    "intensity": "1",
    "occupancy": "1",
    "averageVehicleSpeed": "km/h",
    "LAeq": "dB[A]",
    "LAmax": "dB[A]",
    "uVIndexMax": "1",
}
_ABOUT = {
    *("id", "type", "@context", "location", "address", "dateObserved", "dateObservedFrom", "dateObservedTo"),
    *("dateCreated", "dateModified", "createdAt", "modifiedAt", "reliability", "laneId", "name", "refDevice"),
}
_TIME_AT_END = re.compile(r"[-:_]\d{4}-\d{2}-\d{2}T[\d:.]+Z?$")
_NO_OFFSET = re.compile(r"T[\d:.]+$")
_OPENING = {
    "open": "open",
    "spacesAvailable": "open",
    "almostFull": "open",
    "full": "open",
    "closed": "closed",
}


def decode(body: bytes) -> list[Entity]:
    """The entities of a page.

    Raises:
        ReadError: it is no list of objects with id and type.
    """
    found: list[Entity] = decoded(body, list[dict[str, Any]], "a context broker")
    for entity in found:
        if not isinstance(entity.get("id"), str) or not kind_of(entity):
            raise ReadError("has an entity without id or type")
    return found


def kind_of(entity: Entity) -> str:
    """The type without its namespace; empty if there is none."""
    kind = entity.get("type")
    first = kind[0] if isinstance(kind, list) and kind else kind
    return re.split(r"[/#:]", first)[-1] if isinstance(first, str) else ""


def value_of(attribute: Any) -> Any:
    """The value of an attribute in normalised, concise or plain form, without its JSON-LD type."""
    if isinstance(attribute, dict):
        for key in ("value", "object"):
            if key in attribute:
                return value_of(attribute[key]) if isinstance(attribute[key], dict) else attribute[key]
        if "@value" in attribute:
            return attribute["@value"]
    return attribute


def station(entity: Entity) -> Row:
    """Where an entity observes: its device, else itself, without the time that some publishers put into the id."""
    lon, lat = _point(entity)
    return {
        "station_id": _station_id(entity),
        "name": _text(entity, "stationName") or _text(entity, "name"),
        "description": _text(entity, "description"),
        "lon": lon,
        "lat": lat,
    }


def measures(entity: Entity, skip: Sequence[str]) -> list[Row]:
    """One row per attribute with a number, for its datastream and its observation."""
    key, name = (
        _station_id(entity),
        _text(entity, "stationName") or _text(entity, "name") or _station_id(entity),
    )
    rows: list[Row] = []
    for attribute, content in entity.items():
        if attribute in _ABOUT or attribute in skip:
            continue
        for instance in _instances(content):
            value = _number(value_of(instance))
            if value is None:
                continue
            details = instance if isinstance(instance, dict) else {}
            data_set = details.get("datasetId")
            rows.append(
                {
                    "datastream_id": "/".join(str(part) for part in (key, attribute, data_set) if part),
                    "station_id": key,
                    "name": f"{attribute} {name}",
                    "observed_property": attribute,
                    "unit": _unit(details) or _UNITS.get(attribute),
                    "sensor": _reference(entity, "refDevice"),
                    INTERVAL: _time(details.get("observedAt")) or _time_of(entity, details),
                    RESULT: value,
                }
            )
    return rows


def site(entity: Entity) -> Row:
    """A parking entity as a site."""
    lon, lat = _point(entity)
    given = value_of(entity.get("category"))
    categories = [text for text in (given if isinstance(given, list) else [given]) if isinstance(text, str)]
    height = number(_scalar(entity, "maximumAllowedHeight"))
    on_street = kind_of(entity) == "OnStreetParking"
    return {
        "site_id": entity["id"],
        "name": _text(entity, "name"),
        "site_type": "on_street"
        if on_street
        else "underground"
        if "underground" in categories
        else "off_street",
        "site_type_native": ", ".join([kind_of(entity), *categories]),
        "capacity": _count(entity, "totalSpotNumber"),
        "max_height_cm": None if height is None else round(height * 100),
        "lon": lon,
        "lat": lat,
    }


def status(entity: Entity) -> Row | None:
    """How full a parking entity is; None where it does not say."""
    free, occupied = _count(entity, "availableSpotNumber"), _count(entity, "occupiedSpotNumber")
    native = value_of(entity.get("status"))
    codes = [text for text in (native if isinstance(native, list) else [native]) if isinstance(text, str)]
    if free is None and occupied is None and not codes:
        return None
    known = {_OPENING[code] for code in codes if code in _OPENING}
    return {
        "site_id": entity["id"],
        "observed_at": _instant(entity),
        "free": free,
        "occupied": occupied,
        "capacity": _count(entity, "totalSpotNumber"),
        "opening_status": "closed"
        if "closed" in known
        else "open"
        if known
        else "unknown"
        if codes
        else None,
        "opening_status_native": ", ".join(codes) or None,
    }


def _instances(content: Any) -> Iterator[Any]:
    """The instances of an attribute: several where data sets or a list of properties are given."""
    if isinstance(content, list):
        yield from (part for part in content if isinstance(part, dict) and "value" in part)
    else:
        yield content


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    return None if number(value) is None else str(value)


def _unit(details: Mapping[str, Any]) -> str | None:
    """The code of the unit, from the attribute or, in NGSI-v2, from its metadata."""
    metadata = details.get("metadata")
    given = details.get("unitCode") or (metadata.get("unitCode") if isinstance(metadata, dict) else None)
    code = value_of(given)
    return code if isinstance(code, str) else None


def _time_of(entity: Entity, details: Mapping[str, Any]) -> str | None:
    metadata = details.get("metadata")
    stamped = metadata.get("TimeInstant") if isinstance(metadata, dict) else None
    first, last = (_time(value_of(entity.get(f"dateObserved{end}"))) for end in ("From", "To"))
    interval = f"{first}/{last}" if first and last else first
    return _time(value_of(stamped)) or interval or _time(value_of(entity.get("dateObserved")))


def _instant(entity: Entity) -> Any:
    """When a parking status was true, as an instant."""
    for name in ("availableSpotNumber", "occupiedSpotNumber", "status"):
        attribute = entity.get(name)
        if isinstance(attribute, dict) and (time := _time(attribute.get("observedAt"))):
            return time
    names = ("occupancyModified", "observationDateTime", "dateObserved", "dateModified", "modifiedAt")
    return next((time for name in names if (time := _time(value_of(entity.get(name))))), None)


def _time(text: Any) -> str | None:
    """ISO 8601 with an offset; times without one are UTC, as the standard asks for."""
    if not isinstance(text, str) or not text:
        return None
    parts = [f"{part}Z" if _NO_OFFSET.search(part) else part for part in text.split("/")]
    return "/".join(parts)


def _station_id(entity: Entity) -> str:
    return (
        _reference(entity, "refDevice") or _text(entity, "stationCode") or _TIME_AT_END.sub("", entity["id"])
    )


def _reference(entity: Entity, name: str) -> str | None:
    value = value_of(entity.get(name))
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, str) and first else None


def _text(entity: Entity, name: str) -> str | None:
    value = value_of(entity.get(name))
    return value if isinstance(value, str) and value else None


def _scalar(entity: Entity, name: str) -> Any:
    value = value_of(entity.get(name))
    return value if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None


def _count(entity: Entity, name: str) -> int | None:
    value = number(_scalar(entity, name))
    return None if value is None else round(value)


def _point(entity: Entity) -> tuple[float | None, float | None]:
    location = value_of(entity.get("location"))
    if isinstance(location, dict) and location.get("type") == "Point":
        match location.get("coordinates"):
            case [int() | float() as lon, int() | float() as lat, *_]:
                return float(lon), float(lat)
    return None, None
