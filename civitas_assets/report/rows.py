"""Answers of the database as typed rows.

What is asked stands in the modules of the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

import msgspec

from civitas_assets.publish.reading import Tables

Row = TypeVar("Row")


def rows(tables: Tables, sql: str, parameters: Sequence[object], kind: type[Row]) -> list[Row]:
    """The answer to a query that has as few rows as a page can show, column by column into the fields of `kind`.

    Raises:
        PublishError: the query does not fit the tables.
    """
    given = [value.isoformat() if isinstance(value, date) else value for value in parameters]
    return msgspec.convert(tables.batches(sql, given, 65_536).read_all().to_pylist(), list[kind])  # type: ignore[valid-type]
