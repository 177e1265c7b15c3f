"""One process at a time for a tenant, across machines: a lease in object storage, renewed while its holder works.

Only the storage's own clock counts, so the clocks of the machines may differ. Where one machine works on a folder,
`locks.py` is enough.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

import msgspec

from civitas_assets.errors import StoreError, TenantBusy
from civitas_assets.store.layout import lease_key
from civitas_assets.store.objects import ObjectFiles

log = logging.getLogger("civitas_assets.store")


@dataclass(frozen=True)
class LeaseOptions:
    """How long a lease holds: others may take it over after `expires`, its holder trusts it for `trusted`.

    What the holder has sent by then has the difference to arrive.
    """

    renewed: timedelta = timedelta(seconds=30)
    trusted: timedelta = timedelta(seconds=90)
    expires: timedelta = timedelta(seconds=180)


TERMS = LeaseOptions()


def read_elapsed() -> float:
    """Seconds by a clock that goes on while the machine sleeps, as the monotonic one does not everywhere."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class _Lease(msgspec.Struct, frozen=True):
    """Who holds the lease; each renewal has another number, so that no two are alike."""

    holder: str
    token: str
    renewal: int = 0
    free: bool = False


class _Held:
    """A lease that this process holds, and renews in a thread of its own until it is given back."""

    def __init__(self, files: ObjectFiles, key: str, lease: _Lease, tag: str, terms: LeaseOptions) -> None:
        self._files, self._key, self._lease, self._tag, self._terms = files, key, lease, tag, terms
        self._since = read_elapsed()
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    def ensure(self) -> None:
        """Say so if the lease may be another's by now.

        Raises:
            StoreError: it was taken over, or could not be renewed in time.
        """
        if self._lost or read_elapsed() - self._since > self._terms.trusted.total_seconds():
            raise StoreError(
                f"{self._key} could not be renewed in time, another run may be at work: nothing further is written; "
                "what is missing is made up for by the next run"
            )

    def _renew(self) -> None:
        while not self._ended.wait(self._terms.renewed.total_seconds()):
            asked = read_elapsed()
            try:
                self._put(free=False)
            except StoreError as error:
                log.warning("%s", error)  # the next try is soon; until then the lease is trusted
            else:
                self._since = asked
            if self._lost:
                return

    def _put(self, *, free: bool) -> None:
        lease = msgspec.structs.replace(self._lease, renewal=self._lease.renewal + 1, free=free)
        tag = self._files.put_if(self._key, msgspec.json.encode(lease), self._tag)
        if tag is None:
            self._lost = True
        else:
            self._lease, self._tag = lease, tag

    def give_back(self) -> None:
        self._ended.set()
        self._thread.join()
        if not self._lost:
            try:
                self._put(free=True)
            except StoreError as error:
                log.warning("%s", error)  # it expires by itself


@contextmanager
def hold_tenant_lease(
    files: ObjectFiles, tenant: str, terms: LeaseOptions = TERMS
) -> Iterator[Callable[[], None]]:
    """Hold the tenant's lease; what is yielded raises where it may be another's by now.

    Raises:
        TenantBusy: another process holds it.
        StoreError: it was lost while the work was done.
    """
    key = lease_key(tenant)
    held = _taken(files, key, tenant, terms)
    try:
        yield held.ensure
        held.ensure()
    finally:
        held.give_back()


def _taken(files: ObjectFiles, key: str, tenant: str, terms: LeaseOptions) -> _Held:
    lease = _Lease(f"{socket.gethostname()}, process {os.getpid()}", token_hex(16))
    found = files.version(key)
    if found is not None:
        other = msgspec.json.decode(found.body, type=_Lease)
        if not other.free and _now(files, tenant) - found.put_at <= terms.expires:
            raise TenantBusy(
                f"another run is working for {tenant} ({other.holder}); wait for it, or end it in Dagster. "
                f"If its machine has failed, the way is free after {terms.expires.total_seconds():.0f} seconds"
            )
    tag = files.put_if(key, msgspec.json.encode(lease), found.tag if found else None)
    if tag is None:
        raise TenantBusy(
            f"another run has just begun to work for {tenant}; wait for it, or end it in Dagster"
        )
    return _Held(files, key, lease, tag, terms)


def _now(files: ObjectFiles, tenant: str) -> datetime:
    """What the storage's clock says: when it put an object."""
    key = f"locks/clock/{tenant}-{token_hex(8)}"
    files.write(key, b"")
    found = files.version(key)
    files.delete(key)
    if found is None:
        raise StoreError(f"{key} was put and is not there: object storage must show at once what was put")
    return found.put_at
