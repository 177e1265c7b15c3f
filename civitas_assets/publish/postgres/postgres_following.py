"""Tables that follow their contracts: making, altering, renaming and dropping them, with the views on them.

What they look like is in `postgres_tables.py` and `postgres_narrow.py`; rows come in `postgres_changes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import groupby

import adbc_driver_postgresql.dbapi as adbc
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.dictionary.evolution import Evolution, Step
from civitas_assets.harmonise.project import Project
from civitas_assets.publish.postgres.postgres_names import PUBLICATION, UNFILLED, Names
from civitas_assets.publish.postgres.postgres_narrow import (
    Narrow,
    hindrances_sql,
    list_parts_of_view,
    make_narrow_layout,
)
from civitas_assets.publish.postgres.postgres_server import Statement
from civitas_assets.publish.postgres.postgres_session import PostgresSession
from civitas_assets.publish.postgres.postgres_tables import GEOMETRY, TableLayout

META = (
    (PUBLICATION, "contracts text not null, run_id text, published_at timestamptz not null default now()"),
    (UNFILLED, "model text not null, column_name text"),
)


class Following(PostgresSession):
    """A transaction that brings tables to their contracts."""

    def __init__(self, cursor: adbc.Cursor, names: Names) -> None:
        super().__init__(cursor, names)
        self.created: set[str] = set()  # models whose tables this transaction made

    def prepare(self, layouts: Iterable[TableLayout]) -> None:
        """Make the tables that are not there, and the geometry where it has become possible."""
        held = self.list_relations(self.names.schema)
        for table, columns in META:
            if table not in held:
                self.run(SQL("create table {} ({})").format(self.names.quote_table(table), SQL(columns)))
        with_geometry = self.list_tables_with_geometry()
        for layout in layouts:
            name = layout.contract.name
            if name not in held:
                self.run(*layout.create())
                self.created.add(name)
            if name not in with_geometry:
                self.run(*layout.add_geometry())

    def drop(self, models: Iterable[str]) -> None:
        """Drop tables of models that cannot be kept."""
        held = self.list_relations(self.names.schema)
        for model in models:
            if model in held and held[model].is_view:
                self.run(SQL("drop view {}").format(self.names.quote_table(model)))
            for table in (model, *list_parts_of_view(model)):
                if table in held and not held[table].is_view:
                    self.run(SQL("drop table {}").format(self.names.quote_table(table)))

    def follow(
        self, change: Evolution, project: Project, layouts: Mapping[str, TableLayout], days: Sequence[date]
    ) -> None:
        """Take the steps that lead the tables to their contracts, and note what then lacks its history."""
        with_geometry = self.list_tables_with_geometry()
        for model, of_model in groupby(change.steps, key=lambda step: step.model):
            steps = [*of_model]
            for step in steps:
                if step.kind == "drop_model":
                    self.drop([model])
                elif step.kind == "rename_model":
                    self._rename(step.before or "", model)
            if model not in layouts:
                continue
            layout = layouts[model]
            with self._showing(layout, steps):
                for step in steps:
                    if layout.needs_geometry(step.column) and model in with_geometry:
                        geometry = Identifier(GEOMETRY)
                        self.run(SQL("alter table {} drop column {}").format(layout.table, geometry))
                        with_geometry.remove(model)
                    self.run(*layout.alter(step))
            for step in steps:
                if step.kind not in {"add_model", "add_column"} or not layout.by_day:
                    continue
                if self._has_older(project, model, days):
                    self.run(
                        SQL("insert into {} values ({}, {})").format(
                            self.names.quote_table(UNFILLED), Literal(model), Literal(step.column)
                        )
                    )

    def find_hindrances(self, model: str) -> list[str]:
        """What would be lost with a model's table, such as views of others."""
        return [text for text, _ in self.query_rows(hindrances_sql(self.names, model))]

    def _rename(self, before: str, model: str) -> None:
        """Rename a table and its partitions."""
        held = self.list_relations(self.names.schema)
        tables = [name for name in (before, *list_parts_of_view(before)) if name in held]
        for name in [*tables, *(partition for table in tables for partition in self.list_partitions(table))]:
            self.run(
                SQL("alter table {} rename to {}").format(
                    self.names.quote_table(name), Identifier(name.replace(before, model, 1))
                )
            )

    @contextmanager
    def _showing(self, layout: TableLayout, steps: Sequence[Step]) -> Iterator[None]:
        """Change what is under a view, which is made anew only where a column goes or gets another type."""
        if not isinstance(layout, Narrow) or not any(step.column for step in steps):
            yield
            return
        names = {step.before: step.column for step in steps if step.kind == "rename_column"}
        held = self.list_relations(self.names.schema)[layout.contract.name].columns
        kept = {name: names.get(name) or name for name in held}
        kept = {name: now for name, now in kept.items() if now in layout.contract.columns}
        is_anew = any(step.kind in {"drop_column", "widen_column"} for step in steps)
        rights = self.grants_sql(layout.contract.name, kept) if is_anew else []
        if is_anew:
            self.run(SQL("drop view {}").format(layout.relation))
        else:
            for before, now in kept.items():
                if before != now:
                    self.run(
                        SQL("alter view {} rename column {} to {}").format(
                            layout.relation, Identifier(before), Identifier(now)
                        )
                    )
        yield
        self.run(layout.show([*dict.fromkeys([*kept.values(), *layout.contract.columns])]), *rights)

    def _has_older(self, project: Project, model: str, days: Sequence[date]) -> bool:
        """Whether days were published before that hold what the model is made of."""
        made_of, held = project.find_record_types(model), self.list_models()
        kin = [
            m.name
            for m in project.models.values()
            if m.by_day and m.name in held and project.find_record_types(m.name) & made_of
        ]
        return any(
            self.query_rows(
                SQL("select 1 from {} where not day = any({}) limit 1").format(
                    self.names.quote_table(name), days_array_sql(days)
                )
            )
            for name in kin
        )


def find_unfit(
    held: Mapping[str, Contract] | None, contracts: Mapping[str, Contract], tables: set[str]
) -> set[str]:
    """Tables that a rebuild cannot fill, since their columns or keys are not those of the contract, or unknown."""
    if held is None:
        return tables & contracts.keys()
    return {name for name in tables if _shape(held.get(name)) != _shape(contracts.get(name))}


def find_misplaced(layouts: Mapping[str, TableLayout]) -> set[str]:
    """Narrow tables in which something else is numbered than would be now."""
    return {
        name
        for name, layout in layouts.items()
        if isinstance(layout, Narrow) and make_narrow_layout(layout) != layout
    }


def list_wide(layouts: Mapping[str, TableLayout]) -> list[str]:
    """Models that are still kept in the wide form, and could be in the narrow one."""
    return [
        name
        for name, layout in layouts.items()
        if not isinstance(layout, Narrow) and isinstance(make_narrow_layout(layout), Narrow)
    ]


def _shape(contract: Contract | None) -> object:
    if contract is None:
        return None
    columns = {name: column.type for name, column in contract.columns.items()}
    nullable = [contract.columns[name].nullable for name in contract.key]
    return columns, contract.key, nullable, contract.replaced


def days_array_sql(days: Iterable[date]) -> Statement:
    """Days as an array of the server's SQL."""
    return SQL("{}::date[]").format(Literal("{" + ",".join(day.isoformat() for day in days) + "}"))
