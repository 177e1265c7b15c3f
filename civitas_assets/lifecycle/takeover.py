"""Taking over a tenant that another installation has handed over: checked file by file, before and after it is stored.

What the folder looks like is decided in `handover.py`. What is published is made anew by the next run.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from civitas_assets.catalog.basis import is_key
from civitas_assets.catalog.yaml_text import locate_file
from civitas_assets.errors import StoreError
from civitas_assets.lifecycle.handover import CHECKSUMS, PROGRESS, STORED
from civitas_assets.lifecycle.parts import list_tenant_parts
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files
from civitas_assets.store.journal import Journal, Progress
from civitas_assets.store.storage import Storage

log = logging.getLogger("civitas_assets.lifecycle")


@dataclass(frozen=True)
class Taken:
    """Whose folder it was, and how many files are stored as they were handed over."""

    tenant: str
    files: int
    bytes: int


def take_over(settings: Settings, storage: Storage, folder: Path) -> Taken:
    """Store what was handed over, and the tenant's file at last.

    Raises:
        StoreError: the folder is not whole, or not as its checksums say; there is something of that tenant already; or
            what was stored reads otherwise. A tenant's file is written only where nothing is wrong.
        TenantBusy: somebody works for a tenant of that key.
    """
    sums = _checked(folder)
    tenant = _whose(folder)
    file = locate_file(settings.tenants_dir, tenant)
    files = storage.files
    with storage.hold(tenant):
        parts = [
            part
            for part in list_tenant_parts(settings, files, tenant)
            if part.name not in {"overview", "keys"}
        ]
        if known := ", ".join(part.name for part in parts if part.measure()):
            raise StoreError(
                f"there is something of {tenant} already ({known}): civitas tenant remove {tenant}"
            )
        keys = dict(_keys(sums, tenant))
        log.info("%s · import · %d files", tenant, len(keys))
        for name, key in keys.items():
            files.write(key, (folder / name).read_bytes())
        _advance(folder, files, tenant)
        for name, key in keys.items():
            if hashlib.sha256(files.read(key) or b"").hexdigest() != sums[name]:
                raise StoreError(
                    f"{key} is stored otherwise than it was handed over: remove {tenant}, and import it again"
                )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((folder / "tenant.yaml").read_bytes())
    return Taken(tenant, len(keys), sum((folder / name).stat().st_size for name in keys))


def _checked(folder: Path) -> Mapping[str, str]:
    """The checksum of each file, all of which are right.

    Raises:
        StoreError: they are not, or there are none.
    """
    listed = folder / CHECKSUMS
    if not listed.is_file():
        raise StoreError(f"{folder} has no {CHECKSUMS}: name a folder that civitas tenant export has made")
    lines = [line.split("  ", 1) for line in listed.read_text(encoding="utf-8").splitlines() if line]
    if any(len(line) != 2 for line in lines):
        raise StoreError(f"{listed} is damaged")
    sums = {name: digest for digest, name in lines}
    there = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file() and p != listed}
    for name in sorted(sums.keys() | there.keys()):
        if name not in there or name not in sums:
            raise StoreError(f"{folder}: {name} is {'missing' if name in sums else 'not in the checksums'}")
        with there[name].open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != sums[name]:
                raise StoreError(f"{folder}: {name} is not as its checksum says")
    return sums


def _whose(folder: Path) -> str:
    try:
        tenant = json.loads((folder / "catalogue.json").read_bytes())["dct:identifier"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{folder}: catalogue.json does not say whose it is") from error
    if not isinstance(tenant, str) or not is_key(tenant) or not (folder / "tenant.yaml").is_file():
        raise StoreError(f"{folder}: {tenant!r} is no tenant's key, or its file is missing")
    return tenant


def _keys(sums: Mapping[str, str], tenant: str) -> Iterator[tuple[str, str]]:
    for name in sums:
        part, _, rest = name.partition("/")
        if part in {*STORED, "landing"} and rest:
            yield name, f"{part}/{tenant}/{rest}"


def _advance(folder: Path, files: Files, tenant: str) -> None:
    """Landing is read on from where it was, not from its beginning, of which retention may have let go."""
    file = folder / PROGRESS
    known = msgspec.json.decode(file.read_bytes(), type=dict[str, Progress]) if file.is_file() else {}
    for source, progress in known.items():
        Journal(files, tenant).advance(source, progress)
