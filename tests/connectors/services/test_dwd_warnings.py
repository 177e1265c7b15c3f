"""Official warnings: whom they concern, and what updates, cancellations and exercises make of them.

The messages are made up after the weather service's profile of CAP 1.2.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS, SOURCE_MODELS
from civitas_assets.errors import FetchError, ReadError
from tests.connectors.conftest import MakeSession, ReadBody, zipped

MUENSTER = (7.47, 51.84, 7.78, 52.06)
Records = Callable[..., dict[str, list[dict[str, Any]]]]


def source(**settings: Any) -> Any:
    model = SOURCE_MODELS["dwd_warnings"].model_validate({"connector": "dwd_warnings", **settings})
    return model.with_place("it", MUENSTER)


def message(name: str, cells: str = "705515101", kind: str = "Alert", **members: str) -> str:
    """A message; `members` are those of it and of its part in German that differ."""
    told = {
        "status": "Actual", "sent": "2026-08-06T17:58:00+00:00", "references": "", "responseType": "Prepare",
        "severity": "Minor", "onset": "2026-08-07T08:00:00+00:00", "expires": "2026-08-07T19:00:00+00:00", **members,
    }  # fmt: skip
    areas = "".join(
        f"<area><areaDesc>Gebiet {cell}</areaDesc><geocode><valueName>WARNCELLID</valueName><value>{cell}</value>"
        "</geocode></area>"
        for cell in cells.split()
    )
    inner = "".join(f"<{tag}>{told[tag]}</{tag}>" for tag in ("responseType", "severity", "onset", "expires"))
    return (
        f'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{name}</identifier><sender>o</sender>'
        f"<sent>{told['sent']}</sent><status>{told['status']}</status><msgType>{kind}</msgType>"
        f"<references>{told['references']}</references>"
        "<info><language>en-GB</language><event>wind gusts</event></info>"
        f"<info><language>de-DE</language><event>WINDBÖEN</event>{inner}"
        "<headline>Amtliche WARNUNG vor WINDBÖEN</headline><description>Es treten Windböen auf.</description>"
        "<instruction>Vorsicht.</instruction>"
        f"<area><areaDesc>polygonal event area</areaDesc><polygon>51,7 52,7 52,8 51,7</polygon></area>{areas}"
        "</info></alert>"
    )


def archive(*messages: str) -> bytes:
    return zipped({f"{number}.xml": text.encode() for number, text in enumerate(messages)})


def test_one_archive_is_asked_for_and_what_it_has_no_more_is_closed(session: MakeSession) -> None:
    fake = session(lambda _: archive())
    CONNECTORS["dwd_warnings"].fetch(
        source(), Window(date(2026, 8, 6), date(2026, 8, 6)), ZoneInfo("UTC"), fake
    )
    assert [request.url for request in fake.requests] == [source().url]
    assert source().is_snapshot("event")


def test_a_warning_becomes_an_event_in_its_german_words(records: Records) -> None:
    (row,) = records(source(), archive(message("w1")))["event"]
    assert row == {
        "event_id": "w1", "event_type": "weather", "event_type_native": "WINDBÖEN", "severity": "low",
        "title": "Amtliche WARNUNG vor WINDBÖEN", "description": "Es treten Windböen auf.\nVorsicht.",
        "severity_native": "Minor", "status": "planned", "status_native": "Alert: Prepare",
        "start_at": datetime(2026, 8, 7, 8, tzinfo=UTC), "end_at": datetime(2026, 8, 7, 19, tzinfo=UTC),
        "place_name": "Gebiet 705515101", "changed_at": datetime(2026, 8, 6, 17, 58, tzinfo=UTC),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "settings", "found"),
    [
        ("705515101", {}, True),  # a quarter of Münster, which is a district by itself
        ("805515000", {}, True),
        ("105515000", {}, True),
        ("805566012 706412102", {}, False),
        ("805566012", {"municipalities": ("05566012",)}, True),
        ("105566000", {"municipalities": ("05566012",)}, True),
        ("705566101", {"municipalities": ("05566012",)}, False),
        ("905515999", {}, True),
        ("205515000", {}, False),  # a lake
    ],
)
def test_cells_are_those_of_the_town_its_quarters_and_its_district(
    cells: str, settings: dict[str, Any], found: bool, read: ReadBody
) -> None:
    (table,) = read(source(**settings), archive(message("w1", cells)))
    assert (table.frame.height == 1) is found


@pytest.mark.parametrize(
    ("cell", "area", "key", "found"),
    [
        ("906633999", "Kreis und Stadt Kassel", "06611000", True),
        ("906633999", "Kreis und Stadt Kassel", "06633001", True),
        ("908315999", "Kreis Breisgau-Hochschwarzwald und Stadt Freiburg", "08311000", True),
        ("909471999", "Kreis und Stadt Bamberg", "09462000", False),
        ("909471999", "Kreis und Stadt Bamberg", "09463000", False),
        ("901057002", "Kreis Plön - Küste", "01057057", True),
    ],
)
def test_a_town_is_warned_with_the_district_around_it_though_its_key_is_another(
    cell: str, area: str, key: str, found: bool, read: ReadBody
) -> None:
    """As the archive by districts has it, which parts others instead."""
    body = archive(message("w1", cell).replace(f"Gebiet {cell}", area))
    (table,) = read(source(municipalities=(key,)), body)
    assert (table.frame.height == 1) is found


def test_where_no_warning_could_concern_anybody_that_is_told(session: MakeSession) -> None:
    day, zone = Window(date(2026, 8, 6), date(2026, 8, 6)), ZoneInfo("UTC")
    fake, connector = session(lambda _: archive()), CONNECTORS["dwd_warnings"]
    nowhere = source().with_place("it", (7.60, 51.90, 7.61, 51.91))
    with pytest.raises(FetchError, match="no municipality has its middle in the bbox"):
        connector.fetch(nowhere, day, zone, fake)
    connector.fetch(source(municipalities=("05566000",)), day, zone, fake)
    assert "05566000 is no municipality of today" in fake.notes[0].text
    assert len(fake.requests) == 1


def test_the_municipalities_of_the_box_are_those_whose_middle_lies_in_it() -> None:
    assert "05515000" in source().list_keys()
    assert not [key for key in source().list_keys() if not key.startswith("055")]
    assert SOURCE_MODELS["dwd_warnings"].model_validate({"connector": "dwd_warnings"}).list_keys() is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("members", "status", "severity"),
    [
        ({}, "planned", "low"),
        # It was to come when it was sent, and is there by now.
        ({"sent": "2026-07-31T12:00:00+00:00", "onset": "2026-07-31T23:00:00+00:00"}, "active", "low"),
        ({"responseType": "AllClear", "severity": "Extreme"}, "ended", "highest"),
        ({"severity": "Unknown", "onset": "bald"}, None, None),
    ],
)
def test_status_is_that_of_when_it_was_fetched_and_what_is_not_known_is_none(
    members: dict[str, str], status: str | None, severity: str | None, read: ReadBody
) -> None:
    (table,) = read(source(), archive(message("w1", **members)))
    (row,) = table.frame.to_dicts()
    assert (row["status"], row["severity"]) == (status, severity)


def test_of_an_updated_warning_the_update_counts_and_a_cancelled_one_is_cancelled(records: Records) -> None:
    body = archive(
        message("w1"),
        message("w2", kind="Update", references="o,w1,2026-08-06T17:58:00+00:00"),
        message("w3"),
        message(
            "w4", kind="Cancel", references="o,w3,2026-08-06T17:58:00+00:00 o,w0,2026-08-06T10:00:00+00:00"
        ),
    )
    found = records(source(), body)["event"]
    assert [(row["event_id"], row["status"]) for row in found] == [
        ("w2", "planned"), ("w3", "cancelled"), ("w0", "cancelled"),
    ]  # fmt: skip


def test_an_exercise_is_no_warning_and_is_told(read: ReadBody) -> None:
    (table,) = read(
        source(), archive(message("w1", status="Exercise"), message("w2", status="Test"), message("w3"))
    )
    assert table.frame["event_id"].to_list() == ["w3"]
    assert [note.text for note in table.notes] == ["2 test(s) or exercise(s) are left out"]


def test_a_message_that_is_none_is_one_rejected_row(read: ReadBody) -> None:
    untrusted = "<!DOCTYPE a [<!ENTITY b 'c'>]><alert/>"
    (table,) = read(source(), archive(message("w1"), "<alert/>", untrusted, message("w2", "")))
    assert table.frame.height == 1
    assert [row.rule for row in table.broken] == ["unreadable_warning", "unreadable_warning", "without_cells"]
    assert [row.about for row in table.broken] == [(), (), ("w2",)]


def test_an_empty_archive_says_that_nothing_is_warned_of_and_another_one_says_nothing(read: ReadBody) -> None:
    (table,) = read(source(), archive())
    assert table.frame.is_empty()
    for body in (zipped({"readme.txt": b"x"}), archive("<html/>")):
        with pytest.raises(ReadError, match="is no archive of warnings of the weather service"):
            read(source(), body)
