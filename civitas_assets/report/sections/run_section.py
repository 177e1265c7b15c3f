"""What opens the page: how the night went, its figures, the runs before it, and what is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from civitas_assets.report.elements import Markup, html, join_markup
from civitas_assets.report.findings import Finding
from civitas_assets.report.html_document import (
    render_lead,
    render_number,
    render_pill,
    render_section,
    render_table,
    shorten,
)
from civitas_assets.report.language import Language
from civitas_assets.report.morning import Morning
from civitas_assets.store.nights import Night

_LONGEST_DETAIL = 400
_COLUMNS = {
    "run": "",
    "state": "",
    "result": "",
    "failed_sources": "",
    "new": "number",
    "changed": "number",
    "rejected": "number",
    "seconds": "number",
}


def render_night_sections(morning: Morning, t: Language) -> Markup:
    """The verdict, the figures, the last runs and the list that is worked off."""
    return join_markup(_verdict(morning, t), _figures(morning, t), _runs(morning, t), _todo(morning, t))


def _verdict(morning: Morning, t: Language) -> Markup:
    night = morning.nights[0] if morning.nights else None
    told = (
        t("state.night", at=night.started_at, seconds=_seconds(night), result=_result(night, t))
        if night
        else t("state.no_night")
    )
    word = html.p(t(f"state.{morning.state}"), class_="word")
    return html.div(word, html.p(told), class_=f"verdict is-{morning.state}")


def _figures(morning: Morning, t: Language) -> Markup:
    night, figures = morning.nights[0] if morning.nights else None, morning.figures
    answered = sum(standing.state in {"ok", "quiet"} for standing in morning.standings)
    found = {"sources": t("figure.of", part=answered, whole=len(morning.standings))}
    if night:
        found |= {name: t.format_number(_total(night, name)) for name in ("new", "changed", "rejected")}
    if figures:
        found["observations"] = t.format_number(figures.row_counts.get("observation", 0))
        if figures.newest:
            found["newest"] = t.format_age(max(figures.newest.values()), morning.now)
    pairs = [html.div(html.dt(t(f"figure.{name}")), html.dd(text)) for name, text in found.items()]
    return html.dl(*pairs, class_="figures")


def _runs(morning: Morning, t: Language) -> Markup:
    nights = morning.nights
    if not nights:
        return Markup()
    fine = sum(night.ok for night in nights)
    told = f"{t('section.nights')}: {t('nights.of', count=len(nights), fine=fine)}"
    strip = [
        html.i(
            class_=f"night is-{_state(night)}",
            title=f"{t.format_moment(night.started_at)}: {t(f'state.short.{_state(night)}')}",
        )
        for night in reversed(nights)
    ]
    rows = [
        html.tr(
            html.th(t.format_moment(night.started_at), scope="row", class_="nowrap"),
            html.td(render_pill(_state(night), t(f"state.short.{_state(night)}"))),
            html.td(_result(night, t)),
            html.td(", ".join(name for name, source in night.sources.items() if not source.ok) or "–"),
            *(render_number(t.format_number(_total(night, name))) for name in ("new", "changed", "rejected")),
            render_number(t.format_number(_seconds(night))),
        )
        for night in nights
    ]
    return html.div(
        html.h2(t("section.nights"), class_="hidden"),
        html.div(*strip, class_="strip", role="img", aria_label=told),
        html.details(html.summary(told), render_table(t, t("nights.caption"), _COLUMNS, rows)),
        class_="nights",
    )


def _todo(morning: Morning, t: Language) -> Markup:
    if not morning.findings:
        return render_section(t, "todo", html.p(t("todo.none")))
    counts = {severity: morning.count(severity) for severity in ("error", "warning", "note")}
    told = " · ".join(t(f"severity.count.{name}", count=count) for name, count in counts.items() if count)
    return render_section(
        t, "todo", render_lead(told), render_todo(_item(finding, morning, t) for finding in morning.findings)
    )


def render_todo(items: Iterable[Markup]) -> Markup:
    """The list of what is to be done."""
    return html.ol(*items, class_="todo")


def render_heading(
    finding: str, severity: str, values: Mapping[str, object], whose: str, t: Language
) -> Markup:
    """What a finding is, how bad it is, and whose."""
    return html.h3(
        render_pill(severity, t(f"severity.{severity}")),
        html.span(t(f"finding.{finding}.title", **values)),
        whose and html.span(whose, class_="whose"),
    )


def _item(finding: Finding, morning: Morning, t: Language) -> Markup:
    kind = finding.kind
    whose = finding.source and join_markup(
        morning.find_title(finding.source), " · ", html.code(finding.source)
    )
    label = t("column.example" if kind in {"rejected", "unmapped"} else "todo.detail")
    # Of a source that never brought anything there is no time since which something is missing.
    missing = "never" if finding.values.get("newest", "") is None else kind
    detail = finding.detail and join_markup(
        html.dt(label), html.dd(shorten(finding.detail, _LONGEST_DETAIL), class_="detail", lang="en")
    )
    return html.li(
        render_heading(kind, finding.severity, finding.values, whose, t),
        html.dl(
            detail,
            html.dt(t("todo.missing")),
            html.dd(t(f"finding.{missing}.what", **finding.values)),
            html.dt(t("todo.do")),
            html.dd(t(f"finding.{kind}.do", **finding.values), html.pre(html.code(finding.command))),
        ),
        class_=f"is-{finding.severity}",
    )


def _state(night: Night) -> str:
    return "fine" if night.ok else "failed" if night.failures else "errors"


def _result(night: Night, t: Language) -> str:
    name = "published" if night.published else "nothing_new" if night.ok else "not_published"
    return t(f"result.{name}")


def _seconds(night: Night) -> int:
    return round((night.ended_at - night.started_at).total_seconds())


def _total(night: Night, name: str) -> int:
    return sum(getattr(source, name) for source in night.sources.values())
