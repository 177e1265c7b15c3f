"""National services: what is asked for a box or for named stations, and what recorded answers become."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import httpx2
import pytest

from civitas_assets.catalog import Source, Window, load_catalog
from civitas_assets.connectors.registry import CONNECTORS, SOURCE_MODELS
from civitas_assets.connectors.services.pegelonline import PegelonlineConnector
from civitas_assets.errors import FetchError, ReadError
from tests.conformance.landing import END, START, answer, land
from tests.connectors.conftest import MakeSession, ReadBody, ReadRecords

SERVICES = ("dwd", "opensensemap", "pegelonline", "sensor_community", "uba")
SENSOR = {"_id": "s", "title": "Temperatur", "unit": "°C"}
READING: dict[str, Any] = {"timestamp": "2026-07-30 10:00:00", "sensor": {"id": 3}, "location": {"id": 1}}
WUERZBURG = (9.8, 49.7, 10.1, 49.9)
GERMANY = (5.8, 47.2, 15.1, 55.1)
BERLIN = ZoneInfo("Europe/Berlin")
Tables = Callable[..., dict[str, list[dict[str, Any]]]]


def service(connector: str, box: Any = None, **settings: Any) -> Any:
    """A source as a tenant writes it: the name of the service, and little else."""
    source = SOURCE_MODELS[connector].model_validate({"connector": connector, **settings})
    return source.with_place("it", box) if box else source


@pytest.fixture
def tables(records: ReadRecords) -> Tables:
    """Records of an answer somewhere in Germany."""
    found: Tables = partial(records, box=GERMANY)
    return found


@pytest.fixture
def asked(session: MakeSession) -> Callable[..., list[Any]]:
    """The requests for a window; answers are by role."""

    def requests(source: Source, answers: dict[str, bytes], *days: date) -> list[Any]:
        first, last = days or (date(2026, 7, 30), date(2026, 7, 30))
        fake = session(lambda request: answers[request.role])
        CONNECTORS[source.connector].fetch(source, Window(first, last), BERLIN, fake)
        return [*fake.requests]

    return requests


@pytest.mark.parametrize("connector", SERVICES)
def test_a_tenant_needs_to_say_no_more_than_the_name_of_the_service(connector: str, tmp_path: Path) -> None:
    (tmp_path / "jena.yaml").write_text(
        "name: Jena\nags: '16053000'\nbbox: [11.49, 50.85, 11.68, 51.0]\n"
        f"sources:\n  it:\n    connector: {connector}\n"
    )
    source = load_catalog(tmp_path, SOURCE_MODELS).tenants["jena"].sources["it"]
    assert source.title
    assert source.attribution
    assert source.url.startswith("https://")
    assert source.box == (11.49, 50.85, 11.68, 51.0)
    assert source.record_types() == {"station", "datastream", "observation"}


@pytest.mark.parametrize("connector", SERVICES)
def test_named_stations_go_before_the_box(connector: str) -> None:
    anywhere, named = service(connector, WUERZBURG), service(connector, WUERZBURG, stations=("x",))
    assert anywhere.wants("x", 9.9, 49.8)
    assert not anywhere.wants("x", 13.7, 51.0)
    assert not anywhere.wants("x", None, None)
    assert named.wants("x", 13.7, 51.0)
    assert not named.wants("y", 9.9, 49.8)


class TestPegelonline:
    def test_a_named_gauge_that_is_not_there_is_an_error_once_the_others_are_asked_for(
        self, session: MakeSession, payloads: Path
    ) -> None:
        listed = (payloads / "pegelonline" / "station_timeseries_current_wuerzburg.json").read_bytes()
        fake = session(lambda request: b"[" + listed + b"]" if request.role == "stations" else b"[]")
        source, day = service("pegelonline", stations=("WÜRZBURG", "WURZBURG")), date(2026, 7, 30)
        with pytest.raises(FetchError, match="the service has no station WURZBURG at present"):
            CONNECTORS["pegelonline"].fetch(source, Window(day, day), BERLIN, fake)
        assert len(fake.requests) > 1

    def test_gauges_of_the_box_are_asked_for_in_slices_of_their_timeseries(
        self, asked: Callable[..., list[Any]], payloads: Path
    ) -> None:
        listed = json.loads((payloads / "pegelonline" / "stations.json").read_bytes())
        listed[1] = json.loads(
            (payloads / "pegelonline" / "station_timeseries_current_wuerzburg.json").read_bytes()
        )
        requests = asked(
            service("pegelonline", WUERZBURG),
            {"stations": json.dumps(listed).encode(), "measurements": b"[]"},
            date(2026, 7, 25),
            date(2026, 7, 30),
        )
        stations, *values = requests
        assert stations.url.endswith("/rest-api/v2/stations.json?includeTimeseries=true")
        assert {request.variables["datastream_id"].partition("/")[2] for request in values} == {
            *("W", "LT", "WT", "VA", "O2", "PH", "Q")
        }
        spans = [
            parse_qs(urlsplit(r.url).query) for r in values if r.variables["datastream_id"].endswith("/W")
        ]
        assert spans[0]["end"] == spans[1]["start"]
        assert all(span["start"][0].endswith("T22:00:00Z") for span in spans)

    def test_a_recorded_gauge_and_values_in_their_own_units(self, tables: Tables, payloads: Path) -> None:
        gauge = (payloads / "pegelonline" / "station_timeseries_current_wuerzburg.json").read_bytes()
        found = tables(service("pegelonline"), b"[" + gauge + b"]", "stations")
        (station,) = found["station"]
        assert (station["name"], station["description"]) == ("WÜRZBURG", "MAIN, km 251.97")
        assert (round(station["lon"], 4), round(station["lat"], 4)) == (9.926, 49.7962)
        units = {s["observed_property"]: (s.get("unit"), s["interval_s"]) for s in found["datastream"]}
        assert units == {
            "WASSERSTAND ROHDATEN": ("cm", 900),
            "LUFTTEMPERATUR": ("°C", 3600),
            "WASSERTEMPERATUR": ("°C", 3600),
            "FLIESSGESCHWINDIGKEIT": ("m/s", 900),
            "SAUERSTOFFGEHALT": ("mg/l", 3600),
            "PH-WERT": (None, 3600),
            "ABFLUSS": ("m³/s", 900),
        }
        values = b'[{"timestamp":"2023-07-26T19:15:00+02:00","value":159.0}]'
        (row,) = tables(service("pegelonline"), values, "measurements", datastream_id="u/W")["observation"]
        assert (row["datastream_id"], row["value"], row["quality_native"]) == ("u/W", 159.0, "Rohdaten")
        assert row["phenomenon_start"] == datetime(2023, 7, 26, 17, 15, tzinfo=UTC)


class TestSensorCommunity:
    def test_a_box_is_one_request_and_a_sensor_too(self, asked: Callable[..., list[Any]]) -> None:
        (box,) = asked(service("sensor_community", WUERZBURG), {"data": b"[]"})
        assert box.url.endswith("/airrohr/v1/filter/box=49.7,9.8,49.9,10.1")
        sensors = asked(service("sensor_community", WUERZBURG, stations=("152", "153")), {"data": b"[]"})
        assert [request.url.rpartition("/v1")[2] for request in sensors] == ["/sensor/152/", "/sensor/153/"]

    def test_recorded_text_numbers_and_times_without_zone(self, tables: Tables, payloads: Path) -> None:
        body = (payloads / "sensor_community" / "sensor_152_two_records.json").read_bytes()
        found = tables(service("sensor_community"), body)
        (station,) = found["station"]
        assert (station["station_id"], station["lon"], station["lat"]) == ("68", 9.164, 48.792)
        assert station["elevation_m"] == 326.9
        assert [(s["datastream_id"], s["unit"], s["sensor"]) for s in found["datastream"]] == [
            ("152/temperature", "Cel", "DHT22"),
            ("152/humidity", "%", "DHT22"),
        ]
        assert [(r["datastream_id"], r["phenomenon_start"], r["value"]) for r in found["observation"]] == [
            ("152/temperature", datetime(2021, 11, 7, 11, 16, 45, tzinfo=UTC), 10.5),
            ("152/humidity", datetime(2021, 11, 7, 11, 16, 45, tzinfo=UTC), 79.3),
            ("152/temperature", datetime(2021, 11, 7, 11, 14, 13, tzinfo=UTC), 10.5),
            ("152/humidity", datetime(2021, 11, 7, 11, 14, 13, tzinfo=UTC), 80.6),
        ]

    def test_what_is_measured_indoors_is_left_out(self, tables: Tables, payloads: Path) -> None:
        records = json.loads((payloads / "sensor_community" / "sensor_152_two_records.json").read_bytes())
        for record in records:
            record["location"]["indoor"] = 1
        found = tables(service("sensor_community"), json.dumps(records).encode())
        assert not any(found.values())


class TestOpenSenseMap:
    def test_a_recorded_box_with_its_sensors(self, tables: Tables, payloads: Path) -> None:
        body = (payloads / "opensensemap" / "box_gross_glienicke.json").read_bytes()
        found = tables(service("opensensemap", stations=("5eba5fbad46fb8001b799786",)), body, "boxes")
        (station,) = found["station"]
        assert (station["name"], station["lon"], station["lat"]) == ("Groß Glienicke", 13.110423, 52.472952)
        assert [(s["observed_property"], s["unit"], s["sensor"]) for s in found["datastream"]] == [
            ("PM10", "µg/m³", "SDS 011"),
            ("PM2.5", "µg/m³", "SDS 011"),
            ("Temperatur", "°C", "BME280"),
            ("rel. Luftfeuchte", "%", "BME280"),
            ("Luftdruck", "Pa", "BME280"),
        ]

    def test_sensors_of_the_box_are_asked_for_in_slices(
        self, asked: Callable[..., list[Any]], payloads: Path
    ) -> None:
        box = json.loads((payloads / "opensensemap" / "box_gross_glienicke.json").read_bytes())
        indoor = {**box, "_id": "indoor", "exposure": "indoor"}
        answers = {"boxes": json.dumps([box, indoor]).encode(), "values": b"[]"}
        boxes, *values = asked(service("opensensemap", (13.0, 52.4, 13.2, 52.5)), answers)
        assert parse_qs(urlsplit(boxes.url).query)["bbox"] == ["13,52.4,13.2,52.5"]
        assert len(values) == 5
        assert not any("indoor" in request.url for request in values)
        any_exposure = service("opensensemap", (13.0, 52.4, 13.2, 52.5), exposure="any")
        assert len(asked(any_exposure, answers)) == 11

    def test_text_values_are_numbers(self, tables: Tables) -> None:
        source = service("opensensemap")
        value = {"createdAt": "2026-07-10T13:09:47.578Z", "value": "26.06", "location": [13.1, 52.4]}
        (row,) = tables(source, json.dumps([value]).encode(), "values", datastream_id="s")["observation"]
        assert (row["datastream_id"], row["value"]) == ("s", 26.06)
        assert row["phenomenon_start"] == datetime(2026, 7, 10, 13, 9, 47, 578000, tzinfo=UTC)

    @pytest.mark.parametrize(("seconds", "requests"), [(16, 3), (2, 23)])
    def test_of_a_time_that_the_service_cuts_its_halves_are_asked_for(
        self, seconds: int, requests: int
    ) -> None:
        """The latest ten thousand of a time are given, as the service does."""
        first, last = START, END  # of a slice that is a day longer
        box = {"_id": "b", "currentLocation": {"coordinates": [7.5, 51.5]}, "sensors": [SENSOR]}
        asked = list[str]()

        def service(request: httpx2.Request) -> httpx2.Response:
            if "data" not in request.url.path:
                return answer([box])
            start, end = (
                datetime.fromisoformat(request.url.params[name]) for name in ("from-date", "to-date")
            )
            asked.append(str(request.url))
            steps = range(0, int((last - first).total_seconds()), seconds)
            times = [
                first + timedelta(seconds=step)
                for step in steps
                if start <= first + timedelta(seconds=step) <= end
            ]
            return answer(
                [{"createdAt": f"{at:%Y-%m-%dT%H:%M:%SZ}", "value": "1"} for at in times[::-1][:10_000]]
            )

        night = land({"connector": "opensensemap"}, service)
        assert night.records["observation"].height == 2 * 86_400 // seconds
        assert not night.told
        assert len(asked) == requests

    def test_what_the_service_cuts_even_within_a_minute_is_an_error(self) -> None:
        box = {"_id": "b", "currentLocation": {"coordinates": [7.5, 51.5]}, "sensors": [SENSOR]}
        burst = datetime(2026, 7, 1, tzinfo=UTC)

        def service(request: httpx2.Request) -> httpx2.Response:
            if "data" not in request.url.path:
                return answer([box])
            start, end = (
                datetime.fromisoformat(request.url.params[name]) for name in ("from-date", "to-date")
            )
            value = {"createdAt": f"{burst:%Y-%m-%dT%H:%M:%SZ}", "value": "1"}
            return answer([value] * (10_000 if start <= burst <= end else 0))

        night = land({"connector": "opensensemap"}, service)
        assert "has 10000 values, at which the service cuts" in night.told[0]


class TestUba:
    def test_stations_that_still_measure_are_asked_for_component_by_component(
        self, asked: Callable[..., list[Any]], payloads: Path
    ) -> None:
        answers = {
            "stations": (payloads / "uba" / "uba_v3_stations_payload.json").read_bytes(),
            "measures": b'{"data":[]}',
        }
        germany = service("uba", GERMANY, components=("NO2", "PM10"))
        stations, *measures = asked(germany, answers, date(2026, 4, 6), date(2026, 4, 8))
        assert stations.url.endswith("/stations/json?lang=de")
        queries = [parse_qs(urlsplit(request.url).query) for request in measures]
        assert {query["station"][0] for query in queries} == {"21"}, "the other one was closed in 2001"
        assert {(q["component"][0], q["scope"][0]) for q in queries} == {("5", "2"), ("1", "2")}
        assert len(asked(service("uba", stations=("DEBE021",)), answers)) > 1
        with pytest.raises(FetchError, match="the service has no station DEBB003 at present"):
            asked(service("uba", stations=("DEBE021", "DEBB003")), answers)

    def test_a_recorded_station_and_its_hourly_means_in_winter_time(
        self, tables: Tables, payloads: Path
    ) -> None:
        folder, source = payloads / "uba", service("uba", components=("NO2",))
        found = tables(source, (folder / "uba_v3_stations_payload.json").read_bytes(), "stations")
        (station,) = found["station"]
        assert (station["station_id"], station["name"]) == ("DEBE021", "Berlin Wedding")
        assert (station["lon"], station["lat"], station["operator"]) == (13.3495, 52.5491, "Berlin")
        assert [(s["datastream_id"], s["unit"]) for s in found["datastream"]] == [("21/NO2", "ug/m3")]
        body = (folder / "uba_v3_measures_payload.json").read_bytes()
        rows = tables(source, body, "measures", component="NO2")["observation"]
        assert [(r["datastream_id"], r["phenomenon_start"].hour, r.get("value")) for r in rows] == [
            ("21/NO2", 11, 4.0),
            ("21/NO2", 12, None),
            ("3/NO2", 11, 99.0),
        ]
        assert (rows[0]["phenomenon_end"] - rows[0]["phenomenon_start"]).seconds == 3600

    def test_midnight_may_be_24_o_clock(self, tables: Tables) -> None:
        body = b'{"data":{"21":{"2026-04-07 24:00:00":[5,2,4,"2026-04-08 01:00:00","0"]}}}'
        (row,) = tables(service("uba"), body, "measures", component="NO2")["observation"]
        assert row["phenomenon_start"] == datetime(2026, 4, 7, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("connector", "role", "document", "named"),
    [
        (
            "pegelonline",
            "stations",
            [{"uuid": "u", "longitude": 7.0, "latitude": 51.0, "series": []}],
            "timeseries",
        ),
        ("pegelonline", "stations", [{"uuid": "u", "lon": 7.0, "lat": 51.0, "timeseries": []}], "longitude"),
        (
            "pegelonline",
            "stations",
            [{"uuid": "u", "longitude": 9.9, "latitude": 49.8, "timeseries": [{"shortname": "W"}]}],
            "unit",
        ),
        ("pegelonline", "measurements", [{"timestamp": "2026-07-01T00:00:00Z", "v": 1}], "value"),
        ("opensensemap", "boxes", [{"_id": "b", "currentLocation": None, "sensorList": []}], "sensors"),
        ("opensensemap", "boxes", [{"_id": "b", "loc": None, "sensors": []}], "currentLocation"),
        (
            "opensensemap",
            "boxes",
            [{"_id": "b", "currentLocation": None, "sensors": [{"_id": "s"}]}],
            "title",
        ),
        ("sensor_community", "data", [READING | {"values": []}], "sensordatavalues"),
        (
            "sensor_community",
            "data",
            [READING | {"sensordatavalues": [{"value_type": "P1", "v": 1}]}],
            "value",
        ),
        (
            "uba",
            "stations",
            {"indices": ["station id", "station code", "station name", "lon"], "data": []},
            "longitude",
        ),
        (
            "uba",
            "measures",
            {"indices": {"data": {"id": {"start": ["component id", "scope id", "mean"]}}}, "data": {}},
            "value",
        ),
    ],
)
def test_a_member_that_is_needed_and_that_no_record_has_any_more_is_an_error(
    read: ReadBody, connector: str, role: str, document: Any, named: str
) -> None:
    source = service(connector, WUERZBURG)
    with pytest.raises(ReadError, match=named):
        read(source, json.dumps(document).encode(), role, component="NO2", datastream_id="s")


def test_values_of_the_umweltbundesamt_are_where_its_answer_says(read: ReadBody) -> None:
    names = ["value", "component id", "date end", "scope id"]
    document = {
        "indices": {"data": {"station id": {"date start": names}}},
        "data": {"1": {"2026-07-30 00:00:00": [12, 5, "x", 2]}},
    }
    (observed,) = read(service("uba"), json.dumps(document).encode(), "measures", component="NO2")
    assert observed.frame["value"].to_list() == [12]


class TestOneBadElement:
    """What cannot be read of a catalogue costs nothing but itself."""

    def test_a_gauge(self, read: ReadBody) -> None:
        gauges: list[Any] = [{"uuid": "u", "shortname": None, "water": None, "timeseries": None}, {"uuid": 7}]
        stations, _ = read(service("pegelonline"), json.dumps(gauges).encode(), "stations")
        assert stations.frame["station_id"].to_list() == ["u"]
        assert [(row.row, row.rule) for row in stations.broken] == [(2, "unreadable_element")]

    def test_a_box_with_a_height_or_a_place_that_is_null(self, read: ReadBody) -> None:
        boxes: list[Any] = [
            {"_id": "a", "currentLocation": {"coordinates": [7.6, 51.9, None]}, "sensors": None},
            {"_id": "b", "currentLocation": None},
            "c",
        ]
        stations, _ = read(service("opensensemap"), json.dumps(boxes).encode(), "boxes")
        assert stations.frame.select("station_id", "lon").rows() == [("a", 7.6), ("b", None)]
        assert len(stations.broken) == 1

    def test_a_reading_of_a_citizens_sensor(self, read: ReadBody) -> None:
        location = {"id": 1, "longitude": "7.6", "latitude": "Nord", "indoor": 0}
        values = [{"value_type": "P1", "value": "4,6"}]
        reading = {"timestamp": "2026-07-30 10:00:00", "sensor": {"id": 3}, "location": location}
        inside = {**reading, "location": {**location, "id": 2, "indoor": "1"}}
        body = json.dumps([{**reading, "sensordatavalues": values}, inside, {"sensor": {}}]).encode()
        stations, _, observed = read(service("sensor_community"), body)
        assert stations.frame.select("station_id", "lat").rows() == [("1", "Nord")], "the contract judges it"
        assert observed.frame.rows() == [("3/P1", "2026-07-30T10:00:00Z", "4,6")]
        assert len(observed.broken) == 1

    def test_a_station_and_a_measure_of_another_kind(self, read: ReadBody) -> None:
        names = ["station id", "station code", "station name", "station active to"]
        rows = {"1": ["1", "DEXX001", "Mitte", None], "2": ["2", "DEXX002", None, None], "3": 4}
        body = json.dumps({"indices": names, "data": rows}).encode()
        stations, _ = read(service("uba"), body, "stations")
        assert stations.frame["station_id"].to_list() == ["DEXX001"]
        assert len(stations.broken) == 2
        hours = {
            "2026-07-30 00:00:00": [5, 2, 12],
            "2026-07-30 01:00:00": [5, 4, 13],
            "2026-07-30 02:00:00": [5],
        }
        body = json.dumps({"data": {"1": hours}}).encode()
        (observed,) = read(service("uba"), body, "measures", component="NO2")
        assert observed.frame["value"].to_list() == [12]
        assert [row.rule for row in observed.broken] == ["another_measure"] * 2


def test_a_station_of_the_umweltbundesamt_that_ended_is_asked_for_in_days_when_it_measured(
    asked: Callable[..., list[Any]],
) -> None:
    names = ["station id", "station code", "station name", "station active to"]
    body = json.dumps({"indices": names, "data": {"1": ["1", "DEXX001", "Mitte", "2026-07-20"]}}).encode()
    source, answers = service("uba", components=("NO2",)), {"stations": body, "measures": b'{"data":[]}'}
    assert [len(asked(source, answers, date(2026, 7, day), date(2026, 7, day))) for day in (20, 21)] == [2, 1]


def test_what_a_service_has_no_more_or_not_now_is_told(session: MakeSession) -> None:
    fake = session(lambda request: b"[]")
    connector = PegelonlineConnector(clock=lambda: datetime(2026, 8, 31, 12, tzinfo=UTC))
    for day in (date(2026, 7, 31), date(2026, 7, 30)):
        connector.fetch(service("pegelonline"), Window(day, day), BERLIN, fake)
    CONNECTORS["sensor_community"].fetch(
        service("sensor_community", stations=("7",)), Window(day, day), BERLIN, fake
    )
    assert [note.code for note in fake.notes] == ["older_than_kept", "no_values_now"]
