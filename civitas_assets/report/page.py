"""A tenant's page: one self-contained HTML document per language.

What it says is gathered in `morning.py`; its sections are in `sections`, how it looks in `style.css`.
"""

from __future__ import annotations

from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.report.elements import Markup, html, join_markup
from civitas_assets.report.html_document import render_document, render_section
from civitas_assets.report.language import Language
from civitas_assets.report.morning import Morning
from civitas_assets.report.sections.atlas import render_map_section
from civitas_assets.report.sections.quality_section import render_quality_section, render_rejected_section
from civitas_assets.report.sections.reference_sections import (
    render_dictionary_section,
    render_licences_section,
)
from civitas_assets.report.sections.run_section import render_night_sections
from civitas_assets.report.sections.series_section import render_series_section
from civitas_assets.report.sections.sources_section import render_coverage_section, render_sources_section

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
