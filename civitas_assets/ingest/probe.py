"""Probing: a few answers of a source, fetched and read like any night's, into stores that are thrown away.

What is shown of them is decided by the command line.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from mimetypes import guess_type
from pathlib import Path

import polars as pl

from civitas_assets.catalog import Source, Tenant, Window
from civitas_assets.connectors.base import Connector, Payload, Request
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.errors import FetchError
from civitas_assets.ingest.apart import redact_body_apart
from civitas_assets.ingest.drop import SETTLED
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.ingest.read_all import read_sources
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.ingest.session import LandingSession
from civitas_assets.records import RECORD_TYPES
from civitas_assets.spool import Body
from civitas_assets.store.addresses import Line
from civitas_assets.store.files import Files, LocalFiles
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.stores import Stores

_QUEUES = ("mqtt:", "mqtts:")
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Probe:
    """What came of it: addresses that were asked, records by record type, and rejected rows.

    `cut` says that there would have been more to ask for; `error` is why not all of it was answered.
    """

    asked: tuple[str, ...]
    records: dict[str, pl.DataFrame]
    rejected: pl.DataFrame
    report: ReadReport
    cut: bool = False
    error: str = ""


def probe_source(  # noqa: PLR0917 - each argument is of another type
    tenant: Tenant,
    source: Source,
    connector: Connector,
    client: HttpClient,
    window: Window,
    folder: Path,
    now: Callable[[], datetime],
    *,
    pages: int,
    drop: Files | None = None,
    database_files: Path | None = None,
) -> Probe:
    """Ask the source for the window, but for no more than so many answers; nothing is left behind.

    Files that wait in `drop` are read where they are, and go on waiting.

    Raises:
        FetchError: its messages are taken from a queue by reading them.
    """
    if source.url.startswith(_QUEUES):
        raise FetchError(
            f"{source.name} is a queue: whoever reads its messages takes them; run the tenant instead"
        )
    limits = {"attempts": 1, "max_bytes": min(source.http.max_bytes, _MOST_BYTES)}
    patient = source.model_copy(update={"http": source.http.model_copy(update=limits)})
    with _thrown_away(folder, tenant) as stores:
        landing = SourceLanding(stores.files, tenant.slug, source.name)
        session = _FirstAnswers(tenant.slug, patient, landing, client, now, pages, drop, database_files)
        _, error = capture_errors(
            f"{tenant.slug} · probe · {source.name}",
            lambda: connector.fetch(patient, window, tenant.zone, session),
        )
        session.close()
        return _read(
            tenant, source, connector, stores, cut=session.cut, error="" if session.cut else str(error or "")
        )


def read_sample(  # noqa: PLR0917 - each argument is of another type
    tenant: Tenant,
    source: Source,
    connector: Connector,
    body: bytes,
    folder: Path,
    role: str = "data",
    variables: Mapping[str, str] | None = None,
) -> Probe:
    """What the source's settings make of a body that somebody has already; nothing is left behind.

    `role` and `variables` are those of the request that would have brought it.

    Raises:
        ReadError: the source may keep nothing of such a body.
    """
    with _thrown_away(folder, tenant) as stores:
        landing, now = SourceLanding(stores.files, tenant.slug, source.name), datetime.now(UTC)
        digest = landing.store(redact_body_apart(source, role, body))
        line = Line(source.url, "stored", 200, now, "", digest, len(body), role, variables or {})
        landing.write_manifest([line])
        return _read(tenant, source, connector, stores)


@contextmanager
def _thrown_away(folder: Path, tenant: Tenant) -> Iterator[Stores]:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="probe-") as place:
        yield Stores.for_tenant(LocalFiles(Path(place)), tenant.slug)


def _read(
    tenant: Tenant,
    source: Source,
    connector: Connector,
    stores: Stores,
    *,
    cut: bool = False,
    error: str = "",
) -> Probe:
    (report,) = read_sources(tenant, {source.name: source}, {connector.name: connector}, stores, "probe")
    records = {}
    for name in sorted(source.record_types()):
        record_type = RECORD_TYPES[name]
        days = stores.records.list_days(record_type) if record_type.event_time else []
        found = stores.records.read_current(record_type, source.name, days)
        if found.height:
            records[name] = found
    manifests = SourceLanding(stores.files, tenant.slug, source.name).list_manifests()
    asked = tuple(line.url for manifest in manifests for line in manifest.lines)
    return Probe(asked, records, stores.quarantine.read_rows(), report, cut, error)


class _FirstAnswers(LandingSession):
    """A session that asks for some answers and no more, whatever links lead on."""

    def __init__(  # noqa: PLR0917 - each argument is of another type
        self,
        tenant: str,
        source: Source,
        landing: SourceLanding,
        client: HttpClient,
        now: Callable[[], datetime],
        pages: int,
        drop: Files | None = None,
        database_files: Path | None = None,
    ) -> None:
        super().__init__(tenant, source, landing, client, now, drop, database_files=database_files)
        self._left = pages
        self.cut = False

    def crawl(
        self, requests: Iterable[Request], follow: Callable[[Payload], Iterable[Request]] | None = None
    ) -> Iterator[Payload]:
        """See `connectors.base.FetchSession`."""

        def further(answer: Payload) -> list[Request]:
            return self._first(follow(answer)) if follow is not None else []

        yield from super().crawl(self._first(requests), further if follow is not None else None)

    def deliver(self, request: Request, body: Body, content_type: str = "") -> None:
        """See `connectors.base.FetchSession`."""
        if not self._first([request]):
            raise FetchError("enough was seen")
        super().deliver(request, body, content_type)

    def land_dropped_files(self) -> None:
        """See `connectors.base.FetchSession`; the files stay where they are."""
        with self.open_folder() as folder:
            if folder is None:
                return
            # One that was put there just now is looked at, too.
            waiting = {file.name: file for file in folder.list_waiting(self._now() + SETTLED)}
            if not waiting:
                raise FetchError(
                    f"no file that fits {folder.pattern} waits in {folder.location}: put one there"
                )
            for request in self._first(
                Request(folder.locate(name), variables={"file": name}) for name in waiting
            ):
                file = waiting[request.variables["file"]]
                if file.stamp.size > _MOST_BYTES:
                    raise FetchError(
                        f"{request.url} has {file.stamp.size} bytes: put a part of it there to probe it"
                    )
                try:
                    body = folder.read_file(file, _MOST_BYTES)
                except OSError as error:
                    raise FetchError(f"{request.url} cannot be read: {error.strerror}") from None
                if body is None:
                    raise FetchError(f"{request.url} is being written: probe it when it is complete")
                super().deliver(request, body, guess_type(file.name)[0] or "")

    def _first(self, requests: Iterable[Request]) -> list[Request]:
        """As many as are still to be asked for."""
        waiting = iter(requests)
        taken = list(islice(waiting, self._left))
        self._left -= len(taken)
        self.cut = self.cut or next(waiting, None) is not None
        return taken
