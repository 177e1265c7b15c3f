"""Files out of ZIP archives, of bounded size, so that no small archive can become a large one unnoticed.

No name in an archive is ever a path.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import BinaryIO

from civitas_assets.errors import ReadError
from civitas_assets.spool import Body, read_tail

_STEP = 1024 * 1024
_MOST_MEMBERS = 10_000
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_SIZE, _END_64_SIZE = 22, 20
_LONGEST_COMMENT = 0xFFFF
# A directory's entry is at least this long without its name; ten thousand with long names stay far below.
_LARGEST_DIRECTORY = _MOST_MEMBERS * 512
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # other methods are not decompressed in bounded steps
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,  # the library's way to say that a member is encrypted
    ValueError,
)


def list_archive_names(body: Body) -> list[str]:
    """The names of the files in an archive, with their folders.

    Raises:
        ReadError: it is no such archive.
    """
    _check_directory(body)
    try:
        with zipfile.ZipFile(_opened(body)) as archive:
            return archive.namelist()
    except _DAMAGED as error:
        raise ReadError(f"is no sound ZIP archive: {error or type(error).__name__}") from None


def unzip_members(body: bytes, pattern: str, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file whose name without folders matches the pattern, such as `*.txt`, in its order.

    `most_bytes` bounds what all of them hold together.

    Raises:
        ReadError: it is no such archive, a file in it is damaged, or it holds more than the bound.
    """
    _check_directory(body)
    left = most_bytes
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for member in archive.infolist():
                name = member.filename.rpartition("/")[2]
                if not name or not fnmatchcase(name, pattern):
                    continue
                content = io.BytesIO()
                for step in _steps(archive, member, left, most_bytes):
                    content.write(step)
                left -= content.tell()
                yield name, content.getvalue()
    except _DAMAGED as error:
        raise ReadError(f"is no sound ZIP archive: {error or type(error).__name__}") from None


def unzip_steps(body: Body, name: str, most_bytes: int) -> Iterator[bytes]:
    """The content of the first file of that name, its folders aside, step by step; nothing where there is none.

    Raises:
        ReadError: it is no such archive, the file is damaged, or it holds more than the bound.
    """
    _check_directory(body)
    try:
        with zipfile.ZipFile(_opened(body)) as archive:
            for member in archive.infolist():
                if member.filename.rpartition("/")[2] == name:
                    yield from _steps(archive, member, most_bytes, most_bytes)
                    return
    except _DAMAGED as error:
        raise ReadError(f"is no sound ZIP archive: {error or type(error).__name__}") from None


def _steps(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int, most_bytes: int) -> Iterator[bytes]:
    """What the member holds, whatever size the directory claims, up to what is left of the bound."""
    if member.compress_type not in _METHODS:
        raise ReadError(
            f"holds {member.filename} compressed by method {member.compress_type}, not by deflate"
        )
    with archive.open(member) as file:
        while step := file.read(_STEP):
            left -= len(step)
            if left < 0:
                raise ReadError(f"holds more than {most_bytes} bytes unpacked: raise http.max_bytes if right")
            yield step


def _opened(body: Body) -> BinaryIO:
    return io.BytesIO(body) if isinstance(body, bytes) else body


def _check_directory(whole: Body) -> None:
    """The library reads the whole directory before anything else, so that it must be small."""
    body = read_tail(whole, _END_64_SIZE + _END_SIZE + _LONGEST_COMMENT)
    end = body.rfind(_END, max(0, len(body) - _END_SIZE - _LONGEST_COMMENT))
    if end < 0 or len(body) - end < _END_SIZE:
        raise ReadError("is no ZIP archive, or was cut short")
    if body[max(0, end - _END_64_SIZE) : end].startswith(_END_64):
        raise ReadError("is a ZIP64 archive, which is not read")
    members, size = struct.unpack_from("<HL", body, end + 10)
    if members > _MOST_MEMBERS or size > _LARGEST_DIRECTORY:
        raise ReadError(f"lists more than {_MOST_MEMBERS} files")
