"""Which destination is whose, and which commons belong to it.

What destinations do is in the modules called after them.
"""

from __future__ import annotations

from civitas_assets.catalog.model import Destination as Kind
from civitas_assets.publish.commons import Commons
from civitas_assets.publish.destination import Destination
from civitas_assets.publish.duckdb.commons_duckdb import DuckDBCommons
from civitas_assets.publish.duckdb.duckdb import DuckDBDestination
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files


def make_destination(settings: Settings, tenant: str, kind: Kind) -> Destination:
    """Where the tenant's shared models land.

    Raises:
        PublishError: it is PostgreSQL, and no server is set.
    """
    if kind == "postgres":  # whose drivers are loaded where somebody uses it
        from civitas_assets.publish.postgres.postgres import PostgresDestination  # noqa: PLC0415
        from civitas_assets.publish.postgres.postgres_server import Server  # noqa: PLC0415

        return PostgresDestination(Server.from_settings(settings), tenant, settings.limits)
    return DuckDBDestination(settings.published, tenant, settings.limits)


def make_commons(settings: Settings, files: Files, kind: Kind) -> Commons:
    """Where meets what tenants of that kind of destination share; notes of it are in the files.

    Raises:
        PublishError: it is PostgreSQL, and no server is set.
    """
    if kind == "postgres":
        from civitas_assets.publish.postgres.commons_postgres import PostgresCommons  # noqa: PLC0415
        from civitas_assets.publish.postgres.postgres_server import Server  # noqa: PLC0415

        return PostgresCommons(Server.from_settings(settings))
    return DuckDBCommons(settings.published, settings.locks, files, settings.limits)
