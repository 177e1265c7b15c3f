"""How good the values are, and what was rejected."""

from __future__ import annotations

from civitas_assets.report.charts import quality_chart
from civitas_assets.report.document import below, drawn, lead, number, section, shorten, table
from civitas_assets.report.elements import Markup, html, join
from civitas_assets.report.language import Language
from civitas_assets.report.morning import Figures, Morning
from civitas_assets.report.quality import CODES, Quality, Rejection

_MOST_REJECTIONS = 30
_LONGEST_EXAMPLE = 200
_COLUMNS = {
    "property": "",
    "values": "number",
    **{f"code.{name}": "number" for name in CODES},
    "rules": "",
}
_REJECTED = {"source": "", "rule": "", "field": "", "records": "number", "last_day": "", "example": ""}


def quality_section(morning: Morning, t: Language) -> Markup:
    """Values by code and property, and those that are not good by day."""
    figures = morning.figures
    if not figures:
        return section(t, "quality", html.p(t("no_output")))
    if not figures.quality:
        return section(t, "quality", html.p(t("quality.none")))
    return section(
        t,
        "quality",
        lead(t("quality.intro", first=morning.first, last=morning.last)),
        _chart(morning, figures, t),
        table(t, t("quality.caption"), _COLUMNS, (_row(quality, t) for quality in figures.quality)),
    )


def _chart(morning: Morning, figures: Figures, t: Language) -> Markup:
    days = figures.doubtful_days
    if not days:
        return html.p(t("quality.all_good", count=sum(quality.total for quality in figures.quality)))
    told = t("quality.alt", count=sum(sum(counts.values()) for counts in days.values()))
    key = [html.li(html.i(class_=name), t(f"code.{name}")) for name in CODES[1:]]
    chart = drawn(t, "quality", lambda: quality_chart(days, morning.first, morning.last, told, t))
    panel = html.div(html.h3(t("quality.chart")), chart, html.ul(*key, class_="key"), class_="panel")
    return html.div(panel, class_="panels")


def _row(quality: Quality, t: Language) -> Markup:
    label = quality.labels.get(t.code) or t.either(f"subject.{quality.subject}", quality.subject)
    most = max(quality.rules.values(), default=0)
    return html.tr(
        html.th(label, scope="row"),
        number(t.number(quality.total)),
        number(t.share(quality.counts.get("good", 0) / quality.total)),
        *(number(t.number(quality.counts.get(name))) for name in CODES[1:]),
        html.td(*(join(html.code(rule), " ") for rule, count in quality.rules.items() if count == most)),
    )


def rejected_section(morning: Morning, t: Language) -> Markup:
    """What broke its contract, by rule, with an example of each."""
    figures = morning.figures
    if not figures:
        return section(t, "rejected", html.p(t("no_output")))
    found = figures.rejections
    if not found:
        return section(t, "rejected", html.p(t("rejected.none")))
    told = t("rejected.intro", first=morning.first, last=morning.last)
    if len(found) > _MOST_REJECTIONS:
        told += f" {t('rejected.more', count=_MOST_REJECTIONS)}"
    rows = (_rejection(rejection, morning, t) for rejection in found[:_MOST_REJECTIONS])
    return section(t, "rejected", lead(told), table(t, t("rejected.caption"), _REJECTED, rows))


def _rejection(rejection: Rejection, morning: Morning, t: Language) -> Markup:
    return html.tr(
        html.th(morning.title(rejection.source), below(rejection.record_type), scope="row"),
        html.td(html.code(rejection.rule)),
        html.td(html.code(rejection.field or "–")),
        number(t.number(rejection.record_count)),
        html.td(t.short_day(rejection.last_day), class_="nowrap"),
        html.td(shorten(rejection.example or "–", _LONGEST_EXAMPLE), class_="detail"),
    )
