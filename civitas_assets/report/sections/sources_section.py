"""How each source stands, and how much of what was expected of it is there on each day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from civitas_assets.report.elements import Markup, html
from civitas_assets.report.html_document import (
    render_below,
    render_grid,
    render_lead,
    render_number,
    render_pill,
    render_section,
    render_table,
)
from civitas_assets.report.language import Language
from civitas_assets.report.morning import Morning
from civitas_assets.report.quality import Covered
from civitas_assets.report.source_standings import EXPECTED_WITHIN, QUIET_AFTER, SourceStanding

Level = Literal["full", "most", "some", "there", "gap", "open", "before"]

LEVELS: tuple[Level, ...] = ("full", "most", "some", "there", "gap", "open", "before")
_FULL, _HALF = 0.95, 0.5


@dataclass(frozen=True)
class Cell:
    """A source's day: how full it is, and what exactly is there."""

    day: date
    level: Level
    covered: Covered | None


@dataclass(frozen=True)
class Strip:
    """The days of a source."""

    source: str
    cells: Sequence[Cell]

    def count(self, *levels: Level) -> int:
        """How many days are at one of these levels."""
        return sum(cell.level in levels for cell in self.cells)


def build_strips(coverage: Mapping[str, Mapping[date, Covered]], days: Sequence[date]) -> list[Strip]:
    """A strip per source that has ever brought a record of a day."""
    return [
        Strip(source, [Cell(day, _level(covered, day, days[-1]), covered.get(day)) for day in days])
        for source, covered in sorted(coverage.items())
        if covered
    ]


def _level(covered: Mapping[date, Covered], day: date, today: date) -> Level:
    found = covered.get(day)
    if found is None:
        # Today has only begun, and many publish a day when it is over.
        return "before" if day < min(covered) else "open" if day == today else "gap"
    if found.ratio is None:
        return "there"
    return "full" if found.ratio >= _FULL else "most" if found.ratio >= _HALF else "some"


_DAYS_PER_TICK = 9
_COLUMNS = dict.fromkeys(("source", "state", "fetched", "changed_at", "newest", "connector"), "")


def render_sources_section(morning: Morning, t: Language) -> Markup:
    """A row per source with its state, and when it answered and brought something."""
    hours, quiet = (int(span.total_seconds() // 3600) for span in (EXPECTED_WITHIN, QUIET_AFTER))
    rows = [_row(standing, morning, t) for standing in morning.standings]
    return render_section(
        t,
        "sources",
        render_lead(t("sources.intro", hours=hours, quiet=quiet)),
        render_table(t, t("sources.caption"), _COLUMNS, rows),
    )


def _row(standing: SourceStanding, morning: Morning, t: Language) -> Markup:
    moments = (standing.known.heard_at, standing.known.brought_at, standing.newest_at)
    return html.tr(
        html.th(standing.source.title, render_below(html.code(standing.name)), scope="row"),
        html.td(render_pill(standing.state, t(f"source.{standing.state}"))),
        *(
            html.td(t.format_age(at, morning.now), render_below(t.format_moment(at)), class_="nowrap")
            if at
            else html.td("–", class_="nowrap")
            for at in moments
        ),
        html.td(html.code(standing.source.connector)),
    )


def render_coverage_section(morning: Morning, t: Language) -> Markup:
    """A field per source and day, and the same as a table."""
    if not morning.figures:
        return render_section(t, "coverage", html.p(t("no_output")))
    found = build_strips(morning.figures.coverage, morning.days)
    if not found:
        return render_section(t, "coverage", html.p(t("coverage.none")))
    levels = [level for level in LEVELS if any(strip.count(level) for strip in found)]
    ticks = [html.span(t.format_short(day)) for day in morning.days[::_DAYS_PER_TICK]]
    return render_section(
        t,
        "coverage",
        render_lead(t("coverage.intro", first=morning.first, last=morning.last)),
        html.div(
            *(_strip(strip, morning.find_title(strip.source), t) for strip in found),
            html.div(html.span(), html.div(*ticks, class_="ticks"), aria_hidden="true"),
            class_="strips",
        ),
        html.ul(*(html.li(html.i(class_=level), t(f"level.{level}")) for level in levels), class_="key"),
        html.details(html.summary(t("coverage.table")), _table(found, morning, t)),
    )


def _strip(strip: Strip, title: str, t: Language) -> Markup:
    counts = {
        "full": strip.count("full", "there"),
        "part": strip.count("most", "some"),
        "gap": strip.count("gap"),
    }
    cells = [
        html.i(class_=cell.level, title=f"{t.format_short(cell.day)}: {_written(cell, t)}")
        for cell in strip.cells
    ]
    name = t("coverage.summary", title=title, **counts)
    return html.div(html.span(title), html.div(*cells, class_="strip", role="img", aria_label=name))


def _table(found: Sequence[Strip], morning: Morning, t: Language) -> Markup:
    heads = [
        html.th(t("column.day"), scope="col"),
        *(html.th(morning.find_title(strip.source), scope="col", class_="number") for strip in found),
    ]
    rows = [
        html.tr(
            html.th(t.format_short(day), scope="row", class_="nowrap"),
            *(render_number(_written(strip.cells[place], t)) for strip in found),
        )
        for place, day in reversed([*enumerate(morning.days)])
    ]
    return render_grid(t("coverage.caption"), t("coverage.caption"), heads, rows)


def _written(cell: Cell, t: Language) -> str:
    if cell.covered is None:
        return t(f"level.{cell.level}")
    return (
        t.format_number(cell.covered.records)
        if cell.covered.ratio is None
        else t.format_share(cell.covered.ratio)
    )
