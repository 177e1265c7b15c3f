"""The one file that is meant, out of what it came packed in: gzip, or a ZIP archive, however they lie in each other.

Spreadsheets are ZIP archives themselves, and are left as they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from civitas_assets.connectors.content.archive import list_archive_names, unzip_steps
from civitas_assets.errors import ReadError
from civitas_assets.spool import Body, keep_pieces, read_head, read_pieces, read_whole

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
_BOOK = {"[Content_Types].xml", "content.xml"}
_DEEPEST, _HEAD = 3, 16
_PART, _STEP = 64 * 1024, 1024 * 1024
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"Rar!": "a RAR archive", b"BZh": "packed by bzip2",
    b"\xfd7zXZ": "packed by xz", b"\x28\xb5\x2f\xfd": "packed by zstd",
}  # fmt: skip


def unpack_body(body: bytes, member: str | None, suffixes: Sequence[str], most_bytes: int) -> bytes:
    """The content of a body that may be packed, in memory; see `unpack`."""
    return read_whole(unpack(body, member, suffixes, most_bytes))


def unpack(body: Body, member: str | None, suffixes: Sequence[str], most_bytes: int) -> Body:
    """The content of a body that may be packed, in a file where it is large; a body that is not packed stays as it is.

    `member` is the name or pattern of the file in an archive, `suffixes` what files of that format are called;
    `most_bytes` bounds what anything unfolds to.

    Raises:
        ReadError: what it is packed in is damaged, too large, of another kind, or holds several files that fit.
    """
    for _ in range(_DEEPEST):
        head = read_head(body, _HEAD)
        if head.startswith(GZIP):
            body = keep_pieces(_gunzip(body, most_bytes))
        elif head.startswith(ZIP) and not is_spreadsheet(body):
            name = _choose(list_archive_names(body), member, suffixes)
            body = keep_pieces(unzip_steps(body, name, most_bytes))
        else:
            break
    head = read_head(body, _HEAD)
    for mark, name in _OTHERS.items():
        if head.startswith(mark):
            raise ReadError(f"is {name}, which is not unpacked: publish it as ZIP or gzip")
    return body


def is_spreadsheet(body: Body) -> bool:
    """Whether a ZIP archive is itself a spreadsheet, xlsx or ods."""
    return read_head(body, _HEAD).startswith(ZIP) and any(
        name in _BOOK or name.startswith("xl/") for name in list_archive_names(body)
    )


def gunzip_body(body: bytes, most: int) -> bytes:
    """All members of a gzip file, in memory; several follow on each other where files were put together.

    Raises:
        ReadError: it is damaged, or unfolds to more than so many bytes.
    """
    return b"".join(_gunzip(body, most))


def _gunzip(body: Body, most: int) -> Iterator[bytes]:
    """The same in steps of bounded size."""
    stream, left = zlib.decompressobj(wbits=31), most
    try:
        for part in _slice(body):
            data, is_more = part, True
            while is_more:
                if stream.eof:
                    data = stream.unused_data + data
                    if len(data) < len(GZIP) or not data.startswith(GZIP):
                        break
                    stream = zlib.decompressobj(wbits=31)
                step = stream.decompress(data, _STEP)
                left -= len(step)
                if left < 0:
                    raise ReadError(f"holds more than {most} bytes unpacked: raise http.max_bytes if right")
                yield step
                data = b"" if stream.eof else stream.unconsumed_tail
                is_more = bool(data) or len(step) == _STEP or (stream.eof and bool(stream.unused_data))
    except zlib.error as error:
        raise ReadError(f"is no sound gzip file: {error}") from None
    if not stream.eof:
        raise ReadError("is a gzip file that was cut short")


def _slice(body: Body) -> Iterator[bytes]:
    """A body in parts so small that what is left of one is copied soon."""
    for piece in read_pieces(body):
        for start in range(0, len(piece), _PART):
            yield piece[start : start + _PART]


def _choose(paths: Sequence[str], member: str | None, suffixes: Sequence[str]) -> str:
    names = [path.rpartition("/")[2] for path in paths]
    found = [name for name in names if name and not name.startswith((".", "__MACOSX"))]
    packed = tuple(f"{suffix}{end}" for suffix in suffixes for end in ("", ".gz", ".zip"))
    fits = (
        [name for name in found if fnmatchcase(name, member)]
        if member
        else [name for name in found if name.lower().endswith(packed)] or (found if len(found) == 1 else [])
    )
    if len(fits) != 1:
        there = ", ".join((fits or found)[:20])
        raise ReadError(
            f"is a ZIP archive with {len(fits)} files that could be meant; it has {there or 'none'}: set member"
        )
    return fits[0]
