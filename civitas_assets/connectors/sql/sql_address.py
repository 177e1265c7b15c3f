"""Addresses of databases as a tenant may write them: a host and a login of their own, and only known parameters.

Libraries take much more in an address: sockets, entries of service files, files of keys, other hosts, drivers to load.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from civitas_assets.errors import FetchError

PORTS: Mapping[str, int] = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mssql": 1433, "oracle": 1521}
DRIVERS: Mapping[str, str] = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_OF_MYSQL = frozenset({"charset", "ssl_ca", "ssl_verify_cert", "ssl_verify_identity"})
_PARAMETERS: Mapping[str, frozenset[str]] = {
    "postgresql": frozenset({"sslmode", "sslrootcert", "channel_binding", "target_session_attrs"}),
    "mysql": _OF_MYSQL,
    "mariadb": _OF_MYSQL,
    "mssql": frozenset({"charset", "encryption"}),
    "oracle": frozenset({"service_name"}),
    "sqlite": frozenset(),
}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")


def parse_database_url(url: str) -> sa.URL:
    """The address, for the driver that is used.

    Raises:
        ValueError: it is none; without what it says, which may be a password.
    """
    try:
        address = make_url(url)
        address = address.set(drivername=DRIVERS.get(address.drivername, address.drivername))
        address.get_backend_name()
    except (ArgumentError, ValueError):
        raise ValueError(
            "url is no address of a database, such as postgresql://user@host:5432/database"
        ) from None
    return address


def check_database_url(url: str) -> str | None:
    """Why a tenant may not write such an address; None where it may. What it says is not repeated.

    Raises:
        ValueError: it is no address of a database.
    """
    address = parse_database_url(url)
    backend = address.get_backend_name()
    if address.password is not None or any("pass" in name.lower() for name in address.query):
        return "url holds a password: name it as a secret, as in password: {secret: NAME}"
    if backend not in _PARAMETERS:
        return f"url is of a kind of database that is not read; there are: {', '.join(sorted(_PARAMETERS))}"
    unknown = sorted(address.query.keys() - _PARAMETERS[backend])
    if unknown:
        known = ", ".join(sorted(_PARAMETERS[backend])) or "none"
        return f"url has the parameter {unknown[0][:40]!r}; those that are known: {known}"
    if backend == "sqlite":
        is_file = address.database and not address.host
        return None if is_file else "url names no file, such as sqlite:///parken.db"
    return _fault_of_server(address)


def _fault_of_server(address: sa.URL) -> str | None:
    if not _HOST.fullmatch(address.host or ""):
        return (
            "url names no host of its own, such as postgresql://user@host:5432/database; sockets are not used"
        )
    if not address.username:
        return "url names no login of its own, such as postgresql://user@host:5432/database"
    return None


def find_database_file(address: sa.URL, folder: Path | None) -> Path:
    """The file of an SQLite database, which is in the tenant's own folder where the operator has named one.

    Raises:
        FetchError: it is not.
    """
    if folder is None:
        return Path(address.database or "")
    file = (folder / (address.database or "")).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise FetchError(f"{address.database} is not in {folder}, where the tenant's files of databases are")
    return file


def sanitize_database_url(url: str) -> str:
    """Where the database is, without options, which may hold more than others should see."""
    return make_url(url).set(query={}).render_as_string(hide_password=True)
