"""A transaction in a tenant's schemas: following contracts, replacing days, collecting a rebuild.

What statements look like is in `postgres_tables.py`; when a transaction is tried again is in `postgres.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import msgspec
import pyarrow as pa
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.dictionary.evolution import Evolution
from civitas_assets.harmonise.project import Project
from civitas_assets.publish.postgres_names import COLLECTED, PUBLICATION, UNFILLED, Names
from civitas_assets.publish.postgres_server import Statement, text_of
from civitas_assets.publish.postgres_tables import GEOMETRY, Layout, Platform, months

# The first of the two numbers of an advisory lock; the second stands for the tenant.
_PUBLISHING = 4_711
_META = (
    (PUBLICATION, "contracts text not null, run_id text, published_at timestamptz not null default now()"),
    (UNFILLED, "model text not null, column_name text"),
)


class Changes:
    """What happens together, or not at all."""

    def __init__(self, cursor: adbc.Cursor, names: Names) -> None:
        self._cursor = cursor
        self.names = names
        self.created: set[str] = set()  # models whose tables this transaction made
        self.grown: set[str] = set()  # models that got a partition

    def run(self, *statements: Statement) -> None:
        """Run statements that give nothing."""
        for statement in statements:
            self._cursor.execute(text_of(statement))

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        self._cursor.execute(text_of(statement))
        return list(self._cursor.fetchall())

    def is_published(self) -> bool:
        """Whether the tenant's schema says what is in it; asked before acting as a role, which may not exist yet."""
        return PUBLICATION in self._tables(self.names.schema)

    def begin(self, limits: Iterable[Statement]) -> None:
        """Act as the tenant's writer from here on, and for no longer than the limits."""
        self.run(*limits, SQL("set local search_path = pg_catalog"))
        self.run(SQL("set local role {}").format(Identifier(self.names.writer)))

    def wait_for_turn(self) -> None:
        """Wait until no other transaction publishes for the tenant, from whichever machine."""
        self.run(
            SQL("select pg_advisory_xact_lock({}, hashtext({}))").format(
                Literal(_PUBLISHING), Literal(self.names.slug)
            )
        )

    def contracts(self, schema: str) -> Mapping[str, Contract] | None:
        """The contracts that a schema's tables follow; None where it does not say so in a way that is understood."""
        if PUBLICATION not in self._tables(schema):
            return None
        found = self.rows(SQL("select contracts from {}").format(Identifier(schema, PUBLICATION)))
        try:
            return msgspec.json.decode(found[0][0], type=dict[str, Contract]) if found else None
        except msgspec.DecodeError:
            return None

    def platform(self) -> Platform:
        """What the database can do."""
        ((version, postgis),) = self.rows(
            SQL(
                "select current_setting('server_version_num')::int, (select nspname::text from pg_extension"
                " join pg_namespace n on n.oid = extnamespace where extname = 'postgis'"
                " and has_schema_privilege(n.oid, 'usage'))"
            )
        )
        return Platform(version, postgis)

    def prepare(self, layouts: Iterable[Layout]) -> None:
        """Make the tables that are not there, and the geometry where it has become possible."""
        held = self._tables(self.names.schema)
        for table, columns in _META:
            if table not in held:
                self.run(SQL("create table {} ({})").format(self.names.table(table), SQL(columns)))
        with_geometry = self._with_geometry()
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
        with_geometry = self._with_geometry()
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
        name, collected = layout.contract.name, self._tables(self.names.rebuild)
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
        if COLLECTED not in self._tables(self.names.rebuild):
            return {}
        return dict(self.rows(SQL("select day, version from {}").format(self.names.collected(COLLECTED))))

    def remember_collected(self, models: Iterable[str], versions: Mapping[date, str]) -> None:
        """Say which days of a rebuild come now; what was collected of them before goes."""
        table = self.names.collected(COLLECTED)
        self.run(
            SQL("create unlogged table if not exists {} (day date primary key, version text)").format(table)
        )
        old = sorted(self.collected().keys() & versions.keys())
        for name in self._tables(self.names.rebuild) & {COLLECTED, *models} if old else ():
            self.run(
                SQL("delete from {} where day = any({})").format(self.names.collected(name), _array(old))
            )
        for day, version in versions.items():
            self.run(SQL("insert into {} values ({}, {})").format(table, Literal(day), Literal(version)))

    def forget_collected(self) -> None:
        """Drop what a rebuild has collected."""
        for name in self._tables(self.names.rebuild):
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

    def models(self) -> set[str]:
        """The tables of models that are there, without their partitions."""
        found = self.rows(
            SQL(
                "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = {}"
                " and c.relname not in ({}, {})"
            ).format(*map(Literal, (self.names.schema, PUBLICATION, UNFILLED)))
        )
        return {name for (name,) in found}

    def analyze(self, models: Iterable[str]) -> None:
        """Have statistics made for whoever plans queries."""
        for model in models:
            self.run(SQL("analyze {}").format(self.names.table(model)))

    def count(self, model: str) -> int:
        """Rows of a model's table."""
        ((rows,),) = self.rows(SQL("select count(*) from {}").format(self.names.table(model)))
        return int(rows)

    def bytes(self) -> int:
        """What the tenant's tables and indexes take up."""
        ((size,),) = self.rows(
            SQL(
                "select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c"
                " join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname = {}"
            ).format(Literal(self.names.schema))
        )
        return int(size)

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
        return int(self._cursor.adbc_ingest(layout.contract.name, rows, mode="append", db_schema_name=schema))

    def _partition(self, layout: Layout, days: Sequence[date]) -> None:
        wanted = months(days)
        if not wanted:
            return
        held = self._tables(self.names.schema)
        for first, last in wanted:
            if layout.partition_name(first, last) not in held:
                self.run(*layout.partition(first, last))
                self.grown.add(layout.contract.name)

    def _tables(self, schema: str) -> set[str]:
        found = self.rows(
            SQL(
                "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where c.relkind in ('r', 'p') and n.nspname = {}"
            ).format(Literal(schema))
        )
        return {name for (name,) in found}

    def _with_geometry(self) -> set[str]:
        found = self.rows(
            SQL(
                "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " join pg_attribute a on a.attrelid = c.oid"
                " where n.nspname = {} and a.attname = {} and not a.attisdropped"
            ).format(Literal(self.names.schema), Literal(GEOMETRY))
        )
        return {name for (name,) in found}

    def _has_older(self, project: Project, model: str, days: Sequence[date]) -> bool:
        """Whether days were published before that hold what the model is made of."""
        made_of, held = project.record_types_of(model), self._tables(self.names.schema)
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
