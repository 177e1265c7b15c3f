"""The PostgreSQL server that tenants are published to: connecting, limits of time, and errors without secrets.

What is done there is in the other modules; passwords are only ever handed to libpq.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

import adbc_driver_manager
import adbc_driver_postgresql
import adbc_driver_postgresql.dbapi as adbc
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Composed, Identifier, Literal
from pydantic import SecretStr

from civitas_assets.errors import PublishError
from civitas_assets.redaction import Redactor
from civitas_assets.settings import Settings

Statement = SQL | Composed
# What both drivers raise.
DatabaseError = (psycopg.Error, adbc_driver_manager.Error)
_SETTING, _READERS = "CIVITAS_POSTGRES_URL", "CIVITAS_POSTGRES_READERS"
_DEFAULTS = {"application_name": "civitas_assets", "connect_timeout": "10", "client_encoding": "UTF8"}
_OLDEST = 14

PAUSES = (1.0, 5.0, 15.0)  # seconds before something that passes is tried again
# Lock not available, deadlock, conflict between transactions, server going down or coming up, too many connections.
_PASSING = frozenset({"55P03", "40P01", "40001", "57P01", "57P02", "57P03", "53300"})
_CONNECTION = "08"
# At connecting, drivers give the server's words and no code; those of faults that no time mends.
_STAYS = re.compile(
    r"authentication|password|pg_hba\.conf|does not exist|permission denied|certificate|SSL|invalid"
)

log = logging.getLogger("civitas_assets.publish")
_Connection = TypeVar("_Connection")


def is_transient(error: psycopg.Error | adbc_driver_manager.Error) -> bool:
    """Whether what stopped a transaction may be over in a moment."""
    state = error.sqlstate
    if state is None:  # no connection, or no longer
        return isinstance(error, (psycopg.OperationalError, adbc_driver_manager.OperationalError))
    return state in _PASSING or state.startswith(_CONNECTION)


@dataclass(frozen=True)
class Server:
    """Where and how to connect; times are in seconds.

    A server that is away for a moment, or has no connection left, is asked again; not by who asks `at_once`.
    """

    conninfo: SecretStr
    lock_timeout: float = 5.0
    statement_timeout: float = 1800.0
    query_timeout: float = 60.0
    pause: Callable[[float], None] = field(default=time.sleep, compare=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Server:
        """The server of a deployment.

        Raises:
            PublishError: no server is set, or not in a way that libpq understands.
        """
        if settings.postgres_url is None:
            raise PublishError(
                f"a tenant has `destination: postgres`, but {_SETTING} is not set; set it to a URL such as"
                " postgresql://civitas@db.example:5432/civitas, or to service=NAME of a service file"
            )
        return cls._at(settings, settings.postgres_url.get_secret_value(), _SETTING)

    @classmethod
    def for_reader(cls, settings: Settings, tenant: str) -> Server:
        """The same for who may only read the tables of a tenant, whose key was checked.

        Raises:
            PublishError: no such logins are set, or not in a way that libpq understands.
        """
        given = settings.postgres_readers.get_secret_value() if settings.postgres_readers else ""
        return cls._at(settings, given.replace("{tenant}", tenant), _READERS)

    @classmethod
    def find_query_login(cls, settings: Settings, tenant: str) -> str | None:
        """Who asks for the tenant by `civitas query`; None where it is no account of the tenant's own."""
        given = settings.postgres_readers
        if given is None or "{tenant}" not in given.get_secret_value():
            return None
        login = cls.for_reader(settings, tenant).login
        return login if login and tenant in login else None

    @classmethod
    def _at(cls, settings: Settings, conninfo: str, setting: str) -> Server:
        try:
            given = conninfo_to_dict(conninfo)
        except psycopg.Error:  # its text may hold what was given, a password included
            raise PublishError(
                f"{setting} is neither a URL (postgresql://user@host:port/database) nor key=value pairs of libpq"
            ) from None
        known = {name: str(value) for name, value in given.items() if value is not None}
        return cls(
            SecretStr(make_conninfo("", **{**_DEFAULTS, **known})),
            settings.postgres_lock_timeout,
            settings.postgres_statement_timeout,
            settings.postgres_query_timeout,
        )

    @property
    def address(self) -> str:
        """Where the database is, without account and password."""
        given = self._given
        if "service" in given:
            return f"service={given['service']}"
        host, port = given.get("host") or given.get("hostaddr") or "localhost", given.get("port") or "5432"
        return f"postgresql://{host}:{port}/{given.get('dbname') or given.get('user', '')}"

    @property
    def login(self) -> str | None:
        """The account of publishing, where it is written in the setting and not found by libpq."""
        return self._given.get("user")

    @property
    def _given(self) -> dict[str, str]:
        given = conninfo_to_dict(self.conninfo.get_secret_value())
        return {name: str(value) for name, value in given.items() if value is not None}

    @contextmanager
    def connect(self, *, at_once: bool = False) -> Iterator[psycopg.Connection]:
        """A connection for what is small: each statement on its own, unless a transaction is begun.

        Raises:
            PublishError: the server is not reached, refuses, or is too old.
        """
        with self._opened(
            lambda given: psycopg.connect(given, autocommit=True), at_once=at_once
        ) as connection:
            if connection.info.server_version < _OLDEST * 10_000:
                raise PublishError(f"{self.address} is older than PostgreSQL {_OLDEST}")
            connection.execute(SQL("set search_path = pg_catalog"))
            for limit in self.limits_sql():
                connection.execute(limit)
            yield connection

    @contextmanager
    def open_loader(self, *, at_once: bool = False) -> Iterator[adbc.Connection]:
        """A connection that takes and gives Arrow, in a transaction that ends in nothing unless it is committed.

        Raises:
            PublishError: the server is not reached, or refuses.
        """
        with self._opened(_connect_loader, at_once=at_once) as connection:
            yield connection

    def _opened(self, connect: Callable[[str], _Connection], *, at_once: bool) -> _Connection:
        pauses = iter(() if at_once else PAUSES)
        while True:
            try:
                return connect(self.conninfo.get_secret_value())
            except DatabaseError as error:
                told, failure = self.describe(error), self.to_error("cannot connect", error)
            # Out of the handler: the driver's error may hold what was given, a password included.
            pause = None if _STAYS.search(told) else next(pauses, None)
            if pause is None:
                raise failure
            log.info("%s · connected to again in %g s: %s", self.address, pause, told)
            self.pause(pause)

    def limits_sql(self) -> list[Composed]:
        """Statements that limit how long a session waits and works, and so how long it is in others' way."""
        seconds = {
            "lock_timeout": self.lock_timeout,
            "statement_timeout": self.statement_timeout,
            "idle_in_transaction_session_timeout": self.statement_timeout,
        }
        return [
            SQL("set {} = {}").format(Identifier(name), Literal(f"{int(value * 1000)}ms"))
            for name, value in seconds.items()
        ]

    def to_error(self, what: str, error: psycopg.Error | adbc_driver_manager.Error) -> PublishError:
        """What a driver's error says, as an error for a user."""
        text = self.describe(error)
        if error.sqlstate == "42501":
            text += "; have the tenant's roles made with `civitas tenant grant`"
        return PublishError(f"{self.address}: {what}: {text}")

    def describe(self, error: psycopg.Error | adbc_driver_manager.Error) -> str:
        """The server's own words, without the statement and without any password."""
        text = str(error).partition("\nQuery was:")[0]
        # The driver puts the statement before the server's words.
        text = re.sub(r"^.*?(ERROR|FATAL): ", "", text, count=1, flags=re.DOTALL)
        text = re.sub(r"^\w+: (\[libpq\] )?", "", text)
        text = re.sub(r"\.? SQLSTATE: \w+$", "", text.strip())
        passwords = Redactor(value for name, value in self._given.items() if "password" in name)
        return " ".join(passwords.redact_text(text).split())


class _Kept:
    """What a loader's connection ends in place of the driver's database, which the next one takes again."""

    def close(self) -> None:
        """Do nothing."""


def _connect_loader(conninfo: str) -> adbc.Connection:
    return adbc.Connection(_Kept(), adbc_driver_manager.AdbcConnection(_open_database(conninfo)))


@lru_cache(maxsize=8)
def _open_database(conninfo: str) -> adbc_driver_manager.AdbcDatabase:
    """What the driver knows of a server's types: no connection, and the same for all of a process.

    To know them it reads the columns of all tables of all tenants (ADBC 1.13, `PostgresDatabase::RebuildTypeResolver`),
    which `adbc.connect` would have it do each time. A type that is made later comes as bytes; contracts have none.
    """
    database: adbc_driver_manager.AdbcDatabase = adbc_driver_postgresql.connect(conninfo)
    return database


def to_statement_text(statement: Statement | Identifier) -> str:
    """A statement as text, for a driver that takes nothing else."""
    return statement.as_string(None)
