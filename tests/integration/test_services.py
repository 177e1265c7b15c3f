"""National services through the whole chain: recorded answers become observations in canonical units."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from civitas_assets.catalog import Window
from civitas_assets.pipeline.runner import Order
from tests.integration.conftest import Server, Workplace

CLOCK = datetime(2026, 8, 22, 5, 11, tzinfo=UTC)
DAY = "2026-08-21"
TENANT = """
name: Deutschland
ags: "99000000"
bbox: [5.8, 47.2, 15.1, 55.1]
sources:
  water: {connector: pegelonline, url: "$url/pegel", http: {requests_per_second: 200}}
  citizens: {connector: sensor_community, url: "$url/community", http: {requests_per_second: 200}}
  boxes: {connector: opensensemap, url: "$url/boxmap", http: {requests_per_second: 200}}
  air: {connector: uba, url: "$url/uba", components: [NO2], http: {requests_per_second: 200}}
  weather:
    connector: dwd
    url: "$url/dwd"
    stations: ["01766"]
    products: [air_temperature, solar]
    http: {requests_per_second: 200}
"""


def _recorded(payloads: Path) -> dict[str, bytes]:
    """Catalogues as they were recorded, a gauge in their form, and values of one day in the recorded form."""
    gauge = json.loads((payloads / "pegelonline" / "station_timeseries_current_wuerzburg.json").read_bytes())
    reservoir = {
        **gauge,
        "uuid": "5f0e2b1a-0000-0000-0000-000000000000",
        "longname": "TALSPERRE",
        "timeseries": [
            {**gauge["timeseries"][0], "unit": "m+NN", "currentMeasurement": {"value": 244.31}},
            {"shortname": "DFH", "unit": "m", "currentMeasurement": {"value": 6.1}},
        ],
    }
    box = json.loads((payloads / "opensensemap" / "box_gross_glienicke.json").read_bytes())
    answers = {
        "/pegel/stations.json": [gauge, reservoir],
        "/boxmap/boxes": [box],
        "/uba/stations/json": json.loads((payloads / "uba" / "uba_v3_stations_payload.json").read_bytes()),
        "/uba/measures/json": {"data": {"21": {f"{DAY} 12:00:00": [5, 2, 4, f"{DAY} 13:00:00", "0"]}}},
    }
    stations = (
        "Stations_id von_datum bis_datum Stationshoehe geoBreite geoLaenge Stationsname Bundesland\n"
        "01766 19891001                      48     52.1344    7.6969 Münster/Osnabrück\n"
    ).encode("latin-1")
    for place in (gauge, reservoir):
        for series in place["timeseries"]:
            path = f"/pegel/stations/{place['uuid']}/{series['shortname']}/measurements.json"
            value = series["currentMeasurement"]["value"]
            answers[path] = [{"timestamp": f"{DAY}T19:15:00+02:00", "value": value}]
    for sensor in box["sensors"]:
        path = f"/boxmap/boxes/{box['_id']}/data/{sensor['_id']}"
        value = sensor["lastMeasurement"]["value"]
        answers[path] = [{"createdAt": f"{DAY}T13:09:47.578Z", "value": value}]
    community = (payloads / "sensor_community" / "sensor_152_two_records.json").read_bytes()
    weather = (payloads / "dwd" / "10minutenwerte_SOLAR_01766_akt.zip").read_bytes()
    return {path: json.dumps(answer).encode() for path, answer in answers.items()} | {
        "/community/filter/box=47.2,5.8,55.1,15.1": community,
        "/dwd/air_temperature/recent/zehn_min_tu_Beschreibung_Stationen.txt": stations,
        "/dwd/solar/recent/zehn_min_sd_Beschreibung_Stationen.txt": stations,
        "/dwd/solar/recent/10minutenwerte_SOLAR_01766_akt.zip": weather,
    }


@pytest.fixture(scope="module")
def germany(
    payloads: Path, new_workplace: Callable[[], Workplace], serve: Callable[[dict[str, bytes | None]], Server]
) -> Workplace:
    """All services, run for one day."""
    server = serve(_recorded(payloads))
    workplace = new_workplace()
    workplace.clock = CLOCK
    workplace.write_tenant("deutschland", TENANT.replace("$url", server.url))
    day = date.fromisoformat(DAY)
    outcome = workplace.run("deutschland", Order(window=Window(day, day)))
    assert not outcome.errors, "\n".join(outcome.errors)
    assert outcome.rejected == 0
    return workplace


def test_every_recorded_property_and_unit_is_known_and_no_other_is_guessed(germany: Workplace) -> None:
    rejected = """
        select source, record_type, rule, field, day, record_count, example_detail
        from rejected_record order by rule
    """
    property_, unit = 'property "DFH", unit "m"', 'property "WASSERSTAND ROHDATEN", unit "m+NN"'
    day = date.fromisoformat(DAY)
    # A level above the sea is none above the zero of a gauge, though both are lengths.
    assert germany.ask("deutschland", rejected) == [
        ("water", "observation", "unknown_observed_property", "observed_property", day, 1, property_),
        ("water", "observation", "unknown_unit", "unit", day, 1, unit),
    ]


def test_levels_and_discharges_are_one_row_of_a_gauge(germany: Workplace) -> None:
    wide = """
        select station_id, phenomenon_start_at, phenomenon_end_at, day, level_cm, discharge_m3_s, temperature_cel,
               flow_velocity_m_s, ph, dissolved_oxygen_mg_l, quality_code, source
        from water_observed
    """
    at = datetime(2026, 8, 21, 17, 15, tzinfo=UTC)
    wuerzburg = "915d76e1-xxxx-xxxx-xxxx-4d144cd771cc"
    assert germany.ask("deutschland", wide) == [
        (wuerzburg, at, at, date(2026, 8, 21), 159, 102, 22.1, 0.58, 8.1, 8.4, "provisional", "water")
    ]


def test_numbers_that_citizens_sensors_write_as_text(germany: Workplace) -> None:
    wide = """
        select station_id, phenomenon_start_at, day, temperature_cel, relative_humidity_percent, quality_code
        from weather_observed where source = 'citizens' order by phenomenon_start_at
    """
    day = date(2021, 11, 7)
    assert germany.ask("deutschland", wide) == [
        ("68", datetime(2021, 11, 7, 11, 14, 13, tzinfo=UTC), day, 10.5, 80.6, "good"),
        ("68", datetime(2021, 11, 7, 11, 16, 45, tzinfo=UTC), day, 10.5, 79.3, "good"),
    ]
    place = "select station_id, name, lon, lat, elevation_m from station where source = 'citizens'"
    assert germany.ask("deutschland", place) == [("68", "sensor.community 68", 9.164, 48.792, 326.9)]


def test_a_column_without_any_value_is_no_datastream(germany: Workplace) -> None:
    weather = """
        select datastream_id, count(*), count(value), round(sum(value_native), 3)
        from observation where source = 'weather' group by 1 order by 1
    """
    # LS_10, longwave radiation, is -999 in all 288 rows of the recorded file.
    assert germany.ask("deutschland", weather) == [
        ("01766/DS_10", 288, 288, 1409.3),
        ("01766/GS_10", 288, 288, 5509.7),
        ("01766/SD_10", 288, 288, 29.704),
    ]
    ids = "select datastream_id from datastream where source = 'weather' order by 1"
    assert germany.ask("deutschland", ids) == [("01766/DS_10",), ("01766/GS_10",), ("01766/SD_10",)]


def test_values_arrive_in_canonical_units(germany: Workplace) -> None:
    query = """
        select source, observed_property, value, unit from observation
        where day >= '2026-08-01' order by source, observed_property
    """
    assert germany.ask("deutschland", query) == [
        ("air", "air.no2", 4.0, "ug/m3"),
        ("boxes", "air.pm10", 0.0, "ug/m3"),
        ("boxes", "air.pm2_5", 0.0, "ug/m3"),
        ("boxes", "weather.pressure", pytest.approx(1013.3772), "hPa"),
        ("boxes", "weather.relative_humidity", 55.67, "%"),
        ("boxes", "weather.temperature", 26.06, "Cel"),
        ("water", "water.discharge", 102.0, "m3/s"),
        ("water", "water.dissolved_oxygen", 8.4, "mg/L"),
        ("water", "water.flow_velocity", 0.58, "m/s"),
        ("water", "water.level", 159.0, "cm"),
        ("water", "water.ph", 8.1, "[pH]"),
        ("water", "water.temperature", 22.1, "Cel"),
        ("water", "weather.temperature", 21.2, "Cel"),
    ]


def test_winter_time_of_the_air_data_and_utc_of_the_citizens_are_told_apart(germany: Workplace) -> None:
    air = "select phenomenon_start_at from observation where source = 'air'"
    assert germany.ask("deutschland", air) == [(datetime(2026, 8, 21, 11, tzinfo=UTC),)]
    citizens = """
        select distinct phenomenon_start_at from observation where source = 'citizens' order by 1
    """
    assert germany.ask("deutschland", citizens) == [
        (datetime(2021, 11, 7, 11, 14, 13, tzinfo=UTC),),
        (datetime(2021, 11, 7, 11, 16, 45, tzinfo=UTC),),
    ]


def test_recorded_sums_of_ten_minutes_are_published_as_means_and_minutes(germany: Workplace) -> None:
    noon = """
        select observed_property, round(value, 3), unit, value_native, unit_native, quality_native
        from observation
        where source = 'weather' and phenomenon_end_at = '2023-06-09 12:00:00+00'
        order by observed_property
    """
    assert germany.ask("deutschland", noon) == [
        ("weather.diffuse_radiation", 200.0, "W/m2", 12.0, "J/cm2/(10.min)", "2"),
        ("weather.global_radiation", 833.333, "W/m2", 50.0, "J/cm2/(10.min)", "2"),
        ("weather.sunshine_duration", 10.02, "min", 0.167, "h", "2"),
    ]
    wide = """
        select station_id, phenomenon_start_at, round(solar_radiation_w_m2, 3), round(sunshine_duration_min, 3)
        from weather_observed
        where source = 'weather' and phenomenon_end_at = '2023-06-09 12:00:00+00'
    """
    assert germany.ask("deutschland", wide) == [
        ("01766", datetime(2023, 6, 9, 11, 50, tzinfo=UTC), 833.333, 10.02)
    ]
    days = "select day, count(*) from weather_observed where source = 'weather' group by day order by day"
    assert germany.ask("deutschland", days) == [
        (date(2023, 6, 9), 133),
        (date(2023, 6, 10), 144),
        (date(2023, 6, 11), 11),
    ]


def test_stations_have_their_names_and_places(germany: Workplace) -> None:
    stations = "select source, name, round(lon, 3), round(lat, 3) from station order by source, name"
    assert germany.ask("deutschland", stations) == [
        ("air", "Berlin Wedding", 13.35, 52.549),
        ("boxes", "Groß Glienicke", 13.11, 52.473),
        ("citizens", "sensor.community 68", 9.164, 48.792),
        ("water", "TALSPERRE", 9.926, 49.796),
        ("water", "WÜRZBURG", 9.926, 49.796),
        ("weather", "Münster/Osnabrück", 7.697, 52.134),
    ]
