"""A database that is only read: in one transaction that sees one state, streamed, with limits on its time.

What is asked for is decided in `sql.py`.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from civitas_assets.connectors.sql_values import as_written, writers_of_mysql
from civitas_assets.errors import FetchError

_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_STREAMED = 2_000  # rows that a driver holds at a time
# How long drivers of MySQL and MariaDB wait for a connection is said to each by another name.
_CONNECT_TIMEOUT = {
    "pymysql": "connect_timeout",
    "mysqldb": "connect_timeout",
    "mysqlconnector": "connection_timeout",
    "mariadbconnector": "connect_timeout",
}


def holds_password(url: str) -> bool:
    """Whether the address itself says a password.

    Raises:
        ValueError: it is no address of a database.
    """
    try:
        address = make_url(url)
        address.get_backend_name()
    except (ArgumentError, ValueError):
        raise ValueError(
            "url is no address of a database, such as postgresql://user@host:5432/database"
        ) from None
    return address.password is not None or any("pass" in name.lower() for name in address.query)


def public_address(url: str) -> str:
    """Where the database is, without options, which may hold more than others should see."""
    return make_url(url).set(query={}).render_as_string(hide_password=True)


@dataclass(frozen=True)
class Rows:
    """Names of columns, and each row as a line of CSV in UTF-8: nothing for null, times with a zone in UTC."""

    columns: Sequence[str]
    lines: Iterable[bytes]


class Database:
    """A database by its URL; `timeout` is for connecting, `total_time` for each statement, in seconds."""

    def __init__(self, url: str, password: str | None, timeout: float, total_time: float) -> None:
        address = make_url(url)
        self.address = public_address(url)
        self._url = address.set(
            drivername=_DRIVERS.get(address.drivername, address.drivername), password=password
        )
        if self._url.get_backend_name() == "sqlite" and self._url.database:
            # Else a file that is not there would be made.
            file = f"file:{quote(self._url.database)}"
            self._url = self._url.set(database=file, query={"mode": "ro", "uri": "true"})
        self._is_postgres = self._url.get_backend_name() == "postgresql"
        self._is_mysql = self._url.get_backend_name() in {"mysql", "mariadb"}
        self._timeout, self._total_time = timeout, total_time

    @contextmanager
    def opened(self) -> Iterator[Self]:
        """Connected, for reading alone.

        Raises:
            FetchError: it is not reached, refuses, or breaks off; the message holds no password.
        """
        with self._faults():
            arguments: dict[str, Any] = {}
            if self._is_postgres:
                # A source has the password that it names or none, never that of whoever runs this: libpq would look for
                # one in the environment and in the password file.
                by_service = (
                    "service" in self._url.query
                )  # an entry that was made for sources, with its password
                own = {} if by_service else {"password": self._url.password or "", "passfile": os.devnull}
                arguments = {"connect_timeout": max(2, int(self._timeout)), **own}
            elif self._is_mysql:
                arguments = self._arguments_of_mysql()
            engine = sa.create_engine(self._url, poolclass=sa.NullPool, connect_args=arguments)
            try:
                with engine.connect() as connection:
                    self._connection = connection
                    self._restrict(connection)
                    yield self
                    connection.rollback()
            finally:
                engine.dispose()

    def relation(self, table: str | None, select: str | None) -> sa.FromClause:
        """A table by its name, or a selection."""
        if select is not None:
            written = select.replace(":", "\\:")  # else a colon would begin a parameter
            # On lines of its own, since it may end in a comment.
            return sa.text(f"(\n{written}\n) AS selection")  # type: ignore[return-value]
        schema, _, name = (table or "").rpartition(".")
        return sa.table(name, schema=schema or None)

    def columns(self, relation: sa.FromClause) -> list[str]:
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
        return least is not None and as_written(least[0]) is None

    def rows(
        self,
        relation: sa.FromClause,
        columns: Sequence[str],
        *,
        order: Sequence[str] = (),
        start: int | str | None = None,
    ) -> Rows:
        """The rows, in the order of some columns, from a value of the first of them on."""
        query = sa.select(*(sa.column(name) for name in columns)).select_from(relation)
        query = query.order_by(*(sa.column(name) for name in order))
        if start is not None:
            if self._is_mysql and isinstance(start, str):
                start = start.removesuffix("+00:00")  # of its session, whose literals know no offsets
            query = query.where(sa.column(order[0]) >= start)
        return Rows(columns, self._copied(query) if self._is_postgres else self._streamed(query))

    def _copied(self, query: sa.Select[Any]) -> Iterator[bytes]:
        """Rows as the server itself writes them, which costs neither it nor us a look at each value."""
        compiled = query.compile(self._connection.engine, compile_kwargs={"literal_binds": True})
        statement = str(compiled).replace("%%", "%")  # doubled for parameters, of which there are none
        raw: Any = self._connection.connection.driver_connection
        with raw.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)") as copy:
            yield from map(bytes, copy)

    def _streamed(self, query: sa.Select[Any]) -> Iterator[bytes]:
        result = self._connection.execution_options(stream_results=True, yield_per=_STREAMED).execute(query)
        writers: list[Callable[[Any], Any]] = [as_written] * len(result.keys())
        if self._is_mysql and result.cursor is not None:
            writers = writers_of_mysql([column[1] for column in result.cursor.description])
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
        backend = self._url.get_backend_name()
        if self._is_postgres:
            connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            connection.execute(sa.text(f"SET LOCAL statement_timeout = {int(self._total_time * 1000)}"))
            connection.execute(sa.text("SET LOCAL TIME ZONE 'UTC'"))
            connection.execute(sa.text("SET LOCAL datestyle = 'ISO, YMD'"))
            connection.execute(sa.text("SET LOCAL client_encoding = 'UTF8'"))
        elif backend == "sqlite":
            connection.execute(sa.text("PRAGMA query_only = ON"))
        elif backend == "oracle":
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
