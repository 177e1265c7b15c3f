"""The drop folder of a source: files that somebody puts there wait until they have landed, and are put aside then.

A file that is still being written is left alone; so is all that is no plain file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatch
from mimetypes import guess_type
from pathlib import Path

from civitas_assets.catalog.model import DROP
from civitas_assets.connectors.base import Request
from civitas_assets.errors import FetchError
from civitas_assets.store.retention import DONE_STAMP

SETTLED = timedelta(seconds=10)  # without a change for so long, a file is complete
_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class WaitingFile:
    """A complete file that waits."""

    path: Path
    size: int
    changed: int  # nanoseconds


@dataclass(frozen=True)
class DropFolder:
    """`<root>/<tenant>/<source>`, of which the files that fit the pattern are taken, and `done` below it."""

    root: Path
    tenant: str
    source: str
    pattern: str

    @property
    def folder(self) -> Path:
        """Where files are to be put."""
        return self.root / self.tenant / self.source

    def list_waiting(self, now: datetime) -> Iterator[WaitingFile]:
        """The complete files, by name."""
        if not self.folder.is_dir():
            return
        with os.scandir(self.folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            hidden = entry.name.startswith(".") or entry.name.endswith(_UNFINISHED)
            if hidden or not fnmatch(entry.name, self.pattern) or not entry.is_file(follow_symlinks=False):
                continue
            stat = entry.stat(follow_symlinks=False)
            if not 0 <= now.timestamp() - stat.st_mtime < SETTLED.total_seconds():
                yield WaitingFile(Path(entry.path), stat.st_size, stat.st_mtime_ns)

    def archive_file(self, file: WaitingFile, now: datetime) -> None:
        """Move what has landed to `done`; what was put in its place meanwhile stays."""
        if file.path.stat(follow_symlinks=False).st_mtime_ns != file.changed:
            return
        done = self.folder / "done"
        done.mkdir(exist_ok=True)
        file.path.rename(done / f"{now:{DONE_STAMP}}-{file.path.name}")


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
    failures = list[str]()
    for file in folder.list_waiting(now()):
        name = file.path.name
        request = Request(f"{DROP}{name}", variables={"file": name})
        try:
            if file.size > most:
                raise FetchError(
                    f"{request.url} has {file.size} bytes: raise http.max_bytes if that is right"
                )
            deliver(request, file.path.read_bytes(), guess_type(name)[0] or "")
            folder.archive_file(file, now())
        except OSError as error:
            failures.append(f"{request.url} cannot be read or moved: {error.strerror}")
        except FetchError as error:
            failures.append(str(error))
    if failures:
        raise FetchError("; ".join(failures))
