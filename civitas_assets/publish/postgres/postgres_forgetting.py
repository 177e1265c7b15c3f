"""Tables in PostgreSQL are written anew where something had to be forgotten: else deleted rows stay in their pages.

Which rows go is decided by whoever publishes. What the server keeps beside its tables, such as its write-ahead log and
backups, is the operator's to let go of.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.errors import PublishError
from civitas_assets.publish.postgres.postgres_names import Names
from civitas_assets.publish.postgres.postgres_server import PAUSES, Server, is_transient
from civitas_assets.publish.postgres.postgres_tables import format_month, group_by_month

log = logging.getLogger("civitas_assets.publish")


def rewrite_partitions(server: Server, names: Names, days: Iterable[date]) -> None:
    """Write the partitions of these days anew, and all tables that have none; readers wait for each one at a time.

    The server's statistics, which hold frequent values, are made anew with them.

    Raises:
        PublishError: a table is in use all the time; what it holds is published as it should be, and its old rows go
            with the next such publication.
    """
    months = {format_month(month) for month in group_by_month(days)}
    tables = SQL(
        "select c.relname::text, c.relispartition, c.relkind = 'p' from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = {} and c.relkind in ('r', 'p') order by c.relkind desc, 1"
    ).format(Literal(names.schema))
    with server.connect() as connection:
        try:
            found = connection.execute(tables).fetchall()
        except psycopg.Error as error:
            raise server.to_error(f"looking for the tables of {names.slug}", error) from None
        for table, is_partition, is_whole in found:
            if is_whole:
                _run(server, connection, names, table, SQL("analyze {}"))
            elif not is_partition or any(table.endswith(f"_{month}") for month in months):
                _run(server, connection, names, table, SQL("vacuum (full, analyze) {}"))


def _run(server: Server, connection: psycopg.Connection, names: Names, table: str, what: SQL) -> None:
    pauses = iter(PAUSES)
    while True:
        try:
            # No transaction may be open, so the role is set for the session.
            connection.execute(SQL("set role {}").format(Identifier(names.writer)))
            connection.execute(what.format(names.quote_table(table)))
            return
        except psycopg.Error as error:
            pause = next(pauses, None) if is_transient(error) else None
            if pause is None:
                raise PublishError(
                    f"{server.address}: {names.schema}.{table} still holds what was deleted: {server.describe(error)}"
                ) from None
            server.pause(pause)
