"""Writing JSON to one server: bounded in time and size, discreet about secrets, and never twice by itself.

What is asked for again is what a repetition cannot change: whoever posts has to look what became of a lost answer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx2
import msgspec

from civitas_assets.catalog.access import HttpPolicy, SecretRef
from civitas_assets.connectors.reachable import Reachable
from civitas_assets.connectors.transport.host_limiter import PROCESS_LIMITERS, Limiter
from civitas_assets.connectors.transport.http_deadline import (
    Deadline,
    Late,
    bind_client,
    check_proxy_target,
    enforce_deadline,
)
from civitas_assets.connectors.transport.http_reason import extract_reason
from civitas_assets.connectors.transport.http_tls import make_trust_context
from civitas_assets.connectors.transport.prepared_request import extract_site
from civitas_assets.errors import ExportError
from civitas_assets.redaction import Redactor

_REPEATABLE = frozenset({"GET", "PUT", "PATCH", "DELETE"})
_RETRIED = frozenset({408, 425, 429, *range(500, 600)})


@dataclass(frozen=True)
class WriteReply:
    """What a server answered: status, where it put what it made, the body, and the first line of a complaint.

    `content_range` says of which part of a result the body is.
    """

    status: int
    location: str
    body: bytes
    reason: str
    content_range: str = ""

    @property
    def ok(self) -> bool:
        """Whether the server says that it did what was asked."""
        return 200 <= self.status < 300

    def decode(self) -> Any:
        """The JSON of the body; None where it is none."""
        try:
            return msgspec.json.decode(self.body) if self.body else None
        except msgspec.DecodeError:
            return None


class HttpWriter:
    """A client of one server, which threads share; addresses are relative to its root or links that it gave.

    Args:
        name: What errors call it.
        url: Its root.
        headers: What each request carries; secrets are read now and shown nowhere.
        policy: Requests per second and at once, tries, time and size of an answer.
        read_secret: Gives the value of a named secret.
    """

    def __init__(
        self,
        name: str,
        url: str,
        headers: Mapping[str, str | SecretRef],
        policy: HttpPolicy,
        *,
        user_agent: str,
        reachable: Reachable,
        read_secret: Callable[[str], str],
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._name, self._policy, self._reachable = name, policy, reachable
        self._root = httpx2.URL(url.rstrip("/") + "/")
        values = [
            (n, v, v.encode(read_secret(v.secret)) if isinstance(v, SecretRef) else "")
            for n, v in headers.items()
        ]
        self._redactor = Redactor([secret for *_, secret in values])
        sent = {n: v.prefix + secret if isinstance(v, SecretRef) else v for n, v, secret in values}
        self._client = bind_client(
            httpx2.Client(
                headers={**sent, "User-Agent": user_agent, "Accept": "application/json"},
                verify=make_trust_context(),
                timeout=policy.timeout.total_seconds(),
                limits=httpx2.Limits(max_connections=policy.parallel),
                transport=transport,
            ),
            reachable,
        )
        self._limiter = PROCESS_LIMITERS.setdefault(extract_site(self._root), Limiter())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def read(self, path: str) -> Any:
        """The JSON at an address.

        Raises:
            ExportError: there is no good answer.
        """
        reply = self.send("GET", path)
        found = reply.decode()
        if not reply.ok or found is None:
            raise ExportError(self._complain(f"GET {path or self._root}", reply))
        return found

    def redact_text(self, text: str) -> str:
        """What the server says in a body, without secrets."""
        return self._redactor.redact_text(text)

    def send(
        self,
        method: str,
        path: str,
        content: object = None,
        media_type: str = "application/json",
        *,
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool = False,
    ) -> WriteReply:
        """One answer, whatever it says; what a repetition cannot change is asked for again where there was none.

        Whether that is so tells the method, or for what is posted `is_repeatable`.

        Raises:
            ExportError: the server does not answer, lets nobody in, or the address is one of another server.
        """
        url = self._root.join(path)
        if url.origin != self._root.origin:
            raise ExportError(f"{self._name}: the server leads to another host, {url.host}; correct url:")
        body = msgspec.json.encode(content) if content is not None else b""
        sent = {**({"Content-Type": media_type} if body else {}), **(headers or {})}
        attempts = self._policy.attempts if method in _REPEATABLE or is_repeatable else 1
        for attempt in range(1, attempts + 1):
            try:
                reply = self._ask(method, url, body, sent)
            except (httpx2.TransportError, Late) as error:
                if attempt == attempts:
                    text = self._redactor.redact_text(str(error)) or type(error).__name__
                    raise ExportError(
                        f"{self._name}: {method} {path or self._root} was not answered: {text}"
                    ) from None
            else:
                if reply.status in {401, 403}:
                    raise ExportError(
                        self._complain(f"{method} {path}", reply) + "; check the secrets of headers:"
                    )
                if reply.status not in _RETRIED or attempt == attempts:
                    return reply
            time.sleep(min(30.0, 2 ** (attempt - 1)) * random.uniform(0.5, 1))  # noqa: S311
        raise AssertionError("the last attempt returns or raises")

    def _ask(self, method: str, url: httpx2.URL, body: bytes, headers: Mapping[str, str]) -> WriteReply:
        until = Deadline(time.monotonic() + self._policy.total_time.total_seconds())
        check_proxy_target(self._client, url, self._reachable)
        with (
            self._limiter.acquire(self._policy, until, time.monotonic, time.sleep),
            enforce_deadline(until, time.monotonic),
            self._client.stream(method, url, content=body or None, headers=headers) as reply,
        ):
            found = bytearray()
            for piece in reply.iter_bytes():
                found += piece
                if len(found) > self._policy.max_bytes:
                    raise ExportError(f"{self._name}: {url.path} answers more than http.max_bytes")
            reason = "" if reply.is_success else extract_reason(bytes(found), self._redactor.redact_text)
            headers = reply.headers
            return WriteReply(
                reply.status_code,
                headers.get("location", ""),
                bytes(found),
                reason,
                headers.get("content-range", ""),
            )

    def _complain(self, what: str, reply: WriteReply) -> str:
        said = f"; the server says {reply.reason!r}" if reply.reason else ""
        return f"{self._name}: {what} was answered with HTTP {reply.status}{said}"
