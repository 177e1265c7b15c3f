"""A connector's session: what it asks for is fetched in parallel, and lands before the connector sees it."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from civitas_assets.catalog import Source
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.reachable import Reachable
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.transport.http_deadline import NEVER, Deadline
from civitas_assets.connectors.transport.http_reason import extract_complaint
from civitas_assets.connectors.transport.repeated import RepeatedSecrets
from civitas_assets.connectors.transport.server_folder import open_server_folder
from civitas_assets.errors import CivitasError, FetchError, FetchTimeUp, Problem, ReadError
from civitas_assets.ingest.admission import Admission
from civitas_assets.ingest.apart import redact_body_apart
from civitas_assets.ingest.drop import WaitingFolder, take_all
from civitas_assets.ingest.landed import build_manifest_line, update_address
from civitas_assets.ingest.manifest import ManifestWriter
from civitas_assets.ingest.reports import FetchReport
from civitas_assets.ingest.server_files import open_waiting_folder
from civitas_assets.records import Note
from civitas_assets.spool import Body, hash_body, measure_body
from civitas_assets.store.addresses import Address, Line, update_addresses
from civitas_assets.store.files import Files
from civitas_assets.store.landing import Answered, SourceLanding, hash_config

log = logging.getLogger("civitas_assets.fetch")

_PROGRESS_SECONDS = 2.0
# An address that nothing asked for in so long has left every look-back; its next answer counts as new.
_FORGET_AFTER = timedelta(days=400)


class LandingSession:
    """Lands every answer of one source and remembers where it came from."""

    def __init__(  # noqa: PLR0917 - each argument is of another type
        self,
        tenant: str,
        source: Source,
        landing: SourceLanding,
        client: HttpClient,
        now: Callable[[], datetime],
        drop: Files | None = None,
        until: Deadline = NEVER,
        database_files: Path | None = None,
        room: int | None = None,
    ) -> None:
        self._room = room  # bytes that may still land
        self.database_files = database_files and database_files / tenant
        self._tenant, self._source, self._landing, self._until = tenant, source, landing, until
        self._client, self._now, self._drop = client, now, drop
        self._config = hash_config(source.model_dump(mode="json"))
        self._known = landing.read_addresses()
        # Before this fetch, or before that which it goes on with.
        self._before = self.since = landing.find_last_manifest()
        self._manifest = ManifestWriter(landing)
        self.began_at = now().astimezone(UTC)
        self.is_time_up = False
        self.mark = Answered()  # what is noted while the fetch goes on
        self._admission = Admission(source)
        self._standing: set[str] = set()  # addresses of files that are on their server still
        self._changed, self._rejected, self._bytes = 0, 0, 0
        self._notes: dict[Note, None] = {}
        self._discretion = RepeatedSecrets(source.http.max_bytes)
        self._last_progress = time.monotonic()

    def begin(self, time: timedelta, answered: Answered, days: str, young: timedelta) -> None:
        """Let the source's own time run; what it has not answered by then is its fault, and nobody waits any longer.

        A fetch of the same days that was killed, or ran out of time, goes on where it was, if it is young enough.
        """
        seconds = time.total_seconds()
        limit, advice = f"http.fetch_time ({seconds:g} s)", "raise it if it needs longer, or ask for less"
        self._until = min(self._until, Deadline(self._client.read_clock() + seconds, limit, advice))
        asked = f"{days} {self._config}"
        begun = answered.begun_at if answered.begun_for == asked else None
        if begun is not None and timedelta() <= self.began_at - begun < young:
            self.began_at, self.since = begun, answered.begun_since or self.since
        self.mark = replace(
            answered,
            is_whole=False,
            begun_at=self.began_at,
            begun_for=asked,
            is_swept=False,
            begun_since=self.since,
        )
        self._manifest.begin(self.mark)

    @property
    def has_landed(self) -> bool:
        """Whether anything was stored."""
        return self._manifest.is_announced

    def crawl(
        self, requests: Iterable[Request], follow: Callable[[Payload], Iterable[Request]] | None = None
    ) -> Iterator[Payload]:
        """See `connectors.base.FetchSession`."""
        waiting, failures = deque(requests), list[CivitasError]()
        running: dict[Future[tuple[Payload, Line | None]], Request] = {}
        unanswered = 0
        with ThreadPoolExecutor(self._source.http.parallel, thread_name_prefix="request") as pool:
            while waiting or running:
                while waiting and len(running) < 2 * self._source.http.parallel:
                    request = waiting.popleft()
                    try:
                        url = self._admission.admit(request)
                    except FetchError as error:
                        failures.append(error)
                    else:
                        running[pool.submit(self._fetch, request, url)] = request
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    request = running.pop(future)
                    try:
                        answer, line = future.result()
                    except FetchTimeUp:
                        self.is_time_up = True
                        unanswered += 1 + len(waiting)
                        waiting.clear()
                        continue
                    except FetchError as error:
                        failures.append(error)
                        continue
                    if line is not None:
                        self._note(line)
                    if follow is not None and answer.found:
                        try:
                            waiting.extend(follow(answer))
                        except ReadError as error:
                            why = extract_complaint(answer.landed, str(error))
                            failures.append(ReadError(f"{request.url} {error}{why}"))
                    yield answer
        self._rejected += len(failures) + unanswered
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        lost = [f"{error}{more}" for error in failures[:1]]
        if unanswered:
            within = f"{self._until.limit}: {self._until.advice}"
            lost.append(f"{unanswered} request(s) not answered within {within}")
        if lost:
            raise FetchError("; ".join(lost), failures[0] if failures else None)

    def _fetch(self, request: Request, url: str) -> tuple[Payload, Line | None]:
        """Ask, and land what comes: packing bodies and waiting for the disk overlap with other requests.

        There is no line for an answer that the fetch which this one goes on with has had.
        """
        known = self._known.get(url)
        # Without the body a 304 would be of no use; then the question is asked as if for the first time.
        held = known if known is not None and self._landing.holds(known.sha256) else None
        if held and self.since < held.seen_in <= self._before:
            seen_at, load = held.seen_at or self.began_at, partial(self._landing.read_body, held.sha256)
            return Payload(request, load, seen_at, held.content_type, held.headers, 304), None
        asked = request.with_validators(held.etag, held.last_modified) if held else request
        response = self._client.get(asked, self._source, until=self._until)
        body: Body = b""
        sha256 = ""
        if response.content is not None:
            body = self._storable(request, response.content)
            sha256 = self._store(body, held.sha256 if held else "")
        address, at = update_address(response, sha256, known), response.fetched_at
        size = measure_body(body)
        line = build_manifest_line(request, url, response.status, at, self._config, size, address, known)
        self._discretion.count(url, response.redacted)
        content: Body | Callable[[], bytes] = body
        if response.content is None and address is not None:
            content = partial(self._landing.read_body, line.sha256)
        return Payload(request, content, at, line.content_type, line.headers, line.status), line

    def _store(self, body: Body, held: str = "") -> str:
        if held and hash_body(body) == held:
            return held
        if self._room is not None and self._landing.added_bytes + measure_body(body) > self._room:
            raise FetchError(f"nothing more lands: {self._tenant} has what CIVITAS_MAX_DISK lets it have")
        self._manifest.announce()
        return self._landing.store(body)

    def deliver(self, request: Request, body: Body, content_type: str = "") -> None:
        """See `connectors.base.FetchSession`; the manifest is written at once, because the sender forgets the body."""
        self._keep(request, body, content_type)

    def _keep(self, request: Request, body: Body, content_type: str, version: str | None = None) -> None:
        """Land what came by another way than an answer, with the text that its sender tells its versions apart by."""
        body = self._storable(request, self._discretion.clean(request.url, body))
        address, known = Address(self._store(body), content_type, version), self._known.get(request.url)
        at, size = self._now().astimezone(UTC), measure_body(body)
        self._note(build_manifest_line(request, request.url, 200, at, self._config, size, address, known))
        self._manifest.keep()

    def open_folder(self) -> AbstractContextManager[WaitingFolder | None]:
        """See `open_waiting_folder`."""
        server = partial(
            open_server_folder, client=self._client, until=self._until, read_secret=self.read_secret
        )
        known = self._known, self._standing
        return open_waiting_folder(
            self._tenant, self._source, self._drop, known, partial(server, now=self._now)
        )

    def land_dropped_files(self) -> None:
        """See `connectors.base.FetchSession`; a file is moved only after it has landed."""
        with self.open_folder() as folder:
            try:
                notes = take_all(folder, self._source.http.max_bytes, self._now, self._keep) if folder else []
            except FetchTimeUp:
                self.is_time_up = True
                raise
        self._notes.update(dict.fromkeys(notes))

    def read_delivered(self, url: str) -> Mapping[str, str]:
        """See `connectors.base.FetchSession`."""
        known = self._known.get(url)
        return known.variables if known else {}

    def note(self, code: str, text: str) -> None:
        """See `connectors.base.FetchSession`."""
        self._notes[Note(code, text)] = None

    @property
    def reachable(self) -> Reachable:
        """See `connectors.base.FetchSession`."""
        return self._client.reachable

    def read_secret(self, name: str) -> str:
        """See `connectors.base.FetchSession`."""
        return self._discretion.register_secret(self._client.read_secret(name))

    def _storable(self, request: Request, body: Body) -> Body:
        try:
            return redact_body_apart(self._source, request.role, body)
        except ReadError as error:
            said = f"{request.url} {error}{extract_complaint(body, str(error))}"
            raise FetchError(f"{said}; nothing of it is kept") from None

    def _note(self, line: Line) -> None:
        """Remember an answer."""
        self._bytes += line.bytes
        self._changed += bool(line.before)
        self._manifest.add(line)
        update_addresses(self._known, [line], self._landing.name_next_manifest())
        self._show_progress()

    def _show_progress(self) -> None:
        if time.monotonic() - self._last_progress > _PROGRESS_SECONDS:
            self._last_progress = time.monotonic()
            found = self._tenant, self._source.name, len(self._manifest.lines), self._bytes
            log.info("%s · fetch · %s · %d answers so far, %d bytes", *found)

    def close(self) -> None:
        """Write the manifest and the index of addresses."""
        self._manifest.keep()
        if self._manifest.through:
            oldest = (self._now().astimezone(UTC) - _FORGET_AFTER).date().isoformat()
            known = {url: a for url, a in self._known.items() if a.seen_on >= oldest or url in self._standing}
            self._landing.write_addresses(known, self._manifest.through)

    def make_report(self, seconds: float, error: Problem | None) -> FetchReport:
        """What was fetched so far."""
        states = [line.state for line in self._manifest.lines]
        contents = sorted((url, address.sha256) for url, address in self._known.items())
        return FetchReport(
            source=self._source.name,
            contents=hashlib.sha256(repr(contents).encode()).hexdigest(),
            requests=len(self._manifest.lines),
            stored=states.count("stored"),
            unchanged=states.count("unchanged"),
            not_modified=sum(line.status == 304 for line in self._manifest.lines),
            not_found=states.count("not_found"),
            changed=self._changed,
            rejected=self._rejected,
            bytes=self._bytes,
            landed=self._landing.added_bytes,
            seconds=seconds,
            problem=error.with_text(self._discretion.redact(error.text)) if error else None,
            notes=(*self._notes, *self._discretion.list_notes()),
        )
