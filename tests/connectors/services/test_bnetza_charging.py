"""The register of charging installations: which edition is taken, and what its rows become.

The rows are made up; header, lines of notice and forms of cells are those of the editions of 2026.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS, SOURCE_MODELS
from civitas_assets.errors import ReadError
from tests.connectors.conftest import MakeSession, ReadBody

TOWN = (7.47, 51.84, 7.77, 52.06)
GENERAL = (
    "Ladeeinrichtungs-ID", "Betreiber", "Anzeigename (Karte)", "Status", "Art der Ladeeinrichtung", "Anzahl Ladepunkte",
    "Nennleistung Ladeeinrichtung [kW]", "Inbetriebnahmedatum", "Straße", "Hausnummer", "Adresszusatz", "Postleitzahl",
    "Ort", "Kreis/kreisfreie Stadt", "Bundesland", "Breitengrad", "Längengrad", "Standortbezeichnung",
    "Informationen zum Parkraum", "Bezahlsysteme", "Öffnungszeiten", "Öffnungszeiten: Wochentage",
    "Öffnungszeiten: Tageszeiten",
)  # fmt: skip
POINTS = ("Steckertypen{}", "Nennleistung Stecker{}", "EVSE-ID{}", "Public Key{}")
HEADER = (*GENERAL, *(name.format(number) for number in range(1, 7) for name in POINTS))
PLAIN = {
    "Ladeeinrichtungs-ID": "1", "Betreiber": "Beispiel GmbH", "Anzahl Ladepunkte": "2", "Breitengrad": "51,950000",
    "Längengrad": "7,600000", "Nennleistung Ladeeinrichtung [kW]": "93",
}  # fmt: skip
TWO = {
    "Steckertypen1": "AC Typ 2 Steckdose", "Nennleistung Stecker1": "43", "EVSE-ID1": "DE*ABC*E1",
    "Steckertypen2": "DC Fahrzeugkupplung Typ Combo 2 (CCS); DC CHAdeMO", "Nennleistung Stecker2": "50; 22,5",
}  # fmt: skip
Records = Callable[..., dict[str, list[dict[str, Any]]]]


def source(**settings: Any) -> Any:
    model = SOURCE_MODELS["bnetza_charging"]
    return model.model_validate({"connector": "bnetza_charging", **settings}).with_place("it", TOWN)


def register(*rows: dict[str, str], header: tuple[str, ...] = HEADER) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(["Ladesäulenregister Bundesnetzagentur", "", ""])
    writer.writerow(["Letzte Aktualisierung vom: 01.09.2026", "", ""])
    writer.writerow(["Allgemeine Informationen", "", "", "1. Ladepunkt"])
    writer.writerow(header)
    writer.writerows([{**PLAIN, **row}.get(name, "") for name in header] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def test_of_the_editions_that_the_page_links_to_the_newest_is_asked_for(session: MakeSession) -> None:
    host = "https://data.bundesnetzagentur.de/x"
    page = (
        f'<a href="{host}/Ladesaeulenregister_BNetzA_2026-08-04.csv">alt</a>'
        f'<a href="{host}/Ladesaeulenregister_BNetzA_2026-09-01.xlsx">Excel</a>'
        f'<a class="c" href="{host}/Ladesaeulenregister_BNetzA_2026-09-01.csv?view=1&amp;v=3">CSV</a>'
    ).encode()
    fake = session(lambda request: page if request.role == "page" else register())
    day = Window(date(2026, 9, 2), date(2026, 9, 2))
    CONNECTORS["bnetza_charging"].fetch(source(), day, ZoneInfo("Europe/Berlin"), fake)
    assert [request.url for request in fake.requests[1:]] == [
        f"{host}/Ladesaeulenregister_BNetzA_2026-09-01.csv?view=1&v=3"
    ]
    edition = source(url="https://data.example/Ladesaeulenregister.csv")
    CONNECTORS["bnetza_charging"].fetch(edition, day, ZoneInfo("Europe/Berlin"), fake)
    assert fake.requests[-1].role == "data"


def test_an_installation_with_several_plugs_is_one_row_whose_sums_are_right(records: Records) -> None:
    told = {
        "Anzeigename (Karte)": "Beispiel", "Status": "In Wartung", "Art der Ladeeinrichtung": "Schnellladeeinrichtung",
        "Inbetriebnahmedatum": "19.03.2019", "Straße": "Hauptstraße", "Hausnummer": "91c", "Postleitzahl": "01067",
        "Ort": "Ort", "Bezahlsysteme": "Onlinezahlungsverfahren;\nRFID-Karte", "Öffnungszeiten": "Keine Angabe",
        "Öffnungszeiten: Wochentage": "Montag; Dienstag",
    }  # fmt: skip
    (row,) = records(source(), register({**TWO, **told}), box=TOWN)["charge_point"]
    assert row == {
        "charge_point_id": "1", "operator": "Beispiel GmbH", "name": "Beispiel", "points": 2, "power_kw": 93.0,
        "current_type": "ac_dc", "current_type_native": "Schnellladeeinrichtung",
        "plug_types": "AC Typ 2 Steckdose; DC Fahrzeugkupplung Typ Combo 2 (CCS); DC CHAdeMO",
        "commissioned_on": date(2019, 3, 19), "register_status": "in_maintenance",
        "register_status_native": "In Wartung",
        "street": "Hauptstraße", "house_number": "91c", "postcode": "01067", "city": "Ort",
        "payment": "Onlinezahlungsverfahren;\nRFID-Karte", "opening_hours": "Montag; Dienstag", "lon": 7.6,
        "lat": 51.95,
    }  # fmt: skip


def test_points_have_rows_of_their_own_where_all_of_them_are_described(records: Records) -> None:
    body = register(TWO, {**TWO, "Ladeeinrichtungs-ID": "2", "Anzahl Ladepunkte": "3"})
    first, second, whole = records(source(rows="points"), body, box=TOWN)["charge_point"]
    assert (first["charge_point_id"], first["installation_id"], first["evse_id"]) == ("1/1", "1", "DE*ABC*E1")
    assert (first["power_kw"], first["current_type"], first["points"]) == (43.0, "ac", 1)
    assert (second["charge_point_id"], second["power_kw"], second.get("evse_id")) == ("1/2", 50.0, None)
    assert (whole["charge_point_id"], whole["points"], whole.get("evse_id")) == ("2", 3, None)


@pytest.mark.parametrize("written", ["51,95", " 51.950000,", "51,95°", "\t51,95 N"])
def test_stray_characters_of_a_coordinate_are_left_out(written: str, records: Records) -> None:
    (row,) = records(source(), register({"Breitengrad": written}), box=TOWN)["charge_point"]
    assert row["lat"] == 51.95


@pytest.mark.parametrize("written", ["", "k.A.", "0", "51.950.000", "-"])
def test_a_row_that_nobody_can_place_is_one_rejected_row(written: str, read: ReadBody) -> None:
    (table,) = read(source(), register({"Breitengrad": written}, {}))
    assert table.frame.height == 1
    assert [(row.row, row.rule, row.about) for row in table.broken] == [(1, "without_position", ("1",))]
    (table,) = read(source(rows="points"), register({**TWO, "Breitengrad": written}, {}))
    assert [row.about for row in table.broken] == [("1/1", "1/2")]


def test_what_lies_elsewhere_is_no_fault_and_what_is_swapped_here_is_one(read: ReadBody) -> None:
    swapped = {"Breitengrad": "7,6", "Längengrad": "51,95"}
    (table,) = read(source(), register({"Breitengrad": "48,1", "Längengrad": "11,5"}, swapped))
    assert (table.frame["lat"].to_list(), table.broken) == ([7.6], ())


def test_words_that_are_not_known_are_none_and_numbers_that_are_none_are_found_at_fault(
    read: ReadBody,
) -> None:
    row = {
        "Status": "Stillgelegt",
        "Nennleistung Ladeeinrichtung [kW]": "viel",
        "Inbetriebnahmedatum": "2019",
    }
    (table,) = read(source(), register({**row, "Steckertypen1": "Sonstige"}))
    (found,) = table.frame.to_dicts()
    assert (found["register_status"], found["register_status_native"]) == (None, "Stillgelegt")
    assert (found["power_kw"], found["commissioned_on"], found["current_type"]) == ("viel", "2019", None)


def test_a_row_of_another_width_is_one_rejected_row_and_new_columns_are_told(read: ReadBody) -> None:
    body = register({}, header=(*HEADER, "Neu")) + b"7;8\r\n\r\n"
    (table,) = read(source(), body)
    assert (table.frame.height, table.unknown_fields) == (1, ("Neu",))
    assert [(row.row, row.rule) for row in table.broken] == [(2, "wrong_number_of_cells")]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"a;b\n1;2\n", "no row names Betreiber and Breitengrad; it begins with 'a'"),
        (
            register(header=HEADER[1:]),
            "has no column Ladeeinrichtungs-ID: it is an edition of another layout",
        ),
        (register(header=(*HEADER, "Ort")), "has the column 'Ort' twice"),
        (register({}) + b'2;"A', "no table that can be read to its end, at line 6"),
    ],
)
def test_what_is_no_whole_register_is_an_error(body: bytes, why: str, read: ReadBody) -> None:
    with pytest.raises(ReadError, match=why.replace("(", r"\(")):
        read(source(), body)


def test_a_page_without_an_edition_is_an_error_that_says_what_to_do(read: ReadBody) -> None:
    with pytest.raises(ReadError, match="links to no file Ladesaeulenregister"):
        read(source(), b"<html></html>", "page")
