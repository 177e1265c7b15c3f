"""Reading a tenant's schema as its reader: single queries on the server, or tables brought into DuckDB as Arrow.

Nothing is ever written to PostgreSQL, and all that is read within one opening is of one moment.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import duckdb
import msgspec
import psycopg
import pyarrow as pa
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.errors import PublishError
from civitas_assets.publish.postgres_names import COMMONS_READER, PUBLICATION, Names
from civitas_assets.publish.postgres_server import Server, Statement, text_of

# int8, int2, int4, oid, float4, float8, numeric
_NO_ROLE = frozenset({"22023", "42704"})
_NUMERIC = frozenset({20, 21, 23, 26, 700, 701, 1700})


@dataclass(frozen=True)
class Stream:
    """A transaction that reads; tables are fetched when a query names them, without the days around a span."""

    server: Server
    names: Names
    cursor: adbc.Cursor
    contracts: Mapping[str, Contract]
    first: date | None
    last: date | None
    there: set[str] = field(default_factory=set)

    @contextmanager
    def database(self, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """A database with all tables, still empty, that is gone afterwards."""
        folder.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=folder, prefix=".reading-") as place,
            duckdb.connect(str(Path(place) / f"{self.names.slug}_db.duckdb")) as connection,
        ):
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
                self.cursor.execute(text_of(self._select(self.contracts[name])))
                reader = self.cursor.fetch_record_batch()
                connection.register("_incoming", reader)
                connection.execute(f'insert into "{name}" select * from _incoming')  # noqa: S608 - a model's name
                connection.unregister("_incoming")
            except adbc_driver_manager.Error as error:
                raise self.server.fault(f"reading {name}", error) from None
            self.there.add(name)

    def ask(self, sql: str, parameters: Sequence[object]) -> pa.Table:
        """The answer of the server to a query in its SQL, over all days.

        Raises:
            PublishError: the query does not fit the tables.
        """
        try:
            self.cursor.execute(sql, parameters or None)
            return self.cursor.fetch_arrow_table()
        except adbc_driver_manager.Error as error:
            raise self.server.fault("reading", error) from None

    def _select(self, contract: Contract) -> Statement:
        conditions = [
            SQL(comparison).format(Literal(day))
            for comparison, day in (("day >= {}", self.first), ("day <= {}", self.last))
            if day is not None and contract.replaced == "replace_days"
        ]
        where = SQL(" where {}").format(SQL(" and ").join(conditions)) if conditions else SQL("")
        columns = SQL(", ").join(map(Identifier, contract.columns))
        return SQL("select {} from {}{}").format(columns, self.names.table(contract.name), where)


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
    names = Names(tenant)
    try:
        with server.loading(at_once=True) as connection, connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
            for statement in _as_reader(server, names.reader, names.schema, server.statement_timeout):
                cursor.execute(text_of(statement))
            table = names.table(PUBLICATION)
            cursor.execute(text_of(SQL("select contracts from {}").format(table)))
            ((content,),) = cursor.fetchall()
            contracts = msgspec.json.decode(content, type=dict[str, Contract])
            yield Stream(server, names, cursor, contracts, first, last)
    except adbc_driver_manager.Error as error:
        raise _nothing_there(server, names, error) from None


def ask(
    server: Server, tenant: str, sql: str, limit: int
) -> tuple[Sequence[str], Sequence[bool], list[tuple[object, ...]]]:
    """Names of columns, which of them are numbers, and the first rows of a query in PostgreSQL's SQL.

    Raises:
        PublishError: the tenant has no output yet, or the query is not understood, not allowed or too slow.
    """
    names = Names(tenant)
    try:
        return _asked(server, names.reader, names.schema, sql, limit)
    except psycopg.Error as error:
        raise _nothing_there(server, names, error) from None


def ask_commons(
    server: Server, sql: str, limit: int
) -> tuple[Sequence[str], Sequence[bool], list[tuple[object, ...]]]:
    """The same for what tenants share, as those may who read the commons.

    Raises:
        PublishError: nobody shares anything yet, or the query is not understood, not allowed or too slow.
    """
    try:
        return _asked(server, COMMONS_READER, COMMONS, sql, limit)
    except psycopg.Error as error:
        if error.sqlstate in _NO_ROLE:
            raise PublishError(
                "nobody shares anything yet; tenants list models under share: in their files"
            ) from None
        raise server.fault(COMMONS, error) from None


def _asked(
    server: Server, role: str, schema: str, sql: str, limit: int
) -> tuple[Sequence[str], Sequence[bool], list[tuple[object, ...]]]:
    with server.connected(at_once=True) as connection, connection.transaction(force_rollback=True):
        connection.execute("set transaction read only")
        for statement in _as_reader(server, role, schema, server.query_timeout):
            connection.execute(statement)
        with connection.cursor() as cursor:
            # Streamed, so that a large answer is cut off; the server takes one statement that way, not several.
            rows = list(islice(cursor.stream(sql.encode()), limit))
            columns = cursor.description or []
    return [c.name for c in columns], [c.type_code in _NUMERIC for c in columns], rows


def _as_reader(server: Server, role: str, schema: str, seconds: float) -> list[Statement]:
    return [
        *server.limits(),
        SQL("set local statement_timeout = {}").format(Literal(int(seconds * 1000))),
        SQL("set local role {}").format(Identifier(role)),
        SQL("set local search_path = {}, public").format(Identifier(schema)),
        SQL("set local timezone = 'UTC'"),
    ]


def _nothing_there(
    server: Server, names: Names, error: psycopg.Error | adbc_driver_manager.Error
) -> PublishError:
    """The fault, or the simple reason that nothing was published yet."""
    no_role, no_table = error.sqlstate in _NO_ROLE, error.sqlstate == "42P01"
    if no_role or (no_table and PUBLICATION in str(error)):
        return PublishError(
            f"{names.slug} has no output in {server.address}; run: civitas run --tenant {names.slug}"
        )
    return server.fault(names.slug, error)
