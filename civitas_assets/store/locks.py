"""One process at a time for a tenant: a lock that the system lets go when its holder ends, however it ends.

Dagster's queue keeps runs of one tenant apart; this also holds for runs from the shell. It holds on this machine;
where several share a store, `leases.py` does it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from civitas_assets.errors import StoreError, TenantBusy

_POLL_SECONDS = 0.05


@contextmanager
def hold_tenant_lock(folder: Path, tenant: str) -> Iterator[Callable[[], None]]:
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


@contextmanager
def hold_folder_lock(folder: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock on a folder itself, which leaves no file in it, waiting as long as another process holds it.

    Who does not `wait` is told whether no other one holds it. Where the file system knows no such locks, as over a
    network, nothing is held.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        free = True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        except OSError:
            pass  # it knows none
        yield free
    finally:
        os.close(handle)


# Folders that this process works in, by path: the system lets them go when it ends, however it ends.
_CLAIMED: dict[Path, int] = {}


def claim_folder(folder: Path) -> None:
    """Make a folder that is this process's own until it gives it back or ends."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with hold_folder_lock(folder.parent):  # who clears up comes before or after
        folder.mkdir()
        _CLAIMED[folder] = handle = os.open(folder, os.O_RDONLY)
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def release_folder(folder: Path) -> None:
    """Claim the folder no longer."""
    handle = _CLAIMED.pop(folder, None)
    if handle is not None:
        os.close(handle)


def is_claimed(folder: Path) -> bool:
    """Whether a process that lives works in the folder; also where the file system cannot tell."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(handle)


@contextmanager
def hold_shared_lock(folder: Path, name: str, lock_timeout: float = 600.0) -> Iterator[None]:
    """Hold a lock that all tenants' runs take in turn, waiting for it at most so many seconds.

    Raises:
        StoreError: others have held it all the time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + lock_timeout
    with (folder / f"{name}.lock").open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise StoreError(
                        f"{name} was locked by others for {lock_timeout:.0f} s; the next run tries again"
                    ) from None
                time.sleep(_POLL_SECONDS)
        yield
