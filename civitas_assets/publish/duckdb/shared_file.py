"""A published DuckDB file in object storage, so that any machine may publish any tenant: each version is an object.

A small object, the pointer, names the version that is published, and is moved on the condition that nobody else has
moved it. What a machine has in its folder is a copy of the version that it needed last.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

import msgspec

from civitas_assets.errors import OutdatedError, PublishError, StoreError
from civitas_assets.publish.duckdb.published_file import (
    PublishedVersion,
    Statement,
    find_published_file,
    make_ready,
    measure_folder,
    read_stamp,
)
from civitas_assets.publish.duckdb.published_pointer import (
    POINTER,
    REMOVE_POINTER,
    Pointer,
    decode_pointer,
    make_pointer,
)
from civitas_assets.publish.duckdb.replacing import copy_file
from civitas_assets.store.files import remove_folder
from civitas_assets.store.layout import PUBLISHED, published_key
from civitas_assets.store.locks import hold_folder_lock
from civitas_assets.store.objects import ObjectFiles
from civitas_assets.store.space import explain_full_disk

log = logging.getLogger("civitas_assets.publish")

_MARK = ".copy.json"  # says of which version the file beside it is a copy
_SWEPT = ".swept"  # when this machine's copies were looked through last
_SWEPT_EVERY = 60.0  # seconds
_ATTEMPTS = 5  # at a version that another one takes the place of
_LEFT_BEHIND = 86_400  # seconds after which what a run was working on is nobody's any more


class _Copy(msgspec.Struct, frozen=True):
    key: str
    stamp: str  # of the file: another one that has its name is no copy


class SharedPublishedFile:
    """See `PublishedFile`; `path` is where this machine has its copy."""

    def __init__(self, path: Path, files: ObjectFiles, name: str) -> None:
        self.path, self._files = path, files
        self._root = published_key(name)
        self._pointer_key = f"{self._root}/{POINTER}"
        self._mark = path.parent / _MARK

    @property
    def address(self) -> str:
        """Below it are the version that is published and the pointer."""
        return self._files.locate(self._root)

    def find(self) -> PublishedVersion | None:
        """See `PublishedFile`; a pointer to what is not there, as after a restored backup, is none."""
        version = self._files.version(self._pointer_key)
        if version is None:
            return None
        pointer = decode_pointer(version.body, self._files.locate(self._pointer_key))
        if not self._files.exists(pointer.key):
            return None
        statement = Statement(pointer.read_contracts(), pointer.publication)
        return PublishedVersion(version.tag, pointer.size, version.put_at, statement)

    def read_statement(self, found: PublishedVersion) -> Statement:
        """See `PublishedFile`; the pointer has said it."""
        return found.statement or Statement(None, "")

    @contextmanager
    def open_current(self) -> Iterator[Path | None]:
        """See `PublishedFile`; while one process fetches it, others of this machine wait for that."""
        pointer, _ = self._read_pointer()
        if pointer is None:
            with suppress(StoreError, OSError):
                self._sweep(self.path.parent, frozenset())  # what is taken away is nowhere
            yield None
            return
        with self._hold_copy():
            yield self.path if self._fetch(pointer) else None

    def copy_current(self, target: Path) -> None:
        """See `PublishedFile`."""
        with self.open_current() as path:
            if path is None:
                raise PublishError(f"{self.address}: nothing is published any more")
            copy_file(path, target)

    def replace(self, copy: Path, found: PublishedVersion | None, statement: Statement) -> None:
        """See `PublishedFile`; the versions before go once the pointer has moved, and none of them stays."""
        make_ready(copy)
        key = f"{self._root}/{token_hex(16)}.duckdb"
        pointer = make_pointer(key, copy.stat().st_size, statement)
        tag = found.version if found else self._find_tag_of_nothing()
        # What comes after this list may be the next version, of a run that follows while this one is delayed.
        before = self._list_others("")
        self._files.copy_in(key, copy)
        if self._files.put_if(self._pointer_key, msgspec.json.encode(pointer), tag) is None:
            self._files.delete(key)
            raise OutdatedError(f"{self.address}: another run has published since the copy was made")
        self._files.delete_all(before)
        try:
            with self._hold_copy():
                self._take(copy, key)
        except PublishError as error:
            log.warning("%s; it is published, and fetched when it is next needed here", error)
        self._sweep_copies()

    def measure(self) -> list[int]:
        """See `PublishedFile`."""
        stored = self._files.list_stamps(f"{self._root}/").values()
        return [*(stamp.size for stamp in stored), *measure_folder(self.path.parent)]

    def remove(self) -> None:
        """See `PublishedFile`; the pointer goes first, so that nobody is led to what is gone."""
        self._files.delete(self._pointer_key)
        self._files.clear(f"{self._root}/")
        remove_folder(self.path.parent)

    def remove_unpublished(self) -> int:
        """See `PublishedFile`; versions of runs that ended while they were uploading are what there may be.

        A run that has lost its lock may still be at it: the pointer is put again first, so that it cannot lead to what
        is gone.
        """
        pointer, tag = self._read_pointer()
        stray = self._list_others(pointer.key if pointer else "")
        if stray and pointer:
            fenced = msgspec.structs.replace(pointer, fences=pointer.fences + 1)
            if self._files.put_if(self._pointer_key, msgspec.json.encode(fenced), tag) is None:
                return 0  # somebody publishes at this moment, and takes them away
        self._files.delete_all(stray)
        return len(stray)

    def _read_pointer(self) -> tuple[Pointer | None, str | None]:
        version = self._files.version(self._pointer_key)
        if version is None:
            return None, None
        return decode_pointer(version.body, self._files.locate(self._pointer_key)), version.tag

    def _find_tag_of_nothing(self) -> str | None:
        """The tag of a pointer to what is not there; None where there is no pointer.

        Raises:
            OutdatedError: it leads to something.
        """
        pointer, tag = self._read_pointer()
        if pointer and self._files.exists(pointer.key):
            raise OutdatedError(f"{self.address}: another run has published since the copy was made")
        return tag

    def _list_others(self, key: str) -> list[str]:
        """Versions other than that one."""
        return [
            other
            for other in self._files.list_keys(f"{self._root}/")
            if other not in {key, self._pointer_key}
        ]

    def _make_folder(self) -> None:
        """The folder is for its group: analysts of one tenant need not see the files of another."""
        if not self.path.parent.is_dir():  # who may read there only needs no more
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.parent.chmod(0o750)

    @contextmanager
    def _hold_copy(self) -> Iterator[None]:
        """One process of this machine at a time fetches, replaces or opens the copy."""
        try:
            self._make_folder()
            with hold_folder_lock(self.path.parent):
                yield
        except OSError as error:
            told = explain_full_disk(self.path.parent, error)
            raise PublishError(f"{self.address} cannot be copied to {self.path}: {told or error}") from error

    def _fetch(self, pointer: Pointer | None) -> bool:
        """Have the version that is published at the path; whether there is one."""
        for _ in range(_ATTEMPTS):
            if pointer is None:
                return False
            if self._has(pointer.key):
                return True
            if self._download(pointer):
                self._sweep_copies()
                return True
            missed, (pointer, _tag) = pointer.key, self._read_pointer()
            if pointer and pointer.key == missed:
                break
        raise PublishError(f"{self.address} has not what {POINTER} names; {REMOVE_POINTER}")

    def _download(self, pointer: Pointer) -> bool:
        """Whether the version was still there; one that is published now may have taken its place."""
        folder = self.path.parent
        for leftover in folder.glob(".fetch-*"):
            remove_folder(leftover)
        working = Path(tempfile.mkdtemp(dir=folder, prefix=".fetch-"))
        try:
            (copy,) = self._files.fetch_copies([pointer.key], working)
            if copy.stat().st_size != pointer.size:
                raise PublishError(f"{self._files.locate(pointer.key)} did not come whole: try again")
            make_ready(copy)
            self._take(copy, pointer.key)
        except StoreError:
            if self._files.exists(pointer.key):
                raise
            return False
        finally:
            remove_folder(working)
        return True

    def _take(self, copy: Path, key: str) -> None:
        """Let a file become this machine's copy; what ends in between leaves one that is not as its mark says."""
        mark = self._mark.with_suffix(".new")
        mark.write_bytes(msgspec.json.encode(_Copy(key, read_stamp(copy))))
        mark.chmod(0o640)
        mark.replace(self._mark)
        copy.replace(self.path)

    def _has(self, key: str) -> bool:
        """Whether the file at the path is a copy of that version."""
        marked = _read_mark(self._mark)
        return marked is not None and self.path.is_file() and marked == _Copy(key, read_stamp(self.path))

    def _sweep_copies(self) -> None:
        """Take this machine's copies of all versions that are gone: others publish as well, and may forget something.

        What runs of a tenant have left goes after a day, since the tenant's next run may be another machine's.
        """
        with suppress(StoreError, OSError):  # whoever comes next does it
            swept = self.path.parent.parent / _SWEPT
            if swept.exists() and time.time() - swept.stat().st_mtime < _SWEPT_EVERY:
                return
            swept.touch()
            there = frozenset(self._files.list_keys(f"{PUBLISHED}/"))
            for folder in self.path.parent.parent.glob("*/"):
                with suppress(OSError):  # another process may be at it
                    self._sweep(folder, there)

    def _sweep(self, folder: Path, there: frozenset[str]) -> None:
        mark = folder / _MARK
        marked = _read_mark(mark)
        if marked and marked.key not in there:
            with hold_folder_lock(folder, wait=False) as held:
                marked = _read_mark(mark)  # of a version, perhaps, that is newer than the list
                if held and marked and not self._files.exists(marked.key):
                    find_published_file(folder.parent, folder.name).unlink(missing_ok=True)
                    mark.unlink(missing_ok=True)
        for pattern in (".publish-*", ".rebuild", ".fetch-*"):
            for left in folder.glob(pattern):
                if time.time() - _find_latest_change(left) > _LEFT_BEHIND:
                    remove_folder(left)


def _find_latest_change(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))


def _read_mark(mark: Path) -> _Copy | None:
    try:
        return msgspec.json.decode(mark.read_bytes(), type=_Copy)
    except (OSError, msgspec.DecodeError):
        return None
