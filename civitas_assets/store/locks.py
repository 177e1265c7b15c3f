"""One process at a time for a tenant: a lock that the system lets go when its holder ends, however it ends.

Dagster's queue keeps runs of one tenant apart; this also holds for runs from the shell.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from civitas_assets.errors import TenantBusy

_PAUSE = 0.2  # seconds between two tries


@contextmanager
def tenant_lock(folder: Path, tenant: str, patience: float = 0.0) -> Iterator[None]:
    """Hold the tenant's lock, once it is free within so many seconds.

    Raises:
        TenantBusy: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience
    with (folder / f"{tenant}.lock").open("a") as file:
        while not _taken(file):
            if time.monotonic() >= deadline:
                raise TenantBusy(f"another run is working for {tenant}; wait for it, or end it in Dagster")
            time.sleep(_PAUSE)
        yield


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
