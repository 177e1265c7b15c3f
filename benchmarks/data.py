"""Synthetic payloads of a chosen size, in the shapes that publishers use, and the sources that they come from.

Values repeat with a pattern; nothing here is measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl

FEATURES = 200_000
CHANNELS = 100
ROWS = 10_000
START = datetime(2025, 1, 1, tzinfo=UTC)
OBSERVATIONS = CHANNELS * ROWS

TENANT = """
name: Messstadt
ags: "99000097"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  counters:
    title: Counters
    connector: csv
    licence: CC0-1.0
    url: "http://127.0.0.1:{port}/counter.csv"
    http: {{requests_per_second: 200}}
    record_type: observation
    time:
      column: Datetime
      format: "%Y-%m-%d %H:%M"
      zone: local_wall
      fold: summed
      stamp: interval_start
      interval: 15 min
    unpivot: {{columns: '(?P<datastream_id>\\d+) \\((?P<datastream_name>.+)\\)'}}
    constants: {{station_id: "1000", observed_property: traffic.bicycle_count, unit: "1"}}
  sensors:
    title: Sensors
    connector: sensorthings
    licence: CC0-1.0
    url: "http://127.0.0.1:{port}/v1.1"
    http: {{requests_per_second: 200}}
"""

PLACES = """
  places:
    title: Places
    connector: geojson
    licence: CC0-1.0
    url: "http://127.0.0.1:{port}/places.geojson"
    record_type: parking_site
    feature_id: site_id
    fields:
      name: bezeichnung
      capacity: plaetze
      site_type: art
      address: adresse.strasse
      operator: betreiber
      has_fee: gebuehr
    codes:
      site_type: {{Parkhaus: car_park, Parkplatz: off_street, Tiefgarage: underground}}
    ignore: [nr, adresse.ort, stand, hoehe, bemerkung]
"""


def counter_csv() -> bytes:
    """A million counts: 10,000 quarters of an hour (104 days) in 100 channels, in wall-clock time of Berlin."""
    wall = pl.datetime_range(
        START, START + timedelta(minutes=15 * (ROWS + 7)), "15m", eager=True, time_zone="UTC"
    ).dt.convert_time_zone("Europe/Berlin")
    times = wall.dt.strftime("%Y-%m-%d %H:%M").unique(maintain_order=True)[:ROWS]
    columns = {"Datetime": times}
    for channel in range(CHANNELS):
        column = (pl.int_range(ROWS, eager=True) * (channel + 3) % 97).cast(pl.String)
        columns[f"{1000 + channel} (Kanal {channel})"] = column
    return pl.DataFrame(columns).write_csv().encode()


def observation_pages(*, compact: bool, page: int = 1000) -> Iterator[tuple[str, bytes]]:
    """A million SensorThings observations of 100 datastreams, page by page: datastream and body."""
    for channel in range(CHANNELS):
        for first in range(0, ROWS, page):
            rows = [
                (
                    channel * ROWS + n,
                    f"{START + timedelta(minutes=15 * n):%Y-%m-%dT%H:%M:%SZ}",
                    f"{START + timedelta(minutes=15 * n + 1):%Y-%m-%dT%H:%M:%SZ}",
                    n * (channel + 3) % 970 / 10,
                )
                for n in range(first, min(first + page, ROWS))
            ]
            names = ("id", "phenomenonTime", "resultTime", "result")
            if compact:
                value: list[object] = [
                    {"components": names, "dataArray@iot.count": len(rows), "dataArray": rows}
                ]
            else:
                value = [
                    {"@iot.id" if k == "id" else k: v for k, v in zip(names, row, strict=True)}
                    for row in rows
                ]
            yield f"{1000 + channel}", json.dumps({"value": value}).encode()


def feature_collection() -> bytes:
    """200,000 places with ten properties each, and their positions."""
    features = [
        {
            "type": "Feature",
            "id": f"site.{n}",
            "geometry": {"type": "Point", "coordinates": [9 + n % 997 / 5000, 50 + n % 991 / 5000]},
            "properties": {
                "nr": f"{n:06}",
                "bezeichnung": f"Stellplatz {n}",
                "plaetze": n % 320,
                "art": ("Parkplatz", "Parkhaus", "Tiefgarage")[n % 3],
                "adresse": {"strasse": f"Hauptstraße {n % 211}", "ort": "Messstadt"},
                "betreiber": "Stadtwerke Messstadt" if n % 7 else None,
                "gebuehr": n % 2 == 0,
                "stand": "2026-07-31T23:00:00Z",
                "hoehe": 2.05,
                "bemerkung": None,
            },
        }
        for n in range(FEATURES)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode()
