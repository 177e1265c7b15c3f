"""The folder of a source: files that somebody puts there wait until they have landed.

A drop folder is kept with the stores, in a folder or in object storage, and its files are put aside then. On a server
of others they stay, and their versions are known. A file that is still being written is left alone; so is all that is
no plain file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatch
from mimetypes import guess_type
from typing import Protocol

from civitas_assets.catalog.file_server import DROP
from civitas_assets.connectors.base import Request
from civitas_assets.errors import FetchError, FetchTimeUp, StoreError
from civitas_assets.records import Note
from civitas_assets.spool import MOST_IN_MEMORY, Body, keep_pieces
from civitas_assets.store.files import Files, Stamp
from civitas_assets.store.layout import drop_key
from civitas_assets.store.retention import DONE_STAMP

SETTLED = timedelta(seconds=10)  # without a change for so long, a file is complete
_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart")
_NAMED = 3  # of several faults
FILE_CHANGING = "file_changing"


@dataclass(frozen=True)
class WaitingFile:
    """A complete file that waits."""

    name: str
    stamp: Stamp


def is_complete(name: str, pattern: str, changed_at: float, now: datetime) -> bool:
    """Whether it is a file that is meant, and has stood for a while; of one from the future nobody knows."""
    if name.startswith(".") or name.endswith(_UNFINISHED) or not fnmatch(name, pattern):
        return False
    return not 0 <= now.timestamp() - changed_at < SETTLED.total_seconds()


class WaitingFolder(Protocol):
    """A folder with files that wait."""

    @property
    def pattern(self) -> str:
        """Which names they have."""
        ...

    @property
    def location(self) -> str:
        """Where people put them."""
        ...

    def locate(self, name: str) -> str:
        """The address of a file, under which it lands."""
        ...

    def list_waiting(self, now: datetime) -> Iterator[WaitingFile]:
        """The complete files that have not landed as they are now, by name."""
        ...

    def read_file(self, file: WaitingFile, most: int) -> Body | None:
        """What it holds, of at most so many bytes; None where it has changed meanwhile.

        Raises:
            FetchError: it cannot be read.
            StoreError: the same, of our own storage.
        """
        ...

    def archive_file(self, file: WaitingFile, now: datetime) -> None:
        """Put it aside, where that is ours to do."""
        ...


@dataclass(frozen=True)
class DropFolder:
    """`drop/<tenant>/<source>`, of which the files that fit the pattern are taken, and `done` below it."""

    files: Files
    tenant: str
    source: str
    pattern: str

    @property
    def prefix(self) -> str:
        """What the keys of its files begin with."""
        return f"{drop_key(self.tenant)}/{self.source}/"

    @property
    def location(self) -> str:
        """Where people put files."""
        return self.files.locate(self.prefix.rstrip("/"))

    def list_waiting(self, now: datetime) -> Iterator[WaitingFile]:
        """The complete files, by name."""
        for name, arrival in self.files.list_arrivals(self.prefix).items():
            if is_complete(name, self.pattern, arrival.changed_at, now):
                yield WaitingFile(name, arrival.stamp)

    def locate(self, name: str) -> str:
        """See `WaitingFolder`."""
        return f"{DROP}{name}"

    def read_file(self, file: WaitingFile, most: int) -> Body:
        """See `WaitingFolder`."""
        key = f"{self.prefix}{file.name}"
        if file.stamp.size > MOST_IN_MEMORY:
            parts = self.files.read_parts(key, 0, most)
            body = None if parts is None else keep_pieces(parts)
        else:
            body = self.files.read(key)
        if body is None:
            raise FetchError(f"{DROP}{file.name} is no longer there")
        return body

    def archive_file(self, file: WaitingFile, now: datetime) -> None:
        """Move what has landed to `done`; what was put in its place meanwhile stays."""
        done = f"{self.prefix}done/{now:{DONE_STAMP}}-{file.name}"
        self.files.move_if(f"{self.prefix}{file.name}", done, file.stamp)


def take_all(
    folder: WaitingFolder,
    most: int,
    now: Callable[[], datetime],
    land: Callable[[Request, Body, str, str], None],
) -> list[Note]:
    """Land every complete file of at most so many bytes, with its type and version, and put it aside then.

    What has changed while it was read is left for the next time, which a note tells.

    Raises:
        FetchTimeUp: there is no time for the rest.
        FetchError: after all others were taken, that a file is too large, or could not be read or landed.
    """
    failures, changing = list[FetchError](), list[str]()
    for file in folder.list_waiting(now()):
        request = Request(folder.locate(file.name), variables={"file": file.name})
        try:
            if file.stamp.size > most:
                raise FetchError(
                    f"{request.url} has {file.stamp.size} bytes: raise http.max_bytes if that is right"
                )
            body = folder.read_file(file, most)
            if body is None:
                changing.append(request.url)
                continue
            land(request, body, guess_type(file.name)[0] or "", file.stamp.version)
            folder.archive_file(file, now())
        except FetchTimeUp:
            raise
        except OSError as error:
            failures.append(FetchError(f"{request.url} cannot be read or moved: {error.strerror}"))
        except StoreError as error:
            failures.append(FetchError(f"{request.url} cannot be read or moved: {error}", error))
        except FetchError as error:
            failures.append(error)
    if failures:
        more = [f"and {len(failures) - _NAMED} more"] if len(failures) > _NAMED else []
        raise FetchError("; ".join([*map(str, failures[:_NAMED]), *more]), failures[0])
    text = f"{len(changing):,} file(s) changed while they were read, and wait for the next time"
    return [Note(FILE_CHANGING, f"{text}: {changing[0]}")] if changing else []
