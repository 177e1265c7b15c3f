"""Reading a tenant's published DuckDB file: one state of it, never written to, in batches.

What is asked for, and what becomes of the answer, is decided elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.errors import PublishError
from civitas_assets.publish.commons import COMMONS_SCHEMA
from civitas_assets.publish.duckdb import DuckDBDestination
from civitas_assets.settings import Settings


class Tables:
    """The shared models of one tenant as they are published at one moment, also while a run publishes anew."""

    def __init__(self, tenant: str, connection: duckdb.DuckDBPyConnection) -> None:
        self.tenant = tenant
        self.connection = connection

    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """Every model with its columns and their types, in order."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        rows = self.connection.execute(
            "select table_name, column_name, data_type from duckdb_columns()"
            " where schema_name = current_schema() and not internal order by table_name, column_index"
        )
        for model, column, kind in rows.fetchall():
            found[model][column] = kind
        return found

    def batches(self, sql: str, parameters: Sequence[object], rows: int) -> pa.RecordBatchReader:
        """The answer, made while it is read; a batch has at most so many rows.

        Raises:
            PublishError: the query does not fit the tables.
        """
        try:
            return self.connection.execute(sql, parameters).to_arrow_reader(rows)
        except duckdb.Error as error:
            raise PublishError(f"{self.tenant}: {error}") from error


@contextmanager
def open_published(settings: Settings, tenant: str) -> Iterator[Tables]:
    """The tenant's tables, which see nothing beside their own file.

    Raises:
        PublishError: the tenant has no output yet, or it cannot be opened.
    """
    published = sorted(folder.name for folder in settings.published.glob("*") if folder.is_dir())
    file = DuckDBDestination(settings.published, tenant).file
    if tenant not in published or not file.is_file():
        others = ", ".join(name for name in published if name != tenant)
        if tenant == COMMONS:
            raise PublishError("nobody shares anything yet; tenants list models under share: in their files")
        raise PublishError(
            f"{tenant} has no output in {settings.published}; run: civitas run --tenant {tenant}"
            + (f" (there is: {others})" if others else "")
        )
    try:
        connection = duckdb.connect(str(file), read_only=True)
    except duckdb.Error as error:
        raise PublishError(f"{file} cannot be opened: {error}") from error
    with connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"set memory_limit = '{settings.memory_limit}'")
        connection.execute("set enable_external_access = false")
        if tenant == COMMONS:
            connection.execute(f"set schema = '{COMMONS_SCHEMA}'")
        yield Tables(tenant, connection)
