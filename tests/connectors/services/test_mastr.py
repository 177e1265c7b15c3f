"""Units of the Marktstammdatenregister: pages to their real end, and no person anywhere.

The answers are synthetic; names and types of their members are those of the register's own list.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.services.mastr import MastrConnector, MastrSource
from civitas_assets.errors import FetchError, ReadError
from tests.connectors.conftest import MakeSession, ReadBody, ReadRecords

KEY = "05515000"
DAYS, BERLIN = Window(date(2026, 8, 1), date(2026, 8, 1)), ZoneInfo("Europe/Berlin")
ROOF = {
    "MaStRNummer": "SEE900000000001",
    "EinheitName": "Dach der Schule am Beispielweg",
    "AnlagenbetreiberPersonenArt": 517,
    "AnlagenbetreiberName": "Stadtwerke Musterstadt GmbH (ABR900000000001)",
    "IsAnonymisiert": False,
    "EnergietraegerId": 2495,
    "EnergietraegerName": "Solare Strahlungsenergie",
    "LageEinheitBezeichnung": "Bauliche Anlagen (Hausdach, Gebäude und Fassade)",
    "BetriebsStatusId": 35,
    "BetriebsStatusName": "In Betrieb",
    "Bruttoleistung": 99.5,
    "Nettonennleistung": 90,
    "AnzahlSolarModule": 240,
    "NutzbareSpeicherkapazitaet": None,
    "EinheitRegistrierungsdatum": "/Date(1613433600000)/",
    "InbetriebnahmeDatum": "/Date(1505260800000)/",
    "GeplantesInbetriebsnahmeDatum": None,
    "EndgueltigeStilllegungDatum": None,
    "DatumLetzteAktualisierung": "/Date(1625805053961)/",
    "IsNBPruefungAbgeschlossen": 2954,
    "VollTeilEinspeisungBezeichnung": "Teileinspeisung",
    "Gemeindeschluessel": KEY,
    "Plz": "48143",
    "Ort": "Münster",
    "Strasse": "Beispielweg",
    "Hausnummer": "1",
    "Laengengrad": 7.62,
    "Breitengrad": 51.96,
    "AnlagenbetreiberMaStRNummer": "ABR900000000001",
    "Flurstueck": "Flur 2",
}
PRIVATE = {
    **ROOF,
    "MaStRNummer": "SEE900000000002",
    "EinheitName": "PV Mustermann",
    "AnlagenbetreiberPersonenArt": 518,
    "AnlagenbetreiberName": "natürliche Person (ABR900000000002)",
}


def page(*units: Any, total: int | None = None, errors: Any = None) -> bytes:
    """An answer of the register."""
    return json.dumps(
        {"Data": units, "Total": len(units) if total is None else total, "Errors": errors}
    ).encode()


def register(**settings: Any) -> MastrSource:
    """A source as a tenant writes it."""
    return MastrSource.model_validate({"connector": "mastr", "municipalities": (KEY,), **settings})


@pytest.fixture
def asked(session: MakeSession) -> Callable[..., list[dict[str, list[str]]]]:
    """What is asked of a register that has so many units for each key."""

    def queries(
        source: MastrSource, units: dict[str, list[Any]], total: int | None = None
    ) -> list[dict[str, list[str]]]:
        def answer(request: Request) -> bytes:
            query = parse_qs(urlsplit(request.url).query)
            key = request.variables["municipality"]
            start, size = (int(query["page"][0]) - 1) * source.page_size, source.page_size
            count = len(units[key]) if total is None else total
            return source.redact_answer("units", page(*units[key][start : start + size], total=count))

        fake = session(answer)
        MastrConnector().fetch(source, DAYS, BERLIN, fake)
        return [parse_qs(urlsplit(request.url).query) for request in fake.requests]

    return queries


def numbered(count: int, key: str = KEY) -> list[Any]:
    return [{**ROOF, "MaStRNummer": f"SEE{number:012}", "Gemeindeschluessel": key} for number in range(count)]


class TestFetching:
    def test_each_municipality_is_asked_for_page_by_page_in_a_stable_order(
        self, asked: Callable[..., list[dict[str, list[str]]]]
    ) -> None:
        source = register(municipalities=(KEY, "05774032"), page_size=2)
        queries = asked(source, {KEY: numbered(3), "05774032": numbered(1, "05774032")})
        assert [(q["filter"][0], q["page"][0], q["sort"][0], q["pageSize"][0]) for q in queries] == [
            (f"Gemeindeschlüssel~eq~'{key}'", number, "MaStRNummer-asc", "2")
            for key, number in ((KEY, "1"), ("05774032", "1"), (KEY, "2"), ("05774032", "2"))
        ], "the first page of the second one is as long as any, so that it may go on"

    def test_fewer_units_than_the_register_counts_are_an_error(
        self, asked: Callable[..., list[dict[str, list[str]]]]
    ) -> None:
        with pytest.raises(FetchError, match="units of 05515000: 3 of 5 came"):
            asked(register(page_size=2), {KEY: numbered(3)}, total=5)

    def test_a_filter_that_the_register_takes_no_notice_of_does_not_fetch_all_of_germany(
        self, asked: Callable[..., list[dict[str, list[str]]]]
    ) -> None:
        with pytest.raises(ReadError, match="has a unit of 09461000, though units of 05515000 were asked"):
            asked(register(), {KEY: [ROOF, {**ROOF, "Gemeindeschluessel": "09461000"}]}, total=5_000_000)

    def test_no_unit_at_all_or_no_municipality_is_an_error_that_says_what_to_do(
        self, asked: Callable[..., list[dict[str, list[str]]]]
    ) -> None:
        with pytest.raises(FetchError, match="has no unit of 05515000: check the official keys"):
            asked(register(), {KEY: []})
        nowhere = register(municipalities=()).with_place("power", (1.0, 1.0, 2.0, 2.0))
        with pytest.raises(FetchError, match="name municipalities by their official keys"):
            asked(nowhere, {})

    def test_without_keys_those_of_the_box_are_asked_for(
        self, asked: Callable[..., list[dict[str, list[str]]]]
    ) -> None:
        source = register(municipalities=()).with_place("power", (7.5, 51.9, 7.7, 52.0))
        assert asked(source, {KEY: numbered(1)})[0]["filter"] == [f"Gemeindeschlüssel~eq~'{KEY}'"]

    def test_a_refusal_with_status_200_is_an_error(self) -> None:
        with pytest.raises(ReadError, match=r"refuses to answer: .*Filter"):
            register().redact_answer("units", b'{"Data":null,"Total":0,"Errors":{"Filter":["unknown"]}}')

    def test_a_page_without_the_registers_count_proves_nothing(self) -> None:
        with pytest.raises(ReadError, match="does not say how many units there are"):
            register().redact_answer("units", b'{"Data":[],"Errors":null}')


class TestUnits:
    def test_a_unit_has_powers_days_and_a_place(self, records: ReadRecords) -> None:
        assert records(register(), page(ROOF), "units", municipality=KEY)["energy_unit"] == [
            {
                "unit_id": "SEE900000000001",
                "name": "Dach der Schule am Beispielweg",
                "operator": "Stadtwerke Musterstadt GmbH",
                "operator_type": "organisation",
                "energy_carrier": "solar",
                "energy_carrier_native": "Solare Strahlungsenergie",
                "siting": "Bauliche Anlagen (Hausdach, Gebäude und Fassade)",
                "gross_power_kw": 99.5,
                "net_power_kw": 90.0,
                "modules": 240,
                "status": "in_operation",
                "status_native": "In Betrieb",
                "registered_on": date(2021, 2, 16),
                "commissioned_on": date(2017, 9, 13),
                "feed_in": "Teileinspeisung",
                "is_checked": True,
                "municipality_id": KEY,
                "street": "Beispielweg",
                "house_number": "1",
                "postcode": "48143",
                "city": "Münster",
                "changed_at": datetime(2021, 7, 9, 4, 30, 53, 961000, tzinfo=UTC),
                "lon": 7.62,
                "lat": 51.96,
            }
        ]

    def test_numbers_that_nobody_knows_are_no_code_and_days_reach_back_before_1970(
        self, records: ReadRecords
    ) -> None:
        mill = {
            **ROOF,
            "EnergietraegerId": 2498,
            "BetriebsStatusId": 99,
            "IsNBPruefungAbgeschlossen": None,
            "InbetriebnahmeDatum": "/Date(-2208988800000)/",
            "EndgueltigeStilllegungDatum": "/Date(-62135596800000)/",
        }
        (row,) = records(register(), page(mill), "units")["energy_unit"]
        assert row["energy_carrier"] == "hydro"
        assert row["commissioned_on"] == date(1900, 1, 1)
        assert not {"status", "is_checked", "decommissioned_on"} & row.keys()
        (row,) = records(register(), page({**mill, "EnergietraegerId": 4711}), "units")["energy_unit"]
        assert "energy_carrier" not in row

    def test_what_is_no_unit_is_told_from_the_others(self, read: ReadBody) -> None:
        (table,) = read(register(), page(ROOF, 7, {"MaStRNummer": None}, None), "units")
        assert table.frame.height == 1
        assert [(row.row, row.rule) for row in table.broken] == [(n, "not_a_unit") for n in (2, 3, 4)]


class TestPersons:
    @pytest.mark.parametrize(
        "told",
        [
            {},
            {"AnlagenbetreiberPersonenArt": 517},  # whatever its number is taken for
            {"AnlagenbetreiberPersonenArt": None, "AnlagenbetreiberName": "Mustermann"},
            {"AnlagenbetreiberPersonenArt": 517, "AnlagenbetreiberName": "Mustermann Solar GbR (ABR900000000003)"},
            {"AnlagenbetreiberPersonenArt": 517, "AnlagenbetreiberName": "Eheleute Mustermann"},
            {"AnlagenbetreiberPersonenArt": 517, "AnlagenbetreiberName": "WEG Beispielweg 1"},
            {"AnlagenbetreiberPersonenArt": 517, "AnlagenbetreiberName": "Mustermann Solar e.Kfm."},
            {"AnlagenbetreiberPersonenArt": 517, "AnlagenbetreiberName": "Mustermann eK"},
            {"AnlagenbetreiberPersonenArt": 517, "AnlagenbetreiberName": "Solarhof, Inh. Mustermann"},
            {"AnlagenbetreiberPersonenArt": 517, "AnlagenbetreiberName": "Solar AG", "IsAnonymisiert": True},
        ],
    )  # fmt: skip
    def test_of_a_persons_unit_nothing_that_names_the_person_is_even_landed(
        self, records: ReadRecords, told: dict[str, Any]
    ) -> None:
        kept = register().redact_answer("units", page({**PRIVATE, **told}))
        for word in ("Mustermann", "Beispielweg", "natürliche", "ABR9", "Flur", "Solar AG", "51.96"):
            assert word not in kept.decode()
        (row,) = records(register(), kept, "units")["energy_unit"]
        assert (row["operator_type"], row["net_power_kw"], row["postcode"]) == ("person", 90.0, "48143")
        assert not {"operator", "name", "street", "house_number", "lon", "lat"} & row.keys()

    def test_of_an_organisations_unit_what_is_not_read_is_not_landed_and_the_rest_is_the_same(
        self, records: ReadRecords
    ) -> None:
        kept = register().redact_answer("units", page(ROOF))
        assert b"Flur" not in kept
        assert b"AnlagenbetreiberMaStRNummer" not in kept
        assert records(register(), kept, "units") == records(register(), page(ROOF), "units")
        assert register().redact_answer("units", kept) == kept
