"""A town whose publisher corrects, adds, withdraws and spoils rows from step to step by a seed, and may be ill."""

from __future__ import annotations

import json
import random
import socket
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from testbed.serving import Loopback, Request

FIRST = datetime(2026, 8, 20, 4, tzinfo=UTC)
TENANT = """
name: Stadt
ags: "99000099"
destination: {destination}
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  counters:
    title: Counters
    connector: csv
    licence: CC0-1.0
    url: "{url}/counters-{{id}}.csv"
    http: {{requests_per_second: 200, attempts: 1, timeout: 2 s}}
    record_type: observation
    time: {{column: time, zone: offset, interval: 1 hour}}
    fields: {{datastream_id: id, value: count}}
    constants: {{station_id: "{{id}}x", observed_property: traffic.bicycle_count, unit: "1"}}
    each: {{id: ["1", "2"]}}
  parking:
    title: Car parks
    connector: json
    licence: CC0-1.0
    url: "{url}/parking.json"
    http: {{requests_per_second: 200, attempts: 1, timeout: 2 s}}
    record_type: parking_status
    fields: {{site_id: id, name: name, free: free, capacity: total, lon: x, lat: y}}
    time: {{column: at, zone: utc}}
  places:
    title: Places
    connector: csv
    licence: CC0-1.0
    url: "{url}/places.csv"
    http: {{requests_per_second: 200, attempts: 1, timeout: 2 s}}
    record_type: place
    snapshot: true
    fields: {{place_id: id, name: name, lon: lon, lat: lat}}
"""


def now_of(step: int) -> datetime:
    """When the step's run takes place."""
    return FIRST + timedelta(days=step)


def pages(seed: int, step: int) -> dict[str, bytes]:
    """What the publisher has at a step: some steps bring back what was there before, but for places that are gone."""
    dice = random.Random(f"{seed} {step}")  # noqa: S311 - to be thrown again
    if step > 1 and dice.random() < 0.25:
        return {**pages(seed, step - 2), "/places.csv": _places(seed, step)}
    found = {"/places.csv": _places(seed, step)}
    for number in (1, 2):
        rows = ["id,time,count"]
        for hour in range(6):
            count: object = dice.randrange(100)
            if dice.random() < 0.1:
                count = "many"
            at = FIRST + timedelta(days=dice.randrange(max(step, 1)), hours=hour - 4)
            rows.append(f"{number},{at:%Y-%m-%dT%H:%M:%SZ},{count}")
        found[f"/counters-{number}.csv"] = "\n".join(rows).encode()
    at = now_of(step) - timedelta(minutes=5)
    sites = [
        {"id": f"P{n}", "name": f"P{n} {dice.randrange(2)}", "free": dice.randrange(9), "total": 10,
         "x": 9.1, "y": 50.1, "at": f"{at:%Y-%m-%dT%H:%M:%S}"}
        for n in range(3)
    ]  # fmt: skip
    found["/parking.json"] = json.dumps(sites).encode()
    return found


def _places(seed: int, step: int) -> bytes:
    """Places get other names now and then, and one after the other goes."""
    dice = random.Random(f"{seed} {step} places")  # noqa: S311 - to be thrown again
    first = step // 4
    rows = [f"{n},Place {n} {dice.randrange(3)},9.1,50.1" for n in range(first, first + 8)]
    return "\n".join(["id,name,lon,lat", *rows]).encode()


# What a server may do in place of answering well.
FAULTS = ("error", "torn", "busy", "page", "silent")
_PAGE = b"<!doctype html><title>Wartung</title><p>Bitte versuchen Sie es spaeter.</p>"


class Publisher:
    """Serves what is in `held` on loopback; `fault` says what becomes of the n-th request, where anything does."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.fault: Callable[[int], str | None] = lambda number: None
        self.asked = 0
        publisher = self

        class Handler(Request):
            def do_GET(self) -> None:
                publisher.asked += 1
                fault = publisher.fault(publisher.asked)
                body = publisher.held.get(self.path, b"")
                tag = f'"{zlib.crc32(body)}"'
                unchanged = self.headers.get("If-None-Match") == tag
                with suppress(OSError):  # of whoever asks and is killed
                    if fault == "silent":
                        self.connection.settimeout(10)
                        self.connection.recv(1)  # until whoever asks has had enough
                    elif fault in {"error", "busy"}:
                        self._give(500 if fault == "error" else 429, b"")
                    elif fault == "page":
                        self._give(200, _PAGE)
                    elif unchanged:
                        self._give(304, b"", tag)
                    else:
                        self._give(200, body, tag, cut=fault == "torn")

            def _give(self, status: int, body: bytes, tag: str = "", *, cut: bool = False) -> None:
                self.send_response(status)
                if tag:
                    self.send_header("ETag", tag)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if cut else body)
                if cut:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)

        self._server = Loopback(Handler)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        self._server.close()
