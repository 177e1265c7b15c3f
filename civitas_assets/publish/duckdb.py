"""DuckDB as a destination: one file per tenant, replaced by copy, change, sync and rename.

A reader that holds the file keeps its old state until it opens it again, and is in nobody's way.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from civitas_assets.errors import PublishError
from civitas_assets.harmonise.project import Project, SharedModel
from civitas_assets.harmonise.tables import SHARED_SCHEMA
from civitas_assets.harmonise.workspace import Task, Workspace
from civitas_assets.publish.destination import Publication
from civitas_assets.store.files import sync_folder

_COPY_CHUNK = 1 << 30
# What analysts need at least to open the file. Older formats take a third longer to write.
_READABLE_SINCE = "v1.4.0"


class DuckDBDestination:
    """The published file of one tenant."""

    def __init__(self, published: Path, tenant: str, memory_limit: str = "1GB") -> None:
        # The stem differs from every schema in the file, else `tenant.table` would be ambiguous.
        self.file = published / tenant / f"{tenant}_db.duckdb"
        self._memory_limit = memory_limit

    @property
    def address(self) -> str:
        """The file's path."""
        return str(self.file)

    def is_current(self, project: Project) -> bool:
        """See `Destination`."""
        if not self.file.is_file():
            return False
        try:
            with duckdb.connect(str(self.file), read_only=True) as connection:
                row = connection.execute("select contract from meta.publication").fetchone()
        except duckdb.CatalogException:
            return False
        except duckdb.Error as error:
            raise PublishError(
                f"{self.file} cannot be opened: {error}; close whoever writes to it, or remove it to have it rebuilt"
            ) from error
        return row is not None and row[0] == project.contract

    def publish(self, project: Project, workspace: Workspace, run_id: str) -> Publication:
        """See `Destination`."""
        started = time.monotonic()
        task = workspace.task()
        self.file.parent.mkdir(parents=True, exist_ok=True)
        for leftover in self.file.parent.glob(".publish-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        working = Path(tempfile.mkdtemp(dir=self.file.parent, prefix=".publish-"))
        try:
            copy = working / self.file.name
            if not task.rebuild:
                _copy(self.file, copy)
            rows = self._change(copy, project, workspace, task, run_id)
            copy.chmod(0o640)
            _sync(copy)
            copy.replace(self.file)
            sync_folder(self.file.parent)
        except (duckdb.Error, OSError) as error:
            raise PublishError(f"{self.file} was left as it was: {error}") from error
        finally:
            shutil.rmtree(working, ignore_errors=True)
        return Publication(rows, self.file.stat().st_size, time.monotonic() - started)

    def _change(
        self, copy: Path, project: Project, workspace: Workspace, task: Task, run_id: str
    ) -> Mapping[str, int]:
        rows = {}
        with duckdb.connect(
            str(copy), config={"storage_compatibility_version": _READABLE_SINCE}
        ) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"set memory_limit = '{self._memory_limit}'")
            connection.execute(f"attach '{_quoted(workspace.database)}' as workspace (read_only)")
            connection.execute("begin")
            for model in project.models.values():
                rows[model.name] = _replace(connection, model, task)
            connection.execute("create schema if not exists meta")
            connection.execute(
                "create or replace table meta.publication (contract varchar, run_id varchar, published_at timestamptz)"
            )
            connection.execute(
                "insert into meta.publication values (?, ?, ?)", [project.contract, run_id, datetime.now(UTC)]
            )
            connection.execute("commit")
            connection.execute("detach workspace")
            connection.execute("checkpoint")
        return rows


def _replace(connection: duckdb.DuckDBPyConnection, model: SharedModel, task: Task) -> int:
    """Replace the task's days of the model, or all of it; the number of rows that came."""
    columns = ", ".join(f'"{name}"' for name in model.columns)
    made = f'workspace.{SHARED_SCHEMA}."{model.name}"'
    by_day = model.replaced == "replace_days"
    if by_day:
        stray = _count(connection, f"{made} anti join workspace.records.affected_day using (day)")
        if stray:
            raise PublishError(
                f"{model.name} has {stray} rows outside the affected days; nothing was published"
            )
    if task.rebuild or not by_day:
        connection.execute(f'create or replace table "{model.name}" as select {columns} from {made}')  # noqa: S608
        _comment(connection, model)
    else:
        connection.execute(
            f'delete from "{model.name}" where day in (select day from workspace.records.affected_day)'  # noqa: S608
        )
        connection.execute(f'insert into "{model.name}" ({columns}) select {columns} from {made}')  # noqa: S608
    return _count(connection, made)


def _comment(connection: duckdb.DuckDBPyConnection, model: SharedModel) -> None:
    connection.execute(f"comment on table \"{model.name}\" is '{_quoted(model.description)}'")
    for name, description in model.columns.items():
        connection.execute(f'comment on column "{model.name}"."{name}" is \'{_quoted(description)}\'')


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"select count(*) from {relation}").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")


def _copy(source: Path, target: Path) -> None:
    """Copy within the kernel where it offers that, which shares blocks where the file system can."""
    if not hasattr(os, "copy_file_range"):
        shutil.copyfile(source, target)
        return
    with source.open("rb") as reader, target.open("wb") as writer:
        remaining = os.fstat(reader.fileno()).st_size
        while remaining > 0:
            copied = os.copy_file_range(reader.fileno(), writer.fileno(), min(remaining, _COPY_CHUNK))
            if copied == 0:
                raise PublishError(f"{source} became shorter while it was copied")
            remaining -= copied


def _sync(file: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
