"""The one HTTP client of the package: polite to hosts, bounded in time and size, discreet about secrets.

What an answer means is not known here, and nothing is stored.
"""

from __future__ import annotations

import io
import logging
import random
import re
import ssl
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self
from urllib.parse import quote, unquote_plus

import httpx2

from civitas_assets.catalog.model import SecretRef, Source
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.gate import PROCESS_GATES, Gate, asked_pause
from civitas_assets.connectors.inflate import CutShort, inflated
from civitas_assets.errors import FetchError, HttpStatusError

log = logging.getLogger("civitas_assets.fetch")

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRIED = frozenset({408, 425, 429, *range(500, 600)})
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_ADVICE = {
    304: "nothing was said to be known; check the server",
    401: "check the secrets that headers: and query: name",
    403: "check the secrets that headers: and query: name",
    404: "check url:, or set not_found: skip if a period may be absent",
}


@dataclass(frozen=True)
class Validators:
    """What a server gave to recognise an unchanged body."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Response:
    """One answer: status 200, 304 for an unchanged body, or 404 where the source says `not_found: skip`."""

    url: str  # without secrets; after redirects
    status: int
    content_type: str
    validators: Validators
    body: bytes | None  # decoded; None for 304 and 404
    fetched_at: datetime  # aware, UTC
    attempts: int
    received_bytes: int  # on the wire where that is known, else decoded


def public_url(url: str, source: Source, base: httpx2.URL | None = None) -> httpx2.URL:
    """The address as it may be shown and kept: without userinfo, fragment and the source's secret parameters.

    Raises:
        FetchError: it is no http(s) address.
    """
    try:
        parsed = base.join(url) if base else httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        parsed = httpx2.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.port or 0) > 65535:
        shown = url.partition("?")[0].rpartition("@")[2]
        raise FetchError(f"{shown} is no http(s) address: check url:, or the links that the server gives")
    secret = {name for name, value in source.query.items() if isinstance(value, SecretRef)}
    query = [part for part in parsed.query.split(b"&") if part and _parameter(part) not in secret]
    return parsed.copy_with(userinfo=b"", query=b"&".join(query) or None, fragment=None)


@cache
def _trusted() -> ssl.SSLContext:
    """Whom TLS trusts; reading the certificates takes long enough to do it once for all clients of a process."""
    return httpx2.create_ssl_context()


def _parameter(part: bytes) -> str:
    return unquote_plus(part.partition(b"=")[0].decode("ascii"))


def _site(url: httpx2.URL) -> str:
    return f"[{url.host}]:{url.origin.port}" if ":" in url.host else f"{url.host}:{url.origin.port}"


class _Again(Exception):
    """A failure that another try may mend; `pause` is how long the server asked to wait."""

    def __init__(self, error: FetchError, pause: float = 0.0) -> None:
        self.error, self.pause = error, pause


class _Errand:
    """One `get`: where it may go, and what it carries there."""

    def __init__(
        self, request: Request, source: Source, validators: Validators | None, secrets: Callable[[str], str]
    ) -> None:
        self.source, self.policy, self.validators = source, source.http, validators or Validators()
        self._request, self._secrets, self._sent = request, secrets, set[str]()
        self._home, given = public_url(source.url, source), httpx2.URL(source.url)
        self._auth = httpx2.BasicAuth(given.username, given.password) if given.userinfo else None
        self.start = self._admitted(public_url(request.url, source))

    def redirected(self, url: httpx2.URL, reply: httpx2.Response) -> httpx2.URL:
        """Where a redirect leads to, if it may lead there."""
        target = public_url(reply.headers["location"], self.source, url)
        if url.scheme == "https" and target.scheme == "http":
            raise FetchError(self.shown(f"{url} redirects to {target}, without TLS: correct url:"))
        return self._admitted(target)

    def _admitted(self, url: httpx2.URL) -> httpx2.URL:
        # The second form is the same host with TLS where url: has none.
        same = self._home.origin in (url.origin, url.copy_with(scheme="http").origin)
        if same or {url.host, _site(url)} & {host.lower() for host in self.source.allow_hosts}:
            return url
        leads = self.shown(f"source {self.source.name} leads to another host, {url}")
        raise FetchError(f"{leads}: add {_site(url)} to allow_hosts if that is right")

    def dressed(self, url: httpx2.URL) -> tuple[httpx2.URL, httpx2.Headers, httpx2.Auth | None]:
        """Address, headers and credentials to send; what is configured goes to the source's own origin."""
        headers = httpx2.Headers(dict(self._request.headers))
        if self.validators.etag:
            headers["If-None-Match"] = self.validators.etag
        if self.validators.last_modified:
            headers["If-Modified-Since"] = self.validators.last_modified
        if url.origin != self._home.origin:
            return url, headers, None
        for name, value in self.source.headers.items():
            headers[name] = text = self._resolved(value)
            if not text.isprintable() or text != text.strip():
                raise FetchError(
                    f"header {name} for {_site(url)} has line breaks or outer spaces: remove them"
                )
        query = url.query.split(b"&") if url.query else []
        # A link of the server that names a parameter knows better, such as the offset of its next page.
        new = self.source.query.keys() - {_parameter(part) for part in query}
        for name, value in self.source.query.items():
            if name in new:
                query.append(f"{quote(name, safe='$')}={quote(self._resolved(value), safe='')}".encode())
        return url.copy_with(query=b"&".join(query) or None), headers, self._auth

    def _resolved(self, value: str | SecretRef) -> str:
        if isinstance(value, str):
            return value
        secret = self._secrets(value.secret)
        self._sent.add(secret)
        return value.prefix + secret

    def shown(self, what: object) -> str:
        """The text of an address or error without secrets, even if the server has repeated one."""
        text = str(what)
        for secret in sorted(self._sent - {""}, key=len, reverse=True):
            # Which characters an address writes as %xx depends on who wrote it: each may be either way.
            either = (
                rf"(?:{re.escape(c)}|{''.join(f'%{b:02x}' for b in c.encode())}{'|[+]' * (c == ' ')})"
                for c in secret
            )
            text = re.sub("".join(either), "***", text, flags=re.IGNORECASE)
        return text


class HttpClient:
    """Fetches politely: a context manager that many threads share.

    Limits per host hold for the whole process. An entry of `allow_hosts` is a host, then on any of its ports,
    or `host:port`. Cookies are refused, so that no source meets another one's. Bodies may be gzip or zlib.
    `total_time` is checked as a body arrives; silence before and within it is bounded by `timeout`.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        clock: Callable[[], datetime],
        secrets: Callable[[str], str],
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._secrets, self._sleep, self._monotonic = clock, secrets, sleep, monotonic
        # Moments of different clocks cannot be compared.
        self._gates = PROCESS_GATES if monotonic is time.monotonic else dict[str, Gate]()
        for logger in map(logging.getLogger, ("httpx2", "httpcore2")):
            # Below WARNING the library writes addresses and headers as they are sent, with their secrets.
            logger.setLevel(max(logger.level, logging.WARNING))
        self._client = httpx2.Client(
            headers={"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            verify=_trusted(),
            limits=httpx2.Limits(max_connections=None),  # the gates count, per host
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, request: Request, source: Source, *, validators: Validators | None = None) -> Response:
        """One answer, after as many tries as the source's policy grants.

        Raises:
            HttpStatusError: the server answered, but with no success.
            FetchError: no answer, an address that the source may not reach, or a breach of its policy.
            SecretMissing: the source names a secret that is not set.
        """
        errand = _Errand(request, source, validators, self._secrets)
        attempt, attempts = 1, source.http.attempts
        while True:
            try:
                return self._answer(errand, attempt)
            except _Again as again:
                failure = again
            except (httpx2.TransportError, CutShort, zlib.error) as fault:
                what = errand.shown(f"{errand.start} gave no whole answer: {type(fault).__name__}, {fault}")
                failure = _Again(FetchError(f"{what}; check that the server is well, or raise http.timeout"))
            # Out of the handler: the library's errors hold requests with secrets, and are no cause of ours.
            if attempt == attempts:
                raise failure.error
            backoff = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1)) * random.uniform(0.5, 1)  # noqa: S311
            pause, attempt = max(failure.pause, backoff), attempt + 1
            log.warning("%s; try %d of %d follows in %.1f s", failure.error, attempt, attempts, pause)
            self._sleep(pause)

    def _answer(self, errand: _Errand, attempt: int) -> Response:
        url, policy = errand.start, errand.policy
        timeout = min(policy.timeout, policy.total_time).total_seconds()
        for _ in range(_MOST_REDIRECTS + 1):
            gate = self._gates.setdefault(_site(url), Gate())
            with gate.turn(policy, self._monotonic, self._sleep):
                deadline = self._monotonic() + policy.total_time.total_seconds()
                target, headers, auth = errand.dressed(url)
                with self._client.stream("GET", target, headers=headers, auth=auth, timeout=timeout) as reply:
                    if reply.status_code not in _REDIRECTS or "location" not in reply.headers:
                        body = self._body(errand, errand.shown(url), reply, gate, deadline)
                        return Response(
                            url=errand.shown(url),
                            status=reply.status_code,
                            content_type=reply.headers.get("content-type", ""),
                            validators=Validators(*map(reply.headers.get, ("etag", "last-modified"))),
                            body=body,
                            fetched_at=self._clock().astimezone(UTC),
                            attempts=attempt,
                            received_bytes=reply.num_bytes_downloaded or len(body or b""),
                        )
                    url = errand.redirected(url, reply)
        raise FetchError(errand.shown(f"{errand.start} redirects over {_MOST_REDIRECTS} times: correct url:"))

    def _body(
        self, errand: _Errand, url: str, reply: httpx2.Response, gate: Gate, deadline: float
    ) -> bytes | None:
        """The body of a good answer, None where a good answer has none."""
        status, policy, seconds = reply.status_code, errand.policy, errand.policy.total_time.total_seconds()
        known, skips = errand.validators != Validators(), errand.source.not_found == "skip"
        if (status == 304 and known) or (status == 404 and skips):
            return None
        if status in _RETRIED:
            pause = asked_pause(reply.headers.get("retry-after", ""), self._clock())
            if pause > seconds:
                limit = f"longer than http.total_time ({seconds:g} s)"
                raise HttpStatusError(status, url, f"asks to wait {pause:.0f} s, {limit}: fetch later")
            gate.close_until(self._monotonic() + pause)
            raise _Again(HttpStatusError(status, url, "fetch later"), pause)
        if status != 200:
            raise HttpStatusError(status, url, _ADVICE.get(status, "check url:"))
        encoding, body = reply.headers.get("content-encoding", "identity").strip().lower(), io.BytesIO()
        if encoding not in ("identity", "gzip", "x-gzip", "deflate"):
            raise FetchError(
                f"{url} answers in an encoding that was not asked for, {encoding}: tell its operator"
            )
        if reply.is_stream_consumed:  # some transports have read and decoded it already
            pieces: Iterable[bytes] = [reply.content]
        else:
            pieces = reply.iter_raw() if encoding == "identity" else inflated(reply.iter_raw())
        for piece in pieces:
            if self._monotonic() > deadline:
                raise FetchError(f"{url} took over {seconds:g} s: raise http.total_time if it is so slow")
            if body.tell() + len(piece) > policy.max_bytes:
                raise FetchError(f"{url} has over {policy.max_bytes} bytes: raise http.max_bytes if right")
            body.write(piece)
        return body.getvalue()  # hands the buffer over, without a second copy
