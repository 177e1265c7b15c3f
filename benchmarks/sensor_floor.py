"""What a night of the sensors costs at least: pages fetched and decoded, and a table changed by key, written by hand.

Called as `python -m benchmarks.sensor_floor ADDRESS FILE FROM TO`. It keeps no bodies, no revisions and no quarantine,
checks nothing and publishes one table.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import httpx2
import msgspec
import polars as pl


def run(root: str, file: str, first: str, last: str) -> int:
    """Bring the days into the file; the number of rows that it has then."""
    zone = ZoneInfo("Europe/Berlin")
    start, end = (datetime.fromisoformat(day).replace(tzinfo=zone) for day in (first, last))
    utc = ZoneInfo("UTC")
    begin, after = (f"{at.astimezone(utc):%Y-%m-%dT%H:%M:%SZ}" for at in (start, end + timedelta(days=1)))
    filtered = f"$filter=phenomenonTime ge {begin} and phenomenonTime lt {after}&$top=10000"
    with httpx2.Client() as client:
        things = msgspec.json.decode(client.get(f"{root}/Things").content)["value"]
        streams = [stream["@iot.id"] for thing in things for stream in thing["Datastreams"]]

        def fetch(stream: int) -> pl.DataFrame:
            body = client.get(f"{root}/Datastreams({stream})/Observations?{filtered}").content
            rows = [row for part in msgspec.json.decode(body)["value"] for row in part["dataArray"]]
            at, value = [row[1] for row in rows], [row[3] for row in rows]
            return pl.DataFrame(
                {"observed_at": at, "value": value}, {"observed_at": pl.String, "value": pl.Float64}
            ).with_columns(stream=pl.lit(stream, pl.Int32))

        with ThreadPoolExecutor(8) as pool:
            found = pl.concat(list(pool.map(fetch, streams)))
    new = found.with_columns(pl.col("observed_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC"))
    with duckdb.connect(file) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            "create table if not exists observation (stream integer, observed_at timestamptz, value double)"
        )
        connection.register("new", new.to_arrow())
        connection.execute("begin")
        connection.execute(
            "delete from observation where observed_at >= ? and observed_at < ?", [begin, after]
        )
        connection.execute("insert into observation by name select * from new order by observed_at, stream")
        connection.execute("commit")
        (rows,) = connection.execute("select count(*) from observation").fetchone() or (0,)
    return int(rows)


if __name__ == "__main__":
    address, file, first, last = sys.argv[1:]
    print(run(address, file, first, last))
