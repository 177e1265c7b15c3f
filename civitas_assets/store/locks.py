"""One process at a time for a tenant: a lock that the system lets go when its holder ends, however it ends.

Dagster's queue keeps runs of one tenant apart; this also holds for runs from the shell.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from civitas_assets.errors import TenantBusy


@contextmanager
def tenant_lock(folder: Path, tenant: str) -> Iterator[None]:
    """Hold the tenant's lock.

    Raises:
        TenantBusy: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{tenant}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TenantBusy(
                f"another run is working for {tenant}; wait for it, or end it in Dagster"
            ) from None
        yield


@contextmanager
def waiting_lock(folder: Path, name: str) -> Iterator[None]:
    """Hold a lock that others hold for a moment only; its name is none that a tenant can have."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
