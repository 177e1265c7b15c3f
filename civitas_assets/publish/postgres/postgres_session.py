"""A transaction in a tenant's schemas: whom it acts as, and what it finds there.

What it changes is in `postgres_changes.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import msgspec
import pyarrow as pa
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.errors import PublishError
from civitas_assets.publish.postgres.postgres_names import PUBLICATION, Names
from civitas_assets.publish.postgres.postgres_narrow import (
    LABEL,
    RUN,
    Narrow,
    choose_dimensions,
    make_dimension_name,
    make_inner_name,
    make_narrow_layout,
)
from civitas_assets.publish.postgres.postgres_server import Statement, to_statement_text
from civitas_assets.publish.postgres.postgres_tables import GEOMETRY, Platform, TableLayout

# The first of the two numbers of an advisory lock; the second stands for the tenant.
_PUBLISHING = 4_711
_HAS_LOCK = "civitas.has_lock"


@dataclass(frozen=True)
class DatabaseRelation:
    """A table or a view, and its columns in their order."""

    is_view: bool
    columns: Sequence[str]


class PostgresSession:
    """An open transaction."""

    def __init__(self, cursor: adbc.Cursor, names: Names) -> None:
        self.cursor = cursor
        self.names = names

    def run(self, *statements: Statement) -> None:
        """Run statements that give nothing."""
        for statement in statements:
            self.cursor.execute(to_statement_text(statement))

    def query_rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        self.cursor.execute(to_statement_text(statement))
        return list(self.cursor.fetchall())

    def query_table(self, statement: Statement) -> pa.Table:
        """The rows of a query, as Arrow."""
        self.cursor.execute(to_statement_text(statement))
        return self.cursor.fetch_arrow_table()

    def load(self, schema: str, table: str, rows: pa.RecordBatchReader) -> int:
        """Copy rows into a table; how many they were."""
        return int(self.cursor.adbc_ingest(table, rows, mode="append", db_schema_name=schema))

    def is_published(self) -> bool:
        """Whether the tenant's schema says what is in it; asked before acting as a role, which may not exist yet."""
        return PUBLICATION in self.list_tables(self.names.schema)

    def begin(self, limits: Iterable[Statement]) -> None:
        """Act as the tenant's writer from here on, and for no longer than the limits."""
        self.run(*limits, SQL("set local search_path = pg_catalog"))
        self.run(SQL("set local role {}").format(Identifier(self.names.writer)))

    def acquire_lock(self) -> None:
        """Wait until no other transaction publishes for the tenant, from whichever machine."""
        self.run(
            SQL("select pg_advisory_xact_lock({}, hashtext({}))").format(
                Literal(_PUBLISHING), Literal(self.names.slug)
            )
        )

    def lock(self, table: Identifier, pauses: Iterable[float], pause: Callable[[float], None]) -> None:
        """Have a table without any readers from here on; those that begin meanwhile wait, but never for long.

        `_publication` is locked with it: who reads a state of several tables has looked there first, and shall not find
        that state gone.

        Raises:
            PublishError: some read it all the time.
        """
        # The driver (ADBC 1.13) takes no statement after one that failed, not even a return to a savepoint.
        attempt = SQL(
            "do $$ begin lock table {}, {} in access exclusive mode; perform set_config({}, 'yes', true);"
            " exception when lock_not_available then perform set_config({}, 'no', true); end $$"
        ).format(table, self.names.quote_table(PUBLICATION), Literal(_HAS_LOCK), Literal(_HAS_LOCK))
        for seconds in (*pauses, None):
            self.run(attempt)
            if self.query_rows(SQL("select current_setting({})").format(Literal(_HAS_LOCK))) == [("yes",)]:
                return
            if seconds is None:
                raise PublishError(f"{to_statement_text(table)} is read all the time")
            pause(seconds)

    def read_contracts(self, schema: str) -> Mapping[str, Contract] | None:
        """The contracts that a schema's tables follow; None where it does not say so in a way that is understood."""
        if PUBLICATION not in self.list_tables(schema):
            return None
        found = self.query_rows(SQL("select contracts from {}").format(Identifier(schema, PUBLICATION)))
        try:
            return msgspec.json.decode(found[0][0], type=dict[str, Contract]) if found else None
        except msgspec.DecodeError:
            return None

    def read_publication(self) -> str:
        """What run published the tables when, which no other publication has; empty where nobody has."""
        if not self.is_published():
            return ""
        found = self.query_rows(
            SQL("select run_id, (extract(epoch from published_at) * 1000000)::bigint from {}").format(
                Identifier(self.names.schema, PUBLICATION)
            )
        )
        return f"{found[0][0]} {found[0][1]}" if found else ""

    def detect_platform(self) -> Platform:
        """What the database can do."""
        ((version, postgis),) = self.query_rows(
            SQL(
                "select current_setting('server_version_num')::int, (select nspname::text from pg_extension"
                " join pg_namespace n on n.oid = extnamespace where extname = 'postgis'"
                " and has_schema_privilege(n.oid, 'usage'))"
            )
        )
        return Platform(version, postgis)

    def list_relations(self, schema: str) -> Mapping[str, DatabaseRelation]:
        """The tables and views of a schema, without partitions."""
        found = self.query_rows(
            SQL(
                "select c.relname::text, c.relkind = 'v', array_agg(a.attname::text order by a.attnum)"
                " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
                " where c.relkind in ('r', 'p', 'v') and not c.relispartition and n.nspname = {} group by c.oid"
            ).format(Literal(schema))
        )
        return {name: DatabaseRelation(is_view, columns) for name, is_view, columns in found}

    def grants_sql(self, model: str, columns: Mapping[str, str]) -> list[Statement]:
        """What gives the rights on a model's table or view again once it was made anew, with the columns' new names."""
        found = self.query_rows(
            SQL(
                "with own as (select c.oid, c.relowner, c.relacl from pg_class c"
                " join pg_namespace n on n.oid = c.relnamespace where n.nspname = {} and c.relname = {})"
                " select coalesce(r.rolname::text, ''), a.privilege_type, a.is_grantable, a.attname::text from ("
                "select g.*, null::name as attname from own, aclexplode(own.relacl) g"
                " union all select g.*, t.attname from own join pg_attribute t on t.attrelid = own.oid"
                " and not t.attisdropped, aclexplode(t.attacl) g) a"
                " left join pg_roles r on r.oid = a.grantee where a.grantee <> (select relowner from own)"
            ).format(Literal(self.names.schema), Literal(model))
        )
        table = self.names.quote_table(model)
        given = []
        for role, privilege, is_grantable, column in found:
            if column is not None and column not in columns:
                continue
            given.append(
                SQL("grant {}{} on {} to {}{}").format(
                    SQL(privilege),
                    SQL("") if column is None else SQL(" ({})").format(Identifier(columns[column])),
                    table,
                    Identifier(role) if role else SQL("public"),
                    SQL(" with grant option" if is_grantable else ""),
                )
            )
        return [SQL("revoke all on {} from {}").format(table, Identifier(self.names.reader)), *given]

    def list_models(self) -> set[str]:
        """The models that are there."""
        return {name for name in self.list_relations(self.names.schema) if not name.startswith("_")}

    def make_layouts(self, contracts: Mapping[str, Contract]) -> Mapping[str, TableLayout]:
        """What the tables of contracts look like: those that are there stay in their form, new ones get the best."""
        platform, held = self.detect_platform(), self.list_relations(self.names.schema)
        return {
            name: _form(TableLayout(self.names, contract, platform), held)
            for name, contract in contracts.items()
        }

    def analyze(self, tables: Iterable[str]) -> None:
        """Have statistics made for whoever plans queries: from a first look, five times as fast as the server's own."""
        self.run(SQL("set local default_statistics_target = 30"))
        for table in tables:
            self.run(SQL("analyze {}").format(self.names.quote_table(table)))

    def count(self, model: str) -> int:
        """Rows of a model's table."""
        ((rows,),) = self.query_rows(SQL("select count(*) from {}").format(self.names.quote_table(model)))
        return int(rows)

    def measure_bytes(self) -> int:
        """What the tenant's tables and indexes take up."""
        ((size,),) = self.query_rows(
            SQL(
                "select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c"
                " join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname = {}"
            ).format(Literal(self.names.schema))
        )
        return int(size)

    def list_tables(self, schema: str) -> set[str]:
        """The tables of a schema, partitions among them."""
        found = self.query_rows(
            SQL(
                "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where c.relkind in ('r', 'p') and n.nspname = {}"
            ).format(Literal(schema))
        )
        return {name for (name,) in found}

    def list_partitions(self, table: str) -> list[str]:
        """The partitions of a published table."""
        found = self.query_rows(
            SQL(
                "select p.relname::text from pg_inherits join pg_class p on p.oid = inhrelid"
                " join pg_class c on c.oid = inhparent join pg_namespace n on n.oid = c.relnamespace"
                " where n.nspname = {} and c.relname = {}"
            ).format(Literal(self.names.schema), Literal(table))
        )
        return [name for (name,) in found]

    def list_tables_with_geometry(self) -> set[str]:
        """The tables that have a column for PostGIS."""
        found = self.query_rows(
            SQL(
                "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " join pg_attribute a on a.attrelid = c.oid"
                " where n.nspname = {} and a.attname = {} and not a.attisdropped"
            ).format(Literal(self.names.schema), Literal(GEOMETRY))
        )
        return {name for (name,) in found}


def _form(layout: TableLayout, held: Mapping[str, DatabaseRelation]) -> TableLayout:
    """The form in which a model's table is there, maybe still under its name of before."""
    contract = layout.contract
    name = contract.name if contract.name in held else contract.renamed_from or ""
    if name not in held:
        return make_narrow_layout(layout)
    if not held[name].is_view or make_inner_name(name) not in held:
        return layout
    places: dict[str, str | None] = dict.fromkeys(held[make_inner_name(name)].columns)
    for dimension in (LABEL, RUN):
        shelf = held.get(make_dimension_name(name, dimension))
        places |= dict.fromkeys(shelf.columns if shelf else (), dimension)
    return Narrow(layout.names, contract, layout.platform, choose_dimensions(contract, places))
