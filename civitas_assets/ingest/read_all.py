"""Reading the sources of a tenant one after the other; a fault of one concerns no other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from civitas_assets.catalog import Source, Tenant
from civitas_assets.connectors.base import Connector
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.ingest.read import SourceReading, read_landed
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.ingest.summarise import note_read
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.stores import Stores


def read_sources(
    tenant: Tenant,
    sources: Mapping[str, Source],
    connectors: Mapping[str, Connector],
    stores: Stores,
    run_id: str,
) -> list[ReadReport]:
    """Read what each source has landed since it was last read."""
    reports = []
    for name, source in sources.items():
        landing = SourceLanding(stores.files, tenant.slug, name)
        connector = connectors[source.connector]
        reading = SourceReading.for_source(tenant, source, connector, landing, stores, run_id)
        _, error = capture_errors(f"{tenant.slug} · read · {name}", partial(read_landed, reading))
        if error:
            reading.report.problems.append(error)
        reports.append(reading.report)
    grown = any(counts.has_news for report in reports for counts in report.counts.values())
    problems = {report.source: report.problem for report in reports}
    newest = {report.source: report.newest_at for report in reports if report.newest_at is not None}
    note_read(stores, tenant.slug, sources, grown=grown, problems=problems, newest=newest)
    return reports
