"""What entities of SensorThings say of stations, datastreams and properties, with the terms of their sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MARK = "civitas_key"  # the property of an entity by which it is found again
_MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"


def build_mark(tenant: str, entity_set: str, key: str) -> str:
    """What the property `MARK` of an entity says: several tenants may share a server."""
    return f"{tenant}/{entity_set}/{key}"


def _describe_terms(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: row[name] for name in ("licence", "licence_url", "attribution", "notice") if row.get(name)}


def describe_thing(row: Mapping[str, Any]) -> dict[str, Any]:
    """A station as a Thing with its Location; without one, where nobody knows it."""
    name, point = row["name"] or row["station_id"], [row["lon"], row["lat"]]
    place = {"type": "Point", "coordinates": point}
    location = {"name": name, "description": name, "encodingType": "application/geo+json", "location": place}
    is_placed = row["lon"] is not None
    return {
        "name": name,
        "description": row["description"] or name,
        "properties": {
            "station_id": row["station_id"],
            **({"position": point} if is_placed else {}),
            **_describe_terms(row),
        },
        "Locations": [location] if is_placed else [],
    }


def describe_sensor(name: str) -> dict[str, Any]:
    """A Sensor, of which no more than its name is known."""
    return {"name": name, "description": name, "encodingType": "text/html", "metadata": "-"}


def describe_property(code: str, names: Mapping[str, str]) -> dict[str, Any]:
    """An observed property by its code."""
    name = names.get(code, code)
    return {"name": code, "definition": f"urn:civitas-assets:observed-property:{code}", "description": name}


def describe_stream(row: Mapping[str, Any]) -> dict[str, Any]:
    """A datastream, without the entities that it belongs to."""
    name, unit = row["name"] or row["datastream_id"], row["unit"] or ""
    return {
        "name": name,
        "description": row["description"] or name,
        "observationType": _MEASUREMENT,
        "unitOfMeasurement": {
            "name": unit,
            "symbol": unit,
            "definition": f"https://unitsofmeasure.org/ucum#{unit}",
        },
        "properties": {"datastream_id": row["datastream_id"], **_describe_terms(row)},
    }
