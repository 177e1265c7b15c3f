"""Discovering from one end to the other: services, catalogues, what of them concerns the tenant, and what it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.frame import Frame
from civitas_assets.catalog.vocabulary import read_vocabulary
from civitas_assets.discover.asking import Asker
from civitas_assets.discover.dataset_findings import DatasetFinding
from civitas_assets.discover.looking import Looker, order_datasets
from civitas_assets.discover.national import probe_national_services
from civitas_assets.discover.relevance import find_relevance, get_short_name, is_own_catalogue
from civitas_assets.discover.search import search_catalogue
from civitas_assets.errors import FetchError
from civitas_assets.ingest.bounds import ReadLimits
from civitas_assets.settings import Settings


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
