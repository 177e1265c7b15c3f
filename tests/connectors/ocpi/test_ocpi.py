"""OCPI: a list of locations to its end, EVSEs as charge points, and nothing that is not to be published.

The answers are synthetic; names and types of their members are those of OCPI 2.2.1 and 2.1.1.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.ocpi.ocpi import OcpiConnector, OcpiSource
from civitas_assets.connectors.transport.prepared_request import PreparedRequest
from civitas_assets.errors import FetchError, ReadError
from tests.connectors.conftest import MakeSession, ReadBody, ReadRecords

DAYS, BERLIN = Window(date(2026, 8, 1), date(2026, 8, 1)), ZoneInfo("Europe/Berlin")
URL = "https://cpo.example/ocpi/cpo/2.2.1/locations"
BOX = (7.4, 51.8, 7.8, 52.2)
EVSE = {
    "uid": "3256",
    "evse_id": "DE*ABC*E12345",
    "status": "AVAILABLE",
    "connectors": [
        {
            "id": "1",
            "standard": "IEC_62196_T2",
            "power_type": "AC_3_PHASE",
            "max_voltage": 230,
            "max_amperage": 32,
        }
    ],
    "last_updated": "2026-07-31T22:15:00Z",
}
LOCATION = {
    "country_code": "DE",
    "party_id": "ABC",
    "id": "LOC1",
    "publish": True,
    "name": "Parkhaus am Beispielweg",
    "address": "Beispielweg 1",
    "city": "Münster",
    "postal_code": "48143",
    "coordinates": {"latitude": "51.960000", "longitude": "7.620000"},
    "operator": {"name": "Stadtwerke Musterstadt"},
    "opening_times": {"twentyfourseven": True},
    "evses": [EVSE],
    "last_updated": "2026-07-31T22:15:00Z",
}


def answer(*locations: Any, code: int = 1000, **more: Any) -> bytes:
    """An answer of OCPI."""
    return json.dumps(
        {"data": locations, "status_code": code, "timestamp": "2026-08-01T00:00:00Z", **more}
    ).encode()


def operator(**settings: Any) -> OcpiSource:
    """A source as a tenant writes it."""
    said = {"connector": "ocpi", "title": "Ladepunkte", "licence": "CC-BY-4.0", "url": URL, **settings}
    return OcpiSource.model_validate(said).with_place("charging", BOX)


def evse(**told: Any) -> Any:
    return {**LOCATION, "evses": [{**EVSE, **told}]}


class TestFetching:
    def test_pages_are_followed_by_the_header_link_to_the_count_that_the_server_names(
        self, session: MakeSession
    ) -> None:
        def pages(request: Request) -> tuple[bytes, dict[str, str]]:
            if request.url == URL:
                link = f'<{URL}?offset=1&limit=1>; rel="next"'
                return answer(LOCATION), {"link": link, "x-total-count": "2"}
            return answer({**LOCATION, "id": "LOC2"}), {"x-total-count": "2"}

        fake = session(pages)
        OcpiConnector().fetch(operator(), DAYS, BERLIN, fake)
        assert [request.url for request in fake.requests] == [URL, f"{URL}?offset=1&limit=1"]

    def test_a_last_page_whose_one_location_cannot_be_read_costs_that_row(
        self, session: MakeSession, read: ReadBody
    ) -> None:
        bad = answer({"name": "ohne id"})

        def pages(request: Request) -> tuple[bytes, dict[str, str]]:
            first = answer(LOCATION), {"link": f'<{URL}?offset=1>; rel="next"', "x-total-count": "2"}
            return first if request.url == URL else (bad, {"x-total-count": "2"})

        OcpiConnector().fetch(operator(), DAYS, BERLIN, session(pages))
        points, _ = read(operator(), bad, "locations")
        assert [row.rule for row in points.broken] == ["unreadable_element"]

    def test_a_list_that_ends_before_its_count_or_leads_back_is_an_error(self, session: MakeSession) -> None:
        short = session(lambda request: (answer(LOCATION), {"x-total-count": "2"}))
        with pytest.raises(FetchError, match="locations: 1 of 2 came"):
            OcpiConnector().fetch(operator(), DAYS, BERLIN, short)
        circle = session(lambda request: (answer(LOCATION), {"link": f'<{URL}>; rel="next"'}))
        with pytest.raises(ReadError, match="leads back to a page"):
            OcpiConnector().fetch(operator(), DAYS, BERLIN, circle)

    def test_an_error_with_status_200_is_an_error(self, session: MakeSession) -> None:
        refused = session(lambda request: answer(code=2001, status_message="Invalid token"))
        with pytest.raises(ReadError, match="says status 2001, Invalid token"):
            OcpiConnector().fetch(operator(), DAYS, BERLIN, refused)
        with pytest.raises(FetchError, match="the endpoint of the identifier locations"):
            OcpiConnector().fetch(operator(), DAYS, BERLIN, session({}))


class TestToken:
    def test_it_is_sent_in_base64_and_hidden_in_both_forms(self) -> None:
        source = operator(token={"secret": "CPO_TOKEN"})
        prepared = PreparedRequest(Request(URL), source, lambda name: f"{name} über 4711")
        sent = base64.b64encode("CPO_TOKEN über 4711".encode()).decode()
        assert prepared.prepare(prepared.start)[1]["Authorization"] == f"Token {sent}"
        for form in (sent, "CPO_TOKEN über 4711"):
            assert form not in prepared.redact(f"refused: {form}")

    def test_older_servers_get_it_as_it_is(self) -> None:
        source = operator(token={"secret": "CPO_TOKEN"}, token_encoding="plain")  # noqa: S106 - its name
        prepared = PreparedRequest(Request(URL), source, lambda name: "abc-4711")
        assert prepared.prepare(prepared.start)[1]["Authorization"] == "Token abc-4711"

    def test_a_token_in_the_file_itself_is_refused_without_repeating_it(self) -> None:
        with pytest.raises(ValidationError, match="token must be") as caught:
            operator(token="abc-4711")  # noqa: S106 - the fault
        assert "token must be {secret: NAME}" in caught.value.errors()[0]["msg"]


class TestPoints:
    def test_an_evse_is_a_charge_point_with_its_status(self, records: ReadRecords) -> None:
        found = records(operator(), answer(LOCATION), "locations")
        assert found["charge_point"] == [
            {
                "charge_point_id": "DE*ABC/3256",
                "evse_id": "DE*ABC*E12345",
                "installation_id": "LOC1",
                "name": "Parkhaus am Beispielweg",
                "operator": "Stadtwerke Musterstadt",
                "points": 1,
                "power_kw": 22.08,
                "current_type": "ac",
                "current_type_native": "AC_3_PHASE",
                "plug_types": "IEC_62196_T2",
                "street": "Beispielweg 1",
                "postcode": "48143",
                "city": "Münster",
                "opening_hours": "24/7",
                "lon": 7.62,
                "lat": 51.96,
            }
        ]
        assert found["charge_point_status"] == [
            {
                "charge_point_id": "DE*ABC/3256",
                "observed_at": datetime(2026, 7, 31, 22, 15, tzinfo=UTC),
                "status": "available",
                "status_native": "AVAILABLE",
            }
        ]

    @pytest.mark.parametrize(
        ("told", "kilowatt"),
        [
            (
                {"power_type": "DC", "max_electric_power": 150_000, "max_voltage": 920, "max_amperage": 500},
                150.0,
            ),
            ({"power_type": "DC", "max_voltage": "400", "max_amperage": "125"}, 50.0),
            ({"power_type": "AC_3_PHASE", "max_voltage": 400, "max_amperage": 32}, 22.17),
            ({"power_type": "AC_1_PHASE", "voltage": 230, "amperage": 16}, 3.68),
            ({"power_type": "AC_2_PHASE", "max_voltage": 230, "max_amperage": 16}, 7.36),
            ({"power_type": "NEW", "max_voltage": 230, "max_amperage": 16}, None),
        ],
        ids=str,
    )
    def test_power_is_what_is_said_or_what_lines_carry(
        self, records: ReadRecords, told: Any, kilowatt: float | None
    ) -> None:
        (row,) = records(operator(), answer(evse(connectors=[told])), "locations")["charge_point"]
        assert row.get("power_kw") == pytest.approx(kilowatt, abs=0.01)

    def test_what_is_not_to_be_published_is_left_out(self, read: ReadBody) -> None:
        points, states = read(operator(), answer({**LOCATION, "publish": False}), "locations")
        assert points.frame.is_empty()
        assert states.frame.is_empty()
        assert [note.text for note in points.notes] == ["1 location(s) are not to be published"]

    def test_what_was_removed_is_no_charge_point_and_its_status_says_so(self, records: ReadRecords) -> None:
        """Otherwise it would be as available for ever as it was last."""
        gone = {**EVSE, "status": "REMOVED", "last_updated": "2026-08-01T00:00:00Z"}
        body = answer({**LOCATION, "evses": [gone, {**EVSE, "uid": "3257"}]})
        found = records(operator(), body, "locations")
        assert [row["charge_point_id"] for row in found["charge_point"]] == ["DE*ABC/3257"]
        assert [(row["charge_point_id"], row["status"]) for row in found["charge_point_status"]] == [
            ("DE*ABC/3256", "removed"),
            ("DE*ABC/3257", "available"),
        ]

    def test_of_the_whole_country_what_lies_near_is_kept_with_its_status(self, records: ReadRecords) -> None:
        far = {**LOCATION, "id": "LOC2", "coordinates": {"latitude": "48.1", "longitude": "11.5"}}
        far["evses"] = [{**EVSE, "uid": "far"}]
        found = records(operator(), answer(LOCATION, far), "locations")
        for rows in found.values():
            assert [row["charge_point_id"] for row in rows] == ["DE*ABC/3256"]

    def test_an_older_version_names_no_party_and_writes_times_without_a_zone(
        self, records: ReadRecords
    ) -> None:
        old = {name: LOCATION[name] for name in ("id", "name", "coordinates")}
        old["evses"] = [{**EVSE, "status": "SLEEPING", "last_updated": "2026-07-31T22:15:00"}]
        found = records(operator(), answer(old), "locations")
        assert found["charge_point"][0]["charge_point_id"] == "3256"
        assert found["charge_point_status"] == [
            {
                "charge_point_id": "3256",
                "observed_at": datetime(2026, 7, 31, 22, 15, tzinfo=UTC),
                "status_native": "SLEEPING",
            }
        ]

    def test_what_is_no_location_or_no_evse_costs_nothing_else(self, read: ReadBody) -> None:
        body = answer(
            LOCATION, {"name": "ohne id"}, {**LOCATION, "id": "LOC3", "evses": [{"status": "AVAILABLE"}]}
        )
        points, _ = read(operator(), body, "locations")
        assert points.frame.height == 1
        assert [row.rule for row in points.broken] == ["unreadable_element", "unreadable_evse"]
