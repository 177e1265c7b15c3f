"""Car parks and charging stations as cities really publish them, through the whole chain, row by row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from tests.integration.conftest import Ask, Replay, Workplace

RECEIVED = datetime(2026, 8, 22, 5, 11, tzinfo=UTC)
SITE = """
    select site_id, name, purpose, site_type, site_type_native, capacity, capacity_disabled, has_fee, address,
           operator, opening_hours, lon, lat
    from parking_site
"""
STATUS = """
    select site_id, observed_at, day, free, occupied, capacity, round(occupancy_ratio, 4), opening_status,
           opening_status_native, quality_rule
    from parking_status
"""


@pytest.fixture(scope="module")
def cities(replay: Replay, new_workplace: Callable[[], Workplace]) -> Ask:
    """All recorded feeds, in one run."""
    workplace = new_workplace()
    workplace.copy_tenant("parkplaetze", url=replay.url)
    workplace.clock = RECEIVED
    outcome = workplace.run("parkplaetze")
    assert outcome.errors == []
    assert outcome.rejected == 0
    return lambda sql: workplace.ask("parkplaetze", sql)


def at(*moment: int) -> datetime:
    """A moment in UTC."""
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_every_site_and_every_status_of_the_feeds_is_there(
    cities: Ask,
) -> None:
    sites = "select id_space, count(*) from parking_site group by 1 order by 1"
    assert cities(sites) == [
        ("aachen", 17),
        ("aalen_status", 6),
        ("freiburg_sites", 15),
        ("freiburg_status", 5),
        ("freiburg_utm", 19),
        ("konstanz", 11),
    ]
    statuses = "select source, count(*), sum(free)::int from parking_status group by 1 order by 1"
    assert cities(statuses) == [
        ("aachen_status", 17, 4_309),
        ("aalen_status", 6, 260),
        ("freiburg_status", 5, 209),
        ("freiburg_utm", 19, 2_752),
        ("konstanz_status", 11, 3_172),
    ]
    assert cities("select count(*) from rejected_record") == [(0,)]


def test_freiburg_sites_and_statuses(cities: Ask) -> None:
    nothing = (None,) * 5
    assert cities(f"{SITE} where source = 'freiburg_sites' and site_id in ('11', '38') order by 1") == [
        ("11", "Parkhaus ZO", None, "underground", "Tiefgarage", 294, *nothing, 7.8714734, 47.9879912),
        (
            "38",
            "Berufsschulzentrum",
            None,
            "park_and_ride",
            "Park&Ride",
            212,
            *nothing,
            7.8266425,
            48.0011201,
        ),
    ]
    noon = (at(2025, 5, 5, 10, 34, 3), date(2025, 5, 5))  # 12:34:03 on the wall clock of Freiburg in May
    said = (None, None, "stale")  # nothing of whether it is open, and a year ago
    assert cities(f"{STATUS} where source = 'freiburg_status' order by site_id") == [
        ("PR153", *noon, 54, 282, 336, 0.8393, *said),
        ("PR156", *noon, 10, 7, 17, 0.4118, *said),
        ("PR159", *noon, 42, 106, 148, 0.7162, *said),
        ("PR162", *noon, 31, 94, 125, 0.752, *said),
        ("PR165", *noon, 72, 140, 212, 0.6604, *said),
    ]


def test_freiburg_positions_in_utm_and_numbers_as_text(
    cities: Ask,
) -> None:
    found = "where source = 'freiburg_utm' and site_id in ('P1', 'P21') order by site_id"
    (_, garage), nothing = cities(f"{SITE} {found}"), (None,) * 5
    assert garage[:11] == ("P21", "Zentrum Oberwiehre", None, None, None, 274, *nothing)
    # The other recorded feed has the same car park, named Parkhaus ZO, in degrees: 7.8715, 47.9880.
    assert garage[11:] == pytest.approx((7.871473, 47.987991), abs=1e-3)
    morning = (at(2024, 6, 10, 8, 20), date(2024, 6, 10))
    assert cities(f"{STATUS} {found}") == [
        ("P1", *morning, 0, 0, 0, None, None, None, "stale"),  # no share of no spaces
        ("P21", *morning, 160, 114, 274, 0.4161, None, None, "stale"),
    ]


def test_aalen_statuses_without_ids_or_times(cities: Ask) -> None:
    now = (RECEIVED, date(2026, 8, 22))
    said = ("open", "geöffnet", None)
    assert cities(f"{STATUS} where source = 'aalen_status' order by site_id") == [
        ("P1 Kubus", *now, 4, 30, 34, 0.8824, *said),
        ("P1 Rathaus", *now, 5, 165, 170, 0.9706, *said),
        ("P2 Reichsstädter Markt", *now, 93, 27, 120, 0.225, *said),
        ("P3 Spritzenhausplatz", *now, 7, 73, 80, 0.9125, *said),
        ("P5 Spitalstraße", *now, 29, 141, 170, 0.8294, *said),
        ("P6 Bahnhof", *now, 122, 58, 180, 0.3222, *said),
    ]


def test_konstanz_sites_and_statuses_of_esri(cities: Ask) -> None:
    found = "where source like 'konstanz%' and site_id in ('1', '6', '8') order by site_id"
    assert cities(f"{SITE} {found}") == [
        (
            "1",
            "Parkhaus LAGO",
            None,
            "car_park",
            "Parkhaus",
            930,
            4,
            True,
            "Lago Shopping Center, Hafenstraße 31, 78462 Konstanz",
            "Girlan Immobilien GmbH",
            "\n".join(f"{days}:  07:00  -  01:30  Uhr" for days in ("Mo-Fr", "Sa", "So")),
            9.176395,
            47.6561569,
        ),
        (
            "6",
            "Tiefgarage Seerheincenter",
            None,
            "underground",
            "Tiefgarage",
            312,
            4,
            True,
            "Steinstraße 2, 78467 Konstanz",
            "Contipark Unternehmensgruppe",
            "Mo-Fr:  06:00  -  23:00  Uhr\nSa:  06:00  -  23:00  Uhr\nSo: geschlossen",
            9.1829626,
            47.6726671,
        ),
        (
            "8",
            "Parkplatz Döbele",
            None,
            "off_street",
            "Parkplatz",
            335,
            0,
            True,
            "Grenzbachstraee / Zur Laube, 78462 Konstanz",
            "Stadt Konstanz",
            "ganztägig",
            9.1686039,
            47.657916,
        ),
    ]
    morning = (at(2024, 8, 17, 6, 30, 5), date(2024, 8, 17))  # 1723876205000
    assert cities(f"{STATUS} {found}") == [
        ("1", *morning, 881, 49, 930, 0.0527, None, None, "stale"),
        ("6", *morning, 191, 121, 312, 0.3878, None, None, "stale"),
        ("8", *morning, 269, 66, 335, 0.197, None, None, "stale"),
    ]


def test_aachen_sites_and_statuses_of_datex2(cities: Ask) -> None:
    found = "where source like 'aachen%' and site_id in ('P1', 'P13', 'P18') order by site_id"
    kind, nothing = ("car_park", "multiStorey, offStreetParking"), (None,) * 5
    assert cities(f"{SITE} {found}") == [
        ("P1", "P01-Eurogress", None, *kind, 560, *nothing, 6.0927987, 50.780552),
        ("P13", "P13-Stiftstrasse", None, *kind, None, *nothing, 6.093653, 50.7759),
        ("P18", "P18-Aquis-Plaza", None, *kind, 566, *nothing, 6.0947275, 50.775223),
    ]
    day = date(2025, 2, 7)
    assert cities(f"{STATUS} {found}") == [
        ("P1", at(2025, 2, 7, 19, 5, 34, 176_000), day, 412, 148, 560, 0.2643, "open", "open", "stale"),
        # Cut off and closed: it counts no spaces, and has no share of them.
        (
            "P13",
            at(2025, 2, 3, 8, 0, 3, 77_000),
            date(2025, 2, 3),
            0,
            0,
            0,
            None,
            "closed",
            "closed",
            "stale",
        ),
        # Three spaces more than its table says, and it is the status that counts.
        ("P18", at(2025, 2, 7, 19, 9, 47, 210_000), day, 518, 51, 569, 0.0896, "closed", "closed", "stale"),
    ]


def test_charging_stations_of_the_register_below_its_preamble(
    cities: Ask,
) -> None:
    rows = """
        select charge_point_id, name, operator, points, power_kw, current_type_native, plug_types, commissioned_on,
               register_status, register_status_native, street, house_number, postcode, city, opening_hours,
               payment, lon, lat
        from charge_point order by charge_point_id
    """
    assert cities(rows) == [
        (
            "1010338",
            "Albwerk",
            "Albwerk Elektro- und Kommunikationstechnik GmbH",
            2,
            22.0,
            "Normalladeeinrichtung",
            "AC Typ 2 Steckdose",
            date(2020, 1, 11),
            "in_operation",
            "In Betrieb",
            "Am Berg",
            "1",
            "72535",
            "Heroldstatt",
            "247",
            "RFID-Karte;Onlinezahlungsverfahren",
            9.659075,
            48.442398,
        ),
        (
            "1025458",
            None,
            "EnBW mobility+ AG und Co.KG",
            2,
            93.0,
            "Schnellladeeinrichtung",
            "AC Typ 2 Fahrzeugkupplung",
            date(2019, 3, 19),
            "in_operation",
            "In Betrieb",
            "Hauptstraße",
            "91c",
            "73340",
            "Amstetten",
            None,
            "Onlinezahlungsverfahren;RFID-Karte",
            9.87484,
            48.578534,
        ),
    ]
