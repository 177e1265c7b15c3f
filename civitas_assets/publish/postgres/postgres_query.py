"""Single queries on PostgreSQL by who logs in as a tenant's reader, or as a reader of what tenants share.

A statement can end any role that was set before it, so that the login itself must have no other rights.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import psycopg
from psycopg.sql import SQL, Literal

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.errors import PublishError
from civitas_assets.publish.postgres.postgres_names import COMMONS_READER, Names
from civitas_assets.publish.postgres.postgres_reading import explain_missing_tables, reader_sql
from civitas_assets.publish.postgres.postgres_server import Server


def ask_server(
    server: Server, tenant: str, sql: str, limit: int
) -> tuple[Sequence[str], Sequence[str], list[tuple[object, ...]]]:
    """Names and types of columns, and the first rows of a query in PostgreSQL's SQL.

    Raises:
        PublishError: the tenant has no output yet, the query is not understood, not allowed or too slow, or the login
            has other rights.
    """
    role = COMMONS_READER if tenant == COMMONS else Names(tenant).reader
    try:
        with server.connect(at_once=True) as connection:
            _check_login(server, connection, tenant, role)
            with connection.transaction(force_rollback=True), connection.cursor() as cursor:
                cursor.execute("set transaction read only")
                for statement in reader_sql(server, tenant, server.query_timeout):
                    cursor.execute(statement)
                # Streamed, so that a large answer is cut off; the server takes one statement that way, not several.
                rows = list(islice(cursor.stream(sql.encode()), limit))
                columns = cursor.description or []
        return [c.name for c in columns], [c.type_display for c in columns], rows
    except psycopg.Error as error:
        raise explain_missing_tables(server, tenant, error) from None


def _check_login(server: Server, connection: psycopg.Connection, tenant: str, role: str) -> None:
    found = connection.execute(
        SQL(
            "select rolname, pg_has_role(oid, {0}, 'USAGE'),"
            " rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls or exists (select from"
            " pg_roles as other where other.rolname not in ({0}, session_user)"
            " and pg_has_role(session_user, other.oid, 'MEMBER'))"
            " from pg_roles as login where rolname = session_user"
        ).format(Literal(role))
    ).fetchone()
    login, reads, does_more = found or ("", False, True)
    if not reads or does_more:
        wrong = "may do more than read" if does_more else "does not read"
        raise PublishError(
            f"{server.address}: the login {login} {wrong} what is published of {tenant}: CIVITAS_POSTGRES_READERS "
            f"names members of {role} and of nothing else, as civitas tenant grant makes them"
        )
