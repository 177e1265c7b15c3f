"""Asking published tables from the shell, read-only: with DuckDB's SQL, or PostgreSQL's where its readers log in.

Analysts may as well use any client of either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from civitas_assets.publish.reading import is_in_postgres, open_kept, open_published
from civitas_assets.settings import Settings

if TYPE_CHECKING:
    from civitas_assets.catalog.model import Destination

# Types of numbers in DuckDB and PostgreSQL.
_NUMERIC = frozenset(
    {"decimal", "double", "float", "float4", "float8", "hugeint", "numeric"}
    | {f"{sign}{size}int" for sign in ("", "u") for size in ("tiny", "small", "big")}
    | {"integer", "uinteger", "int2", "int4", "int8", "oid"}
)


@dataclass(frozen=True)
class QueryResult:
    """Columns, their types as the database calls them, rows, and whether there are more."""

    columns: Sequence[str]
    types: Sequence[str]
    rows: Sequence[Sequence[object]]
    more: bool

    @property
    def numeric(self) -> Sequence[bool]:
        """Which columns are numbers."""
        return [kind.partition("(")[0].lower() in _NUMERIC for kind in self.types]


def ask_tables(
    settings: Settings, tenant: str, sql: str, limit: int, destination: Destination | None = None
) -> QueryResult:
    """The first rows that the query gives on the tenant's tables, in its first destination or the one that is named.

    Raises:
        PublishError: the tenant has no output yet, or the query is not understood.
    """
    # A query of one tenant reads that tenant's tables and nothing else: by a login of its own, or in a copy.
    if settings.postgres_readers is not None and is_in_postgres(settings, tenant, destination):
        from civitas_assets.publish.postgres import postgres_query  # noqa: PLC0415 - drivers are loaded where they are used
        from civitas_assets.publish.postgres.postgres_server import Server  # noqa: PLC0415

        reader = Server.for_reader(settings, tenant)
        columns, types, rows = postgres_query.ask_server(reader, tenant, sql, limit + 1)
    else:
        with open_published(settings, tenant, destination=destination) as tables:
            columns, types, rows = tables.query_first(sql, limit + 1)
    return QueryResult(columns, types, rows[:limit], len(rows) > limit)


def ask_kept(settings: Settings, tenant: str, run: str, sql: str, limit: int) -> QueryResult:
    """The same on what a run has made and not published, since a blocking test failed.

    Raises:
        PublishError: there is nothing of such a run, or the query is not understood.
    """
    with open_kept(settings, tenant, run) as tables:
        columns, types, rows = tables.query_first(sql, limit + 1)
    return QueryResult(columns, types, rows[:limit], len(rows) > limit)
