"""Who may do what in PostgreSQL: per tenant a writer that owns its schemas and a reader that owns nothing.

Tables and rows are in `postgres_tables.py`; `PUBLIC` gets nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import psycopg
from psycopg.sql import SQL, Identifier
from psycopg.sql import Literal as Text

from civitas_assets.errors import PublishError
from civitas_assets.publish.postgres.postgres_names import Names
from civitas_assets.publish.postgres.postgres_server import Server, Statement

# Held while schemas and roles are made, since PostgreSQL's own `if not exists` does not wait for others.
_TURNSTILE = 4_711_000_014


def grants_sql(names: Names, login: str, query_login: str | None = None) -> Sequence[Statement]:
    """What makes a tenant's roles and schemas for publishing as `login`; all of it may be repeated.

    `query_login` is who asks for the tenant by `civitas query`: it logs in, and is a member of the reader alone.
    """
    reader, writer = Identifier(names.reader), Identifier(names.writer)
    schema, rebuild = Identifier(names.schema), Identifier(names.rebuild)
    roles = [_role(names.writer, "nologin"), _role(names.reader, "nologin")]
    asking = []
    if query_login:
        asking = [_role(query_login, "login"), SQL("grant {} to {}").format(reader, Identifier(query_login))]
    return [
        SQL("select pg_advisory_xact_lock({})").format(Text(_TURNSTILE)),
        *roles,
        SQL("grant {}, {} to {}").format(writer, reader, Identifier(login)),
        SQL("create schema if not exists {} authorization {}").format(schema, writer),
        SQL("create schema if not exists {} authorization {}").format(rebuild, writer),
        SQL("revoke all on schema {}, {} from public").format(schema, rebuild),
        SQL("grant usage on schema {} to {}").format(schema, reader),
        SQL("alter default privileges for role {} in schema {} grant select on tables to {}").format(
            writer, schema, reader
        ),
        SQL("grant select on all tables in schema {} to {}").format(schema, reader),
        *asking,
    ]


def _role(name: str, login: Literal["login", "nologin"]) -> Statement:
    return SQL(
        "do $$ begin if not exists (select from pg_catalog.pg_roles where rolname = {}) then"
        " create role {} {}; end if; end $$"
    ).format(Text(name), Identifier(name), SQL(login))


def removal_sql(names: Names, query_login: str | None = None) -> Sequence[Statement]:
    """What removes everything of a tenant, its tables and what others have made of them included."""
    roles = [
        SQL(
            "do $$ begin if exists (select from pg_catalog.pg_roles where rolname = {}) then"
            " drop owned by {}; drop role {}; end if; end $$"
        ).format(Text(role), Identifier(role), Identifier(role))
        for role in (*([query_login] if query_login else []), names.reader, names.writer)
    ]
    return [*schema_removal_sql(names), *roles]


def schema_removal_sql(names: Names) -> Sequence[Statement]:
    """What removes the tenant's schemas, with what others have made of its tables, and leaves its roles."""
    made = [
        SQL("drop schema if exists {} cascade").format(Identifier(schema))
        for schema in (names.schema, names.rebuild)
    ]
    return [SQL("select pg_advisory_xact_lock({})").format(Text(_TURNSTILE)), *made]


def grant_roles(
    server: Server, names: Names, login: str | None = None, query_login: str | None = None
) -> None:
    """Make the tenant's roles and schemas; those of several tenants may be made at once.

    Raises:
        PublishError: the account may not make them.
    """
    with server.connect() as connection:
        _make(server, connection, names, login, query_login)


def remove_roles(server: Server, names: Names, query_login: str | None = None) -> None:
    """Remove the tenant's schemas, with all that is in them, and its roles.

    Raises:
        PublishError: the account may not remove them, or somebody uses them; nothing was removed.
    """
    with server.connect() as connection:
        _together(server, connection, removal_sql(names, query_login), f"removing {names.slug}")


def remove_schemas(server: Server, names: Names) -> None:
    """Remove the tenant's schemas, and leave its roles.

    Raises:
        PublishError: the account may not remove them, or somebody uses them; nothing was removed.
    """
    with server.connect() as connection:
        _together(server, connection, schema_removal_sql(names), f"withdrawing {names.slug}")


def count_objects(server: Server, names: Names) -> int:
    """How many schemas, tables and roles there are of a tenant.

    Raises:
        PublishError: the server does not say so.
    """
    counted = SQL(
        "select (select count(*) from pg_namespace where nspname in ({0}, {1}))"
        " + (select count(*) from pg_class join pg_namespace n on n.oid = relnamespace"
        " where nspname in ({0}, {1}) and relkind in ('r', 'p'))"
        " + (select count(*) from pg_roles where rolname in ({2}, {3}))"
    ).format(*map(Text, (names.schema, names.rebuild, names.reader, names.writer)))
    with server.connect() as connection:
        try:
            row = connection.execute(counted).fetchone()
        except psycopg.Error as error:
            raise server.to_error(f"counting what is of {names.slug}", error) from None
    return int(row[0]) if row else 0


def ensure_roles(server: Server, names: Names) -> None:
    """Make what is not there yet.

    Raises:
        PublishError: the account may not make it.
    """
    with server.connect() as connection:
        try:
            found = connection.execute(
                SQL(
                    "select count(*) from pg_namespace where nspname in ({}, {})"
                    " and pg_get_userbyid(nspowner) = {} and pg_has_role(session_user, nspowner, 'MEMBER')"
                ).format(*map(Text, (names.schema, names.rebuild, names.writer)))
            ).fetchone()
        except psycopg.Error as error:
            raise server.to_error("looking for the tenant's schemas", error) from None
        if found != (2,):
            _make(server, connection, names, None)


def read_login(server: Server) -> str:
    """The account that publishing connects as.

    Raises:
        PublishError: the server is not reached.
    """
    if server.login:
        return server.login
    with server.connect() as connection:
        return _session_user(connection)


def _make(
    server: Server,
    connection: psycopg.Connection,
    names: Names,
    login: str | None,
    query_login: str | None = None,
) -> None:
    foreign = connection.execute(
        SQL(
            "select nspname, pg_get_userbyid(nspowner) from pg_namespace"
            " where nspname in ({}, {}) and pg_get_userbyid(nspowner) <> {}"
        ).format(*map(Text, (names.schema, names.rebuild, names.writer)))
    ).fetchone()
    if foreign is not None:
        raise PublishError(
            f"{server.address}: schema {foreign[0]} belongs to {foreign[1]}, and not to {names.writer};"
            " rename it, or give it to that role if it is this tenant's"
        )
    statements = grants_sql(names, login or _session_user(connection), query_login)
    _together(server, connection, statements, "making roles")


def _session_user(connection: psycopg.Connection) -> str:
    row = connection.execute("select session_user").fetchone()
    return str(row[0]) if row else ""


def _together(
    server: Server, connection: psycopg.Connection, statements: Sequence[Statement], what: str
) -> None:
    try:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement)
    except psycopg.Error as error:
        raise server.to_error(what, error) from None
