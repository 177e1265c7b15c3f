"""What replacing a published file needs: a copy that costs little, and certainty that it is on disk.

What is changed in the copy is decided by whoever publishes.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from civitas_assets.errors import PublishError

_COPY_CHUNK = 1 << 30


def copy_file(source: Path, target: Path) -> None:
    """Copy within the kernel where it offers that, which shares blocks where the file system can."""
    if not hasattr(os, "copy_file_range"):
        shutil.copyfile(source, target)
        return
    with source.open("rb") as reader, target.open("wb") as writer:
        remaining = os.fstat(reader.fileno()).st_size
        while remaining > 0:
            copied = os.copy_file_range(reader.fileno(), writer.fileno(), min(remaining, _COPY_CHUNK))
            if copied == 0:
                raise PublishError(f"{source} became shorter while it was copied")
            remaining -= copied


def sync_file(file: Path) -> None:
    """Have the file's content on disk before anything relies on it."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
