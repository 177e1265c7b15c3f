"""How many threads of DuckDB work on a run's rows."""

from __future__ import annotations

import duckdb

# DuckDB shares work by groups of 122,880 rows. Of fewer than two there is nothing to share, and threads that wait for
# each other cost half as much again as the work of one.
_SHARED_FROM = 250_000


def limit_threads(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Have one thread work on so many rows, where others would only wait for it."""
    if rows < _SHARED_FROM:
        connection.execute("set threads = 1")
