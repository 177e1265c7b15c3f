"""A real server, django-ogc-sensorthings, has after each run what is published, and our own connector reads it so."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.transport.http_writer import HttpWriter
from civitas_assets.endpoint import find_free_port
from civitas_assets.errors import ExportError, FetchError
from civitas_assets.export.described_entities import MARK
from civitas_assets.export.sensorthings_format import SensorThings
from civitas_assets.opendata.pygeoapi_folder import CONFIGURATION, write_pygeoapi_folder
from testbed.pygeoapi_server import PYGEOAPI, start_pygeoapi
from tests.connectors.conftest import MakeSession, MakeSource, ReadRecords, read, records, session, source  # noqa: F401 - fixtures
from tests.sinks.conftest import ROWS, START, SinkTown

pytestmark = pytest.mark.integration

HOURS = [START + timedelta(hours=n) for n in range(ROWS)]


@pytest.fixture
def look(source: MakeSource, session: MakeSession, records: ReadRecords) -> Any:  # noqa: F811
    """What our connector reads from the server: names and places of stations, and values by series and time."""

    def found(root: str) -> tuple[dict[str, tuple[float, float]], dict[tuple[str, Any], float]]:
        bodies: list[tuple[Request, bytes]] = []

        def answer(request: Request) -> bytes:
            try:
                with closing(urllib.request.urlopen(request.url.replace(" ", "%20"), timeout=60)) as reply:
                    bodies.append((request, body := reply.read()))
                    return bytes(body)
            except urllib.error.HTTPError as error:
                raise FetchError(f"{request.url}: HTTP {error.code}") from None

        declared = source("sensorthings", url=root, page_size=100, order_by="id")
        declared = declared.with_place("s", (7.0, 51.0, 8.0, 52.5))
        asked = session(answer)
        days = Window(date(2026, 7, 1), date(2026, 7, 2))
        CONNECTORS["sensorthings"].fetch(declared, days, ZoneInfo("Europe/Berlin"), asked)
        rows: dict[str, list[dict[str, Any]]] = {"station": [], "datastream": [], "observation": []}
        for request, body in bodies:
            if request.role != "root":
                for kind, more in records(declared, body, request.role, **request.variables).items():
                    rows[kind] += more
        names = {row["datastream_id"]: row["name"] for row in rows["datastream"]}
        assert {(row["observed_property"], row["unit"]) for row in rows["datastream"]} <= {
            ("air.no2", "ug/m3")
        }
        values = [
            (names[row["datastream_id"]], row["phenomenon_start"], row["value"])
            for row in rows["observation"]
        ]
        with closing(urllib.request.urlopen(f"{root}/Observations?$count=true", timeout=60)) as reply:
            assert json.loads(reply.read())["@iot.count"] == len({*values}), "nothing is there twice"
        assert {row["quality_native"] for row in rows["observation"]} <= {"good"}
        places = {row["name"]: (row["lon"], row["lat"]) for row in rows["station"]}
        return places, {(name, at): value for name, at, value in values}

    return found


def test_the_server_has_what_is_published_and_gets_only_what_has_changed(
    sensorthings: str, tmp_path: Path, look: Any
) -> None:
    town = SinkTown(tmp_path, sensorthings)
    town.fill()
    report = town.bring()
    assert (report.entities, report.created, report.refused) == (6, 2 * ROWS, [])
    wanted = {(f"NO2 {n}", at): n + place / 8 for n in range(2) for place, at in enumerate(HOURS)}
    # The third station's source is proprietary: nothing of it leaves the town.
    assert look(sensorthings) == ({f"Messstelle {n} ü": (7.5, 51.5 + n / 8) for n in range(2)}, wanted)

    report = town.bring()
    assert (report.entities, report.created, report.changed, report.deleted, report.days) == (0, 0, 0, 0, 0)

    town.run("update observation set value = 99, revision = 2 where value = 0.375")
    town.run(
        "delete from observation where value in (0.625, 1.625) and phenomenon_start_at < '2026-07-01 04:00:00+00'"
    )
    town.run("update station set lon = 7.6, name = 'Verlegt' where station_id = 's1'")
    stream = {
        "datastream_key": "town/d'1", "datastream_id": "d'1", "observed_property": "air.no2", "unit": "ug/m3",
        "station_key": "town/s1", "source": "air", "received_at": START,
    }  # fmt: skip
    town.put_observations(stream, [(HOURS[0] + timedelta(minutes=30), 7.25)])
    report = town.bring()
    assert (report.entities, report.created, report.changed, report.deleted) == (1, 1, 1, 2)
    wanted = {key: value for key, value in wanted.items() if key[1] != HOURS[5]}
    wanted |= {("NO2 0", HOURS[3]): 99.0, ("NO2 1", HOURS[0] + timedelta(minutes=30)): 7.25}
    places, values = look(sensorthings)
    assert values == wanted
    assert places["Verlegt"] == (7.6, 51.625)

    # What is known here is lost: the server is read, and nothing is written.
    town.files.clear("sinks/town/")
    report = town.bring()
    assert (report.entities, report.created, report.changed, report.deleted, report.days) == (0, 0, 0, 0, 4)

    # A source that is closed has its stations and values taken back.
    file = town.settings.tenants_dir / "town.yaml"
    file.write_text(file.read_text().replace("title: Luft,", "title: Luft, licence: proprietary,"))
    assert town.bring().refused == []
    assert look(sensorthings) == ({}, {})


def test_rows_that_a_server_refuses_with_success_are_told_one_by_one(
    sensorthings: str, tmp_path: Path
) -> None:
    """This server answers a data array with 201 and the word error for each row whose time is an interval."""
    town = SinkTown(tmp_path, sensorthings, times="interval")
    town.fill(rows=3)
    town.run("update datastream set datastream_key = 'town/i' || datastream_id")
    town.run("update observation set datastream_key = 'town/i' || datastream_id")
    report = town.bring()
    assert report.created == 0
    assert report.refused == [
        f"datastream town/id'{n}: 3 observation(s) are not there, whatever the server answers"
        for n in range(2)
    ]
    assert town.bring().refused == report.refused, "what was not read back is tried again"


def test_a_run_that_is_cut_short_is_gone_on_with_and_nothing_is_there_twice(
    sensorthings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = SinkTown(tmp_path, sensorthings)
    town.fill()
    town.run("update datastream set datastream_key = 'town/c' || datastream_id")
    town.run("update observation set datastream_key = 'town/c' || datastream_id")
    monkeypatch.setattr("civitas_assets.sinks.sensorthings_writing._ROWS", 25)
    send, sent = HttpWriter.send, list[str]()

    def lose(self: HttpWriter, method: str, path: str, *given: Any) -> Any:
        reply = send(self, method, path, *given)
        sent.append(path)
        if sent.count("CreateObservations") == 2:  # which the server has taken, and nobody hears of it
            raise ExportError("the line is cut")
        return reply

    with monkeypatch.context() as cut:
        cut.setattr(HttpWriter, "send", lose)
        with pytest.raises(AssertionError, match="the line is cut"):
            town.bring()
    report = town.bring()
    assert (report.entities, report.created, report.refused) == (0, 2 * ROWS - 50, [])
    assert town.bring().days == 0


def test_an_export_can_be_posted_line_by_line_and_is_read_as_what_was_published(
    sensorthings: str, tmp_path: Path, look: Any
) -> None:
    """This server gives ids of its own, so that those of the datastreams are found by the mark."""
    for thing in _ask(f"{sensorthings}/Things?$top=100")["value"]:
        _ask(thing["@iot.selfLink"], method="DELETE")
    town = SinkTown(tmp_path, sensorthings)
    town.fill(rows=5)
    town.run("update observation set phenomenon_end_at = phenomenon_start_at")
    lines = {model: town.export(model, SensorThings(3)).splitlines() for model in ("station", "observation")}
    for line in lines["station"]:
        _ask(f"{sensorthings}/Things", line)
    streams = _ask(f"{sensorthings}/Datastreams?$top=100")["value"]
    ids = {
        stream["properties"][MARK].removeprefix("town/Datastreams/"): stream["@iot.id"] for stream in streams
    }
    for line in lines["observation"]:
        arrays = json.loads(line)
        for array in arrays:
            array["Datastream"]["@iot.id"] = ids[array["Datastream"]["@iot.id"]]
        _ask(f"{sensorthings}/CreateObservations", json.dumps(arrays).encode())
    wanted = {(f"NO2 {n}", at): n + place / 8 for n in range(2) for place, at in enumerate(HOURS[:5])}
    assert look(sensorthings) == ({f"Messstelle {n} ü": (7.5, 51.5 + n / 8) for n in range(2)}, wanted)

    # From then on a sink keeps it up to date: nothing is made anew.
    report = town.bring()
    assert (report.created, report.changed, report.deleted, report.refused) == (0, 0, 0, [])


def test_pygeoapi_reads_the_server_as_features(
    sensorthings: str, tmp_path: Path, oracle: Callable[..., Path]
) -> None:
    """By the configuration that is written for it."""
    for thing in _ask(f"{sensorthings}/Things?$top=100")["value"]:
        _ask(thing["@iot.selfLink"], method="DELETE")
    town, port, place = SinkTown(tmp_path, sensorthings), find_free_port(), tmp_path / "features"
    town.fill(rows=5)
    town.bring()
    place.mkdir()
    served = write_pygeoapi_folder(
        town.files, [town.tenant], place, f"http://127.0.0.1:{port}", with_sinks=True
    )
    assert served.collections == [f"town_frost_{name}" for name in ("things", "datastreams", "observations")]
    described = tmp_path / "openapi.yml"
    described.write_text('{"openapi": "3.0.2", "info": {}, "paths": {}}', encoding="utf-8")
    python = oracle("pygeoapi", PYGEOAPI)
    with start_pygeoapi(python, place / CONFIGURATION, described, port) as address:
        things, streams, observed = (
            _ask(f"{address}/collections/{name}/items?f=json&limit=100")["features"]
            for name in served.collections
        )
    assert {thing["properties"]["name"]: thing["geometry"]["coordinates"] for thing in things} == {
        f"Messstelle {number} ü": [7.5, 51.5 + number / 8] for number in range(2)
    }
    assert {stream["properties"]["name"] for stream in streams} == {"NO2 0", "NO2 1"}
    assert sorted(each["properties"]["result"] for each in observed) == sorted(
        number + place / 8 for number in range(2) for place in range(5)
    )


def _ask(url: str, body: bytes | None = None, method: str | None = None) -> Any:
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    try:
        with closing(urllib.request.urlopen(asked, timeout=60)) as reply:
            said = reply.read()
    except urllib.error.HTTPError as error:
        raise AssertionError(url, error.read()[:1000]) from None
    return json.loads(said) if said else None
