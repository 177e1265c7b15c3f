"""A transaction in a tenant's schemas: following contracts, replacing days, collecting a rebuild.

What statements look like is in `postgres_tables.py`; when a transaction is tried again is in `postgres.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

import adbc_driver_postgresql.dbapi as adbc
import msgspec
import pyarrow as pa
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.dictionary.evolution import Evolution
from civitas_assets.harmonise.project import Project
from civitas_assets.publish.made import Rows
from civitas_assets.publish.postgres_names import COLLECTED, PUBLICATION, UNFILLED, Names
from civitas_assets.publish.postgres_server import Statement
from civitas_assets.publish.postgres_session import Session
from civitas_assets.publish.postgres_tables import GEOMETRY, Layout, Month, by_month

_META = (
    (PUBLICATION, "contracts text not null, run_id text, published_at timestamptz not null default now()"),
    (UNFILLED, "model text not null, column_name text"),
)


class Changes(Session):
    """What happens together, or not at all."""

    def __init__(self, cursor: adbc.Cursor, names: Names) -> None:
        super().__init__(cursor, names)
        self.created: set[str] = set()  # models whose tables this transaction made
        self.grown: dict[str, list[str]] = {}  # models that got partitions, with their names

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

    def replace(self, layout: Layout, rows: Rows, days: Sequence[date]) -> int:
        """Replace the days, or all rows of a model that has none; the number of rows that came."""
        if layout.contract.name not in self.created:
            condition = SQL(" where day = any({})").format(_array(days)) if layout.by_day else SQL("")
            self.run(SQL("delete from {}{}").format(layout.table, condition))
        if not layout.is_partitioned:
            return self._load(self.names.schema, layout.contract.name, rows.read())
        loaded = 0
        for month, own in by_month(rows.days).items():
            with self._filling(layout, month) as table:
                loaded += self._load(self.names.schema, table, rows.read(own))
        return loaded

    def replace_all(self, layout: Layout, rows: Rows, days: Sequence[date]) -> None:
        """Replace everything by what a rebuild has collected, and by the rows of its last portion."""
        name = layout.contract.name
        if name not in self.created:
            self.run(SQL("delete from {}").format(layout.table))
        is_collected = name in self.tables(self.names.rebuild)
        if not layout.is_partitioned:
            if is_collected:
                self.run(layout.take_collected(name, SQL("not day = any({})").format(_array(days))))
            self._load(self.names.schema, name, rows.read())
            return
        earlier: Sequence[date] = ()
        if is_collected:
            found = self.rows(SQL("select distinct day from {}").format(self.names.collected(name)))
            earlier = [day for (day,) in found if day not in {*days}]
        collected, last = by_month(earlier), by_month(rows.days)
        for month in sorted({*collected, *last}):
            with self._filling(layout, month) as table:
                if month in collected:
                    wanted = SQL("day = any({})").format(_array(collected[month]))
                    self.run(layout.take_collected(table, wanted))
                if month in last:
                    self._load(self.names.schema, table, rows.read(last[month]))

    def collect(self, layout: Layout, rows: Rows) -> None:
        """Keep rows of a rebuild."""
        self.run(layout.create_collected())
        self._load(self.names.rebuild, layout.contract.name, rows.read())

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

    def stale(self) -> list[str]:
        """The tables that the server knows too little of to plan queries well: what is new.

        A partitioned table as a whole is among them each time that it has doubled. To look at it means to look at all
        of its partitions, and what is asked of it, such as how many things are measured, changes slowly.
        """
        found = sorted(self.created)
        for name, partitions in sorted(self.grown.items()):
            if name not in self.created:
                months = len(self.partitions(name))
                has_doubled = months.bit_length() != (months - len(partitions)).bit_length()
                found += [name] if has_doubled else partitions
        return found

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
        for name in (before, *self.partitions(before)):
            self.run(
                SQL("alter table {} rename to {}").format(
                    self.names.table(name), Identifier(model + name.removeprefix(before))
                )
            )

    def _load(self, schema: str, table: str, rows: pa.RecordBatchReader) -> int:
        return int(self.cursor.adbc_ingest(table, rows, mode="append", db_schema_name=schema))

    @contextmanager
    def _filling(self, layout: Layout, month: Month) -> Iterator[str]:
        """The table that takes the rows of a month.

        Where the month is new, that is a partition of its own without any index, which joins the others when it is
        full: the server makes its indexes then, in half the time that they would take row by row.
        """
        name, partition = layout.contract.name, layout.partition_name(month)
        if partition in self.tables(self.names.schema):
            yield name
            return
        self.run(layout.create_partition(month))
        yield partition
        self.run(layout.attach_partition(month))
        self.grown.setdefault(name, []).append(partition)

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
