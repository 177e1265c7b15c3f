"""The one file that is meant, out of what it came packed in: gzip, or a ZIP archive, however they lie in each other.

Spreadsheets are ZIP archives themselves, and are left as they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from civitas_assets.connectors.content.archive import list_archive_names, unzip_members
from civitas_assets.errors import ReadError

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
_BOOK = {"[Content_Types].xml", "content.xml"}
_DEEPEST = 3
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"Rar!": "a RAR archive", b"BZh": "packed by bzip2",
    b"\xfd7zXZ": "packed by xz", b"\x28\xb5\x2f\xfd": "packed by zstd",
}  # fmt: skip


def unpack_body(body: bytes, member: str | None, suffixes: Sequence[str], most_bytes: int) -> bytes:
    """The content of a body that may be packed; one that is not stays as it is.

    `member` is the name or pattern of the file in an archive, `suffixes` what files of that format are called;
    `most_bytes` bounds what anything unfolds to.

    Raises:
        ReadError: what it is packed in is damaged, too large, of another kind, or holds several files that fit.
    """
    for _ in range(_DEEPEST):
        if body.startswith(GZIP):
            body = gunzip_body(body, most_bytes)
        elif body.startswith(ZIP) and not is_spreadsheet(body):
            body = _chosen(body, member, suffixes, most_bytes)
        else:
            break
    for mark, name in _OTHERS.items():
        if body.startswith(mark):
            raise ReadError(f"is {name}, which is not unpacked: publish it as ZIP or gzip")
    return body


def is_spreadsheet(body: bytes) -> bool:
    """Whether a ZIP archive is itself a spreadsheet, xlsx or ods."""
    return body.startswith(ZIP) and any(
        name in _BOOK or name.startswith("xl/") for name in list_archive_names(body)
    )


def gunzip_body(body: bytes, most: int) -> bytes:
    """All members of a gzip file; several follow on each other where files were put together.

    Raises:
        ReadError: it is damaged, or unfolds to more than so many bytes.
    """
    content, rest = list[bytes](), body
    left = most
    try:
        while rest.startswith(GZIP):
            stream = zlib.decompressobj(wbits=31)
            part = stream.decompress(rest, left + 1)
            if len(part) > left:
                raise ReadError(f"holds more than {most} bytes unpacked: raise http.max_bytes if right")
            if not stream.eof:
                raise ReadError("is a gzip file that was cut short")
            content.append(part)
            left, rest = left - len(part), stream.unused_data
    except zlib.error as error:
        raise ReadError(f"is no sound gzip file: {error}") from None
    return b"".join(content)


def _chosen(body: bytes, member: str | None, suffixes: Sequence[str], most: int) -> bytes:
    found = [
        (name, content)
        for name, content in unzip_members(body, "*", most)
        if not name.startswith((".", "__MACOSX"))
    ]
    packed = tuple(f"{suffix}{end}" for suffix in suffixes for end in ("", ".gz", ".zip"))
    fits = (
        [each for each in found if fnmatchcase(each[0], member)]
        if member
        else [each for each in found if each[0].lower().endswith(packed)]
        or (found if len(found) == 1 else [])
    )
    if len(fits) != 1:
        there = ", ".join(name for name, _ in (fits or found)[:20])
        raise ReadError(
            f"is a ZIP archive with {len(fits)} files that could be meant; it has {there or 'none'}: set member"
        )
    return fits[0][1]
