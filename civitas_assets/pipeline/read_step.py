"""Reading what has landed of a tenant into records, or repairing them, and saying what came of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import PublishError
from civitas_assets.ingest.read_all import read_sources
from civitas_assets.ingest.reports import Counts, ReadReport
from civitas_assets.ingest.summarise import note_status
from civitas_assets.pipeline.asset_names import name_records
from civitas_assets.pipeline.outcomes import READ, check_sources
from civitas_assets.pipeline.presentation import build_table_metadata
from civitas_assets.pipeline.repair_step import run_repair
from civitas_assets.pipeline.results import Materialised, Metadata, Result, Shown
from civitas_assets.pipeline.work import Work
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.store.step_reports import SourceReport
from civitas_assets.store.stores import Stores

log = logging.getLogger("civitas_assets.records")

_COLUMNS = ("source", "rows", "new", "changed", "deleted", "rejected", "remarks")
_PREVIEW = 3


def read_tenant(work: Work) -> Iterator[Result]:
    """Read what has landed for the tenant; no record type is materialised where that leaves nothing to publish."""
    tenant, stores = work.tenant, work.stores
    with work.begin():
        reports = (
            read_sources(tenant, work.scope.select_sources(tenant), CONNECTORS, stores, work.run_id)
            if work.scope.repair == "none"
            else run_repair(work)
        )
        if work.scope.repair == "none":
            note_status(stores, tenant, work.run_id, work.deployment.now())
        is_due = _is_due(work)
    wanted = [name for name in RECORD_TYPES if work.wants(name_records(name))]
    made = wanted
    if work.keys is None:  # in a tenant's turn only what its sources can bring, and have brought
        brought = {name for report in reports for name, c in report.counts.items() if c.has_news}
        can_bring = {name for source in tenant.sources.values() for name in source.record_types()}
        wanted = [name for name in wanted if name in can_bring] or wanted
        made = [name for name in wanted if name in brought] or wanted
    if not is_due:
        log.info("%s · nothing new: harmonising and publishing are skipped", tenant.slug)
    for name in made if is_due else ():
        counts, metadata, total = _told(RECORD_TYPES[name], reports)
        if work.keys is not None:  # a night's history keeps no previews
            metadata["preview"] = _preview(RECORD_TYPES[name], stores, total)
        yield Materialised(name_records(name), metadata, counts=counts)
    # After what they are about: Dagster shows only the checks of the latest materialisation.
    for name in wanted:
        own = [r for r in reports if name in tenant.sources[r.source].record_types()]
        if own:
            yield check_sources(name_records(name), READ, [_outcome(name, report) for report in own])


def _is_due(work: Work) -> bool:
    """Whether there is something to publish; where no destination can be asked, harmonising will say so.

    What was read is said in any case: what is new today is not told again tomorrow.
    """
    try:
        return bool(work.plan_tasks(work.tenant.destinations))
    except PublishError:
        return True


def _outcome(record_type: str, report: ReadReport) -> SourceReport:
    counts = report.counts.get(record_type, Counts())
    return SourceReport(
        report.source,
        passed=report.ok and not counts.rejected and not report.new_notes,
        problem=report.problem,
        remarks=tuple(report.warnings),
        notes=tuple(report.notes),
        new_notes=tuple(report.new_notes),
        numbers={
            "read": counts.read,
            "new": counts.new,
            "changed": counts.changed,
            "deleted": counts.deleted,
            "rejected": counts.rejected,
        },
    )


def _told(
    record_type: RecordType, reports: list[ReadReport]
) -> tuple[Mapping[str, int | float], Metadata, Counts]:
    """The numbers, what is to be looked at, and the sum."""
    rows = []
    total = Counts()
    for report in reports:
        counts = report.counts.get(record_type.name)
        if counts is None and not report.errors:
            continue
        counts = counts or Counts()
        rows.append(
            (
                report.source,
                counts.read,
                counts.new,
                counts.changed,
                counts.deleted,
                counts.rejected,
                "; ".join(report.errors),
            )
        )
        total.read, total.new = total.read + counts.read, total.new + counts.new
        total.changed, total.rejected = total.changed + counts.changed, total.rejected + counts.rejected
        total.deleted += counts.deleted
        total.days |= counts.days
    numbers = {
        "rows": total.read,
        "new": total.new,
        "changed": total.changed,
        "deleted": total.deleted,
        "rejected": total.rejected,
        "days": len(total.days),
        "payload_bytes": sum(report.bytes for report in reports if record_type.name in report.counts),
        "seconds": sum(report.seconds for report in reports if record_type.name in report.counts),
    }
    return numbers, {"outcome": build_table_metadata(_COLUMNS, rows)}, total


def _preview(record_type: RecordType, stores: Stores, total: Counts) -> Shown:
    if not total.new and not total.changed:
        return Shown("text", "nothing new")
    frame = stores.records.read_rows(record_type, sorted(total.days)[-1:]).tail(_PREVIEW)
    return build_table_metadata(frame.columns, frame.rows())
