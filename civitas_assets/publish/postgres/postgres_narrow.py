"""The narrow form of large tables in PostgreSQL: numbers instead of texts, under a view that shows the contract.

A fact with several rows a day says the same texts again and again: of which thing it is, in which unit, how good. They
are kept once, in small tables of what is numbered, and a row holds their numbers; its other columns lie by their width,
so that nothing is lost to alignment. Analysts read a view of the model's name with the contract's columns. What numbers
rows get is in `postgres_numbers.py`, and how wide tables become narrow in `postgres_changes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from psycopg.sql import SQL, Composed, Identifier, Literal

from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.dictionary.evolution import Step
from civitas_assets.publish.postgres.postgres_names import Names
from civitas_assets.publish.postgres.postgres_server import Statement
from civitas_assets.publish.postgres.postgres_tables import TableLayout, column_type_sql, quote_columns

ID = "id"
# What differs from run to run has numbers of its own; else all that is said of things would be new every night.
_PER_RUN = frozenset({"run_id"})
LABEL, RUN = "label", "run"
# The widest first, and texts at the end.
_WIDTHS = ("timestamptz", "double", "bigint", "date", "integer", "boolean", "varchar", "blob")


@dataclass(frozen=True)
class Dimension:
    """Columns whose values are kept once for all rows that have them together."""

    name: str
    columns: tuple[str, ...]

    @property
    def number(self) -> str:
        """The column of a row that holds its number; no contract has such a name."""
        return f"_{self.name}"


def make_inner_name(model: str) -> str:
    """The table that has a model's rows in the narrow form; no model's name begins so."""
    return f"_{model}"


def make_dimension_name(model: str, dimension: str) -> str:
    """The table of what is numbered."""
    return f"_{model}_{dimension}"


def list_parts_of_view(model: str) -> Sequence[str]:
    """The tables under a model's view, which there may be."""
    return (make_inner_name(model), *(make_dimension_name(model, name) for name in (LABEL, RUN)))


def choose_dimensions(
    contract: Contract, held: Mapping[str, str | None] | None = None
) -> tuple[Dimension, ...]:
    """What is numbered: what many rows have in common, by the contract; what is measured and free texts stay in rows.

    Args:
        contract: The model's.
        held: Of columns that are there the dimension that has them, and None of those that rows have themselves.
    """
    found: dict[str, list[str]] = {LABEL: [], RUN: []}
    there = found.keys() if held is None else {*held.values()}
    for name, column in contract.columns.items():
        before = column.renamed_from or ""
        if held is not None and (name in held or before in held):
            place = held[name] if name in held else held[before]
        elif name in _PER_RUN:
            place = RUN
        else:
            place = LABEL if _repeats(name, column) else None
        if place is not None and place in there:
            found[place].append(name)
    return tuple(Dimension(name, tuple(columns)) for name, columns in found.items() if columns)


def _repeats(name: str, column: ModelColumn) -> bool:
    """Whether many rows of the same thing have the same value: texts, yes or no, and which version of it counts."""
    if column.type == "varchar":
        return not column.free_text
    return column.type == "boolean" or (column.type == "integer" and name.endswith("_version"))


def make_narrow_layout(layout: TableLayout) -> TableLayout:
    """The narrow form of a table, or the table where it is small, has a position for maps, or nothing to number."""
    dimensions = choose_dimensions(layout.contract)
    if not layout.is_partitioned or layout.has_position or not dimensions:
        return layout
    return Narrow(layout.names, layout.contract, layout.platform, dimensions)


@dataclass(frozen=True)
class Narrow(TableLayout):
    """The tables under a model's view, and the view."""

    dimensions: tuple[Dimension, ...]

    @property
    def stem(self) -> str:
        """See `TableLayout`."""
        return make_inner_name(self.contract.name)

    @property
    def tables(self) -> Sequence[str]:
        """See `TableLayout`."""
        return (self.stem, *(make_dimension_name(self.contract.name, d.name) for d in self.dimensions))

    @cached_property
    def _place(self) -> Mapping[str, Dimension]:
        return {column: dimension for dimension in self.dimensions for column in dimension.columns}

    @property
    def columns(self) -> Mapping[str, str]:
        """See `TableLayout`; the widest first."""
        own = {name: c.type for name, c in self.contract.columns.items() if name not in self._place}
        own |= {dimension.number: "integer" for dimension in self.dimensions}
        return dict(sorted(own.items(), key=lambda item: _WIDTHS.index(item[1])))

    @property
    def key(self) -> Sequence[str]:
        """See `TableLayout`; the number of what a row is about comes first, since queries ask for it."""
        numbers = [self._place[name].number for name in self.contract.key if name in self._place]
        return (*dict.fromkeys(numbers), *(name for name in self.contract.key if name not in self._place))

    def quote_dimension(self, schema: str, dimension: Dimension) -> Identifier:
        """The table of what is numbered, quoted."""
        return Identifier(schema, make_dimension_name(self.contract.name, dimension.name))

    def create(self) -> Iterator[Statement]:
        """See `TableLayout`; with the view."""
        yield from self.create_tables()
        yield self.show(self.contract.columns)

    def create_tables(self) -> Iterator[Statement]:
        """What is under the view."""
        for dimension in self.dimensions:
            yield self._create_shelf(SQL("create table"), self.names.schema, dimension)
        yield from super().create()

    def create_collected(self) -> Iterator[Statement]:
        """See `TableLayout`; with tables of what is numbered, which a rebuild gives numbers of its own."""
        for dimension in self.dimensions:
            yield self._create_shelf(
                SQL("create unlogged table if not exists"), self.names.rebuild, dimension
            )
        yield from super().create_collected()

    def show(self, columns: Iterable[str]) -> Statement:
        """The view, with the contract's columns in that order; one that is there may only get more at its end."""
        return SQL("create or replace view {} as {}").format(
            self.relation, self.decoded(self.table, self.names.schema, columns)
        )

    def decoded(self, rows: Identifier, schema: str, columns: Iterable[str]) -> Composed:
        """A query that gives rows as the contract has them.

        Outer joins on what is unique cost nothing where a query asks for no column of them.
        """
        chosen = SQL(", ").join(
            SQL("{}.{}").format(
                Identifier(self._place[c].name if c in self._place else "held"), Identifier(c)
            )
            for c in columns
        )
        joins = [
            SQL(" left join {} as {} on {} = held.{}").format(
                self.quote_dimension(schema, dimension),
                Identifier(dimension.name),
                Identifier(dimension.name, ID),
                Identifier(dimension.number),
            )
            for dimension in self.dimensions
        ]
        return SQL("select {} from {} as held{}").format(chosen, rows, SQL("").join(joins))

    def number_all(self, rows: Identifier) -> Iterator[Statement]:
        """Number what a table of wide rows holds."""
        for dimension in self.dimensions:
            columns = quote_columns(dimension.columns)
            yield SQL(
                "insert into {} ({}, {}) select row_number() over (), * from (select distinct {} from {}"
                " where num_nonnulls({}) > 0) as made"
            ).format(
                self.quote_dimension(self.names.schema, dimension),
                Identifier(ID),
                columns,
                columns,
                rows,
                columns,
            )

    def take_wide(self, table: str, rows: Identifier, wanted: Statement) -> Statement:
        """Fill a table with the rows of a wide one, whose texts are numbered."""
        numbers = {dimension.number: dimension for dimension in self.dimensions}
        chosen = SQL(", ").join(
            SQL("{}.{} as {}").format(Identifier(numbers[name].name), Identifier(ID), Identifier(name))
            if name in numbers
            else SQL("held.{}").format(Identifier(name))
            for name in self.columns
        )
        joins = [
            SQL(" left join {} as {} on {} = {}").format(
                self.quote_dimension(self.names.schema, dimension),
                Identifier(dimension.name),
                _told(dimension.name, dimension.columns),
                _told("held", dimension.columns),
            )
            for dimension in self.dimensions
        ]
        return SQL("insert into {} ({}) select {} from {} as held{} where {} order by {}").format(
            self.names.quote_table(table),
            quote_columns(self.columns),
            chosen,
            rows,
            SQL("").join(joins),
            wanted,
            quote_columns(self.order),
        )

    def comments(self) -> Iterator[Statement]:
        """See `TableLayout`; what is under the view says where to read."""
        yield SQL("comment on view {} is {}").format(self.relation, Literal(self.contract.description))
        yield from self.comments_on_columns()
        for table in self.tables:
            yield SQL("comment on table {} is {}").format(
                self.names.quote_table(table), Literal(f"How {self.contract.name} is kept; read the view.")
            )

    def alter(self, step: Step) -> Iterator[Statement]:
        """See `TableLayout`; what the view shows is another step."""
        now = step.column or ""
        dimension = self._place.get(now)
        table = self.table if dimension is None else self.quote_dimension(self.names.schema, dimension)
        if step.kind == "drop_column":  # the contract does not know it any more
            for name in self.tables:
                yield SQL("alter table {} drop column if exists {}").format(
                    self.names.quote_table(name), Identifier(now)
                )
        elif step.kind == "add_column":
            yield SQL("alter table {} add column {} {}").format(
                table, Identifier(now), column_type_sql(step.type)
            )
            yield from self.indexes([now])
        elif step.kind == "rename_column":
            yield SQL("alter table {} rename column {} to {}").format(
                table, Identifier(step.before or ""), Identifier(now)
            )
        elif step.kind == "widen_column":
            yield SQL("alter table {} alter column {} type {}").format(
                table, Identifier(now), column_type_sql(step.type)
            )

    def _create_shelf(self, create: Statement, schema: str, dimension: Dimension) -> Statement:
        columns = SQL(", ").join(
            SQL("{} {}").format(Identifier(name), column_type_sql(self.contract.columns[name].type))
            for name in dimension.columns
        )
        return SQL("{} {} ({} integer primary key, {})").format(
            create, self.quote_dimension(schema, dimension), Identifier(ID), columns
        )


def hindrances_sql(names: Names, model: str) -> Statement:
    """What would be lost with a model's table, such as views of others: what it is, and the schema of a view."""
    return SQL(
        "with own as (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = {0} and c.relname = {1}"
        " union select i.inhrelid from pg_inherits i join pg_class c on c.oid = i.inhparent"
        " join pg_namespace n on n.oid = c.relnamespace where n.nspname = {0} and c.relname = {1})"
        " select distinct coalesce('view ' || v.oid::regclass::text,"
        " pg_describe_object(d.classid, d.objid, d.objsubid)), coalesce(n.nspname::text, '')"
        " from pg_depend d left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid"
        " left join pg_class v on v.oid = r.ev_class left join pg_namespace n on n.oid = v.relnamespace"
        " where d.refclassid = 'pg_class'::regclass and d.refobjid in (select oid from own)"
        " and d.deptype = 'n' and not (d.classid = 'pg_class'::regclass and d.objid in (select oid from own))"
        " order by 1"
    ).format(Literal(names.schema), Literal(model))


def _told(table: str, columns: Iterable[str]) -> Composed:
    """What stands for several values together, so that the server can hash it; nulls are not empty texts."""
    return SQL(" || ',' || ").join(
        SQL("quote_nullable({}::text)").format(Identifier(table, column)) for column in columns
    )
