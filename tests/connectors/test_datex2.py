"""DATEX II parking: the recorded table and status of Aachen, the older extension, and hostile XML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.errors import ReadError

Rows = Callable[[bytes], dict[str, list[dict[str, Any]]]]

OLDER = b"""<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" modelBaseVersion="2"><payloadPublication>
<publicationTime>2026-07-30T10:00:00+02:00</publicationTime><genericPublicationExtension>
<parkingFacilityTableStatusPublication>
<parkingFacility id="A"><parkingFacilityName><values><value lang="de">Altstadt</value></values></parkingFacilityName>
<totalParkingCapacity>90</totalParkingCapacity></parkingFacility>
<parkingFacilityStatus><parkingFacilityReference id="A"/>
<parkingFacilityStatus>closed</parkingFacilityStatus>
<totalNumberOfVacantParkingSpaces>12</totalNumberOfVacantParkingSpaces></parkingFacilityStatus>
</parkingFacilityTableStatusPublication></genericPublicationExtension></payloadPublication></d2LogicalModel>"""


@pytest.fixture
def rows(source: Callable[..., Any], records: Callable[..., Any]) -> Rows:
    """Records of a document in Aachen."""
    found: Rows = partial(records, source("datex2"), box=(5.97, 50.66, 6.22, 50.86))
    return found


def test_the_recorded_table_of_aachen(rows: Rows, payloads: Path) -> None:
    sites = rows((payloads / "datex2" / "aachen-static.xml").read_bytes())["parking_site"]
    assert sites[0] == {
        "site_id": "P1",
        "name": "P01-Eurogress",
        "site_type": "car_park",
        "site_type_native": "multiStorey, offStreetParking",
        "capacity": 560,
        "lon": 6.0927987,
        "lat": 50.780552,
    }
    assert len(sites) == len({site["site_id"] for site in sites}) == 17
    assert sum(site.get("capacity", 0) for site in sites) == 6641
    assert Counter(site["site_type"] for site in sites) == {"car_park": 17}
    assert {site["site_id"] for site in sites if "capacity" not in site} == {"P13", "P17"}


def test_the_recorded_status_of_aachen(rows: Rows, payloads: Path) -> None:
    states = rows((payloads / "datex2" / "aachen-realtime.xml").read_bytes())["parking_status"]
    assert states[0] == {
        "site_id": "P1",
        "observed_at": datetime(2025, 2, 7, 19, 5, 34, 176000, tzinfo=UTC),
        "free": 412,
        "occupied": 148,
        "capacity": 560,
        "opening_status": "open",
        "opening_status_native": "open",
    }
    assert len({state["site_id"] for state in states}) == len(states)
    assert all(state["observed_at"].tzinfo for state in states)


def test_the_older_extension_without_prefixes_and_without_a_time_of_its_own(rows: Rows) -> None:
    found = rows(OLDER)
    assert found["parking_site"] == [{"site_id": "A", "name": "Altstadt", "capacity": 90}]
    assert found["parking_status"] == [
        {
            "site_id": "A",
            "observed_at": datetime(2026, 7, 30, 8, tzinfo=UTC),
            "free": 12,
            "opening_status": "closed",
            "opening_status_native": "closed",
        }
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE d [<!ENTITY a "b">]><d2LogicalModel><parkingRecord id="&a;"/></d2LogicalModel>',
        b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/hostname">]><d2LogicalModel>&a;</d2LogicalModel>',
        b'<!DOCTYPE d SYSTEM "http://127.0.0.1:9/d.dtd"><d2LogicalModel/>',
    ],
    ids=["entity", "file", "document type"],
)
def test_entities_and_external_references_are_refused(rows: Rows, body: bytes) -> None:
    with pytest.raises(ReadError, match="is no XML that can be trusted"):
        rows(body)


def test_what_is_not_a_parking_publication_is_an_error(rows: Rows) -> None:
    with pytest.raises(ReadError, match="is messageContainer, not the d2LogicalModel"):
        rows(b"<messageContainer/>")
    with pytest.raises(ReadError, match="neither a parking table nor a parking status"):
        rows(b"<d2LogicalModel><situation/></d2LogicalModel>")
