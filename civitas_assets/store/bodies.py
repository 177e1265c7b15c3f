"""Bodies as received: each kept once under its content hash, packed, and encrypted where its source says so.

What was erased is known by its hash, and never kept again. Which bodies there are to be is said by manifests, in
`landing.py`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, cast

import msgspec
import zstandard

from civitas_assets.errors import BodyLost, StoreError
from civitas_assets.spool import MOST_IN_MEMORY, Body, hash_body, keep_pieces, measure_body
from civitas_assets.store.files import Files
from civitas_assets.store.layout import landing_key, parse_stem
from civitas_assets.store.stored_record import read_state
from civitas_assets.store.tenant_keys import tenant_key

_SEALED = b"CVS1"  # what a sealed body begins with; one that is only packed begins as zstandard does
_NONCE = 12
_PARTS_AT_MOST = 32  # of the folders of bodies, of which as many are listed one by one


class _Parts:
    """Parts of a body, to be read like a file."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._left = parts, memoryview(b"")

    def read(self, size: int) -> bytes:
        if not self._left:
            self._left = memoryview(next(self._parts, b""))
        part, self._left = self._left[:size], self._left[size:]
        return bytes(part)


class Bodies:
    """The bodies of one source of one tenant."""

    def __init__(self, files: Files, tenant: str, source: str, *, sealed: bool = False) -> None:
        self._files, self._tenant, self._sealed = files, tenant, sealed
        self._root = landing_key(tenant, source)
        self._added: list[int] = []
        self.again: list[str] = []  # what was to be stored and was there before
        self._gone: frozenset[str] | None = None

    @property
    def files(self) -> Files:
        """What the bodies are in."""
        return self._files

    @property
    def added_bytes(self) -> int:
        """How much was added by `store`."""
        return sum(self._added)

    def store(self, body: Body) -> str:
        """Keep a body, unless it is there already or was erased; its hash."""
        digest = hash_body(body)
        if digest in self.list_erased():
            return digest
        if added := self._keep(self._key(digest), body, digest):
            self._added.append(added)  # several threads may do so at once
        else:
            self.again.append(digest)
        return digest

    def _keep(self, key: str, body: Body, digest: str) -> int:
        """Pack a body and keep it; the bytes that this takes, none where it is there already."""
        packer = zstandard.ZstdCompressor(level=3)
        if isinstance(body, bytes):
            packed = packer.compress(body)
            packed = self._seal(packed, digest) if self._sealed else packed
            return len(packed) if self._files.write_once(key, packed) else 0
        if self._files.exists(key):
            return 0
        size = measure_body(body)
        body.seek(0)
        with NamedTemporaryFile(prefix="civitas-packed-") as file:
            packer.copy_stream(body, file, size=size)
            if self._sealed:  # at once, as it is opened
                file.seek(0)
                sealed = self._seal(file.read(), digest)
                return len(sealed) if self._files.write_once(key, sealed) else 0
            file.flush()
            # Whoever has kept the same meanwhile has kept the same.
            self._files.copy_in(key, Path(file.name))
            return file.tell()

    def holds(self, digest: str) -> bool:
        """Whether the body of that hash is there."""
        return self._files.exists(self._key(digest))

    def read_body(self, digest: str) -> bytes:
        """The body of that hash.

        Raises:
            BodyLost: it is not there, or not what was stored.
        """
        packed = self._files.read(self._key(digest))
        if packed is None:
            raise BodyLost(f"landing has lost {self._key(digest)}: fetch the source again")
        if packed.startswith(_SEALED):
            packed = self._opened(packed, digest)
        try:
            body = zstandard.ZstdDecompressor().decompress(packed)
        except zstandard.ZstdError as error:
            raise BodyLost(f"{self._key(digest)} is damaged: {error}") from error
        if hashlib.sha256(body).hexdigest() != digest:
            raise BodyLost(f"{self._key(digest)} is damaged: its content has another hash")
        return body

    def load_body(self, digest: str, size: int) -> Body:
        """The body of that hash, as large as it was when it came: in a file where that is too much for memory.

        Raises:
            BodyLost: it is not there, or not what was stored.
        """
        if size <= MOST_IN_MEMORY:
            return self.read_body(digest)
        key = self._key(digest)
        parts = self._files.read_parts(key, 0, self.measure_bodies([digest]).get(digest, 0))
        if parts is None:
            raise BodyLost(f"landing has lost {key}: fetch the source again")
        try:
            body = keep_pieces(self._unpacked(parts, digest))
        except zstandard.ZstdError as error:
            raise BodyLost(f"{key} is damaged: {error}") from error
        if hash_body(body) != digest:
            raise BodyLost(f"{key} is damaged: its content has another hash")
        return body

    def _unpacked(self, parts: Iterator[bytes], digest: str) -> Iterator[bytes]:
        first = next(parts, b"")
        if first.startswith(_SEALED):
            first, parts = self._opened(first + b"".join(parts), digest), iter(())
        # Step by step: a part that is packed well is more than memory has.
        return zstandard.ZstdDecompressor().read_to_iter(cast("IO[bytes]", _Parts(chain([first], parts))))

    def list_sizes(self) -> Mapping[str, int]:
        """Bytes that bodies take, by hash."""
        return self._sizes(f"{self._root}/bodies/")

    def measure_bodies(self, digests: Collection[str]) -> Mapping[str, int]:
        """Bytes that these bodies take, by hash; of those that are there."""
        parts = {digest[:2] for digest in digests}
        found = dict[str, int]()
        # A part is one of 256: of many bodies all together are listed sooner.
        for part in [f"{part}/" for part in parts] if len(parts) <= _PARTS_AT_MOST else [""]:
            found |= self._sizes(f"{self._root}/bodies/{part}")
        return {digest: found[digest] for digest in found.keys() & digests}

    def _sizes(self, prefix: str) -> Mapping[str, int]:
        return {parse_stem(key): stamp.size for key, stamp in self._files.list_stamps(prefix).items()}

    def remove(self, digests: Iterable[str]) -> None:
        """Let go of bodies for good."""
        self._files.delete_all(self._key(digest) for digest in digests)

    def list_erased(self) -> frozenset[str]:
        """The hashes of bodies that were erased: they are never kept again, and have nothing to read."""
        if self._gone is None:
            self._gone = frozenset(read_state(self._files, f"{self._root}/erased.json", list[str]) or ())
        return self._gone

    def erase(self, digests: Iterable[str]) -> None:
        """Remove bodies, and take them never again."""
        self._gone = self.list_erased() | {*digests}
        self._files.write(f"{self._root}/erased.json", msgspec.json.encode(sorted(self._gone)))
        self.remove(self._gone)

    def derive_key(self, purpose: str) -> bytes:
        """The tenant's key for a purpose."""
        return tenant_key(self._files, self._tenant, purpose)

    def _seal(self, packed: bytes, digest: str) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - few sources need it

        nonce = secrets.token_bytes(_NONCE)
        return _SEALED + nonce + AESGCM(self.derive_key("landing")).encrypt(nonce, packed, digest.encode())

    def _opened(self, sealed: bytes, digest: str) -> bytes:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        start = len(_SEALED)
        nonce, content = sealed[start : start + _NONCE], sealed[start + _NONCE :]
        try:
            return AESGCM(self.derive_key("landing")).decrypt(nonce, content, digest.encode())
        except InvalidTag:
            raise StoreError(
                f"{self._key(digest)} cannot be opened: the tenant's key is another, or it is damaged"
            ) from None

    def _key(self, digest: str) -> str:
        return f"{self._root}/bodies/{digest[:2]}/{digest}.zst"
