"""The drop folder of a source: files that somebody puts there wait until they have landed, and are put aside then.

It is kept with the stores, in a folder or in object storage. A file that is still being written is left alone; so is
all that is no plain file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatch
from mimetypes import guess_type

from civitas_assets.catalog.model import DROP
from civitas_assets.connectors.base import Request
from civitas_assets.errors import FetchError, StoreError
from civitas_assets.store.files import Files, Stamp
from civitas_assets.store.layout import drop_key
from civitas_assets.store.retention import DONE_STAMP

SETTLED = timedelta(seconds=10)  # without a change for so long, a file is complete
_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class WaitingFile:
    """A complete file that waits."""

    name: str
    stamp: Stamp


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
            hidden = name.startswith(".") or name.endswith(_UNFINISHED)
            if hidden or not fnmatch(name, self.pattern):
                continue
            if not 0 <= now.timestamp() - arrival.changed_at < SETTLED.total_seconds():
                yield WaitingFile(name, arrival.stamp)

    def read_file(self, file: WaitingFile) -> bytes:
        """What it holds.

        Raises:
            FetchError: somebody has taken it away.
            StoreError: the storage does not answer, or the name is none that it can have.
        """
        body = self.files.read(f"{self.prefix}{file.name}")
        if body is None:
            raise FetchError(f"{DROP}{file.name} is no longer there")
        return body

    def archive_file(self, file: WaitingFile, now: datetime) -> None:
        """Move what has landed to `done`; what was put in its place meanwhile stays."""
        done = f"{self.prefix}done/{now:{DONE_STAMP}}-{file.name}"
        self.files.move_if(f"{self.prefix}{file.name}", done, file.stamp)


def take_all(
    folder: DropFolder,
    most: int,
    now: Callable[[], datetime],
    deliver: Callable[[Request, bytes, str], None],
) -> None:
    """Deliver every complete file of at most so many bytes, and put it aside once it has landed.

    Raises:
        FetchError: after all others were taken, that a file is too large, or could not be read or landed.
    """
    failures = list[FetchError]()
    for file in folder.list_waiting(now()):
        request = Request(f"{DROP}{file.name}", variables={"file": file.name})
        try:
            if file.stamp.size > most:
                raise FetchError(
                    f"{request.url} has {file.stamp.size} bytes: raise http.max_bytes if that is right"
                )
            deliver(request, folder.read_file(file), guess_type(file.name)[0] or "")
            folder.archive_file(file, now())
        except OSError as error:
            failures.append(FetchError(f"{request.url} cannot be read or moved: {error.strerror}"))
        except StoreError as error:
            failures.append(FetchError(f"{request.url} cannot be read or moved: {error}", error))
        except FetchError as error:
            failures.append(error)
    if failures:
        raise FetchError("; ".join(map(str, failures)), failures[0])
