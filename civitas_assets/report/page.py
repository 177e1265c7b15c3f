"""A tenant's page: one self-contained HTML document per language.

What it says is gathered in `morning.py`; its sections are in `sections`, how it looks in `style.css`.
"""

from __future__ import annotations

from civitas_assets.ingest.isolation import isolated
from civitas_assets.report.document import document, section
from civitas_assets.report.elements import Markup, html, join
from civitas_assets.report.language import Language
from civitas_assets.report.morning import Morning
from civitas_assets.report.sections.atlas import map_section
from civitas_assets.report.sections.night import night_sections
from civitas_assets.report.sections.quality import quality_section, rejected_section
from civitas_assets.report.sections.series import series_section
from civitas_assets.report.sections.sources import coverage_section, sources_section
from civitas_assets.report.sections.tables import dictionary_section, licences_section

_SECTIONS = {
    "sources": sources_section,
    "coverage": coverage_section,
    "series": series_section,
    "map": map_section,
    "quality": quality_section,
    "rejected": rejected_section,
    "dictionary": dictionary_section,
    "licences": licences_section,
}


def tenant_page(morning: Morning, t: Language) -> str:
    """The page of a tenant in one language."""
    tenant, today = morning.tenant, morning.last
    moments = [t("made", at=t.clock(morning.now)), t("times", zone=tenant.timezone)]
    contents = [html.li(html.a(t(f"section.{name}"), href=f"#{name}")) for name in _SECTIONS]
    return document(
        t,
        f"{tenant.name} – {t('title')}, {t.day(today)}",
        join(
            html.h1(tenant.name),
            html.p(" · ".join([f"{t.weekday(today)}, {t.day(today)}", *moments]), class_="date"),
        ),
        join(
            night_sections(morning, t),
            html.nav(html.ul(*contents), aria_label=t("contents")),
            *(_section(name, morning, t) for name in _SECTIONS),
        ),
    )


def _section(name: str, morning: Morning, t: Language) -> Markup:
    """A part of the page; where it cannot be made, its heading says so."""
    made, _ = isolated(f"{morning.tenant.slug} · page · {name}", lambda: _SECTIONS[name](morning, t))
    return section(t, name, html.p(t("not_made"))) if made is None else made
