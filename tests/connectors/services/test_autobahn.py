"""The lists of the Autobahn GmbH: which are asked for, and what entries as the service documents them become.

The entries here are made up; their members and the forms of their texts are those of the service.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS, SOURCE_MODELS
from civitas_assets.errors import FetchError, ReadError
from tests.connectors.conftest import MakeSession, ReadBody

TOWN = (7.47, 51.84, 7.77, 52.06)
BERLIN = ZoneInfo("Europe/Berlin")
HERE = {"lat": 51.95, "long": 7.6}
Records = Callable[..., dict[str, list[dict[str, Any]]]]


def source(**settings: Any) -> Any:
    return (
        SOURCE_MODELS["autobahn"].model_validate({"connector": "autobahn", **settings}).with_place("it", TOWN)
    )


def listed(service: str, *items: dict[str, Any]) -> bytes:
    return json.dumps({service: [{"identifier": "1", "coordinate": HERE, **item} for item in items]}).encode()


def fetched(session: MakeSession, known: list[str], **settings: Any) -> list[str]:
    directory = json.dumps({"roads": known}).encode()
    fake = session(lambda request: directory if request.role == "roads" else listed(request.role))
    try:
        CONNECTORS["autobahn"].fetch(
            source(**settings), Window(date(2026, 8, 1), date(2026, 8, 1)), BERLIN, fake
        )
    finally:
        asked = [
            request.url.removeprefix("https://verkehr.autobahn.de/o/autobahn/") for request in fake.requests
        ]
    return asked


def test_each_road_is_asked_for_each_list_and_a_road_with_a_blank_is_no_second_one(
    session: MakeSession,
) -> None:
    asked = fetched(session, ["A1", "A60", "A60 "], services=("roadworks", "warning"))
    assert asked == [
        "", "A1/services/roadworks", "A60/services/roadworks", "A1/services/warning", "A60/services/warning",
    ]  # fmt: skip
    assert fetched(session, ["A1", "A60"], roads=("A60",), services=("closure",)) == [
        "",
        "A60/services/closure",
    ]


def test_a_road_that_does_not_exist_is_told_though_the_service_answers_it(session: MakeSession) -> None:
    with pytest.raises(FetchError, match="the service has no road A999: correct roads"):
        fetched(session, ["A1"], roads=("A1", "A999"))


def test_what_is_near_the_town_is_kept_be_it_the_end_of_a_long_line(records: Records) -> None:
    far = {"lat": 48.1, "long": 11.5}
    reaches = {"type": "LineString", "coordinates": [[11.5, 48.1], [7.6, 51.95]]}
    body = listed(
        "roadworks",
        {"identifier": "here"},
        {"identifier": "far", "coordinate": far},
        {"identifier": "reaches", "coordinate": far, "geometry": reaches},
    )
    found = records(source(), body, "roadworks", box=TOWN)["event"]
    assert [row["event_id"] for row in found] == ["here", "reaches"]
    assert found[1]["geometry"][:1] in {b"\x00", b"\x01"}


@pytest.mark.parametrize(
    "coordinate",
    [
        {"lat": "51.95", "long": "7.6"},
        {"lat": 51.95, "long": 7.6},
        {"type": "Point", "coordinates": [7.6, 51.95]},
    ],
)
def test_positions_are_numbers_or_texts_or_a_point(coordinate: Any, records: Records) -> None:
    (row,) = records(source(), listed("closure", {"coordinate": coordinate}), "closure")["event"]
    assert (row["lon"], row["lat"]) == (7.6, 51.95)


@pytest.mark.parametrize("coordinate", [None, {}, {"lat": "x", "long": "7"}, {"lat": True, "long": []}])
def test_one_without_a_position_is_one_rejected_row(coordinate: Any, read: ReadBody) -> None:
    (table,) = read(source(), listed("warning", {}, {"coordinate": coordinate}), "warning")
    assert table.frame.height == 1
    assert [(row.row, row.rule) for row in table.broken] == [(2, "without_position")]
    assert table.broken[0].about == (table.frame["event_id"][0],), "it is there, though nobody knows where"


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"display_type": "SHORT_TERM_ROADWORKS"}, "roadworks"),
        ({"display_type": "CLOSURE_ENTRY_EXIT"}, "closure"),
        ({"display_type": "WEIGHT_LIMIT_35"}, "traffic_other"),
        ({"display_type": "WARNING"}, "traffic_other"),
        ({"display_type": "WARNING", "abnormalTrafficType": "QUEUING_TRAFFIC"}, "congestion"),
        (
            {
                "display_type": "WARNING",
                "abnormalTrafficType": "SLOW_TRAFFIC",
                "description": ["", "Unfall, seit 04.10.2026, 19:53"],
            },
            "accident",
        ),
        ({"display_type": "SOMETHING_NEW"}, None),
        ({}, None),
    ],
)
def test_a_kind_that_nobody_knows_is_none(item: dict[str, Any], kind: str | None, records: Records) -> None:
    (row,) = records(source(), listed("warning", item), "warning")["event"]
    assert row.get("event_type") == kind
    assert row.get("event_type_native", "").startswith(item.get("display_type", ""))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("start", "lines", "expected"),
    [
        ("2026-10-02T07:52:00Z", [], (utc(2026, 10, 2, 7, 52), None)),
        ("2021-06-29T09:00:00.000+0200", [], (utc(2021, 6, 29, 7), None)),
        (
            None,
            ["Beginn: 29.06.2021 09:00", "Ende: 28.11.2021 17:00", "bis voraussichtlich 30.11.2021"],
            (utc(2021, 6, 29, 7), utc(2021, 11, 28, 16)),
        ),
        (
            None,
            ["Beginn: 22.01.26 um 08:00 Uhr", "Ende: 01.05.27 um 00:00 Uhr"],
            (utc(2026, 1, 22, 7), utc(2027, 4, 30, 22)),
        ),
        # The end of the whole project is not that of its periods.
        (
            None,
            [
                "06.10.26 20:30 bis zum 07.10.26 05:00 Uhr.",
                "08.10.26 von 10:00 bis 16:30 Uhr",
                "Ende: 01.12.27 um 00:00 Uhr",
            ],
            (utc(2026, 10, 6, 18, 30), utc(2026, 10, 8, 14, 30)),
        ),
        (None, ["08.10.26 von 22:00 bis 05:00 Uhr"], (utc(2026, 10, 8, 20), utc(2026, 10, 9, 3))),
        (None, ["08.10.26 von 10:00 bis 24:00 Uhr"], (utc(2026, 10, 8, 8), utc(2026, 10, 8, 22))),
        (None, ["Ende: 31.02.2026 10:00", "Beginn: demnächst"], (None, None)),
        # A day without a time lasts until it is over, be it the one on which clocks go back.
        (None, ["Beginn: 25.10.2026", "Ende: 25.10.2026"], (utc(2026, 10, 24, 22), utc(2026, 10, 25, 23))),
        # Wall time of the night in which clocks go back: nine hours later it is ten hours by the clock.
        (None, ["24.10.26 20:00 bis zum 25.10.26 05:00 Uhr"], (utc(2026, 10, 24, 18), utc(2026, 10, 25, 4))),
    ],
)
def test_times_are_those_of_lines_of_their_own(
    start: str | None, lines: list[str], expected: tuple[Any, Any], records: Records
) -> None:
    item = {"startTimestamp": start, "description": lines}
    (row,) = records(source(), listed("closure", item), "closure")["event"]
    assert (row.get("start_at"), row.get("end_at")) == expected


def test_texts_of_an_entry_and_what_is_announced(records: Records) -> None:
    item = {
        "title": "A1 | Münster-Nord - Münster-Süd",
        "subtitle": " Bremen -> Dortmund",
        "description": ["Beginn: 29.03.26 um 14:42 Uhr", "", None, "Fahrbahn verengt"],
        "future": True,
    }
    (row,) = records(source(), listed("roadworks", item), "roadworks")["event"]
    assert (row["title"], row["place_name"]) == ("A1 | Münster-Nord - Münster-Süd", "A1, Bremen -> Dortmund")
    assert row["description"] == "Beginn: 29.03.26 um 14:42 Uhr\n\n\nFahrbahn verengt"
    assert row["status"] == "planned"
    # The service says `false` of works that have not begun, too.
    (row,) = records(source(), listed("roadworks", {"future": False}), "roadworks")["event"]
    assert "status" not in row


def test_points_of_a_charging_station_are_told_apart_as_far_as_its_text_does(records: Records) -> None:
    station = {
        "title": "A1 | Bremen | Raststätte Beispiel",
        "coordinate": {"lat": "51.95", "long": "7.6"},
        "startTimestamp": "30.03.2026",
        "description": [
            *("Raststätte Beispiel", "48155 Münster", "Ladesäulenbetreiber: Beispiel GmbH", ""),
            *("Ladepunkt 1:", "AC Kupplung Typ 2", "43 kW", ""),
            *("Ladepunkt 2:", "DC Kupplung Combo, DC CHAdeMO", "50,5 kW", "", "Hinweis: 22 kW"),
        ],
    }
    body = listed("electric_charging_station", station, {"identifier": "2"})
    first, second, whole = records(source(), body, "electric_charging_station")["charge_point"]
    assert (first["charge_point_id"], first["installation_id"], first["points"]) == ("1/1", "1", 1)
    assert (first["current_type"], first["power_kw"]) == ("ac", 43.0)
    assert (second["plug_types"], second["power_kw"]) == ("DC Kupplung Combo; DC CHAdeMO", 50.5)
    assert (second["postcode"], second["city"], second["operator"]) == ("48155", "Münster", "Beispiel GmbH")
    assert (whole["charge_point_id"], whole.get("points"), whole.get("current_type")) == ("2", None, None)


def test_a_charging_station_without_a_position_still_has_its_points(read: ReadBody) -> None:
    station = {
        "identifier": "9",
        "coordinate": None,
        "description": ["Ladepunkt 1:", "43 kW", "", "Ladepunkt 2:"],
    }
    (table,) = read(source(), listed("electric_charging_station", station, {}), "electric_charging_station")
    assert [row.about for row in table.broken] == [("9/1", "9/2")]


@pytest.mark.parametrize("body", [b'{"error":"x"}', b'{"closure":{}}', b'{"warning":[{"title":"no id"}]}'])
def test_what_is_no_list_of_its_service_is_no_empty_one(body: bytes, read: ReadBody) -> None:
    with pytest.raises(ReadError, match="is not what the Autobahn GmbH answers"):
        read(source(), body, "closure" if b"closure" in body else "warning")


def test_of_a_list_that_is_empty_nothing_is_read_and_all_of_it_is_known(read: ReadBody) -> None:
    (table,) = read(source(), listed("closure"), "closure")
    assert table.frame.is_empty()
    assert source(services=("closure",)).listed_record_types() == {"event"}
    assert source().is_snapshot("event")
