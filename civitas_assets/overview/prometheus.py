"""The overview as a text file that node_exporter's textfile collector picks up.

It takes its place in one step, so that no half of it is ever collected.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from civitas_assets.overview.state import SourceState, TenantState

_OF_SOURCE = {
    "civitas_source_ok": "Whether the source is fresh, answers, and can be read.",
    "civitas_source_last_success_timestamp_seconds": "When all that was asked of the source was last answered.",
    "civitas_source_rejected_rows": "Rows in quarantine that nobody decided on.",
    "civitas_source_discarded_rows": "Rows that somebody decided to discard.",
    "civitas_source_unread_payloads": "Payloads that could not be read.",
    "civitas_source_notes": "Notes on what the source has and is not taken over, or should be known of it.",
    "civitas_source_unmapped_values": "Published values without a known property or unit.",
    "civitas_source_landing_bytes": "Bytes of landing.",
}
_OF_TENANT = {
    "civitas_tenant_pending_days": "Days that are still to be published.",
    "civitas_tenant_record_bytes": "Bytes of records and quarantine.",
    "civitas_tenant_published_bytes": "Bytes of the published tables.",
    "civitas_tenant_last_publication_timestamp_seconds": "When the tenant was last published.",
    "civitas_tenant_file_readable": "Whether the tenant's file could be read.",
    "civitas_tenant_file_faults": "Faults of the tenant's file.",
}


def write_metrics(file: Path, found: Iterable[TenantState], now: datetime) -> None:
    """Replace the file by the metrics of these tenants."""
    registry = CollectorRegistry()
    of_source = {
        name: Gauge(name, text, ["tenant", "source", "cadence"], registry=registry)
        for name, text in _OF_SOURCE.items()
    }
    of_tenant = {name: Gauge(name, text, ["tenant"], registry=registry) for name, text in _OF_TENANT.items()}
    Gauge("civitas_status_timestamp_seconds", "When this file was written.", registry=registry).set(
        now.timestamp()
    )
    for tenant in found:
        for name, value in _tenant_values(tenant).items():
            if value is not None:
                of_tenant[name].labels(tenant.tenant).set(value)
        for source in tenant.sources:
            for name, value in _source_values(source).items():
                if value is not None:
                    of_source[name].labels(source.tenant, source.source, source.cadence).set(value)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(file), registry)


def _source_values(source: SourceState) -> dict[str, float | None]:
    summary = source.summary
    numbers = (
        int(source.is_fine),
        summary.answered_at.timestamp() if summary.answered_at else None,
        summary.rejected,
        summary.discarded,
        summary.unread,
        len(summary.notes),
        summary.unmapped,
        summary.landing_bytes,
    )
    return dict(zip(_OF_SOURCE, numbers, strict=True))


def _tenant_values(tenant: TenantState) -> dict[str, float | None]:
    summary = tenant.summary
    numbers = (
        len(tenant.pending.days),
        summary.record_bytes,
        summary.published_bytes,
        summary.published_at.timestamp() if summary.published_at else None,
        int(tenant.outline.readable),
        len(tenant.file_faults),
    )
    return dict(zip(_OF_TENANT, numbers, strict=True))
