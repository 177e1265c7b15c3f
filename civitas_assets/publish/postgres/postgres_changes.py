"""A transaction in a tenant's schemas: replacing days, collecting a rebuild, and making wide tables narrow.

How tables follow their contracts is in `postgres_following.py`; when a transaction is tried again is in `postgres.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import adbc_driver_postgresql.dbapi as adbc
import msgspec
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.publish.postgres.postgres_following import META, Following, days_array_sql
from civitas_assets.publish.postgres.postgres_names import COLLECTED, PUBLICATION, UNFILLED, Names
from civitas_assets.publish.postgres.postgres_narrow import ID, LABEL, Narrow, make_narrow_layout
from civitas_assets.publish.postgres.postgres_numbers import Numbers
from civitas_assets.publish.postgres.postgres_server import Statement
from civitas_assets.publish.postgres.postgres_tables import Month, TableLayout, group_by_month, quote_columns
from civitas_assets.publish.workspace_reader import WorkspaceRows


class Changes(Following):
    """What happens together, or not at all."""

    def __init__(self, cursor: adbc.Cursor, names: Names) -> None:
        super().__init__(cursor, names)
        self.grown: dict[str, list[str]] = {}  # tables that got partitions, with their names

    def replace(self, layout: TableLayout, rows: WorkspaceRows, days: Sequence[date]) -> int:
        """Replace the days, or all rows of a model that has none; the number of rows that came."""
        if layout.contract.name not in self.created:
            condition = SQL(" where day = any({})").format(days_array_sql(days)) if layout.by_day else SQL("")
            with self._forgetting(layout, days):
                self.run(SQL("delete from {}{}").format(layout.table, condition))
                return self._fill(layout, rows)
        return self._fill(layout, rows)

    def replace_all(self, layout: TableLayout, rows: WorkspaceRows, days: Sequence[date]) -> None:
        """Replace everything by what a rebuild has collected, and by the rows of its last portion."""
        name = layout.contract.name
        if name not in self.created:
            for table in layout.tables:
                self.run(SQL("delete from {}").format(self.names.quote_table(table)))
        is_collected = name in self.list_tables(self.names.rebuild)
        source = self._collected(layout)
        if not layout.is_partitioned:
            if is_collected:
                self.run(
                    layout.take_collected(name, source, SQL("not day = any({})").format(days_array_sql(days)))
                )
            self.load(self.names.schema, name, replace(rows, order=layout.order).read())
            return
        if isinstance(layout, Narrow) and is_collected:
            for dimension in layout.dimensions:
                self.run(
                    SQL("insert into {} ({}) select {} from {}").format(
                        layout.quote_dimension(self.names.schema, dimension),
                        quote_columns([ID, *dimension.columns]),
                        quote_columns([ID, *dimension.columns]),
                        layout.quote_dimension(self.names.rebuild, dimension),
                    )
                )
        rows = self._as_kept(layout, self.names.schema, rows)
        earlier: Sequence[date] = ()
        if is_collected:
            found = self.query_rows(
                SQL("select distinct day from {}").format(self.names.quote_collected(name))
            )
            earlier = [day for (day,) in found if day not in {*days}]
        collected, last = group_by_month(earlier), group_by_month(rows.days)
        for month in sorted({*collected, *last}):
            with self._filling(layout, month) as table:
                if month in collected:
                    wanted = SQL("day = any({})").format(days_array_sql(collected[month]))
                    self.run(layout.take_collected(table, source, wanted))
                if month in last:
                    self.load(self.names.schema, table, rows.read(last[month]))

    def collect(self, layout: TableLayout, rows: WorkspaceRows) -> None:
        """Keep rows of a rebuild."""
        layout = make_narrow_layout(layout)
        self.run(*layout.create_collected())
        self.load(
            self.names.rebuild, layout.contract.name, self._as_kept(layout, self.names.rebuild, rows).read()
        )

    def read_collected(self) -> Mapping[date, str]:
        """The days of a rebuild under way, with their versions."""
        if COLLECTED not in self.list_tables(self.names.rebuild):
            return {}
        return dict(
            self.query_rows(SQL("select day, version from {}").format(self.names.quote_collected(COLLECTED)))
        )

    def remember_collected(self, models: Iterable[str], versions: Mapping[date, str]) -> None:
        """Say which days of a rebuild come now; what was collected of them before goes."""
        table = self.names.quote_collected(COLLECTED)
        self.run(
            SQL("create unlogged table if not exists {} (day date primary key, version text)").format(table)
        )
        old = sorted(self.read_collected().keys() & versions.keys())
        for name in self.list_tables(self.names.rebuild) & {COLLECTED, *models} if old else ():
            self.run(
                SQL("delete from {} where day = any({})").format(
                    self.names.quote_collected(name), days_array_sql(old)
                )
            )
        for day, version in versions.items():
            self.run(SQL("insert into {} values ({}, {})").format(table, Literal(day), Literal(version)))

    def forget_collected(self) -> None:
        """Drop what a rebuild has collected."""
        for name in self.list_tables(self.names.rebuild):
            self.run(SQL("drop table {}").format(self.names.quote_collected(name)))

    def remember_contracts(self, schema: str, contracts: Mapping[str, Contract], run_id: str | None) -> None:
        """Say which contracts the tables follow, and who made them when."""
        table = Identifier(schema, PUBLICATION)
        if schema == self.names.rebuild:
            self.run(SQL("create unlogged table if not exists {} ({})").format(table, SQL(META[0][1])))
        self.run(SQL("delete from {}").format(table))
        content = msgspec.json.encode(contracts).decode()
        self.run(
            SQL("insert into {} (contracts, run_id) values ({}, {})").format(
                table, Literal(content), Literal(run_id)
            )
        )

    def list_stale_tables(self, layouts: Mapping[str, TableLayout]) -> list[str]:
        """The tables that the server knows too little of to plan queries well: what is new.

        A partitioned table as a whole is among them each time that it has doubled. To look at it means to look at all
        of its partitions, and what is asked of it, such as how many things are measured, changes slowly.
        """
        found = [table for model in sorted(self.created) for table in layouts[model].tables]
        for name, partitions in sorted(self.grown.items()):
            if name not in found:
                months = len(self.list_partitions(name))
                has_doubled = months.bit_length() != (months - len(partitions)).bit_length()
                found += [name] if has_doubled else partitions
        return found

    def make_narrow(self, wide: TableLayout, lock: Callable[[Identifier], None]) -> None:
        """Bring a table into the narrow form: rows are copied, and only then a view takes its place.

        What is given on it stays, readers see the table or the view, and `lock` waits for those that read it.
        """
        layout = make_narrow_layout(wide)
        if isinstance(wide, Narrow) or not isinstance(layout, Narrow):
            return  # another process was faster
        self.run(*layout.create_tables(), *layout.number_all(wide.table))
        days = [day for (day,) in self.query_rows(SQL("select distinct day from {}").format(wide.table))]
        for month, own in group_by_month(days).items():
            with self._filling(layout, month) as table:
                self.run(
                    layout.take_wide(table, wide.table, SQL("day = any({})").format(days_array_sql(own)))
                )
        self.analyze(layout.tables)
        columns = self.list_relations(self.names.schema)[
            wide.stem
        ].columns  # in the order in which readers know them
        rights = self.grants_sql(wide.stem, {name: name for name in columns})
        lock(wide.table)
        self.run(SQL("drop table {}").format(wide.table), layout.show(columns), *rights, *layout.comments())

    def list_unfilled(self) -> tuple[str, ...]:
        """Models and columns without values on days that were published before they came."""
        found = self.query_rows(
            SQL("select model, column_name from {} order by 1, 2").format(self.names.quote_table(UNFILLED))
        )
        return tuple(f"{model}.{column}" if column else model for model, column in found)

    def fill(self) -> None:
        """Every day has its values."""
        self.run(SQL("delete from {}").format(self.names.quote_table(UNFILLED)))

    def _fill(self, layout: TableLayout, rows: WorkspaceRows) -> int:
        """Load rows into a table that has none of their days; how many they were."""
        if not layout.is_partitioned:
            return self.load(self.names.schema, layout.stem, replace(rows, order=layout.order).read())
        if rows.days:
            rows = self._as_kept(layout, self.names.schema, rows)
        loaded = 0
        for month, own in group_by_month(rows.days).items():
            with self._filling(layout, month) as table:
                loaded += self.load(self.names.schema, table, rows.read(own))
        return loaded

    def _as_kept(self, layout: TableLayout, schema: str, rows: WorkspaceRows) -> WorkspaceRows:
        """Rows in the form and the order of their table."""
        if isinstance(layout, Narrow):
            return Numbers(self, layout, schema).put_in(rows)
        return replace(rows, order=layout.order)

    @contextmanager
    def _forgetting(self, layout: TableLayout, days: Sequence[date]) -> Iterator[None]:
        """Replace days, and keep no text that no row has any more."""
        label = (
            next((d for d in layout.dimensions if d.name == LABEL), None)
            if isinstance(layout, Narrow)
            else None
        )
        if label is None or not isinstance(layout, Narrow):
            yield
            return
        number = Identifier(label.number)
        used = SQL("select distinct {0} from {1} where day = any({2}) and {0} is not null").format(
            number, layout.table, days_array_sql(days)
        )
        before = {held for (held,) in self.query_rows(used)}
        yield
        gone = before - {held for (held,) in self.query_rows(used)} if before else set()
        if gone:
            self.run(
                SQL(
                    "delete from {} as label where {} = any({}) and not exists (select from {} where {} = label.{})"
                ).format(
                    layout.quote_dimension(self.names.schema, label),
                    Identifier(ID),
                    Literal([*gone]),
                    layout.table,
                    number,
                    Identifier(ID),
                )
            )

    def _collected(self, layout: TableLayout) -> Statement:
        """What a rebuild has collected for a model, as its table takes it; large models are collected narrow."""
        collected, form = self.names.quote_collected(layout.contract.name), make_narrow_layout(layout)
        if isinstance(form, Narrow) and not isinstance(layout, Narrow):
            return form.decoded(collected, self.names.rebuild, layout.contract.columns)
        return SQL("select * from {}").format(collected)

    @contextmanager
    def _filling(self, layout: TableLayout, month: Month) -> Iterator[str]:
        """The table that takes the rows of a month.

        Where the month is new, that is a partition of its own without any index, which joins the others when it is
        full: the server makes its indexes then, in half the time that they would take row by row.
        """
        name, partition = layout.stem, layout.partition_name(month)
        if partition in self.list_tables(self.names.schema):
            yield name
            return
        self.run(layout.create_partition(month))
        yield partition
        self.run(layout.attach_partition(month))
        self.grown.setdefault(name, []).append(partition)
