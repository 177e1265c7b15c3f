"""How much of a DuckDB file holds nothing, which decides whether it is written anew."""

from __future__ import annotations

import duckdb

# Bytes that are not worth giving back: each change frees some blocks, eight megabytes for a corrected day of thirty
# thousand rows, and the next one takes them.
_LITTLE = 16 << 20


def measure_waste(connection: duckdb.DuckDBPyConnection) -> float:
    """How much of the file holds nothing, from 0 to 1: free blocks, and deleted rows that its tables still have.

    Where that is little, it is nothing.
    """
    connection.execute("checkpoint")
    ((size, blocks, free),) = connection.execute(
        "select block_size, total_blocks, free_blocks from pragma_database_size()"
    ).fetchall()
    if blocks * size < _LITTLE:
        return 0.0
    # What DuckDB calls the estimated size is the rows that are stored, also those that are deleted.
    tables = "from duckdb_tables() where schema_name = 'main' and database_name = current_database()"
    found = connection.execute(f"select table_name, estimated_size {tables}").fetchall()
    stored = sum(int(rows) for _, rows in found)
    # Asked at once: a statement costs more than counting.
    counts = " union all ".join(f'select count(*) from "{name}"' for name, _ in found)  # noqa: S608
    held = sum(int(rows) for (rows,) in connection.execute(counts).fetchall()) if found else 0
    deleted = 1 - held / stored if stored else 0.0
    share = float(free / blocks + deleted * (1 - free / blocks))
    return share if share * blocks * size >= _LITTLE else 0.0
