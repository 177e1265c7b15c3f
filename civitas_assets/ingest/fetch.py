"""Fetching: a tenant's sources, at the same time and politely, into landing.

Every answer lands before a connector sees it; what was good stays when something else fails.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from civitas_assets.catalog import Source, Tenant, Window
from civitas_assets.catalog.cadence import CADENCES
from civitas_assets.catalog.template import PERIODS, list_names
from civitas_assets.connectors.base import Connector
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.transport.http_deadline import NEVER, Deadline
from civitas_assets.connectors.transport.repeated import SECRET_REPEATED
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.ingest.missed import choose_window, find_missing_days, note_missing_days
from civitas_assets.ingest.notes import select_new_notes
from civitas_assets.ingest.reports import FetchReport
from civitas_assets.ingest.session import LandingSession
from civitas_assets.ingest.summarise import note_fetched
from civitas_assets.store.files import Files
from civitas_assets.store.landing import Answered, SourceLanding
from civitas_assets.store.summary import SummaryStore
from civitas_assets.store.tenant_keys import name_key_variable

log = logging.getLogger("civitas_assets.fetch")

_SOURCES_AT_ONCE = 8
_FETCHING_DAYS = timedelta(days=1)  # of a source that was asked for days by name, which may be years
_YOUNG = timedelta(hours=12)  # a fetch of such days goes on where it was interrupted


def fetch_sources(  # noqa: PLR0917 - each argument is of another type
    tenant: Tenant,
    sources: Mapping[str, Source],
    connectors: Mapping[str, Connector],
    days: Window | None,
    files: Files,
    client: HttpClient,
    now: Callable[[], datetime],
    limit: timedelta | None = None,
    database_files: Path | None = None,
) -> list[FetchReport]:
    """Fetch the sources concurrently; each looks back as far as it says, unless days are given.

    `limit` is how long that may take for all of them together; each has a time of its own, too.
    """
    if not sources:
        return []
    if tenant.key is not None:
        name_key_variable(files, tenant.slug, tenant.key.secret)
    used = SummaryStore(files, tenant.slug).read().bytes
    until = NEVER
    if limit is not None:
        seconds = limit.total_seconds()
        whose, advice = f"the tenant's time in a batch ({seconds:g} s)", "the next one asks again"
        until = Deadline(client.read_clock() + seconds, whose, advice)
    with ThreadPoolExecutor(min(len(sources), _SOURCES_AT_ONCE), thread_name_prefix="source") as pool:
        jobs = [
            pool.submit(
                _fetch_source,
                tenant,
                connectors[source.connector],
                source,
                days,
                LandingSession(
                    tenant.slug,
                    source,
                    SourceLanding(files, tenant.slug, name, sealed=source.landing == "encrypt"),
                    client,
                    now,
                    files,
                    until,
                    database_files,
                    source.frame.max_disk - used if source.frame.max_disk else None,
                ),
                SourceLanding(files, tenant.slug, name),
                now,
            )
            for name, source in sources.items()
        ]
        reports = [job.result() for job in jobs]
    known = SummaryStore(files, tenant.slug).read()
    note_fetched(files, tenant.slug, reports, now())
    return [
        replace(r, new_notes=select_new_notes(r.notes, known.get_source(r.source).fetch_notes))
        for r in reports
    ]


def _fetch_source(  # noqa: PLR0917 - each argument is of another type
    tenant: Tenant,
    connector: Connector,
    source: Source,
    days: Window | None,
    session: LandingSession,
    landing: SourceLanding,
    now: Callable[[], datetime],
) -> FetchReport:
    started, began = time.monotonic(), now()
    whole = Window.from_lookback(source.look_back, began, tenant.zone)
    answered = landing.read_answered()
    if answered.begun_at is not None:
        landing.remove_unfinished()
    window = days or choose_window(source, answered, began, tenant.zone)
    if not days and window.first < whole.first:
        log.info(
            "%s · fetch · %s · asks from %s on: it was last answered whole on %s",
            tenant.slug,
            source.name,
            window.first,
            answered.whole_on,
        )
    session.begin(
        min(
            source.http.fetch_time or (_FETCHING_DAYS if days else CADENCES[source.cadence].fetching),
            source.frame.max_time,
        ),
        answered,
        f"{window.first}/{window.last}",
        _YOUNG if days or window.first < whole.first else CADENCES[source.cadence].period / 2,
    )
    _, error = capture_errors(
        f"{tenant.slug} · fetch · {source.name}",
        lambda: connector.fetch(source, window, tenant.zone, session),
    )
    _, lost = capture_errors(f"{tenant.slug} · landing · {source.name}", session.close)
    report = session.make_report(time.monotonic() - started, error or lost)
    missing = answered.missing
    if report.ok:
        covers = window.first <= whole.first and window.last >= whole.last
        missing = find_missing_days(source, answered, window, whole=covers)
        last = whole.last if covers else answered.whole_on
        is_whole = covers or not PERIODS.keys() & list_names(source.url)
        landing.write_answered(
            Answered(
                session.began_at,
                last,
                is_whole=is_whole and all(note.code == SECRET_REPEATED for note in report.notes),
                is_swept=answered.is_swept,
                since=session.since,
                missing=missing,
            )
        )
    elif session.is_time_up:
        landing.write_answered(session.mark)
    elif session.has_landed or answered.is_whole or answered.begun_at:
        # What was stored last before a fault may be in no manifest.
        is_swept = answered.is_swept and not session.has_landed
        landing.write_answered(
            Answered(
                answered.at,
                answered.whole_on,
                is_swept=is_swept,
                since=answered.since,
                missing=answered.missing,
            )
        )
    if missing:
        report = replace(report, notes=(*report.notes, note_missing_days(tenant.slug, source.name, missing)))
    log.info(
        "%s · fetch · %s · %s: %d requests, %d new, %d unchanged, %d bytes",
        tenant.slug, source.name, "done" if report.ok else "FAILED",
        report.requests, report.stored, report.unchanged, report.bytes,
    )  # fmt: skip
    return report
