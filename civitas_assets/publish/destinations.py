"""Which destination is whose, and which commons belong to it.

What destinations do is in the modules called after them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.catalog.model import Destination as Kind
from civitas_assets.publish.commons import Commons
from civitas_assets.publish.destination import Destination, check_key
from civitas_assets.publish.duckdb.commons_duckdb import DuckDBCommons
from civitas_assets.publish.duckdb.duckdb import DuckDBDestination
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files
from civitas_assets.store.locks import hold_shared_lock
from civitas_assets.store.storage import make_storage

_COMMONS_TIMEOUT = 600.0  # seconds that one waits for others who change the commons


def make_destination(settings: Settings, tenant: str, kind: Kind) -> Destination:
    """Where the tenant's shared models land.

    Raises:
        PublishError: that cannot be a tenant's key, or it is PostgreSQL, and no server is set.
    """
    check_key(tenant)
    if kind == "postgres":  # whose drivers are loaded where somebody uses it
        from civitas_assets.publish.postgres.postgres import PostgresDestination  # noqa: PLC0415
        from civitas_assets.publish.postgres.postgres_server import Server  # noqa: PLC0415

        return PostgresDestination(Server.from_settings(settings), tenant, settings.limits)
    return DuckDBDestination(PublishedFiles.from_settings(settings).find(tenant), settings.limits)


def make_commons(settings: Settings, files: Files, kind: Kind) -> Commons:
    """Where meets what tenants of that kind of destination share; notes of it are in the files.

    Raises:
        PublishError: it is PostgreSQL, and no server is set.
    """
    if kind == "postgres":
        from civitas_assets.publish.postgres.commons_postgres import PostgresCommons  # noqa: PLC0415
        from civitas_assets.publish.postgres.postgres_server import Server  # noqa: PLC0415

        return PostgresCommons(Server.from_settings(settings))
    hold = partial(_hold_commons, settings)
    return DuckDBCommons(PublishedFiles.from_settings(settings), hold, files, settings.limits)


def remove_unpublished_commons(settings: Settings) -> None:
    """Take away what machines have sent of the commons they share and have not published, or no longer."""
    if settings.storage_url:
        with _hold_commons(settings):
            PublishedFiles.from_settings(settings).find(COMMONS).remove_unpublished()


def _hold_commons(settings: Settings) -> AbstractContextManager[object]:
    """Where machines share the file, all of them wait; else all processes of this one."""
    if settings.storage_url:
        return make_storage(settings).hold(COMMONS, _COMMONS_TIMEOUT)
    return hold_shared_lock(settings.locks, COMMONS, _COMMONS_TIMEOUT)
