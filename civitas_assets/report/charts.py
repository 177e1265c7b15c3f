"""The charts of a page: the series of a property with its gaps and doubts, and the doubtful values of each day.

Each has its figures beside it as a table. Times are those of the tenant's wall clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from civitas_assets.report.axes import DayScale, Scale, Ticks, find_ticks, is_drawable
from civitas_assets.report.drawing import (
    Place,
    draw_lettering,
    draw_letters,
    draw_line,
    draw_lines,
    draw_mark,
    draw_picture,
    format_length,
)
from civitas_assets.report.elements import Markup, join_markup, svg
from civitas_assets.report.language import Language
from civitas_assets.report.quality import CODES
from civitas_assets.report.series import HOURS_PER_STEP, Panel, Point

DOUBTFUL = "M-6-5H6L0 6z"
_WIDTH, _HEIGHT = 360, 148
_TOP, _RIGHT, _BOTTOM, _LEFT = 14, 16, 24, 44
_LETTER = 6.4  # how wide a digit of an axis is
_BAR = 0.72  # of a day
_STEP = timedelta(hours=HOURS_PER_STEP)


@dataclass(frozen=True)
class _Plot:
    """Where days and values are, and the axes that say so."""

    days: DayScale
    values: Scale
    axes: Markup

    @classmethod
    def of(cls, ticks: Ticks, first: date, last: date, language: Language) -> _Plot:
        labels = ticks.labels(language)
        left = max(_LEFT, 8 + _LETTER * max(map(len, labels)))
        right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
        days, values = DayScale(first, last, left, right), Scale(ticks.low, ticks.high, bottom, _TOP)
        heights = [values.place(value) for value in ticks.values]
        middles = [days.middle(day) for day in days.weeks]
        grid = draw_lines([(left, y), (right, y)] for y in heights)
        edge = draw_lines(
            [[(left, bottom), (right, bottom)], *([(x, bottom), (x, bottom + 4)] for x in middles)]
        )
        axes = [
            svg.path(d=grid, stroke="var(--grid)"),
            svg.path(d=edge, stroke="var(--line)"),
            draw_letters(
                *(
                    draw_lettering(text, left - 6, y + 4, "end")
                    for text, y in zip(labels, heights, strict=True)
                ),
                *(
                    draw_lettering(language.format_short(day), x, _HEIGHT - 7)
                    for day, x in zip(days.weeks, middles, strict=True)
                ),
            ),
        ]
        return cls(days, values, join_markup(*axes))

    def bar(self, day: date, start: float, end: float, colour: str, name: str) -> Markup:
        """A bar over a day, from one value to another."""
        ends = sorted([self.values.place(start), self.values.place(end)])
        width = self.days.width * _BAR
        return svg.rect(
            svg.title(name),
            x=format_length(self.days.middle(day) - width / 2),
            y=format_length(ends[0]),
            width=format_length(width),
            height=format_length(ends[1] - ends[0]),
            fill=colour,
        )


def draw_series_chart(panel: Panel, first: date, last: date, name: str, language: Language) -> Markup:
    """A line with the range around it, or a bar per day, from the first to the last day of the window."""
    points = [point for point in panel.points if first <= point.at.date() <= last]
    known = [point for point in points if is_drawable(point.value)]
    values = [value for point in known for value in (point.value, *_range(point)) if value is not None]
    plot = _Plot.of(find_ticks(values, with_zero=panel.summed), first, last, language)
    length = timedelta(days=1) if panel.summed else _STEP
    doubts = [
        draw_mark(
            DOUBTFUL,
            plot.days.place(point.at + length / 2),
            _TOP - 8,
            0.65,
            f"{language.format_short(point.at.date())}, {point.at:%H:%M}: "
            f"{language.format_number(point.suspect_count)} {language('code.suspect')}",
            fill="var(--suspect)",
        )
        for point in points
        if point.suspect_count
    ]
    marks = _bars(plot, known, language) if panel.summed else _curve(plot, known)
    return draw_picture(_WIDTH, _HEIGHT, name, plot.axes, *marks, *doubts)


def draw_quality_chart(
    days: Mapping[date, Mapping[str, int]], first: date, last: date, name: str, language: Language
) -> Markup:
    """A bar per day, stacked by code, of the values that are not good."""
    stacks = {day: counts for day, counts in days.items() if first <= day <= last}
    ticks = find_ticks([sum(counts.values()) for counts in stacks.values()], with_zero=True, whole=True)
    plot = _Plot.of(ticks, first, last, language)
    bars = list[Markup]()
    for day, counts in stacks.items():
        start = 0
        for code in (code for code in CODES if code in counts):
            text = f"{language.format_short(day)}: {language.format_number(counts[code])} {language(f'code.{code}')}"
            bars.append(plot.bar(day, start, start + counts[code], f"var(--{code})", text))
            start += counts[code]
    return draw_picture(_WIDTH, _HEIGHT, name, plot.axes, *bars)


def _bars(plot: _Plot, points: Sequence[Point], language: Language) -> Iterator[Markup]:
    for point in points:
        day, value = point.at.date(), point.value or 0.0
        text = f"{language.format_short(day)}: {language.format_number(value)}"
        yield plot.bar(day, 0.0, value, "var(--series)", text)


def _curve(plot: _Plot, points: Sequence[Point]) -> Iterator[Markup]:
    """The range as an area, the value as a line; a value without neighbours is a dot."""

    def place(point: Point, value: float | None) -> Place:
        return plot.days.place(point.at + _STEP / 2), plot.values.place(value or 0.0)

    runs = [*_runs(points)]
    edges = [
        [*(place(p, _range(p)[1]) for p in run), *(place(p, _range(p)[0]) for p in reversed(run))]
        for run in runs
    ]
    yield svg.path(
        d="".join(f"{draw_line(edge)}Z" for edge in edges),
        fill="var(--band)",
        stroke="var(--band)",
        stroke_width=2,
        stroke_linejoin="round",
    )
    yield svg.path(
        d=draw_lines([place(point, point.value) for point in run] for run in runs if len(run) > 1),
        fill="none",
        stroke="var(--series)",
        stroke_width=1.6,
        stroke_linejoin="round",
        stroke_linecap="round",
    )
    for x, y in (place(run[0], run[0].value) for run in runs if len(run) == 1):
        yield svg.circle(cx=format_length(x), cy=format_length(y), r=3, fill="var(--series)")


def _runs(points: Sequence[Point]) -> Iterator[Sequence[Point]]:
    """Points with no step missing between them."""
    start = 0
    for end in range(1, len(points) + 1):
        if end == len(points) or points[end].at - points[end - 1].at > _STEP:
            yield points[start:end]
            start = end


def _range(point: Point) -> tuple[float | None, float | None]:
    """Least and greatest value, as far as they can be drawn."""
    return (
        point.minimum if is_drawable(point.minimum) else point.value,
        point.maximum if is_drawable(point.maximum) else point.value,
    )
