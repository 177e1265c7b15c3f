"""What a run has made for a destination that takes Arrow: rows of a workspace as a stream, model by model.

What becomes of them is the destination's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from civitas_assets.errors import PublishError
from civitas_assets.harmonise.project import SharedModel
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.harmonise.workspace_tables import RECORDS_SCHEMA, SHARED_SCHEMA
from civitas_assets.settings import Limits

_BATCH = 10_000  # rows; what fits a processor's cache is taken over a third faster than ten times as many


@dataclass(frozen=True)
class WorkspaceRows:
    """The rows of a model, in an order of columns; `days` are those on which it has any."""

    connection: duckdb.DuckDBPyConnection
    query: str
    days: Sequence[date]
    order: Sequence[str] = ()

    def read(self, days: Sequence[date] | None = None) -> pa.RecordBatchReader:
        """Those of some days, or all."""
        # The order is asked for last: a join of what is in order already gives it out in parts, in any order.
        by = f" order by {', '.join(map(quote_column, self.order))}" if self.order else ""
        if days is None:
            return self.connection.execute(f"from ({self.query}){by}").to_arrow_reader(_BATCH)
        wanted = f"from ({self.query}) where day in (select unnest(?::date[])){by}"
        return self.connection.execute(wanted, [days]).to_arrow_reader(_BATCH)


@dataclass(frozen=True)
class WorkspaceReader:
    """An open workspace; nothing in it can be changed."""

    connection: duckdb.DuckDBPyConnection
    cleaned: bool = False

    def list_days(self) -> Sequence[date]:
        """The days that are replaced."""
        return self._days(f"{RECORDS_SCHEMA}.affected_day")

    def read_rows(self, model: SharedModel) -> WorkspaceRows:
        """The rows of a model, in no order.

        Raises:
            PublishError: there are rows of other days.
        """
        made = f'{SHARED_SCHEMA}."{model.name}"'
        days = self._days(made) if model.by_day else ()
        if {*days} - {*self.list_days()}:
            stray = f"select count(*) from {made} anti join {RECORDS_SCHEMA}.affected_day using (day)"  # noqa: S608
            ((count,),) = self.connection.execute(stray).fetchall()
            raise PublishError(
                f"{model.name} has {count} rows outside the affected days; nothing was published"
            )
        columns = ", ".join(map(self._column, model.columns, model.types.values()))
        return WorkspaceRows(self.connection, f"select {columns} from {made}", days)  # noqa: S608

    def _days(self, table: str) -> Sequence[date]:
        found = self.connection.execute(f"select distinct day from {table} order by 1")  # noqa: S608
        return [day for (day,) in found.fetchall()]

    def _column(self, name: str, kind: str) -> str:
        if self.cleaned and kind.lower() == "varchar":
            return f'replace("{name}", chr(0), \'\ufffd\') as "{name}"'
        return f'"{name}"'


@contextmanager
def open_workspace(
    workspace: Workspace, limits: Limits, *, cleaned: bool = False
) -> Iterator[WorkspaceReader]:
    """The workspace's rows; where `cleaned`, texts have a replacement for the character zero.

    Raises:
        PublishError: the workspace cannot be read.
    """
    try:
        connection = duckdb.connect(str(workspace.database), read_only=True)
    except duckdb.Error as error:
        raise PublishError(f"{workspace.database} cannot be opened: {error}") from error
    with connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(limits.statements)
        yield WorkspaceReader(connection, cleaned)


def quote_column(name: str) -> str:
    """A column in DuckDB's SQL."""
    return f'"{name}"'
