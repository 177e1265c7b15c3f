"""What was made of tenants' files, kept for the next process: parsing five hundred takes seconds, this a tenth of one.

A tenant is found by its file's content, together with all else that it was made of: the code, the operator's frame,
the names of all tenants, the defaults. A file with faults is never kept. What is kept is readable by its owner only,
holds no more than tenants' files do, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import pickle
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import yaml

from civitas_assets.catalog.model import Tenant

log = logging.getLogger("civitas_assets.catalog")

_FORM = "civitas parsed tenants 1"
_PACKAGE = Path(__file__).resolve().parent.parent
_OWN = f"{_PACKAGE.name}."
# Values that are no models of this package.
_PLAIN = frozenset({("datetime", "date"), ("datetime", "timedelta"), ("pydantic.types", "ByteSize")})


class _Content(msgspec.Struct, frozen=True):
    basis: str
    checks: str
    tenants: dict[str, tuple[str, bytes]]


@dataclass
class ParsedTenants:
    """The tenants of one state of everything beside their files; `checks` names what else they were held against.

    Who holds tenants against nothing else takes what was held against more.
    """

    file: Path
    checks: str = ""
    _basis: str = ""
    _held: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _new: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _may_write: bool = True

    def begin(self, basis: Iterable[object]) -> None:
        """Look at what is kept of that state; a file that is damaged, or somebody else's, is as none."""
        self._basis = hashlib.sha256(repr((_FORM, _fingerprint(), *basis)).encode()).hexdigest()
        self._held, self._new, self._may_write = {}, {}, True
        with suppress(OSError, ValueError, msgspec.MsgspecError):
            content = msgspec.msgpack.decode(_read_own(self.file), type=_Content)
            if content.basis != self._basis or (self.checks and content.checks != self.checks):
                return
            self._held, self._may_write = content.tenants, content.checks == self.checks

    def find(self, name: str, body: bytes) -> Tenant | None:
        """The tenant that was made of a file with that name and content; None where that is not known."""
        digest, kept = self._held.get(name, ("", b""))
        if digest != hashlib.sha256(body).hexdigest():
            return None
        tenant = _restore(kept)
        if tenant is not None:
            self._new[name] = digest, kept
        return tenant

    def add(self, name: str, body: bytes, tenant: Tenant) -> None:
        """Keep what was made of a file without faults, if the same can be made of it again."""
        with suppress(pickle.PicklingError, TypeError, AttributeError):
            kept = pickle.dumps(tenant, protocol=5)
            if _restore(kept) == tenant:
                self._new[name] = hashlib.sha256(body).hexdigest(), kept

    def finish(self) -> None:
        """Write, where something has changed, what was found and added, and nothing of files that are gone."""
        if not self._may_write or self._new == self._held:
            return
        body = msgspec.msgpack.encode(_Content(self._basis, self.checks, self._new))
        new = self.file.with_name(f".{self.file.name}.{os.getpid()}.new")
        with suppress(OSError):  # as for who only reads
            self.file.parent.mkdir(parents=True, exist_ok=True)
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(hashlib.sha256(body).digest() + body)
            new.replace(self.file)


def _read_own(file: Path) -> bytes:
    """The content of a file that only this user can have written and can read.

    Raises:
        OSError: there is no such file.
        ValueError: it is somebody else's, others may read or write it, or it is damaged.
    """
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW), "rb") as opened:
        known = os.fstat(opened.fileno())
        if not stat.S_ISREG(known.st_mode) or known.st_uid != os.geteuid() or known.st_mode & 0o077:
            log.warning("%s is not this user's alone, and is not used: delete it", file)
            raise ValueError("it is not this user's alone")
        digest, body = opened.read(32), opened.read()
    if hashlib.sha256(body).digest() != digest:
        raise ValueError("it is damaged")
    return body


@cache
def _fingerprint() -> str:
    """What the code is that makes tenants of files: its versions, and name, size and time of each of its files."""
    files = []
    for folder, below, names in os.walk(_PACKAGE):
        below[:] = set(below) - {"__pycache__"}
        for name in names:
            known = os.stat(f"{folder}/{name}")  # noqa: PTH116 - paths take as long as all the rest
            files.append((f"{folder}/{name}", known.st_size, known.st_mtime_ns))
    return repr((sys.version, pydantic.VERSION, yaml.__version__, sorted(files)))


def _restore(kept: bytes) -> Tenant | None:
    """The tenant; None where it is made of something else than models of this package."""
    try:
        tenant = _Models(io.BytesIO(kept)).load()
    except (
        pickle.UnpicklingError,
        ImportError,
        AttributeError,
        TypeError,
        ValueError,
        LookupError,
        EOFError,
    ):
        return None
    return tenant if isinstance(tenant, Tenant) else None


class _Models(pickle.Unpickler):
    """Makes models of this package and plain values, and calls nothing else, whatever the bytes ask for."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith(_OWN):
            found = super().find_class(module, name)
            if isinstance(found, type) and (
                issubclass(found, (pydantic.BaseModel, Enum)) or is_dataclass(found)
            ):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no model of a tenant")
