"""What Dagster remembers of one tenant: its runs with their events and captured output, counted and forgotten.

Runs of several tenants stay; of them, the events and checks of the one tenant go.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
import sqlalchemy as sa

from civitas_assets.defs.dagster_internals import (
    PARTITION_NAME_TAG,
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorage,
    SqlEventLogStorageTable,
)
from civitas_assets.defs.purge import compact_storage, remove_run_file
from civitas_assets.errors import StoreError
from civitas_assets.lifecycle.parts import Part, Size


def build_history_part(instance: dg.DagsterInstance, tenant: str) -> Part:
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
    forget_runs(instance, runs)
    if isinstance(storage, SqlEventLogStorage):
        with storage.index_connection() as connection:
            for table in (AssetCheckExecutionsTable, SqlEventLogStorageTable):
                connection.execute(sa.delete(table).where(table.c.partition == tenant))
            _tell_otherwise(connection, tenant)
    compact_storage(storage)


def _tell_otherwise(connection: sa.Connection, tenant: str) -> None:
    """What Dagster keeps of an asset as a whole is of its last event, whosever that was: then it is another one."""
    assets, events = AssetKeyTable.c, SqlEventLogStorageTable.c
    told = [
        sa.cast(column, sa.Text).contains(f'"{tenant}"', autoescape=True)
        for column in (assets.last_materialization, assets.cached_status_data)
    ]
    for (key,) in connection.execute(sa.select(assets.asset_key).where(sa.or_(*told))).fetchall():
        made = (events.asset_key == key) & (events.dagster_event_type == "ASSET_MATERIALIZATION")
        last = connection.execute(
            sa.select(events.event, events.run_id, events.timestamp)
            .where(made)
            .order_by(events.id.desc())
            .limit(1)
        ).fetchone()
        event, run_id, at = last or (None, None, None)
        values = {
            "last_materialization": event,
            "last_run_id": run_id,
            "last_materialization_timestamp": at,
            "cached_status_data": None,
        }
        connection.execute(sa.update(AssetKeyTable).where(assets.asset_key == key).values(values))


def forget_runs(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> None:
    """Remove runs with their events and captured output."""
    for run_id in run_ids:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        remove_run_file(instance.event_log_storage, run_id)


def _runs(instance: dg.DagsterInstance, tenant: str) -> Sequence[str]:
    return instance.get_run_ids(dg.RunsFilter(tags={PARTITION_NAME_TAG: tenant}))
