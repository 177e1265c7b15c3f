"""Whatever form a context broker gives attributes in, and however it pages, is what lands, or it is told.

Forms follow ETSI GS CIM 009: normalised, concise and simplified (4.5), data sets (4.5.5), paging (5.5.9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.landing import END, HOST, START, answer, land

_SECONDS = int((END - START).total_seconds())
UNITS = {"temperature": "CEL", "relativeHumidity": "P1", "windSpeed": "MTS", "atmosphericPressure": "A97"}


@dataclass(frozen=True)
class Broker:
    """Serves a list of entities by offset and limit, with a ceiling of its own, a count, and links to next pages."""

    entities: tuple[Mapping[str, Any], ...]
    ceiling: int
    counts: bool
    links: bool

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        parts = urlsplit(str(request.url))
        if not parts.path.endswith("/entities"):
            return answer({"title": "Not Found"}, status=404)
        asked = request.url.params
        kind, offset = asked.get("type"), int(asked.get("offset", "0"))
        size = min(int(asked.get("limit", "20")), self.ceiling)
        found = [
            e for e in self.entities if kind in (e["type"] if isinstance(e["type"], list) else [e["type"]])
        ]
        headers = (
            {"NGSILD-Results-Count": str(len(found))} if self.counts and asked.get("count") == "true" else {}
        )
        if self.links and offset + size < len(found):
            query = f"type={kind}&limit={size}&offset={offset + size}&count=true"
            headers["Link"] = f'<{parts.path}?{query}>; rel="next"; type="application/json"'
        return answer(found[offset : offset + size], headers)


@st.composite
def attributes(draw: st.DrawFn, value: Any, unit: str | None = None, at: str | None = None) -> Any:
    """The attribute in one of its forms: with its time where it has one."""
    about = {name: said for name, said in (("unitCode", unit), ("observedAt", at)) if said}
    normalised = {"type": "Property", "value": value, **about}
    other = {"type": "Property", "value": -77, "datasetId": "urn:ngsi-ld:Dataset:forecast", **about}
    forms = [normalised, {"value": value, **about}, [normalised], [normalised, other], [other, normalised]]
    return draw(st.sampled_from(forms))


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8).map(
    "x{}".format
)
POINTS = st.tuples(st.floats(7.01, 7.99), st.floats(51.01, 51.99)).map(
    lambda p: (round(p[0], 6), round(p[1], 6))
)
NUMBERS = st.one_of(st.integers(-500, 500), st.floats(-500, 500).map(lambda x: round(x, 3)))


@st.composite
def locations(draw: st.DrawFn, lon: float, lat: float) -> Any:
    point = {"type": "Point", "coordinates": [lon, lat]}
    return draw(st.sampled_from([{"type": "GeoProperty", "value": point}, {"value": point}, point]))


@st.composite
def names(draw: st.DrawFn, text: str) -> Any:
    """A name: as a property in each form, or in several languages."""
    languages = {"languageMap": {"en": "other", "de": text}}
    forms = [
        {"type": "Property", "value": text},
        {"value": text},
        text,
        {"type": "LanguageProperty", **languages},
        languages,
    ]
    return draw(st.sampled_from(forms))


@st.composite
def types(draw: st.DrawFn, kind: str) -> Any:
    return draw(st.sampled_from([kind, [kind], [kind, "Device"], ["Infrastructure", kind]]))


@st.composite
def brokers(draw: st.DrawFn, entities: list[dict[str, Any]]) -> Broker:
    return draw(st.builds(Broker, st.just(tuple(entities)), st.integers(1, 5), st.booleans(), st.booleans()))


@st.composite
def weather(
    draw: st.DrawFn,
) -> tuple[Broker, dict[tuple[str, str, datetime], float], dict[str, tuple[float, float]]]:
    """Weather stations with attributes of a time each, what they measure, and where."""
    values, places, entities = {}, {}, []
    for number in range(draw(st.integers(1, 9))):
        key = f"urn:ngsi-ld:WeatherObserved:{number}"
        lon, lat = draw(POINTS)
        entity: dict[str, Any] = {
            "id": key,
            "type": draw(types("WeatherObserved")),
            "location": draw(locations(lon, lat)),
        }
        own = START + timedelta(seconds=draw(st.integers(0, _SECONDS - 1)))
        stamp = own.isoformat().replace("+00:00", "Z")
        entity["dateObserved"] = draw(
            st.sampled_from(
                [
                    {"type": "Property", "value": {"@type": "DateTime", "@value": stamp}},
                    {"value": stamp},
                    stamp,
                ]
            )
        )
        for name in draw(st.sets(st.sampled_from([*UNITS]), min_size=1)):
            value = draw(NUMBERS)
            at = START + timedelta(seconds=draw(st.integers(0, _SECONDS - 1)))
            if draw(st.booleans()):
                entity[name] = draw(attributes(value, UNITS[name], at.isoformat().replace("+00:00", "Z")))
            else:
                entity[name], at = draw(st.one_of(attributes(value, UNITS[name]), st.just(value))), own
            values[key, name, at] = float(value)
        places[key] = lon, lat
        entities.append(entity)
    return draw(brokers(entities)), values, places


@settings(settings.get_profile("conformance"))
@given(weather())
def test_what_entities_measure_is_what_lands(
    found: tuple[Broker, dict[tuple[str, str, datetime], float], dict[str, tuple[float, float]]],
) -> None:
    broker, values, places = found
    night = land({"connector": "ngsi_ld", "url": f"{HOST}/ngsi-ld/v1", "types": ("WeatherObserved",)}, broker)
    assert {
        key: (lon, lat) for key, lon, lat in night.rows("station", "station_id", "lon", "lat")
    } == places, night.told
    streams = dict(night.rows("datastream", "datastream_id", "observed_property"))
    stations = dict(night.rows("datastream", "datastream_id", "station_id"))
    landed = {
        (stations[key], streams[key].rpartition(":")[2].rpartition(".")[2], at): value
        for key, at, value in night.rows("observation", "datastream_id", "phenomenon_start", "value")
        if value != -77 or "forecast" not in key
    }
    assert landed == values, night.told


STATUS = {"open": "open", "closed": "closed"}


@st.composite
def parking(draw: st.DrawFn) -> tuple[Broker, dict[str, tuple[str, int, int]]]:
    """Car parks with their name, spaces and how many are free."""
    expected, entities = {}, []
    for number in range(draw(st.integers(1, 9))):
        key, name, total = f"urn:ngsi-ld:OffStreetParking:{number}", draw(WORDS), draw(st.integers(1, 900))
        free = draw(st.integers(0, total))
        stamp = (
            (START + timedelta(seconds=draw(st.integers(0, _SECONDS - 1)))).isoformat().replace("+00:00", "Z")
        )
        lon, lat = draw(POINTS)
        entities.append(
            {
                "id": key,
                "type": draw(types("OffStreetParking")),
                "name": draw(names(name)),
                "location": draw(locations(lon, lat)),
                "totalSpotNumber": draw(st.one_of(attributes(total), st.just(total))),
                "availableSpotNumber": draw(attributes(free, at=stamp)),
            }
        )
        expected[key] = name, total, free
    return draw(brokers(entities)), expected


@settings(settings.get_profile("conformance"))
@given(parking())
def test_car_parks_land_with_their_names_and_free_spaces(
    found: tuple[Broker, dict[str, tuple[str, int, int]]],
) -> None:
    broker, expected = found
    night = land(
        {"connector": "ngsi_ld", "url": f"{HOST}/ngsi-ld/v1", "types": ("OffStreetParking",)}, broker
    )
    free = dict(night.rows("parking_status", "site_id", "free"))
    landed = {
        key: (name, total, free[key])
        for key, name, total in night.rows("parking_site", "site_id", "name", "capacity")
    }
    assert landed == expected, night.told


def test_a_warning_of_the_broker_is_told() -> None:
    entity = {"id": "urn:e:1", "type": "WeatherObserved", "temperature": {"type": "Property", "value": 1}}
    broker = Broker((entity,), ceiling=100, counts=True, links=False)

    def warning(request: httpx2.Request) -> httpx2.Response:
        response = broker(request)
        response.headers["NGSILD-Warning"] = '110 east.example "Response is Stale"'
        return response

    night = land({"connector": "ngsi_ld", "types": ("WeatherObserved",)}, warning)
    assert any('WeatherObserved: 110 east.example "Response is Stale"' in told for told in night.told)
