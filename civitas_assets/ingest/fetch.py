"""Fetching: a tenant's sources, at the same time and politely, into landing.

Every answer lands before a connector sees it; what was good stays when something else fails.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from civitas_assets.catalog import Source, Tenant, Window
from civitas_assets.connectors.base import Answer, Connector, Request
from civitas_assets.connectors.http import HttpClient, Response, Validators, public_url
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.ingest.isolation import isolated
from civitas_assets.store.files import Files
from civitas_assets.store.landing import Address, Line, SourceLanding, config_hash, update

log = logging.getLogger("civitas_assets.fetch")

_SOURCES_AT_ONCE = 8
_PROGRESS_SECONDS = 2.0
# An address that nothing asked for in so long has left every look-back; its next answer counts as new.
_FORGET_AFTER = timedelta(days=400)


@dataclass(frozen=True)
class FetchReport:
    """What fetching one source brought; `contents` is a hash of all that is landed of it."""

    source: str
    contents: str = ""
    requests: int = 0
    stored: int = 0
    unchanged: int = 0
    not_modified: int = 0
    not_found: int = 0
    bytes: int = 0
    seconds: float = 0.0
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything that was asked for was answered."""
        return not self.error


def fetch_sources(  # noqa: PLR0917 - each argument is of another type
    tenant: Tenant,
    sources: Mapping[str, Source],
    connectors: Mapping[str, Connector],
    days: Window | None,
    files: Files,
    client: HttpClient,
    now: Callable[[], datetime],
) -> list[FetchReport]:
    """Fetch the sources concurrently; each looks back as far as it says, unless days are given."""
    if not sources:
        return []
    with ThreadPoolExecutor(min(len(sources), _SOURCES_AT_ONCE), thread_name_prefix="source") as pool:
        jobs = [
            pool.submit(
                _fetch_source,
                tenant,
                connectors[source.connector],
                source,
                days or Window.looking_back(source.look_back, now(), tenant.zone),
                _LandingSession(tenant.slug, source, SourceLanding(files, tenant.slug, name), client, now),
            )
            for name, source in sources.items()
        ]
        return [job.result() for job in jobs]


def _fetch_source(
    tenant: Tenant, connector: Connector, source: Source, window: Window, session: _LandingSession
) -> FetchReport:
    started = time.monotonic()
    _, error = isolated(
        f"{tenant.slug} · fetch · {source.name}",
        lambda: connector.fetch(source, window, tenant.zone, session),
    )
    _, lost = isolated(f"{tenant.slug} · landing · {source.name}", session.close)
    report = session.report(time.monotonic() - started, error or lost)
    log.info(
        "%s · fetch · %s · %s: %d requests, %d new, %d unchanged, %d bytes",
        tenant.slug, source.name, "done" if report.ok else "FAILED",
        report.requests, report.stored, report.unchanged, report.bytes,
    )  # fmt: skip
    return report


class _LandingSession:
    """A connector's session: fetches in parallel, lands every answer, remembers the manifest's lines."""

    def __init__(
        self,
        tenant: str,
        source: Source,
        landing: SourceLanding,
        client: HttpClient,
        now: Callable[[], datetime],
    ) -> None:
        self._tenant, self._source, self._landing, self._client, self._now = (
            tenant,
            source,
            landing,
            client,
            now,
        )
        self._config = config_hash(source.model_dump(mode="json"))
        self._known = landing.addresses()
        self._lines: list[Line] = []
        self._requested: set[str] = set()
        self._bytes = 0
        self._last_progress = time.monotonic()

    def crawl(
        self, requests: Iterable[Request], follow: Callable[[Answer], Iterable[Request]] | None = None
    ) -> Iterator[Answer]:
        """See `connectors.base.Session`."""
        waiting, running, failures = deque(requests), dict[Future[Response], Request](), list[str]()
        with ThreadPoolExecutor(self._source.http.parallel, thread_name_prefix="request") as pool:
            while waiting or running:
                while waiting and len(running) < 2 * self._source.http.parallel:
                    request = waiting.popleft()
                    try:
                        self._admit(request)
                    except FetchError as error:
                        failures.append(str(error))
                    else:
                        running[pool.submit(self._get, request)] = request
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    request = running.pop(future)
                    try:
                        response = future.result()
                    except FetchError as error:
                        failures.append(str(error))
                        continue
                    answer = self._land(request, response)
                    if follow is not None and answer.found:
                        try:
                            waiting.extend(follow(answer))
                        except ReadError as error:
                            failures.append(f"{request.url} {error}")
                    yield answer
        if failures:
            others = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
            raise FetchError(f"{failures[0]}{others}")

    def _admit(self, request: Request) -> None:
        """A page loop ends in an error, not in the ceiling of somebody's patience."""
        address = self._address(request)
        if address in self._requested:
            raise FetchError(f"{address} is asked for a second time in one fetch: its links run in a circle")
        if len(self._requested) >= self._source.http.max_pages:
            raise FetchError(
                f"more than {self._source.http.max_pages} requests: raise http.max_pages if that is right"
            )
        self._requested.add(address)

    def _address(self, request: Request) -> str:
        """What the manifest calls the request: a server's link may repeat a secret, which is left out."""
        return str(public_url(request.url, self._source))

    def _get(self, request: Request) -> Response:
        known = self._known.get(self._address(request))
        # Without the body a 304 would be of no use; then the question is asked as if for the first time.
        conditional = known is not None and self._landing.holds(known.sha256)
        validators = Validators(known.etag, known.last_modified) if known and conditional else None
        return self._client.get(request, self._source, validators=validators)

    def _land(self, request: Request, response: Response) -> Answer:
        known = self._known.get(self._address(request))
        body = response.body
        if response.status == 404:
            self._lines.append(self._line(request, response, None))
        elif body is None and known is not None:
            kept = Address(
                known.sha256,
                known.content_type,
                response.validators.etag or known.etag,
                response.validators.last_modified or known.last_modified,
            )
            self._lines.append(self._line(request, response, kept, unchanged=True))
        else:
            digest = self._landing.store(body or b"")
            self._bytes += len(body or b"")
            address = Address(
                digest, response.content_type, response.validators.etag, response.validators.last_modified
            )
            same = known is not None and known.sha256 == digest
            self._lines.append(self._line(request, response, address, unchanged=same, size=len(body or b"")))
        line = self._lines[-1]
        update(self._known, [line])
        self._show_progress()
        return Answer(
            request,
            response.status,
            line.content_type,
            lambda: body if body is not None else self._landing.body(line.sha256),
        )

    def _line(
        self,
        request: Request,
        response: Response,
        address: Address | None,
        *,
        unchanged: bool = False,
        size: int = 0,
    ) -> Line:
        return Line(
            url=self._address(request),
            state="not_found" if address is None else "unchanged" if unchanged else "stored",
            status=response.status,
            fetched_at=response.fetched_at,
            config=self._config,
            sha256=address.sha256 if address else "",
            bytes=size,
            role=request.role,
            variables=dict(request.variables),
            content_type=address.content_type if address else "",
            etag=address.etag if address else None,
            last_modified=address.last_modified if address else None,
        )

    def _show_progress(self) -> None:
        if time.monotonic() - self._last_progress > _PROGRESS_SECONDS:
            self._last_progress = time.monotonic()
            log.info(
                "%s · fetch · %s · %d answers so far, %d bytes",
                self._tenant,
                self._source.name,
                len(self._lines),
                self._bytes,
            )

    def close(self) -> None:
        """Write the manifest and the index of addresses."""
        if not self._lines:
            return
        now = self._now().astimezone(UTC)
        self._landing.write_manifest(now, self._lines)
        oldest = (now - _FORGET_AFTER).date().isoformat()
        self._landing.write_addresses({url: a for url, a in self._known.items() if a.seen_on >= oldest})

    def report(self, seconds: float, error: str) -> FetchReport:
        """What was fetched so far."""
        states = [line.state for line in self._lines]
        contents = sorted((url, address.sha256) for url, address in self._known.items())
        return FetchReport(
            source=self._source.name,
            contents=hashlib.sha256(repr(contents).encode()).hexdigest(),
            requests=len(self._lines),
            stored=states.count("stored"),
            unchanged=states.count("unchanged"),
            not_modified=sum(line.status == 304 for line in self._lines),
            not_found=states.count("not_found"),
            bytes=self._bytes,
            seconds=seconds,
            error=error,
        )
