"""A connector's session: what it asks for is fetched in parallel, and lands before the connector sees it.

Which sources are fetched, and for which days, is decided in `fetch.py`.
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
from pathlib import Path

from msgspec.structs import replace

from civitas_assets.catalog import Source
from civitas_assets.connectors.base import Answer, Request
from civitas_assets.connectors.errand import Validators, public_url
from civitas_assets.connectors.http import HttpClient, Response
from civitas_assets.connectors.http_deadline import NEVER, Deadline
from civitas_assets.connectors.http_reason import complaint_of
from civitas_assets.errors import FetchError, FetchTimeUp, ReadError
from civitas_assets.ingest.drop import DropFolder, take_all
from civitas_assets.ingest.reports import FetchReport
from civitas_assets.records import Note
from civitas_assets.store.landing import Address, Line, SourceLanding, config_hash, update

log = logging.getLogger("civitas_assets.fetch")

_PROGRESS_SECONDS = 2.0
# An address that nothing asked for in so long has left every look-back; its next answer counts as new.
_FORGET_AFTER = timedelta(days=400)
# What a line of the manifest says of an address, so that an unchanged answer can stand for the whole of it.
_KEPT = ("sha256", "content_type", "etag", "last_modified", "headers")


@dataclass(frozen=True)
class _Landed:
    """A response, and its body as it landed; neither body nor hash where it has none."""

    url: str
    response: Response
    body: bytes | None = None
    sha256: str = ""


class LandingSession:
    """Lands every answer of one source and remembers where it came from."""

    def __init__(  # noqa: PLR0917 - each argument is of another type
        self,
        tenant: str,
        source: Source,
        landing: SourceLanding,
        client: HttpClient,
        now: Callable[[], datetime],
        drop: Path | None = None,
        until: Deadline = NEVER,
    ) -> None:
        self._tenant, self._source, self._landing, self._until = tenant, source, landing, until
        self._client, self._now, self._drop = client, now, drop
        self._config = config_hash(source.model_dump(mode="json"))
        self._known = landing.addresses()
        self._lines: list[Line] = []
        self._written = 0  # how many of them are in a manifest already
        self._requested: set[str] = set()
        self._changed, self._rejected = 0, 0
        self._bytes = 0
        self._notes: dict[Note, None] = {}
        self._last_progress = time.monotonic()

    def begin(self, time: timedelta) -> None:
        """Let the source's own time run; what it has not answered by then is its fault, and nobody waits any longer."""
        seconds = time.total_seconds()
        limit, advice = f"http.fetch_time ({seconds:g} s)", "raise it if it needs longer, or ask for less"
        self._until = min(self._until, Deadline(self._client.now() + seconds, limit, advice))

    def crawl(
        self, requests: Iterable[Request], follow: Callable[[Answer], Iterable[Request]] | None = None
    ) -> Iterator[Answer]:
        """See `connectors.base.Session`."""
        waiting, running, failures = deque(requests), dict[Future[_Landed], Request](), list[str]()
        unanswered = 0
        with ThreadPoolExecutor(self._source.http.parallel, thread_name_prefix="request") as pool:
            while waiting or running:
                while waiting and len(running) < 2 * self._source.http.parallel:
                    request = waiting.popleft()
                    try:
                        url = self._admitted(request)
                    except FetchError as error:
                        failures.append(str(error))
                    else:
                        running[pool.submit(self._fetch, request, url)] = request
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    request = running.pop(future)
                    try:
                        answer = self._answer(request, future.result())
                    except FetchTimeUp:
                        unanswered += 1 + len(waiting)
                        waiting.clear()
                        continue
                    except FetchError as error:
                        failures.append(str(error))
                        continue
                    if follow is not None and answer.found:
                        try:
                            waiting.extend(follow(answer))
                        except ReadError as error:
                            said = complaint_of(answer.content(), str(error))
                            failures.append(f"{request.url} {error}{said}")
                    yield answer
        self._rejected += len(failures) + unanswered
        lost = failures[:1]
        if len(failures) > 1:
            lost = [f"{failures[0]} (and {len(failures) - 1} more)"]
        if unanswered:
            lost.append(
                f"{unanswered} request(s) not answered within {self._until.limit}: {self._until.advice}"
            )
        if lost:
            raise FetchError("; ".join(lost))

    def _admitted(self, request: Request) -> str:
        """The request's address; a page loop ends in an error, not in the ceiling of somebody's patience."""
        address = self._address(request)
        if address in self._requested:
            raise FetchError(f"{address} is asked for a second time in one fetch: its links run in a circle")
        if len(self._requested) >= self._source.http.max_pages:
            raise FetchError(
                f"more than {self._source.http.max_pages} requests: raise http.max_pages if that is right"
            )
        self._requested.add(address)
        return address

    def _address(self, request: Request) -> str:
        """What the manifest calls the request: a server's link may repeat a secret, which is left out."""
        return str(public_url(request.url, self._source))

    def _fetch(self, request: Request, url: str) -> _Landed:
        """Ask and land what comes: packing bodies and waiting for the disk overlap with other requests."""
        known = self._known.get(url)
        # Without the body a 304 would be of no use; then the question is asked as if for the first time.
        conditional = known is not None and self._landing.holds(known.sha256)
        validators = Validators(known.etag, known.last_modified) if known and conditional else None
        response = self._client.get(request, self._source, validators=validators, until=self._until)
        if response.body is None:
            return _Landed(url, response)
        body = self._storable(request, response.body)
        return _Landed(url, response, body, self._landing.store(body))

    def deliver(self, request: Request, body: bytes, content_type: str = "") -> None:
        """See `connectors.base.Session`; the manifest is written at once, because the sender forgets the body."""
        body = self._storable(request, body)
        address, at = Address(self._landing.store(body), content_type), self._now().astimezone(UTC)
        self._note(request, request.url, 200, at, address, len(body))
        self._known[request.url] = replace(self._known[request.url], variables=dict(request.variables))
        self._write_manifest()

    @property
    def drop_folder(self) -> DropFolder | None:
        """Where files for the source are put; None where it has none."""
        if self._drop is None or self._source.dropped is None:
            return None
        return DropFolder(self._drop, self._tenant, self._source.name, self._source.dropped)

    def collect(self) -> None:
        """See `connectors.base.Session`; a file is moved only after it has landed, and what lands twice counts once."""
        folder = self.drop_folder
        if folder is None:
            return
        take_all(folder, self._source.http.max_bytes, self._now, self.deliver)

    def delivered(self, url: str) -> Mapping[str, str]:
        """See `connectors.base.Session`."""
        known = self._known.get(url)
        return known.variables if known else {}

    def note(self, code: str, text: str) -> None:
        """See `connectors.base.Session`."""
        self._notes[Note(code, text)] = None

    def secret(self, name: str) -> str:
        """See `connectors.base.Session`."""
        return self._client.secret(name)

    def _answer(self, request: Request, landed: _Landed) -> Answer:
        url, response, body = landed.url, landed.response, landed.body
        known = self._known.get(url)
        if response.status == 404:
            address = None
        elif body is None and known is not None:
            address = replace(
                known,
                etag=response.validators.etag or known.etag,
                last_modified=response.validators.last_modified or known.last_modified,
                headers=response.headers or known.headers,
            )
        else:
            address = Address(
                landed.sha256,
                response.content_type,
                response.validators.etag,
                response.validators.last_modified,
                headers=response.headers,
            )
        size = len(body or b"")
        line = self._note(request, url, response.status, response.fetched_at, address, size)
        return Answer(
            request,
            response.status,
            line.content_type,
            lambda: body if body is not None else self._landing.body(line.sha256),
            line.headers,
        )

    def _storable(self, request: Request, body: bytes) -> bytes:
        try:
            return self._source.storable(request.role, body)
        except ReadError as error:
            said = complaint_of(body, str(error))
            raise FetchError(f"{request.url} {error}{said}; nothing of it is kept") from None

    def _note(  # noqa: PLR0917 - each argument is of another type
        self, request: Request, url: str, status: int, at: datetime, address: Address | None, size: int
    ) -> Line:
        """Remember an answer: `size` bytes that are new or unchanged; no address is nothing found."""
        self._bytes += size
        known = self._known.get(url)
        unchanged = address is not None and known is not None and known.sha256 == address.sha256
        replaced = known if address is not None and not unchanged else None
        self._changed += replaced is not None
        line = Line(
            url=url,
            state="not_found" if address is None else "unchanged" if unchanged else "stored",
            status=status,
            fetched_at=at,
            config=self._config,
            bytes=size,
            role=request.role,
            variables=dict(request.variables),
            before=replaced.sha256 if replaced else "",
            before_seen_at=replaced.seen_at if replaced else None,
            **({} if address is None else {name: getattr(address, name) for name in _KEPT}),
        )
        self._lines.append(line)
        update(self._known, [line])
        self._show_progress()
        return line

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
        self._write_manifest()
        oldest = (self._now().astimezone(UTC) - _FORGET_AFTER).date().isoformat()
        self._landing.write_addresses({url: a for url, a in self._known.items() if a.seen_on >= oldest})

    def _write_manifest(self) -> None:
        """What is not in a manifest yet."""
        if self._lines[self._written :]:
            self._landing.write_manifest(self._now().astimezone(UTC), self._lines[self._written :])
            self._written = len(self._lines)

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
            changed=self._changed,
            rejected=self._rejected,
            bytes=self._bytes,
            landed=self._landing.added_bytes,
            seconds=seconds,
            error=error,
            notes=tuple(self._notes),
        )
