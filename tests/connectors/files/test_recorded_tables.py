"""Tables as authorities really publish them, recorded: each of their traps, with the records that come out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.conftest import MakeSource, ReadRecords

Rows = list[dict[str, Any]]
Read = Callable[..., Rows]
DATA = {"delimiter": ";", "decimal": ","}


@pytest.fixture
def rows(source: MakeSource, records: ReadRecords, payloads: Path) -> Read:
    """The records of a recorded file; a rejected row is a failure."""

    def read(file: str, record_type: str, **settings: Any) -> Rows:
        connector = "excel" if file.endswith("xlsx") else "csv"
        declared = source(connector, record_type=record_type, **settings)
        return records(declared, (payloads / file).read_bytes())[record_type]

    return read


def test_a_windows_file_with_umlauts_codes_and_milliseconds(rows: Read) -> None:
    found = rows(
        "parking/bietigheim-bissingen.csv",
        "parking_status",
        delimiter=";",
        fields={
            "site_id": "Name",
            "opening_status": "OpeningState",
            "capacity": "Capacity",
            "occupied": "OccupiedSites",
        },
        codes={"opening_status": {"Geöffnet": "open", "Geschlossen": "closed"}},
        computed={"free": "capacity - occupied"},
        time={"column": "Timestamp", "zone": "utc", "format": "epoch_ms"},
    )
    assert len(found) == 14
    assert found[0] == {
        "site_id": "Parkplatz Mühlwiesenstr.",
        "observed_at": datetime(2025, 2, 27, 10, 17, 47, 85_000, tzinfo=UTC),
        "free": 25,
        "occupied": 81,
        "capacity": 106,
        "opening_status": "open",
        "opening_status_native": "Geöffnet",
    }
    assert {row["site_id"] for row in found if row["opening_status"] == "closed"} == {
        "Parkplatz Am Japangarten"
    }


def test_a_file_whose_euro_signs_are_control_characters(rows: Read) -> None:
    found = rows(
        "csv_muenster/klimadata.csv",
        "observation",
        **DATA,
        fields={"datastream_id": "MERKMAL", "value": "WERT", "unit": "WERTEEINHEIT", "value_text": "ZEIT"},
        ignore=("DATEINAME", "RAUM", "QUELLE_INSTITUTION", "THEMENBEREICH"),
        time={"zone": "received"},
    )
    assert len(found) == 1477
    assert (found[0]["datastream_id"], found[0]["value"], found[0]["unit"]) == ("Wege/Tag - Kfz", 39.2, "%")
    saved = [row for row in found if row["datastream_id"] == "Einsparung Betriebskosten"]
    assert [(row["value_text"], row["value"], row["unit"]) for row in saved[:2]] == [
        ("2001", 489460.0, "€ pro Jahr"),
        ("2002/2003", 250382.0, "€ pro Jahr"),
    ]
    assert {row["unit"] for row in found} == {
        *("€ pro Jahr", "€", "EUR", "MWh", "GWh", "kWh pro Jahr", "kWp", "kW", "km", "kt", "t", "t pro Jahr"),
        *("kg pro Kopf", "m³ pro Jahr", "Mio. Fahrgäste", "Wege pro Tag", "Anteil", "Anzahl", "%"),
    }


def test_cells_of_many_lines_are_cells(rows: Read) -> None:
    found = rows(
        "csv_muenster/park_and_ride_stationen.csv",
        "station",
        delimiter=";",
        fields={
            "station_id": "ID",
            "name": "Title",
            "lat": "Latitude",
            "lon": "Longitude",
            "description": "Info",
        },
    )
    assert [row["station_id"] for row in found] == [
        *("759", "761", "762", "763", "764", "765", "766", "767", "768", "769", "770", "771", "773", "774"),
        *("775", "776"),
    ]
    assert found[0]["name"] == "P+R Amelsbüren Bahnhof"
    assert (found[0]["lon"], found[0]["lat"]) == (7.59991, 51.8847)
    assert found[0]["description"].splitlines() == [
        *(
            "Parkplätze-Anzahl:",
            "28",
            "",
            "Öffnungszeiten:",
            "täglich – durchgehend",
            "",
            "Kosten:",
            "kostenlos",
        )
    ]


def test_the_line_that_says_when_a_file_was_made_is_no_row(rows: Read) -> None:
    found = rows(
        "csv_muenster/awm-glascontainer.csv",
        "station",
        fields={
            "station_id": ("Standort1", "Standort2"),
            "name": "Standort1",
            "lat": "Latitude",
            "lon": "Longitude",
        },
        drop={"Containertyp": "Erstellungsdatum:"},
    )
    assert len(found) == len({row["station_id"] for row in found}) == 249
    assert found[0] == {
        "station_id": "48151 Münster - Aaseestadt/Bonhoefferstraße (Polizeischule ggü.)",
        "name": "48151 Münster - Aaseestadt",
        "lon": 7.606371,
        "lat": 51.941853,
    }


def test_decimal_commas_in_positions_and_postcodes_as_text(rows: Read) -> None:
    found = rows(
        "csv_muenster/ladesaeulen-muenster.csv",
        "parking_site",
        **DATA,
        fields={
            "site_id": "Straße",
            "operator": "Betreiber",
            "capacity": "Anzahl Ladepunkte",
            "address": "Postleitzahl",
            "lat": "Breitengrad",
            "lon": "Längengrad",
        },
    )
    assert len(found) == 166
    assert found[0] == {
        "site_id": "Ritterstraße",
        "operator": "Stadtwerke Münster GmbH",
        "capacity": 2,
        "address": "48143",
        "lon": 7.63198,
        "lat": 51.964164,
    }


REGISTER = {
    "station_id": "Ladeeinrichtungs-ID",
    "name": "Ort",
    "operator": "Betreiber",
    "lat": "Breitengrad",
    "lon": "Längengrad",
    "description": "Bezahlsysteme",
}


def test_a_header_below_ten_lines_of_preamble_and_delimiters_in_cells(rows: Read) -> None:
    found = rows(
        "charging/bnetza_lsr_2026_header_and_two_rows.csv",
        "station",
        **DATA,
        header=("Ladeeinrichtungs-ID", "Breitengrad"),
        until_blank="Ladeeinrichtungs-ID",
        fields=REGISTER,
    )
    assert found == [
        {
            "station_id": "1010338",
            "name": "Heroldstatt",
            "operator": "Albwerk Elektro- und Kommunikationstechnik GmbH",
            "description": "RFID-Karte;Onlinezahlungsverfahren",
            "lon": 9.659075,
            "lat": 48.442398,
        },
        {
            "station_id": "1025458",
            "name": "Amstetten",
            "operator": "EnBW mobility+ AG und Co.KG",
            "description": "Onlinezahlungsverfahren;RFID-Karte",
            "lon": 9.87484,
            "lat": 48.578534,
        },
    ]


def test_an_export_in_wall_clock_time_with_quoted_times_hour_24_and_a_footer(rows: Read) -> None:
    found = rows(
        "uba/uba_csv_export_station1140_dst.csv",
        "observation",
        delimiter=";",
        nulls=("-",),
        fields={"station_id": "Station code"},
        unpivot={"columns": r".+ \((?P<datastream_id>NO₂|O₃)\) One hour average in (?P<unit>\S+)"},
        drop={"Station code": "Source: .*"},
        ignore=(r"Particulate matter .*", "Air quality index"),
        time={
            "column": "Date",
            "format": "'%Y-%m-%d %H:%M'",
            "zone": "local_wall",
            "fold": "by_order",
            "stamp": "interval_end",
            "interval": "1 hour",
            "hour24": True,
        },
    )
    no2 = {row["phenomenon_start"]: row for row in found if row["datastream_id"] == "NO₂"}
    assert len(no2) == 120, "each hour once, also the one that the clock shows twice"
    assert {row["unit"] for row in found} == {"µg/m³"}

    def hours(*times: tuple[int, int, int]) -> list[Any]:
        return [no2[datetime(2021, *time, tzinfo=UTC)].get("value") for time in times]

    assert no2[datetime(2020, 1, 1, 22, tzinfo=UTC)]["value"] == 19, "24:00 ends the day"
    # In spring 02:00 CET is followed by 04:00 CEST, in autumn 03:00 comes twice.
    assert hours((3, 28, 0), (3, 28, 1)) == [21, 19]
    assert hours((10, 30, 23), (10, 31, 0), (10, 31, 1), (10, 31, 2)) == [11, 13, 14, 15]
    assert no2[datetime(2021, 10, 31, 1, tzinfo=UTC)]["time_flag"] == "fold_by_order"


def test_a_list_of_sites_whose_capacities_are_partly_unknown(rows: Read) -> None:
    found = rows(
        "parking/reutlingen.csv",
        "parking_site",
        fields={"site_id": "id", "name": "ort", "capacity": "Kapazität", "site_type": "type"},
        codes={"site_type": {"parkfläche": "off_street"}},
        ignore=("GEOM",),
    )
    assert len(found) == 114
    assert found[0] == {
        "site_id": "76997",
        "name": "Dietweg",
        "capacity": 110,
        "site_type": "off_street",
        "site_type_native": "parkfläche",
    }
    assert "capacity" not in found[3]
    assert (found[-1]["site_id"], found[-1]["capacity"]) == ("169", 300)


def test_a_spreadsheet_of_sites_with_dashes_for_nothing(rows: Read) -> None:
    found = rows(
        "parking/keltern.xlsx",
        "parking_site",
        nulls=("-",),
        fields={
            "site_id": "id",
            "name": "name",
            "capacity": "capacity",
            "site_type": "type",
            "address": "adress_hou",
            "opening_hours": "openingHours",
            "lon": "geometry_longitude",
            "lat": "geometry_latitude",
        },
        codes={
            "site_type": {
                "onStreet": "on_street",
                "carPark": "car_park",
                "parkAndRide": "park_and_ride",
                "handicapped": "other",
            }
        },
    )
    assert found[0] == {
        "site_id": "143@GemeindeKeltern",
        "name": "Kelterstraße",
        "capacity": 2,
        "site_type": "on_street",
        "site_type_native": "onStreet",
        "opening_hours": "24h, 7 Tage",
        "lon": 8.6018843,
        "lat": 48.8964859,
    }
    assert (found[6]["site_type"], found[6]["capacity"]) == ("car_park", 37)
    assert len(found) == len({row["site_id"] for row in found}) == 175
