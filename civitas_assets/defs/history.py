"""What Dagster remembers of one tenant: its runs with their events and captured output, counted and forgotten.

Runs of several tenants stay; of them, the events and checks of the one tenant go.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.tags import PARTITION_NAME_TAG

from civitas_assets.errors import StoreError
from civitas_assets.lifecycle.parts import Part, Size


def history_part(instance: dg.DagsterInstance, tenant: str) -> Part:
    """Dagster's memory of the tenant."""
    return Part("history", lambda: _measure(instance, tenant), lambda: _forget(instance, tenant))


def _measure(instance: dg.DagsterInstance, tenant: str) -> Size:
    storage = instance.event_log_storage
    rows = len(_runs(instance, tenant))
    if isinstance(storage, SqlEventLogStorage):
        with storage.index_connection() as connection:
            for table in (SqlEventLogStorageTable, AssetCheckExecutionsTable):
                counted = sa.select(sa.func.count()).select_from(table).where(table.c.partition == tenant)
                rows += int(connection.execute(counted).scalar() or 0)
    return Size(rows=rows)


def _forget(instance: dg.DagsterInstance, tenant: str) -> None:
    storage = instance.event_log_storage
    runs = _runs(instance, tenant)
    under_way = [
        run.run_id
        for run in instance.get_runs(dg.RunsFilter(tags={PARTITION_NAME_TAG: tenant}))
        if run.status in (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
    ]
    if under_way:
        raise StoreError(
            f"run {under_way[0]} of {tenant} is under way; end it in Dagster, and call this again"
        )
    for run_id in runs:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        if isinstance(storage, SqliteEventLogStorage):
            # The run's own database is empty now, but would still hold what was deleted from it.
            for suffix in ("", "-wal", "-shm"):
                Path(storage.path_for_shard(run_id) + suffix).unlink(missing_ok=True)
    if isinstance(storage, SqlEventLogStorage):
        with storage.index_connection() as connection:
            for table in (AssetCheckExecutionsTable, SqlEventLogStorageTable):
                connection.execute(sa.delete(table).where(table.c.partition == tenant))


def _runs(instance: dg.DagsterInstance, tenant: str) -> Sequence[str]:
    return instance.get_run_ids(dg.RunsFilter(tags={PARTITION_NAME_TAG: tenant}))
