"""Sample municipal servers on loopback: counter files, a SensorThings service, and parking as GeoJSON and JSON.

They answer conditional requests and compress, as real servers do; they are for a first run and for tests.
"""

from __future__ import annotations

import gzip
import http.server
import json
import threading
import zlib
from collections.abc import Callable
from datetime import date
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from civitas_assets.demo import sensorthings
from civitas_assets.demo.generator import TOWNS, Town, counter_csv, parking_status

_HOST = "127.0.0.1"
PORT = 8765


class SampleServers:
    """All towns' servers in one, in a thread of this process."""

    def __init__(self, today: date, port: int = 0) -> None:
        self._stopped = threading.Event()
        self._server = http.server.ThreadingHTTPServer((_HOST, port), _handler(today, lambda: self.url))
        self._thread = threading.Thread(target=self._server.serve_forever, name="sample servers")
        self.url = f"http://{_HOST}:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self) -> None:
        """Serve until the user interrupts."""
        try:
            self._stopped.wait()
        except KeyboardInterrupt:
            return


def start(today: date, port: int = PORT) -> SampleServers:
    """Servers on the usual port, so that addresses stay the same from run to run; on a free one if it is taken."""
    try:
        return SampleServers(today, port)
    except OSError:
        return SampleServers(today)


def _handler(today: date, url: Callable[[], str]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = content(unquote(parts.path), dict(parse_qsl(parts.query)), url(), today)
            etag = f'"{zlib.crc32(body or b""):08x}"'
            unchanged = body is not None and self.headers.get("If-None-Match") == etag
            self.send_response(404 if body is None else 304 if unchanged else 200)
            sent = b"" if body is None or unchanged else body
            if sent and "gzip" in self.headers.get("Accept-Encoding", ""):
                sent = gzip.compress(sent, mtime=0)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

    return Handler


def content(path: str, query: dict[str, str], url: str, today: date) -> bytes | None:
    """What is published under a path; None where nothing is."""
    _, name, *rest = (*path.split("/"), "")
    town = TOWNS.get(name)
    match (town, [part for part in rest if part]):
        case (Town(), ["counters", counter, file]) if counter in town.counters:
            month = _month(file.removesuffix(".csv"))
            text = counter_csv(counter, month, today) if month else None
            return text.encode() if text else None
        case (Town(), ["sensorthings", "v1.1", *more]) if town.stations:
            root = f"{url}/{name}/sensorthings/v1.1"
            return _json(sensorthings.answer(town, root, "".join(f"/{part}" for part in more), query, today))
        case (Town(), ["parking", "sites.geojson"]) if town.sites:
            return _json(_sites(town))
        case (Town(), ["parking", "status.json"]) if town.sites:
            return _json({"parkings": parking_status(town, today)})
    return None


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _json(value: object) -> bytes | None:
    return None if value is None else json.dumps(value, ensure_ascii=False).encode()


def _sites(town: Town) -> dict[str, object]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [site.lon, site.lat]},
                "properties": {
                    "id": site.key,
                    "name": site.name,
                    "art": site.kind,
                    "capacity": site.capacity,
                },
            }
            for site in town.sites
        ],
    }
