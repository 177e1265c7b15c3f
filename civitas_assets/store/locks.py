"""One process at a time for a tenant: a lock that the system lets go when its holder ends, however it ends.

Dagster's queue keeps runs of one tenant apart; this also holds for runs from the shell. It holds on this machine;
where several share a store, `leases.py` does it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from civitas_assets.errors import TenantBusy


@contextmanager
def tenant_lock(folder: Path, tenant: str) -> Iterator[Callable[[], None]]:
    """Hold the tenant's lock; what is yielded is there to be called by who wants to know that it is still held.

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
        yield _still_held


def _still_held() -> None:
    """A lock of the system is never lost."""
