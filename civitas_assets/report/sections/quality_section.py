"""How good the values are, and what was rejected."""

from __future__ import annotations

from civitas_assets.report.charts import draw_quality_chart
from civitas_assets.report.elements import Markup, html, join_markup
from civitas_assets.report.html_document import (
    render_below,
    render_drawing,
    render_lead,
    render_number,
    render_section,
    render_table,
    shorten,
)
from civitas_assets.report.language import Language
from civitas_assets.report.morning import Figures, Morning
from civitas_assets.report.quality import CODES, Quality, Rejection

_MOST_REJECTIONS = 30
_LONGEST_EXAMPLE = 200
_COLUMNS = {"property": "", "values": "number", **{f"code.{name}": "number" for name in CODES}, "rules": ""}
_REJECTED = {"source": "", "rule": "", "field": "", "records": "number", "last_day": "", "example": ""}


def render_quality_section(morning: Morning, t: Language) -> Markup:
    """Values by code and property, and those that are not good by day."""
    figures = morning.figures
    if not figures:
        return render_section(t, "quality", html.p(t("no_output")))
    if not figures.quality:
        return render_section(t, "quality", html.p(t("quality.none")))
    return render_section(
        t,
        "quality",
        render_lead(t("quality.intro", first=morning.first, last=morning.last)),
        _chart(morning, figures, t),
        render_table(t, t("quality.caption"), _COLUMNS, (_row(quality, t) for quality in figures.quality)),
    )


def _chart(morning: Morning, figures: Figures, t: Language) -> Markup:
    days = figures.doubtful_days
    if not days:
        return html.p(t("quality.all_good", count=sum(quality.total for quality in figures.quality)))
    told = t("quality.alt", count=sum(sum(counts.values()) for counts in days.values()))
    key = [html.li(html.i(class_=name), t(f"code.{name}")) for name in CODES[1:]]
    chart = render_drawing(
        t, "quality", lambda: draw_quality_chart(days, morning.first, morning.last, told, t)
    )
    panel = html.div(html.h3(t("quality.chart")), chart, html.ul(*key, class_="key"), class_="panel")
    return html.div(panel, class_="panels")


def _row(quality: Quality, t: Language) -> Markup:
    label = quality.labels.get(t.code) or t.get_text_or(f"subject.{quality.subject}", quality.subject)
    most = max(quality.rules.values(), default=0)
    return html.tr(
        html.th(label, scope="row"),
        render_number(t.format_number(quality.total)),
        render_number(t.format_share(quality.counts.get("good", 0) / quality.total)),
        *(render_number(t.format_number(quality.counts.get(name))) for name in CODES[1:]),
        html.td(
            *(join_markup(html.code(rule), " ") for rule, count in quality.rules.items() if count == most)
        ),
    )


def render_rejected_section(morning: Morning, t: Language) -> Markup:
    """What broke its contract, by rule, with an example of each."""
    figures = morning.figures
    if not figures:
        return render_section(t, "rejected", html.p(t("no_output")))
    found = figures.rejections
    if not found:
        return render_section(t, "rejected", html.p(t("rejected.none")))
    told = t("rejected.intro", first=morning.first, last=morning.last)
    if len(found) > _MOST_REJECTIONS:
        told += f" {t('rejected.more', count=_MOST_REJECTIONS)}"
    rows = (_rejection(rejection, morning, t) for rejection in found[:_MOST_REJECTIONS])
    return render_section(
        t, "rejected", render_lead(told), render_table(t, t("rejected.caption"), _REJECTED, rows)
    )


def _rejection(rejection: Rejection, morning: Morning, t: Language) -> Markup:
    return html.tr(
        html.th(morning.find_title(rejection.source), render_below(rejection.record_type), scope="row"),
        html.td(html.code(rejection.rule)),
        html.td(html.code(rejection.field or "–")),
        render_number(t.format_number(rejection.record_count)),
        html.td(t.format_short(rejection.last_day), class_="nowrap"),
        html.td(shorten(rejection.example or "–", _LONGEST_EXAMPLE), class_="detail"),
    )
