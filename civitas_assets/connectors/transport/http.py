"""The one HTTP client: polite to hosts, bounded in time and size, discreet about secrets; it stores nothing."""

from __future__ import annotations

import logging
import math
import random
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self

import httpx2

from civitas_assets.catalog.model import Source
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.reachable import PUBLIC, Reachable
from civitas_assets.connectors.transport.host_limiter import PROCESS_LIMITERS, Limiter, parse_retry_after
from civitas_assets.connectors.transport.http_deadline import (
    NEVER,
    Deadline,
    Late,
    bind_client,
    check_proxy_target,
    enforce_deadline,
)
from civitas_assets.connectors.transport.http_reason import extract_reason, read_body_start
from civitas_assets.connectors.transport.http_tls import make_client_context, make_trust_context
from civitas_assets.connectors.transport.inflate import CutShort, inflate_pieces
from civitas_assets.connectors.transport.prepared_request import PreparedRequest, extract_site
from civitas_assets.errors import FetchError, FetchTimeUp, HttpStatusError
from civitas_assets.spool import Body, Spool, read_whole

log = logging.getLogger("civitas_assets.fetch")

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRIED = frozenset({408, 425, 429, *range(500, 600)})
# What tells a connector where in a result an answer is, or what it lacks; nothing else of a header is kept.
_PAGING = (
    "link",
    "content-crs",
    "content-range",
    "next-page",
    "ngsild-results-count",
    "ngsild-warning",
    "fiware-total-count",
    "x-total-count",
)
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_WIRE_ADVICE = "check that the server is well, or raise http.timeout"
_TLS_ADVICE = "check certificate:, and SSL_CERT_FILE where the server's own is of no public authority"
_ADVICE = {
    304: "nothing was said to be known; check the server",
    401: "check the secrets that headers:, query: and certificate: name",
    403: "check the secrets that headers:, query: and certificate: name",
    404: "check url:, or set not_found: skip if a period may be absent",
}


@dataclass(frozen=True)
class Response:
    """What a server said, before any of it has landed: 200, 304 for an unchanged body, or 404 where it may be absent.

    Where the request wants it, also 206.
    """

    url: str  # without secrets; after redirects
    status: int
    content_type: str
    etag: str | None  # what it gave to recognise the body by, as far as that may be kept
    last_modified: str | None
    content: Body | None  # decoded; None for 304 and 404
    fetched_at: datetime  # aware, UTC
    attempts: int
    redacted: int = 0  # of the body, because they repeated a secret
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The whole of it in memory; empty where there is none."""
        return b"" if self.content is None else read_whole(self.content)


class _Again(Exception):
    """A failure that another try may mend; `pause` is how long the server asked to wait."""

    def __init__(self, error: FetchError, pause: float = 0.0) -> None:
        self.error, self.pause = error, pause


class HttpClient:
    """Fetches politely: a context manager that many threads share.

    Limits per host hold for the whole process. An entry of `allow_hosts` is a host, then on any of its ports,
    or `host:port`. Cookies are refused, so that no source meets another one's. Bodies may be gzip or zlib.
    Only what is `reachable` is connected to, at every hop.
    `total_time` bounds an answer with its tries and the pauses between them, and `timeout` any silence in it.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        clock: Callable[[], datetime],
        secrets: Callable[[str], str],
        reachable: Reachable = PUBLIC,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._secrets, self._sleep, self._monotonic = clock, secrets, sleep, monotonic
        # Moments of different clocks cannot be compared.
        self._limiters = PROCESS_LIMITERS if monotonic is time.monotonic else dict[str, Limiter]()
        self._user_agent, self._transport, self.reachable = user_agent, transport, reachable
        self._client = self._opened(make_trust_context())
        # A connection shows one identity or none, so that each identity has connections of its own.
        self._identified: dict[tuple[str, str], httpx2.Client] = {}
        self._opening = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in (self._client, *self._identified.values()):
            client.close()

    def _opened(self, tls: ssl.SSLContext) -> httpx2.Client:
        return bind_client(
            httpx2.Client(
                headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate"},
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                verify=tls,
                limits=httpx2.Limits(max_connections=None),  # the gates count, per host
                transport=self._transport,
            ),
            self.reachable,
        )

    def _client_of(self, call: PreparedRequest, url: httpx2.URL) -> httpx2.Client:
        identity = call.find_identity(url)
        if identity is None:
            return self._client
        with self._opening:
            if identity not in self._identified:
                self._identified[identity] = self._opened(make_client_context(call.source, *identity))
            return self._identified[identity]

    def read_secret(self, name: str) -> str:
        """The value that a source names, for what is not HTTP.

        Raises:
            SecretMissing: it is not set.
        """
        return self._secrets(name)

    def read_clock(self) -> float:
        """The clock of deadlines, in seconds."""
        return self._monotonic()

    def get(self, request: Request, source: Source, *, until: Deadline = NEVER) -> Response:
        """One answer, after as many tries as the source's policy and the deadline grant.

        Raises:
            HttpStatusError: the server answered, but with no success.
            FetchTimeUp: the deadline left no time for an answer.
            FetchError: no answer, an address that the source may not reach, or a breach of its policy.
            SecretMissing: the source names a secret that is not set.
        """
        call = PreparedRequest(request, source, self._secrets, until)
        attempt, attempts = 1, source.http.attempts
        while True:
            try:
                return self._answer(call, attempt)
            except _Again as again:
                failure = again
            except FetchError as error:
                raise call.redact_error(error) from None
            except Late:
                failure = _Again(_late(call), math.inf)
            except (httpx2.TransportError, CutShort, zlib.error) as fault:
                what = f"{call.start} gave no whole answer: {type(fault).__name__}, {fault}"
                failure = _Again(FetchError(f"{what}; {_TLS_ADVICE if '[SSL' in what else _WIRE_ADVICE}"))
                if self._monotonic() >= call.until.moment:
                    failure = _Again(_late(call), math.inf)
            # Out of the handler: the library's errors hold requests with secrets, and are no cause of ours.
            told = call.redact_error(failure.error)
            backoff = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1)) * random.uniform(0.5, 1)  # noqa: S311
            pause = max(failure.pause, backoff)
            if attempt == attempts or self._monotonic() + pause > call.until.moment:
                raise told
            attempt += 1
            log.warning("%s; try %d of %d follows in %.1f s", told, attempt, attempts, pause)
            self._sleep(pause)

    def _answer(self, call: PreparedRequest, attempt: int) -> Response:
        url, policy = call.start, call.policy
        timeout = min(policy.timeout, policy.total_time).total_seconds()
        for _ in range(_MOST_REDIRECTS + 1):
            limits = self._limiters.setdefault(extract_site(url), Limiter())
            with limits.acquire(policy, call.until, self._monotonic, self._sleep):
                call.begin(self._monotonic())
                target, headers, auth = call.prepare(url)
                client = self._client_of(call, url)
                check_proxy_target(client, url, self.reachable)
                with (
                    enforce_deadline(call.until, self._monotonic),
                    client.stream(
                        **call.compose(target), headers=headers, auth=auth, timeout=timeout
                    ) as reply,
                ):
                    if reply.status_code not in _REDIRECTS or "location" not in reply.headers:
                        shown = call.redact(url)
                        body, redacted = call.clean(shown, self._body(call, shown, reply, limits))
                        return Response(
                            url=shown,
                            status=reply.status_code,
                            content_type=call.redact(reply.headers.get("content-type", "")),
                            etag=call.sanitize(reply.headers.get("etag")),
                            last_modified=call.sanitize(reply.headers.get("last-modified")),
                            content=body,
                            fetched_at=self._clock().astimezone(UTC),
                            attempts=attempt,
                            redacted=redacted,
                            headers={n: call.redact(reply.headers[n]) for n in _PAGING if n in reply.headers},
                        )
                    url = call.follow_redirect(url, reply)
        raise FetchError(f"{call.start} redirects over {_MOST_REDIRECTS} times: correct url:")

    def _body(self, call: PreparedRequest, url: str, reply: httpx2.Response, limits: Limiter) -> Body | None:
        """The body of a good answer, None where a good answer has none."""
        status, policy, now = reply.status_code, call.policy, self._monotonic()
        skips = call.source.not_found == "skip"
        if (status == 304 and call.request.is_conditional) or (status == 404 and skips):
            return None
        if status in _RETRIED:
            pause = parse_retry_after(reply.headers.get("retry-after", ""), self._clock())
            stated = self._stated(call, reply)
            if now + pause > call.until.moment:
                limit = f"longer than is left of {call.until.limit}"
                raise HttpStatusError(
                    status, url, f"{stated}asks to wait {pause:.0f} s, {limit}: fetch later"
                )
            limits.pause_until(now + pause)
            raise _Again(HttpStatusError(status, url, f"{stated}fetch later"), pause)
        if status not in call.good:
            stated = self._stated(call, reply)
            raise HttpStatusError(status, url, f"{stated}{_ADVICE.get(status, 'check url:')}")
        encoding, body = reply.headers.get("content-encoding", "identity").strip().lower(), Spool()
        if encoding not in ("identity", "gzip", "x-gzip", "deflate"):
            raise FetchError(
                f"{url} answers in an encoding that was not asked for, {encoding}: tell its operator"
            )
        if reply.is_stream_consumed:  # some transports have read and decoded it already
            pieces: Iterable[bytes] = [reply.content]
        else:
            pieces = reply.iter_raw() if encoding == "identity" else inflate_pieces(reply.iter_raw())
        for piece in pieces:
            if self._monotonic() > call.until.moment:
                raise Late
            if body.size + len(piece) > policy.max_bytes:
                raise FetchError(f"{url} has over {policy.max_bytes} bytes: raise http.max_bytes if right")
            body.write(piece)
        return body.close()

    def _stated(self, call: PreparedRequest, reply: httpx2.Response) -> str:
        """What the server says about its fault, before our own advice; nothing where it cannot be read."""
        encoding = reply.headers.get("content-encoding", "identity").strip().lower()
        try:
            if reply.is_stream_consumed:
                head = reply.content
            elif encoding == "identity":
                head = read_body_start(self._in_time(reply.iter_raw(), call.until))
            else:
                head = read_body_start(inflate_pieces(self._in_time(reply.iter_raw(), call.until)))
        except (httpx2.HTTPError, CutShort, zlib.error):
            return ""
        reason = extract_reason(head, call.redact)
        return f"the server says {reason!r}; " if reason else ""

    def _in_time(self, pieces: Iterable[bytes], until: Deadline) -> Iterator[bytes]:
        for piece in pieces:
            yield piece
            if self._monotonic() > until.moment:
                return


def _late(call: PreparedRequest) -> FetchError:
    kind = FetchError if call.until is call.own_time else FetchTimeUp
    limit, advice = call.until.limit, call.until.advice
    return kind(f"{call.start} was not answered within {limit}: {advice}")
