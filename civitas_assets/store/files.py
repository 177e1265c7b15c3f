"""Files by key: the few operations that the stores need, and a local folder that offers them.

A key is a relative path with `/`; whole objects are read and replaced, nothing is ever appended to.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Protocol

from civitas_assets.errors import StoreError

_WRITERS = 8  # making bodies and waiting for the disk overlap


@dataclass(frozen=True)
class Stamp:
    """Size in bytes, and a text that differs whenever the object was put anew."""

    size: int
    version: str


class Files(Protocol):
    """Objects by key, as a folder or an object store holds them."""

    def read(self, key: str) -> bytes | None:
        """The object, or None where there is none."""
        ...

    def write(self, key: str, body: bytes) -> None:
        """Put the object; readers see the old one or the new one, whole, and after a crash one of the two."""
        ...

    def write_all(self, bodies: Mapping[str, Callable[[], bytes]]) -> None:
        """Put many objects, several at a time, each as `write` does; a body is made when its turn comes."""
        ...

    def write_once(self, key: str, body: bytes) -> bool:
        """Put the object unless there is one; whether it was put."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an object."""
        ...

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix that ends in `/`, sorted."""
        ...

    def stamps(self, prefix: str) -> Mapping[str, Stamp]:
        """Size and version of all objects below a prefix that ends in `/`, by key, sorted."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object, if it is there."""
        ...

    def location(self, key: str) -> str:
        """The object's address for readers that open it themselves, such as Polars and DuckDB."""
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

    def write(self, key: str, body: bytes) -> None:
        self.write_all({key: lambda: body})

    def write_all(self, bodies: Mapping[str, Callable[[], bytes]]) -> None:
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="write") as pool:
            jobs = [pool.submit(lambda k=key, b=body: self._put(k, b())) for key, body in bodies.items()]  # type: ignore[misc]
        # Renames of one folder reach the disk together.
        for folder in {self._path(key).parent for key in bodies}:
            sync_folder(folder)
        for job in jobs:
            job.result()

    def _put(self, key: str, body: bytes) -> None:
        path = self._path(key)
        with _temporary(path, body) as temporary:
            temporary.replace(path)

    def write_once(self, key: str, body: bytes) -> bool:
        path = self._path(key)
        if path.exists():
            return False
        with _temporary(path, body) as temporary:
            try:
                # A hard link fails where the name is taken: of two writers one wins and none overwrites.
                os.link(temporary, path)
            except FileExistsError:
                return False
        sync_folder(path.parent)
        return True

    def exists(self, key: str) -> bool:
        return self._path(key).exists()

    def keys(self, prefix: str) -> list[str]:
        folder = self._path(prefix.rstrip("/"))
        found = (
            Path(parent, name).relative_to(self._root).as_posix()
            for parent, _, names in os.walk(folder)
            for name in names
            if not name.startswith(".")
        )
        return sorted(found)

    def stamps(self, prefix: str) -> Mapping[str, Stamp]:
        found = {key: self._path(key).stat() for key in self.keys(prefix)}
        return {key: Stamp(stat.st_size, f"{stat.st_ino}-{stat.st_mtime_ns}") for key, stat in found.items()}

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def location(self, key: str) -> str:
        return str(self._path(key))

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if not key or any(part in {"", ".", ".."} for part in parts) or "\\" in key:
            raise StoreError(f"{key!r} is no key")
        return self._root.joinpath(*parts)


@contextmanager
def _temporary(path: Path, body: bytes) -> Iterator[Path]:
    """A file beside the final one, complete and on disk, gone afterwards unless it was renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}-{token_hex(8)}"
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder survive a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_folder(folder: Path) -> None:
    """Remove a throw-away folder with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)
