"""A tenant's page, one self-contained HTML document per language, and the operator's page above them, kept in a folder.

What it says is gathered in `morning.py`; its sections are in `sections`, how it looks in `style.css`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from civitas_assets.catalog import Catalog, Tenant
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.report.elements import Markup, html, join_markup
from civitas_assets.report.html_document import make_file_name, render_document, render_section
from civitas_assets.report.kept_pages import Pages
from civitas_assets.report.language import LANGUAGES, Language
from civitas_assets.report.morning import Morning, gather_morning
from civitas_assets.report.operator_page import render_operator_page
from civitas_assets.report.page_summary import PageSummary, build_page_summary
from civitas_assets.report.sections.atlas import render_map_section
from civitas_assets.report.sections.quality_section import render_quality_section, render_rejected_section
from civitas_assets.report.sections.reference_sections import (
    prepare_dictionary,
    render_dictionary_section,
    render_licences_section,
)
from civitas_assets.report.sections.run_section import render_night_sections
from civitas_assets.report.sections.series_section import render_series_section
from civitas_assets.report.sections.sources_section import render_coverage_section, render_sources_section
from civitas_assets.settings import Settings
from civitas_assets.store.locks import hold_shared_lock
from civitas_assets.store.stores import Stores

_SECTIONS = {
    "sources": render_sources_section,
    "coverage": render_coverage_section,
    "series": render_series_section,
    "map": render_map_section,
    "quality": render_quality_section,
    "rejected": render_rejected_section,
    "dictionary": render_dictionary_section,
    "licences": render_licences_section,
}


def render_tenant_page(morning: Morning, t: Language) -> str:
    """The page of a tenant in one language."""
    tenant, today = morning.tenant, morning.last
    moments = [t("made", at=t.format_clock(morning.now)), t("times", zone=tenant.timezone)]
    contents = [html.li(html.a(t(f"section.{name}"), href=f"#{name}")) for name in _SECTIONS]
    return render_document(
        t,
        f"{tenant.name} – {t('title')}, {t.format_day(today)}",
        join_markup(
            html.h1(tenant.name),
            html.p(
                " · ".join([f"{t.format_weekday(today)}, {t.format_day(today)}", *moments]), class_="date"
            ),
        ),
        join_markup(
            render_night_sections(morning, t),
            html.nav(html.ul(*contents), aria_label=t("contents")),
            *(_section(name, morning, t) for name in _SECTIONS),
        ),
    )


def _section(name: str, morning: Morning, t: Language) -> Markup:
    """A part of the page; where it cannot be made, its heading says so."""
    made, _ = capture_errors(f"{morning.tenant.slug} · page · {name}", lambda: _SECTIONS[name](morning, t))
    return render_section(t, name, html.p(t("not_made"))) if made is None else made


_SUMMARY = "summary.json"


def write_tenant_page(  # noqa: PLR0917 - each argument is of another type
    settings: Settings,
    tenant: Tenant,
    stores: Stores,
    contracts: Mapping[str, Contract],
    now: datetime,
    pages: Pages,
    languages: Sequence[str] = LANGUAGES,
) -> PageSummary:
    """Make the tenant's page in each language, and keep its summary for the operator's.

    Raises:
        ReportError: a page cannot be written; what was there before still is.
    """
    morning = gather_morning(settings, tenant, stores, contracts, now)
    found = build_page_summary(morning)
    bodies = {f"{tenant.slug}/{_SUMMARY}": msgspec.json.encode(found)}
    for code in languages:
        page = render_tenant_page(morning, Language.from_code(code, tenant.zone)).encode()
        bodies[f"{tenant.slug}/{make_file_name(code)}"] = page
    pages.write(bodies)
    return found


def prepare_pages(
    contracts: Mapping[str, Contract], zones: Iterable[ZoneInfo], languages: Sequence[str] = LANGUAGES
) -> None:
    """Make once what is the same on the pages of all tenants with these zones."""
    for zone in zones:
        for code in languages:
            prepare_dictionary(contracts.values(), Language.from_code(code, zone))


def write_operator_page(
    settings: Settings, catalog: Catalog, now: datetime, pages: Pages, languages: Sequence[str] = LANGUAGES
) -> None:
    """Make the page of all tenants from their summaries; one process at a time, so that the last one knows all.

    Raises:
        ReportError: the page cannot be written; what was there before still is.
    """
    with hold_shared_lock(settings.locks, ".reports"):
        known = catalog.tenants
        bodies_of = pages.read_all([f"{slug}/{_SUMMARY}" for slug in known])
        summaries = [s.as_of(now) for body in bodies_of if (s := _decoded(body)) is not None]
        zone = next((tenant.zone for tenant in known.values()), ZoneInfo("Europe/Berlin"))
        ordered = sorted(summaries, key=lambda found: found.urgency)
        without = sorted(set(known) - {found.tenant for found in summaries})
        bodies = {
            make_file_name(code): render_operator_page(
                ordered, without, [*catalog.left_out], now, Language.from_code(code, zone)
            ).encode()
            for code in languages
        }
        pages.write(bodies)


def read_summary(pages: Pages, tenant: str) -> PageSummary | None:
    """What was kept of a tenant's page when it was made; None where there is none."""
    return _decoded(pages.read(f"{tenant}/{_SUMMARY}"))


def _decoded(body: bytes | None) -> PageSummary | None:
    try:
        return msgspec.json.decode(body, type=PageSummary) if body is not None else None
    except msgspec.DecodeError:
        return None  # of another version; the tenant's next page brings it again
