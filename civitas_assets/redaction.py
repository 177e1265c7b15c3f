"""Secrets do not come back: what was sent is taken out of texts, bodies and logs, however it is spelled there.

Which secrets were sent, those know who send them; nothing is read from the environment here.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from civitas_assets.inert import rewrite_message

REDACTED = "***"
_SHORTEST = 4  # what is shorter is no secret, and would be found in any text
# Data must not lose a value of its own, such as a number, to a password that is like it, nor any log a word.
_SHORTEST_ELSEWHERE = 8
# Libraries that write addresses, headers, statements or what they send, some of them as soon as anybody listens.
_TALKATIVE = (
    *("httpx2", "httpcore2", "httpx", "httpcore", "urllib3", "requests", "apprise", "paho", "sqlalchemy"),
    *("psycopg", "psycopg2", "pymysql", "adbc_driver_manager", "botocore", "boto3", "obstore", "asyncio", "fsspec"),
)  # fmt: skip
_NAMED_BY_HTML = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_SHORT_ESCAPES = {"\n": "n", "\t": "t", "\r": "r", '"': '"', "'": "'", "\\": "\\", "/": "/"}
_PLAIN, _SHORTEST_MARK = re.compile(r"[A-Za-z0-9]+"), 6
_BREAK = rb"(?:\r?\n|\\+r?\\*n)?"  # base64 may go on in the next line

# What looks like a credential: beside its name, as a header has it, and before an @ in an address. What a tenant's file
# says in the place of one, as in `{secret: NAME}`, is none.
_CREDENTIAL = re.compile(
    r"(?i)\b(?!(?<=\{)(?-i:secret: [A-Z][A-Z0-9_]*[,}]))((?:(?:api|access|app|client|auth|secret|private)?[-_ ]?"
    r"(?:key|token|secret|password|passwd|passwort|pwd|signature|sig|auth\w*)))"
    r"([\"']?\s*[=:]\s*[\"']?)(?!\{secret:)(?:(?:bearer|basic)\s+)?[^\s\"'&,;)]+"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
# The scheme before it is left out: looking for its beginning in a long text without any takes the square of its length.
_USER_INFO = re.compile(r"(://)[^/\s@?#]*@")
_OF_ADDRESS = re.compile(r"://[^/\s@:]*:([^/\s@]+)@")
_OF_LIBPQ = re.compile(r"(?i)\b(?:ssl)?password\s*=\s*('(?:\\.|[^'\\])*'|[^\s&]+)")
_SHORTEST_TOKEN = 12
_NAMES = (
    *("apikey", "accesskey", "appkey", "accountkey", "authkey", "secretkey", "privatekey", "subscriptionkey"),
    "userkey",
    *("token", "secret", "password", "passwd", "passwort", "signature", "credential", "credentials", "jwt"),
    *("authorization", "authorisation"),
)  # fmt: skip
_WHOLE_NAMES = frozenset({"auth", "cookie", "setcookie", "pass", "pwd", "sig"})
_PAGING = ("pagetoken", "nexttoken", "continuationtoken", "synctoken", "cursortoken")
_LONG_KEY = 16  # what is called a key is one where it is so long


def is_credential(name: str, value: str) -> bool:
    """Whether a header or parameter carries what lets somebody in, by its name or by what it says."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    if plain.endswith(_PAGING) or not value:
        return False
    return (
        plain.endswith(_NAMES)
        or plain in _WHOLE_NAMES
        or (plain in {"key", "xkey"} and len(value) >= _LONG_KEY)
        or _BEARER.search(value) is not None
    )


def mask_credentials(text: str) -> str:
    """The text without what looks like a credential: before an @ in an address, or beside its name."""
    return _USER_INFO.sub(r"\1***@", _BEARER.sub(r"\1 ***", _CREDENTIAL.sub(r"\1\2***", text)))


def has_password(text: str) -> bool:
    """Whether an address with a password is in the text."""
    return _OF_ADDRESS.search(text) is not None


def find_passwords(address: str) -> list[str]:
    """The passwords in an address, or in what libpq takes as names and values; as written, and as they are meant."""
    given = [*_OF_ADDRESS.findall(address), *(found.strip("'") for found in _OF_LIBPQ.findall(address))]
    return [form for text in given for form in (text, unquote(text), text.replace("\\'", "'")) if form]


def find_tokens(address: str) -> list[str]:
    """What may let somebody in within an address of messages, where services put tokens anywhere."""
    parts = [part for part in re.split(r"[/?&=:@#,]+", address) if len(part) >= _SHORTEST_TOKEN]
    return [address, *find_passwords(address), *parts, *map(unquote, parts)]


class Redactor:
    """Takes some secrets out: raw, as addresses, JSON, HTML and XML escape them, in hex, base64 and UTF-16."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({s for s in secrets if len(s) >= _SHORTEST}, key=len, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def redact_text(self, text: str) -> str:
        """The text with `***` in the place of each secret."""
        if not self._secrets:
            return text
        body = text.encode(errors="surrogatepass")
        for secret in self._secrets:
            for pattern in _patterns(secret):
                body = pattern.sub(REDACTED.encode(), body)
        return body.decode(errors="surrogatepass")

    def redact_body(self, body: bytes) -> tuple[bytes, int]:
        """The body with as many asterisks in the place of each secret, and how many bytes these are.

        Its length stays, for formats that count; secrets of less than eight characters are left in.
        """
        count = 0

        def masked(found: re.Match[bytes]) -> bytes:
            nonlocal count
            count += len(found[0])
            return b"*" * len(found[0])

        for secret in self._secrets:
            if len(secret) >= _SHORTEST_ELSEWHERE:
                for pattern in _patterns(secret):
                    body = pattern.sub(masked, body)
        return body, count

    def finds(self, body: bytes) -> bool:
        """Whether `body` would take something out."""
        long = (secret for secret in self._secrets if len(secret) >= _SHORTEST_ELSEWHERE)
        return any(pattern.search(body) for secret in long for pattern in _patterns(secret))


@lru_cache(256)
def _patterns(secret: str) -> tuple[re.Pattern[bytes], ...]:
    """How a secret may be spelled. Each begins with plain bytes: that is what makes searching fast."""
    found = list[bytes]()
    # What was sent may have been escaped before it was encoded as a whole.
    for form in dict.fromkeys(
        (secret, quote(secret, safe=""), quote(secret), quote_plus(secret), _in_json(secret))
    ):
        found.append(b"".join(map(_spelled, form)))
        found += map(re.escape, (form.encode("utf-16-le"), form.encode("utf-16-be")))
        if len(form.encode()) >= 6:
            found.append(b"".join(map(_digit, form.encode().hex())))
            found += _of_base64(form.encode())
    return tuple(map(re.compile, dict.fromkeys(found)))


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _spelled(char: str) -> bytes:
    """A character as it is, and as it is escaped; other escapes are undone before, or are none of letters."""
    body, code = char.encode(), ord(char)
    forms = [re.escape(body)]
    percent = b"".join(b"%(?:25)?" + b"".join(map(_digit, f"{byte:02x}")) for byte in body)
    units = char.encode("utf-16-be")
    forms += [percent, b"".join(_unicode_escape(units[at : at + 2].hex()) for at in range(0, len(units), 2))]
    forms.append(rb"&#(?:0*%d|[xX]0*%b);?" % (code, b"".join(map(_digit, f"{code:x}"))))
    if code < 0x100:
        forms.append(b"\\\\" + rb"\\*x" + b"".join(map(_digit, f"{code:02x}")))
    if 0x80 <= code < 0x100:
        forms.append(re.escape(char.encode("latin-1")))
    if char == " ":
        forms.append(rb"\+")
    if name := _NAMED_BY_HTML.get(char):
        forms.append(b"&" + name.encode() + b";?")
    if short := _SHORT_ESCAPES.get(char):
        forms.append(b"\\\\" + rb"\\*" + re.escape(short.encode()))
    if char in "\"'":
        forms.append(re.escape(body * 2))
    longest_first = sorted(dict.fromkeys(forms), key=len, reverse=True)
    return b"(?:" + b"|".join(longest_first) + b")"


def _unicode_escape(unit: str) -> bytes:
    return b"\\\\" + rb"\\*u" + b"".join(map(_digit, unit))


def _digit(char: str) -> bytes:
    return f"[{char}{char.upper()}]".encode() if char.isalpha() else char.encode()


def _of_base64(body: bytes) -> Iterator[bytes]:
    """The secret within whatever was encoded together with it: those characters that it alone decides."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + body).rstrip(b"=")
        start, end = -(-8 * before // 6), 8 * (before + len(body)) // 6
        yield _BREAK.join(map(_spelled_in_base64, whole[start:end].decode()))


def _spelled_in_base64(char: str) -> bytes:
    other = {"+": "-", "/": "_"}.get(char)
    return _spelled(char)[:-1] + b"|" + other.encode() + b")" if other else char.encode()


class _Known:
    """The secrets that this process has read, by what begins one of their marks; which no line of its log may hold."""

    def __init__(self) -> None:
        self.by_start: dict[str, frozenset[str]] = {}
        self.lock = threading.Lock()
        self.factory: Any = None


_known = _Known()


def remember_secrets(*secrets: str) -> None:
    """Keep secrets out of all that this process logs from here on, whoever logs it; short ones are left in."""
    with _known.lock:
        known = dict(_known.by_start)
        for secret in secrets:
            for mark in _marks(secret) if len(secret) >= _SHORTEST_ELSEWHERE else ():
                start = mark[:_SHORTEST_MARK]
                known[start] = known.get(start, frozenset()) | {secret}
        _known.by_start = known
        if _known.factory is not None:
            return
        _known.factory = logging.getLogRecordFactory()
        logging.setLogRecordFactory(_record)
        for logger in map(logging.getLogger, _TALKATIVE):
            logger.setLevel(max(logger.level, logging.WARNING))


def _marks(secret: str) -> tuple[str, ...]:
    """Texts of which one is in every text that tells the secret, as programs spell it; empty ones are in any.

    There may be many secrets and many lines, and few lines tell one.
    """
    run = max(_PLAIN.findall(secret), key=len, default="")
    if len(run) < _SHORTEST_MARK:
        return ("",)
    body, found = run.encode(), [run, run.encode().hex(), run.encode().hex().upper()]
    for before in range(3):
        start, end = -(-8 * before // 6), 8 * (before + len(body)) // 6
        found.append(base64.b64encode(bytes(before) + body).decode()[start:end])
    return tuple(found)


def redact_text(text: str) -> str:
    """The text without any secret that this process has read."""
    known = _known.by_start
    starts = {text[at : at + _SHORTEST_MARK] for at in range(len(text) - _SHORTEST_MARK + 1)} | {""}
    met = frozenset[str]().union(*(known[start] for start in starts & known.keys()))
    return Redactor(met).redact_text(text) if met else text


def _record(*arguments: Any, **named: Any) -> logging.LogRecord:
    """A line of the log without secrets, in its message and its traceback."""
    record: logging.LogRecord = _known.factory(*arguments, **named)
    rewrite_message(record, redact_text)
    if record.exc_info and record.exc_info[0] is not None:
        trace = logging.Formatter().formatException(record.exc_info)
        if (clean := redact_text(trace)) != trace:
            record.exc_info, record.exc_text = None, clean
    return record
