"""The series of the last weeks: a chart per property, and its days as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from civitas_assets.report.charts import DOUBTFUL, draw_series_chart
from civitas_assets.report.drawing import draw_key_shape
from civitas_assets.report.elements import Markup, html
from civitas_assets.report.html_document import (
    render_drawing,
    render_lead,
    render_number,
    render_section,
    render_table,
)
from civitas_assets.report.language import Language
from civitas_assets.report.morning import WINDOW_DAYS, Morning
from civitas_assets.report.series import HOURS_PER_STEP, Panel


def render_series_section(morning: Morning, t: Language) -> Markup:
    """The properties by domain."""
    figures = morning.figures
    if not figures:
        return render_section(t, "series", html.p(t("no_output")))
    if not figures.panels:
        return render_section(t, "series", html.p(t("series.none")))
    domains = dict[str, list[Panel]]()
    for panel in figures.panels:
        domains.setdefault(panel.domain, []).append(panel)
    parts = [render_lead(t("series.intro", days=WINDOW_DAYS, last=morning.last, hours=HOURS_PER_STEP))]
    if any(panel.suspect_count for panel in figures.panels):
        parts.append(
            html.ul(html.li(draw_key_shape(DOUBTFUL, "var(--suspect)"), t("series.suspect")), class_="key")
        )
    for domain, panels in domains.items():
        parts.append(html.h3(t.get_text_or(f"domain.{domain}", domain), class_="domain"))
        parts.append(html.div(*(_panel(panel, morning, t) for panel in panels), class_="panels"))
    if figures.more_panels:
        parts.append(render_lead(t("series.more", count=figures.more_panels)))
    return render_section(t, "series", *parts)


def _panel(panel: Panel, morning: Morning, t: Language) -> Markup:
    label, unit = panel.labels[t.code], t.format_unit(panel.unit)
    facts = t("series.facts", count=panel.datastreams, values=panel.valid_count + panel.suspect_count)
    if panel.suspect_count:
        facts += f", {t('series.doubtful', count=panel.suspect_count)}"
    return html.div(
        html.h4(label[:1].upper() + label[1:], unit and html.span(f" {unit}", class_="whose")),
        html.p(facts, class_="facts"),
        _drawn(panel, morning, label, unit, t),
        html.details(
            html.summary(t("series.table"), html.span(f": {label}", class_="hidden")), _days(panel, label, t)
        ),
        class_="panel",
    )


def _drawn(panel: Panel, morning: Morning, label: str, unit: str, t: Language) -> Markup:
    if all(point.value is None for point in panel.points):
        return html.p(t("series.directions"), class_="facts")
    name = t(
        "series.alt",
        label=label,
        days=sum(day.valid_count > 0 for day in panel.days),
        minimum=_known(min, (day.minimum for day in panel.days)),
        maximum=_known(max, (day.maximum for day in panel.days)),
        unit=unit,
        suspect=panel.suspect_count,
    )
    return render_drawing(t, label, lambda: draw_series_chart(panel, morning.first, morning.last, name, t))


def _known(choose: Callable[[list[float]], float], values: Iterable[float | None]) -> float | None:
    """One of the values, None where there is none."""
    known = [value for value in values if value is not None]
    return choose(known) if known else None


def _days(panel: Panel, label: str, t: Language) -> Markup:
    total = "sum" if panel.summed else "mean"
    columns = dict.fromkeys((total, "minimum", "maximum", "values", "suspect"), "number")
    rows = [
        html.tr(
            html.th(t.format_short(day.day), scope="row", class_="nowrap"),
            *map(
                render_number,
                map(
                    t.format_number,
                    (panel.get_day_value(day), day.minimum, day.maximum, day.valid_count, day.suspect_count),
                ),
            ),
        )
        for day in reversed(panel.days)
    ]
    return render_table(t, t("series.caption", label=label), {"day": "", **columns}, rows)
