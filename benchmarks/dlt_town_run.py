"""What a night costs with dlt and dbt: observations merged by key as Arrow tables, then `dbt build` of a small project.

Called as `python -m benchmarks.dlt_town_run ADDRESS FILE FROM TO`; an address that ends in `.csv` is a file of
observations, all others are SensorThings. It keeps no bodies and no revisions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import msgspec
import pyarrow as pa
import pyarrow.csv

_PROJECT = Path(__file__).parent / "dlt_town"
_AT = pa.timestamp("us", "UTC")


def _sensors(root: str, first: str, last: str) -> tuple[list[dict[str, Any]], Iterator[pa.Table]]:
    zone, utc = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
    start, end = (datetime.fromisoformat(day).replace(tzinfo=zone) for day in (first, last))
    begin, after = (f"{at.astimezone(utc):%Y-%m-%dT%H:%M:%SZ}" for at in (start, end + timedelta(days=1)))
    filtered = f"$filter=phenomenonTime ge {begin} and phenomenonTime lt {after}&$top=10000"
    client = httpx2.Client()
    things = msgspec.json.decode(client.get(f"{root}/Things").content)["value"]
    streams = [
        {
            "datastream_id": str(stream["@iot.id"]),
            "station_id": str(thing["@iot.id"]),
            "station_name": thing["name"],
            "name": stream["name"],
            "unit": stream["unitOfMeasurement"]["symbol"],
            "property": stream["ObservedProperty"]["name"],
            "lon": thing["Locations"][0]["location"]["coordinates"][0],
            "lat": thing["Locations"][0]["location"]["coordinates"][1],
        }
        for thing in things
        for stream in thing["Datastreams"]
    ]

    def fetch(stream: str) -> pa.Table:
        body = client.get(f"{root}/Datastreams({stream})/Observations?{filtered}").content
        rows = [row for part in msgspec.json.decode(body)["value"] for row in part["dataArray"]]
        at = pa.array([row[1].removesuffix("Z") for row in rows], pa.string()).cast(pa.timestamp("us"))
        values = pa.array([row[3] for row in rows], pa.float64())
        return pa.table(
            {"datastream_id": [stream] * len(rows), "phenomenon_time": at.cast(_AT), "result": values}
        )

    def pages() -> Iterator[pa.Table]:
        with ThreadPoolExecutor(8) as pool:
            yield pa.concat_tables(pool.map(fetch, [stream["datastream_id"] for stream in streams]))

    return streams, pages()


def _table(address: str, file: Path) -> tuple[list[dict[str, Any]], Iterator[pa.Table]]:
    with httpx2.stream("GET", address) as response, file.open("wb") as body:
        for part in response.iter_bytes(1 << 20):
            body.write(part)
    streams: dict[str, dict[str, Any]] = {}

    def parts() -> Iterator[pa.Table]:
        types = {"time": _AT, "id": pa.string(), "count": pa.float64()}
        options = pa.csv.ConvertOptions(column_types=types)
        reading = pa.csv.open_csv(file, pa.csv.ReadOptions(block_size=16 << 20), convert_options=options)
        for batch in reading:
            table = pa.table(batch).rename_columns(["phenomenon_time", "datastream_id", "result"])
            yield table.select(["datastream_id", "phenomenon_time", "result"])

    seen = pa.csv.open_csv(file, convert_options=pa.csv.ConvertOptions(include_columns=["id"]))
    for batch in seen:
        for value in batch.column(0).unique().to_pylist():
            streams[str(value)] = {
                "datastream_id": str(value), "station_id": "1", "station_name": "1", "name": str(value), "unit": "1",
                "property": "traffic.bicycle_count", "lon": 9.1, "lat": 50.1,
            }  # fmt: skip
    return [*streams.values()], parts()


def run(address: str, file: Path, first: str, last: str) -> None:
    """Bring the days into the file, and build the project on it."""
    home = file.parent / "dlt"
    home.mkdir(exist_ok=True)
    os.environ |= {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "DLT_DATA_DIR": str(home),
        "DLT_TOWN_FILE": str(file),
        "DLT_TOWN_TARGET": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
    }
    import dlt  # noqa: PLC0415 - slow to import, and only where it is measured

    given = _table(address, home / "body.csv") if address.endswith(".csv") else _sensors(address, first, last)
    pipeline = dlt.pipeline(
        "town", destination=dlt.destinations.duckdb(str(file)), dataset_name="landed", pipelines_dir=str(home)
    )
    key = ("datastream_id", "phenomenon_time")
    pipeline.run(
        [
            dlt.resource(given[0], name="datastreams", write_disposition="replace"),
            dlt.resource(given[1], name="observations", write_disposition="merge", primary_key=key),
        ]
    )
    del pipeline
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - likewise

    at = ["--project-dir", str(_PROJECT), "--profiles-dir", str(_PROJECT)]
    days = msgspec.json.encode({"first": first, "last": last}).decode()
    done = dbtRunner().invoke(["--quiet", "build", *at, "--vars", days])
    if not done.success:
        raise SystemExit(f"dbt build failed: {done.exception or done.result}")


if __name__ == "__main__":
    address, file, first, last = sys.argv[1:]
    run(address, Path(file), first, last)
