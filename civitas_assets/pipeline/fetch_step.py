"""The first step: fetching a tenant's sources, and saying what came.

A check says of each source what became of it, so that one that is down is seen and stops nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from civitas_assets.catalog import Source
from civitas_assets.catalog.cadence import CADENCES
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.ingest.fetch import fetch_sources
from civitas_assets.ingest.reports import FetchReport
from civitas_assets.pipeline.asset_names import name_landing
from civitas_assets.pipeline.outcomes import ANSWERED, check_freshness, check_sources
from civitas_assets.pipeline.presentation import build_table_metadata
from civitas_assets.pipeline.results import Materialised, Result
from civitas_assets.pipeline.turn_scope import Scope
from civitas_assets.pipeline.work import Work
from civitas_assets.store.status import read_source_statuses
from civitas_assets.store.step_reports import SourceReport

_COLUMNS = (
    "source",
    "state",
    "requests",
    "bytes",
    "new",
    "changed",
    "rejected",
    "seconds",
    "unchanged",
    "error",
)


def fetch_tenant(work: Work, client: HttpClient) -> Iterator[Result]:
    """Fetch the tenant's sources, and say what came."""
    deployment, tenant = work.deployment, work.tenant
    used = {source.connector for source in tenant.sources.values()}
    connectors = [
        name
        for name in deployment.catalog.connectors
        if work.wants(name_landing(name)) and (work.keys is not None or name in used)
    ]
    sources = {
        name: source
        for name, source in work.scope.select_sources(tenant).items()
        if source.connector in connectors
    }
    with work.hold_lock():
        reports = fetch_sources(
            tenant,
            sources,
            CONNECTORS,
            work.scope.window,
            deployment.files,
            client,
            deployment.now,
            _limit(work.scope, sources.values()),
            deployment.settings.database_files,
        )
    statuses = read_source_statuses(deployment.files, tenant, deployment.now())
    for connector in connectors:
        yield from _outcome(connector, [r for r in reports if sources[r.source].connector == connector])
        own = {name: statuses[name] for name, source in sources.items() if source.connector == connector}
        if own:
            yield check_freshness(connector, own)


def _limit(scope: Scope, sources: Iterable[Source]) -> timedelta | None:
    """How long a tenant's sources may take together, where other tenants wait for the end of the batch."""
    if scope.cadence == "any":
        return None
    given = (source.http.fetch_time for source in sources if source.http.fetch_time is not None)
    return max([2 * CADENCES[scope.cadence].fetching, *given])


def _outcome(connector: str, reports: Sequence[FetchReport]) -> Iterator[Result]:
    """The materialisation of the landing, which a tenant without any source has too, and the check of its sources.

    Checks come after what they are about: Dagster shows only those of the latest materialisation.
    """
    yield Materialised(
        name_landing(connector),
        version=_version(reports),
        counts={
            "sources": len(reports),
            "failed": sum(not report.ok for report in reports),
            "requests": sum(report.requests for report in reports),
            "not_modified": sum(report.not_modified for report in reports),
            "new_payloads": sum(report.stored for report in reports),
            "changed_payloads": sum(report.changed for report in reports),
            "rejected_answers": sum(report.rejected for report in reports),
            "bytes": sum(report.bytes for report in reports),
            "seconds": max((report.seconds for report in reports), default=0.0),
        },
        metadata={"outcome": build_table_metadata(_COLUMNS, [_row(report) for report in reports])},
    )
    if reports:
        yield check_sources(name_landing(connector), ANSWERED, [_answered(report) for report in reports])


def _answered(report: FetchReport) -> SourceReport:
    return SourceReport(
        report.source,
        passed=report.ok and not report.new_notes,
        problem=report.problem,
        notes=tuple(report.notes),
        new_notes=tuple(report.new_notes),
        numbers={"requests": report.requests, "bytes": report.bytes, "seconds": report.seconds},
    )


def _version(reports: Sequence[FetchReport]) -> str:
    """Changes only when something lands, so that a quiet night makes nothing downstream look out of date."""
    contents = sorted((report.source, report.contents) for report in reports)
    return hashlib.sha256(repr(contents).encode()).hexdigest()[:16]


def _row(report: FetchReport) -> tuple[object, ...]:
    return (
        report.source, "ok" if report.ok else "failed", report.requests, report.bytes, report.stored - report.changed,
        report.changed, report.rejected, round(report.seconds, 2), report.unchanged, report.error,
    )  # fmt: skip
