"""A tenant's folder of open data: files under names that stay, all replaced in one step, kept beside its pages.

What a file holds is an object called by its digest; which name has which object says one index. Who reads the index
sees the folder before or after a change, and a file whose content stays the same keeps its tag and its time. It lies
below the tenant's reports, so that whoever may read those needs no further right, and goes with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from civitas_assets.store.files import Files


class OpenFile(msgspec.Struct, frozen=True):
    """A file: SHA-256 of its content as hexadecimal digits, bytes, and since when it has been so (UTC)."""

    digest: str
    size: int
    media_type: str
    changed_at: datetime


class FolderIndex(msgspec.Struct, frozen=True):
    """All files by name, who may fetch them, and what they were made from, in a form to be compared."""

    basis: str
    access: Literal["everybody", "login"]
    files: Mapping[str, OpenFile]


@dataclass(frozen=True)
class OpenFolder:
    """The folder of one tenant."""

    files: Files
    tenant: str

    def read_index(self) -> FolderIndex | None:
        """What is there; None where there is no folder."""
        body = self.files.read(f"{self._root}index.json")
        try:
            return msgspec.json.decode(body, type=FolderIndex) if body is not None else None
        except msgspec.DecodeError:
            return None  # of another version; the next night makes it anew

    def read_parts(self, file: OpenFile, first: int, size: int) -> Iterator[bytes] | None:
        """So many bytes of a file from one on; None where a change has taken it away since the index was read."""
        return self.files.read_parts(self._object_key(file.digest), first, size)

    def replace(
        self, made: Mapping[str, tuple[Path, str]], basis: str, access: str, now: datetime
    ) -> FolderIndex:
        """Put files by name, each with its media type, in the place of all that was there.

        Raises:
            StoreError: they cannot be written; what was there before still is.
        """
        before = self.read_index()
        known = before.files if before else {}
        entries = dict[str, OpenFile]()
        for name, (path, media_type) in sorted(made.items()):
            entry = OpenFile(hash_file(path), path.stat().st_size, media_type, now)
            same = known.get(name)
            is_same = same is not None and (same.digest, same.media_type) == (entry.digest, media_type)
            entries[name] = same if same is not None and is_same else entry
            if not self.files.exists(key := self._object_key(entry.digest)):
                self.files.copy_in(key, path)
        index = FolderIndex(basis, "everybody" if access == "everybody" else "login", entries)
        self.files.write(f"{self._root}index.json", msgspec.json.encode(index))
        kept = {self._object_key(entry.digest) for entry in entries.values()}
        self.files.delete_all(set(self.files.list_keys(f"{self._root}objects/")) - kept)
        return index

    def clear(self) -> None:
        """Take all of it away, the index first."""
        self.files.delete(f"{self._root}index.json")
        self.files.clear(self._root)

    @property
    def _root(self) -> str:
        return f"reports/{self.tenant}/open/"

    def _object_key(self, digest: str) -> str:
        return f"{self._root}objects/{digest}"


def hash_file(path: Path) -> str:
    """SHA-256 of what a file holds, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
