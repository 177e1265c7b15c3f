"""What Münster publishes besides its counters: each expected row was read from the recorded files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from tests.integration.conftest import Ask, Replay, Server, Workplace

# In the form that the city publishes.
ROADWORKS = b"""
    {"type": "FeatureCollection", "features": [{"type": "Feature", "id": "baustellen.7",
      "geometry": {"type": "LineString", "coordinates": [[7.60, 51.95], [7.61, 51.96]]},
      "properties": {"fuid": 7, "bezeichnung": "B51 - Br\\u00fccke", "information": "Spur gesperrt", "typ_bez": "Bau",
                     "gesamtname1": "Erika Muster", "telefonansprechpartner1": "0251 0000"}}]}
"""


@pytest.fixture(scope="module")
def muenster(
    replay: Replay, new_workplace: Callable[[], Workplace], serve: Callable[[dict[str, bytes | None]], Server]
) -> Ask:
    """The city's own tenant with the files of its open data, and an export of air data."""
    workplace = new_workplace()
    files = {
        "glass": "awm-glascontainer.csv",
        "climate": "klimadata.csv",
        "charging": "ladesaeulen-muenster.csv",
        "park_and_ride": "park_and_ride_stationen.csv",
    }
    workplace.write_packaged_tenant(
        "muenster",
        {
            "roadworks": f"{serve({'/baustellen': ROADWORKS}).url}/baustellen",
            **{source: f"{replay.url}/files/csv_muenster/{name}" for source, name in files.items()},
        },
        workplace.template("muenster_open_data", url=replay.url),
    )
    outcome = workplace.run("muenster")
    assert outcome.errors == []
    return lambda sql: workplace.ask("muenster", sql)


def at(*moment: int) -> datetime:
    """A moment in UTC."""
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]


def during(first: str, last: str) -> str:
    """The condition that an interval begins between two moments in UTC, both included."""
    return f"phenomenon_start_at between '{first}:00+00' and '{last}:00+00'"


def test_what_was_put_aside_is_a_charging_station_that_stands_in_wesel_by_its_coordinates(
    muenster: Ask,
) -> None:
    rejected = "select source, record_type, rule, record_count, example_detail from rejected_record"
    assert muenster(rejected) == [
        ("charging", "charge_point", "position_is_outside", 1, "6.567385, 51.618381")
    ]


def test_air_data_around_both_changes_of_time(muenster: Ask) -> None:
    air = """
        select station_id, phenomenon_start_at, phenomenon_end_at, day, o3_ug_m3, no2_ug_m3, quality_code
        from air_quality_observed where station_id = 'DENW095'
    """
    # 24:00 ends the day; then 01:00, 02:00 and 04:00 end hours that follow each other without a gap.
    spring = f"{air} and {during('2021-03-27 22:00', '2021-03-28 02:00')} order by 2"
    assert muenster(spring) == [
        ("DENW095", at(2021, 3, 27, 22), at(2021, 3, 27, 23), date(2021, 3, 27), 53, 16, "good"),
        ("DENW095", at(2021, 3, 27, 23), at(2021, 3, 28, 0), date(2021, 3, 28), 50, 18, "good"),
        ("DENW095", at(2021, 3, 28, 0), at(2021, 3, 28, 1), date(2021, 3, 28), 45, 21, "good"),
        ("DENW095", at(2021, 3, 28, 1), at(2021, 3, 28, 2), date(2021, 3, 28), 47, 19, "good"),
        ("DENW095", at(2021, 3, 28, 2), at(2021, 3, 28, 3), date(2021, 3, 28), 49, 17, "good"),
    ]
    # 03:00 ends two hours, first in summer time and then in winter time; a dash is no ozone, and not zero.
    autumn = f"{air} and {during('2021-10-30 21:00', '2021-10-31 02:00')} order by 2"
    assert muenster(autumn) == [
        ("DENW095", at(2021, 10, 30, 21), at(2021, 10, 30, 22), date(2021, 10, 30), 42, 10, "good"),
        ("DENW095", at(2021, 10, 30, 22), at(2021, 10, 30, 23), date(2021, 10, 31), None, 9, "good"),
        ("DENW095", at(2021, 10, 30, 23), at(2021, 10, 31, 0), date(2021, 10, 31), 32, 11, "good"),
        ("DENW095", at(2021, 10, 31, 0), at(2021, 10, 31, 1), date(2021, 10, 31), 27, 13, "good"),
        ("DENW095", at(2021, 10, 31, 1), at(2021, 10, 31, 2), date(2021, 10, 31), 27, 14, "good"),
        ("DENW095", at(2021, 10, 31, 2), at(2021, 10, 31, 3), date(2021, 10, 31), 25, 15, "good"),
    ]
    # 120 rows, with 4 dashes for ozone and 5 for nitrogen dioxide; means over a day are no means over an hour.
    hours = """
        select day, count(*), count(o3_ug_m3), count(no2_ug_m3), count(pm10_ug_m3)
        from air_quality_observed group by day order by day
    """
    assert muenster(hours) == [
        (date(2020, 1, 1), 24, 23, 23, 0),
        (date(2021, 3, 27), 24, 23, 23, 0),
        (date(2021, 3, 28), 23, 22, 22, 0),
        (date(2021, 10, 30), 24, 24, 23, 0),
        (date(2021, 10, 31), 25, 24, 24, 0),
    ]


def test_charging_stations_of_the_older_register_have_an_id_each(
    muenster: Ask,
) -> None:
    row = """
        select charge_point_id, evse_id, operator, points, power_kw, current_type, current_type_native, plug_types,
               commissioned_on, street, house_number, postcode, city, lon, lat, source
        from charge_point
    """
    assert muenster(f"{row} where operator = 'Westfalen AG' and street = 'Bohlweg'") == [
        (
            "Westfalen AG/Bohlweg/72/01.01.2021/1",
            None,
            "Westfalen AG",
            2,
            72.0,
            None,
            "Schnellladeeinrichtung",
            "DC Kupplung Combo, DC CHAdeMO",
            date(2021, 1, 1),
            "Bohlweg",
            "72",
            "48147",
            "Münster",
            7.6431482,
            51.967304,
            "charging",
        )
    ]
    # 166 rows with 321 points, without the one of 3 points that was put aside.
    assert muenster("select count(*), sum(points)::int, min(postcode) from charge_point") == [
        (165, 318, "48143")
    ]
    garage = """
        select count(*), max(charge_point_id) from charge_point
        where operator = 'Westfalen AG' and street = 'Johann-Krane-Weg'
    """
    assert muenster(garage) == [(28, "Westfalen AG/Johann-Krane-Weg/0/28.09.2023/9")]


def test_places_to_leave_the_car_are_parking_sites(muenster: Ask) -> None:
    row = "select site_id, name, site_type, is_park_and_ride, lon, lat, source from parking_site order by site_id"
    sites = muenster(row)
    assert len(sites) == 16
    assert sites[0] == (
        "759", "P+R Amelsbüren Bahnhof", "park_and_ride", True, 7.59991, 51.8847, "park_and_ride",
    )  # fmt: skip


def test_roadworks_are_events(muenster: Ask) -> None:
    row = "select event_id, event_type, event_type_native, title, description, start_at, source from event"
    assert muenster(row) == [("7", "roadworks", "Bau", "B51 - Brücke", "Spur gesperrt", None, "roadworks")]


def test_glass_containers_are_places(muenster: Ask) -> None:
    row = """
        select place_id, category, name, description, address, postcode, city, lon, lat, source from place
    """
    assert muenster(f"{row} where name like 'Auf der Woort%' or name like 'Middeler%' order by name") == [
        (
            "48163 Münster - Amelsbüren/Auf der Woort (vor Getränkemarkt Dursty, Parkstreifen)",
            "Glascontainer",
            "Auf der Woort (vor Getränkemarkt Dursty, Parkstreifen)",
            None,
            None,
            None,
            "48163 Münster - Amelsbüren",
            7.605256,
            51.883064,
            "glass",
        ),
        (
            "48167 Münster - Wolbeck/Middeler Straße (K&amp;K)",
            "Glascontainer",
            "Middeler Straße (K&amp;K)",  # so the city writes it
            None,
            None,
            None,
            "48167 Münster - Wolbeck",
            7.724731,
            51.925724,
            "glass",
        ),
    ]
    assert muenster("select count(*), count(distinct category) from place") == [(249, 1)]


def test_climate_figures_of_years_of_double_years_and_of_a_day(
    muenster: Ask,
) -> None:
    row = """
        select category, indicator_id, area_id, period_start_on, period_end_on, value, unit_native, publisher,
               quality_code, revision
        from statistic
    """
    town, green = "Münster, Gesamtstadt", "Stadt Münster - Amt für Grünflächen, Umwelt und Nachhaltigkeit"
    mobility, climate = "Stadt Münster - Amt für Mobilität und Tiefbau", "Stadt Münster - Stabsstelle Klima"
    found = """
        where (category = 'verkehrsmittelwahl-zeitreihe' and day = '1982-01-01')
            or (category = 'oekoprofit' and indicator_id = 'Einsparung Energie' and day = '2002-01-01')
            or (category = 'stadtwerke-bus-fahrzeuge' and indicator_id = 'Fahrzeuge Gesamt' and day = '2023-12-01')
            or indicator_id = 'AnzahlSolarModule'
        order by period_start_on, value
    """
    assert muenster(row + found) == [
        *(
            (
                "verkehrsmittelwahl-zeitreihe",
                f"Wege/Tag - {way}",
                town,
                date(1982, 1, 1),
                date(1982, 12, 31),
                share,
                "%",
                mobility,
                "good",
                1,
            )
            for way, share in (("ÖV", 6.6), ("Fuß", 25.0), ("Fahrrad", 29.2), ("Kfz", 39.2))
        ),
        (
            "oekoprofit",
            "Einsparung Energie",
            town,
            date(2002, 1, 1),
            date(2003, 12, 31),
            615000.0,
            "kWh pro Jahr",
            green,
            "good",
            1,
        ),
        (
            "stadtwerke-bus-fahrzeuge",
            "Fahrzeuge Gesamt",
            town,
            date(2023, 12, 1),
            date(2023, 12, 31),
            232.0,
            "Anzahl",
            "Stadtwerke Münster",
            "good",
            1,
        ),
        (
            "bestand-pv-anlagen",
            "AnzahlSolarModule",
            town,
            date(2026, 6, 3),
            date(2026, 6, 3),
            618752.0,
            "kW",
            "Marktstammdatenregister",
            "good",
            1,
        ),
    ]
    # The file has 1477 figures, and one of them twice: 5,57 and, further down, 5,71.
    twice = f"{row} where indicator_id = 'CO2-Emissionen - Fernwärme' and day = '2023-01-01'"
    assert muenster(twice) == [
        (
            "co2-emissionen-sektoren",
            "CO2-Emissionen - Fernwärme",
            town,
            date(2023, 1, 1),
            date(2023, 12, 31),
            5.71,
            "Anteil",
            climate,
            "good",
            2,
        )
    ]
    assert muenster("select count(*), count(value), count(distinct category) from statistic") == [
        (1476, 1476, 20)
    ]
