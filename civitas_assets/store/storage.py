"""Where a deployment's stores are: a folder of this machine, or object storage that several machines share.

What is kept there knows nothing of the difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Protocol

from civitas_assets.errors import TenantBusy
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files, LocalFiles
from civitas_assets.store.locks import hold_tenant_lock

if TYPE_CHECKING:
    from civitas_assets.store.objects import ObjectFiles

_PAUSE = 0.2  # seconds between two tries


class Storage(Protocol):
    """Landing, records, quarantine and journal, and the lock that keeps a tenant to one process at a time."""

    @property
    def files(self) -> Files:
        """The objects."""
        ...

    def hold(self, tenant: str, lock_timeout: float = 0.0) -> AbstractContextManager[Callable[[], None]]:
        """Hold the tenant's lock, once it is free within so many seconds.

        What is yielded raises where the lock may be another's by now.

        Raises:
            TenantBusy: another process holds it.
        """
        ...


class _Folder:
    def __init__(self, settings: Settings) -> None:
        self.files: Files = LocalFiles(settings.home)
        self._locks = settings.locks

    def hold(self, tenant: str, lock_timeout: float = 0.0) -> AbstractContextManager[Callable[[], None]]:
        return _hold_within(partial(hold_tenant_lock, self._locks, tenant), lock_timeout)


class _Objects:
    def __init__(self, url: str) -> None:
        from civitas_assets.store.leases import hold_tenant_lease  # noqa: PLC0415 - obstore is loaded where it is used
        from civitas_assets.store.objects import ObjectFiles  # noqa: PLC0415

        self.objects = ObjectFiles(url)
        self._lease = hold_tenant_lease

    @property
    def files(self) -> Files:
        return self.objects

    def hold(self, tenant: str, lock_timeout: float = 0.0) -> AbstractContextManager[Callable[[], None]]:
        return _hold_within(partial(self._lease, self.objects, tenant), lock_timeout)


@contextmanager
def _hold_within(
    lock: Callable[[], AbstractContextManager[Callable[[], None]]], lock_timeout: float
) -> Iterator[Callable[[], None]]:
    """Hold the lock, trying again for so many seconds while it is another's."""
    deadline = time.monotonic() + lock_timeout
    with ExitStack() as held:
        while True:
            try:
                ensure_held = held.enter_context(lock())
                break
            except TenantBusy:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_PAUSE)
        yield ensure_held


def make_storage(settings: Settings) -> Storage:
    """The storage that the settings name.

    Raises:
        StoreError: it cannot be opened.
    """
    return _objects(settings.storage_url) if settings.storage_url else _Folder(settings)


def open_objects(settings: Settings) -> ObjectFiles | None:
    """The object storage that several machines share; None where the storage is a folder of this machine.

    Raises:
        StoreError: it cannot be opened.
    """
    return _objects(settings.storage_url).objects if settings.storage_url else None


@cache
def _objects(url: str) -> _Objects:
    """One client per process, with its connections."""
    return _Objects(url)
