"""Asking published tables from the shell, read-only: with DuckDB's SQL, or PostgreSQL's where its readers log in.

Analysts may as well use any client of either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from civitas_assets.publish.reading import is_in_postgres, open_published
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
    # A query of one tenant reads that tenant's tables and nothing else: by a login of its own, or in a copy.
    if settings.postgres_readers is not None and is_in_postgres(settings, tenant):
        from civitas_assets.publish import postgres_query  # noqa: PLC0415 - drivers are loaded where they are used
        from civitas_assets.publish.postgres_server import Server  # noqa: PLC0415

        reader = Server.of_reader(settings, tenant)
        columns, numeric, rows = postgres_query.ask(reader, tenant, sql, limit + 1)
    else:
        with open_published(settings, tenant) as tables:
            columns, numeric, rows = tables.first(sql, limit + 1)
    return Answer(columns, numeric, rows[:limit], len(rows) > limit)
