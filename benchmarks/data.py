"""Synthetic payloads of a chosen size, in the shapes that publishers use.

Values repeat with a pattern; nothing here is measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import polars as pl

FEATURES = 200_000
CHANNELS = 100
ROWS = 10_000
START = datetime(2025, 1, 1, tzinfo=UTC)
OBSERVATIONS = CHANNELS * ROWS


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


NAMES = ("id", "phenomenonTime", "resultTime", "result")


def observation_rows(channel: int, *, compact: bool) -> Iterator[object]:
    """The observations of one datastream as SensorThings writes them: objects, or the rows of a data array."""
    for n in range(ROWS):
        row = (
            channel * ROWS + n,
            f"{START + timedelta(minutes=15 * n):%Y-%m-%dT%H:%M:%SZ}",
            f"{START + timedelta(minutes=15 * n + 1):%Y-%m-%dT%H:%M:%SZ}",
            n * (channel + 3) % 970 / 10,
        )
        yield row if compact else {"@iot.id" if k == "id" else k: v for k, v in zip(NAMES, row, strict=True)}


def observation_pages(*, compact: bool, page: int = 1000) -> Iterator[tuple[str, bytes]]:
    """A million SensorThings observations of 100 datastreams, page by page: datastream and body."""
    for channel in range(CHANNELS):
        for rows in batched(observation_rows(channel, compact=compact), page):
            value: list[object] = [*rows]
            if compact:
                value = [{"components": NAMES, "dataArray@iot.count": len(rows), "dataArray": rows}]
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


def batched(rows: Iterator[object], size: int) -> Iterator[tuple[object, ...]]:
    """Groups of so many rows, the last one of what is left."""
    while group := tuple(islice(rows, size)):
        yield group
