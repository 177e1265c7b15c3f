"""NGSI entities as they come over the wire: normalised, concise or plain, current or as they were over time.

What their attributes mean is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from civitas_assets.connectors.rows import decoded, number
from civitas_assets.errors import ReadError

Entity = Mapping[str, Any]
Row = dict[str, object]

_NOTHING = "urn:ngsi-ld:null"
_NO_OFFSET = re.compile(r"T[\d:.]+$")
# When an entity was as it says, where its attributes do not say it.
_MOMENTS = (
    *("occupancyModified", "observationDateTime", "observationDate", "dateObserved"),
    *("TimeInstant", "timeInstant", "dateModified", "modifiedAt"),
)


def decode(body: bytes) -> list[Entity]:
    """The entities of a page, or the one that was asked for.

    Raises:
        ReadError: it is no list of objects with id and type.
    """
    page: list[Entity] | Entity = decoded(body, list[dict[str, Any]] | dict[str, Any], "a context broker")
    found = page if isinstance(page, list) else [page]
    for entity in found:
        if not isinstance(entity.get("id"), str) or not kind_of(entity):
            raise ReadError("has an entity without id or type")
    return found


def kind_of(entity: Entity) -> str:
    """The type without its namespace; empty if there is none."""
    kind = entity.get("type")
    first = kind[0] if isinstance(kind, list) and kind else kind
    return re.split(r"[/#:]", first)[-1] if isinstance(first, str) else ""


def instances(content: Any) -> Iterator[Any]:
    """The instances of an attribute: several over time, for data sets, or as pairs of value and time.

    Where the attribute was deleted there is none.
    """
    if isinstance(content, list):
        for part in content:
            if isinstance(part, dict):
                yield from instances(part)
    elif not isinstance(content, dict):
        yield content
    elif content.get("type") == "Property" and isinstance(content.get("values"), list):
        about = {name: value for name, value in content.items() if name != "values"}
        for pair in content["values"]:
            if isinstance(pair, list) and len(pair) > 1:
                yield from instances({**about, "value": pair[0], "observedAt": pair[1]})
    elif "deletedAt" not in content and content.get("value") != _NOTHING:
        yield content


def value_of(attribute: Any) -> Any:
    """The value of an attribute in normalised, concise or plain form, without its JSON-LD type."""
    if isinstance(attribute, dict):
        for key in ("value", "object"):
            if key in attribute:
                return value_of(attribute[key]) if isinstance(attribute[key], dict) else attribute[key]
        if "@value" in attribute:
            return attribute["@value"]
    return attribute


def metadata_of(attribute: Any, name: str) -> Any:
    """What an attribute says besides its value: a member in NGSI-LD, metadata in NGSI-v2."""
    if not isinstance(attribute, dict):
        return None
    metadata = attribute.get("metadata")
    return value_of(attribute.get(name) or (metadata.get(name) if isinstance(metadata, dict) else None))


def time(text: Any) -> str | None:
    """ISO 8601 with an offset, as an instant or as start/end; times without one are UTC, as the standard asks for."""
    if not isinstance(text, str) or not text:
        return None
    return "/".join(f"{part}Z" if _NO_OFFSET.search(part) else part for part in text.split("/"))


def instant(entity: Entity, *attributes: str) -> str | None:
    """When an entity was as it says: the time of the first of the attributes that has one, else its own."""
    observed = (time(metadata_of(entity.get(name), "observedAt")) for name in attributes)
    stamped = (time(metadata_of(entity.get(name), "TimeInstant")) for name in attributes)
    own = (time(value_of(entity.get(name))) for name in _MOMENTS)
    found = next((moment for moments in (observed, stamped, own) for moment in moments if moment), None)
    return found and found.rpartition("/")[2]


def text(entity: Entity, *names: str) -> str | None:
    """The first of the attributes that is a text."""
    values = (value_of(entity.get(name)) for name in names)
    return next((value for value in values if isinstance(value, str) and value), None)


def texts(entity: Entity, name: str) -> list[str]:
    """An attribute that is a text or a list of them."""
    given = value_of(entity.get(name))
    return [value for value in (given if isinstance(given, list) else [given]) if isinstance(value, str)]


def address(entity: Entity) -> str | None:
    """The postal address in one line."""
    given = value_of(entity.get("address"))
    if not isinstance(given, dict):
        return text(entity, "address")
    town = " ".join(part for name in ("postalCode", "addressLocality") if (part := text(given, name)))
    return ", ".join(part for part in (text(given, "streetAddress"), town) if part) or None


def reference(entity: Entity, name: str) -> str | None:
    """The entity that an attribute refers to, the first of several."""
    return next((value for value in texts(entity, name) if value), None)


def measure(entity: Entity, name: str) -> float | None:
    """A number, which may be written as text."""
    value = value_of(entity.get(name))
    return number(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None


def count(entity: Entity, name: str) -> int | None:
    """A whole number, which may be written as text."""
    value = measure(entity, name)
    return None if value is None else round(value)


def point(entity: Entity) -> tuple[float | None, float | None]:
    """Longitude and latitude, where the location is a point."""
    location = value_of(entity.get("location"))
    if isinstance(location, dict) and location.get("type") == "Point":
        match location.get("coordinates"):
            case [int() | float() as lon, int() | float() as lat, *_]:
                return float(lon), float(lat)
    return None, None
