"""Publishing measured against the floor: a million new rows, and one day into a table with years of history.

Rows are made in the workspace itself; what dbt costs is measured elsewhere. `CIVITAS_BENCHMARK_ROWS` is the size of the
large table.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import duckdb
import msgspec
import psycopg
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from benchmarks.town import Figures
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.task import Task
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.publish.duckdb.duckdb import DuckDBDestination
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.publish.duckdb.replacing import copy_file, sync_file
from civitas_assets.publish.postgres.postgres import PostgresDestination
from civitas_assets.publish.postgres.postgres_names import Names
from civitas_assets.publish.postgres.postgres_server import Server
from civitas_assets.publish.postgres.postgres_tables import Platform, TableLayout, group_by_month
from civitas_assets.settings import Settings
from testbed.postgres import postgres

TOWN = "messstadt"
NEW = 1_000_000
A_DAY = 10_000
LAST = date(2026, 7, 31)
_PORTION = 200  # days that are filled at once
_LARGE = int(os.environ.get("CIVITAS_BENCHMARK_ROWS", "2000000"))
# A hundred datastreams that measure a hundred times a day; `{day}` and `{number}` are the row's, whatever the dialect.
_ROW = {
    "tenant": f"'{TOWN}'",
    "datastream_key": "'counters:' || (1000 + {number} % 100)::varchar",
    "station_key": "'counters:station-' || ({number} % 20)::varchar",
    "station_version": "1",
    "datastream_id": "(1000 + {number} % 100)::varchar",
    "station_id": "'station-' || ({number} % 20)::varchar",
    "observed_property": "'traffic.bicycle_count'",
    "phenomenon_start_at": "({day}::timestamp + {turn} * interval '864 seconds')::timestamptz",
    "day": "{day}",
    "value": "(({number} * 7) % 97)::double precision",
    "unit": "'1'",
    "value_native": "(({number} * 7) % 97)::double precision",
    "unit_native": "'Anzahl'",
    "quality_code": "'good'",
    "is_corrected": "false",
    "revision": "1",
    "received_at": "({day}::timestamp + interval '30 hours')::timestamptz",
    "source": "'counters'",
    "run_id": "'3f0c7a52-6d0e-4a5b-9a53-1c9e0e8f0000'",
}


def benchmark_days(rows: int) -> list[date]:
    """The days that so many rows are spread over."""
    return [LAST - timedelta(days=back) for back in range(rows // A_DAY)][::-1]


def _select(day: str, number: str) -> str:
    turn = f"(({number} - {number} % 100) / 100)::integer"
    columns = (f'{text.format(day=day, number=number, turn=turn)} as "{name}"' for name, text in _ROW.items())
    return f"select {', '.join(columns)}"


def benchmark_project(folder: Path) -> Project:
    """The dbt project, prepared."""
    return prepare_project(Settings(home=folder / "home"))


def benchmark_workspace(
    folder: Path, project: Project, days: list[date], *, rebuild: bool = False
) -> Workspace:
    """The workspace of a run in which each of the days got its observations."""
    workspace = Workspace(folder / "workspace")
    workspace.remove()
    workspace.folder.mkdir(parents=True)
    with duckdb.connect(str(workspace.database)) as connection:
        connection.execute("set TimeZone = 'UTC'; create schema shared; create schema records")
        connection.execute("create table records.affected_day (day date)")
        connection.executemany("insert into records.affected_day values (?)", [(day,) for day in days])
        for name, model in project.models.items():
            columns = ", ".join(f'"{column}" {kind}' for column, kind in model.types.items())
            connection.execute(f'create table shared."{name}" ({columns})')
        rows = f"from records.affected_day, range({A_DAY}) as n(number)"
        connection.execute(f"insert into shared.observation by name {_select('day', 'number')} {rows}")
    (workspace.folder / "task.json").write_bytes(msgspec.json.encode(Task(tuple(days), rebuild, {})))
    return workspace


@contextmanager
def _destination() -> Iterator[tuple[PostgresDestination, str]]:
    """A destination on a server that keeps what it promises to: with fsync, as it is installed."""
    with postgres(settings=("fsync=on", "max_wal_size=8GB", "shared_buffers=512MB")) as url:
        yield PostgresDestination(Server(SecretStr(url)), TOWN), url


def publish_to_postgres(folder: Path) -> Figures:
    """A million new observations into a keyed, indexed table by month, and plain COPY of them with all their texts."""
    project = benchmark_project(folder)
    days = benchmark_days(NEW + A_DAY)
    with _destination() as (destination, url):
        destination.publish(project, benchmark_workspace(folder, project, days[:1], rebuild=True), "first")
        workspace = benchmark_workspace(folder, project, days[1:])
        publication = destination.publish(project, workspace, "benchmark")
        assert publication.rows["observation"] == NEW
        figures: Figures = {"seconds": publication.seconds}
        csv = folder / "rows.csv"
        with duckdb.connect(str(workspace.database), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"copy shared.observation to '{csv}' (header false)")
        floor = TableLayout(Names("floor"), read_contracts(project)["observation"], Platform(0, None))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create schema floor")
            for name, keyed in (
                ("copy into a wide table", True),
                ("copy into a wide table with the key alone", False),
            ):
                connection.execute("drop table if exists floor.observation")
                made = [*floor.create()]
                for statement in made if keyed else made[:2]:
                    connection.execute(statement)
                for month in group_by_month(days):
                    connection.execute(floor.create_partition(month))
                    connection.execute(floor.attach_partition(month))
                figures[name] = _copied(connection, csv)
    figures["ratio"] = figures["seconds"] / figures["copy into a wide table"]
    figures["ratio to the key alone"] = (
        figures["seconds"] / figures["copy into a wide table with the key alone"]
    )
    return figures


def _copied(connection: psycopg.Connection, csv: Path) -> float:
    columns = connection.execute("select * from floor.observation limit 0").description or []
    names = SQL(", ").join(Identifier(column.name) for column in columns)
    started = time.perf_counter()
    with (
        csv.open("rb") as rows,
        connection.cursor() as cursor,
        cursor.copy(SQL("copy floor.observation ({}) from stdin (format csv)").format(names)) as copy,
    ):
        while block := rows.read(1 << 20):
            copy.write(block)
    return time.perf_counter() - started


def publish_a_day_to_postgres(folder: Path) -> Figures:
    """A day of 10,000 rows into the large table, replaced and new."""
    project = benchmark_project(folder)
    history = benchmark_days(_LARGE)
    with _destination() as (destination, url):
        destination.publish(
            project, benchmark_workspace(folder, project, history[-1:], rebuild=True), "first"
        )
        for begin in range(0, len(history) - 1, _PORTION):
            portion = history[:-1][begin : begin + _PORTION]
            destination.publish(project, benchmark_workspace(folder, project, portion), "history")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("vacuum analyze")
        figures: Figures = {"rows": float(_LARGE)}
        for what, day in (("replaced", history[len(history) // 2]), ("new", LAST + timedelta(days=1))):
            publication = destination.publish(
                project, benchmark_workspace(folder, project, [day]), "benchmark"
            )
            assert publication.rows["observation"] == A_DAY
            figures[f"seconds, {what}"] = publication.seconds
        figures["bytes per row"] = publication.bytes / (_LARGE + A_DAY)
    return figures


def publish_a_day_to_duckdb(folder: Path) -> Figures:
    """A day of 10,000 rows into the large published file, and the disk's own copy of that file."""
    project = benchmark_project(folder)
    history = benchmark_days(_LARGE)
    file = PublishedFiles(folder / "published").find(TOWN)
    destination = DuckDBDestination(file)
    destination.publish(project, benchmark_workspace(folder, project, history[-1:], rebuild=True), "first")
    figures: Figures = {"rows": float(_LARGE)}
    for part in (0.25, 1.0):
        _fill_file(file.path, history[:-1], part)
        publication = destination.publish(
            project, benchmark_workspace(folder, project, [history[-1]]), "benchmark"
        )
        copied = _copying(_sequential, file.path, folder / "copy")
        own = _copying(copy_file, file.path, folder / "copy")
        name = f"at {part:.0%}"
        figures |= {
            f"megabytes, {name}": publication.bytes / 1e6,
            f"seconds, {name}": publication.seconds,
            f"copy alone, {name}": own,
            f"sequential copy, {name}": copied,
        }
    publication = destination.publish(
        project, benchmark_workspace(folder, project, [LAST + timedelta(days=1)]), "benchmark"
    )
    figures["seconds, new"] = publication.seconds
    grown, copied = (
        figures[f"{what}, at 100%"] - figures[f"{what}, at 25%"] for what in ("seconds", "sequential copy")
    )
    figures["ratio of growth"] = grown / copied
    figures["ratio of the copy"] = figures["copy alone, at 100%"] / figures["sequential copy, at 100%"]
    return figures


def _fill_file(file: Path, days: list[date], part: float) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "set TimeZone = 'UTC'; set preserve_insertion_order = false; set memory_limit = '2GB'"
        )
        ((held,),) = connection.execute("select count(distinct day) - 1 from observation").fetchall()
        wanted = days[held : int(len(days) * part)]
        for begin in range(0, len(wanted), 200):
            connection.execute(
                f"insert into observation by name {_select('day', 'number')}"
                f" from (select unnest(?::date[]) as day), range({A_DAY}) as n(number)",
                [[day.isoformat() for day in wanted[begin : begin + 200]]],
            )


def _copying(copy: Callable[[Path, Path], None], file: Path, target: Path) -> float:
    """Seconds until a copy of the file is on disk; it is removed then."""
    started = time.perf_counter()
    copy(file, target)
    sync_file(target)
    seconds = time.perf_counter() - started
    target.unlink()
    return seconds


def _sequential(file: Path, target: Path) -> None:
    with file.open("rb") as source, target.open("wb") as copy:
        while block := source.read(1 << 20):
            copy.write(block)
