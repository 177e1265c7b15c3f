"""The workspace: a copy of the blank one in a folder of its own, filled with just the records that a run needs.

Its name, its schemas and its profile are the same for every tenant, because a dbt manifest remembers them.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import msgspec
import polars as pl

from civitas_assets.catalog import Tenant
from civitas_assets.errors import HarmoniseError, StoreError
from civitas_assets.harmonise.invocation import PROFILES, render_profile
from civitas_assets.harmonise.project import REJECTED, Project
from civitas_assets.harmonise.task import Task
from civitas_assets.harmonise.threads import limit_threads
from civitas_assets.harmonise.workspace_tables import (
    BEFORE,
    CONTEXT_TABLES,
    RECORDS_SCHEMA,
    STAGING_SCHEMA,
    WORKSPACE_FILE,
    build_source_row,
    list_table_columns,
)
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.records.observation import OBSERVATION
from civitas_assets.records.position import widen_box
from civitas_assets.settings import Limits
from civitas_assets.store.files import remove_folder
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.locks import claim_folder, release_folder
from civitas_assets.store.space import explain_full_disk
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SummaryStore

_DAY = timedelta(days=1)
_TASK = "task.json"  # written last
TO_BE_LOOKED_AT = "broke_a_test"
_ROWS = "rows.parquet"
_FEW = 20  # rows


@dataclass(frozen=True)
class Workspace:
    """The folder of one run."""

    folder: Path

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.folder / WORKSPACE_FILE

    def read_task(self) -> Task:
        """What the workspace was made for.

        Raises:
            HarmoniseError: this run has made no workspace.
        """
        if not self.is_made:
            raise HarmoniseError("there is no workspace to publish: harmonise in the same run")
        return msgspec.json.decode((self.folder / _TASK).read_bytes(), type=Task)

    @property
    def is_made(self) -> bool:
        """Whether there is a workspace in the folder, filled to its end."""
        return (self.folder / _TASK).exists()

    @property
    def waiting_destinations(self) -> Collection[str]:
        """Those that what is in the workspace was made for, and has not been published to."""
        return (self.read_task().basis or {}).keys() if self.is_made else ()

    def read_tenant(self) -> str | None:
        """Whose records it holds; None where that cannot be read, as in one that was never finished."""
        try:
            with duckdb.connect(str(self.database), read_only=True) as connection:
                found = connection.execute(f"select tenant from {RECORDS_SCHEMA}.tenant").fetchone()  # noqa: S608
        except duckdb.Error:
            return None
        return str(found[0]) if found else None

    @contextmanager
    def open(self, limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection in UTC that may use as much memory, such as `2GB`."""
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(f"set TimeZone = 'UTC'; {limits.statements}")
            connection.execute("set parquet_metadata_cache = true")
            # Models name what is large first. DuckDB takes 60 rows for a million where a join asks for several columns,
            # and would hold the large side in memory to look the small one up in it.
            connection.execute("set disabled_optimizers = 'build_side_probe_side'")
            yield connection

    def keep(self) -> None:
        """Leave the workspace for some days to be looked at, also when the run is over."""
        (self.folder / TO_BE_LOOKED_AT).touch()

    def release(self, destination: str) -> None:
        """Throw the workspace away, unless it waits for other destinations, too."""
        if self.is_made:
            task = self.read_task()
            left = {kind: basis for kind, basis in (task.basis or {}).items() if kind != destination}
            if left:
                self._write_task(msgspec.structs.replace(task, basis=left))
                return
        self.remove()

    def _write_task(self, task: Task) -> None:
        (self.folder / _TASK).write_bytes(msgspec.json.encode(task))

    def remove(self) -> None:
        """Throw the workspace away."""
        remove_folder(self.folder)
        release_folder(self.folder)


def read_content(connection: duckdb.DuckDBPyConnection) -> tuple[frozenset[str], frozenset[str]]:
    """What an open workspace has rows of, and what these give occasion to, as the model `int_occasion` says.

    Of a record type there is a view of files in place of the empty table.
    """
    views = "select view_name from duckdb_views() where schema_name = ?"
    shown = {name for (name,) in connection.execute(views, [RECORDS_SCHEMA]).fetchall()}
    found = connection.execute(f"select occasion from {STAGING_SCHEMA}.int_occasion").fetchall()  # noqa: S608
    rejected = connection.execute(f"select 1 from {RECORDS_SCHEMA}.{REJECTED} limit 1").fetchone()  # noqa: S608
    types = shown & RECORD_TYPES.keys() | ({REJECTED} if rejected else set())
    return frozenset(types), frozenset(occasion for (occasion,) in found)


def make_workspace(
    folder: Path, project: Project, tenant: Tenant, stores: Stores, task: Task, *, limits: Limits
) -> Workspace:
    """A folder of its own with the records of the task's days and the state of all things.

    Raises:
        HarmoniseError: there is no room for it.
    """
    with fill_workspace(folder, project, tenant, stores, task, limits=limits) as workspace:
        return workspace


@contextmanager
def fill_workspace(
    folder: Path, project: Project, tenant: Tenant, stores: Stores, task: Task, *, limits: Limits
) -> Iterator[Workspace]:
    """The same, which stays open within: opening it again costs next to nothing then, and closing it writes nothing.

    Raises:
        HarmoniseError: there is no room for it.
    """
    workspace = Workspace(folder)
    workspace.remove()
    with ExitStack() as opened:
        try:
            claim_folder(folder)
            shutil.copyfile(project.prepared / WORKSPACE_FILE, workspace.database)
            connection = opened.enter_context(workspace.open(limits))
            _fill(connection, workspace, project, tenant, stores, task, limits)
        except (duckdb.Error, OSError, StoreError) as error:
            told = explain_full_disk(folder, error, (project.prepared / WORKSPACE_FILE).stat().st_size)
            opened.close()
            workspace.remove()  # which nobody can look at, and takes room
            if told:
                raise HarmoniseError(f"no workspace could be made: {told}") from error
            raise
        yield workspace


def _fill(  # noqa: PLR0917 - each argument is of another type
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    project: Project,
    tenant: Tenant,
    stores: Stores,
    task: Task,
    limits: Limits,
) -> None:
    folder = workspace.folder
    _insert(
        connection,
        "tenant",
        [(tenant.slug, tenant.name, tenant.ags, tenant.timezone, *widen_box(tenant.bbox))],
    )
    known = SummaryStore(stores.files, tenant.slug).read()
    _insert(
        connection,
        "source",
        [build_source_row(tenant, name, known.get_source(name)) for name in tenant.sources],
    )
    own = (("property", tenant.properties), ("unit", tenant.units))
    _insert(connection, "mapping", [(kind, *pair) for kind, pairs in own for pair in pairs.items()])
    if any(pairs for _, pairs in own):
        for model in project.plan.prepared:
            connection.execute(f"truncate {model.relation}; insert into {model.relation} by name {model.sql}")
    limit_threads(connection, _show_all(connection, stores, task.days, folder))
    task = _with_neighbours(connection, stores, task, folder)
    _insert(connection, "affected_day", [(day,) for day in task.days])
    _insert_frame(connection, "rejected", stores.quarantine.read_rows(task.days), folder)
    for name in tenant.sources:
        addresses = SourceLanding(stores.files, tenant.slug, name).read_addresses
        _insert_frame(connection, "seen", stores.seen.read_last_seen(name, addresses), folder)
    (folder / PROFILES).write_text(render_profile(workspace.database, limits), encoding="utf-8")
    workspace._write_task(task)


def _with_neighbours(connection: duckdb.DuckDBPyConnection, stores: Stores, task: Task, folder: Path) -> Task:
    """The task with the days whose rows look back into affected ones; and what those look back at is shown.

    Averages and checks of quality reach back into the day before, and no further. A rebuild comes to the following
    days itself.
    """
    known = {*stores.records.list_days(OBSERVATION)}
    if not {day + step for day in task.days for step in (_DAY, -_DAY)} & known - {*task.days}:
        return task
    found = connection.execute(f"select day from {STAGING_SCHEMA}.int_day_with_look_back").fetchall()  # noqa: S608
    affected = {day for (day,) in found}
    if not affected:
        return task
    following = set() if task.rebuild else ({day + _DAY for day in affected} & known) - {*task.days}
    before = ({day - _DAY for day in affected | following} & known) - {*task.days} - following
    _show(connection, BEFORE, OBSERVATION, stores.records.fetch_files(OBSERVATION, before, folder))
    if not following:
        return task
    extended = msgspec.structs.replace(task, days=tuple(sorted({*task.days, *following})))
    _show_all(connection, stores, extended.days, folder)
    return extended


def _show_all(
    connection: duckdb.DuckDBPyConnection, stores: Stores, days: Sequence[date], folder: Path
) -> int:
    """Show the records of these days, and of all things; how many rows that are, with all revisions."""
    shown, there = list[Path](), stores.records.list_types()
    for record_type in RECORD_TYPES.values():
        locations = stores.records.fetch_files(record_type, days, folder) if record_type in there else []
        _show(connection, record_type.name, record_type, locations)
        shown += locations
    if not shown:
        return 0
    heights = f"select sum(num_rows) from parquet_file_metadata([{_list_sql(shown)}])"  # noqa: S608
    ((rows,),) = connection.execute(heights).fetchall()
    return int(rows)


def _list_sql(locations: Sequence[Path]) -> str:
    return ", ".join("'" + str(location).replace("'", "''") + "'" for location in locations)


def _show(
    connection: duckdb.DuckDBPyConnection, table: str, record_type: RecordType, locations: Sequence[Path]
) -> None:
    """Put a view of the files in the place of the empty table: reading them where they are costs less than a copy."""
    if not locations:
        return
    name = f'{RECORDS_SCHEMA}."{table}"'
    stored = f"read_parquet([{_list_sql(locations)}], union_by_name = true, hive_partitioning = false)"
    present = {row[0] for row in connection.execute(f"describe select * from {stored}").fetchall()}  # noqa: S608
    # A column that the contract has gained since is in none of the older files. The plan relies on the types.
    columns = ", ".join(
        (f'"{column}"' if column in present else "null") + f'::{kind} as "{column}"'
        for column, kind in list_table_columns()[record_type.name].items()
    )
    is_table = "select 1 from duckdb_tables() where schema_name = ? and table_name = ?"
    if connection.execute(is_table, [RECORDS_SCHEMA, table]).fetchone():
        connection.execute(f"drop table {name}")
    connection.execute(f"create or replace view {name} as select {columns} from {stored}")  # noqa: S608


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(f'insert into {RECORDS_SCHEMA}."{table}" values ({marks})', rows)  # noqa: S608


def _insert_frame(
    connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame, folder: Path
) -> None:
    rows = frame.select(*CONTEXT_TABLES[table])
    if rows.height <= _FEW:
        _insert(connection, table, rows.rows())
        return
    # By way of a file: DuckDB reads frames by Arrow, whose library takes longer to load than all of this.
    rows.write_parquet(file := folder / _ROWS)
    stored = "read_parquet(?, hive_partitioning = false)"  # folders may be called a=b
    connection.execute(f'insert into {RECORDS_SCHEMA}."{table}" from {stored}', [str(file)])
    file.unlink()
