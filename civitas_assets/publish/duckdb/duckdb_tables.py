"""The tables in a DuckDB file that is about to be published: following contracts, replacing days, saying what they are.

Which file that is, and how it reaches readers, is in `duckdb.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import msgspec

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.dictionary.evolution import Evolution, Step
from civitas_assets.errors import PublishError
from civitas_assets.harmonise.project import Project, SharedModel
from civitas_assets.harmonise.threads import limit_threads
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.publish.destination import UNMAPPED_SQL
from civitas_assets.publish.duckdb.changed_rows import (
    AFFECTED,
    COMPARED_AT_ONCE,
    change_rows,
    held_sql,
    made_sql,
    order_sql,
)
from civitas_assets.publish.duckdb.published_file import read_contracts_of, read_publication_of

_META = """
create schema if not exists meta;
create table if not exists meta.publication (contracts varchar, run_id varchar, published_at timestamptz);
create table if not exists meta.unfilled (model varchar, column_name varchar);
create table if not exists meta.collected (day date, version varchar);
"""
_SORTED_AT_ONCE = 250_000  # rows


class DuckDBTables:
    """What an open file holds."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection, self._run = connection, connection.execute
        self.has_forgotten = False  # whether a day that had rows has none any more
        self._bare = set[str]()  # tables that were made anew, without comments

    def read_contracts(self) -> Mapping[str, Contract] | None:
        """The contracts that the tables follow; None where the file does not say so in a way that is understood."""
        return read_contracts_of(self.connection)

    def read_publication(self) -> str:
        """What run published the file when, which no other publication has; empty where the file does not say."""
        return read_publication_of(self.connection)

    def read_collected(self) -> Mapping[date, str]:
        """The days of a rebuild under way, with their versions."""
        return dict(self._run("select day, version from meta.collected").fetchall())

    def list_unfilled(self) -> tuple[str, ...]:
        """Models and columns without values on days that were published before they came."""
        return tuple(
            f"{model}.{column}" if column else model
            for model, column in self._run(
                "select model, column_name from meta.unfilled order by all"
            ).fetchall()
        )

    def count_unmapped(self) -> Mapping[str, int] | None:
        """How many values of each source nobody can map; None where no table says it."""
        try:
            return dict(self._run(UNMAPPED_SQL).fetchall())
        except (duckdb.CatalogException, duckdb.BinderException):
            return None

    @contextmanager
    def change(self, workspace: Workspace) -> Iterator[None]:
        """All that follows happens together, or not at all; rows come from this workspace."""
        self._run(f"attach '{_quoted(workspace.database)}' as workspace (read_only)")
        complete = False
        self._run("begin")
        try:
            self._run(_META)
            yield
            complete = True
        finally:
            self._run("commit" if complete else "rollback")
            self._run("detach workspace")

    def replace_all(
        self, models: Iterable[SharedModel], contracts: Mapping[str, Contract]
    ) -> Mapping[str, int]:
        """Replace the affected days of each model, or all of it; by model, the number of rows that came.

        Raises:
            PublishError: there are rows of other days.
        """
        chosen, held = list(models), self._names()
        described = self.read_contracts() or {}
        came = self._counts({model.name: made_sql(model) for model in chosen})
        limit_threads(self.connection, sum(came.values()))
        by_day = [model for model in chosen if model.by_day]
        stray = self._counts(
            {m.name: f"{made_sql(m)} anti join {AFFECTED} using (day)" for m in by_day if came[m.name]}
        )
        if any(stray.values()):
            found = ", ".join(f"{name} has {count} rows" for name, count in stray.items() if count)
            raise PublishError(f"{found} outside the affected days; nothing was published")
        gone = self._counts({m.name: held_sql(m) for m in by_day if m.name in held})
        emptied = {
            m.name: f"(select distinct day from {held_sql(m)}) anti join {made_sql(m)} using (day)"  # noqa: S608
            for m in by_day
            if gone.get(m.name)
        }
        self.has_forgotten |= any(self._counts(emptied).values())
        for model in chosen:
            name, contract = model.name, contracts[model.name]
            columns = ", ".join(f'"{column}"' for column in model.columns)
            rows = f"select {columns} from {made_sql(model)}"  # noqa: S608
            if name not in held or not (model.by_day or described.get(name) == contract):
                self._run(f'create or replace table "{name}" as {rows} limit 0')
                self._bare.add(name)
            elif not model.by_day:
                self._run(f'truncate "{name}"')
            elif 0 < gone[name] <= COMPARED_AT_ONCE and change_rows(self.connection, model, contract):
                continue
            elif gone[name]:
                self._run(f'delete from "{name}" where day in (select day from {AFFECTED})')  # noqa: S608
            for chosen_days in self._turns(model, came[name]):
                self._run(
                    f'insert into "{name}" ({columns}) {rows}{chosen_days} order by {order_sql(contract)}'
                )
        return came

    def _turns(self, model: SharedModel, rows: int) -> Iterator[str]:
        """Conditions that take the rows that came in turns, by day: sorting takes memory for all that is sorted."""
        if rows <= _SORTED_AT_ONCE or not model.by_day:
            yield from [""] if rows else []
            return
        turn, filled = list[date](), 0
        found = f"select day, count(*) from {made_sql(model)} group by day order by day"  # noqa: S608
        for day, count in [*self._run(found).fetchall(), (None, rows)]:
            if turn and filled + count > _SORTED_AT_ONCE:
                yield f" where day between '{turn[0]}' and '{turn[-1]}'"
                turn, filled = [], 0
            turn.append(day)
            filled += count

    def follow(self, change: Evolution, project: Project, workspace: Workspace) -> None:
        """Take the steps that lead the tables to their contracts, and note what then lacks its history.

        Tables that are replaced whole come in their new shape anyway.
        """
        if change.reasons:
            raise PublishError(f"the output has to be rebuilt: {'; '.join(change.reasons)}")
        if not change.steps:
            return
        self._run(_META)
        days = [day.isoformat() for day in workspace.read_task().days]
        for step in change.steps:
            model = project.models.get(step.model)
            if step.kind == "drop_model":
                self._run(f'drop table if exists "{step.model}"')
            elif step.kind == "rename_model":
                self._run(f'alter table "{step.before}" rename to "{step.model}"')
            elif model is not None and model.by_day:
                self._alter(step)
                if step.kind in {"add_model", "add_column"} and self._has_older(project, model, days):
                    self._run("insert into meta.unfilled values (?, ?)", [step.model, step.column])

    def copy_from(self, file: Path, contracts: Mapping[str, Contract]) -> None:
        """Write the content of another file in order, a month at a time; what was deleted there is in no block here."""
        self._run(f"attach '{_quoted(file)}' as before (read_only)")
        self._run("begin")
        self._run("create schema meta")
        found = (
            "select schema_name, table_name from duckdb_tables() where database_name = 'before' order by all"
        )
        for schema, name in self._run(found).fetchall():
            table, before = f'"{schema}"."{name}"', f'before."{schema}"."{name}"'
            contract = contracts.get(name) if schema == "main" else None
            self._run(f"create table {table} as from {before} limit 0")
            self._bare.add(name)
            months: list[date | None] = [None]
            if contract is not None and contract.replaced == "replace_days":
                distinct = f"select distinct date_trunc('month', day)::date from {before} order by 1"  # noqa: S608
                months = [month for (month,) in self._run(distinct).fetchall()]
            order = f" order by {order_sql(contract)}" if contract else ""
            for month in months:
                where = f" where date_trunc('month', day) = date '{month}'" if month else ""
                self._run(f"insert into {table} from {before}{where}{order}")
        self.comment(contracts)
        self._run("commit")
        self._run("detach before")

    def comment(self, contracts: Mapping[str, Contract]) -> None:
        """Describe tables and columns where readers look for it; those that are described so already are left alone."""
        described = self.read_contracts() or {}
        said = list[str]()
        for name, contract in contracts.items():
            if name not in self._bare and described.get(name) == contract:
                continue
            said.append(f"comment on table \"{name}\" is '{_quoted(contract.description)}'")
            for column, promised in contract.columns.items():
                said.append(f'comment on column "{name}"."{column}" is \'{_quoted(promised.description)}\'')
        if said:
            self._run(";\n".join(said))  # hundreds, which cost twice as much one by one

    def remember_contracts(self, contracts: Mapping[str, Contract], run_id: str | None) -> None:
        """Say which contracts the tables follow, and who made them when."""
        self._run("delete from meta.publication")
        content = msgspec.json.encode(contracts).decode()
        self._run("insert into meta.publication values (?, ?, ?)", [content, run_id, datetime.now(UTC)])

    def remember_collected(self, versions: Mapping[date, str]) -> None:
        """Say which days of a rebuild are there."""
        days = [day.isoformat() for day in versions]
        self._run("delete from meta.collected where day in (select unnest(?::date[]))", [days])
        self._run(
            "insert into meta.collected select unnest(?::date[]), unnest(?::varchar[])",
            [days, [*versions.values()]],
        )

    def forget_collected(self) -> None:
        """The rebuild is complete."""
        self._run("delete from meta.collected")

    def count(self, model: str) -> int:
        """Rows of a model's table."""
        return self.count_of(f'"{model}"')

    def count_of(self, relation: str) -> int:
        """Rows of a relation."""
        row = self._run(f"select count(*) from {relation}").fetchone()  # noqa: S608
        return int(row[0]) if row else 0

    def _alter(self, step: Step) -> None:
        table = f'alter table "{step.model}"'
        if step.kind == "add_column":
            self._run(f'{table} add column "{step.column}" {step.type}')
        elif step.kind == "drop_column":
            self._run(f'{table} drop column "{step.column}"')
        elif step.kind == "rename_column":
            self._run(f'{table} rename column "{step.before}" to "{step.column}"')
        elif step.kind == "widen_column":
            self._run(f'{table} alter column "{step.column}" set data type {step.type}')

    def _names(self) -> frozenset[str]:
        own = "schema_name = 'main' and database_name = current_database()"
        found = self._run(f"select table_name from duckdb_tables() where {own}").fetchall()  # noqa: S608
        return frozenset(name for (name,) in found)

    def _counts(self, relations: Mapping[str, str]) -> Mapping[str, int]:
        """Rows of each relation, asked for at once: a statement costs more than most of what there is to count."""
        asked = " union all ".join(
            f"select '{_quoted(name)}', count(*) from {relation}"  # noqa: S608
            for name, relation in relations.items()
        )
        return {name: int(rows) for name, rows in self._run(asked).fetchall()} if asked else {}

    def _has_older(self, project: Project, model: SharedModel, days: list[str]) -> bool:
        """Whether days were published before that hold what the model is made of."""
        made_of, held = project.find_record_types(model.name), self._names()
        kin = (
            m.name
            for m in project.models.values()
            if m.by_day and project.find_record_types(m.name) & made_of
        )
        return any(
            self._run(
                f'select 1 from "{name}" where day not in (select unnest(?::date[])) limit 1',  # noqa: S608
                [days],
            ).fetchone()
            for name in kin
            if name in held
        )


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")
