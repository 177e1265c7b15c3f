"""What the steps of a run leave in the tenant's summary: who was asked, what is rejected or unread, how large it is.

The summary's form is in the package `store`; who reads it is the command line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

from msgspec.structs import replace

from civitas_assets.catalog import Tenant
from civitas_assets.errors import Problem
from civitas_assets.ingest.notes import summarise_notes
from civitas_assets.ingest.reports import FetchReport
from civitas_assets.store.files import Files
from civitas_assets.store.layout import RecordKeys, landing_key
from civitas_assets.store.status import read_source_statuses
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SourceSummary, SummaryStore, TenantSummary


def note_fetched(files: Files, tenant: str, reports: Iterable[FetchReport], at: datetime) -> None:
    """Note what the sources were asked and what came of it."""
    summary = SummaryStore(files, tenant)
    known = summary.read().sources
    # Before there was a summary, nothing was added up: what is there is looked at once.
    sizes = {r.source: _size(files, tenant, r) for r in reports if r.source not in known}
    moment = at.astimezone(UTC)
    summary.change_sources({r.source: partial(_fetched, r, moment, sizes.get(r.source)) for r in reports})


def _size(files: Files, tenant: str, report: FetchReport) -> int:
    folder = landing_key(tenant, report.source)
    return sum(stamp.size for stamp in files.list_stamps(f"{folder}/bodies/").values())


def _fetched(report: FetchReport, at: datetime, size: int | None, before: SourceSummary) -> SourceSummary:
    return replace(
        before,
        asked_at=at,
        answered_at=at if report.ok else before.answered_at,
        brought_at=at if report.stored else before.brought_at,
        heard_at=at if report.ok or report.requests else before.heard_at,
        error=report.problem,
        fetch_notes=report.notes,
        landing_bytes=before.landing_bytes + report.landed if size is None else size,
    )


def note_read(
    stores: Stores,
    tenant: str,
    sources: Iterable[str],
    *,
    grown: bool,
    problems: Mapping[str, Problem | None] | None = None,
    newest: Mapping[str, datetime] | None = None,
) -> None:
    """Note what of the sources is unread, rejected and discarded, and how large the records are if they have grown.

    `problems` are what reading those failed by that were read just now, None for one that did not fail; `newest` is
    when what was new of them came, which a fetch that was killed has not noted.
    """
    open_, discarded = stores.quarantine.count_rows()
    summary = SummaryStore(stores.files, tenant)
    progress = {name: stores.journal.read_progress(name) for name in sources}
    known, came = summary.read(), newest or {}
    summary.change_sources(
        {
            name: partial(
                replace,
                unread=len(progress[name].failed),
                rejected=open_.get(name, 0),
                discarded=discarded.get(name, 0),
                read_notes=summarise_notes(progress[name].notes),
                brought_at=max(
                    filter(None, (known.get_source(name).brought_at, came.get(name))), default=None
                ),
                **({} if problems is None else {"read_error": problems.get(name)}),
            )
            for name in progress
        }
    )
    if grown:
        folders = RecordKeys.for_tenant(tenant).folders
        size = sum(s.size for folder in folders for s in stores.files.list_stamps(f"{folder}/").values())
        summary.change(lambda whole: replace(whole, record_bytes=size))


def note_status(stores: Stores, tenant: Tenant, run_id: str, now: datetime) -> None:
    """Note how each source is after a run; where that is something else than was published, it is to be published."""
    summary = SummaryStore(stores.files, tenant.slug)
    known, found = summary.read(), read_source_statuses(stores.files, tenant, now)
    changed = {name: s.state for name, s in found.items() if s.state != known.get_source(name).state}
    if changed and known.published_at is not None:
        stores.journal.note(f"{run_id}-status", (), things=True)
    summary.change_sources({name: partial(replace, state=state) for name, state in changed.items()})


def note_cleared(files: Files, tenant: str, destination: str) -> None:
    """Note that a destination holds nothing of the tenant any more."""

    def left(whole: TenantSummary) -> TenantSummary:
        held = {name: size for name, size in whole.destinations.items() if name != destination}
        outdated = whole.outdated - {destination}
        return replace(whole, destinations=held, outdated=outdated, published_bytes=sum(held.values()))

    SummaryStore(files, tenant).change(left)


def note_published(
    files: Files,
    tenant: str,
    destination: str,
    *,
    listed: Collection[str],
    at: datetime,
    bytes_: int,
    unmapped: Mapping[str, int],
) -> None:
    """Note what was published where and when, and how many values of each source nobody can map.

    Destinations that hold something and are not `listed` fall behind with it: the journal waits for them no longer.
    """

    def published(whole: TenantSummary) -> TenantSummary:
        sources = {
            name: replace(whole.get_source(name), unmapped=unmapped.get(name, 0))
            for name in {*whole.sources, *unmapped}
        }
        held = {**whole.destinations, destination: bytes_}
        return replace(
            whole,
            sources=sources,
            published_at=at.astimezone(UTC),
            published_bytes=sum(held.values()),
            destinations=held,
            outdated=(whole.outdated | (whole.destinations.keys() - {*listed})) - {destination},
        )

    SummaryStore(files, tenant).change(published)
