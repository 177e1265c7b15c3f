"""One errand of the HTTP client: where it may go, what it carries there, and what may be shown of it.

Sending, waiting and trying again are in `http.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote_plus

import httpx2

from civitas_assets.catalog.model import SecretRef, Source
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.transport.http_deadline import NEVER, Deadline
from civitas_assets.connectors.transport.repeated import mask_secrets
from civitas_assets.errors import FetchError
from civitas_assets.redaction import Redactor, remember_secrets
from civitas_assets.spool import Body

_FORM = "POST"


def sanitize_url(url: str, source: Source, base: httpx2.URL | None = None) -> httpx2.URL:
    """The address as it may be shown and kept: without userinfo, fragment and the source's secret parameters.

    Raises:
        FetchError: it is no http(s) address.
    """
    secret = frozenset(name for name, value in source.query.items() if isinstance(value, SecretRef))
    return _public(url, secret, base)


# Reading an address costs more than all else of a request, and each is looked at several times.
@lru_cache(1024)
def _public(url: str, secret: frozenset[str], base: httpx2.URL | None) -> httpx2.URL:
    try:
        parsed = base.join(url) if base else httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        parsed = httpx2.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.port or 0) > 65535:
        shown = url.partition("?")[0].rpartition("@")[2]
        raise FetchError(f"{shown} is no http(s) address: check url:, or the links that the server gives")
    query = [part for part in parsed.query.split(b"&") if part and _parameter(part) not in secret]
    kept, marks = b"&".join(query), {*str(parsed)}
    if kept == parsed.query and not parsed.userinfo and "#" not in marks and (kept or "?" not in marks):
        return parsed  # as nearly always
    return parsed.copy_with(userinfo=b"", query=kept or None, fragment=None)


def _parameter(part: bytes) -> str:
    return unquote_plus(part.partition(b"=")[0].decode("ascii"))


def _bare(url: httpx2.URL) -> httpx2.URL:
    """The address without what a stranger may have put into its parameters, such as a token."""
    return url.copy_with(query=None)


def extract_site(url: httpx2.URL) -> str:
    """Host and port, by which hosts are spared and admitted."""
    return f"[{url.host}]:{url.origin.port}" if ":" in url.host else f"{url.host}:{url.origin.port}"


class PreparedRequest:
    """One `get`: where it may go, what it carries there, and until when it may take."""

    def __init__(
        self, request: Request, source: Source, secrets: Callable[[str], str], until: Deadline = NEVER
    ) -> None:
        self.until = until
        self.own_time: Deadline | None = None  # of this answer, once that has begun
        self.request, self.source, self.policy = request, source, source.http
        # Statuses of answers whose body is what was asked for.
        self.good = {207} if request.method == "PROPFIND" else {200, 206} if request.partial else {200}
        self._secrets, self._sent = secrets, set[str]()
        self.redactor = Redactor(self._sent)
        self._home = sanitize_url(source.url, source)
        self.start = self._admitted(sanitize_url(request.url, source))

    def begin(self, now: float) -> None:
        """Let the time of the answer run, with all tries and pauses: from the first turn on, not while it queues."""
        if self.own_time is None:
            seconds = self.policy.total_time.total_seconds()
            limit, advice = f"http.total_time ({seconds:g} s)", "raise it if the server is so slow"
            self.own_time = Deadline(now + seconds, limit, advice)
            self.until = min(self.until, self.own_time)

    def follow_redirect(self, url: httpx2.URL, reply: httpx2.Response) -> httpx2.URL:
        """Where a redirect leads to, if it may lead there."""
        target = sanitize_url(reply.headers["location"], self.source, url)
        if self.request.method == _FORM:
            raise FetchError(f"{_bare(url)} redirects a form to {_bare(target)}: correct url:")
        if url.scheme == "https" and target.scheme == "http":
            raise FetchError(f"{url} redirects to {_bare(target)}, without TLS: correct url:")
        return self._admitted(target)

    def _admitted(self, url: httpx2.URL) -> httpx2.URL:
        # The second form is the same host with TLS where url: has none.
        home = self._home.origin
        same = home == url.origin or home == url.copy_with(scheme="http").origin
        if same or {url.host, extract_site(url)} & {host.lower() for host in self.source.allow_hosts}:
            return url
        leads = f"source {self.source.name} leads to another host, {_bare(url)}"
        if "advertised_url" in type(self.source).model_fields:
            raise FetchError(
                f"{leads}: if the server only calls itself so, set advertised_url to the root of its links, such as "
                f"{url.scheme}://{extract_site(url)}; if it has data there, add {extract_site(url)} to allow_hosts"
            )
        raise FetchError(f"{leads}: add {extract_site(url)} to allow_hosts if that is right")

    def prepare(self, url: httpx2.URL) -> tuple[httpx2.URL, httpx2.Headers, httpx2.Auth | None]:
        """Address, headers and credentials to send; what is configured goes to the source's own origin."""
        headers = httpx2.Headers(dict(self.request.headers))
        if url.origin != self._home.origin:
            return url, headers, None
        for name, value in self.source.headers.items():
            headers[name] = text = self._resolved(value)
            if not text.isprintable() or text != text.strip():
                raise FetchError(
                    f"header {name} for {extract_site(url)} has line breaks or outer spaces: remove them"
                )
        query = url.query.split(b"&") if url.query else []
        # A link of the server that names a parameter knows better, such as the offset of its next page.
        new = self.source.query.keys() - {_parameter(part) for part in query}
        for name, value in self.source.query.items():
            if name in new:
                query.append(f"{quote(name, safe='$')}={quote(self._resolved(value), safe='')}".encode())
        login = self.source.basic_auth
        auth = None
        if login is not None:
            auth = httpx2.BasicAuth(self._resolved(login.username), self._resolved(login.password))
        return (url.copy_with(query=b"&".join(query)) if new else url), headers, auth

    def compose(self, target: httpx2.URL) -> dict[str, Any]:
        """Method, address and body to send: a form is the body, and what stood in the address is in it."""
        method, content = self.request.method, self.request.content
        if method == _FORM:
            target, content = target.copy_with(query=None), target.query
        return {"method": method, "url": target, "content": content}

    def find_identity(self, url: httpx2.URL) -> tuple[str, str] | None:
        """Path and password of the client certificate, which goes to the source's own origin only."""
        given = self.source.certificate
        if given is None or url.origin != self._home.origin:
            return None
        return self._resolved(given.file), self._resolved(given.password or "")

    def _resolved(self, value: str | SecretRef) -> str:
        if isinstance(value, str):
            return value
        secret = self._secrets(value.secret)
        encoded = value.encode(secret)
        if not {secret, encoded} <= self._sent:
            self._sent |= {secret, encoded}
            remember_secrets(secret, encoded)
            self.redactor = Redactor(self._sent)
        return value.prefix + encoded

    def redact(self, what: object) -> str:
        """The text of an address or error without secrets, even if the server has repeated one."""
        return self.redactor.redact_text(str(what))

    def sanitize(self, validator: str | None) -> str | None:
        """What may be kept to recognise an unchanged body: nothing that repeats a secret."""
        return validator if validator and self.redact(validator) == validator else None

    def clean(self, url: str, body: Body | None) -> tuple[Body | None, int]:
        """The body without secrets, and how many bytes of it were made unreadable.

        Raises:
            FetchError: they cannot be.
        """
        return (None, 0) if body is None else mask_secrets(url, body, self.redactor, self.policy.max_bytes)

    def redact_error(self, error: FetchError) -> FetchError:
        """The error, which names what a server has said, without secrets."""
        error.args = tuple(self.redact(part) for part in error.args)
        return error
