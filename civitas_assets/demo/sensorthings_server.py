"""A sample SensorThings service: the part of the standard that a reader of observations needs.

It pages, links, filters by time and offers data arrays as real services do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from urllib.parse import quote

from civitas_assets.demo.generator import SampleStation, Town, find_extent, make_observations

DATA_ARRAYS = "http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array"
_BETWEEN = re.compile(r"phenomenonTime ge (\S+) and phenomenonTime lt (\S+)")
_DATASTREAM = re.compile(r"/Datastreams\((\d+)\)/Observations")

Json = dict[str, object]


def answer_sensorthings(
    town: Town, root: str, path: str, query: Mapping[str, str], today: date
) -> Json | None:
    """What the service says to a path below its root; None where there is nothing."""
    if path in {"", "/"}:
        return {"value": [], "serverSettings": {"conformance": [DATA_ARRAYS]}}
    if path == "/Things":
        return {"value": [_thing(station, today) for station in town.stations]}
    match = _DATASTREAM.fullmatch(path)
    found = {_key(s, n): (s, series) for s in town.stations for n, series in enumerate(s.series)}
    if match is None or int(match[1]) not in found:
        return None
    station, series = found[int(match[1])]
    return _page(list(make_observations(town, station, series, today)), f"{root}{path}", query)


def _key(station: SampleStation, number: int) -> int:
    return station.key * 100 + number


def _thing(station: SampleStation, today: date) -> Json:
    first, last = find_extent(today)
    return {
        "@iot.id": station.key,
        "name": station.name,
        "description": "Synthetische Messstation",
        "Locations": [{"location": {"type": "Point", "coordinates": [station.lon, station.lat]}}],
        "Datastreams": [
            {
                "@iot.id": _key(station, number),
                "name": f"{series.name} {station.name}",
                "unitOfMeasurement": {"name": series.unit, "symbol": series.unit, "definition": None},
                "ObservedProperty": {"name": series.name},
                "Sensor": {"name": "Zufallsgenerator"},
                "phenomenonTime": f"{first}T00:00:00Z/{last}T23:59:59Z",
            }
            for number, series in enumerate(station.series)
        ],
    }


def _page(values: Sequence[tuple[datetime, float | None]], address: str, query: Mapping[str, str]) -> Json:
    between = _BETWEEN.search(query.get("$filter", ""))
    start, end = (datetime.fromisoformat(text) for text in between.groups()) if between else (None, None)
    rows = [
        (int(moment.timestamp()), f"{moment:%Y-%m-%dT%H:%M:%SZ}", None, value)
        for moment, value in values
        if start is None or end is None or start <= moment < end
    ]
    top, skip = int(query.get("$top", "100")), int(query.get("$skip", "0"))
    page = rows[skip : skip + top]
    names = ("id", "phenomenonTime", "resultTime", "result")
    result: Json
    if query.get("$resultFormat") == "dataArray":
        result = {"value": [{"components": names, "dataArray@iot.count": len(page), "dataArray": page}]}
    else:
        result = {"value": [dict(zip(("@iot.id", *names[1:]), row, strict=True)) for row in page]}
    if skip + top < len(rows):
        kept = {**query, "$skip": str(skip + top)}
        result["@iot.nextLink"] = f"{address}?" + "&".join(f"{k}={quote(v)}" for k, v in kept.items())
    return result
