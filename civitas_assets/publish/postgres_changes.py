"""A transaction in a tenant's schemas: following contracts, replacing days, collecting a rebuild.

What statements look like is in `postgres_tables.py`; when a transaction is tried again is in `postgres.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import adbc_driver_postgresql.dbapi as adbc
import msgspec
import pyarrow as pa
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.dictionary.evolution import Evolution
from civitas_assets.harmonise.project import Project
from civitas_assets.publish.postgres_names import COLLECTED, PUBLICATION, UNFILLED, Names
from civitas_assets.publish.postgres_server import Statement
from civitas_assets.publish.postgres_session import Session
from civitas_assets.publish.postgres_tables import GEOMETRY, Layout, months

_META = (
    (PUBLICATION, "contracts text not null, run_id text, published_at timestamptz not null default now()"),
    (UNFILLED, "model text not null, column_name text"),
)


class Changes(Session):
    """What happens together, or not at all."""

    def __init__(self, cursor: adbc.Cursor, names: Names) -> None:
        super().__init__(cursor, names)
        self.created: set[str] = set()  # models whose tables this transaction made
        self.grown: set[str] = set()  # models that got a partition

    def prepare(self, layouts: Iterable[Layout]) -> None:
        """Make the tables that are not there, and the geometry where it has become possible."""
        held = self.tables(self.names.schema)
        for table, columns in _META:
            if table not in held:
                self.run(SQL("create table {} ({})").format(self.names.table(table), SQL(columns)))
        with_geometry = self.with_geometry()
        for layout in layouts:
            name = layout.contract.name
            if name not in held:
                self.run(*layout.create())
                self.created.add(name)
            if name not in with_geometry:
                self.run(*layout.add_geometry())

    def drop(self, models: Iterable[str]) -> None:
        """Drop tables of models that cannot be kept."""
        for model in models:
            self.run(SQL("drop table if exists {}").format(self.names.table(model)))

    def follow(
        self, change: Evolution, project: Project, layouts: Mapping[str, Layout], days: Sequence[date]
    ) -> None:
        """Take the steps that lead the tables to their contracts, and note what then lacks its history."""
        with_geometry = self.with_geometry()
        for step in change.steps:
            if step.kind == "drop_model":
                self.drop([step.model])
            elif step.kind == "rename_model":
                self._rename(step.before or "", step.model)
            else:
                layout = layouts[step.model]
                if layout.needs_geometry(step.column) and step.model in with_geometry:
                    self.run(SQL("alter table {} drop column {}").format(layout.table, Identifier(GEOMETRY)))
                    with_geometry.remove(step.model)
                self.run(*layout.alter(step))
                if (
                    step.kind in {"add_model", "add_column"}
                    and layout.by_day
                    and self._has_older(project, step.model, days)
                ):
                    self.run(
                        SQL("insert into {} values ({}, {})").format(
                            self.names.table(UNFILLED), Literal(step.model), Literal(step.column)
                        )
                    )

    def replace(self, layout: Layout, rows: pa.RecordBatchReader, days: Sequence[date]) -> int:
        """Replace the days, or all rows of a model that has none; the number of rows that came."""
        if layout.is_partitioned:
            self._partition(layout, days)
        if layout.contract.name not in self.created:
            condition = SQL(" where day = any({})").format(_array(days)) if layout.by_day else SQL("")
            self.run(SQL("delete from {}{}").format(layout.table, condition))
        return self._load(self.names.schema, layout, rows)

    def replace_all(self, layout: Layout, rows: pa.RecordBatchReader, days: Sequence[date]) -> None:
        """Replace everything by what a rebuild has collected, and by the rows of its last portion."""
        name, collected = layout.contract.name, self.tables(self.names.rebuild)
        if layout.contract.name not in self.created:
            self.run(SQL("delete from {}").format(layout.table))
        if name in collected:
            source = self.names.collected(name)
            if layout.is_partitioned:
                found = self.rows(SQL("select distinct day from {}").format(source))
                self._partition(layout, [day for (day,) in found])
            columns = SQL(", ").join(map(Identifier, layout.contract.columns))
            order = SQL(", ").join(map(Identifier, layout.order))
            self.run(
                SQL("insert into {} ({}) select {} from {} where not day = any({}) order by {}").format(
                    layout.table, columns, columns, source, _array(days), order
                )
            )
        if layout.is_partitioned:
            self._partition(layout, days)
        self._load(self.names.schema, layout, rows)

    def collect(self, layout: Layout, rows: pa.RecordBatchReader) -> None:
        """Keep rows of a rebuild."""
        self.run(layout.create_collected())
        self._load(self.names.rebuild, layout, rows)

    def collected(self) -> Mapping[date, str]:
        """The days of a rebuild under way, with their versions."""
        if COLLECTED not in self.tables(self.names.rebuild):
            return {}
        return dict(self.rows(SQL("select day, version from {}").format(self.names.collected(COLLECTED))))

    def remember_collected(self, models: Iterable[str], versions: Mapping[date, str]) -> None:
        """Say which days of a rebuild come now; what was collected of them before goes."""
        table = self.names.collected(COLLECTED)
        self.run(
            SQL("create unlogged table if not exists {} (day date primary key, version text)").format(table)
        )
        old = sorted(self.collected().keys() & versions.keys())
        for name in self.tables(self.names.rebuild) & {COLLECTED, *models} if old else ():
            self.run(
                SQL("delete from {} where day = any({})").format(self.names.collected(name), _array(old))
            )
        for day, version in versions.items():
            self.run(SQL("insert into {} values ({}, {})").format(table, Literal(day), Literal(version)))

    def forget_collected(self) -> None:
        """Drop what a rebuild has collected."""
        for name in self.tables(self.names.rebuild):
            self.run(SQL("drop table {}").format(self.names.collected(name)))

    def remember_contracts(self, schema: str, contracts: Mapping[str, Contract], run_id: str | None) -> None:
        """Say which contracts the tables follow, and who made them when."""
        table = Identifier(schema, PUBLICATION)
        if schema == self.names.rebuild:
            self.run(SQL("create unlogged table if not exists {} ({})").format(table, SQL(_META[0][1])))
        self.run(SQL("delete from {}").format(table))
        content = msgspec.json.encode(contracts).decode()
        self.run(
            SQL("insert into {} (contracts, run_id) values ({}, {})").format(
                table, Literal(content), Literal(run_id)
            )
        )

    def unfilled(self) -> tuple[str, ...]:
        """Models and columns without values on days that were published before they came."""
        found = self.rows(
            SQL("select model, column_name from {} order by 1, 2").format(self.names.table(UNFILLED))
        )
        return tuple(f"{model}.{column}" if column else model for model, column in found)

    def fill(self) -> None:
        """Every day has its values."""
        self.run(SQL("delete from {}").format(self.names.table(UNFILLED)))

    def _rename(self, before: str, model: str) -> None:
        """Rename a table and its partitions."""
        partitions = self.rows(
            SQL(
                "select p.relname::text from pg_inherits join pg_class p on p.oid = inhrelid"
                " join pg_class c on c.oid = inhparent join pg_namespace n on n.oid = c.relnamespace"
                " where n.nspname = {} and c.relname = {}"
            ).format(Literal(self.names.schema), Literal(before))
        )
        for name in (before, *(name for (name,) in partitions)):
            self.run(
                SQL("alter table {} rename to {}").format(
                    self.names.table(name), Identifier(model + name.removeprefix(before))
                )
            )

    def _load(self, schema: str, layout: Layout, rows: pa.RecordBatchReader) -> int:
        return int(self.cursor.adbc_ingest(layout.contract.name, rows, mode="append", db_schema_name=schema))

    def _partition(self, layout: Layout, days: Sequence[date]) -> None:
        wanted = months(days)
        if not wanted:
            return
        held = self.tables(self.names.schema)
        for first, last in wanted:
            if layout.partition_name(first, last) not in held:
                self.run(*layout.partition(first, last))
                self.grown.add(layout.contract.name)

    def _has_older(self, project: Project, model: str, days: Sequence[date]) -> bool:
        """Whether days were published before that hold what the model is made of."""
        made_of, held = project.record_types_of(model), self.tables(self.names.schema)
        kin = [
            m.name
            for m in project.models.values()
            if m.by_day and m.name in held and project.record_types_of(m.name) & made_of
        ]
        return any(
            self.rows(
                SQL("select 1 from {} where not day = any({}) limit 1").format(
                    self.names.table(name), _array(days)
                )
            )
            for name in kin
        )


def _array(days: Iterable[date]) -> Statement:
    return SQL("{}::date[]").format(Literal("{" + ",".join(day.isoformat() for day in days) + "}"))
