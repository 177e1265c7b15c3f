"""What a server says about its own fault: one line out of the body of an answer that is no success.

The line is cleaned and short. Who has sent secrets gives a function that takes them out again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from civitas_assets.redaction import mask_credentials
from civitas_assets.spool import Body, read_head

MOST_BYTES = 16 * 1024  # what of such a body is looked at
_LONGEST = 200
_DEEPEST = 4
# Where interfaces say it: the more a name promises a sentence, the earlier it is looked for.
_SENTENCES = (
    "detail", "description", "message", "errormessage", "error_description", "error_message", "msg", "reason",
    "exceptiontext", "title", "error", "errors", "exception", "exceptions", "fault", "status_message",
)  # fmt: skip
_ERROR_MEMBERS = (b'"error"', b'"errors"', b'"exception"', b'"fault"', b'"detail"', b'"message"')
_ELEMENTS = re.compile(
    r"<(?:[\w.-]+:)?(ExceptionText|ServiceException|Reason|faultstring|Message|detail)\b[^>]*>(.*?)</",
    re.DOTALL,
)
_HTML = re.compile(r"<!doctype\s+html|<html\b|<head\b|<title\b|<body\b", re.IGNORECASE)
_FAULT = re.compile(r"<(?:[\w.-]+:)?(?:Fault|ExceptionReport|ServiceExceptionReport)\b")
_TITLES = (
    re.compile(r"<title\b[^>]*>(.*?)</title>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<h1\b[^>]*>(.*?)</h1>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<(?:h2|p)\b[^>]*>(.*?)</", re.DOTALL | re.IGNORECASE),
)
_TAG = re.compile(r"<!\[CDATA\[|\]\]>|<[^>]*>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


def extract_reason(body: bytes, shown: Callable[[str], str] = str) -> str:
    """The first line of what the body says, as somebody may read it; empty where it says nothing.

    `shown` takes out of a text what nobody may read.
    """
    text = shown(_decoded(body[:MOST_BYTES])).lstrip("\ufeff \t\r\n")
    if text[:1] in {"{", "[", '"'}:
        found = _of_json(text)
    elif _HTML.search(text[:2000]):
        found = next((match[1] for match in _found(_TITLES, text) if _plain(match[1])), "")
    elif text.startswith("<"):
        found = next((match[2] for match in _found((_ELEMENTS,), text) if _plain(match[2])), "")
    else:
        found = text
    line = shown(_first_line(found))  # once more, for what was written with escapes before
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}…"


def extract_complaint(body: Body, told: str = "") -> str:
    """What a body complains of that came with success, to go behind a sentence; empty for any other body.

    Web pages and documents that report an error are such bodies. What was `told` already is not told again.
    """
    begun = read_head(body, MOST_BYTES)
    start = begun.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        is_one = any(name in start[:400] for name in _ERROR_MEMBERS)
    else:
        head = start[:2000].decode("latin-1")
        is_one = head.startswith("<") and bool(_HTML.search(head) or _FAULT.search(head))
    said = extract_reason(begun) if is_one else ""
    return f"; the server says {said!r}" if said and said not in told else ""


def read_body_start(pieces: Iterable[bytes]) -> bytes:
    """The beginning of a body that arrives in pieces."""
    head = bytearray()
    for piece in pieces:
        head += piece
        if len(head) >= MOST_BYTES:
            break
    return bytes(head[:MOST_BYTES])


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        if body.count(b"\x00") or any(byte < 9 for byte in body[:256]):
            return ""  # no text at all
        return body.decode("cp1252", errors="ignore")


def _found(patterns: Iterable[re.Pattern[str]], text: str) -> Iterator[re.Match[str]]:
    for pattern in patterns:
        yield from pattern.finditer(text)


def _of_json(text: str) -> str:
    try:
        return next(_sentences(msgspec.json.decode(text), 0), "")
    except (msgspec.DecodeError, RecursionError):
        match = re.search(r'"(?:detail|description|message|error|title)"\s*:\s*"((?:[^"\\]|\\.)+)"', text)
        return match[1] if match else ""


def _sentences(content: Any, depth: int) -> Iterator[str]:
    """Texts of members that promise one, the likeliest first."""
    if depth > _DEEPEST:
        return
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for item in content[:5]:
            yield from _sentences(item, depth + 1)
    elif isinstance(content, Mapping):
        members = {re.sub(r"[^a-z_]", "", str(name).lower()): value for name, value in content.items()}
        told = [name for name in _SENTENCES if members.get(name) not in (None, "", [], {})]
        # A word such as `error` beside a sentence says less than the sentence.
        for name in sorted(
            told, key=lambda name: not (isinstance(members[name], str) and " " in members[name])
        ):
            yield from _sentences(members[name], depth + 1)


def _plain(text: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def _first_line(text: str) -> str:
    lines = (_CONTROL.sub(" ", _plain(line)).strip() for line in re.split(r"[\r\n]+", text))
    line = next(filter(None, lines), "")
    # Errors of programs repeat what they were called with: what looks like a key beside its name is nobody's to read.
    return mask_credentials(line)
