"""A database that is only read: in one transaction that sees one state, streamed, with limits on its time.

What is asked for is decided in `sql.py`.
"""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from civitas_assets.connectors.reachable import PUBLIC, Reachable
from civitas_assets.connectors.sql.sql_address import (
    PORTS,
    find_database_file,
    parse_database_url,
    sanitize_database_url,
)
from civitas_assets.connectors.sql.sql_values import choose_mysql_writers, format_sql_value
from civitas_assets.errors import FetchError

_STEPS = 100_000  # of SQLite's machine between two looks at the clock
_STREAMED = 2_000  # rows that a driver holds at a time
# How long drivers of MySQL and MariaDB wait for a connection is said to each by another name.
_CONNECT_TIMEOUT = {
    "pymysql": "connect_timeout",
    "mysqldb": "connect_timeout",
    "mysqlconnector": "connection_timeout",
    "mariadbconnector": "connect_timeout",
}


@dataclass(frozen=True)
class DatabaseRows:
    """Names of columns, and each row as a line of CSV in UTF-8: nothing for null, times with a zone in UTC."""

    columns: Sequence[str]
    lines: Iterable[bytes]


class Database:
    """A database by its URL; `timeout` is for connecting, `total_time` for each statement, in seconds.

    It is connected to where it is `reachable`; files are those in the folder.
    """

    def __init__(  # noqa: PLR0917 - each argument is of another type
        self,
        url: str,
        password: str | None,
        timeout: float,
        total_time: float,
        reachable: Reachable = PUBLIC,
        folder: Path | None = None,
    ) -> None:
        self.address = sanitize_database_url(url)
        self._url = parse_database_url(url).set(password=password)
        self._backend = self._url.get_backend_name()
        self._is_postgres = self._backend == "postgresql"
        self._is_mysql = self._backend in {"mysql", "mariadb"}
        self._timeout, self._total_time = timeout, total_time
        self._reachable, self._folder = reachable, folder

    @contextmanager
    def open_connection(self) -> Iterator[Self]:
        """Connected, for reading alone.

        Raises:
            FetchError: it may not be reached, is not, refuses, or breaks off; the message holds no password.
        """
        with self._faults():
            engine = self._engine()
            try:
                with engine.connect() as connection:
                    self._connection = connection
                    self._restrict(connection)
                    yield self
                    connection.rollback()
            finally:
                engine.dispose()

    def _engine(self) -> sa.Engine:
        """What connects to addresses that were looked at, without resolving the host once more."""
        if self._backend == "sqlite":
            # Read-only, since a file that is not there would be made.
            file = f"file:{quote(str(find_database_file(self._url, self._folder)))}"
            url = self._url.set(database=file, query={"mode": "ro", "uri": "true"})
            return sa.create_engine(url, poolclass=sa.NullPool)
        host, port = self._url.host or "", self._url.port or PORTS[self._backend]
        if self._is_postgres:
            addresses = self._reachable.resolve_host(host, port)
            arguments = self._arguments_of_postgres() | {
                "host": ",".join([host] * len(addresses)),  # whose certificate is asked for
                "hostaddr": ",".join(addresses),
                "port": port,
            }
            return sa.create_engine(self._url, poolclass=sa.NullPool, connect_args=arguments)
        arguments = self._arguments_of_mysql() if self._is_mysql else {}
        if self._url.get_driver_name() == "pymysql":
            return sa.create_engine(
                self._url, poolclass=sa.NullPool, creator=lambda: self._by_socket(arguments, port)
            )
        url = self._url.set(host=self._reachable.resolve_host(host, port)[0], port=port)
        return sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments)

    def _by_socket(self, arguments: Mapping[str, Any], port: int) -> Any:
        """A connection of PyMySQL over one of ours, so that TLS still asks for the host by its name."""
        dialect: Any = self._url.get_dialect()()
        _, given = dialect.create_connect_args(self._url)
        connection = dialect.import_dbapi().Connection(**{**given, **arguments}, defer_connect=True)
        link = self._reachable.connect(self._url.host or "", port, self._timeout)
        link.settimeout(None)
        connection.connect(link)
        return connection

    def _arguments_of_postgres(self) -> dict[str, Any]:
        """A source has the login and the password that it names or none, never what whoever runs this has.

        libpq would look for passwords in the environment and in a file, for certificates and for tickets of Kerberos.
        """
        return {
            "connect_timeout": max(2, int(self._timeout)),
            "password": self._url.password or "",
            "passfile": os.devnull,
            "sslcertmode": "disable",
            "gssencmode": "disable",
            "require_auth": "none,password,md5,scram-sha-256",
        }

    def find_relation(self, table: str | None, select: str | None) -> sa.FromClause:
        """A table by its name, or a selection."""
        if select is not None:
            written = select.replace(":", "\\:")  # else a colon would begin a parameter
            # On lines of its own, since it may end in a comment.
            return sa.text(f"(\n{written}\n) AS selection")  # type: ignore[return-value]
        schema, _, name = (table or "").rpartition(".")
        return sa.table(name, schema=schema or None)

    def list_columns(self, relation: sa.FromClause) -> list[str]:
        """The names of the columns."""
        result = self._connection.execute(sa.select(sa.text("*")).select_from(relation).limit(0))
        return [row[0] for row in result.cursor.description] if result.cursor else [*result.keys()]

    def has_nulls(self, relation: sa.FromClause, column: str) -> bool:
        """Whether a row has nothing in the column, or the day 0000-00-00 of MySQL, which is before all others."""
        query = sa.select(sa.literal(1)).select_from(relation).where(sa.column(column).is_(None)).limit(1)
        if self._connection.execute(query).first() is not None:
            return True
        if not self._is_mysql:
            return False
        chosen: sa.ColumnClause[Any] = sa.column(column)
        least = self._connection.execute(
            sa.select(chosen).select_from(relation).order_by(chosen).limit(1)
        ).first()
        return least is not None and format_sql_value(least[0]) is None

    def read_rows(
        self,
        relation: sa.FromClause,
        columns: Sequence[str],
        *,
        order: Sequence[str] = (),
        start: int | str | None = None,
    ) -> DatabaseRows:
        """The rows, in the order of some columns, from a value of the first of them on."""
        query = sa.select(*(sa.column(name) for name in columns)).select_from(relation)
        query = query.order_by(*(sa.column(name) for name in order))
        if start is not None:
            if self._is_mysql and isinstance(start, str):
                start = start.removesuffix("+00:00")  # of its session, whose literals know no offsets
            query = query.where(sa.column(order[0]) >= start)
        return DatabaseRows(columns, self._copied(query) if self._is_postgres else self._streamed(query))

    def _copied(self, query: sa.Select[Any]) -> Iterator[bytes]:
        """Rows as the server itself writes them, which costs neither it nor us a look at each value."""
        compiled = query.compile(self._connection.engine, compile_kwargs={"literal_binds": True})
        statement = str(compiled).replace("%%", "%")  # doubled for parameters, of which there are none
        raw: Any = self._connection.connection.driver_connection
        with raw.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)") as copy:
            yield from map(bytes, copy)

    def _streamed(self, query: sa.Select[Any]) -> Iterator[bytes]:
        result = self._connection.execution_options(stream_results=True, yield_per=_STREAMED).execute(query)
        writers: list[Callable[[Any], Any]] = [format_sql_value] * len(result.keys())
        if self._is_mysql and result.cursor is not None:
            writers = choose_mysql_writers([column[1] for column in result.cursor.description])
        for part in result.partitions():
            lines = io.StringIO()
            for row in part:
                csv.writer(lines, lineterminator="\n").writerow(
                    write(value) for write, value in zip(writers, row, strict=True)
                )
                yield lines.getvalue().encode()
                lines.seek(0)
                lines.truncate()

    def _restrict(self, connection: Connection) -> None:
        """Nothing can be written, everything is of one moment, and no statement runs for ever."""
        if self._is_postgres:
            connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            connection.execute(sa.text(f"SET LOCAL statement_timeout = {int(self._total_time * 1000)}"))
            connection.execute(sa.text("SET LOCAL TIME ZONE 'UTC'"))
            connection.execute(sa.text("SET LOCAL datestyle = 'ISO, YMD'"))
            connection.execute(sa.text("SET LOCAL client_encoding = 'UTF8'"))
        elif self._backend == "sqlite":
            connection.execute(sa.text("PRAGMA query_only = ON"))
            end = time.monotonic() + self._total_time
            raw: Any = connection.connection.driver_connection
            raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        elif self._backend == "oracle":
            connection.execute(sa.text("SET TRANSACTION READ ONLY"))
        elif self._is_mysql:
            self._restrict_mysql(connection)

    def _restrict_mysql(self, connection: Connection) -> None:
        """The same; a server that is too old to end a statement is asked all the same."""
        dialect: Any = connection.dialect
        version = dialect.server_version_info or ()
        if dialect.is_mariadb and version >= (10, 1, 1):
            connection.execute(sa.text(f"SET SESSION max_statement_time = {self._total_time}"))
        elif not dialect.is_mariadb and version >= (5, 7, 8):
            connection.execute(sa.text(f"SET SESSION max_execution_time = {int(self._total_time * 1000)}"))
        connection.execute(sa.text("SET SESSION time_zone = '+00:00'"))
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))

    def _arguments_of_mysql(self) -> dict[str, Any]:
        """What a driver is told beside the address."""
        driver = self._url.get_driver_name()
        arguments: dict[str, Any] = {}
        if driver in _CONNECT_TIMEOUT:
            arguments[_CONNECT_TIMEOUT[driver]] = max(2, int(self._timeout))
        if driver == "pymysql" and self._url.password is not None:
            arguments["password"] = self._url.password.encode()  # as servers hash it; a text would be Latin-1
        if driver == "mysqldb" and "charset" not in self._url.query:
            arguments["charset"] = "utf8mb4"  # else that of its library, which may lack letters
        return arguments

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise FetchError(f"{self.address} needs a driver that is not installed: {error}") from None
        except SQLAlchemyError as error:
            raise FetchError(f"{self.address}: {_reason(error)}") from None
        except OSError as error:  # of the name or the address, before any driver
            raise FetchError(f"{self.address} is not reached: {error}") from None
        except psycopg.Error as error:  # from copying, which goes past SQLAlchemy
            raise FetchError(f"{self.address}: {_first_line(str(error))}") from None


def _reason(error: SQLAlchemyError) -> str:
    """What the server says, in its first line; the statement is the tenant's own and known to them."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return _first_line(str(error))
    match error.orig.args:
        case (int() as code, str() as said):  # of drivers for MySQL
            return f"{_first_line(said)} ({code})"
    return _first_line(str(error.orig))


def _first_line(text: str) -> str:
    return " ".join(text.strip().split("\n", 1)[0].split())
