"""The PostgreSQL server that tenants are published to: connecting, limits of time, and errors without secrets.

What is done there is in the other modules; passwords are only ever handed to libpq.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Composed, Identifier, Literal
from pydantic import SecretStr

from civitas_assets.errors import PublishError
from civitas_assets.settings import Settings

Statement = SQL | Composed
# What both drivers raise.
DatabaseError = (psycopg.Error, adbc_driver_manager.Error)
_SETTING = "CIVITAS_POSTGRES_URL"
_DEFAULTS = {"application_name": "civitas_assets", "connect_timeout": "10", "client_encoding": "UTF8"}
_OLDEST = 14


@dataclass(frozen=True)
class Server:
    """Where and how to connect; times are in seconds."""

    conninfo: SecretStr
    lock_timeout: float = 5.0
    statement_timeout: float = 1800.0
    query_timeout: float = 60.0

    @classmethod
    def of(cls, settings: Settings) -> Server:
        """The server of a deployment.

        Raises:
            PublishError: no server is set, or not in a way that libpq understands.
        """
        if settings.postgres_url is None:
            raise PublishError(
                f"a tenant has `destination: postgres`, but {_SETTING} is not set; set it to a URL such as"
                " postgresql://civitas@db.example:5432/civitas, or to service=NAME of a service file"
            )
        try:
            given = conninfo_to_dict(settings.postgres_url.get_secret_value())
        except psycopg.Error:  # its text may hold what was given, a password included
            raise PublishError(
                f"{_SETTING} is neither a URL (postgresql://user@host:port/database) nor key=value pairs of libpq"
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
    def connected(self) -> Iterator[psycopg.Connection]:
        """A connection for what is small: each statement on its own, unless a transaction is begun.

        Raises:
            PublishError: the server is not reached, refuses, or is too old.
        """
        try:
            connection = psycopg.connect(self.conninfo.get_secret_value(), autocommit=True)
        except psycopg.Error as error:
            raise self.fault("cannot connect", error) from None
        with connection:
            if connection.info.server_version < _OLDEST * 10_000:
                raise PublishError(f"{self.address} is older than PostgreSQL {_OLDEST}")
            connection.execute(SQL("set search_path = pg_catalog"))
            for limit in self.limits():
                connection.execute(limit)
            yield connection

    @contextmanager
    def loading(self) -> Iterator[adbc.Connection]:
        """A connection that takes and gives Arrow, in a transaction that ends in nothing unless it is committed.

        Raises:
            PublishError: the server is not reached, or refuses.
        """
        try:
            connection = adbc.connect(self.conninfo.get_secret_value())
        except adbc_driver_manager.Error as error:
            raise self.fault("cannot connect", error) from None
        with connection:
            yield connection

    def limits(self) -> list[Composed]:
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

    def fault(self, what: str, error: psycopg.Error | adbc_driver_manager.Error) -> PublishError:
        """What a driver's error says, as an error for a user."""
        text = self.told(error)
        if error.sqlstate == "42501":
            text += "; have the tenant's roles made with `civitas tenant grant`"
        return PublishError(f"{self.address}: {what}: {text}")

    def told(self, error: psycopg.Error | adbc_driver_manager.Error) -> str:
        """The server's own words, without the statement and without any password."""
        text = str(error).partition("\nQuery was:")[0]
        # The driver puts the statement before the server's words.
        text = re.sub(r"^.*?(ERROR|FATAL): ", "", text, count=1, flags=re.DOTALL)
        text = re.sub(r"^\w+: (\[libpq\] )?", "", text)
        text = re.sub(r"\.? SQLSTATE: \w+$", "", text.strip())
        for name, value in self._given.items():
            if "password" in name and value:
                text = text.replace(value, "***")
        return " ".join(text.split())


def text_of(statement: Statement) -> str:
    """A statement as text, for a driver that takes nothing else."""
    return statement.as_string(None)
