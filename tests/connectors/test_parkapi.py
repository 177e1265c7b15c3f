"""Parking as parkapi-sources reads it, which nobody here wrote: what both can read of an answer is the same in both."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.conftest import MakeSource, ReadRecords

VERSION = "0.24.0"
READER = """
import json, sys
from unittest.mock import Mock
from lxml import etree
from parkapi_sources import ParkAPISources

name, kind = sys.argv[1:]
body = sys.stdin.buffer.read()
converter = ParkAPISources(config={}, converter_uids=[name]).converter_by_uid[name]
converter.request_get = lambda *_, **__: Mock(json=lambda: json.loads(body))
if body.lstrip()[:1] == b"<":
    found, _ = getattr(converter, f"_handle_{kind}_xml_data")(etree.fromstring(body))
else:
    found, _ = getattr(converter, f"get_{kind}_parking_sites")()
print(json.dumps([site.to_dict() for site in found], default=str))
"""
GEOJSON = {
    "karlsruhe": {
        "static": {"site_id": "id", "name": "parkhaus_name", "capacity": "gesamte_parkplaetze"},
        "realtime": {"site_id": "id", "free": "freie_parkplaetze", "capacity": "gesamte_parkplaetze"},
    },
    "freiburg": {"realtime": {"site_id": "obs_parkid", "free": "obs_free", "capacity": "obs_max"}},
}
TIMES = {
    "karlsruhe": {"column": "stand_freieparkplaetze", "zone": "offset"},
    "freiburg": {"column": "obs_ts", "zone": "local_wall", "format": "%Y-%m-%d %H:%M:%S"},
}
Read = Callable[[str, str, bytes], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def parkapi(oracle: Callable[[str, str], Path]) -> Read:
    """Reads a body as the converter of a town does."""
    python = oracle("parkapi-sources", VERSION)

    def read(name: str, kind: str, body: bytes) -> list[dict[str, Any]]:
        command = [str(python), "-c", READER, name, kind]
        done = subprocess.run(command, input=body, check=True, capture_output=True, timeout=60)
        found: list[dict[str, Any]] = json.loads(done.stdout)
        assert found, "the oracle reads nothing of it"
        return found

    return read


def sites_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Sites of the oracle as this project's fields, to the metre."""
    return {
        site["uid"]: (
            site["name"],
            site["capacity"],
            round(float(site["lon"]), 5),
            round(float(site["lat"]), 5),
        )
        for site in found
    }


def states_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Statuses of the oracle, which cuts times to the second."""
    return {
        site["uid"]: (
            site["realtime_free_capacity"],
            site["realtime_capacity"],
            site["realtime_data_updated_at"][:19],
        )
        for site in found
    }


def ours(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What this project reads, in the same form."""
    sites = {
        row["site_id"]: (row.get("name"), row.get("capacity"), round(row["lon"], 5), round(row["lat"], 5))
        for row in found.get("parking_site", [])
    }
    states = {
        row["site_id"]: (row.get("free"), row.get("capacity"), f"{row['observed_at']:%Y-%m-%d %H:%M:%S}")
        for row in found.get("parking_status", [])
    }
    return sites or states


@pytest.mark.parametrize("kind", ["static", "realtime"])
def test_datex_of_aachen_is_read_alike(
    parkapi: Read, payloads: Path, source: MakeSource, records: ReadRecords, kind: str
) -> None:
    body = (payloads / "datex2" / f"aachen-{kind}.xml").read_bytes()
    told = (sites_of if kind == "static" else states_of)(parkapi("aachen", kind, body))
    read = ours(records(source("datex2"), body))
    assert {name: read[name] for name in told} == told
    assert {name: row[1] for name, row in read.items() if name not in told} in (
        {},
        {"P13": None, "P17": None},
    )


@pytest.mark.parametrize(
    ("town", "kind"), [(town, kind) for town, kinds in GEOJSON.items() for kind in kinds]
)
def test_geojson_of_towns_is_read_alike(  # noqa: PLR0917 - each argument is of another type
    parkapi: Read, payloads: Path, source: MakeSource, records: ReadRecords, town: str, kind: str
) -> None:
    body = (payloads / "parking" / f"{town}.json").read_bytes()
    told = (sites_of if kind == "static" else states_of)(parkapi(town, kind, body))
    settings: dict[str, Any] = {
        "record_type": "parking_site",
        "fields": GEOJSON[town][kind],
        "ignore": (".*",),
    }
    if kind == "realtime":
        settings |= {"record_type": "parking_status", "time": TIMES[town]}
    document = json.loads(body)
    wanted = {GEOJSON[town][kind]["site_id"]: {*told}}
    document["features"] = [
        feature
        for feature in document["features"]
        if all(str(feature["properties"][name]) in names for name, names in wanted.items())
    ]
    read = ours(records(source("geojson", **settings), json.dumps(document).encode()))
    assert read == told
