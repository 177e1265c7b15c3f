"""Parking by the package parkapi-sources: asked as it asks, read as it reads, without its clock and its defaults.

Answers are made up in the forms that towns use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from parkapi_sources import ParkAPISources
from parkapi_sources.converters.base_converter.pull import ParkingSitePullConverter
from pydantic import ValidationError

from civitas_assets.catalog import Window
from civitas_assets.connectors.parkapi.parkapi import (
    BOTH,
    STATIC_DATA,
    TOWNS,
    Asked,
    ParkapiConnector,
    ParkapiSource,
    Town,
)
from civitas_assets.errors import ReadError
from tests.connectors.conftest import MakeSession, ReadBody, ReadRecords

BOX = (9.9, 48.7, 10.2, 48.9)
NOW = datetime(2026, 8, 1, tzinfo=UTC)  # when payloads of the tests came


def towns(*names: str, **settings: Any) -> ParkapiSource:
    said = {"connector": "parkapi", "licence": "unknown", "towns": names, **settings}
    return ParkapiSource.model_validate(said).with_place("parking", BOX)


def feature(uid: str, lon: float = 10.1, **more: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, 48.8]},
        "properties": {
            "uid": uid, "name": f"Parkhaus {uid}", "type": "CAR_PARK", "capacity": 90, "has_realtime_data": True,
            **more,
        },
    }  # fmt: skip


def collection(*features: dict[str, Any]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


class Stop(BaseException):
    """Where a converter asks."""


def pullers() -> Iterator[Any]:
    """The converters of sites that pull, and need no secret."""
    kinds = [c for c in ParkAPISources.converter_classes if issubclass(c, ParkingSitePullConverter)]
    package = ParkAPISources({"STATIC_GEOJSON_BASE_URL": STATIC_DATA}, [k.source_info.uid for k in kinds])
    yield from (one for one in package.converter_by_uid.values() if not one.required_config_keys)


def test_towns_are_asked_as_the_package_asks_them() -> None:
    """All of its converters that need no secret, each for one address per kind."""

    def asked(converter: Any, kind: str) -> str | None:
        found: str | None = None

        def get(url: str, **_: Any) -> None:
            nonlocal found
            found = url
            raise Stop

        converter.request_get = get
        with suppress(Stop):
            getattr(converter, f"get_{kind}_parking_sites")()
        return found

    told = {c.source_info.uid: Asked(asked(c, "static") or "", asked(c, "realtime")) for c in pullers()}
    assert told == TOWNS
    assert {*get_args(Town)} == {*TOWNS}


def test_each_address_is_asked_once_on_the_hosts_that_the_towns_have(session: MakeSession) -> None:
    source = towns("aalen", "karlsruhe")
    assert source.url == TOWNS["aalen"].static
    assert source.allow_hosts == ("raw.githubusercontent.com", "www.sw-aalen.de", "mobil.trk.de")
    asked = session(lambda request: b"[]")
    ParkapiConnector().fetch(source, Window(date(2026, 8, 1), date(2026, 8, 1)), ZoneInfo("UTC"), asked)
    assert [(r.role, r.variables["town"]) for r in asked.requests] == [
        ("static", "aalen"),
        ("realtime", "aalen"),
        (BOTH, "karlsruhe"),
    ]


def test_sites_are_those_in_the_box_and_what_nobody_said_is_nothing(read: ReadBody) -> None:
    body = collection(
        feature("P1", max_height=210, address="Gmünder Str. 1", park_and_ride_type=["TRAIN"]),
        feature("P2", type="LOCKERS", park_and_ride_type=["NO"]),
        feature("P3", lon=7.6),
    )
    (table,) = read(towns("aalen"), body, "static", town="aalen")
    first, second = table.frame.to_dicts()
    said = (
        "site_id",
        "site_type",
        "site_type_native",
        "max_height_cm",
        "is_park_and_ride",
        "has_fee",
        "operator",
    )
    assert [first[name] for name in said] == ["aalen:P1", "car_park", "CAR_PARK", "210", "True", None, None]
    assert [second[name] for name in said] == ["aalen:P2", None, "LOCKERS", None, "False", None, None]


def test_time_of_an_occupancy_is_when_it_came_where_the_package_has_only_its_own(
    records: ReadRecords,
) -> None:
    body = json.dumps([{"name": "P1", "status": "besetzt", "max": 90, "occupied": 90, "free": 0}]).encode()
    (status,) = records(towns("aalen"), body, "realtime", town="aalen")["parking_status"]
    told = {name: status[name] for name in ("site_id", "observed_at", "free", "capacity", "opening_status")}
    assert told == {
        "site_id": "aalen:P1", "observed_at": NOW, "free": 0, "capacity": 90, "opening_status": "open",
    }  # fmt: skip


def test_time_without_a_zone_stays_as_it_is_for_the_contract_to_reject(read: ReadBody) -> None:
    """The package lets one of Karlsruhe through (0.24.0); the others of the answer are none the worse for it."""
    about = dict.fromkeys(
        (
            *("max_durchfahrtshoehe", "parkhaus_strasse", "parkhaus_plz", "parkhaus_gemeinde", "geschlossen"),
            *("bemerkung", "parkhaus_internet", "parkhaus_telefon", "parkhaus_email", "betreiber_internet"),
            *("betreiber_email", "betreiber_telefon"),
        )
    )
    said = {**about, "gesamte_parkplaetze": 9, "echtzeit_belegung": "t", "freie_parkplaetze": 3}
    body = collection(*(
        {
            **feature(str(number)), "id": f"parkhaeuser.{number}",
            "properties": {
                **said, "id": number, "parkhaus_name": "P", "stand_stammdaten": at, "stand_freieparkplaetze": at,
            },
        }
        for number, at in enumerate(("2026-08-01T12:00:00", "2026-08-01T12:00:00Z"), 1)
    ))  # fmt: skip
    _, states = read(towns("karlsruhe"), body, BOTH, town="karlsruhe")
    assert states.frame["observed_at"].to_list() == ["2026-08-01T12:00:00", "2026-08-01T12:00:00+00:00"]


def test_bad_element_is_one_row_also_where_the_package_breaks_off(read: ReadBody) -> None:
    """Of what it refuses by itself, the first, and of what it has no answer to, a feature that is a number."""
    (table,) = read(
        towns("aalen"), collection(feature("P1"), feature("P2", capacity="viele")), "static", town="aalen"
    )
    assert (table.frame["site_id"].to_list(), [row.about for row in table.broken]) == (
        ["aalen:P1"],
        [("aalen:P2",)],
    )
    broken = json.dumps({"type": "FeatureCollection", "features": [feature("P1"), 7]}).encode()
    (table,) = read(towns("aalen"), broken, "static", town="aalen")
    assert (table.frame["site_id"].to_list(), len(table.broken)) == (["aalen:P1"], 1)
    sensors = [{"original_uid": f"p{n}", "vrn_sensor_id": n, "name": "P+R", "type": kind, "lat": 48.8, "lon": 10.1,
                "capacity": 10, "has_realtime_data": "ja", "opening_hours": "", "park_and_ride_type": "ja",
                } for n, kind in enumerate(("Parkplatz", None))]  # fmt: skip
    vrn = [{**feature("x"), "properties": sensor} for sensor in sensors]  # 0.24.0 loses all by the second one
    (table,) = read(towns("vrn_p_r"), collection(*vrn), "static", town="vrn_p_r")
    assert (table.frame["site_id"].to_list(), len(table.broken)) == (["vrn_p_r:p0-0"], 1)
    with pytest.raises(ReadError, match="is not what parkapi-sources reads of aalen"):
        read(towns("aalen"), b"<html>Wartung</html>", "static", town="aalen")


def test_town_that_the_package_does_not_have_is_refused() -> None:
    with pytest.raises(ValidationError, match="Input should be 'aalen'"):
        towns("atlantis")
