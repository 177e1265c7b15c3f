"""Answers of the database as typed rows.

What is asked stands in the modules of the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from civitas_assets.publish.reading import PublishedTables

Row = TypeVar("Row")


def read_rows(tables: PublishedTables, sql: str, parameters: Sequence[object], kind: type[Row]) -> list[Row]:
    """The answer to a query that has as few rows as a page can show, column by column into the fields of `kind`.

    The query is in SQL that DuckDB and PostgreSQL have in common, with $1, $2 and so on for the parameters. Both have
    their own order of texts: who wants them in order sorts them.

    Raises:
        PublishError: the query does not fit the tables.
    """
    return msgspec.convert(tables.query_rows(sql, parameters), list[kind])  # type: ignore[valid-type]
