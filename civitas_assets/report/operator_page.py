"""The operator's page: all tenants, the most urgent first, and what is to be done first.

It is made of tenants' summaries alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from civitas_assets.report.elements import Markup, html, join_markup
from civitas_assets.report.html_document import (
    make_file_name,
    render_below,
    render_document,
    render_number,
    render_pill,
    render_section,
    render_table,
)
from civitas_assets.report.language import Language
from civitas_assets.report.page_summary import PageSummary, Topic
from civitas_assets.report.sections.run_section import render_heading, render_todo

_COLUMNS = {
    "tenant": "",
    "state": "",
    "findings": "",
    "sources": "number",
    "last_run": "",
    "newest": "",
    "new": "number",
    "rejected": "number",
    "observations": "number",
}


def render_operator_page(
    summaries: Sequence[PageSummary],
    without: Sequence[str],
    left_out: Sequence[str],
    now: datetime,
    t: Language,
) -> str:
    """The page in one language; `without` are tenants that have no page yet, `left_out` those with a faulty file."""
    today = now.astimezone(t.zone).date()
    moments = [t("made", at=t.format_clock(now)), t("times", zone=t.zone.key)]
    header = join_markup(
        html.h1(t("title.operator")),
        html.p(" · ".join([f"{t.format_weekday(today)}, {t.format_day(today)}", *moments]), class_="date"),
    )
    others = [
        *(_missing(slug, t("operator.left_out")) for slug in left_out),
        *(_missing(slug, t("operator.no_page")) for slug in without),
    ]
    main = _main(summaries, others, now, t) if summaries or others else html.p(t("operator.none"))
    return render_document(t, f"{t('title.operator')}, {t.format_day(today)}", header, main)


def _main(summaries: Sequence[PageSummary], others: Sequence[Markup], now: datetime, t: Language) -> Markup:
    states = Counter[str](found.state for found in summaries)
    counts = {state: states[state] for state in ("failed", "errors", "warnings", "fine")}
    worst = summaries[0].state if summaries else "warnings"
    rows = [*(_row(found, now, t) for found in summaries), *others]
    topics = [
        _item(found, topic, t) for found in summaries for topic in found.topics if topic.severity != "note"
    ]
    return join_markup(
        html.div(
            html.p(t("operator.summary", **counts), class_="word"),
            html.p(t("operator.intro", count=len(summaries) + len(others))),
            class_=f"verdict is-{worst}",
        ),
        render_table(t, t("operator.caption"), _COLUMNS, rows),
        render_section(t, "first", render_todo(topics) if topics else html.p(t("operator.nothing"))),
    )


def _row(found: PageSummary, now: datetime, t: Language) -> Markup:
    result = "published" if found.published else "not_published" if found.state == "failed" else "nothing_new"
    name = html.a(found.name, href=f"{found.tenant}/{make_file_name(t.code)}")
    return html.tr(
        html.th(name, render_below(html.code(found.tenant)), scope="row"),
        html.td(render_pill(found.state, t(f"state.short.{found.state}"))),
        html.td(f"{t.format_number(found.errors)} / {t.format_number(found.warnings)}", class_="nowrap"),
        render_number(t("figure.of", part=found.sources_ok, whole=found.sources)),
        html.td(t.format_age(found.last_run_at, now), render_below(t(f"result.{result}")), class_="nowrap"),
        html.td(t.format_age(found.newest_at, now) if found.newest_at else "–", class_="nowrap"),
        *(render_number(t.format_number(count)) for count in (found.new, found.rejected, found.observations)),
    )


def _missing(slug: str, why: str) -> Markup:
    name = html.th(html.code(slug), scope="row")
    return html.tr(name, html.td(why, colspan=len(_COLUMNS) - 1))


def _item(found: PageSummary, topic: Topic, t: Language) -> Markup:
    whose = " · ".join(filter(None, (found.name, topic.source)))
    return html.li(
        render_heading(topic.kind, topic.severity, topic.values, whose, t),
        html.pre(html.code(topic.command)),
        class_=f"is-{topic.severity}",
    )
