"""Where there is no room left: which folder is full, how much there is, and how much was needed.

Whoever writes says what becomes of that.
"""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# As DuckDB says it, whose errors have no number.
_SAID = ("No space left on device", "Disk quota exceeded", "max_temp_directory_size")


def explain_full_disk(folder: Path, error: BaseException, needed: int = 0) -> str:
    """What is full, for how many bytes, and what to do; empty where the error is of another kind."""
    is_full = (
        error.errno in _FULL if isinstance(error, OSError) else any(said in str(error) for said in _SAID)
    )
    if not is_full:
        return ""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    room = f"{_size(needed)} were needed and {_size(free)} are free" if needed else f"{_size(free)} are free"
    return (
        f"the disk or quota of {folder} is full: {room}; make room; nothing is lost, and the next run goes on"
    )


def _size(size: float) -> str:
    unit, bytes_ = ("kB", 1e3) if size < 1e6 else ("MB", 1e6) if size < 1e9 else ("GB", 1e9)
    return f"{size / bytes_:,.1f} {unit}"
