from __future__ import annotations

import duckdb
import pytest

from civitas_assets.harmonise.threads import limit_threads


@pytest.mark.parametrize(("rows", "threads"), [(0, 1), (28_800, 1), (1_000_000, 2)])
def test_few_rows_are_the_work_of_one_thread(rows: int, threads: int) -> None:
    with duckdb.connect(config={"threads": 2}) as connection:
        limit_threads(connection, rows)
        assert connection.execute("select current_setting('threads')").fetchall() == [(threads,)]
