"""Files of the local file system that appear whole, survive a crash, and are read from any byte on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from civitas_assets.errors import StoreError
from civitas_assets.store.space import explain_full_disk

_PART = 1024 * 1024  # bytes that are handed on at a time


def read_span(file: BinaryIO, first: int, size: int) -> Iterator[bytes]:
    """So many bytes of an open file from one on, part by part; it is closed at the end."""
    with file:
        file.seek(first)
        while size and (part := file.read(min(size, _PART))):
            size -= len(part)
            yield part


@contextmanager
def make_temporary(path: Path, body: bytes | BinaryIO, mode: int) -> Iterator[Path]:
    """A file beside the final one, complete and on disk, gone afterwards unless it was renamed.

    Raises:
        StoreError: there is no room for it.
    """
    temporary = path.parent / f".{path.name}-{token_hex(8)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            if isinstance(body, bytes):
                file.write(body)
            else:
                shutil.copyfileobj(body, file)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    except OSError as error:
        size = len(body) if isinstance(body, bytes) else os.fstat(body.fileno()).st_size
        if told := explain_full_disk(path.parent, error, size):
            raise StoreError(told) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder survive a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
