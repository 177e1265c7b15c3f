"""Bright Sky: which stations are asked for, and which values of a record are those of the station.

The answers are made up after the service's own description of its interface.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS, SOURCE_MODELS
from civitas_assets.errors import FetchError, ReadError
from tests.connectors.conftest import MakeSession, ReadBody

TOWN = (7.47, 51.84, 7.77, 52.06)
DAY = Window(date(2026, 7, 30), date(2026, 7, 30))
LATEST = "2026-07-30T12:00:00+00:00"
Records = Callable[..., dict[str, list[dict[str, Any]]]]


def source(**settings: Any) -> Any:
    return (
        SOURCE_MODELS["brightsky"]
        .model_validate({"connector": "brightsky", **settings})
        .with_place("it", TOWN)
    )


def station(number: int, kind: str = "current", **members: Any) -> dict[str, Any]:
    return {
        "id": number, "dwd_station_id": "01766", "observation_type": kind, "lat": 51.95, "lon": 7.6, "height": 48.0,
        "station_name": "A", "first_record": "2026-07-01T00:00:00+00:00", "last_record": LATEST, **members,
    }  # fmt: skip


def sources(*stations: dict[str, Any]) -> bytes:
    return json.dumps({"sources": stations}).encode()


def hours(records: Iterable[Mapping[str, Any]], *stations: dict[str, Any]) -> bytes:
    made = [{"timestamp": "2026-07-30T01:00:00+00:00", "source_id": 1, **record} for record in records]
    return json.dumps({"weather": made, "sources": stations or [station(1)]}).encode()


def fetched(session: MakeSession, listed: bytes | None, **settings: Any) -> list[Any]:
    fake = session(lambda request: listed if request.role == "sources" else hours([]))
    CONNECTORS["brightsky"].fetch(source(**settings), DAY, ZoneInfo("Europe/Berlin"), fake)
    return [*fake.requests]


def test_the_box_is_asked_for_as_the_circle_around_it_and_only_what_lies_in_it_is_wanted(
    session: MakeSession,
) -> None:
    listed = sources(
        station(1, "historical"),
        station(2, "current"),
        station(3, "forecast", dwd_station_id="00001"),
        station(4, dwd_station_id="00002", lon=7.8),
        station(5, dwd_station_id=None),
        station(6, dwd_station_id="00003", last_record="2017-05-23T06:00:00+00:00"),
    )
    asked, *weather = fetched(session, listed)
    place = {name: float(value) for name, (value,) in parse_qs(urlsplit(asked.url).query).items()}
    assert (place["lat"], place["lon"]) == (51.95, 7.62)
    assert 15_900 < place["max_dist"] < 16_200
    (request,) = weather
    assert parse_qs(urlsplit(request.url).query) == {
        "dwd_station_id": ["01766"], "date": ["2026-07-29T22:00Z"], "last_date": ["2026-07-30T22:00Z"],
        "tz": ["Etc/UTC"], "units": ["dwd"],
    }  # fmt: skip


def test_a_named_station_may_lie_elsewhere_and_lack_its_zeros(session: MakeSession) -> None:
    asked, weather = fetched(session, sources(station(1, lon=9.0)), stations=("1766",))
    assert asked.url.endswith("/sources?dwd_station_id=01766")
    assert weather.role == "weather"


def test_a_place_without_stations_is_an_error_that_says_what_to_do(session: MakeSession) -> None:
    with pytest.raises(
        FetchError, match="no station with values since 2026-07-30 lies in the bbox: name stations"
    ):
        fetched(session, None)
    with pytest.raises(FetchError, match="the service has no station 99 at present"):
        fetched(session, sources(station(1)), stations=("99", "01766"))


def test_a_station_is_there_once_as_its_history_describes_it(records: Records) -> None:
    listed = sources(
        station(1, "synop", height=1.0), station(2, "historical", height=47.8), station(3, "forecast")
    )
    (row,) = records(source(), listed, "sources")["station"]
    assert (row["station_id"], row["name"], row["elevation_m"]) == ("01766", "A", 47.8)


def test_values_are_of_the_hour_that_ends_in_units_that_were_asked_for(records: Records) -> None:
    record = {
        "temperature": 17.6,
        "solar": 0.563,
        "sunshine": None,
        "condition": "dry",
        "precipitation_probability": 46,
    }
    found = records(source(), hours([record]), "weather")
    assert {row["datastream_id"]: row["value"] for row in found["observation"]} == {
        "01766/temperature": 17.6, "01766/solar": 0.563,
    }  # fmt: skip
    first = found["observation"][0]
    assert first["phenomenon_start"] == datetime(2026, 7, 30, 0, tzinfo=UTC)
    assert first["phenomenon_end"] == datetime(2026, 7, 30, 1, tzinfo=UTC)
    told = {row["datastream_id"]: (row["observed_property"], row["unit"]) for row in found["datastream"]}
    assert told == {
        "01766/temperature": ("weather.temperature", "Cel"), "01766/solar": ("weather.global_radiation", "kW/m2"),
    }  # fmt: skip


def test_what_a_forecast_or_another_station_has_filled_is_no_value_of_the_station(records: Records) -> None:
    there = [
        station(1), station(2, "synop"), station(3, "forecast"), station(4, dwd_station_id="00002", lat=51.9),
    ]  # fmt: skip
    filled = {"temperature": 2, "solar": 3, "sunshine": 4, "visibility": 9}
    measured = {
        "temperature": 1.5,
        "solar": 0.1,
        "sunshine": 5,
        "visibility": 100,
        "dew_point": 2,
        "fallback_source_ids": filled,
    }
    forecast = {"timestamp": "2026-07-30T02:00:00+00:00", "source_id": 3, "temperature": 99}
    found = records(source(), hours([measured, forecast], *there), "weather")["observation"]
    assert [(row["datastream_id"], row["value"]) for row in found] == [
        ("01766/temperature", 1.5),
        ("01766/dew_point", 2.0),
    ]


def test_one_record_that_is_none_is_one_rejected_row(read: ReadBody) -> None:
    records = [{"temperature": 1}, {"source_id": 7}, {"timestamp": None}, {"temperature": 2}]
    datastreams, values = read(source(), hours(records), "weather")
    assert datastreams.frame.height == 1
    assert values.frame["@row"].to_list() == [1, 4]
    assert [(row.row, row.rule) for row in values.broken] == [(2, "not_an_hour"), (3, "not_an_hour")]
    assert "the source 7, which the answer does not describe" in values.broken[0].detail


def test_no_hours_are_no_fault_but_an_answer_without_its_list_is(read: ReadBody) -> None:
    assert [table.frame.height for table in read(source(), hours([]), "weather")] == [0, 0]
    with pytest.raises(ReadError, match="is not what Bright Sky answers"):
        read(source(), b'{"detail":"No sources match your criteria"}', "weather")
