"""A transaction in a tenant's schemas: whom it acts as, and what it finds there.

What it changes is in `postgres_changes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import msgspec
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.publish.postgres_names import PUBLICATION, UNFILLED, Names
from civitas_assets.publish.postgres_server import Statement, text_of
from civitas_assets.publish.postgres_tables import GEOMETRY, Platform

# The first of the two numbers of an advisory lock; the second stands for the tenant.
_PUBLISHING = 4_711


class Session:
    """An open transaction."""

    def __init__(self, cursor: adbc.Cursor, names: Names) -> None:
        self.cursor = cursor
        self.names = names

    def run(self, *statements: Statement) -> None:
        """Run statements that give nothing."""
        for statement in statements:
            self.cursor.execute(text_of(statement))

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        self.cursor.execute(text_of(statement))
        return list(self.cursor.fetchall())

    def is_published(self) -> bool:
        """Whether the tenant's schema says what is in it; asked before acting as a role, which may not exist yet."""
        return PUBLICATION in self.tables(self.names.schema)

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
        if PUBLICATION not in self.tables(schema):
            return None
        found = self.rows(SQL("select contracts from {}").format(Identifier(schema, PUBLICATION)))
        try:
            return msgspec.json.decode(found[0][0], type=dict[str, Contract]) if found else None
        except msgspec.DecodeError:
            return None

    def publication(self) -> str:
        """What run published the tables when, which no other publication has; empty where nobody has."""
        if not self.is_published():
            return ""
        found = self.rows(
            SQL("select run_id, (extract(epoch from published_at) * 1000000)::bigint from {}").format(
                Identifier(self.names.schema, PUBLICATION)
            )
        )
        return f"{found[0][0]} {found[0][1]}" if found else ""

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

    def analyze(self, tables: Iterable[str]) -> None:
        """Have statistics made for whoever plans queries: from a first look, five times as fast as the server's own."""
        self.run(SQL("set local default_statistics_target = 30"))
        for table in tables:
            self.run(SQL("analyze {}").format(self.names.table(table)))

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

    def tables(self, schema: str) -> set[str]:
        """The tables of a schema, partitions among them."""
        found = self.rows(
            SQL(
                "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where c.relkind in ('r', 'p') and n.nspname = {}"
            ).format(Literal(schema))
        )
        return {name for (name,) in found}

    def partitions(self, table: str) -> list[str]:
        """The partitions of a published table."""
        found = self.rows(
            SQL(
                "select p.relname::text from pg_inherits join pg_class p on p.oid = inhrelid"
                " join pg_class c on c.oid = inhparent join pg_namespace n on n.oid = c.relnamespace"
                " where n.nspname = {} and c.relname = {}"
            ).format(Literal(self.names.schema), Literal(table))
        )
        return [name for (name,) in found]

    def with_geometry(self) -> set[str]:
        """The tables that have a column for PostGIS."""
        found = self.rows(
            SQL(
                "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " join pg_attribute a on a.attrelid = c.oid"
                " where n.nspname = {} and a.attname = {} and not a.attisdropped"
            ).format(Literal(self.names.schema), Literal(GEOMETRY))
        )
        return {name for (name,) in found}
