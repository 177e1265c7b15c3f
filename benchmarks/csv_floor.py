"""What a large file of observations costs at least: received to disk, read and written to a table in order, by DuckDB.

Called as `python -m benchmarks.csv_floor ADDRESS FILE FROM TO`; it checks nothing and keeps no revisions.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import httpx2


def run(address: str, file: Path) -> int:
    """Bring the file at the address into the database; the number of its rows."""
    body = file.with_suffix(".csv")
    with httpx2.stream("GET", address) as response, body.open("wb") as kept:
        for part in response.iter_bytes(1 << 20):
            kept.write(part)
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        types = "{'time': 'timestamptz', 'id': 'varchar', 'count': 'double'}"
        table = (
            "create or replace table observation as select id as stream, time as observed_at, count as value"
        )
        connection.execute(f"{table} from read_csv(?, columns = {types}) order by time, id", [str(body)])
        (rows,) = connection.execute("select count(*) from observation").fetchone() or (0,)
    return int(rows)


if __name__ == "__main__":
    print(run(sys.argv[1], Path(sys.argv[2])))
