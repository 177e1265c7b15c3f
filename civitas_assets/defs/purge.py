"""What Dagster remembers of old runs is removed; its open-source edition keeps everything for ever.

What the UI shows as the present state stays: the runs that made, observed or checked each asset of each tenant last.
How old data of tenants goes is no matter of this module.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import dagster as dg
import sqlalchemy as sa

from civitas_assets.defs.dagster_internals import (
    FINISHED_STATUSES,
    AssetCheckExecutionsTable,
    SqlEventLogStorage,
    SqlEventLogStorageTable,
    SqliteEventLogStorage,
)

log = logging.getLogger("civitas_assets.maintenance")

_BATCH = 200
_WORTH_IT = 0.2  # a file is compacted where at least this share of it is free
_BUSY_TIMEOUT = 30.0  # seconds that a compaction waits for others to finish writing
_ASSET_EVENTS = (dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_OBSERVATION)


_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Purge:
    """What was removed, or would be: runs, and bytes of files; `kept` are old runs that are a present state."""

    runs: int
    kept: int
    freed: int = 0


def delete_history(
    instance: dg.DagsterInstance,
    before: datetime,
    *,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Purge:
    """Remove runs that ended and were created before the time, with their events, checks and captured output.

    It may be interrupted, and goes on where it was when it is called again.
    """
    old = instance.get_run_ids(dg.RunsFilter(statuses=FINISHED_STATUSES, created_before=before))
    current = _current(instance)
    going = [run_id for run_id in old if run_id not in current]
    if dry_run or not going:
        return Purge(len(going), len(old) - len(going))
    freed = 0
    for done, batch in _batches(going):
        for run_id in batch:
            instance.delete_run(run_id)
            instance.compute_log_manager.delete_logs(prefix=[run_id])
            freed += remove_run_file(instance.event_log_storage, run_id)
        _delete_checks(instance.event_log_storage, batch)
        progress(done, len(going))
    freed += sum(_compacted(file) for file in _databases(instance.event_log_storage))
    return Purge(len(going), len(old) - len(going), freed)


def _current(instance: dg.DagsterInstance) -> set[str]:
    """The runs that what the UI shows of assets, partitions and checks comes from."""
    storage = instance.event_log_storage
    records = instance.get_asset_records()
    found = {record.asset_entry.last_run_id for record in records if record.asset_entry.last_run_id}
    if not isinstance(storage, SqlEventLogStorage):
        return found
    latest = {
        number
        for record in records
        for event_type in _ASSET_EVENTS
        for number in storage.get_latest_storage_id_by_partition(
            record.asset_entry.asset_key, event_type
        ).values()
    }
    events, checks = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    newest = sa.select(sa.func.max(checks.id)).group_by(checks.asset_key, checks.check_name, checks.partition)
    with storage.index_connection() as connection:
        for _, batch in _batches(sorted(latest)):
            found.update(connection.scalars(sa.select(events.run_id).where(events.id.in_(batch))))
        found.update(connection.scalars(sa.select(checks.run_id).where(checks.id.in_(newest))))
    return found


def _delete_checks(storage: object, run_ids: Sequence[str]) -> None:
    """Dagster itself leaves the results of checks behind when it deletes a run."""
    if isinstance(storage, SqlEventLogStorage):
        checks = AssetCheckExecutionsTable
        with storage.index_connection() as connection:
            connection.execute(checks.delete().where(checks.c.run_id.in_(run_ids)))


def remove_run_file(storage: object, run_id: str) -> int:
    """The file of its own that Dagster's SQLite storage gives a run, which deleting its events only empties; its bytes.

    `LocalHistory` has one for all runs, but for those of older versions.
    """
    if not isinstance(storage, SqliteEventLogStorage):
        return 0
    shard = Path(storage.path_for_shard("index")).with_name(f"{run_id}.db")
    freed = 0
    for file in (shard, shard.with_name(f"{shard.name}-wal"), shard.with_name(f"{shard.name}-shm")):
        if file.exists():
            freed += file.stat().st_size
            file.unlink()
    return freed


def _databases(storage: object) -> Iterator[Path]:
    """The SQLite files that hold all runs; PostgreSQL makes room for what is new by itself."""
    if isinstance(storage, SqliteEventLogStorage):
        index = Path(storage.path_for_shard("index"))
        yield from (file for file in (index, index.parent.parent / "runs.db") if file.exists())


def compact_storage(storage: object) -> None:
    """Leave nothing of what was deleted in the files that hold all runs."""
    for file in _databases(storage):
        _compacted(file, worth_it=0.0)


def _compacted(file: Path, worth_it: float = _WORTH_IT) -> int:
    """Give the free part of the file back; its bytes. Where others write all the time it is left for the next time."""
    before = file.stat().st_size
    with closing(sqlite3.connect(file, timeout=_BUSY_TIMEOUT, isolation_level=None)) as connection:
        pages, free = (
            connection.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count")
        )
        if free < pages * worth_it:
            return 0
        try:
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.OperationalError as error:
            log.info("%s is not compacted this time: %s", file.name, error)
            return 0
    return before - file.stat().st_size


def _batches(items: Sequence[_Item]) -> Iterator[tuple[int, Sequence[_Item]]]:
    for start in range(0, len(items), _BATCH):
        batch = items[start : start + _BATCH]
        yield start + len(batch), batch
