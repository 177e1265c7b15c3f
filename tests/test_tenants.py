"""The tenants that come with the project: real municipalities, their official keys, and sources that are proven."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.catalog import load_catalog
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.registry import CONNECTORS, SOURCE_MODELS
from civitas_assets.records import RECORD_TYPES, RawTable
from civitas_assets.records.origin import Origin, gather_rows
from civitas_assets.records.typing import TenantPlace, bring_into_contract
from civitas_assets.settings import PROJECT_DIR

TENANTS = PROJECT_DIR / "civitas_assets" / "tenants"
CATALOG = load_catalog(TENANTS, SOURCE_MODELS)
# Official keys and a point in the middle of each town.
TOWNS = {
    "bamberg": ("09461000", 10.887, 49.892),
    "hassfurt": ("09674147", 10.512, 50.034),
    "jena": ("16053000", 11.586, 50.928),
    "kassel": ("06611000", 9.497, 51.316),
    "muenster": ("05515000", 7.626, 51.962),
    "osnabrueck": ("03404000", 8.047, 52.279),
    "paderborn": ("05774032", 8.754, 51.719),
}
# Where a source of each kind reads payloads that were recorded; single sources, where it reads its own.
PROVEN = {
    "datex2": "integration/test_recorded_parking.py",
    "dwd": "integration/test_services.py",
    "gbfs": "integration/test_recorded_sharing.py",
    "geojson": "integration/test_recorded_jena.py",
    "opensensemap": "integration/test_services.py",
    "pegelonline": "integration/test_services.py",
    "sensor_community": "integration/test_services.py",
    "uba": "integration/test_services.py",
    "muenster/bicycle_counters": "integration/test_muenster_nights.py",
    "muenster/charging": "integration/test_recorded_muenster.py",
    "muenster/climate": "integration/test_recorded_muenster.py",
    "muenster/glass": "integration/test_recorded_muenster.py",
    "muenster/park_and_ride": "integration/test_recorded_muenster.py",
}
NOW = datetime(2026, 8, 22, 2, tzinfo=UTC)


def test_these_towns_are_here() -> None:
    assert CATALOG.tenants.keys() == TOWNS.keys()


@pytest.mark.parametrize("slug", TOWNS)
def test_a_town_has_its_official_key_and_lies_in_its_box(slug: str) -> None:
    ags, lon, lat = TOWNS[slug]
    tenant = CATALOG.tenants[slug]
    west, south, east, north = tenant.bbox
    assert tenant.ags == ags
    assert west < lon < east
    assert south < lat < north
    assert east - west < 0.4, "a town, not a county"


@pytest.mark.parametrize("slug", TOWNS)
def test_every_source_is_of_a_kind_that_was_proven_on_a_recorded_payload(slug: str) -> None:
    for name, source in CATALOG.tenants[slug].sources.items():
        proof = PROVEN.get(f"{slug}/{name}") or PROVEN[source.connector]
        text = (Path(__file__).parent / proof).read_text(encoding="utf-8")
        assert re.search(r"def \w+\([^)]*(payloads|replay)", text), f"{proof} reads what was recorded"
        assert source.attribution
        assert source.url.startswith("https://")
        assert source.licence != "proprietary"


def stored(slug: str, name: str, body: bytes) -> dict[str, list[dict[str, Any]]]:
    """What a source of a town makes of an answer, in its contract; only what is kept of the answer is read."""
    tenant = CATALOG.tenants[slug]
    source = tenant.sources[name]
    payload = Payload(Request(source.url), source.redact_answer("data", body), NOW)
    found: dict[str, list[dict[str, Any]]] = {}
    for raw in CONNECTORS[source.connector].read(source, payload):
        assert isinstance(raw, RawTable)
        assert not raw.unknown_fields
        table = gather_rows([(raw, Origin({}, "p", NOW))], source)
        place = TenantPlace(tenant.timezone, tenant.bbox)
        typed = bring_into_contract(RECORD_TYPES[raw.record_type], table, source, place)
        assert typed.rejected.is_empty(), typed.rejected.to_dicts()
        for record_type, frame in typed.accepted.items():
            rows = frame.drop("payload", "received_at").to_dicts()
            found.setdefault(record_type, []).extend(
                {name: value for name, value in row.items() if value is not None} for row in rows
            )
    return found


def features(geometry: dict[str, Any], **properties: object) -> bytes:
    """A collection of one feature."""
    feature = {"type": "Feature", "id": "baustellen.7", "geometry": geometry, "properties": properties}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def test_roadworks_of_muenster_come_without_the_officials_that_stand_beside_them() -> None:
    line = {"type": "LineString", "coordinates": [[7.60, 51.95], [7.61, 51.96]]}
    official = {"gesamtname1": "Erika Muster", "telefonansprechpartner1": "0251 0000"}
    body = features(
        line, fuid=7, bezeichnung="B51 - Brücke", information="Spur gesperrt", typ_bez="Bau", **official
    )
    (event,) = stored("muenster", "roadworks", body)["event"]
    assert event.pop("geometry")
    assert event == {
        "event_id": "7",
        "event_type": "roadworks",
        "event_type_native": "Bau",
        "title": "B51 - Brücke",
        "description": "Spur gesperrt",
        "lon": pytest.approx(7.605, abs=0.01),
        "lat": pytest.approx(51.955, abs=0.01),
    }
    kept = CATALOG.tenants["muenster"].sources["roadworks"].redact_answer("data", body)
    assert b"Muster" not in kept
    assert b"0251" not in kept


def test_roadworks_of_osnabrueck_last_from_day_to_day_by_the_wall_clock() -> None:
    body = features(
        {"type": "Point", "coordinates": [8.05, 52.28]},
        OBJECTID=12,
        STANDORT="Neumarkt",
        MERKMALKUR="Kanalbau",
        BEEINTRAEC="Vollsperrung",
        DATUMVON="01.07.2026",
        DATUMBIS="30.11.2026",
    )
    (event,) = stored("osnabrueck", "roadworks", body)["event"]
    assert event == {
        "event_id": "12",
        "event_type": "roadworks",
        "event_type_native": "Kanalbau",
        "title": "Neumarkt",
        "description": "Vollsperrung",
        "start_at": datetime(2026, 6, 30, 22, tzinfo=UTC),
        "end_at": datetime(2026, 11, 29, 23, tzinfo=UTC),
        "lon": 8.05,
        "lat": 52.28,
    }


def test_car_parks_of_jena_count_against_the_spaces_for_short_stays() -> None:
    body = b"""
        <d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" modelBaseVersion="2"><payloadPublication>
        <publicationTime>2026-08-22T03:55:00.000+02:00</publicationTime><parkingFacilityStatus>
        <parkingFacilityReference id="Neue Mitte" version="1"/>
        <totalNumberOfOccupiedParkingSpaces>150</totalNumberOfOccupiedParkingSpaces>
        <totalNumberOfVacantParkingSpaces>50</totalNumberOfVacantParkingSpaces>
        <totalParkingCapacityShortTermOverride>200</totalParkingCapacityShortTermOverride>
        <parkingFacilityStatusTime>2026-08-22T03:54:00.000+02:00</parkingFacilityStatusTime>
        </parkingFacilityStatus></payloadPublication></d2LogicalModel>
    """
    assert stored("jena", "parking_status", body)["parking_status"] == [
        {
            "site_id": "Neue Mitte",
            "observed_at": datetime(2026, 8, 22, 1, 54, tzinfo=UTC),
            "free": 50,
            "occupied": 150,
            "capacity": 200,
        }
    ]
