"""A sample context broker that speaks NGSI-LD: what its sensors measured last, type by type and page by page.

As real brokers do, it gives twenty entities where nobody asks for more, and counts them on request only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from civitas_assets.demo.generator import SampleStation, Series, Town, make_observations

Json = dict[str, object]

_DEFAULT_PAGE = 20
_TYPES = {"AirQualityObserved": "air", "WeatherObserved": "weather"}
# Native name of the generator: attribute and unit by Smart Data Models and UN/CEFACT.
_ATTRIBUTES = {
    "PM10": ("pm10", "GQ"),
    "PM2.5": ("pm25", "GQ"),
    "NO2": ("no2", "GQ"),
    "O3": ("o3", "GQ"),
    "Lufttemperatur": ("temperature", "CEL"),
    "rel. Luftfeuchte": ("relativeHumidity", "P1"),
    "Luftdruck": ("atmosphericPressure", "A97"),
}
_AIR = {"pm10", "pm25", "no2", "o3"}


def list_page_entities(
    town: Town, query: Mapping[str, str], today: date
) -> tuple[list[Json], dict[str, str]]:
    """A page of entities of one type, and the headers that it comes with."""
    kind = query.get("type", "")
    found = [_entity(town, pole, kind, today) for pole in town.poles] if kind in _TYPES else []
    offset, limit = int(query.get("offset", "0")), int(query.get("limit", str(_DEFAULT_PAGE)))
    headers = {"NGSILD-Results-Count": str(len(found))} if query.get("count") == "true" else {}
    return found[offset : offset + limit], headers


def _entity(town: Town, pole: SampleStation, kind: str, today: date) -> Json:
    entity: Json = {
        "id": f"urn:ngsi-ld:{kind}:{town.name}:{pole.key}",
        "type": kind,
        "name": {"type": "Property", "value": pole.name},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [pole.lon, pole.lat]}},
    }
    for series in pole.series:
        name, unit = _ATTRIBUTES[series.name]
        if (name in _AIR) == (_TYPES[kind] == "air"):
            entity[name] = _property(town, pole, series, unit, today)
    return entity


def _property(town: Town, pole: SampleStation, series: Series, unit: str, today: date) -> Json:
    moment, value = next(
        (moment, value)
        for moment, value in reversed([*make_observations(town, pole, series, today)])
        if value is not None
    )
    return {
        "type": "Property",
        "value": value,
        "unitCode": unit,
        "observedAt": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    }
