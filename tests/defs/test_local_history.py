"""Dagster's history stays open while it is written, in one file, and Dagster reads of it what it would have written."""

from __future__ import annotations

import ast
import os
import queue
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from civitas_assets.defs.local_history import OpenEventLog
from civitas_assets.settings import PROJECT_DIR

KEY = dg.AssetKey("table")


@dg.multi_asset(specs=[dg.AssetSpec(KEY)], check_specs=[dg.AssetCheckSpec("is_fine", asset=KEY)])
def table(context) -> Any:  # type: ignore[no-untyped-def] # Dagster reads annotations
    yield dg.MaterializeResult(metadata={"rows": 3})
    yield dg.AssetCheckResult(passed=True, asset_key=KEY, check_name="is_fine")


JOB = dg.Definitions(
    assets=[table], jobs=[dg.define_asset_job("make", executor_def=dg.in_process_executor)]
).resolve_job_def("make")


def run(instance: dg.DagsterInstance) -> str:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return JOB.execute_in_process(instance=instance, run_config=quiet).run_id


def event(run_id: str, message: str = "", key: dg.AssetKey | None = None) -> EventLogEntry:
    """A message of a run, or that it intends to make an asset."""
    intends = (
        DagsterEvent.build_asset_materialization_planned_event(
            "make", "table", AssetMaterializationPlannedData(key)
        )
        if key
        else None
    )
    return EventLogEntry(
        error_info=None, level=10, user_message=message, run_id=run_id, timestamp=1.7e9, dagster_event=intends
    )


def messages(log: OpenEventLog, run_id: str) -> Sequence[str]:
    return [record.event_log_entry.user_message for record in log.get_records_for_run(run_id).records]


def open_files(folder: Path) -> set[str]:
    """The databases below a folder that this process has open."""
    found = (link.readlink() for link in Path("/proc/self/fd").iterdir() if link.exists())
    return {file.name for file in found if file.is_relative_to(folder) and file.suffix == ".db"}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[OpenEventLog]:
    made = OpenEventLog(str(tmp_path / "runs"))
    yield made
    made.dispose()


def test_it_is_what_a_machine_by_itself_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dagster.yaml").write_bytes((PROJECT_DIR / "deploy" / "dagster.yaml").read_bytes())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, OpenEventLog)
        run_id = run(instance)
        assert messages(instance.event_log_storage, run_id)
        assert {"index.db"} <= open_files(tmp_path) <= {"index.db", "runs.db"}
    assert open_files(tmp_path) == set()
    assert not [*tmp_path.rglob("*-wal")], "what was written beside the files is in them"


@pytest.mark.parametrize("is_ours_first", [True, False])
def test_dagsters_own_storage_and_ours_follow_each_other(tmp_path: Path, is_ours_first: bool) -> None:
    """What is known of assets and checks is the same; ours reads the logs of runs that Dagster's has kept, too."""
    ours = {"module": "civitas_assets.defs.local_history", "class": "LocalHistory"}
    ours["config"] = {"base_dir": str(tmp_path)}  # type: ignore[assignment]
    storages = [{"custom": ours}, {"sqlite": {"base_dir": str(tmp_path)}}, {"custom": ours}]
    runs: list[str] = []
    for storage in storages if is_ours_first else storages[1:]:
        with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"storage": storage}) as instance:
            runs.append(run(instance))
            log = instance.event_log_storage
            assert [record.run_id for record in instance.fetch_materializations(KEY, limit=9).records] == [
                *reversed(runs)
            ]
            checks = log.get_asset_check_execution_history(dg.AssetCheckKey(KEY, "is_fine"), limit=9)
            assert [check.run_id for check in checks] == [*reversed(runs)]
            told = [[entry.dagster_event_type for entry in instance.all_logs(run_id)] for run_id in runs]
            ended = instance.fetch_run_status_changes(DagsterEventType.RUN_SUCCESS, limit=9).records
            assert {record.run_id for record in ended} == {*runs}
    assert DagsterEventType.RUN_SUCCESS in told[0]
    assert all(events == told[0] for events in told)
    assert (tmp_path / "history" / "runs" / f"{runs[-2]}.db").exists(), (
        "Dagster's own has a file for each run"
    )
    assert not (tmp_path / "history" / "runs" / f"{runs[-1]}.db").exists()


def test_a_run_that_has_a_file_goes_on_in_it(log: OpenEventLog, tmp_path: Path) -> None:
    """As a run that was under way when this version came."""
    before = SqliteEventLogStorage(str(tmp_path / "runs"))
    before.store_event(event("old", "began", key=KEY))
    log.store_event_batch([event("old", "goes on", key=KEY), event("new", "begins")])
    for storage in (log, before):
        assert messages(storage, "old") == ["began", "goes on"]
    assert messages(log, "new") == ["begins"]
    with log.index_connection() as connection:  # of assets it is told there, too, as Dagster does
        count = connection.exec_driver_sql("select count(*) from event_logs where run_id = 'old'").scalar()
    assert count == 2
    log.delete_events("old")
    assert messages(log, "old") == []


def test_events_are_found_whichever_run_they_are_of(log: OpenEventLog) -> None:
    for number in range(3):
        log.store_event(event(f"run{number}", key=KEY))
    wanted = dg.EventRecordsFilter(DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    found = log.get_event_records(wanted, ascending=True)
    assert [record.run_id for record in found] == ["run0", "run1", "run2"]


def test_a_batch_is_there_as_a_whole_or_not_at_all(
    log: OpenEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [dg.AssetKey(f"t{number}") for number in range(5)]
    log.store_event_batch([event("one", key=key) for key in keys])
    assert len(log.get_records_for_run("one").records) == 5
    assert {*log.all_asset_keys()} == {*keys}

    store, stored = SqlEventLogStorage.store_event, list[EventLogEntry]()

    def third_fails(self: SqlEventLogStorage, entry: EventLogEntry) -> None:
        if len(stored) == 2:
            raise OSError("the disk is full")
        store(self, entry)
        stored.append(entry)

    monkeypatch.setattr(SqlEventLogStorage, "store_event", third_fails)
    with pytest.raises(OSError, match="full"):
        log.store_event_batch([event("two", key=dg.AssetKey(f"u{number}")) for number in range(3)])
    assert len(stored) == 2
    monkeypatch.undo()
    assert messages(log, "two") == []
    assert {*log.all_asset_keys()} == {*keys}
    log.store_event(event("two", "goes on"))
    assert messages(log, "two") == ["goes on"]


def test_events_of_one_run_are_told_to_who_watches_from_another_process(
    log: OpenEventLog, tmp_path: Path
) -> None:
    log.store_event(event("one", "first"))
    writer = """
import sys
from civitas_assets.defs.local_history import OpenEventLog
from dagster._core.events.log import EventLogEntry
log = OpenEventLog(sys.argv[1])
for line in sys.stdin:
    log.store_event(EventLogEntry(None, 10, line.strip(), "one", 1.7e9))
"""
    seen: queue.SimpleQueue[str] = queue.SimpleQueue()
    log.watch("one", None, lambda entry, _cursor: seen.put(entry.user_message))
    command = [sys.executable, "-c", writer, str(tmp_path / "runs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin
        for message, told in (("second", ["first", "second"]), ("third", ["third"])):
            process.stdin.write(f"{message}\n")
            process.stdin.flush()
            # The process still has its file open, and what it wrote is beside it.
            assert [seen.get(timeout=60) for _ in told] == told
        process.stdin.close()
    assert process.returncode == 0
    assert seen.empty()


def test_one_file_has_all_runs(log: OpenEventLog, tmp_path: Path) -> None:
    for number in range(9):
        log.store_event(event(f"run{number}", "here"))
    assert open_files(tmp_path) == {"index.db"}
    assert [messages(log, f"run{number}") for number in range(9)] == [["here"]] * 9
    assert [file.name for file in (tmp_path / "runs").glob("*.db")] == ["index.db"]


def test_a_file_that_somebody_else_removed_begins_anew(log: OpenEventLog, tmp_path: Path) -> None:
    log.store_event(event("one", "old"))
    for file in (tmp_path / "runs").glob("index.db*"):
        file.unlink()
    assert messages(log, "one") == []
    log.store_event(event("one", "new"))
    assert messages(log, "one") == ["new"]
    with closing(sqlite3.connect(tmp_path / "runs" / "index.db")) as connection:
        assert connection.execute("select count(*) from event_logs").fetchone() == (1,)


def test_everything_can_be_forgotten(log: OpenEventLog, tmp_path: Path) -> None:
    log.store_event_batch([event("one", key=KEY), event("two", key=KEY)])
    log.wipe()
    assert [file.name for file in (tmp_path / "runs").glob("*.db")] == ["index.db"]
    assert log.all_asset_keys() == []
    log.store_event(event("one", "again"))
    assert messages(log, "one") == ["again"]


def test_threads_and_instances_write_at_the_same_time(log: OpenEventLog, tmp_path: Path) -> None:
    other = OpenEventLog(str(tmp_path / "runs"))
    start = threading.Barrier(4)

    def write(number: int) -> None:
        start.wait(30)
        for _ in range(25):
            (log, other)[number % 2].store_event(event(f"run{number // 2}", str(number), key=KEY))

    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(write, range(4))] == [None] * 4
    other.dispose()
    for run_id in ("run0", "run1"):
        assert len(log.get_records_for_run(run_id).records) == 50
    with log.index_connection() as connection:
        count = connection.exec_driver_sql("select count(*) from event_logs").scalar()
    assert count == 100


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_folder_of_the_group_stays_the_groups_whatever_the_umask(tmp_path: Path, is_shared: bool) -> None:
    """Webserver, daemon and code location have accounts of their own; elsewhere the umask holds."""
    tmp_path.chmod(0o2770 if is_shared else 0o700)
    code = (
        "import os, sys; os.umask(0o027); sys.path.insert(0, sys.argv[1])\n"
        "import dagster as dg; from test_local_history import run\n"
        "from dagster._core.storage.compute_log_manager import ComputeLogManager\n"
        "with dg.DagsterInstance.get() as instance:\n"
        "    run(instance); logs = instance.compute_log_manager\n"
        "    logs.subscribe(['a-run', 'compute_logs', 'step']).dispose()\n"
        "    at_work = [os.path.join(f, n) for f, d, names in os.walk(sys.argv[2]) for n in [*d, *names]]\n"
        "    print({path: os.stat(path).st_mode & 0o7777 for path in at_work})\n"
    )
    shutil.copy(PROJECT_DIR / "deploy" / "dagster.yaml", tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path)],
        env={**os.environ, "DAGSTER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, int] = ast.literal_eval(done.stdout.splitlines()[-1])
    named = {str(Path(path).relative_to(tmp_path)): mode for path, mode in found.items()}
    assert {"history", "history/runs", "schedules", "storage/a-run/compute_logs"} <= named.keys()
    assert [name for name in named if name.endswith(".db-wal")], "what SQLite makes beside a file counts, too"
    for name, mode in named.items():
        assert not mode & 0o007 or name == "dagster.yaml", name
        if name.startswith(("history", "schedules", "storage/a-run")):
            assert bool(mode & 0o020) == is_shared, name
