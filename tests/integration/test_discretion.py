"""Answers that hold secrets or personal data: of what is not mapped, nothing is anywhere after a whole night."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import zstandard

from tests.integration.conftest import Server, Workplace

TENANT = """
name: Karlsruhe
ags: "08212000"
bbox: [8.0, 48.5, 8.8, 49.3]
sources:
  car_parks:
    title: Parkhäuser
    connector: geojson
    licence: dl-de/by-2-0
    url: "{url}/karlsruhe.json"
    store: mapped
    record_type: parking_status
    fields:
      site_id: id
      name: parkhaus_name
      capacity: gesamte_parkplaetze
      free: freie_parkplaetze
    time: {{column: stand_freieparkplaetze, zone: offset}}
  bays:
    title: Stellplätze mit Sensoren
    connector: json
    licence: dl-de/by-2-0
    url: "{url}/devices.json"
    store: mapped
    record_type: parking_status
    records: body
    fields:
      site_id: id
      occupied: last.parking.occupied
      lon: location.coordinates[0]
      lat: location.coordinates[1]
    constants: {{capacity: "1"}}
    time: {{column: last.at, zone: offset}}
  permits:
    title: Ausweise
    connector: csv
    licence: dl-de/by-2-0
    url: "{url}/permits.csv"
    store: mapped
    record_type: parking_site
    delimiter: ";"
    header: [Nr, Plätze]
    fields: {{site_id: Nr, capacity: Plätze}}
"""
KEYS = ("c3VwZXItc2VjcmV0LWFwcA", "7A9F00D5E2B14C6688DEADBEEF001122", "deveui-owner-4711")
DEVICES = {
    "ok": True,
    "token": KEYS[2],
    "body": [
        {
            "id": f"bay-{n}",
            "location": {"type": "Point", "coordinates": [8.4, 49.0], "note": KEYS[2]},
            "interfaces": [{"opts": {"app_session_key": KEYS[0], "device_key": KEYS[1]}}],
            "last": {"at": "2026-08-21T10:00:00Z", "parking": {"occupied": occupied}, "device_key": KEYS[1]},
        }
        for n, occupied in enumerate([1, 0, "secret-in-quarantine", 1])
    ],
}
PERMITS = "Stand: Amtsleitung-0815;;\nNr;Inhaberin;Plätze\n7;Privatperson-4711;2\n8;Privatperson-4712;3;Zusatz-4713\n"


def texts(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """The bytes of all files below the folder; compressed ones as what they hold."""
    for file in folder.rglob("*"):
        if file.is_file():
            body = file.read_bytes()
            yield file, body
            if file.suffix == ".zst":
                yield file, zstandard.ZstdDecompressor().decompress(body)
            elif file.suffix == ".parquet":
                yield (
                    file,
                    json.dumps(pl.read_parquet(file).cast(pl.String).to_dicts(), ensure_ascii=False).encode(),
                )


def unmapped(document: Any, mapped: set[str]) -> set[str]:
    """Texts that stand in members of other names, and in none of those."""
    features = [feature["properties"] for feature in document["features"]]
    named = " ".join(str(value) for feature in features for key, value in feature.items() if key in mapped)
    other = {str(value) for feature in features for key, value in feature.items() if key not in mapped}
    return {text for text in other if len(text) > 7 and text not in named}


def test_nothing_but_what_is_mapped_is_stored(workplace: Workplace, town: Server, payloads: Path) -> None:
    recorded = (payloads / "parking" / "karlsruhe.json").read_bytes()
    town.pages["/karlsruhe.json"] = recorded
    town.pages["/devices.json"] = json.dumps(DEVICES).encode()
    town.pages["/permits.csv"] = PERMITS.encode()
    workplace.write_tenant("karlsruhe", TENANT.format(url=town.url))
    outcome = workplace.run("karlsruhe")
    assert outcome.errors == []

    secrets = unmapped(
        json.loads(recorded),
        {"id", "parkhaus_name", "gesamte_parkplaetze", "freie_parkplaetze", "stand_freieparkplaetze"},
    )
    assert "+49 222 9353190" in secrets
    assert len(secrets) > 200
    secrets |= {
        *KEYS,
        "Amtsleitung-0815",
        "Privatperson-4711",
        "Privatperson-4712",
        "Zusatz-4713",
        "Inhaberin",
    }
    found, seen = set[tuple[str, str]](), 0
    for file, body in texts(workplace.folder):
        seen += b"Badner Halle" in body or b"bay-1" in body
        found |= {(str(file), secret) for secret in secrets if secret.encode() in body}
    assert found == set()
    assert seen > 4, "what is mapped is found in landing and in the records"

    statuses = workplace.ask(
        "karlsruhe",
        "select site_id, capacity, free from parking_status where source = 'car_parks' order by site_id::int limit 2",
    )
    assert statuses == [("1", 59, 16), ("2", 320, 245)]
    bays = "select site_id, occupied from parking_status where source = 'bays' order by 1"
    assert workplace.ask("karlsruhe", bays) == [("bay-0", 1), ("bay-1", 0), ("bay-3", 1)]
    rejected = "select source, rule, count(*) from rejected_record group by all order by all"
    assert workplace.ask("karlsruhe", rejected) == [
        ("bays", "not_an_integer", 1),
        ("car_parks", "position_is_outside", 1),
        ("car_parks", "time_is_missing", 1),
        ("permits", "too_many_cells", 1),
    ]
