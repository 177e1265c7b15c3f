"""Bodies of SensorThings, a line each, which our own connector reads as what was published."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from civitas_assets.errors import ExportError
from civitas_assets.export.sensorthings_format import SensorThings
from tests.connectors.conftest import MakeSource, ReadRecords
from tests.export.conftest import Town

NOON = datetime(2026, 8, 20, 12, tzinfo=UTC)
STATION = {"tenant": "town", "source": "air", "station_id": "s1"}
STREAM = {**STATION, "station_key": "town:s'1", "unit": "ug/m3"}


@pytest.fixture
def filled(town: Town) -> Any:
    """Two stations, one nowhere; series with a property and one without; values, none, and a text."""
    town.put("source", {"source": "air", "licence": "dl-de/by-2-0", "attribution": "Amt"})
    town.put(
        "station",
        {**STATION, "station_key": "town:s'1", "name": "Am „Markt“ ü", "lon": 9.1, "lat": 50.1},
        {**STATION, "station_key": "town:s2"},
    )
    town.put(
        "datastream",
        {
            **STREAM,
            "datastream_key": "town:d1",
            "datastream_id": "d1",
            "observed_property": "air.no2",
            "name": "NO2",
        },
        {**STREAM, "datastream_key": "town:d2", "datastream_id": "d2", "observed_property": "air.pm10"},
        {**STREAM, "datastream_key": "town:d3", "datastream_id": "d3"},
    )
    at = {**STREAM, "quality_code": "good", "phenomenon_end_at": NOON + timedelta(hours=1)}
    given = [("town:d1", "air.no2", n, 1.5 + n) for n in (2, 0, 1)] + [("town:d2", "air.pm10", 0, -0.25)]
    given += [
        ("town:d2", "air.pm10", 1, None),
        ("town:d2", "air.pm10", 2, float("nan")),
        ("town:d3", None, 0, 1.0),
    ]
    for key, code, hour, value in given:
        start = NOON + timedelta(hours=hour)
        span = {"phenomenon_start_at": start, "phenomenon_end_at": start + timedelta(hours=hour)}
        town.put(
            "observation", {**at, **span, "datastream_key": key, "observed_property": code, "value": value}
        )
    return town


def test_things_are_read_by_our_connector_as_what_was_published(
    filled: Any, source: MakeSource, records: ReadRecords
) -> None:
    lines = filled.export("station", SensorThings()).splitlines()
    things = [json.loads(line) for line in lines]
    placed, nowhere = sorted(things, key=lambda thing: -len(thing["Locations"]))
    assert nowhere["Locations"] == [] == nowhere["Datastreams"]
    assert placed["properties"] == {
        "station_id": "s1", "position": [9.1, 50.1], "licence": "dl-de/by-2-0",
        "licence_url": "https://www.govdata.de/dl-de/by-2-0", "attribution": "Amt",
        "notice": placed["properties"]["notice"], "civitas_key": "town/Things/town:s'1",
    }  # fmt: skip
    declared = source("sensorthings", url="https://sta.example").with_place("s", (9.0, 50.0, 9.2, 50.2))
    read = records(declared, json.dumps({"value": [placed]}).encode(), "things")
    (station,) = read["station"]
    names = ("station_id", "name", "lon", "lat")
    assert tuple(station[name] for name in names) == ("town:s'1", "Am „Markt“ ü", 9.1, 50.1)
    assert [
        (row["datastream_id"], row["station_id"], row["observed_property"], row["unit"])
        for row in read["datastream"]
    ] == [("town:d1", "town:s'1", "air.no2", "ug/m3"), ("town:d2", "town:s'1", "air.pm10", "ug/m3")]
    alone = [json.loads(line) for line in filled.export("datastream", SensorThings()).splitlines()]
    assert [{**stream, "Thing": stream.pop("Thing")} for stream in alone] == [
        {**stream, "Thing": {"@iot.id": "town:s'1"}} for stream in placed["Datastreams"]
    ]


@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_observations_are_arrays_by_datastream_however_they_are_cut(
    filled: Any, source: MakeSource, records: ReadRecords, rows: int
) -> None:
    bodies = [json.loads(line) for line in filled.export("observation", SensorThings(rows)).splitlines()]
    assert [sum(array["dataArray@iot.count"] for array in body) for body in bodies] == {
        1: [1] * 4, 2: [2, 2], 1000: [4],
    }[rows]  # fmt: skip
    declared, found = source("sensorthings", url="https://sta.example"), []
    for array in (array for body in bodies for array in body):
        page = json.dumps({"value": [array]}).encode()
        key = array["Datastream"]["@iot.id"]
        found += records(declared, page, "observations", datastream_id=key)["observation"]
    assert [(row["datastream_id"], row["phenomenon_start"], row["value"]) for row in found] == [
        *(("town:d1", NOON + timedelta(hours=n), 1.5 + n) for n in range(3)),
        ("town:d2", NOON, -0.25),
    ]
    ends = [row["phenomenon_end"] for row in found]
    assert ends == [NOON, NOON + timedelta(hours=2), NOON + timedelta(hours=4), NOON]
    assert {row["quality_native"] for row in found} == {"good"}


def test_series_of_a_source_that_is_closed_are_in_no_thing(filled: Any) -> None:
    filled.put("source", {"source": "bought", "licence": "proprietary"})
    closed = {
        **STREAM,
        "source": "bought",
        "datastream_key": "x",
        "datastream_id": "x",
        "observed_property": "air.o3",
    }
    filled.put("datastream", closed)
    filled.put("observation", {**closed, "phenomenon_start_at": NOON, "value": 1.0})
    text = b"".join(
        filled.export(model, SensorThings()) for model in ("station", "datastream", "observation")
    )
    assert b'"x"' not in text
    assert b'"@iot.id":"x"' in filled.export("station", SensorThings(), everything=True)


def test_a_model_that_is_none_of_it_is_an_error(town: Town) -> None:
    with pytest.raises(ExportError, match=r"event is nothing that SensorThings has.*observation, station"):
        town.export("event", SensorThings())
