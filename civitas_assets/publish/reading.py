"""Reading a tenant's published tables: one state of them, never written to, in batches, with SQL of DuckDB.

What is asked for, and what becomes of the answer, is decided elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import msgspec

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.catalog.last_good import read_declared_destination
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.errors import PublishError
from civitas_assets.publish.commons import COMMONS_SCHEMA
from civitas_assets.publish.destination import check_key
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from civitas_assets.catalog.model import Destination
    from civitas_assets.publish.postgres.postgres_reading import Stream

_LOCKED = (
    "set allow_community_extensions = false",
    "set python_enable_replacements = false",
    "set enable_external_access = false",
    "set lock_configuration = true",
)


class PublishedTables:
    """The shared models of one tenant as they are published at one moment, also while a run publishes anew."""

    def __init__(
        self, tenant: str, connect: Callable[[], duckdb.DuckDBPyConnection], stream: Stream | None = None
    ) -> None:
        self.tenant = tenant
        self._connect, self._stream = connect, stream

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return self._connect()

    def list_models(self) -> frozenset[str]:
        """The models that are there."""
        if self._stream is not None:
            return frozenset(self._stream.contracts)
        found = self._connection.execute(
            "select table_name from duckdb_tables() where schema_name = current_schema()"
        )
        return frozenset(name for (name,) in found.fetchall())

    def read_contracts(self) -> Mapping[str, Contract]:
        """The contracts that the models follow; none where that is not said, as in the commons."""
        if self._stream is not None:
            return self._stream.contracts
        try:
            found = self._connection.execute("select contracts from meta.publication").fetchone()
        except duckdb.CatalogException:
            return {}
        return msgspec.json.decode(found[0], type=dict[str, Contract]) if found else {}

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """The answer to a query in SQL that DuckDB and PostgreSQL have in common, worked out where the tables are.

        Raises:
            PublishError: the query does not fit the tables.
        """
        if self._stream is not None:
            return self._stream.query(sql, parameters)
        return self.stream(sql, parameters, 65_536).read_all()

    def query_rows(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, object]]:
        """The same as a few rows of plain values; from a file it does without Arrow, which takes time to load.

        Raises:
            PublishError: the query does not fit the tables.
        """
        if self._stream is not None:
            found: list[dict[str, object]] = self._stream.query(sql, parameters).to_pylist()
            return found
        try:
            cursor = self._connection.execute(sql, parameters)
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except duckdb.Error as error:
            raise PublishError(f"{self.tenant}: {error}") from error

    def list_columns(self) -> Mapping[str, Mapping[str, str]]:
        """Every model with its columns and their types, in order."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        rows = self._connection.execute(
            "select table_name, column_name, data_type from duckdb_columns()"
            " where schema_name = current_schema() and not internal order by table_name, column_index"
        )
        for model, column, kind in rows.fetchall():
            found[model][column] = kind
        return found

    def stream(self, sql: str, parameters: Sequence[object], rows: int) -> pa.RecordBatchReader:
        """The answer, made while it is read; a batch has at most so many rows.

        Raises:
            PublishError: the query does not fit the tables.
        """
        try:
            return self._filled(sql).execute(sql, parameters).to_arrow_reader(rows)
        except duckdb.Error as error:
            raise PublishError(f"{self.tenant}: {error}") from error

    def query_first(
        self, sql: str, rows: int
    ) -> tuple[Sequence[str], Sequence[str], list[tuple[object, ...]]]:
        """Names and types of columns, and so many rows of the answer.

        Raises:
            PublishError: the query does not fit the tables.
        """
        try:
            cursor = self._filled(sql).execute(sql)
            description = cursor.description or []
            found = cursor.fetchmany(rows)
        except duckdb.Error as error:
            raise PublishError(f"{self.tenant}: {error}") from error
        names = [column[0] for column in description]
        return names, [str(column[1]) for column in description], found

    def _filled(self, sql: str) -> duckdb.DuckDBPyConnection:
        """The database with the tables that a query names."""
        if self._stream is not None:
            self._stream.fill(self._connection, sql)
        return self._connection


@contextmanager
def open_published(
    settings: Settings,
    tenant: str,
    first: date | None = None,
    last: date | None = None,
    *,
    destination: Destination | None = None,
) -> Iterator[PublishedTables]:
    """The tenant's tables in its first destination, or the one that is named; they see nothing beside their own.

    Days before the first or after the last one may be missing: from PostgreSQL they are not even fetched.

    Raises:
        PublishError: the tenant has no output yet, or it cannot be opened.
    """
    if is_in_postgres(settings, tenant, destination):
        from civitas_assets.publish.postgres.postgres_reading import open_stream  # noqa: PLC0415 - drivers are loaded where
        from civitas_assets.publish.postgres.postgres_server import Server  # noqa: PLC0415 - they are used

        with (
            open_stream(Server.from_settings(settings), tenant, first, last) as stream,
            ExitStack() as stack,
        ):

            def connect() -> duckdb.DuckDBPyConnection:
                connection = stack.enter_context(stream.open_database(settings.workspaces))
                _restrict(connection, settings)
                return connection

            yield PublishedTables(tenant, connect, stream)
        return
    with _opened_file(settings, tenant) as connection:
        _restrict(connection, settings)
        if tenant == COMMONS:
            connection.execute(f"set schema = '{COMMONS_SCHEMA}'")
        yield PublishedTables(tenant, lambda: connection)


def fetch_published(settings: Settings, tenant: str) -> Path:
    """Where the tenant's published DuckDB file, or that of the commons, is on this machine; it is brought there first.

    Raises:
        PublishError: there is none.
    """
    with _current_file(settings, tenant) as file:
        return file


@contextmanager
def open_kept(settings: Settings, tenant: str, run: str) -> Iterator[PublishedTables]:
    """What a run of the tenant made and did not publish, as a blocking test failed: models, and the records beneath.

    Raises:
        PublishError: that cannot be a tenant's key, there is nothing of such a run, or it cannot be opened.
    """
    from civitas_assets.harmonise.kept_runs import list_kept_runs  # noqa: PLC0415 - with all that makes one
    from civitas_assets.harmonise.workspace_tables import (  # noqa: PLC0415
        RECORDS_SCHEMA,
        SHARED_SCHEMA,
        STAGING_SCHEMA,
    )

    check_key(tenant)
    kept = list_kept_runs(settings.workspaces, tenant)
    if run not in kept:
        there = f"; there is: {', '.join(kept)}" if kept else ""
        raise PublishError(
            f"{tenant} has no workspace of a run {run} whose blocking test failed within three days{there}"
        )
    with _connected(kept[run].database) as connection:
        connection.execute(f"set search_path = '{SHARED_SCHEMA},{STAGING_SCHEMA},{RECORDS_SCHEMA}'")
        records = [settings.home / "records" / tenant, kept[run].folder]  # which views of records read
        connection.execute("set allowed_directories = $1", [[f"{folder}/" for folder in records]])
        _restrict(connection, settings)
        yield PublishedTables(tenant, lambda: connection)


def is_in_postgres(settings: Settings, tenant: str, destination: Destination | None = None) -> bool:
    """Whether the tenant's tables, or the commons, are in PostgreSQL, as far as it was asked for or the files say."""
    if destination is not None:
        return destination == "postgres"
    if tenant == COMMONS:
        files = PublishedFiles.from_settings(settings)
        return bool(settings.postgres_url) and files.find(tenant).find() is None
    return read_declared_destination(settings, tenant) == "postgres"


def _restrict(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Nothing beside the database is in reach of a query: no file, variable, extension or other setting."""
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(settings.limits.statements)
    for statement in _LOCKED:
        connection.execute(statement)


def _opened_file(settings: Settings, tenant: str) -> duckdb.DuckDBPyConnection:
    with _current_file(settings, tenant) as file:
        return _connected(file)


@contextmanager
def _current_file(settings: Settings, tenant: str) -> Iterator[Path]:
    """What is published of the tenant, until it is opened."""
    published = PublishedFiles.from_settings(settings)
    with published.find(tenant).open_current() as file:
        if file is not None:
            yield file
            return
    if tenant == COMMONS:
        raise PublishError("nobody shares anything yet; tenants list models under share: in their files")
    others = ", ".join(name for name in published.list_names() if name != tenant)
    raise PublishError(
        f"{tenant} has no output in {published.place}; run: civitas run --tenant {tenant}"
        + (f" (there is: {others})" if others else "")
    )


def _connected(file: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(file), read_only=True)
    except duckdb.Error as error:
        raise PublishError(f"{file} cannot be opened: {error}") from error
