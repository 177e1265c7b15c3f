"""Asking published tables from the shell, read-only: a DuckDB file with DuckDB's SQL, PostgreSQL with its own.

Analysts may as well use any client of either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.catalog.load import declared_destination
from civitas_assets.publish.duckdb import published_file
from civitas_assets.publish.reading import open_published
from civitas_assets.settings import Settings


@dataclass(frozen=True)
class Answer:
    """Columns, which of them are numbers, rows, and whether there are more."""

    columns: Sequence[str]
    numeric: Sequence[bool]
    rows: Sequence[Sequence[object]]
    more: bool


def ask(settings: Settings, tenant: str, sql: str, limit: int) -> Answer:
    """The first rows that the query gives on the tenant's tables.

    Raises:
        PublishError: the tenant has no output yet, or the query is not understood.
    """
    is_commons = (
        tenant == COMMONS
        and bool(settings.postgres_url)
        and not published_file(settings.published, tenant).is_file()
    )
    # A query of one tenant reads that tenant's tables and nothing else.
    if is_commons or declared_destination(settings, tenant) == "postgres":
        from civitas_assets.publish import postgres_reading  # noqa: PLC0415 - drivers are loaded where they are used
        from civitas_assets.publish.postgres_server import Server  # noqa: PLC0415

        server = Server.of(settings)
        columns, numeric, rows = (
            postgres_reading.ask_commons(server, sql, limit + 1)
            if is_commons
            else postgres_reading.ask(server, tenant, sql, limit + 1)
        )
    else:
        with open_published(settings, tenant) as tables:
            columns, numeric, rows = tables.first(sql, limit + 1)
    return Answer(columns, numeric, rows[:limit], len(rows) > limit)
