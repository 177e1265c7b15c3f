"""Whatever a SensorThings 1.1 service legally holds, and however it pages, is what lands, or it is told.

Entities follow the tables of OGC 18-088 (8.2), query options section 9.3, paging 9.3.3.6 (`@iot.nextLink`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.landing import END, HOST, START, answer, land

ROOT = f"{HOST}/v1.1"
_SPAN = re.compile(r"phenomenonTime ge (\S+) and (?:phenomenonTime lt (\S+)|not \(phenomenonTime ge (\S+)\))")
_SAFE = "$',()/:="
_OF = re.compile(r"/v1\.1/(\w+)\((.+)\)/(\w+)$")


@dataclass(frozen=True)
class Paging:
    """How a service cuts collections: at most `ceiling` entities, linked so, with totals or without."""

    ceiling: int
    relative: bool
    opaque: bool
    counts: bool
    arrays: bool
    empty_last: bool


class SensorThings:
    """A service that holds things with their datastreams and observations."""

    def __init__(self, things: list[dict[str, Any]], paging: Paging) -> None:
        self._things, self._paging = things, paging
        self._tokens: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        parts = urlsplit(str(request.url))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if "$skiptoken" in query:
            parts = urlsplit(self._tokens[int(query["$skiptoken"])])
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.rstrip("/") == "/v1.1":
            names = ["Things", "Datastreams", "Observations", "Locations", "Sensors", "ObservedProperties"]
            found: dict[str, Any] = {"value": [{"name": name, "url": f"{ROOT}/{name}"} for name in names]}
            if self._paging.arrays:
                conforms = "http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array"
                found["serverSettings"] = {"conformance": [conforms]}
            return answer(found)
        if parts.path == "/v1.1/Things":
            page = self._page(self._things, query, parts.path)
            page["value"] = [self._thing(thing) for thing in page["value"]]
            return answer(page)
        of = _OF.match(httpx2.URL(f"{HOST}{parts.path}").path)
        if of and of[1] == "Datastreams" and of[3] == "Observations":
            stream = self._find(of[2])
            return answer(self._observations(stream, query, parts.path)) if stream else answer({}, status=404)
        if of and of[1] == "Things" and of[3] == "Datastreams":
            thing = next(thing for thing in self._things if _key(thing["@iot.id"]) == of[2])
            page = self._page(thing["Datastreams"], query, parts.path)
            page["value"] = [self._stream(stream) for stream in page["value"]]
            return answer(page)
        return answer({"message": "Not found."}, status=404)

    def _thing(self, thing: dict[str, Any]) -> dict[str, Any]:
        streams = thing["Datastreams"]
        shown = dict(thing, Datastreams=[self._stream(stream) for stream in streams[: self._paging.ceiling]])
        if len(streams) > self._paging.ceiling:
            path = f"/v1.1/Things({_key(thing['@iot.id'])})/Datastreams"
            shown["Datastreams@iot.nextLink"] = self._link(
                path, {"$expand": "ObservedProperty,Sensor"}, self._paging.ceiling
            )
        return shown

    def _stream(self, stream: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in stream.items() if name != "Observations"}

    def _find(self, key: str) -> dict[str, Any] | None:
        streams = (stream for thing in self._things for stream in thing["Datastreams"])
        return next((stream for stream in streams if _key(stream["@iot.id"]) == key), None)

    def _observations(self, stream: dict[str, Any], query: dict[str, str], path: str) -> dict[str, Any]:
        span = _SPAN.search(query.get("$filter", ""))
        found = stream["Observations"]
        if span:
            start, end = (datetime.fromisoformat(at) for at in (span[1], span[2] or span[3]))
            found = [
                o for o in found if start <= datetime.fromisoformat(o["phenomenonTime"].split("/")[0]) < end
            ]
        found = sorted(found, key=lambda o: datetime.fromisoformat(o["phenomenonTime"].split("/")[0]))
        page = self._page(found, query, path)
        if query.get("$resultFormat") == "dataArray":
            names = ["id", "phenomenonTime", "resultTime", "result"]
            rows = [
                [o["@iot.id"], o["phenomenonTime"], o.get("resultTime"), o["result"]] for o in page["value"]
            ]
            page["value"] = (
                [{"components": names, "dataArray@iot.count": len(rows), "dataArray": rows}] if rows else []
            )
        return page

    def _page(self, entities: list[dict[str, Any]], query: dict[str, str], path: str) -> dict[str, Any]:
        skip, top = int(query.get("$skip", 0)), int(query.get("$top", 100))
        size = min(top, self._paging.ceiling)
        page: dict[str, Any] = {"value": entities[skip : skip + size]}
        if self._paging.counts:
            page["@iot.count"] = len(entities)
        left = len(entities) - skip - size
        if left > 0 or (left == 0 and self._paging.empty_last and size):
            page["@iot.nextLink"] = self._link(path, query, skip + size)
        return page

    def _link(self, path: str, query: dict[str, str], skip: int) -> str:
        query = dict(query, **{"$skip": str(skip)})
        text = "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in query.items())
        link = f"{path}?{text}"
        if self._paging.opaque:
            self._tokens.append(link)
            link = f"{path}?$skiptoken={len(self._tokens) - 1}"
        return link if self._paging.relative else f"{HOST}{link}"


def _key(key: int | str) -> str:
    return str(key) if isinstance(key, int) else "'" + key.replace("'", "''") + "'"


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
IDS = st.one_of(
    st.lists(st.integers(1, 2**53), min_size=20, max_size=20, unique=True),
    st.lists(st.uuids().map(str), min_size=20, max_size=20, unique=True),
    st.lists(st.integers(0, 999).map(lambda n: f"o'{n} ä/b"), min_size=20, max_size=20, unique=True),
)
POINT = st.tuples(st.floats(7.01, 7.99), st.floats(51.01, 51.99)).map(
    lambda p: [round(p[0], 6), round(p[1], 6)]
)
GEOMETRY = st.one_of(
    POINT.map(lambda p: {"type": "Point", "coordinates": p}),
    POINT.map(lambda p: {"type": "Point", "coordinates": [*p, 61.5]}),
    POINT.map(
        lambda p: {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": p}}
    ),
    POINT.map(lambda p: {"type": "LineString", "coordinates": [p, [p[0] + 0.001, p[1] + 0.001]]}),
    POINT.map(
        lambda p: {"type": "Polygon", "coordinates": [[p, [p[0] + 0.001, p[1]], [p[0], p[1] + 0.001], p]]}
    ),
)
UNITS = st.sampled_from(
    [
        {"name": "Degree Celsius", "symbol": "°C", "definition": "http://qudt.org/vocab/unit/DEG_C"},
        {"name": "Percent", "symbol": "%", "definition": "http://qudt.org/vocab/unit/PERCENT"},
        {"name": None, "symbol": None, "definition": None},
    ]
)
ZONES = st.sampled_from([timezone(timedelta(minutes=minutes)) for minutes in (0, 120, -300, 345)])
RESULTS = st.one_of(
    st.integers(-1000, 1000),
    st.floats(-1e6, 1e6).map(lambda x: round(x, 4)),
    TEXT.map(lambda t: f"x{t}"),
    st.none(),
)


@st.composite
def services(draw: st.DrawFn) -> tuple[SensorThings, dict[tuple[str, datetime], Any], set[str]]:
    """A service, the values that it holds in the window by datastream and time, and its stations."""
    ids = iter(draw(IDS))
    values: dict[tuple[str, datetime], Any] = {}
    things = []
    for _ in range(draw(st.integers(1, 4))):
        streams = []
        for _ in range(draw(st.integers(0, 4))):
            key = next(ids)
            seconds = draw(
                st.lists(
                    st.integers(-3600, int((END - START).total_seconds()) + 3600), max_size=6, unique=True
                )
            )
            lasts = draw(st.booleans())
            observations = []
            for number, at in enumerate(seconds):
                time = START + timedelta(seconds=at)
                shown = time.astimezone(draw(ZONES))
                text = shown.isoformat(timespec=draw(st.sampled_from(["seconds", "milliseconds"])))
                if shown.utcoffset() == timedelta(0):
                    text = text.replace("+00:00", "Z")
                if lasts:
                    text += f"/{(shown + timedelta(minutes=5)).isoformat()}"
                result = draw(RESULTS)
                observations.append(
                    {"@iot.id": number, "phenomenonTime": text, "resultTime": None, "result": result}
                )
                if START <= time < END and result is not None:
                    values[str(key), time] = result
            stream = {
                "@iot.id": key,
                "name": draw(TEXT),
                "description": "",
                "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
                "unitOfMeasurement": draw(UNITS),
                "ObservedProperty": {"@iot.id": 1, "name": draw(TEXT), "definition": "", "description": ""},
                "Sensor": {"@iot.id": 1, "name": draw(TEXT)},
                "Observations": observations,
            }
            streams.append(stream)
        things.append(
            {
                "@iot.id": next(ids),
                "name": draw(TEXT),
                "description": draw(TEXT),
                "properties": draw(st.sampled_from([{}, None, {"a": {"b": 1}}])),
                "Locations": [
                    {"@iot.id": 1, "name": "", "encodingType": "application/geo+json", "location": geometry}
                    for geometry in draw(st.lists(GEOMETRY, max_size=1))
                ],
                "Datastreams": streams,
            }
        )
    paging = draw(st.builds(Paging, st.integers(1, 4), *[st.booleans()] * 5))
    return SensorThings(things, paging), values, {str(thing["@iot.id"]) for thing in things}


@settings(settings.get_profile("conformance"))
@given(services())
def test_what_a_service_holds_is_what_lands(
    found: tuple[SensorThings, dict[tuple[str, datetime], Any], set[str]],
) -> None:
    service, values, stations = found
    night = land({"connector": "sensorthings", "url": ROOT}, service)
    landed = {
        (key, at): text if value is None else value
        for key, at, value, text in night.rows(
            "observation", "datastream_id", "phenomenon_start", "value", "value_text"
        )
        if START <= at < END  # a slice is of fixed days and may be larger than the window
    }
    assert {key for (key,) in night.rows("station", "station_id")} == stations, night.told
    assert landed == values, night.told
