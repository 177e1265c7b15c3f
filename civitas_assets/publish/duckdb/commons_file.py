"""The DuckDB file of the commons: read as it is, or replaced by a changed copy in one step.

What is changed is decided in `commons_duckdb.py`; only whoever holds the lock of the commons may change anything.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from civitas_assets.errors import PublishError
from civitas_assets.publish.commons_tables import CommonsTables
from civitas_assets.publish.duckdb.duckdb import READABLE_SINCE
from civitas_assets.publish.duckdb.published_file import PublishedFile, Statement
from civitas_assets.settings import Limits
from civitas_assets.store.files import remove_folder


class ChangingTables(CommonsTables):
    """The tables of the copy; `compact` says that it has to be written anew, so that nothing taken out stays in it."""

    compact = False


class CommonsFile:
    """The file, which readers may hold open while another one takes its place."""

    def __init__(self, file: PublishedFile, limits: Limits) -> None:
        self._file, self._limits = file, limits

    @contextmanager
    def open_reading(self) -> Iterator[CommonsTables | None]:
        """What the file holds now; None where there is none.

        Raises:
            PublishError: it is damaged, or somebody writes to it.
        """
        try:
            with self._file.open_current() as path:
                connection = duckdb.connect(str(path), read_only=True) if path else None
            if connection is None:
                yield None
                return
            with connection:
                yield CommonsTables(connection)
        except duckdb.Error as error:
            raise PublishError(
                f"{self._file.address} cannot be read: {error}; remove it to have it made anew from the tenants' files"
            ) from error

    @contextmanager
    def open_changing(self) -> Iterator[ChangingTables]:
        """A copy to change, which then takes the file's place; where that fails, the file stays as it was."""
        path, found = self._file.path, self._file.find()
        folder = path.parent
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(".publish-*"):
            remove_folder(leftover)
        working = Path(tempfile.mkdtemp(dir=folder, prefix=".publish-"))
        try:
            copy = working / path.name
            if found:
                self._file.copy_current(copy)
            with self._open(copy) as connection:
                tables = ChangingTables(connection)
                tables.create_schema()
                yield tables
                connection.execute("checkpoint")
            if tables.compact:
                copy = self._compacted(copy, working / "fresh" / path.name)
            self._file.replace(copy, found, Statement(None, ""))
        finally:
            remove_folder(working)

    def _compacted(self, file: Path, fresh: Path) -> Path:
        """The same content in a new file: what was taken out is in no block of it."""
        fresh.parent.mkdir()
        with self._open(fresh) as connection:
            path = str(file).replace("'", "''")
            connection.execute(f"attach '{path}' as before (read_only)")
            connection.execute(f'copy from database before to "{fresh.stem}"')
            connection.execute("detach before")
            connection.execute("checkpoint")
        return fresh

    def _open(self, file: Path) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(file), config={"storage_compatibility_version": READABLE_SINCE})
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(self._limits.statements)
        return connection
