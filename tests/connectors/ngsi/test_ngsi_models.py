"""Entities of the Smart Data Models, in each form that brokers give them, become records without any mapping."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.conftest import MakeSource, ReadRecords

SEEDS = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds"
Found = dict[str, list[dict[str, Any]]]
Rows = Callable[..., Found]
NOON = datetime(2026, 7, 30, 12, tzinfo=UTC)


@pytest.fixture
def rows(source: MakeSource, records: ReadRecords) -> Rows:
    """Records of these entities."""

    def read(*entities: dict[str, Any], **settings: Any) -> Any:
        types = tuple(entity["type"] for entity in entities)
        declared = source("ngsi_ld", **{"types": types, **settings})
        return records(declared, json.dumps(entities).encode(), "entities", type=types[0])

    return read


@pytest.fixture
def recorded(payloads: Path) -> Callable[[str], dict[str, Any]]:
    """An example of the makers of the models."""

    def load(model: str) -> dict[str, Any]:
        file = payloads / "ngsi_smart_data_models" / f"{model}.example-normalized.jsonld"
        entity: dict[str, Any] = json.loads(file.read_bytes())
        return entity

    return load


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file)]


def plain(native: str) -> str:
    return native.lower().replace(" ", "")


@pytest.fixture(scope="module")
def meaning() -> Callable[[str, str | None], tuple[str, str | None]]:
    """The property and the unit that the seeds know for native ones, as the dbt project looks them up."""
    properties = {plain(row["code"]): row["code"] for row in seed("observed_properties")}
    properties |= {
        plain(row["spelling"]): row["observed_property"] for row in seed("observed_property_spellings")
    }
    units = {plain(row[key]): row["code"] for row in seed("units") for key in ("code", "uncefact_unit")}
    units |= {plain(row["spelling"]): row["unit"] for row in seed("unit_spellings")}
    convertible = {(row["from_unit"], row["to_unit"]) for row in seed("unit_conversions")}
    canonical = {row["code"]: row["canonical_unit"] for row in seed("observed_properties")}

    def look_up(native: str, unit: str | None) -> tuple[str, str | None]:
        code = properties.get(plain(native), "")
        known = units[plain(unit)] if unit else None
        if code and known:
            assert known == canonical[code] or (known, canonical[code]) in convertible
        return code, known

    return look_up


def observed(found: Found) -> dict[str, tuple[Any, Any]]:
    """Value and unit by native property."""
    streams = {stream["datastream_id"]: stream for stream in found["datastream"]}
    return {
        streams[row["datastream_id"]]["observed_property"]: (
            row["value"],
            streams[row["datastream_id"]].get("unit"),
        )
        for row in found["observation"]
    }


def entity(kind: str, **attributes: Any) -> dict[str, Any]:
    """An entity as the JSON schemas of the models have it, in normalised form."""
    normalised = {name: {"type": "Property", "value": value} for name, value in attributes.items()}
    where = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [11.5, 50.9]}}
    return {"id": f"urn:ngsi-ld:{kind}:1", "type": kind, "location": where, **normalised}


def units(code: str, *names: str) -> Any:
    return {name: {"type": "Property", "value": 1, "unitCode": code} for name in names}


MODELS = {
    "AirQualityObserved": {
        **units("GQ", "no2", "no", "nox", "o3", "so2", "pm10", "pm25", "pm1", "c6h6"),
        **units("GP", "co"),
        **units("59", "co2"),
    },
    "WeatherObserved": {
        **entity(
            "WeatherObserved",
            temperature=21.5,
            dewPoint=9,
            relativeHumidity=0.4,
            atmosphericPressure=1013,
            precipitation=0.5,
            windSpeed=3,
            gustSpeed=7,
            windDirection=270,
            solarRadiation=640,
            illuminance=8000,
            snowHeight=0,
            streamGauge=140,
            uVIndexMax=5,
        )
    },
    "NoiseLevelObserved": entity(
        "NoiseLevelObserved", LAeq=61.5, LAmax=80, LAS=63, LAeq_d=59, sonometerClass="1"
    ),
    "WaterQualityObserved": {
        **entity(
            "WaterQualityObserved", temperature=14.2, conductivity=0.05, pH=7.4, turbidity=3, orp=210, O2=9.1
        ),
        **entity("WaterQualityObserved", NO3=12, NH4=0.1, bod=2, cod=9, tss=14, tds=300),
        "Cl-": 31,
        "measurand": ["NO3, 12, M1, nitrates"],
        **units("M1", "PO4"),
        **units("MQS", "flow"),
    },
    "TrafficFlowObserved": entity(
        "TrafficFlowObserved", intensity=42, occupancy=0.2, averageVehicleSpeed=31, laneId=1
    ),
    "CrowdFlowObserved": entity("CrowdFlowObserved", peopleCount=17),
    "WasteContainer": entity("WasteContainer", fillingLevel=0.7, binCapacity=1100, storedWasteCode="200101"),
}


@pytest.mark.parametrize("kind", MODELS)
def test_every_value_of_a_model_has_a_property_and_a_unit_that_the_seeds_know(
    rows: Rows, meaning: Callable[[str, str | None], tuple[str, str | None]], kind: str
) -> None:
    given = {**entity(kind), **MODELS[kind], "dateObserved": "2026-07-30T12:00:00Z"}
    found = observed(rows(given))
    numbers = {
        *given.keys()
        - {"id", "type", "location", "dateObserved", "laneId", "measurand", "sonometerClass"}
        - {"binCapacity", "storedWasteCode"}
    }
    assert {name.removeprefix(f"{kind}.") for name in found} == numbers
    for name, (_, unit) in found.items():
        code, known = meaning(name, unit)
        assert code, name
        assert known or code in {"water.ph", "traffic.pedestrian_count"}, name


def test_a_temperature_of_water_is_none_of_the_air(
    meaning: Callable[[str, str | None], tuple[str, str | None]],
) -> None:
    assert meaning("WaterQualityObserved.temperature", "CEL") == ("water.temperature", "Cel")
    assert meaning("temperature", None) == ("weather.temperature", None)
    assert meaning("WasteContainer.temperature", None) == ("", None)
    assert meaning("WaterQualityObserved.NH3", None) == ("", None)


@pytest.mark.parametrize(
    "code",
    [
        *("2N", "59", "61", "A97", "CEL", "CMT", "D10", "D54", "DD", "EA", "GP", "GQ", "H87", "KMH", "LUX"),
        *("M1", "MMT", "MQS", "MTR", "MTS", "P1", "P72", "P73"),
    ],
)
def test_common_codes_of_un_cefact_are_units(
    meaning: Callable[[str, str | None], tuple[str, str | None]], code: str
) -> None:
    assert meaning("", code)[1]


def test_the_recorded_air_quality_needs_no_mapping(
    rows: Rows, recorded: Callable[[str], dict[str, Any]]
) -> None:
    found = rows(recorded("AirQualityObserved"))
    (station,) = found["station"]
    assert station["station_id"] == "urn:ngsi-ld:AirQualityObserved:Madrid-AmbientObserved-28079004"
    assert (round(station["lon"], 3), round(station["lat"], 3)) == (-3.712, 40.424)
    values = observed(found)
    assert {name: values[name] for name in ("co", "no", "no2", "so2", "temperature", "relativeHumidity")} == {
        "co": (500, "GP"),
        "no": (45, "GQ"),
        "no2": (69, "GQ"),
        "so2": (11, "GQ"),
        "temperature": (12.2, "Cel"),
        "relativeHumidity": (0.54, "1"),
    }
    assert "airQualityLevel" not in values, "text is no measurement"
    assert "reliability" not in values, "it is about the data"
    assert {row["phenomenon_start"] for row in found["observation"]} == {
        datetime(2016, 3, 15, 11, tzinfo=UTC)
    }


def test_the_recorded_weather_is_observed_by_its_device(
    rows: Rows, recorded: Callable[[str], dict[str, Any]]
) -> None:
    found = rows(recorded("WeatherObserved"), skip=("pressureTendency",))
    assert [station["station_id"] for station in found["station"]] == ["urn:ngsi-ld:Device:device-0A3478"]
    values = observed(found)
    assert values["atmosphericPressure"] == (938.9, "hPa")
    assert values["precipitation"] == (0, "L/m2")
    assert values["windDirection"] == (135, "deg")
    assert "pressureTendency" not in values


def test_ngsi_v2_has_text_numbers_and_units_and_times_in_metadata(rows: Rows) -> None:
    found = rows(
        {
            "id": "s1",
            "type": "AirQualityObserved",
            "NO2": {
                "type": "Number",
                "value": "12.5",
                "metadata": {
                    "unitCode": {"type": "Text", "value": "GQ"},
                    "TimeInstant": {"type": "DateTime", "value": "2026-07-30T12:00:00.00Z"},
                },
            },
            "O3": {
                "type": "Number",
                "value": 80,
                "metadata": {"timestamp": {"value": "2026-07-30T12:00:00"}},
            },
            "SO2": {"type": "Number", "value": "2"},
            "TimeInstant": {"type": "DateTime", "value": "2026-07-30T11:00:00Z"},
            "location": {"type": "geo:json", "value": {"type": "Point", "coordinates": [11.5, 50.9]}},
        },
        api="v2",
    )
    assert observed(found) == {"NO2": (12.5, "GQ"), "O3": (80, None), "SO2": (2, None)}
    assert [row["phenomenon_start"].hour for row in found["observation"]] == [12, 12, 11]
    assert (found["station"][0]["lon"], found["station"][0]["lat"]) == (11.5, 50.9)


@pytest.mark.parametrize(
    "when",
    [
        {"dateObservedFrom": "2026-07-30T12:00:00Z", "dateObservedTo": "2026-07-30T12:15:00Z"},
        {
            "dateObservedFrom": {"type": "Property", "value": {"@type": "DateTime", "@value": "2026-07-30T12:00:00"}},
            "dateObservedTo": {"type": "Property", "value": {"@type": "DateTime", "@value": "2026-07-30T12:15:00"}},
        },
        {"dateObserved": {"type": "Property", "value": "2026-07-30T14:00:00+02:00/2026-07-30T14:15:00+02:00"}},
    ],
)  # fmt: skip
def test_an_interval_of_observation_is_that_of_its_values(rows: Rows, when: dict[str, Any]) -> None:
    (row,) = rows({**entity("NoiseLevelObserved", LAeq=61.5), **when})["observation"]
    assert (row["phenomenon_start"], row["phenomenon_end"]) == (NOON, NOON.replace(minute=15))


def test_an_id_with_an_interval_at_its_end_is_the_station_without_it(rows: Rows) -> None:
    given = {
        **entity("NoiseLevelObserved", LAeq=61.5),
        "id": "urn:n:Markt-2026-07-30T12:00:00_2026-07-30T13:00:00",
        "dateObservedFrom": "2026-07-30T12:00:00Z",
    }
    assert rows(given)["station"][0]["station_id"] == "urn:n:Markt"


def test_lanes_vehicle_types_and_data_sets_have_datastreams_of_their_own(
    rows: Rows, meaning: Callable[[str, str | None], tuple[str, str | None]]
) -> None:
    when = {"dateObserved": "2026-07-30T12:00:00Z", "refDevice": "urn:loop:1"}
    car, bicycle = (
        {**entity("TrafficFlowObserved", intensity=number), **when, **more, "id": f"urn:t:{number}"}
        for number, more in ((42, {"laneId": 2}), (7, {"vehicleType": "bicycle"}))
    )
    car["averageVehicleSpeed"] = [
        {"type": "Property", "value": 31.5, "datasetId": "urn:morning"},
        {"type": "Property", "value": 29},
    ]
    found = rows(car, bicycle)
    assert sorted((row["datastream_id"], row["value"]) for row in found["observation"]) == [
        ("urn:loop:1/bicycle/TrafficFlowObserved.intensity", 7),
        ("urn:loop:1/lane2/TrafficFlowObserved.averageVehicleSpeed", 29),
        ("urn:loop:1/lane2/TrafficFlowObserved.averageVehicleSpeed/urn:morning", 31.5),
        ("urn:loop:1/lane2/TrafficFlowObserved.intensity", 42),
    ]
    properties = {s["datastream_id"]: meaning(s["observed_property"], None)[0] for s in found["datastream"]}
    assert properties["urn:loop:1/bicycle/TrafficFlowObserved.intensity"] == "traffic.bicycle_count"
    assert properties["urn:loop:1/lane2/TrafficFlowObserved.intensity"] == "traffic.count"
    assert meaning("TrafficFlowObserved.intensity.lorry", None)[0] == "", "no count of all motor vehicles"


def test_plain_values_and_types_with_a_namespace_are_understood(rows: Rows) -> None:
    found = rows(
        {
            "id": "urn:c:1",
            "type": "https://smartdatamodels.org/dataModel.Weather/WeatherObserved",
            "dateObserved": "2026-07-30T12:00:00Z",
            "temperature": 21.5,
            "gone": {"type": "Property", "value": "urn:ngsi-ld:null"},
            "weatherType": "sunny",
            "congested": False,
        }
    )
    assert observed(found) == {"temperature": (21.5, "Cel")}
