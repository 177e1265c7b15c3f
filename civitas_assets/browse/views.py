"""What the browser shows, as documents that hold all they show: no script, no tiles, and texts of sources stay texts.

Rows are read with no other rights than those of `civitas query`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.basis import COMMONS
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.errors import PublishError
from civitas_assets.export.csv_format import Csv
from civitas_assets.export.formats import export_model
from civitas_assets.export.selection import DaySpan
from civitas_assets.publish.query import QueryResult, ask_tables
from civitas_assets.publish.reading import open_published
from civitas_assets.report.charts import draw_series_chart
from civitas_assets.report.elements import Markup, html
from civitas_assets.report.html_document import enclose
from civitas_assets.report.language import Language
from civitas_assets.report.map_chart import draw_map
from civitas_assets.report.places import read_geography
from civitas_assets.report.series import read_panels
from civitas_assets.settings import Settings

ROWS = 200
_WINDOW = timedelta(days=27)
_DOWNLOADED = timedelta(days=30)


def read_models(settings: Settings, tenant: str) -> Mapping[str, Contract]:
    """The tenant's models by name, with the contracts under which they were published.

    Raises:
        PublishError: the tenant has no output yet, or it is not one that has contracts.
    """
    if tenant == COMMONS:
        raise PublishError("the browser shows tenants; ask what they share by civitas query commons")
    with open_published(settings, tenant) as tables:
        return dict(sorted(tables.read_contracts().items()))


def draw_dictionary(contract: Contract, language: Language) -> str:
    """What a row is, and what each column means."""
    columns = [
        (name, column.type, column.unit or column.unit_column or "", column.description)
        for name, column in contract.columns.items()
    ]
    return enclose(
        language, html.p(contract.description), _grid(("column", "type", "unit", "meaning"), columns)
    )


def draw_rows(settings: Settings, tenant: str, sql: str, language: Language) -> str:
    """The first rows of the answer to a query, or why there is none."""
    try:
        answer = ask_tables(settings, tenant, sql, ROWS)
    except PublishError as error:
        return enclose(language, html.p(str(error)))
    return enclose(language, html.p(_count(answer)), _grid(answer.columns, answer.rows))


def draw_overview(settings: Settings, tenant: Tenant, now: datetime, language: Language) -> str:
    """The map, and four weeks of each property."""
    last = now.astimezone(tenant.zone).date()
    first = last - _WINDOW
    with open_published(settings, tenant.slug) as tables:
        geography = read_geography(tables, tenant.bbox, last)
        panels, _ = read_panels(tables, first, last, tenant.timezone)
    parts = [draw_map(geography, tenant.bbox, tenant.name, language)]
    for panel in panels:
        said = panel.labels.get(language.code) or panel.observed_property
        drawn = draw_series_chart(panel, first, last, said, language)
        parts.append(html.figure(html.figcaption(f"{said} ({panel.unit})"), drawn))
    return enclose(language, *parts)


def write_csv(settings: Settings, tenant: Tenant, model: str, now: datetime) -> bytes:
    """A model as `civitas export csv` writes it, of the last 31 days where it has days: what others may have."""
    with open_published(settings, tenant.slug) as tables:
        has_days = "day" in tables.list_columns()[model]
    last = now.astimezone(tenant.zone).date()
    span = DaySpan(last - _DOWNLOADED, last, tenant.zone) if has_days else None
    sink = io.BytesIO()
    export_model(settings, tenant.slug, model, Csv(german=False), span=span, standard_output=sink)
    return sink.getvalue()


def _count(answer: QueryResult) -> str:
    return f"{len(answer.rows)} rows" + (f": the first {ROWS} of more" if answer.more else "")


def _grid(names: Iterable[str], rows: Iterable[Iterable[object]]) -> Markup:
    head = html.tr(*(html.th(name, scope="col") for name in names))
    body = [html.tr(*(html.td("" if cell is None else str(cell)) for cell in row)) for row in rows]
    return html.div(html.table(html.thead(head), html.tbody(*body)), class_="scroll")
