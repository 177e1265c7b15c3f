"""A SensorThings service whose state moves on: 34 days of observations, then a further day, then a corrected value.

Called as `python -m benchmarks.sensors`, it prints its port and serves until its input closes. A POST to
`/state/DAYS/CORRECTED`
says how many days there are, and how many values of the last day but one are corrected.
"""

from __future__ import annotations

import http.server
import json
import re
import sys
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from testbed.serving import Request

STREAMS, PER_DAY, DAYS = 300, 96, 34
START = datetime(2026, 5, 31, 22, tzinfo=UTC)  # midnight in Berlin
OBSERVATIONS, NIGHT = STREAMS * PER_DAY * DAYS, STREAMS * PER_DAY
DATA_ARRAYS = "http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array"
_STEP = timedelta(days=1) / PER_DAY
_ASKED = re.compile(
    r"/v1\.1/Datastreams\((\d+)\)/Observations\?.*phenomenonTime ge (\S+) and phenomenonTime lt (\S+?)[&)].*"
)
_PROPERTIES = (("air temperature", "Cel"), ("relative humidity", "%"), ("PM10", "ug/m3"))


def value_of(stream: int, step: int) -> float:
    """The value of a datastream at a step of time, before any correction."""
    return round((step * (stream % 7 + 3) % 250) / 10 + 5, 2)


class Service:
    """The answers, in the state of a night."""

    def __init__(self) -> None:
        self.days = DAYS
        self.corrected: set[tuple[int, int]] = set()

    def move_to(self, days: int, corrected: int) -> None:
        """So many days there are now; of so many datastreams the value of noon of the last day but one is corrected."""
        self.days = days
        noon = (days - 2) * PER_DAY + PER_DAY // 2
        self.corrected |= {(stream, noon) for stream in range(corrected)}

    def answer(self, address: str) -> bytes:
        """The body for an address."""
        path = unquote(address)
        if asked := _ASKED.match(path):
            return self._page(address, path, int(asked[1]) - 1000, asked[2], asked[3])
        if path.startswith("/v1.1/Things"):
            return json.dumps({"value": [_thing(number) for number in range(STREAMS // 10)]}).encode()
        return json.dumps({"value": [], "serverSettings": {"conformance": [DATA_ARRAYS]}}).encode()

    def _page(self, address: str, path: str, stream: int, start: str, end: str) -> bytes:
        top, skip = (int(found[1]) if (found := re.search(rf"\${name}=(\d+)", path)) else default
                     for name, default in (("top", 100), ("skip", 0)))  # fmt: skip
        last = self.days * PER_DAY
        first, after = (
            min(max(-((START - datetime.fromisoformat(at)) // _STEP), 0), last) for at in (start, end)
        )
        rows = []
        for step in range(first + skip, min(after, first + skip + top)):
            at = f"{START + _STEP * step:%Y-%m-%dT%H:%M:%SZ}"
            value = value_of(stream, step) + (0.25 if (stream, step) in self.corrected else 0)
            rows.append((stream * 1_000_000 + step, at, None, value))
        names = ("id", "phenomenonTime", "resultTime", "result")
        page: dict[str, object] = {"value": [{"components": names, "dataArray": rows}]}
        if first + skip + top < after:
            link = f"{address.partition('&$skip=')[0]}&$skip={skip + top}"
            page["@iot.nextLink"] = quote(link, safe="%/?&=$()',:")
        return json.dumps(page).encode()


def _thing(number: int) -> dict[str, object]:
    streams = []
    for stream in range(number * 10, number * 10 + 10):
        name, unit = _PROPERTIES[stream % len(_PROPERTIES)]
        streams.append(
            {
                "@iot.id": 1000 + stream,
                "name": f"{name} {stream}",
                "unitOfMeasurement": {"name": unit, "symbol": unit, "definition": None},
                "ObservedProperty": {"name": name},
            }
        )
    place = {"type": "Point", "coordinates": [9.05 + number / 1000, 50.1]}
    return {
        "@iot.id": number,
        "name": f"Station {number}",
        "Locations": [{"location": place}],
        "Datastreams": streams,
    }


def serve(service: Service) -> http.server.ThreadingHTTPServer:
    """A server on a free port of the loopback."""

    class Handler(Request):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(service.answer(self.path))

        def do_POST(self) -> None:
            _, _, days, corrected = self.path.split("/")
            service.move_to(int(days), int(corrected))
            self._send(b"{}")

        def _send(self, body: bytes) -> None:
            self.reply(body, Content_Type="application/json")

    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)


if __name__ == "__main__":
    server = serve(Service())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
