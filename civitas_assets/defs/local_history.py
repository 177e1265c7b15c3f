"""Dagster's history on one machine: SQLite as by default, but one file for all runs, which is kept open.

By default every event opens its run's file and the index, and closes both: a run of some four hundred events spends
seconds on that, and most of what it says lies on the disk twice. Several machines share a PostgreSQL database instead,
see `deploy/dagster-postgres.yaml`.

Where the operator lets the group write in the instance's folder, all that is made in it is the group's, too: webserver,
daemon and code location then have accounts of their own, whatever their umask.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster import EventLogRecord, EventRecordsFilter, StringSource

from civitas_assets.defs.dagster_internals import (
    INDEX_SHARD_NAME,
    SQLITE_BUSY_TIMEOUT_SECONDS,
    CapturedLogSubscription,
    ConfigurableClassData,
    DagsterSqliteStorage,
    EventLogEntry,
    LocalComputeLogManager,
    SqlEventLogStorage,
    SqlEventLogStorageTable,
    SqliteEventLogStorage,
)
from civitas_assets.defs.event_text import write_lean_events
from civitas_assets.settings import take_events_in_batches

_GROUP = 0o060


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


@dataclass(frozen=True)
class _File:
    """An open database, and which file it was when it was opened."""

    engine: sa.Engine
    number: int


class OpenEventLog(SqliteEventLogStorage):
    """Events of all runs in the index of assets, once each, whose connection lasts.

    Dagster keeps a file for each run besides, which takes 106 kB when it is empty, and says there again what the index
    says of assets and checks. Runs that have such a file, of an older version, go on in it.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._file: _File | None = None
        self._begun: sa.Connection | None = None
        self._is_migrated = False
        self._tables = set[str]()
        super().__init__(base_dir, inst_data)
        self._db_lock = threading.RLock()  # type: ignore[assignment] # a batch holds it while its events ask for it
        write_lean_events()
        take_events_in_batches()  # such as all that a run intends to make

    @property
    def is_run_sharded(self) -> bool:
        """Runs have no files of their own."""
        return False

    def path_for_shard(self, run_id: str) -> str:
        """The file that a run's events are in."""
        return super().path_for_shard(run_id if self._has_file(run_id) else INDEX_SHARD_NAME)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, with what is kept of its asset or check, and wake those who watch its run."""
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events together or not at all."""
        with self._connect(INDEX_SHARD_NAME) as connection:
            self._begun = connection
            try:
                for event in events:
                    if self._has_file(event.run_id):
                        super().store_event(event)
                    else:
                        SqlEventLogStorage.store_event(self, event)
            finally:
                self._begun = None
        for run in {event.run_id for event in events}:
            self._touch(run)

    def get_event_records(
        self, event_records_filter: EventRecordsFilter, limit: int | None = None, ascending: bool = False
    ) -> Sequence[EventLogRecord]:
        """Events of all runs."""
        return SqlEventLogStorage.get_event_records(self, event_records_filter, limit, ascending)

    def dispose(self) -> None:
        """Close what is open."""
        super().dispose()
        with self._db_lock:
            self._close()

    @contextmanager
    def _connect(self, shard: str | None) -> Iterator[sa.Connection]:
        with self._db_lock:
            if shard and self._has_file(shard):
                with super()._connect(shard) as connection:
                    yield connection
            elif self._begun is not None:
                yield self._begun
            else:
                with self._engine().begin() as connection:
                    yield connection

    def _has_file(self, run_id: str) -> bool:
        """Whether there are events in a file of the run; Dagster makes an empty one when it looks for one."""
        if run_id == INDEX_SHARD_NAME or not Path(super().path_for_shard(run_id)).exists():
            return False
        with super()._connect(run_id) as connection:
            return bool(connection.execute(sa.select(sa.exists(SqlEventLogStorageTable.select()))).scalar())

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

    def _engine(self) -> sa.Engine:
        """The open database; one that was removed, by whichever process, is let go and begun anew."""
        path = super().path_for_shard(INDEX_SHARD_NAME)
        if self._file is not None and self._file.number == _number(path):
            return self._file.engine
        self._close()
        engine = sa.create_engine(
            self.conn_string_for_shard(INDEX_SHARD_NAME),
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
        )
        self._initdb(engine, for_index_shard=True)
        _share(Path(path))
        self._file = _File(engine, _number(path))
        return engine

    def _close(self) -> None:
        if self._file is not None:
            self._file.engine.dispose()
            self._file = None

    def _touch(self, run_id: str) -> None:
        """A file that stays open is written beside itself at first, while Dagster watches the file as such."""
        os.utime(self.path_for_shard(run_id))


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
