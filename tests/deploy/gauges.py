"""A publisher of levels of water and of rain, who has changed what is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from testbed.serving import Request, serving
from testbed.serving import answer as send

# Two sources of which their publisher has changed what is sent.
CHANGED = """
  gauge:
    title: Pegel am Wehr
    connector: json
    licence: CC0-1.0
    url: "URL/gauge.json"
    record_type: observation
    fields: {datastream_id: id, station_id: id, value: level}
    time: {column: time, zone: utc}
    constants: {observed_property: water.level, unit: cm}
  rain:
    title: Regen
    connector: json
    licence: CC0-1.0
    url: "URL/rain.json"
    record_type: observation
    fields: {datastream_id: id, station_id: id, value: mm}
    time: {column: time, zone: utc}
    constants: {observed_property: weather.precipitation, unit: mm}
"""


@contextmanager
def answering() -> Iterator[str]:
    """The publisher's server, with what is of this hour; its address."""

    def answer(request: Request) -> None:
        hour = f"{datetime.now(UTC):%Y-%m-%dT%H}"
        rain = {"00": 0, "30": "1,5"}  # by the minute
        rows = {
            "/levels.json": [{"id": "pegel", "level": 120, "time": f"{hour}:00:00"}],
            "/gauge.json": [{"id": "wehr", "stand": 1210, "time": f"{hour}:00:00"}],
            "/rain.json": [{"id": "regen", "mm": mm, "time": f"{hour}:{at}:00"} for at, mm in rain.items()],
        }
        send(request, json.dumps(rows[request.path]).encode())

    with serving(answer) as port:
        yield f"http://127.0.0.1:{port}"
