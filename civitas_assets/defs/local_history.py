"""Dagster's history on one machine: the same SQLite files as by default, but kept open.

By default every event opens its run's file and the index, and closes both: a run of some four hundred events spends
seconds on that. Several machines share a PostgreSQL database instead, see `deploy/dagster-postgres.yaml`.

Where the operator lets the group write in the instance's folder, all that is made in it is the group's, too: webserver,
daemon and code location then have accounts of their own, whatever their umask.
"""

from __future__ import annotations

import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster import DagsterEventType, StringSource
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.compute_log_manager import CapturedLogSubscription
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from civitas_assets.settings import take_events_in_batches

_GROUP = 0o060
_OF_ASSETS = {
    DagsterEventType.ASSET_CHECK_EVALUATION,
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_OBSERVATION,
}
_KEPT = 4  # files of runs; a run's process writes one, and the daemon begins one after the other


class LocalHistory(DagsterSqliteStorage):
    """What `dagster.yaml` names as `storage`; `base_dir` is the instance's folder."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = OpenEventLog(str(Path(base_dir, "history", "runs")))
        for folder in ("history", "history/runs", "schedules"):
            _share(Path(base_dir, folder))
            for file in Path(base_dir, folder).glob("*.db"):
                _share(file)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> LocalHistory:
        """See `ConfigurableClass`."""
        return cls.from_local(inst_data=inst_data, **config_value)


class LocalLogs(LocalComputeLogManager):
    """What `dagster.yaml` names as `compute_logs`: what runs print, below the instance's folder."""

    @classmethod
    def config_type(cls) -> Any:
        """The instance's folder."""
        return {"base_dir": StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> LocalLogs:
        """See `ConfigurableClass`."""
        folder = Path(config_value["base_dir"], "storage")
        folder.mkdir(parents=True, exist_ok=True)
        _share(folder)
        return cls(str(folder), inst_data=inst_data)

    def subscribe(self, log_key: Sequence[str], cursor: str | None = None) -> CapturedLogSubscription:
        """Whoever looks at a run before it prints makes the folder that the run prints into."""
        folder = Path(self.get_captured_local_path(log_key, "err")).parent
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for path in reversed(made):
            _share(path)
        return super().subscribe(log_key, cursor)


@dataclass
class _File:
    """An open database, and which file it was when it was opened."""

    engine: sa.Engine
    number: int


class OpenEventLog(SqliteEventLogStorage):
    """Events in a file for each run and an index of all, whose connections last."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._files: OrderedDict[str, _File] = OrderedDict()
        self._begun: dict[str, sa.Connection] = {}
        self._is_migrated = False
        self._tables = set[str]()
        super().__init__(base_dir, inst_data)
        self._db_lock = threading.RLock()  # type: ignore[assignment] # a batch holds it while its events ask for it
        take_events_in_batches()  # such as all that a run intends to make

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, and wake those who watch its run."""
        with self._db_lock:
            self._engine(event.run_id)
        super().store_event(_slim(event))
        self._touch(event.run_id)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events together or not at all: one transaction for each file."""
        runs = {event.run_id for event in events}
        with self._db_lock, ExitStack() as stack:
            for run in runs:
                self._engine(run)
            begun = {shard: stack.enter_context(self._connect(shard)) for shard in (*runs, INDEX_SHARD_NAME)}
            self._begun.update(begun)
            stack.callback(self._begun.clear)
            for event in events:
                super().store_event(_slim(event))
        for run in runs:
            self._touch(run)

    def dispose(self) -> None:
        """Close what is open."""
        super().dispose()
        with self._db_lock:
            while self._files:
                self._close(next(iter(self._files)))

    def wipe(self) -> None:
        """Forget everything."""
        with self._db_lock:
            for shard in [shard for shard in self._files if shard != INDEX_SHARD_NAME]:
                self._close(shard)
        super().wipe()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock:
            if shard in self._begun:
                yield self._begun[shard]
            elif shard == INDEX_SHARD_NAME or shard in self._files:
                with self._engine(shard).begin() as connection:
                    yield connection
            else:  # who only looks at a run does not keep its file, which might be removed meanwhile
                with super()._connect(shard) as connection:
                    yield connection

    def _has_asset_key_index_cols_on_connection(self, conn: sa.Connection) -> bool:
        """Asked for each event of an asset, and answered by a migration once and for all."""
        if not self._is_migrated:
            self._is_migrated = super()._has_asset_key_index_cols_on_connection(conn)
        return self._is_migrated

    def has_table(self, table_name: str) -> bool:
        """Asked for each check, by a connection of its own; a table that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _engine(self, shard: str) -> sa.Engine:
        """The open database; one that was removed, by whichever process, is let go and begun anew."""
        found = self._files.get(shard)
        if found is not None and found.number == _number(self.path_for_shard(shard)):
            self._files.move_to_end(shard)
            return found.engine
        if found is not None:
            self._close(shard)
        engine = sa.create_engine(
            self.conn_string_for_shard(shard), connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
        )
        if shard not in self._initialized_dbs:
            self._initdb(engine, for_index_shard=shard == INDEX_SHARD_NAME)
            self._initialized_dbs.add(shard)
            _share(Path(self.path_for_shard(shard)))
        self._files[shard] = _File(engine, _number(self.path_for_shard(shard)))
        runs = [name for name in self._files if name not in {INDEX_SHARD_NAME, *self._begun}]
        if len(runs) > _KEPT:
            self._close(runs[0])
        return engine

    def _close(self, shard: str) -> None:
        self._files.pop(shard).engine.dispose()
        self._initialized_dbs.discard(shard)

    def _touch(self, run_id: str) -> None:
        """A file that stays open is written beside itself at first, while Dagster watches the file as such."""
        os.utime(self.path_for_shard(run_id))


def _slim(event: EventLogEntry) -> EventLogEntry:
    """What is told of an asset, without what it says twice: it is kept for the run, the asset and the check, for good.

    Dagster needs the step's handles and tags only of events that steps are resumed by.
    """
    said = event.dagster_event
    if said is None or said.event_type not in _OF_ASSETS:
        return event
    less = said._replace(logging_tags={}, node_handle=None, step_handle=None)
    return event._replace(user_message="", dagster_event=less)


def _share(path: Path) -> None:
    """Let the group write what was made, with what SQLite has beside it, where it may write in the folder around."""
    if not path.parent.stat().st_mode & stat.S_IWGRP:
        return
    for one in (
        path,
        *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm") if path.suffix == ".db"),
    ):
        with suppress(FileNotFoundError, PermissionError):  # of another process, which has shared it
            mode = one.stat().st_mode
            one.chmod(
                stat.S_IMODE(mode) | _GROUP | (stat.S_IXGRP | stat.S_ISGID if stat.S_ISDIR(mode) else 0)
            )


def _number(file: str) -> int:
    """What tells a file from another one of the same name; 0 where there is none."""
    try:
        return Path(file).stat().st_ino
    except FileNotFoundError:
        return 0
