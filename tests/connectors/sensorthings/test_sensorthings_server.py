"""A real SensorThings server, django-ogc-sensorthings, tells all that was put in, however its pages are cut."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.endpoint import find_free_port
from civitas_assets.errors import FetchError

pytestmark = pytest.mark.integration

VERSION = "1.2.0"
# A project of one file: it makes its tables, says that it is ready, and answers.
PROJECT = """
import socketserver, sys, uuid, wsgiref.simple_server
from django.conf import settings
folder, port = sys.argv[1:]
name = "SENSORTHINGS_V1_1_"
settings.configure(
    SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF="urls", USE_TZ=True, DEBUG=False,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/db.sqlite3"}},
    INSTALLED_APPS=["sensorthings.versions.v1_1", "sensorthings.versions.v1_1.backends.django"],
    **{f"{name}SERVICE_URL": f"http://127.0.0.1:{port}/sta", f"{name}ID_TYPE": uuid.UUID, f"{name}ID_DELIMITER": "'",
       f"{name}BACKEND_ADAPTER": "sensorthings.versions.v1_1.backends.django.adapter.DjangoBackendAdapter"},
)
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.core.wsgi import get_wsgi_application
class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True
class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_): pass
server = wsgiref.simple_server.make_server("127.0.0.1", int(port), get_wsgi_application(), Server, Handler)
server.serve_forever()
"""
URLS = """
from django.urls import include, path
urlpatterns = [path("sta/", include("sensorthings.versions.v1_1.urls"))]
"""
DAYS = Window(date(2026, 7, 1), date(2026, 7, 2))
START = datetime(2026, 6, 30, 22, tzinfo=UTC)  # of the window
THINGS, STREAMS, OBSERVATIONS = 2, 2, 16
PLACES = {f"Messstelle {n} ü": (7.5 + n / 4, 51.5 + n / 4) for n in range(THINGS)}


def series(thing: int, stream: int) -> list[tuple[datetime, float]]:
    """Hours from the first one of the window on, and some beside the window."""
    inside = [(START + timedelta(hours=3 * n), thing + stream / 10 + n / 1000) for n in range(OBSERVATIONS)]
    return [(START - timedelta(seconds=1), -1.0), *inside, (START + timedelta(days=2), -2.0)]


def document(number: int, name: str) -> dict[str, Any]:
    """A Thing with all that belongs to it, as one puts it in."""
    measured = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
    return {
        "name": name,
        "description": "Am Fluss",
        "properties": {"nr": number},
        "Locations": [
            {
                "name": name,
                "description": "-",
                "encodingType": "application/geo+json",
                "location": {"type": "Point", "coordinates": PLACES[name]},
            }
        ],
        "Datastreams": [
            {
                "name": f"{name}/{stream}",
                "description": "Lufttemperatur",
                "observationType": measured,
                "unitOfMeasurement": {"name": "Grad Celsius", "symbol": "°C", "definition": "ucum:Cel"},
                "Sensor": {
                    "name": f"Fühler {stream}",
                    "description": "-",
                    "encodingType": "text/html",
                    "metadata": "-",
                },
                "ObservedProperty": {"name": "air_temperature", "definition": "urn:t", "description": "-"},
                "Observations": [
                    {"phenomenonTime": f"{at:%Y-%m-%dT%H:%M:%SZ}", "resultTime": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
                    | {"result": value}
                    for at, value in series(number, stream)
                ],
            }
            for stream in range(STREAMS)
        ],
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, oracle: Callable[[str, str], Path]) -> Iterator[str]:
    """The root of a server with all things."""
    python = oracle("django-ogc-sensorthings", VERSION)
    folder, port = tmp_path_factory.mktemp("sensorthings"), find_free_port()
    (folder / "urls.py").write_text(URLS, encoding="utf-8")
    (folder / "project.py").write_text(PROJECT, encoding="utf-8")
    address = f"http://127.0.0.1:{port}/sta/v1.1"
    with (folder / "log").open("wb") as log:
        command = [python, str(folder / "project.py"), str(folder), str(port)]
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        await_answer(f"{address}/Things", server, folder / "log")
        for number, name in enumerate(PLACES):
            body = json.dumps(document(number, name)).encode()
            asked = urllib.request.Request(f"{address}/Things", body, {"Content-Type": "application/json"})
            try:
                urllib.request.urlopen(asked, timeout=60).close()
            except urllib.error.HTTPError as error:
                raise AssertionError(error.read()[:2000], (folder / "log").read_text()[-2000:]) from None
        yield address
    finally:
        server.terminate()
        server.wait(30)


def await_answer(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=60).close()
        except OSError:
            threading.Event().wait(0.1)
        else:
            return
    raise AssertionError(log.read_text(encoding="utf-8", errors="replace")[-3000:])


@pytest.fixture
def night(
    root: str, source: Any, session: Any, records: Any
) -> Callable[..., dict[str, list[dict[str, Any]]]]:
    """Fetches from the server and reads all that has come."""

    def run(**settings: Any) -> dict[str, list[dict[str, Any]]]:
        bodies: list[tuple[Request, bytes]] = []

        def answer(request: Request) -> bytes:
            try:
                asked = urllib.request.Request(request.url.replace(" ", "%20"), headers=dict(request.headers))
                with closing(urllib.request.urlopen(asked, timeout=60)) as found:
                    bodies.append((request, body := found.read()))
                    return bytes(body)
            except urllib.error.HTTPError as error:
                raise FetchError(f"{request.url}: {error.read()[:500]!r}") from None

        declared = source("sensorthings", url=root, **settings).with_place("s", (7.0, 51.0, 8.0, 52.5))
        asked = session(answer)
        CONNECTORS["sensorthings"].fetch(declared, DAYS, ZoneInfo("Europe/Berlin"), asked)
        assert asked.notes == []
        found: dict[str, list[dict[str, Any]]] = {}
        for request, body in bodies:
            if request.role != "root":
                for kind, rows in records(declared, body, request.role, **request.variables).items():
                    found.setdefault(kind, []).extend(rows)
        run.pages = [request.url for request, _ in bodies]  # type: ignore[attr-defined]
        return found

    return run


@pytest.mark.parametrize(
    "settings",
    [{}, {"page_size": 4}, {"page_size": 5, "slice": "1 day", "order_by": "resultTime"}],
    ids=["whole", "pages", "days"],
)
def test_all_that_was_put_in_lands(night: Any, settings: dict[str, Any]) -> None:
    found = night(**{"page_size": 100, "order_by": "id", **settings})
    stations = {row["name"]: (row["station_id"], row["lon"], row["lat"]) for row in found["station"]}
    assert {name: place for name, (_, *place) in stations.items()} == {n: [*p] for n, p in PLACES.items()}
    streams = {row["datastream_id"]: row for row in found["datastream"]}
    assert {(row["name"], row["station_id"]) for row in streams.values()} == {
        (f"{name}/{stream}", stations[name][0]) for name in PLACES for stream in range(STREAMS)
    }
    read = {  # slices are cut at fixed days, so that a week has more than the window
        (streams[row["datastream_id"]]["name"], row["phenomenon_start"], row["value"])
        for row in found["observation"]
    }
    assert read == {
        (f"{name}/{stream}", at, value)
        for number, name in enumerate(PLACES)
        for stream in range(STREAMS)
        for at, value in (series(number, stream)[1:-1] if "slice" in settings else series(number, stream))
    }
