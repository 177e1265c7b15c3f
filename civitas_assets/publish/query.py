"""Asking a published DuckDB file from the shell, read-only.

Analysts may as well open the file with any DuckDB client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from civitas_assets.errors import PublishError
from civitas_assets.publish.reading import open_published
from civitas_assets.settings import Settings

_NUMERIC = {"BIGINT", "INTEGER", "DOUBLE", "HUGEINT", "FLOAT", "DECIMAL", "SMALLINT", "UBIGINT", "UINTEGER"}


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
    try:
        # A query of one tenant reads that tenant's file and nothing else.
        with open_published(settings, tenant) as tables:
            cursor = tables.connection.execute(sql)
            description = cursor.description or []
            rows = cursor.fetchmany(limit + 1)
    except duckdb.Error as error:
        raise PublishError(f"{tenant}: {error}") from error
    numeric = [str(column[1]).split("(")[0] in _NUMERIC for column in description]
    return Answer([column[0] for column in description], numeric, rows[:limit], len(rows) > limit)
