"""A real SensorThings server, django-ogc-sensorthings, tells all that was put in, however its pages are cut."""

from __future__ import annotations

import json
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
from civitas_assets.errors import FetchError
from testbed.sensorthings_server import PACKAGE, VERSION, start_sensorthings
from tests.connectors.conftest import MakeSession, MakeSource, ReadRecords

pytestmark = pytest.mark.integration

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
    folder = tmp_path_factory.mktemp("sensorthings")
    with start_sensorthings(oracle(PACKAGE, VERSION), folder) as server:
        address = server.root
        for number, name in enumerate(PLACES):
            body = json.dumps(document(number, name)).encode()
            asked = urllib.request.Request(f"{address}/Things", body, {"Content-Type": "application/json"})
            try:
                urllib.request.urlopen(asked, timeout=60).close()
            except urllib.error.HTTPError as error:
                raise AssertionError(error.read()[:2000], (folder / "log").read_text()[-2000:]) from None
        yield address


@pytest.fixture
def night(
    root: str, source: MakeSource, session: MakeSession, records: ReadRecords
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
def test_all_that_was_put_in_lands(
    night: Callable[..., dict[str, list[dict[str, Any]]]], settings: dict[str, Any]
) -> None:
    found = night(**{"page_size": 100, "order_by": "id", **settings})
    stations = {row["name"]: (row["station_id"], row["lon"], row["lat"]) for row in found["station"]}
    assert {name: place for name, (_, *place) in stations.items()} == {n: [*p] for n, p in PLACES.items()}
    streams = {row["datastream_id"]: row for row in found["datastream"]}
    assert {(row["name"], row["station_id"]) for row in streams.values()} == {
        (f"{name}/{stream}", stations[name][0]) for name in PLACES for stream in range(STREAMS)
    }
    read = {  # a slice of more than a day has the day after the window, too
        (streams[row["datastream_id"]]["name"], row["phenomenon_start"], row["value"])
        for row in found["observation"]
    }
    assert read == {
        (f"{name}/{stream}", at, value)
        for number, name in enumerate(PLACES)
        for stream in range(STREAMS)
        for at, value in series(number, stream)[1 : -1 if "slice" in settings else None]
    }
