"""GENESIS: forms with an account in headers, and flat files with marks that are no numbers.

The tables are synthetic, in the two forms in which the databases write flat files.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from civitas_assets.catalog import Window
from civitas_assets.connectors.services.genesis import GenesisConnector, GenesisSource
from civitas_assets.errors import ReadError
from tests.connectors.conftest import MakeSession, ReadBody, ReadRecords, zipped

DAYS, BERLIN = Window(date(2026, 8, 1), date(2026, 8, 1)), ZoneInfo("Europe/Berlin")
TABLE = "12411-01-01-4"
HEADER = (
    "statistics_code;statistics_label;time_code;time_label;time;1_variable_code;1_variable_label;"
    "1_variable_attribute_code;1_variable_attribute_label;2_variable_code;2_variable_label;"
    "2_variable_attribute_code;2_variable_attribute_label;value;value_unit;value_variable_code;value_variable_label"
)


def line(value: str, *, area: str = "05515", time: str = "2025-12-31", second: str = "GES;Geschlecht;;Insgesamt",
         unit: str = "Anzahl", kind: str = "STAG;Stichtag") -> str:  # fmt: skip
    """A row of a flat file."""
    place = f"KREISE;Kreise und kreisfreie Städte;{area};Münster"
    return f"12411;Bevölkerung;{kind};{time};{place};{second};{value};{unit};BEVSTD;Bevölkerungsstand"


def table(*lines: str, header: str = HEADER) -> bytes:
    return zipped({f"{TABLE}_de_flat.csv": "\r\n".join([header, *lines, ""]).encode()})


def database(**settings: Any) -> GenesisSource:
    """A source as a tenant writes it."""
    said = {"connector": "genesis", "tables": (TABLE,), "username": {"secret": "GENESIS_TOKEN"}, **settings}
    return GenesisSource.model_validate(said)


class TestFetching:
    def test_each_table_is_a_form_and_who_asks_is_in_headers_alone(self, session: MakeSession) -> None:
        fake = session(lambda request: table(line("1")))
        source = database(
            tables=(TABLE, "71231-01-03-4"), areas=("05515",), area_variable="KREISE", start_year=2020,
            password={"secret": "GENESIS_PASSWORD"},
        )  # fmt: skip
        GenesisConnector().fetch(source, DAYS, BERLIN, fake)
        assert [request.method for request in fake.requests] == ["POST", "POST"]
        asked = parse_qs(urlsplit(fake.requests[0].url).query)
        assert asked == {
            "name": [TABLE], "area": ["all"], "compress": ["false"], "format": ["ffcsv"], "language": ["de"],
            "job": ["false"], "startyear": ["2020"], "regionalvariable": ["KREISE"], "regionalkey": ["05515"],
        }  # fmt: skip
        assert {name: str(getattr(value, "secret", value)) for name, value in source.headers.items()} == {
            "username": "GENESIS_TOKEN",
            "password": "GENESIS_PASSWORD",
        }

    def test_a_token_has_no_password_and_without_an_account_nothing_is_asked(self) -> None:
        assert database().headers["password"] == ""
        with pytest.raises(ValidationError, match="username is needed"):
            GenesisSource.model_validate({"connector": "genesis", "tables": (TABLE,)})
        with pytest.raises(ValidationError, match="names of environment variables"):
            database(username="somebody")

    @pytest.mark.parametrize(
        "said",
        [
            {"Status": {"Code": 104, "Content": "Es gibt keine Objekte", "Type": "Information"}},
            {"Code": 104, "Content": "Es gibt keine Objekte", "Type": "ERROR"},
        ],
        ids=["status", "plain"],
    )
    def test_a_refusal_with_status_200_is_an_error(self, session: MakeSession, said: Any) -> None:
        fake = session(lambda request: json.dumps(said).encode())
        with pytest.raises(ReadError, match="answers with code 104, Es gibt keine Objekte: check tables"):
            GenesisConnector().fetch(database(), DAYS, BERLIN, fake)


class TestFigures:
    def test_a_figure_has_area_period_unit_and_what_it_is_of(self, records: ReadRecords) -> None:
        body = table(line("322904"), line("165,5", second="GES;Geschlecht;GESW;weiblich"))
        first, second = records(database(), body, "table", table=TABLE)["statistic"]
        assert {
            name: first[name]
            for name in ("category", "indicator_id", "indicator", "area_id", "value", "unit")
        } == {
            "category": TABLE,
            "indicator_id": "BEVSTD",
            "indicator": "Bevölkerungsstand",
            "area_id": "05515",
            "value": 322904.0,
            "unit": "Anzahl",
        }
        assert first["period_start"].astimezone(BERLIN).isoformat() == "2025-12-31T00:00:00+01:00"
        assert first["period_end"].astimezone(BERLIN).isoformat() == "2026-01-01T00:00:00+01:00"
        assert first["publisher"] == "Statistische Ämter des Bundes und der Länder"
        assert (second["indicator_id"], second["indicator"], second["value"]) == (
            "BEVSTD;GES=GESW", "Bevölkerungsstand, Geschlecht: weiblich", 165.5,
        )  # fmt: skip

    @pytest.mark.parametrize("mark", ["-", ".", "...", "/", "x"])
    def test_a_mark_is_no_number_and_keeps_its_meaning(self, records: ReadRecords, mark: str) -> None:
        (row,) = records(database(), table(line(mark)), "table")["statistic"]
        assert "value" not in row
        assert row["value_text"].startswith(f"{mark} (")

    def test_a_zero_is_a_number_and_an_empty_cell_is_nothing(self, records: ReadRecords) -> None:
        found = records(database(), table(line("0"), line("")), "table")["statistic"]
        assert [row["value"] for row in found] == [0.0]

    def test_a_change_in_percent_is_another_indicator_than_the_figure(self, records: ReadRecords) -> None:
        found = records(database(), table(line("100"), line("-1,5", unit="%")), "table")["statistic"]
        assert [(row["indicator_id"], row["value"]) for row in found] == [
            ("BEVSTD", 100.0),
            ("BEVSTD %", -1.5),
        ]

    @pytest.mark.parametrize(
        ("time", "second", "start", "end"),
        [
            ("2025", "GES;Geschlecht;;Insgesamt", "2025-01-01", "2026-01-01"),
            ("2025", "MONAT;Monate;MONAT12;Dezember", "2025-12-01", "2026-01-01"),
            ("2025", "QUARTG;Quartale;QUART2;2. Quartal", "2025-04-01", "2025-07-01"),
            ("31.12.2025", "GES;Geschlecht;;Insgesamt", "2025-12-31", "2026-01-01"),
        ],
    )
    def test_a_period_is_a_year_a_part_of_one_or_a_day(
        self, records: ReadRecords, time: str, second: str, start: str, end: str
    ) -> None:
        body = table(line("1", time=time, second=second, kind="JAHR;Jahr"))
        (row,) = records(database(), body, "table")["statistic"]
        shown = [row[name].astimezone(BERLIN).date().isoformat() for name in ("period_start", "period_end")]
        assert shown == [start, end]
        assert row["indicator_id"] == "BEVSTD"

    def test_what_is_no_period_or_no_row_is_told_from_the_others(self, read: ReadBody) -> None:
        body = table(line("1", time="2025/26", kind="SEMEST;Semester"), "12411;zu kurz", line("2"))
        (found,) = read(database(), body, "table")
        assert found.frame.height == 1
        assert [(row.row, row.rule) for row in found.broken] == [
            (1, "unknown_period"),
            (2, "wrong_number_of_cells"),
        ]

    def test_of_all_areas_those_that_are_named_are_kept(self, records: ReadRecords) -> None:
        found = records(database(areas=("05515",)), table(line("1"), line("2", area="05566")), "table")
        assert [row["area_id"] for row in found["statistic"]] == ["05515"]

    def test_areas_of_a_variable_that_the_tenant_names_are_not_taken_for_germany(
        self, records: ReadRecords
    ) -> None:
        body = table(line("1", area="0731301").replace("KREISE;", "VBGEM;"))
        (row,) = records(database(areas=("0731301",), area_variable="VBGEM"), body, "table")["statistic"]
        assert (row["area_id"], row["indicator_id"]) == ("0731301", "BEVSTD")

    def test_the_older_form_has_a_column_for_each_value(self, records: ReadRecords) -> None:
        header = (
            "Statistik_Code;Statistik_Label;Zeit_Code;Zeit_Label;Zeit;1_Merkmal_Code;1_Merkmal_Label;"
            "1_Auspraegung_Code;1_Auspraegung_Label;BEVSTD__Bevölkerungsstand__Anzahl;FLC006__Fläche__qkm"
        )
        body = (
            f"{header}\n12411;Bev;STAG;Stichtag;31.12.2025;KREISE;Kreise;05515;Münster;322904;303,3\n".encode(
                "latin-1"
            )
        )
        found = records(database(), body, "table")["statistic"]
        assert [(row["indicator_id"], row["indicator"], row["value"], row["unit"]) for row in found] == [
            ("BEVSTD", "Bevölkerungsstand", 322904.0, "Anzahl"),
            ("FLC006", "Fläche", 303.3, "qkm"),
        ]

    @pytest.mark.parametrize("body", [b"a;b\n1;2\n", zipped({"a.csv": b"", "b.csv": b""}), b""], ids=range(3))
    def test_what_is_no_flat_file_is_refused(self, read: ReadBody, body: bytes) -> None:
        with pytest.raises(ReadError):
            read(database(), body, "table")
