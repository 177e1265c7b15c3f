"""The charts of a page: the series of a property with its gaps and doubts, and the doubtful values of each day.

Colours are those of the page's style sheet, by name; each chart has its figures beside it as a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import altair as alt

from civitas_assets.report.drawing import Drawing, draw
from civitas_assets.report.quality import CODES
from civitas_assets.report.series import HOURS_PER_STEP, Panel, Point

_WIDTH, _HEIGHT, _MARGIN = 360, 112, 46
_FILLS: Mapping[str, str] = {code: f"var(--{code})" for code in CODES}

CONFIG: Mapping[str, Any] = {
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "labelFontSize": 11,
        "gridColor": "var(--grid)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "title": None,
        "labelFlush": False,
    },
}


def series_chart(panel: Panel, first: date, last: date) -> Drawing:
    """A line with the range around it, or a bar per day, from the first to the last day of the window."""
    points = _bars(panel.points, first, last) if panel.summed else _steps(panel.points, first, last)
    data = alt.InlineData(values=points)
    base = alt.Chart(data).encode(x=_time_axis(first, last))
    scale = alt.Scale(zero=panel.summed, nice=True)
    axis = alt.Axis(
        format="~g", tickCount=4, domain=False, ticks=False, minExtent=_MARGIN - 6, maxExtent=_MARGIN - 6
    )
    y = alt.Y("value:Q", scale=scale, axis=axis)
    doubts = (
        base.transform_filter("datum.suspect > 0")
        .mark_point(shape="triangle-down", size=46, filled=True, color="var(--suspect)", opacity=1)
        .encode(y=alt.value(3))
    )
    if panel.summed:
        marks = [base.mark_bar(size=8, color="var(--series)").encode(y=y)]
    else:
        band = base.mark_area(color="var(--band)", opacity=1).encode(
            y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q"
        )
        line = base.mark_line(color="var(--series)", strokeWidth=1.6).encode(y=y)
        alone = base.transform_filter("datum.alone").mark_circle(size=28, color="var(--series)", opacity=1)
        marks = [band, line, alone.encode(y=y)]
    return _drawn(alt.layer(*marks, doubts), _HEIGHT)


def quality_chart(days: Mapping[date, Mapping[str, int]], first: date, last: date) -> Drawing:
    """A bar per day, stacked by code, of the values that are not good."""
    rows = [
        {
            "at": _written(datetime.combine(day, time())),
            "code": code,
            "rank": CODES.index(code),
            "count": count,
        }
        for day, counts in days.items()
        for code, count in counts.items()
        if code in CODES
    ]
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(size=8)
        .encode(
            x=_time_axis(first, last),
            y=alt.Y(
                "count:Q",
                stack=True,
                axis=alt.Axis(format="~g", tickCount=4, domain=False, ticks=False, minExtent=_MARGIN - 6),
            ),
            color=alt.Color(
                "code:N", legend=None, scale=alt.Scale(domain=[*CODES], range=[*_FILLS.values()])
            ),
            order="rank:Q",
        )
    )
    return _drawn(bars, _HEIGHT)


def _time_axis(first: date, last: date) -> alt.X:
    """The window, whose times are those of the tenant's wall clock written as if they were UTC."""
    margin = timedelta(hours=14)
    ends = [
        _written(datetime.combine(first, time()) - margin),
        _written(datetime.combine(last, time()) + margin),
    ]
    weeks = [last - timedelta(days=7 * n) for n in range((last - first).days // 7 + 1)]
    return alt.X(
        "at:T",
        scale=alt.Scale(type="utc", domain=ends, nice=False),
        axis=alt.Axis(
            format="%Y-%m-%d",
            values=[_written(datetime.combine(day, time())) for day in weeks],
            grid=False,
            labelAngle=0,
        ),
    )


def _bars(points: Sequence[Point], first: date, last: date) -> list[dict[str, object]]:
    return [
        {"at": _written(point.at), "value": point.value, "suspect": point.suspect_count}
        for point in points
        if first <= point.at.date() <= last
    ]


def _steps(points: Sequence[Point], first: date, last: date) -> list[dict[str, object]]:
    """Every step of the window, also those without value, at which the line breaks off."""
    known = {point.at: point for point in points}
    start = datetime.combine(first, time())
    count = ((last - first).days + 1) * 24 // HOURS_PER_STEP
    steps = [start + timedelta(hours=HOURS_PER_STEP * n) for n in range(count)]
    has_value = [(point := known.get(at)) is not None and point.value is not None for at in steps]
    rows: list[dict[str, object]] = []
    for number, at in enumerate(steps):
        found = known.get(at)
        neighbours = has_value[max(0, number - 1) : number] + has_value[number + 1 : number + 2]
        rows.append(
            {
                "at": _written(at + timedelta(hours=HOURS_PER_STEP / 2)),
                "value": found.value if found else None,
                "low": found.minimum if found else None,
                "high": found.maximum if found else None,
                "suspect": found.suspect_count if found else 0,
                "alone": has_value[number] and not any(neighbours),
            }
        )
    return rows


def _written(at: datetime) -> str:
    return f"{at.isoformat()}Z"


def _drawn(chart: Any, height: int) -> Drawing:
    padded = chart.properties(width=_WIDTH - _MARGIN - 10, height=height, padding=4)
    return draw(padded.configure(**CONFIG))
