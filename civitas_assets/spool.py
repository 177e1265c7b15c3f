"""Bodies as they arrive: in memory as long as they are small, from then on in a file.

Such a file has no name: nothing of it is left where its process ends, and it is gone with the last who has it open.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

from civitas_assets.errors import StoreError

# As large as a body in memory may be: several are asked for at a time.
MOST_IN_MEMORY = 16 * 1024 * 1024
_PIECE = 1024 * 1024

# A body that is in memory, or open in a file as a whole.
Body = bytes | BinaryIO


class Spool:
    """What a body is written to, piece by piece; `size` are its bytes so far."""

    def __init__(self) -> None:
        self.size = 0
        self._held: io.BytesIO | BodyFile = io.BytesIO()

    def write(self, piece: bytes) -> None:
        """Take a further piece.

        Raises:
            StoreError: the folder of temporary files has no room for it.
        """
        with self._writing():
            if self.size <= MOST_IN_MEMORY < self.size + len(piece):
                begun, self._held = cast("io.BytesIO", self._held), BodyFile()
                self._held.write(begun.getbuffer())
            self.size += len(piece)
            self._held.write(piece)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"a body of over {self.size:,} bytes cannot be written to {tempfile.gettempdir()}: {error.strerror}; "
                "make room there, or set TMPDIR to a folder that has more"
            ) from error

    def close(self) -> Body:
        """The body.

        Raises:
            StoreError: the folder of temporary files has no room for the last of it.
        """
        if isinstance(self._held, io.BytesIO):
            return self._held.getvalue()  # hands the buffer over, without a second copy
        with self._writing():
            self._held.flush()  # another process may read it
        return self._held


class BodyFile(io.BufferedRandom):
    """A file without a name that is closed with the last who has it."""

    def __init__(self) -> None:
        super().__init__(cast("io.RawIOBase", tempfile.TemporaryFile(buffering=0)))  # noqa: SIM115

    def __del__(self) -> None:
        with suppress(OSError, ValueError):  # what found no room was told, as was that there is no file
            self.close()


def keep_pieces(pieces: Iterator[bytes]) -> Body:
    """The body that they make up."""
    spool = Spool()
    for piece in pieces:
        spool.write(piece)
    return spool.close()


def read_whole(body: Body) -> bytes:
    """All of a body, in memory."""
    if isinstance(body, bytes):
        return body
    body.seek(0)
    return body.read()


def read_head(body: Body, size: int) -> bytes:
    """The first bytes of a body."""
    if isinstance(body, bytes):
        return body[:size]
    body.seek(0)
    return body.read(size)


def read_tail(body: Body, size: int) -> bytes:
    """The last bytes of a body."""
    if isinstance(body, bytes):
        return body[-size:]
    body.seek(max(0, measure_body(body) - size))
    return body.read()


def read_pieces(body: Body, overlap: int = 0) -> Iterator[bytes]:
    """A body from its beginning, a piece after the other; each begins with that many last bytes of the one before."""
    if isinstance(body, bytes):
        yield body
        return
    body.seek(0)
    before = b""
    while piece := body.read(_PIECE):
        yield before + piece if before else piece
        before = piece[-overlap:] if overlap else b""


def measure_body(body: Body) -> int:
    """How many bytes a body has."""
    return len(body) if isinstance(body, bytes) else body.seek(0, io.SEEK_END)


def hash_body(body: Body) -> str:
    """The SHA-256 of a body, in hexadecimal."""
    digest = hashlib.sha256()
    for piece in read_pieces(body):
        digest.update(piece)
    return digest.hexdigest()


def can_be_shared(body: object) -> bool:
    """Whether it is a file that another process may be handed."""
    return isinstance(body, BodyFile)
