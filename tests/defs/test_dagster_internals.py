"""What is relied on of Dagster although it is not public: a new version that has it otherwise fails here first."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import civitas_assets
from civitas_assets.defs import dagster_internals
from civitas_assets.defs.dagster_internals import (
    FINISHED_STATUSES,
    INDEX_SHARD_NAME,
    PARTITION_NAME_TAG,
    SQLITE_BUSY_TIMEOUT_SECONDS,
    AssetCheckEvaluationTargetMaterializationData,
    AssetCheckExecutionRecordStatus,
    AssetCheckExecutionsTable,
    AssetKeyTable,
    DagsterSqliteStorage,
    EventLogEntry,
    LocalComputeLogManager,
    PartitionKeyFilter,
    SqlEventLogStorage,
    SqlEventLogStorageTable,
    SqliteEventLogStorage,
    serialize_value,
    sql_event_log,
)

PACKAGE = Path(civitas_assets.__file__).parent


def takes(function: object, *names: str) -> bool:
    assert callable(function)
    return {*names} <= {*inspect.signature(function).parameters}


def test_only_one_module_knows_what_is_not_public() -> None:
    private = re.compile(r"""(?:from |import |["'])dagster\w*\._""")
    found = {path.name for path in PACKAGE.rglob("*.py") if private.search(path.read_text("utf-8"))}
    assert found == {"dagster_internals.py"}


def test_every_name_is_used() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if path.name != "dagster_internals.py"]
    texts = "".join(path.read_text("utf-8") for path in files)
    assert [name for name in dagster_internals.__all__ if not re.search(rf"\b{name}\b", texts)] == []


def test_tables_have_the_columns_that_are_asked_for() -> None:
    assert {"id", "run_id", "partition", "asset_key", "event", "dagster_event_type"} <= {
        *SqlEventLogStorageTable.c.keys()
    }
    assert {"id", "run_id", "partition", "asset_key", "check_name"} <= {*AssetCheckExecutionsTable.c.keys()}
    assert {"asset_key", "last_materialization", "cached_status_data"} <= {*AssetKeyTable.c.keys()}


def test_the_log_of_events_has_the_methods_that_are_called_and_replaced() -> None:
    assert issubclass(SqliteEventLogStorage, SqlEventLogStorage)
    assert takes(SqlEventLogStorage.index_connection, "self")
    assert takes(SqlEventLogStorage.get_latest_storage_id_by_partition, "asset_key", "event_type")
    assert takes(SqliteEventLogStorage.__init__, "base_dir", "inst_data")
    assert takes(SqliteEventLogStorage._connect, "shard")
    assert takes(SqliteEventLogStorage._initdb, "engine", "for_index_shard")
    assert takes(SqliteEventLogStorage._has_asset_key_index_cols_on_connection, "conn")
    assert takes(SqliteEventLogStorage.path_for_shard, "run_id")
    assert takes(SqliteEventLogStorage.store_event, "event")
    assert takes(SqliteEventLogStorage.has_table, "table_name")
    source = inspect.getsource(SqliteEventLogStorage)
    assert "self._db_lock" in source
    assert "self._initialized_dbs" in source
    assert "self._event_log_storage" in inspect.getsource(DagsterSqliteStorage)
    assert takes(LocalComputeLogManager.subscribe, "log_key", "cursor")
    # Events are written by this name of this module, in whose place `event_text.py` puts another function.
    assert "serialize_value(" in inspect.getsource(sql_event_log)
    assert callable(serialize_value)


def test_values_and_records_are_as_they_are_read() -> None:
    assert PARTITION_NAME_TAG == "dagster/partition"
    assert INDEX_SHARD_NAME == "index"
    assert SQLITE_BUSY_TIMEOUT_SECONDS > 0
    assert {status.value for status in FINISHED_STATUSES} == {"SUCCESS", "FAILURE", "CANCELED"}
    assert {"PLANNED", "SUCCEEDED", "FAILED"} <= {status.name for status in AssetCheckExecutionRecordStatus}
    target = AssetCheckEvaluationTargetMaterializationData(storage_id=7, run_id="r", timestamp=1.5)
    assert (target.storage_id, target.run_id, target.timestamp) == (7, "r", 1.5)
    assert PartitionKeyFilter(key="jena").key == "jena"
    event = EventLogEntry(error_info=None, user_message="", level=20, run_id="r", timestamp=1.5, job_name="j")
    assert (event.run_id, event.timestamp, event.dagster_event) == ("r", 1.5, None)
