"""Jena's car parks and LoRaWAN sensors through the whole chain: the rows were read from the recorded payloads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from tests.integration.conftest import Ask, Replay, Server, Workplace

SOIL, SKY, BIN, LABORATORY = "a8404187d187106e", "2cf7f1c0443002c8", "24e124713c401925", "2cf7f1c051100027"
OBSERVED = """
    select datastream_id, station_id, observed_property, phenomenon_start_at, phenomenon_end_at, day, value, unit,
           value_native, unit_native, quality_code
    from observation
"""


# In the form that the city publishes; the car park is known by its name.
STATUS = b"""
    <d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" modelBaseVersion="2"><payloadPublication>
    <publicationTime>2026-08-22T05:10:00.000+02:00</publicationTime><parkingFacilityStatus>
    <parkingFacilityReference id="Neue Mitte" version="1"/>
    <totalNumberOfOccupiedParkingSpaces>150</totalNumberOfOccupiedParkingSpaces>
    <totalNumberOfVacantParkingSpaces>50</totalNumberOfVacantParkingSpaces>
    <totalParkingCapacityShortTermOverride>200</totalParkingCapacityShortTermOverride>
    <parkingFacilityStatusTime>2026-08-22T05:09:00.000+02:00</parkingFacilityStatusTime>
    </parkingFacilityStatus></payloadPublication></d2LogicalModel>
"""


@pytest.fixture(scope="module")
def jena(
    replay: Replay, new_workplace: Callable[[], Workplace], serve: Callable[[dict[str, bytes | None]], Server]
) -> Ask:
    """The city's own tenant with its car parks, and its sensors."""
    workplace = new_workplace()
    sensors = workplace.template("jena_sensors", url=replay.url)
    status = serve({"/status.xml": STATUS})
    sites = {
        "parking_sites": f"{replay.url}/files/parking/jena.geojson",
        "parking_status": f"{status.url}/status.xml",
    }
    workplace.write_packaged_tenant("jena", sites, sensors)
    outcome = workplace.run("jena")
    assert outcome.errors == []
    assert outcome.rejected == 0
    return lambda sql: workplace.ask("jena", sql)


def test_car_parks_have_their_kinds_and_positions(jena: Ask) -> None:
    sites = """
        select site_id, name, purpose, site_type, site_type_native, capacity, lon, lat, source from parking_site
        where site_id in ('185', '384') order by site_id
    """
    disabled = "Rollstuhlfahrerparkplatz (Anzahl Stellplätze)"
    bus_station = "Busbahnhof-Knebelstraße (1)"
    assert jena(sites) == [
        ("185", "Eichplatz", "car", "off_street", "Parkplatz", None, 11.5859544, 50.9284917, "parking_sites"),
        ("384", bus_station, "car", "other", disabled, None, 11.5884964, 50.9257698, "parking_sites"),
    ]
    kinds = (
        "select site_type_native, site_type, purpose, count(*) from parking_site group by all order by all"
    )
    assert jena(kinds) == [
        ("Busparkplatz", "off_street", "bus", 3),
        ("Parkhaus", "car_park", "car", 10),
        ("Parkplatz", "off_street", "car", 48),
        (disabled, "other", "car", 42),
    ]


def test_a_status_is_published_though_no_site_has_its_name(
    jena: Ask,
) -> None:
    status = (
        "select site_id, observed_at, free, occupied, capacity, occupancy_ratio, source from parking_status"
    )
    at = datetime(2026, 8, 22, 3, 9, tzinfo=UTC)
    assert jena(status) == [("Neue Mitte", at, 50, 150, 200, 0.75, "parking_status")]


def test_soil_values_that_are_sent_as_text_and_as_numbers_count_once(
    jena: Ask,
) -> None:
    at = datetime(2024, 6, 20, 8, 48, 38, 863_512, tzinfo=UTC)
    when = (at, at, date(2024, 6, 20))
    rows = [
        ("BatV", "device.battery_voltage", 3.301, "V"),
        ("conduct_SOIL", "soil.conductivity", 35.0, "uS/cm"),
        ("temp_SOIL", "soil.temperature", 13.25, "Cel"),  # written "13.25"
        ("water_SOIL_f", "soil.moisture", 13.74, "%"),
    ]
    # The temperature of the probe that is not there, "0.00", is none.
    assert jena(f"{OBSERVED} where station_id = '{SOIL}' order by datastream_id") == [
        (f"{SOIL}:{name}", SOIL, code, *when, value, unit, value, unit, "good")
        for name, code, value, unit in rows
    ]


def test_weather_in_nested_lists_and_its_pressure_in_pascal(
    jena: Ask,
) -> None:
    at = datetime(2025, 7, 3, 14, 7, 30, 917_000, tzinfo=UTC)
    pressure = f"{OBSERVED} where observed_property = 'weather.pressure'"
    assert jena(pressure) == [
        (
            f"{SKY}:pressure",
            SKY,
            "weather.pressure",
            at,
            at,
            date(2025, 7, 3),
            1005.4,
            "hPa",
            100540.0,
            "Pa",
            "good",
        )
    ]
    wide = """
        select station_id, phenomenon_start_at, temperature_cel, relative_humidity_percent, atmospheric_pressure_hpa,
               wind_speed_m_s, gust_speed_m_s, wind_direction_deg, uv_index, illuminance_lx, precipitation_mm,
               quality_code, source
        from weather_observed
    """
    assert jena(wide) == [
        (SKY, at, 24.4, 36.0, 1_005.4, 4.1, 7.7, 354.0, 5.3, 83_405.0, None, "good", "weather")
    ]


def test_water_whose_ids_are_written_as_numbers(jena: Ask) -> None:
    at = datetime(2025, 7, 9, 7, 31, 17, 836_573, tzinfo=UTC)
    wide = (
        "select station_id, phenomenon_start_at, day, temperature_cel, ph, quality_code from water_observed"
    )
    assert jena(wide) == [(LABORATORY, at, date(2025, 7, 9), 15.17, 10.059, "good")]


def test_bin_has_a_distance_and_its_position_waits_for_a_property(
    jena: Ask,
) -> None:
    at = datetime(2025, 7, 7, 15, 42, 11, 141_117, tzinfo=UTC)
    day = date(2025, 7, 7)
    assert jena(f"{OBSERVED} where station_id = '{BIN}' order by datastream_id") == [
        (f"{BIN}:battery", BIN, "device.battery_level", at, at, day, 69.0, "%", 69.0, "%", "good"),
        (f"{BIN}:distance", BIN, "waste.distance", at, at, day, 594.0, "mm", 594.0, "mm", "good"),
    ]
    rejected = (
        "select source, record_type, rule, field, day, record_count, example_detail from rejected_record"
    )
    unknown = 'property "Lage des Behälters", unit "1"'
    assert jena(rejected) == [
        ("bins", "observation", "unknown_observed_property", "observed_property", day, 1, unknown)
    ]


def test_devices_are_stations_and_their_gateways_are_not(
    jena: Ask,
) -> None:
    devices = "select station_id, name, lon, lat from station order by name"
    assert jena(devices) == [
        (LABORATORY, "2CF7F1C051100027", None, None),
        (BIN, "EM310-UDL_6713C40192590001", None, None),
        (SOIL, "LST25628782", None, None),
        (SKY, "SenseCAP_S2120_003", None, None),
    ]
