"""Removing a tenant: part by part, so that it can go on where it was, and a report of it stays.

The report says what went, how much and when; it holds nothing of what it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from civitas_assets.catalog.basis import is_key
from civitas_assets.errors import StoreError
from civitas_assets.lifecycle.parts import Part, Size
from civitas_assets.store.files import Files
from civitas_assets.store.layout import lease_key, lock_key
from civitas_assets.store.storage import Storage

log = logging.getLogger("civitas_assets.lifecycle")

_ROOT = "removed"


class Report(msgspec.Struct, frozen=True):
    """What was removed of a tenant; without `finished_at`, its removal is not through."""

    tenant: str
    started_at: datetime
    parts: dict[str, Size]
    finished_at: datetime | None = None


def measure_parts(tenant: str, parts: Sequence[Part]) -> dict[str, Size]:
    """How much of a tenant there is, by part.

    Raises:
        StoreError: that can be no tenant.
    """
    if not is_key(tenant):
        raise StoreError(f"{tenant!r} is no tenant's key")
    return {part.name: part.measure() for part in parts}


def remove_tenant(
    storage: Storage, tenant: str, parts: Sequence[Part], clock: Callable[[], datetime]
) -> Report:
    """Remove all parts, going on with what was interrupted; the report.

    Raises:
        TenantBusy: somebody is working for the tenant; nothing was removed.
        StoreError: there is no such tenant.
    """
    sizes = measure_parts(tenant, parts)
    files, now = storage.files, clock()
    with storage.hold(tenant):
        key, report = _unfinished(files, tenant) or (f"{_ROOT}/{tenant}-{now:%Y%m%dT%H%M%S}.json", None)
        if report is None:
            if not any(sizes.values()):
                raise StoreError(f"there is nothing of a tenant {tenant}")
            report = Report(tenant, now, sizes)
            files.write(key, _encoded(report))
        for part in parts:
            log.info("%s · removing %s", tenant, part.name)
            part.remove()
            if left := part.measure():
                raise StoreError(
                    f"{tenant}: {part.name} is still there ({left.files} files, {left.rows} rows); call it again"
                )
        report = msgspec.structs.replace(report, finished_at=clock())
        files.write(key, _encoded(report))
    files.delete_all([lock_key(tenant), lease_key(tenant)])
    return report


def is_removed(files: Files, tenant: str) -> bool:
    """Whether there is a report of the tenant's removal, finished or not."""
    return bool(_reports(files, tenant))


def _unfinished(files: Files, tenant: str) -> tuple[str, Report | None] | None:
    for key in _reports(files, tenant):
        report = msgspec.json.decode(files.read(key) or b"", type=Report)
        if report.finished_at is None:
            return key, report
    return None


def _reports(files: Files, tenant: str) -> list[str]:
    """No key of a tenant holds a hyphen, so what stands before the last one is the key."""
    return [key for key in files.list_keys(f"{_ROOT}/") if key.split("/")[1].rpartition("-")[0] == tenant]


def _encoded(report: Report) -> bytes:
    return msgspec.json.format(msgspec.json.encode(report), indent=2)
