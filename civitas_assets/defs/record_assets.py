"""The assets `records/<record type>`: landed payloads as typed records, with every revision.

One step reads a payload once for all record types that it holds. Where that leaves nothing to publish, the outcome of
each source is still checked, but nothing is materialised, and what comes after is skipped.
"""

import logging
from collections.abc import Iterator
from typing import Any

import dagster as dg

from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.defs.asset_checks import SourceOutcome, build_partitioned_check, check_sources
from civitas_assets.defs.asset_keys import landing_key, records_key
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.models import make_code_link
from civitas_assets.defs.presentation import Metadata, build_table_metadata
from civitas_assets.defs.repair import run_repair
from civitas_assets.defs.scope import RunScope
from civitas_assets.defs.work import Result, Work, raise_as_failures
from civitas_assets.harmonise.workspace import remove_stale_workspaces
from civitas_assets.harmonise.workspace_tables import list_table_columns
from civitas_assets.ingest.read_all import read_sources
from civitas_assets.ingest.reports import Counts, ReadReport
from civitas_assets.ingest.summarise import note_status
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.store.record_archive import finish_archiving
from civitas_assets.store.stores import Stores

log = logging.getLogger("civitas_assets.records")

READ = "every_payload_could_be_read"

_COLUMNS = ("source", "rows", "new", "changed", "deleted", "rejected", "remarks")
_PREVIEW = 3
_ADDED = {
    "source": "Source that the record came from.",
    "day": "Day of the event in the tenant's time zone.",
    "revision": "Counts the versions of the record, from 1.",
    "received_at": "When the payload was received.",
    "run_id": "Run that has read it.",
    "payload": "Hash of the payload in landing.",
    "deleted": "Whether the source has ceased to name the thing.",
}


def build_record_assets(deployment: Deployment) -> dg.Definitions:
    """All record types, read in one step."""
    brought: dict[str, set[dg.AssetKey]] = {}  # by record type, the landings that have it
    for tenant in deployment.catalog.tenants.values():
        for source in tenant.sources.values():
            for record_type in source.record_types():
                brought.setdefault(record_type, set()).add(landing_key(source.connector))
    specs = [
        dg.AssetSpec(
            records_key(name),
            deps=sorted(brought.get(name, ())),
            group_name="records",
            kinds={"parquet"},
            owners=[f"team:{deployment.settings.team}"],
            description=record_type.description,
            metadata={
                "dagster/column_schema": _columns(record_type),
                **make_code_link(deployment.settings, f"civitas_assets/records/{name}.py", "Record type"),
            },
        )
        for name, record_type in RECORD_TYPES.items()
    ]
    checks = [
        build_partitioned_check(
            READ, records_key(name), deployment.partitions, "Every landed payload could be read."
        )
        for name in RECORD_TYPES
        if name in brought
    ]

    @dg.multi_asset(
        name="read_landing",
        specs=specs,
        check_specs=checks,
        partitions_def=deployment.partitions,
        can_subset=True,
    )
    def read(context: dg.AssetExecutionContext, scope: RunScope) -> Iterator[Any]:
        with raise_as_failures():
            yield from read_tenant(Work.from_context(context, deployment, scope))

    return dg.Definitions(assets=[read])


def _columns(record_type: RecordType) -> dg.TableSchema:
    """What a source can bring, and what the store adds."""
    own = [dg.TableColumn(c.name, c.kind.value, c.description) for c in record_type.columns]
    kinds = list_table_columns()[record_type.name]
    return dg.TableSchema(
        own + [dg.TableColumn(name, kinds[name], what) for name, what in _ADDED.items() if name in kinds]
    )


def read_tenant(work: Work) -> Iterator[Result]:
    """Read what has landed for the tenant; no record type is materialised where that leaves nothing to publish."""
    tenant, stores = work.tenant, work.stores
    with work.hold_lock():
        remove_stale_workspaces(
            work.deployment.settings.workspaces, work.deployment.now()
        )  # also where nothing is to be published
        work.unshare()
        finish_archiving(stores.files, tenant.slug)
        reports = (
            read_sources(tenant, work.scope.select_sources(tenant), CONNECTORS, stores, work.run_id)
            if work.scope.repair == "none"
            else run_repair(work)
        )
        if work.scope.repair == "none":
            note_status(stores, tenant, work.run_id, work.deployment.now())
        task = work.deployment.plan_task(tenant, rebuild=work.scope.rebuild)
    wanted = [name for name in RECORD_TYPES if work.wants(records_key(name))]
    made = wanted
    if work.keys is None:  # in a tenant's turn only what its sources can bring, and have brought
        brought = {name for report in reports for name, c in report.counts.items() if c.has_news}
        can_bring = {name for source in tenant.sources.values() for name in source.record_types()}
        wanted = [name for name in wanted if name in can_bring] or wanted
        made = [name for name in wanted if name in brought] or wanted
    if task is None:
        log.info("%s · nothing new: harmonising and publishing are skipped", tenant.slug)
    for name in made if task else ():
        metadata, total = _metadata(RECORD_TYPES[name], reports)
        if work.keys is not None:  # a night's history keeps no previews
            metadata["preview"] = _preview(RECORD_TYPES[name], stores, total)
        yield dg.MaterializeResult(asset_key=records_key(name), metadata=metadata)
    # After what they are about: Dagster shows only the checks of the latest materialisation.
    for name in wanted:
        own = [r for r in reports if name in tenant.sources[r.source].record_types()]
        if own:
            yield check_sources(records_key(name), READ, [_outcome(name, report) for report in own])


def _outcome(record_type: str, report: ReadReport) -> SourceOutcome:
    counts = report.counts.get(record_type, Counts())
    return SourceOutcome(
        report.source,
        passed=report.ok and not counts.rejected and not report.new_notes,
        is_error=not report.ok,
        said="; ".join([*report.errors, *report.warnings]),
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


def _metadata(record_type: RecordType, reports: list[ReadReport]) -> tuple[Metadata, Counts]:
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
    metadata = {
        "rows": total.read,
        "new": total.new,
        "changed": total.changed,
        "deleted": total.deleted,
        "rejected": total.rejected,
        "days": len(total.days),
        "payload_bytes": sum(report.bytes for report in reports if record_type.name in report.counts),
        "seconds": sum(report.seconds for report in reports if record_type.name in report.counts),
        "outcome": build_table_metadata(_COLUMNS, rows),
    }
    return metadata, total


def _preview(record_type: RecordType, stores: Stores, total: Counts) -> dg.MetadataValue:
    if not total.new and not total.changed:
        return dg.MetadataValue.text("nothing new")
    frame = stores.records.read_rows(record_type, sorted(total.days)[-1:]).tail(_PREVIEW)
    return build_table_metadata(frame.columns, frame.rows())
