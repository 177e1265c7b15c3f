"""What a shared model's table looks like in PostgreSQL: columns, key, indexes, partitions, geometry and comments.

Everything is made from the model's contract; when it is made, and with what rows, is in `postgres_changes.py`. Large
tables are kept in another form, which is in `postgres_narrow.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from psycopg.sql import SQL, Composed, Identifier, Literal

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.dictionary.evolution import Step
from civitas_assets.publish.postgres.postgres_names import Names
from civitas_assets.publish.postgres.postgres_server import Statement

GEOMETRY = "geom"
_TYPES: Mapping[str, str] = {
    "varchar": "text",
    "double": "double precision",
    "integer": "integer",
    "bigint": "bigint",
    "boolean": "boolean",
    "date": "date",
    "timestamptz": "timestamptz",
    "blob": "bytea",
}
# Months since then have a partition each. What is older shares one: a statement locks every partition that it touches,
# and a century of weather would exhaust the server's table of locks.
_FIRST_MONTH = date(2015, 1, 1)
# Rows come day by day, so that few pages hold a day: an index of page ranges is small and finds them.
_BRIN = "pages_per_range = 16, autosummarize = on"
# A partition: its first day, and the day after its last one; None stands for the time before all months.
Month = tuple[date, date | None]


@dataclass(frozen=True)
class Platform:
    """What the database can do: the server's version as a number, and the schema of PostGIS where it is installed."""

    version: int
    postgis: str | None


@dataclass(frozen=True)
class TableLayout:
    """The table of one contract in a tenant's schema."""

    names: Names
    contract: Contract
    platform: Platform

    @property
    def stem(self) -> str:
        """The table that takes rows."""
        return self.contract.name

    @property
    def tables(self) -> Sequence[str]:
        """It, and those that belong to it; partitions aside."""
        return (self.stem,)

    @property
    def table(self) -> Identifier:
        """The table that takes rows, quoted."""
        return self.names.quote_table(self.stem)

    @property
    def relation(self) -> Identifier:
        """What analysts read, quoted."""
        return self.names.quote_table(self.contract.name)

    @property
    def columns(self) -> Mapping[str, str]:
        """The columns of the table that takes rows, in order, with the contract's types."""
        return {name: column.type for name, column in self.contract.columns.items()}

    @property
    def key(self) -> Sequence[str]:
        """What tells its rows apart."""
        return self.contract.key

    @property
    def by_day(self) -> bool:
        """Whether single days of it are replaced."""
        return self.contract.replaced == "replace_days"

    @property
    def is_partitioned(self) -> bool:
        """Whether it may become large: a fact with several rows a day of the same thing."""
        return self.by_day and any(
            self.contract.columns[column].type == "timestamptz" for column in self.contract.key
        )

    @property
    def has_position(self) -> bool:
        """Whether there is what a geometry is worked out from."""
        return "geometry_wkb" in self.contract.columns or {"lon", "lat"} <= self.contract.columns.keys()

    @property
    def order(self) -> Sequence[str]:
        """The order of rows in which the key's index grows with the fewest jumps, and a day lies together."""
        return (*(("day",) if self.by_day else ()), *(c for c in self.key if c != "day"))

    def create(self) -> Iterator[Statement]:
        """The table with its key and its indexes."""
        partitioned = SQL(" partition by range (day)") if self.is_partitioned else SQL("")
        yield SQL("create table {} ({}){}").format(self.table, self._columns(), partitioned)
        yield self._key()
        yield from self.indexes(self.columns)

    def create_collected(self) -> Iterator[Statement]:
        """The table of a rebuild: without key, and not logged, since it can be made again."""
        collected = self.names.quote_collected(self.contract.name)
        yield SQL("create unlogged table if not exists {} ({})").format(collected, self._columns())

    def take_collected(self, table: str, collected: Statement, wanted: Statement) -> Statement:
        """Fill a table with those rows of a query that are wanted."""
        columns = quote_columns(self.columns)
        return SQL("insert into {} ({}) select {} from ({}) as held where {} order by {}").format(
            self.names.quote_table(table), columns, columns, collected, wanted, quote_columns(self.order)
        )

    def indexes(self, columns: Iterable[str]) -> Iterator[Statement]:
        """Those in which one of the columns is: by day, and by what the model's rows are about."""
        wanted = {*columns}
        if self.by_day and "day" in wanted:
            yield SQL("create index on {} using brin (day) with ({})").format(self.table, SQL(_BRIN))
        for relation in self.contract.relations:
            if relation.column != self.key[0] and relation.column in wanted & self.columns.keys():
                by = [relation.column, *(("day",) if self.by_day else ())]
                yield SQL("create index on {} ({})").format(self.table, quote_columns(by))

    def create_partition(self, month: Month) -> Statement:
        """A table for the rows of a month, beside the table that it will be a partition of, and without indexes.

        Readers go on meanwhile, which they could not if it were made in that table.
        """
        return SQL("create table {} (like {} including generated)").format(
            self.names.quote_table(self.partition_name(month)), self.table
        )

    def attach_partition(self, month: Month) -> Statement:
        """Make it a partition, with the key and the indexes of all others."""
        first, last = month
        return SQL("alter table {} attach partition {} for values from ({}) to ({})").format(
            self.table,
            self.names.quote_table(self.partition_name(month)),
            SQL("minvalue") if last is None else Literal(first),
            Literal(last or _FIRST_MONTH),
        )

    def partition_name(self, month: Month) -> str:
        """What the partition is called."""
        return f"{self.stem}_{format_month(month)}"

    def add_geometry(self) -> Iterator[Statement]:
        """The column for PostGIS, worked out from the others by the server; none without PostGIS or a position."""
        expression = self._geometry()
        if expression is None:
            return
        kind = SQL("{}(geometry, 4326)").format(Identifier(self.platform.postgis or "", "geometry"))
        yield SQL("alter table {} add column {} {} generated always as ({}) stored").format(
            self.table, Identifier(GEOMETRY), kind, expression
        )
        yield SQL("create index on {} using gist ({})").format(self.table, Identifier(GEOMETRY))
        yield SQL("comment on column {} is {}").format(
            Identifier(self.names.schema, self.contract.name, GEOMETRY),
            Literal("Geometry in WGS 84, worked out from the other columns; for PostGIS."),
        )

    def needs_geometry(self, column: str | None) -> bool:
        """Whether the geometry is worked out from that column."""
        return column in {"lon", "lat", "geometry_wkb"}

    def comments(self) -> Iterator[Statement]:
        """What readers find about table and columns."""
        yield SQL("comment on table {} is {}").format(self.table, Literal(self.contract.description))
        yield from self.comments_on_columns()

    def comments_on_columns(self) -> Iterator[Statement]:
        """What readers find about columns."""
        for name, column in self.contract.columns.items():
            yield SQL("comment on column {} is {}").format(
                Identifier(self.names.schema, self.contract.name, name), Literal(column.description)
            )

    def alter(self, step: Step) -> Iterator[Statement]:
        """What takes a step of a column."""
        column = Identifier(step.column or "")
        if step.kind == "add_column":
            yield SQL("alter table {} add column {} {}").format(
                self.table, column, column_type_sql(step.type)
            )
            yield from self.indexes([step.column or ""])
        elif step.kind == "drop_column":
            yield SQL("alter table {} drop column {}").format(self.table, column)
        elif step.kind == "rename_column":
            yield SQL("alter table {} rename column {} to {}").format(
                self.table, Identifier(step.before or ""), column
            )
        elif step.kind == "widen_column":
            yield SQL("alter table {} alter column {} type {}").format(
                self.table, column, column_type_sql(step.type)
            )

    def _columns(self) -> Composed:
        return SQL(", ").join(
            SQL("{} {}").format(Identifier(name), column_type_sql(kind))
            for name, kind in self.columns.items()
        )

    def _key(self) -> Statement:
        """What tells rows apart; a partitioned table needs its day among it, which the other columns decide anyway."""
        key = [*self.key]
        if self.is_partitioned and "day" not in key:
            key.append("day")
        kind = "primary key"
        if any(c in self.contract.columns and self.contract.columns[c].nullable for c in key):
            kind = "unique nulls not distinct" if self.platform.version >= 150_000 else "unique"
        return SQL("alter table {} add {} ({})").format(self.table, SQL(kind), quote_columns(key))

    def _geometry(self) -> Statement | None:
        if self.platform.postgis is None:
            return None

        def call(function: str) -> Identifier:
            return Identifier(self.platform.postgis or "", function)

        if "geometry_wkb" in self.contract.columns:
            return SQL("{}({}({}(geometry_wkb)), 4326)").format(
                call("st_setsrid"), call("st_force2d"), call("st_geomfromwkb")
            )
        if {"lon", "lat"} <= self.contract.columns.keys():
            return SQL("{}({}(lon, lat), 4326)").format(call("st_setsrid"), call("st_makepoint"))
        return None


def group_by_month(days: Iterable[date]) -> Mapping[Month, Sequence[date]]:
    """The partitions that days belong to, in order, each with its days."""
    found: dict[Month, list[date]] = {}
    for day in sorted(days):
        first = day.replace(day=1)
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        month = (first, following) if day >= _FIRST_MONTH else (date.min, None)
        found.setdefault(month, []).append(day)
    return found


def format_month(month: Month) -> str:
    """What the partitions of a month end in."""
    first, last = month
    return f"before_{_FIRST_MONTH.year}" if last is None else f"y{first.year:04d}m{first.month:02d}"


def column_type_sql(kind: str | None) -> SQL:
    """The type for one of a contract's."""
    return SQL(_TYPES[kind or ""])  # a constant of this module


def quote_columns(columns: Iterable[str]) -> Composed:
    """Names of columns, quoted."""
    return SQL(", ").join(map(Identifier, columns))
