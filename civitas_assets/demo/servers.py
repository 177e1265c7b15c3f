"""Sample municipal servers on loopback: files, services of several protocols, a broker, and one that is down.

They answer conditional requests and compress, as real servers do; they are for a first run and for tests.
"""

from __future__ import annotations

import gzip
import http.server
import io
import json
import socket
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

import xlsxwriter

from civitas_assets.demo import (
    datex2_server,
    features_server,
    gbfs_server,
    lorawan_sender,
    ngsi_ld_server,
    sensorthings_server,
)
from civitas_assets.demo.generator import TOWNS, Town, make_counter_csv, make_noise, make_parking_status
from civitas_assets.demo.queue import Messages, SampleBroker
from civitas_assets.endpoint import find_free_port

_HOST = "127.0.0.1"
PORT = 8765
BROKER_PORT = 8766


class SampleServers:
    """All towns' servers in one, in a thread of this process."""

    def __init__(self, today: date, port: int = 0, broker_port: int = 0) -> None:
        self._stopped = threading.Event()
        self._broker = SampleBroker(broker_port or find_free_port(), _queues(today))
        self._server = http.server.ThreadingHTTPServer((_HOST, port), _handler(today, lambda: self.url))
        self._thread = threading.Thread(target=self._server.serve_forever, name="sample servers")
        self.url = f"http://{_HOST}:{self._server.server_port}"
        self.queue = self._broker.url

    def __enter__(self) -> Self:
        self._broker.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._broker.__exit__()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self) -> None:
        """Serve until the user interrupts."""
        try:
            self._stopped.wait()
        except KeyboardInterrupt:
            return


def start_servers(today: date, port: int = PORT, broker_port: int = BROKER_PORT) -> SampleServers:
    """Servers on the usual port, so that addresses stay the same from run to run; on a free one if it is taken."""
    try:
        return SampleServers(today, port, broker_port if _is_free(broker_port) else 0)
    except OSError:
        return SampleServers(today)


def _queues(today: date) -> dict[tuple[str, str], Messages]:
    return {
        (lorawan_sender.CLIENT.format(town=town.name), lorawan_sender.TOPICS): lorawan_sender.make_uplinks(
            town, today
        )
        for town in TOWNS.values()
        if town.trees
    }


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def _handler(today: date, url: Callable[[], str]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            reply = find_reply(unquote(parts.path), dict(parse_qsl(parts.query)), url(), today)
            etag = f'"{zlib.crc32(reply.body):08x}"'
            unchanged = reply.status == 200 and self.headers.get("If-None-Match") == etag
            self.send_response(304 if unchanged else reply.status)
            sent = b"" if unchanged else reply.body
            if sent and "gzip" in self.headers.get("Accept-Encoding", ""):
                sent = gzip.compress(sent, mtime=0)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("ETag", etag)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

    return Handler


@dataclass(frozen=True)
class Reply:
    """What a server answers; without a body nothing was found."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


NOT_FOUND = Reply(status=404)
DOWN = Reply(b"Wartungsarbeiten", status=503)


def find_reply(  # noqa: PLR0911 - one return per kind of address
    path: str, query: dict[str, str], url: str, today: date
) -> Reply:
    """What is published under a path."""
    _, name, *rest = (*path.split("/"), "")
    town = TOWNS.get(name)
    match (town, [part for part in rest if part]):
        case (Town(), ["counters", counter, file]) if counter in town.counters:
            month = _month(file.removesuffix(".csv"))
            text = make_counter_csv(counter, month, today) if month else None
            return Reply(text.encode()) if text else NOT_FOUND
        case (Town(), ["sensorthings", "v1.1", *more]) if town.stations:
            root = f"{url}/{name}/sensorthings/v1.1"
            return _json(
                sensorthings_server.answer_sensorthings(
                    town, root, "".join(f"/{part}" for part in more), query, today
                )
            )
        case (Town(), ["ngsi-ld", "v1", "entities"]) if town.poles:
            page, headers = ngsi_ld_server.list_page_entities(town, query, today)
            return _json(page, headers)
        case (Town(), ["gbfs", file]) if town.docks:
            return _json(
                gbfs_server.build_gbfs_document(town, f"{url}/{name}/gbfs", file.removesuffix(".json"), today)
            )
        case (Town(), ["features", *more]) if town.has_features:
            root = f"{url}/{name}/features"
            return _json(
                features_server.answer_features(
                    town, root, "".join(f"/{part}" for part in more), query, today
                )
            )
        case (Town(), ["parking", file]) if town.sites:
            return _parking(town, file, today)
        case (Town(), ["spielplaetze.xlsx"]) if town.playgrounds:
            return Reply(make_playgrounds_workbook(town))
        case (Town(), ["levels.json"]):
            return DOWN
    return NOT_FOUND


def _parking(town: Town, file: str, today: date) -> Reply:
    match file:
        case "sites.geojson":
            return _json(_sites(town))
        case "status.json":
            return _json({"parkings": make_parking_status(town, today)})
        case "table.xml":
            return Reply(datex2_server.build_parking_table(town))
        case "status.xml":
            return Reply(datex2_server.build_parking_status(town, today))
    return NOT_FOUND


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _json(value: object, headers: Mapping[str, str] | None = None) -> Reply:
    if value is None:
        return NOT_FOUND
    return Reply(json.dumps(value, ensure_ascii=False).encode(), headers=headers or {})


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


_HEADER = ("Nr.", "Bezeichnung", "Straße", "PLZ", "Rechtswert", "Hochwert", "Spielgeräte")
# The same bytes every day: a file says when it was made.
_MADE = datetime(2026, 1, 1)  # noqa: DTZ001 - spreadsheets know no time zones


def make_playgrounds_workbook(town: Town) -> bytes:
    """The list of playgrounds, positions in UTM zone 32."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": _MADE})
        sheet = book.add_worksheet("Spielplätze")
        sheet.write(0, 0, f"Spielplätze der Gemeinde {town.name.title()}")
        sheet.write(1, 0, "Stand: laufend, keine Gewähr")
        sheet.write_row(3, 0, _HEADER)
        for number, (east, north) in enumerate(town.playgrounds, 1):
            sheet.write_row(3 + number, 0, [
                f"{number:03d}", f"Spielplatz {number}", f"Musterweg {number}", "01234", east, north,
                1 + int(9 * make_noise(town.name, "playground", number)),
            ])  # fmt: skip
        sheet.write(4 + len(town.playgrounds), 1, "Summe")
        sheet.write(4 + len(town.playgrounds), 6, len(town.playgrounds))
    return file.getvalue()
