"""hystreet: hours in UTC, people alone, and no hour that is not over. Answers are made up in the service's form."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from civitas_assets.catalog import SecretRef, Window
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.services.hystreet import HystreetConnector, HystreetSource
from tests.connectors.conftest import MakeSession, ReadRecords

BOX = (7.4, 51.8, 7.8, 52.1)


def counters(**settings: Any) -> HystreetSource:
    said = {"connector": "hystreet", "licence": "unknown", "token": {"secret": "TOWN_TOKEN"}, **settings}
    return HystreetSource.model_validate({"stations": ("148",), **said}).with_place("counters", BOX)


def part(count: int, kind: str = "PERSON", how: str = "measured", zone: int = 1) -> dict[str, Any]:
    return {
        "direction": "Richtung - Dom", "count": count, "object_type": kind, "object_subtype": "ADULT",
        "collection_type": how, "zone": zone,
    }  # fmt: skip


def hour(at: str, total: int | None, *parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "measured_at": at, "measured_at_local_time": "x", "total_count": total, "counts": [*parts],
        "weather_conditions": {"temperature": 5.2},
    }  # fmt: skip


def answer(*hours: Any) -> bytes:
    return json.dumps({"location_id": 148, "resolution": "hour", "measurements": hours}).encode()


def test_hours_are_those_of_the_zone_asked_for_in_utc_with_the_token(session: MakeSession) -> None:
    asked = session(lambda request: b"{}")
    window = Window(date(2026, 3, 28), date(2026, 3, 29))  # the clock changes; slices have fixed ends
    HystreetConnector().fetch(counters(), window, ZoneInfo("Europe/Berlin"), asked)
    root = "https://api.hystreet.com/v2/locations/148"
    span = "from=2026-03-26T23:00:00Z&to=2026-03-29T21:00:00Z&resolution=hour"
    assert [request.url for request in asked.requests] == [root, f"{root}/measurements?{span}"]
    assert counters().headers == {"X-API-Token": SecretRef(secret="TOWN_TOKEN")}  # noqa: S106


def test_place_is_a_station_where_the_tenant_says_and_a_datastream(records: ReadRecords) -> None:
    body = {"location": {"id": 148, "name": "Lange Straße", "city": {"name": "Musterstadt"}, "zip_code": "1"}}
    found = records(counters(positions={"148": (7.5, 51.9)}), json.dumps(body).encode(), "location")
    (station,), (datastream,) = found["station"], found["datastream"]
    assert (station["station_id"], station["name"], station["lon"], station["lat"]) == (
        "148",
        "Musterstadt, Lange Straße",
        7.5,
        51.9,
    )
    assert (datastream["station_id"], datastream["observed_property"]) == ("148", "traffic.pedestrian_count")


def test_hour_is_its_total_of_people(records: ReadRecords) -> None:
    body = answer(
        hour("2026-01-02T14:00:00.000Z", 30, part(10), part(20, zone=2)),
        hour("2026-01-02T15:00:00.000Z", 37, part(10), part(7, "BICYCLE"), part(20, how="estimated")),
        hour("2026-01-02T16:00:00.000Z", None),
        {"measured_at": "gestern", "total_count": 1},
    )
    found = records(counters(), body, "counts", datastream_id="148")
    assert [(r["phenomenon_start"], r.get("value"), r.get("quality_native")) for r in found["observation"]] == [
        (datetime(2026, 1, 2, 14, tzinfo=UTC), 30.0, "measured"),
        (datetime(2026, 1, 2, 15, tzinfo=UTC), 30.0, "estimated/measured"),
        (datetime(2026, 1, 2, 16, tzinfo=UTC), None, None),
    ]  # fmt: skip


def test_hour_that_is_not_over_is_left_out() -> None:
    body = answer(hour("2026-01-02T14:00:00Z", 30), hour("2026-01-02T15:00:00Z", 4))
    now = datetime(2026, 1, 2, 15, 59, tzinfo=UTC)
    payload = Payload(Request("u", "counts", {"datastream_id": "148"}), body, now)
    (table,) = HystreetConnector().read(counters(), payload)
    assert table.frame["value"].to_list() == [30]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"token": None}, "token is needed"),
        ({"token": "abc"}, r"must be \{secret: NAME\}"),
        ({"stations": ()}, "at least 1 item"),
        ({"positions": {"7": (7.5, 51.9)}}, "none of stations"),
        ({"positions": {"148": (7.5, 519.0)}}, "less than or equal to 90"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        counters(**settings)
