"""From bytes to text: encodings as municipal files really have them.

Byte order mark, then UTF-8, then windows-1252, and single wrong bytes for themselves; what shows that a file is in
none of them is an error that asks for `encoding`.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable

from civitas_assets.errors import Note, ReadError

_C1_IN_UTF8 = re.compile(rb"\xc2[\x80-\x9f]")
# U+0080–U+009F are control characters that no publisher means; the same bytes in windows-1252 are meant.
_C1_MENDED = {
    code: bytes([code]).decode("cp1252", errors="ignore") or chr(code) for code in range(0x80, 0xA0)
}
# That of UTF-32 begins with that of UTF-16.
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
FIRST_TEXTS = 64 * 1024  # bytes
_HEAD = 4096
# Bytes that windows-1252 does not have, and those that are umlauts in DOS and Mac code pages, where in windows-1252
# a mark stands that nobody writes between letters: ü ä ö ß of cp850, ü ä ö ß of Mac OS Roman.
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_OTHER_PAGE = re.compile(
    rb"(?<=[A-Za-z\x9a])(?:[\x81\x84\x94\x9f\xa7]+[a-z]|(?<=[Ss]tra)\xe1e)|(?<![A-Za-z])\x9aber"
)
_HIGH = re.compile(rb"[\x80-\xff]+")
_NOT_LATIN = re.compile("[^\x00-\u024f\u2000-\u206f\u20ac\u2100-\u22ff]")
_COMBINING = (b"\xcc", b"\xcd")
# Letters of UTF-8 that were taken for windows-1252 and encoded once more: Ã with what then stands for ä ö ü ß Ä Ö Ü.
_TWICE = re.compile(
    rb"\xc3\x83(?:\xc2[\xa4\xb6\xbc\x9f\x84\x96\x9c]|\xc5[\xb8\x93]|\xe2\x80[\x9e\x93])"
    rb"|\\u00c3\\u(?:00(?:a4|b6|bc|9f|84|96|9c)|0178|0153|201e|2013)",
    re.IGNORECASE,
)
_TWICE_BEGINS = (b"\xc3\x83", b"\\u00c3", b"\\u00C3")


def to_utf8(body: bytes, encoding: str = "auto") -> bytes:
    """The body as UTF-8 without a byte order mark.

    Raises:
        ReadError: the body is not in the declared encoding, or in none of those that are tried.
    """
    return read_text(body, encoding)[0]


def read_text(body: bytes, encoding: str = "auto") -> tuple[bytes, tuple[Note, ...]]:
    """The body as UTF-8 without byte order marks, its letters composed, and notes of what was mended.

    Raises:
        ReadError: the body is not in the declared encoding, or in none of those that are tried.
    """
    start, encoding = find_declared_encoding(body[:_HEAD], len(body), encoding)
    body = body[start:] if start else body
    if encoding not in {"auto", "utf-8"}:
        return normalise_text(_decoded(body, encoding).encode()), ()
    if body.isascii():  # found without a copy of a large file
        return body, ()
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        if encoding == "utf-8":
            raise _not_in(encoding, error) from None
        return _mixed(body)
    return normalise_text(body), ()


def find_declared_encoding(head: bytes, size: int, encoding: str) -> tuple[int, str]:
    """Where a text of so many bytes begins, and its encoding, by its mark or the zeros in it; else the given one."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return len(mark), name
    return 0, _without_mark(head, size) or encoding if encoding == "auto" else encoding


def is_encoded_twice(body: bytes) -> bool:
    """Whether a text begins with umlauts that were encoded twice, such as Ã¼ for ü; JSON may write them escaped.

    A publisher's program treats all texts alike, so that the first ones tell.
    """
    head = body[:FIRST_TEXTS]
    if b"\0" in head or (head.isascii() and b"\\" not in head):  # packed or plain, which is found much sooner
        return False
    return any(begin in head for begin in _TWICE_BEGINS) and _TWICE.search(head) is not None


def _without_mark(begun: bytes, size: int) -> str | None:
    """UTF-16 that does not say so: every other byte of its letters is zero."""
    head = begun[: _HEAD - _HEAD % 2]
    if size % 2 or b"\0" not in head:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 5 < len(head) * 2 or min(even, odd) * 20 > len(head):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _decoded(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise _not_in(encoding, error) from None
    except LookupError as error:
        raise ReadError(f"encoding {encoding!r} is not known") from error
    except UnicodeError as error:
        raise ReadError(f"is not {encoding} text: {error}; set encoding") from None


def _not_in(encoding: str, error: UnicodeDecodeError) -> ReadError:
    return ReadError(
        f"is not {encoding} text: byte {error.start} is 0x{error.object[error.start]:02x}; set encoding"
    )


def _mixed(body: bytes) -> tuple[bytes, tuple[Note, ...]]:
    """What is no UTF-8: windows-1252 as a whole, or UTF-8 with lines or single bytes of it."""
    if not _is_utf8(b" ".join(_HIGH.findall(body)), lambda: _OTHER_PAGE.search(body)):
        return body.decode("cp1252").encode(), ()
    lines = body.split(b"\n")
    mended = list[int]()
    for number, line in enumerate(lines):
        try:
            line.decode()
        except UnicodeDecodeError:
            lines[number] = _mended_line(line)
            mended.append(number + 1)
    where = f"line {mended[0]}" + (f" and {len(mended) - 1} more" if len(mended) > 1 else "")
    note = Note("wrong_bytes", f"{where} of a file in UTF-8 held bytes that are not, read as windows-1252")
    return normalise_text(b"\n".join(lines)), (note,)


def is_windows_1252(read_lines: Callable[[], Iterable[bytes]]) -> bool:
    """Whether a text that is no UTF-8, whose portions of whole lines are read as often as needed, is windows-1252."""
    high = b" ".join(run for portion in read_lines() if (run := b" ".join(_HIGH.findall(portion))))
    try:
        return not _is_utf8(high, lambda: next(filter(None, map(_OTHER_PAGE.search, read_lines())), None))
    except ReadError:
        return False


def _is_utf8(high: bytes, find_other_page: Callable[[], re.Match[bytes] | None]) -> bool:
    """Whether a text with these runs of bytes beyond ASCII is UTF-8 but for some, and not windows-1252.

    Raises:
        ReadError: it is neither.
    """
    read = high.decode(errors="ignore").replace(" ", "")
    wrong = len(high.replace(b" ", b"")) - len(read.encode())
    # Two letters of windows-1252 may look like one of another script.
    is_utf8 = len(read) > wrong or bool(_NOT_LATIN.sub("", read))
    found = _UNDEFINED.search(_wrong_bytes(high) if is_utf8 else high)
    found = found or (None if is_utf8 else find_other_page())
    if found:
        raise ReadError(
            f"is in no encoding that is tried: neither UTF-8 nor windows-1252 has {_shown(found[0])} there, as DOS "
            "(cp850) or old Macs (mac-roman) write umlauts; set encoding"
        )
    return is_utf8


def _mended_line(line: bytes) -> bytes:
    """Its wrong bytes read as windows-1252; all of it, where what looks like UTF-8 in it is no Latin letter."""
    text = line.decode(errors="windows_1252")
    return (line.decode("cp1252") if _NOT_LATIN.search(text) else text).encode()


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - it is registered for decoding alone
    return error.object[error.start : error.end].decode("cp1252"), error.end


codecs.register_error("windows_1252", _as_windows_1252)


def _wrong_bytes(high: bytes) -> bytes:
    """The bytes that are no part of a letter in UTF-8."""
    text = high.decode(errors="surrogateescape")
    return bytes(ord(letter) - 0xDC00 for letter in text if 0xDC80 <= ord(letter) <= 0xDCFF)


def _shown(found: bytes) -> str:
    return " ".join(f"0x{byte:02x}" for byte in found if byte > 0x7F)


def normalise_text(body: bytes) -> bytes:
    """A text in UTF-8 without what is windows-1252 in disguise, further byte order marks, and parted letters."""
    if b"\xc2" in body and _C1_IN_UTF8.search(body):
        body = body.decode().translate(_C1_MENDED).encode()
    if b"\xef" in body:
        body = body.replace(codecs.BOM_UTF8, b"")
    if any(mark in body for mark in _COMBINING):
        body = unicodedata.normalize("NFC", body.decode()).encode()
    return body
