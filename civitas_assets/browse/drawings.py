"""What the browser shows or hands over once somebody asks for it: map, series and downloads.

Their libraries and the tenant's file take longer to load than the first page, which waits for neither.
"""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta

from civitas_assets.export.csv_format import Csv
from civitas_assets.export.formats import export_model
from civitas_assets.export.selection import DaySpan
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.publish.reading import open_published
from civitas_assets.report.charts import draw_series_chart
from civitas_assets.report.elements import Markup, html
from civitas_assets.report.html_document import enclose, render_drawing
from civitas_assets.report.language import Language
from civitas_assets.report.map_chart import draw_map
from civitas_assets.report.places import read_geography
from civitas_assets.report.series import Panel, read_panels
from civitas_assets.settings import Settings

_WINDOW = timedelta(days=27)
_DOWNLOADED = timedelta(days=30)


def draw_overview(settings: Settings, slug: str, now: datetime) -> str:
    """The map, and four weeks of each property."""
    tenant = load_catalogue(settings).get_tenant(slug)
    language = Language.from_code("en", tenant.zone)
    last = now.astimezone(tenant.zone).date()
    first = last - _WINDOW
    with open_published(settings, slug) as tables:
        geography = read_geography(tables, tenant.bbox, last)
        panels, _ = read_panels(tables, first, last, tenant.timezone)
    drawn = render_drawing(language, "map", lambda: draw_map(geography, tenant.bbox, tenant.name, language))
    series = (_draw_panel(panel, first, last, language) for panel in panels)
    return enclose(language, html.div(html.figure(drawn), html.div(*series, class_="panels"), class_="atlas"))


def _draw_panel(panel: Panel, first: date, last: date, language: Language) -> Markup:
    said = panel.labels.get(language.code) or panel.observed_property
    drawn = render_drawing(language, said, lambda: draw_series_chart(panel, first, last, said, language))
    return html.div(html.h4(f"{said} ({language.format_unit(panel.unit)})"), drawn, class_="panel")


def write_csv(settings: Settings, slug: str, model: str, now: datetime) -> bytes:
    """A model as `civitas export csv` writes it, of the last 31 days where it has days: what others may have."""
    tenant = load_catalogue(settings).get_tenant(slug)
    with open_published(settings, slug) as tables:
        has_days = "day" in tables.list_columns()[model]
    last = now.astimezone(tenant.zone).date()
    span = DaySpan(last - _DOWNLOADED, last, tenant.zone) if has_days else None
    sink = io.BytesIO()
    export_model(settings, slug, model, Csv(german=False), span=span, standard_output=sink)
    return sink.getvalue()
