"""Discovering from one end to the other: services, catalogues, what of them concerns the tenant, and what it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from civitas_assets.catalog import Source, Tenant, Window
from civitas_assets.catalog.frame import Frame
from civitas_assets.catalog.vocabulary import read_vocabulary
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.discover.asking import Asker
from civitas_assets.discover.dataset_findings import DatasetFinding
from civitas_assets.discover.looking import Looker, order_datasets
from civitas_assets.discover.relevance import find_relevance, get_short_name, is_own_catalogue
from civitas_assets.discover.search import search_catalogue
from civitas_assets.errors import FetchError
from civitas_assets.ingest.bounds import ReadLimits
from civitas_assets.ingest.probe import probe_source
from civitas_assets.propose.writing import render_source_block
from civitas_assets.settings import Settings

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


@dataclass
class Discovery:
    """What was found, and what has to be said of how it was searched."""

    findings: list[DatasetFinding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def discover_sources(
    settings: Settings,
    tenant: Tenant,
    catalogues: Sequence[str],
    *,
    seconds: float,
    probes: int,
    is_national: bool,
    is_everything: bool,
) -> Discovery:
    """What services and catalogues have for a tenant; `is_everything` takes all in them for the tenant's.

    A catalogue that does not answer is noted, and the others are searched all the same.
    """
    found, bounds = Discovery(), ReadLimits.from_frame(Frame.from_settings(settings))
    with Asker.from_settings(settings, seconds) as asker:
        if is_national:
            found.findings.extend(probe_national_services(tenant, asker.client, settings.workspaces))
        looker = Looker(
            tenant, asker, bounds, settings.workspaces, read_vocabulary(settings.dbt_project_dir), probes
        )
        for address in dict.fromkeys(catalogues):
            is_own = is_everything or is_own_catalogue(address, tenant)
            term = "" if is_own else get_short_name(tenant.name)
            try:
                catalogue = search_catalogue(asker, bounds, address, term)
            except FetchError as error:
                found.notes.append(str(error))
                continue
            judged = [(one, find_relevance(one, tenant, is_own=is_own)) for one in catalogue.datasets]
            concerned = order_datasets(judged)
            found.notes.extend(f"{address} {note}" for note in catalogue.notes)
            found.notes.append(
                f"{address} ({catalogue.kind}): {len(concerned):,} of {len(judged):,} datasets concern {tenant.slug}"
            )
            found.findings.extend(looker.look_at(address, one, why) for one, why in concerned)
    return found
