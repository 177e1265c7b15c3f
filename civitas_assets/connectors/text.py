"""From bytes to text: encodings as municipal files really have them.

Byte order mark, then UTF-8, then windows-1252; control characters that are windows-1252 in disguise are
mended.
"""

from __future__ import annotations

import codecs
import re

from civitas_assets.errors import ReadError

_C1_IN_UTF8 = re.compile(rb"\xc2[\x80-\x9f]")
# U+0080–U+009F are control characters that no publisher means; the same bytes in windows-1252 are meant.
_C1_MENDED = {
    code: bytes([code]).decode("cp1252", errors="ignore") or chr(code) for code in range(0x80, 0xA0)
}
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def to_utf8(body: bytes, encoding: str = "auto") -> bytes:
    """The body as UTF-8 without a byte order mark.

    Raises:
        ReadError: the body is not in the declared encoding.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return _mended(_decoded(body[len(mark) :], name).encode())
    if encoding != "auto":
        return _mended(_decoded(body, encoding).encode())
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(body, "cp1252", errors="replace").encode()
    return _mended(body)


def _decoded(body: bytes, encoding: str, errors: str = "strict") -> str:
    try:
        return body.decode(encoding, errors=errors)
    except UnicodeDecodeError as error:
        raise ReadError(
            f"is not {encoding} text: byte {error.start} is 0x{body[error.start]:02x}; set encoding"
        ) from error
    except LookupError as error:
        raise ReadError(f"encoding {encoding!r} is not known") from error


def _mended(body: bytes) -> bytes:
    if not _C1_IN_UTF8.search(body):
        return body
    return body.decode().translate(_C1_MENDED).encode()
