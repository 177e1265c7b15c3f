"""What a run has made is given in the order in which a table takes it."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

from civitas_assets.publish.workspace_reader import WorkspaceRows

FIRST = date(2026, 6, 1)


def test_rows_of_some_days_are_in_order_however_many_threads_look_for_them() -> None:
    days = [FIRST + timedelta(days=number) for number in range(30)]
    with duckdb.connect() as connection:
        connection.execute("set threads = 4")
        connection.execute(
            "create table made as select date '2026-06-01' + (i % 31)::integer as day, i % 997 as thing, i as value"
            " from range(500000) as t(i)"
        )
        rows = WorkspaceRows(connection, "select * from made", days, ("day", "thing", "value"))
        found = rows.read(days).read_all()
        assert found.num_rows > 480_000
        assert found.equals(found.sort_by([(name, "ascending") for name in rows.order]))
