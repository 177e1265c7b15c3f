"""Files by key: the few operations that the stores need, and a local folder that offers them.

A key is a relative path with `/`; whole objects are read and replaced, nothing is ever appended to. Object storage
offers the same in `objects.py`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from civitas_assets.store.object_keys import split_key
from civitas_assets.store.whole_file import make_temporary, read_span, sync_folder

_WRITERS = 8  # making bodies and waiting for the disk overlap

# Makes the new body of an object from the one that is there.
Change = Callable[[bytes | None], bytes]


@dataclass(frozen=True)
class Stamp:
    """Size in bytes, and a text that differs whenever the object holds something else."""

    size: int
    version: str


@dataclass(frozen=True)
class Arrival:
    """An object that others put: its stamp, and when it was last changed, in seconds since 1970."""

    stamp: Stamp
    changed_at: float


class Files(Protocol):
    """Objects by key, as a folder or an object store holds them."""

    def read(self, key: str) -> bytes | None:
        """The object, or None where there is none."""
        ...

    def read_all(self, keys: Sequence[str]) -> list[bytes | None]:
        """The objects in the order of the keys, several at a time."""
        ...

    def read_ends(self, keys: Sequence[str], size: int) -> list[bytes]:
        """At most so many last bytes of objects that are there, several at a time."""
        ...

    def write(self, key: str, body: bytes) -> None:
        """Put the object; readers see the old one or the new one, whole, and after a crash one of the two."""
        ...

    def write_once(self, key: str, body: bytes) -> bool:
        """Put the object unless there is one; whether it was put."""
        ...

    def copy_in(self, key: str, file: Path) -> None:
        """Put what a file holds as the object, part by part, as `write` does with a body."""
        ...

    def read_parts(self, key: str, first: int, size: int) -> Iterator[bytes] | None:
        """So many bytes of the object from one on, part by part; None where there is none."""
        ...

    def change_all(self, changes: Mapping[str, Change]) -> None:
        """Replace objects by what is made of them, several at a time, each as `write` does."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an object."""
        ...

    def list_keys(self, prefix: str, after: str = "") -> list[str]:
        """All keys below a prefix that ends in `/`, sorted, or those behind a key."""
        ...

    def list_folders(self, prefix: str) -> list[str]:
        """What keys below a prefix that ends in `/` go on with up to the next `/`, sorted; it looks no further."""
        ...

    def list_stamps(self, prefix: str) -> Mapping[str, Stamp]:
        """Size and version of all objects below a prefix that ends in `/`, by key, sorted."""
        ...

    def list_arrivals(self, prefix: str) -> Mapping[str, Arrival]:
        """What lies right below a prefix that ends in `/`, by name, sorted; of a folder only its plain files."""
        ...

    def list_unfinished(self, prefix: str, before: datetime | None = None) -> Mapping[str, int]:
        """Bytes of what is being written, or was when its writer ended, below a prefix that ends in `/`, by key.

        With a time, only what was written to before that.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the object, if it is there."""
        ...

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove objects, many at a time."""
        ...

    def clear(self, prefix: str) -> None:
        """Remove everything below a prefix that ends in `/`, also what writers have left unfinished there."""
        ...

    def move_all(self, keys: Mapping[str, str]) -> None:
        """Give objects other keys; if that is interrupted, each is under at least one of its two."""
        ...

    def move_if(self, key: str, to: str, stamp: Stamp) -> bool:
        """Give the object another key unless it has changed since it had this stamp; whether it was moved."""
        ...

    def locate(self, key: str) -> str:
        """Where people find what has the key, as a path or an address."""
        ...

    def fetch_copies(self, keys: Sequence[str], folder: Path) -> list[Path]:
        """Files with the objects, for readers that open them themselves, such as Polars and DuckDB.

        They are the objects themselves where those are files, else copies in the folder, made once.
        """
        ...


class LocalFiles:
    """Objects in a folder of the local file system."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def read_all(self, keys: Sequence[str]) -> list[bytes | None]:
        return [self.read(key) for key in keys]

    def read_ends(self, keys: Sequence[str], size: int) -> list[bytes]:
        return [self._end(key, size) for key in keys]

    def _end(self, key: str, size: int) -> bytes:
        with self._path(key).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read()

    def write(self, key: str, body: bytes) -> None:
        self._put(key, body)
        sync_folder(self._path(key).parent)

    def change_all(self, changes: Mapping[str, Change]) -> None:
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="write") as pool:
            jobs = [pool.submit(self._change, key, change) for key, change in changes.items()]
        # Renames of one folder reach the disk together.
        for folder in {self._path(key).parent for key in changes}:
            sync_folder(folder)
        for job in jobs:
            job.result()

    def _change(self, key: str, change: Change) -> None:
        self._put(key, change(self.read(key)))

    def _put(self, key: str, body: bytes) -> None:
        path = self._path(key)
        with make_temporary(path, body, _mode(key)) as temporary:
            temporary.replace(path)

    def write_once(self, key: str, body: bytes) -> bool:
        path = self._path(key)
        if path.exists():
            return False
        with make_temporary(path, body, _mode(key)) as temporary:
            try:
                # A hard link fails where the name is taken: of two writers one wins and none overwrites.
                os.link(temporary, path)
            except FileExistsError:
                return False
        sync_folder(path.parent)
        return True

    def copy_in(self, key: str, file: Path) -> None:
        path = self._path(key)
        with file.open("rb") as source, make_temporary(path, source, _mode(key)) as temporary:
            temporary.replace(path)
        sync_folder(path.parent)

    def read_parts(self, key: str, first: int, size: int) -> Iterator[bytes] | None:
        try:
            file = self._path(key).open("rb")
        except FileNotFoundError:
            return None
        return read_span(file, first, size)

    def exists(self, key: str) -> bool:
        return self._path(key).exists()

    def list_keys(self, prefix: str, after: str = "") -> list[str]:
        folder = self._path(prefix.rstrip("/"))
        start = len(str(self._root)) + 1
        found = (
            f"{parent[start:]}/{name}"
            for parent, _, names in os.walk(folder)
            for name in names
            if not name.startswith(".")
        )
        return sorted(key for key in found if key > after)

    def list_folders(self, prefix: str) -> list[str]:
        try:
            with os.scandir(self._path(prefix.rstrip("/"))) as found:
                return sorted(
                    entry.name for entry in found if entry.is_dir() and not entry.name.startswith(".")
                )
        except FileNotFoundError:
            return []

    def list_stamps(self, prefix: str) -> Mapping[str, Stamp]:
        return {key: _stamp(self._path(key).stat()) for key in self.list_keys(prefix)}

    def list_arrivals(self, prefix: str) -> Mapping[str, Arrival]:
        try:
            with os.scandir(self._path(prefix.rstrip("/"))) as found:
                stats = {e.name: e.stat() for e in found if e.is_file(follow_symlinks=False)}
        except FileNotFoundError:
            return {}
        return {name: Arrival(_stamp(stat), stat.st_mtime) for name, stat in sorted(stats.items())}

    def list_unfinished(self, prefix: str, before: datetime | None = None) -> Mapping[str, int]:
        found = dict[str, int]()
        for parent, _, names in os.walk(self._path(prefix.rstrip("/"))):
            for path in (Path(parent, name) for name in names if name.startswith(".")):
                stat = path.stat()
                if before is None or stat.st_mtime < before.timestamp():
                    found[path.relative_to(self._root).as_posix()] = stat.st_size
        return found

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def delete_all(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.delete(key)

    def clear(self, prefix: str) -> None:
        folder = self._path(prefix.rstrip("/"))
        if folder.is_dir():
            shutil.rmtree(folder)
            sync_folder(folder.parent)

    def move_all(self, keys: Mapping[str, str]) -> None:
        for key, to in keys.items():
            target = self._path(to)
            target.parent.mkdir(parents=True, exist_ok=True)
            self._path(key).replace(target)
        for folder in {self._path(to).parent for to in keys.values()}:
            sync_folder(folder)

    def move_if(self, key: str, to: str, stamp: Stamp) -> bool:
        if _stamp(self._path(key).stat(follow_symlinks=False)) != stamp:
            return False
        self.move_all({key: to})
        return True

    def locate(self, key: str) -> str:
        return str(self._path(key))

    def fetch_copies(self, keys: Sequence[str], folder: Path) -> list[Path]:
        return [self._path(key) for key in keys]

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*split_key(key))


def _stamp(stat: os.stat_result) -> Stamp:
    return Stamp(stat.st_size, f"{stat.st_ino}-{stat.st_mtime_ns}")


def _mode(key: str) -> int:
    """Who may read a file: keys nobody but the account of the deployment."""
    return 0o600 if key.startswith("keys/") else 0o640


def remove_folder(folder: Path) -> None:
    """Remove a throw-away folder with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)
