"""The history that several machines share asks over one connection, which is replaced when the server has ended it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import psycopg

from testbed.history import history
from testbed.machine import until


@dg.job
def job() -> None:
    """Nothing."""


def test_a_connection_stays_open_is_replaced_when_it_is_gone_and_is_closed_in_the_end(
    postgres_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as watching:

        def processes() -> list[int]:
            """Of the server, for whoever else is connected."""
            found = watching.execute(
                "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            )
            return [pid for (pid,) in found.fetchall()]

        with history(tmp_path, postgres_url) as kept:
            run = kept.instance.create_run_for_job(job)

            def tell(number: int) -> None:
                made = dg.AssetMaterialization(["a", str(number)], partition="town")
                kept.instance.report_runless_asset_event(made)

            tell(1)
            assert kept.instance.get_run_by_id(run.run_id)
            until(lambda: len(processes()) == 1 or None)  # those are gone that looked for tables
            before = processes()
            tell(2)
            kept.instance.all_instigator_state()
            assert kept.instance.get_run_by_id(run.run_id)
            assert processes() == before
            watching.execute("select pg_terminate_backend(%s, 10000)", before)
            tell(3)
            assert len(kept.instance.all_asset_keys()) == 3
            (replaced,) = processes()
            assert [replaced] != before
        until(lambda: not processes() or None)
