"""Reading a tenant's schema, or what tenants share, as its reader: tables are brought into DuckDB as Arrow.

Nothing is ever written to PostgreSQL, and all that is read within one opening is of one moment.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import duckdb
import msgspec
import psycopg
import pyarrow as pa
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.errors import PublishError
from civitas_assets.publish.postgres.postgres_names import COMMONS_READER, PUBLICATION, Names
from civitas_assets.publish.postgres.postgres_server import Server, Statement, to_statement_text

_NO_ROLE = frozenset({"22023", "42704"})


@dataclass(frozen=True)
class Stream:
    """A transaction that reads; tables are fetched when a query names them, without the days around a span."""

    server: Server
    schema: str
    cursor: adbc.Cursor
    contracts: Mapping[str, Contract]
    first: date | None
    last: date | None
    there: set[str] = field(default_factory=set)

    @contextmanager
    def open_database(self, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """A database with all tables, still empty, that is gone afterwards."""
        folder.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=folder, prefix=".reading-") as place,
            duckdb.connect(str(Path(place) / f"{self.schema}_db.duckdb")) as connection,
        ):
            connection.execute(f"create schema \"{self.schema}\"; set schema = '{self.schema}'")
            for contract in self.contracts.values():
                columns = ", ".join(f'"{name}" {c.type}' for name, c in contract.columns.items())
                connection.execute(f'create table "{contract.name}" ({columns})')
            yield connection

    def fill(self, connection: duckdb.DuckDBPyConnection, sql: str) -> None:
        """Fetch the tables that a query names, each once.

        Raises:
            PublishError: the server does not give them.
        """
        for name in sorted((_tables_in(connection, sql) & self.contracts.keys()) - self.there):
            try:
                self.cursor.execute(to_statement_text(self._select(self.contracts[name])))
                reader = self.cursor.fetch_record_batch()
                connection.register("_incoming", reader)
                connection.execute(f'insert into "{name}" select * from _incoming')  # noqa: S608 - a model's name
                connection.unregister("_incoming")
            except adbc_driver_manager.Error as error:
                raise self.server.to_error(f"reading {name}", error) from None
            self.there.add(name)

    def query(self, sql: str, parameters: Sequence[object]) -> pa.Table:
        """The answer of the server to a query in its SQL, over all days.

        Raises:
            PublishError: the query does not fit the tables.
        """
        try:
            self.cursor.execute(sql, parameters or None)
            return self.cursor.fetch_arrow_table()
        except adbc_driver_manager.Error as error:
            raise self.server.to_error("reading", error) from None

    def _select(self, contract: Contract) -> Statement:
        conditions = [
            SQL(comparison).format(Literal(day))
            for comparison, day in (("day >= {}", self.first), ("day <= {}", self.last))
            if day is not None and contract.replaced == "replace_days"
        ]
        where = SQL(" where {}").format(SQL(" and ").join(conditions)) if conditions else SQL("")
        columns = SQL(", ").join(map(Identifier, contract.columns))
        return SQL("select {} from {}{}").format(columns, Identifier(self.schema, contract.name), where)


def _tables_in(connection: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """What a query names as a table, as DuckDB's own parser has it; nothing where it is no query."""
    ((parsed,),) = connection.execute("select json_serialize_sql(?)", [sql]).fetchall()
    waiting, found = [msgspec.json.decode(parsed)], set[str]()
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == "BASE_TABLE":
                found.add(str(node["table_name"]).lower())
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found


@contextmanager
def open_stream(
    server: Server, tenant: str, first: date | None = None, last: date | None = None
) -> Iterator[Stream]:
    """The tenant's tables as they are at this moment.

    Raises:
        PublishError: there are none yet, or the server does not give them.
    """
    role = COMMONS_READER if tenant == COMMONS else Names(tenant).reader
    try:
        with server.open_loader(at_once=True) as connection, connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
            # No statement of anybody else runs here: a query gets copies, see `Stream.fill`.
            for statement in reader_sql(server, tenant, server.statement_timeout, role):
                cursor.execute(to_statement_text(statement))
            contracts = _contracts_of_views(cursor) if tenant == COMMONS else _contracts(cursor, tenant)
            yield Stream(server, tenant, cursor, contracts, first, last)
    except adbc_driver_manager.Error as error:
        raise explain_missing_tables(server, tenant, error) from None


def _contracts(cursor: adbc.Cursor, tenant: str) -> Mapping[str, Contract]:
    cursor.execute(
        to_statement_text(SQL("select contracts from {}").format(Names(tenant).quote_table(PUBLICATION)))
    )
    ((content,),) = cursor.fetchall()
    return msgspec.json.decode(content, type=dict[str, Contract])


def _contracts_of_views(cursor: adbc.Cursor) -> Mapping[str, Contract]:
    """What the views of the commons give, as the server has it; shapes of PostGIS are in `geometry_wkb` as well."""
    cursor.execute(
        to_statement_text(
            SQL(
                "select table_name::text, column_name::text, data_type::text from information_schema.columns"
                " where table_schema = {} and data_type <> 'USER-DEFINED' order by table_name, ordinal_position"
            ).format(Literal(COMMONS))
        )
    )
    found: dict[str, dict[str, ModelColumn]] = defaultdict(dict)
    for model, column, kind in cursor.fetchall():
        found[model][column] = ModelColumn(kind, "")
    return {name: Contract(name, "", "", "", "", "", "", (), columns) for name, columns in found.items()}


def reader_sql(server: Server, schema: str, seconds: float, role: str | None = None) -> list[Statement]:
    """What a transaction that reads begins with; with `role` it acts as that."""
    return [
        *server.limits_sql(),
        SQL("set local statement_timeout = {}").format(Literal(int(seconds * 1000))),
        *([SQL("set local role {}").format(Identifier(role))] if role else []),
        SQL("set local search_path = {}, public").format(Identifier(schema)),
        SQL("set local timezone = 'UTC'"),
    ]


def explain_missing_tables(
    server: Server, tenant: str, error: psycopg.Error | adbc_driver_manager.Error
) -> PublishError:
    """The fault, or the simple reason that nothing was published yet."""
    no_role, no_table = error.sqlstate in _NO_ROLE, error.sqlstate == "42P01"
    if no_role and tenant == COMMONS:
        return PublishError("nobody shares anything yet; tenants list models under share: in their files")
    if no_role or (no_table and PUBLICATION in str(error)):
        return PublishError(f"{tenant} has no output in {server.address}; run: civitas run --tenant {tenant}")
    return server.to_error(tenant, error)
