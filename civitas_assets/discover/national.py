"""National services that need nothing but a tenant's box: what each has in it just now.

Which they are, their connectors' models tell: those whose settings are all known without being said.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from civitas_assets.catalog import Source, Tenant, Window
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.discover.dataset_findings import DatasetFinding
from civitas_assets.ingest.probe import probe_source
from civitas_assets.propose.writing import render_source_block

CATALOGUE = "national services"


def list_national_sources(tenant: Tenant) -> list[Source]:
    """A source of each such service, as it looks in the tenant's box."""
    found = []
    for name, connector in CONNECTORS.items():
        try:
            source = connector.source_model.model_validate({"connector": name})
        except ValidationError:
            continue
        found.append(source.with_place(name, tenant.bbox, tenant.timezone))
    return found


def probe_national_services(tenant: Tenant, client: HttpClient, folder: Path) -> Iterator[DatasetFinding]:
    """What each of them has in the box."""
    configured = {source.connector: name for name, source in tenant.sources.items()}
    for source in list_national_sources(tenant):
        if source.connector in configured:
            detail = f"is the source {configured[source.connector]}"
            yield DatasetFinding(CATALOGUE, source.connector, source.title, source.url, "configured", detail)
        else:
            yield _look(tenant, source, client, folder)


def _look(tenant: Tenant, source: Source, client: HttpClient, folder: Path) -> DatasetFinding:
    today = datetime.now(tenant.zone).date()
    found = probe_source(
        tenant, source, CONNECTORS[source.connector], client, Window(today - timedelta(days=1), today), folder,
        lambda: datetime.now(UTC), pages=source.discovery_answers,
    )  # fmt: skip
    counts = {name: records.height for name, records in found.records.items()}
    records = sum(counts.values())
    name = source.connector
    if not records:
        why = found.error or "; ".join(found.report.errors) or "has nothing in the box"
        return DatasetFinding(CATALOGUE, name, source.title, source.url, "unread", why)
    least = " at least" if found.cut else ""
    detail = ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items())) + least
    settings = {"title": source.title, "connector": source.connector}
    stations = counts.get("station", 0)
    return DatasetFinding(
        CATALOGUE, name, source.title, source.url, "proposed", detail, "looks in the tenant's box", "",
        stations or records, found.rejected.height, 9.0, name, render_source_block(name, settings, {}),
    )  # fmt: skip
