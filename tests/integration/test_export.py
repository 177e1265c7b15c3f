"""The command `civitas export` on what runs really published, and a broker that hands it on to another town."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow.parquet as pq
import pyogrio
import pytest

from testbed.serving import Loopback, Request
from tests.integration.conftest import Civitas, CivitasIn, Server, Workplace

# What is measured, in which unit, and by which model it travels; every unit that is converted on the way is here.
MEASURED = {
    "air.no2": ("ug/m3", 21.5),
    "air.co": ("mg/m3", 0.3),
    "air.co2": ("[ppm]", 417.0),
    "weather.temperature": ("Cel", -3.4),
    "weather.relative_humidity": ("%", 57.3),
    "weather.precipitation": ("mm", 0.7),
    "weather.pressure": ("hPa", 1013.2),
    "water.level": ("cm", 213.7),
    "water.discharge": ("m3/s", 12.31),
    "water.temperature": ("Cel", 11.9),
    "water.conductivity": ("uS/cm", 431.7),
    "water.ph": ("[pH]", 7.4),
    "water.turbidity": ("[NTU]", 3.2),
    "noise.laeq": ("dB[A]", 61.3),
    "traffic.count": ("1", 34.0),
    "traffic.bicycle_count": ("1", 12.0),
    "traffic.pedestrian_count": ("1", 7.0),
    "traffic.occupancy": ("%", 12.7),
    "traffic.speed_mean": ("km/h", 43.1),
}
# These have no attribute in the Smart Data Models, and travel as single measurements only.
SINGLE = {
    "soil.moisture": ("%", 31.9),
    "weather.visibility": ("m", 9000.0),
}
MODELS = ("air_quality", "weather", "water", "noise_level", "traffic_flow")
TYPES = (
    *("AirQualityObserved", "WeatherObserved", "WaterObserved", "WaterQualityObserved", "NoiseLevelObserved"),
    *("TrafficFlowObserved", "CrowdFlowObserved"),
)
SOURCE = """
name: Messstadt
ags: "99000098"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  everything:
    title: Messwerte
    connector: csv
    licence: CC0-1.0
    url: "{url}/measured.csv"
    http: {{requests_per_second: 100, attempts: 1}}
    record_type: observation
    time: {{column: time, zone: offset, interval: 1 hour}}
    fields: {{datastream_id: series, station_id: station, observed_property: property, unit: unit, value: value}}
"""
BROKER = """
name: Nachbarstadt
ags: "99000097"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  wide:
    title: Modelle
    connector: ngsi_ld
    licence: CC0-1.0
    url: "{url}/ngsi-ld/v1"
    types: [{types}]
    http: {{requests_per_second: 100, attempts: 1}}
  single:
    title: Einzelwerte
    connector: ngsi_ld
    licence: CC0-1.0
    url: "{url}/ngsi-ld/v1"
    types: [DeviceMeasurement]
    http: {{requests_per_second: 100, attempts: 1}}
"""
ALL = (
    "select observed_property, unit, value, phenomenon_start_at, phenomenon_end_at from observation"
    " where source = '{}' order by all"
)


@pytest.fixture(scope="module")
def published(new_workplace: Callable[[], Workplace], open_town: Callable[[], Server]) -> Any:
    """The small town, which has published once for the tests that only read; all its counts are of 20 August."""
    town, workplace = open_town(), new_workplace()
    town.pages["/counter.csv"] = b"time,id,count\n2026-08-19T22:00:00Z,1,5\n2026-08-20T21:00:00Z,1,7\n"
    workplace.copy_tenant("kleinstadt", url=town.url)
    assert workplace.run("kleinstadt").ok
    return workplace


@pytest.fixture
def exported(published: Any, command_in: CivitasIn) -> Civitas:
    """The command in that town."""
    return partial(command_in(published), "export")


def test_csv_goes_to_standard_output_and_what_was_done_to_standard_error(exported: Civitas) -> None:
    called = exported("csv", "kleinstadt", "observation")
    assert called.exit_code == 0, called.output
    rows = [*csv.DictReader(io.StringIO(called.stdout))]
    assert sorted((row["phenomenon_start_at"], row["value"]) for row in rows) == [
        ("2026-08-19T22:00:00Z", "5.0"),
        ("2026-08-20T21:00:00Z", "7.0"),
    ]
    assert called.output.removeprefix(called.stdout) == "kleinstadt: 2 rows of observation\n"


def test_a_file_is_written_for_german_spreadsheets(exported: Civitas, tmp_path: Path) -> None:
    file = tmp_path / "parkhaus.csv"
    called = exported("csv", "kleinstadt", "parking_status", "--german", "--output", str(file))
    assert called.exit_code == 0
    assert called.stdout == ""
    assert f"1 rows of parking_status written to {file}" in called.output
    assert file.read_bytes().startswith("\ufefftenant;site_key;".encode())
    assert ";0,7;" in file.read_text(encoding="utf-8")
    assert [*tmp_path.glob(".parkhaus*")] == []


def test_days_are_those_of_the_tenant(exported: Civitas) -> None:
    def on(first: str, last: str) -> list[str]:
        answer = exported("csv", "kleinstadt", "observation", "--from", first, "--to", last)
        return sorted(row["value"] for row in csv.DictReader(io.StringIO(answer.stdout)))

    # The first hour is on 19 August by UTC, and on the 20th in Berlin.
    assert on("2026-08-20", "2026-08-20") == ["5.0", "7.0"]
    assert on("2026-08-18", "2026-08-19") == []
    assert on("2026-08-21", "2026-08-22") == []


def test_geojson_and_geoparquet_lie_where_the_thing_does(exported: Civitas, tmp_path: Path) -> None:
    for name, options in (("geojson", ()), ("geojsonl", ("--lines",)), ("parquet", ())):
        form = "geoparquet" if name == "parquet" else "geojson"
        file = tmp_path / f"parking.{name}"
        assert exported(form, "kleinstadt", "parking_status", *options, "-o", str(file)).exit_code == 0
        if name != "parquet":
            meta, _, geometry, fields = pyogrio.raw.read(file)
            assert meta["crs"] == "EPSG:4326"
            assert len(geometry) == 1
            assert fields[[*meta["fields"]].index("free")].tolist() == [3]
    table = pq.read_table(tmp_path / "parking.parquet")
    assert table["bbox"].to_pylist() == [{"xmin": 9.1, "ymin": 50.1, "xmax": 9.1, "ymax": 50.1}]


def test_what_cannot_be_exported_is_named_with_what_can(exported: Civitas) -> None:
    for arguments, code, text in (
        ("csv kleinstadt parking", 1, "there is no published model parking; there are: "),
        ("csv grossstadt station", 1, "grossstadt has no output in "),
        ("geojson kleinstadt source", 1, "source has no geometry, so it cannot be exported with one"),
        ("ngsi-ld kleinstadt coverage", 1, "coverage is in no Smart Data Model"),
        ("csv kleinstadt station --to 2026-08-20", 1, "station has no days, so --from and --to"),
        (
            "csv kleinstadt event --from 2026-08-21 --to 2026-08-20",
            1,
            "2026-08-20 is before --from 2026-08-21",
        ),
        (
            "csv kleinstadt station -o /nowhere/at/all.csv",
            1,
            "/nowhere/at/all.csv cannot be written: No such",
        ),
        ("csv kleinstadt station --lines", 2, "is for geojson only, not for csv"),
        ("excel kleinstadt station", 2, "'excel' is not one of 'ngsi-ld', 'csv', 'geojson'"),
        ("csv kleinstadt observation --from gestern", 2, "%Y-%m-%d"),
    ):
        called = exported(*arguments.split())
        assert called.exit_code == code, arguments
        assert called.stdout == "", arguments
        assert text in " ".join(called.output.replace("│", " ").split()), arguments


def test_a_terminal_gets_no_parquet(exported: Civitas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    called = exported("geoparquet", "kleinstadt", "station")
    assert called.exit_code == 2
    assert "geoparquet is no text; name a file with --output" in " ".join(called.output.split())


@pytest.fixture
def broker() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A context broker that has these entities, and gives them page by page."""
    entities: list[dict[str, Any]] = []

    class Handler(Request):
        def do_GET(self) -> None:
            asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            found = [entity for entity in entities if entity["type"] == asked["type"]]
            first = int(asked["offset"])
            body = json.dumps(found[first : first + int(asked["limit"])]).encode()
            self.reply(body, NGSILD_Results_Count=str(len(found)))

    with closing(Loopback(Handler)) as server:
        yield f"http://127.0.0.1:{server.port}", entities


def test_another_town_reads_from_a_broker_what_was_exported(
    civitas: Civitas, kleinstadt: Workplace, town: Server, broker: tuple[str, list[dict[str, Any]]]
) -> None:
    everything = {**MEASURED, **SINGLE}
    # Air and water are at stations of their own: a broker's reader takes a device to have one temperature.
    lines = [
        f"{time},{station}/{code},{code},{station}{code[:5]},{unit},{value + step}"
        for step, time in enumerate(("2026-08-20T21:00:00Z", "2026-08-20T22:00:00Z"))
        for station in ("S 1/ä", "S2")
        for code, (unit, value) in everything.items()
    ]
    town.pages["/measured.csv"] = "\n".join(["time,series,property,station,unit,value", *lines]).encode()
    kleinstadt.write_tenant("messstadt", SOURCE.format(url=town.url))
    assert kleinstadt.run("messstadt").ok
    url, entities = broker
    for model in (*(f"{name}_observed" for name in MODELS), "observation"):
        called = civitas("export", "ngsi-ld", "messstadt", model)
        assert called.exit_code == 0, called.output
        entities += json.loads(called.stdout)
    assert {entity["type"] for entity in entities} == {*TYPES, "DeviceMeasurement"}
    assert len({entity["id"] for entity in entities}) == len(entities)
    kleinstadt.write_tenant("nachbarstadt", BROKER.format(url=url, types=", ".join(TYPES)))
    outcome = kleinstadt.run("nachbarstadt")
    assert outcome.ok, outcome.errors

    measured = kleinstadt.ask("messstadt", ALL.format("everything"))
    assert len(measured) == 4 * len(everything)
    assert kleinstadt.ask("nachbarstadt", ALL.format("single")) == measured
    # A ratio becomes percent again with the last bit of a float.
    wide = [row for row in measured if row[0] in MEASURED]
    for written, read in zip(wide, kleinstadt.ask("nachbarstadt", ALL.format("wide")), strict=True):
        assert (*read[:2], pytest.approx(read[2], rel=1e-12), *read[3:]) == written
