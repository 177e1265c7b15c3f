"""A tenant's published DuckDB file: where it is, what it says of itself, and how another one takes its place.

It is apart from what writes the file, so that readers need not import that. Files that several machines share are in
`shared_file.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import duckdb
import msgspec

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.errors import OutdatedError
from civitas_assets.publish.destination import check_key
from civitas_assets.publish.duckdb.replacing import copy_file, sync_file
from civitas_assets.store.files import remove_folder
from civitas_assets.store.locks import hold_folder_lock
from civitas_assets.store.whole_file import sync_folder


def find_published_file(published: Path, name: str) -> Path:
    """Where the file of a tenant is on this machine, or that of the commons.

    The stem differs from every schema in the file, else `tenant.table` would be ambiguous.

    Raises:
        PublishError: that cannot be a tenant's key.
    """
    if name != COMMONS:
        check_key(name)
    return published / name / f"{name}_db.duckdb"


@dataclass(frozen=True)
class Statement:
    """What a published file says of itself.

    `contracts` are None where it does not say what its tables follow, `publication` is empty where it does not say who
    made it when.
    """

    contracts: Mapping[str, Contract] | None
    publication: str


@dataclass(frozen=True)
class PublishedVersion:
    """The file that readers get now: a text that no other one has, bytes, and since when it is published.

    `statement` is what is known of it without opening the file.
    """

    version: str
    size: int
    published_at: datetime
    statement: Statement | None = None


class PublishedFile(Protocol):
    """The published file of a tenant, or that of the commons: readers get the old one or the new one."""

    @property
    def path(self) -> Path:
        """Where it is on this machine, or is brought to; what a run works on lies in the same folder."""
        ...

    @property
    def address(self) -> str:
        """Where people find it; without any secret."""
        ...

    def find(self) -> PublishedVersion | None:
        """What is published now; None where nothing is."""
        ...

    def read_statement(self, found: PublishedVersion) -> Statement:
        """What the file that was found says of itself.

        Raises:
            duckdb.Error: it cannot be opened.
        """
        ...

    def open_current(self) -> AbstractContextManager[Path | None]:
        """The file that is published now, at a path that is to be opened before this ends; None where nothing is.

        Who has opened it keeps it, whatever is published then.
        """
        ...

    def copy_current(self, target: Path) -> None:
        """Make a copy of the file that is published now, for a run to change.

        Raises:
            PublishError: there is none.
        """
        ...

    def replace(self, copy: Path, found: PublishedVersion | None, statement: Statement) -> None:
        """Let a file that says this of itself take the place of the one that was found.

        Raises:
            OutdatedError: another one is published by now, or none any more; it was left as it is.
        """
        ...

    def remove_unpublished(self) -> int:
        """Take away what was made to be published and never was, while nobody else publishes; how many objects."""
        ...

    def measure(self) -> list[int]:
        """Bytes of each file and object that `remove` takes away."""
        ...

    def remove(self) -> None:
        """Take away what readers see, and what runs have left beside it; where there is nothing, nothing happens."""
        ...


class LocalPublishedFile:
    """One that is in a folder of this machine and nowhere else."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def address(self) -> str:
        """The path."""
        return str(self.path)

    def find(self) -> PublishedVersion | None:
        """See `PublishedFile`."""
        if not self.path.is_file():
            return None
        stat = self.path.stat()
        published_at = datetime.fromtimestamp(stat.st_mtime, UTC)
        return PublishedVersion(read_stamp(self.path), stat.st_size, published_at)

    def read_statement(self, found: PublishedVersion) -> Statement:
        """See `PublishedFile`; it is asked once, as nobody changes a file that is published."""
        return _ask(self.path, found.version)

    @contextmanager
    def open_current(self) -> Iterator[Path | None]:
        """See `PublishedFile`."""
        yield self.path if self.path.is_file() else None

    def copy_current(self, target: Path) -> None:
        """See `PublishedFile`."""
        copy_file(self.path, target)

    def replace(self, copy: Path, found: PublishedVersion | None, statement: Statement) -> None:
        """See `PublishedFile`."""
        del statement  # the file itself is asked
        make_ready(copy)
        with hold_folder_lock(self.path.parent):
            now = self.find()
            if (now and now.version) != (found and found.version):
                raise OutdatedError(f"{self.path}: another run has published since the copy was made")
            copy.replace(self.path)
        sync_folder(self.path.parent)

    def remove_unpublished(self) -> int:
        """See `PublishedFile`; what is left in the folder goes when the next file is published."""
        return 0

    def measure(self) -> list[int]:
        """See `PublishedFile`."""
        return measure_folder(self.path.parent)

    def remove(self) -> None:
        """See `PublishedFile`."""
        remove_folder(self.path.parent)


def measure_folder(folder: Path) -> list[int]:
    """Bytes of each file below it."""
    return [path.stat().st_size for path in folder.rglob("*") if path.is_file()]


def make_ready(copy: Path) -> None:
    """Let the group of the folder read the file, and have it on disk, before it takes the other one's name."""
    copy.chmod(0o640)
    sync_file(copy)


def read_stamp(path: Path) -> str:
    """A text that is another one as soon as another file has the name."""
    stat = path.stat()
    return f"{stat.st_ino}-{stat.st_mtime_ns}-{stat.st_size}"


def read_contracts_of(connection: duckdb.DuckDBPyConnection) -> Mapping[str, Contract] | None:
    """The contracts that the tables follow; None where the file does not say so in a way that is understood."""
    try:
        row = connection.execute("select contracts from meta.publication").fetchone()
        return msgspec.json.decode(row[0], type=dict[str, Contract]) if row else None
    except (duckdb.CatalogException, duckdb.BinderException, msgspec.DecodeError):
        return None


def read_publication_of(connection: duckdb.DuckDBPyConnection) -> str:
    """What run published the file when, which no other publication has; empty where the file does not say."""
    try:
        row = connection.execute("select run_id, epoch_us(published_at) from meta.publication").fetchone()
    except (duckdb.CatalogException, duckdb.BinderException):
        return ""
    return f"{row[0]} {row[1]}" if row else ""


@lru_cache(maxsize=8)
def _ask(path: Path, _: str) -> Statement:
    with duckdb.connect(str(path), read_only=True) as connection:
        return Statement(read_contracts_of(connection), read_publication_of(connection))
