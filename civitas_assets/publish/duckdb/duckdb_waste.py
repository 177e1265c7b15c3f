"""How much of a DuckDB file holds nothing, which decides whether it is written anew."""

from __future__ import annotations

import duckdb

# Bytes that are not worth giving back: each change frees some blocks, eight megabytes for a corrected day of thirty
# thousand rows, and the next one takes them.
_LITTLE = 16 << 20


def measure_waste(connection: duckdb.DuckDBPyConnection) -> float:
    """How much of the file holds nothing, from 0 to 1: free blocks, and rows deleted from tables of days.

    Where that is little, it is nothing.
    """
    connection.execute("checkpoint")
    ((size, blocks, free),) = connection.execute(
        "select block_size, total_blocks, free_blocks from pragma_database_size()"
    ).fetchall()
    if blocks * size < _LITTLE:
        return 0.0
    stored = held = 0
    by_day = "select table_name from duckdb_columns() where schema_name = 'main' and column_name = 'day'"
    for (name,) in connection.execute(by_day).fetchall():
        segments = "pragma_storage_info(?) where column_id = 0 and segment_type <> 'VALIDITY'"
        ((rows,),) = connection.execute(f"select coalesce(sum(count), 0) from {segments}", [name]).fetchall()  # noqa: S608
        stored, held = stored + int(rows), held + _count(connection, name)
    deleted = 1 - held / stored if stored else 0.0
    share = float(free / blocks + deleted * (1 - free / blocks))
    return share if share * blocks * size >= _LITTLE else 0.0


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    ((rows,),) = connection.execute(f'select count(*) from "{table}"').fetchall()  # noqa: S608
    return int(rows)
