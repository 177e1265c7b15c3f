"""The map of a page: stations and sites on a plain ground with lines of longitude and latitude, and a scale.

There are no tiles, so that the page needs no network; what is on it is read in `places.py`.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from civitas_assets.report.charts import CONFIG
from civitas_assets.report.drawing import Drawing, draw
from civitas_assets.report.places import KINDS, Box, Geography, scale_length

_WIDTH = 420
_NAMES = 3

# A kind is told by its shape as well as by its colour; the page's legend repeats both.
SHAPES = dict(zip(KINDS, ("circle", "square", "diamond", "triangle-up", "cross"), strict=True))


def map_chart(geography: Geography, tenant_box: Box) -> Drawing:
    """Marks and outlines within the box of all of them, and the tenant's own box."""
    west, south, east, north = geography.frame
    width = _WIDTH - 50
    x = alt.X(
        "lon:Q",
        scale=alt.Scale(domain=[west, east], nice=False, zero=False),
        axis=alt.Axis(tickCount=4, labelExpr="format(datum.value, '.2f')"),
    )
    y = alt.Y(
        "lat:Q",
        scale=alt.Scale(domain=[south, north], nice=False, zero=False),
        axis=alt.Axis(tickCount=4, labelExpr="format(datum.value, '.2f')"),
    )
    layers = [_frame(tenant_box, x, y)]
    if geography.outlines:
        layers.append(_outlines(geography, x, y))
    layers.append(_marks(geography, x, y))
    layers.append(_scale(geography, x, y))
    chart = alt.layer(*layers).resolve_scale(shape="shared")
    return draw(
        chart.properties(width=width, height=round(width * geography.aspect), padding=4).configure(**CONFIG)
    )


def _frame(box: Box, x: alt.X, y: alt.Y) -> Any:
    west, south, east, north = box
    corners = [(west, south), (west, north), (east, north), (east, south), (west, south)]
    return _line(
        [{"lon": lon, "lat": lat, "order": n} for n, (lon, lat) in enumerate(corners)], x, y
    ).mark_line(color="var(--line)", strokeDash=[4, 3], strokeWidth=1.2)


def _outlines(geography: Geography, x: alt.X, y: alt.Y) -> Any:
    rows = [
        {"lon": lon, "lat": lat, "order": order, "part": part}
        for part, outline in enumerate(geography.outlines)
        for order, (lon, lat) in enumerate(outline.corners)
    ]
    return (
        _line(rows, x, y)
        .encode(detail="part:N")
        .mark_line(color="var(--area-line)", strokeWidth=1, fill="var(--area)", fillOpacity=1)
    )


def _line(rows: list[dict[str, float]], x: alt.X, y: alt.Y) -> Any:
    return alt.Chart(alt.InlineData(values=rows)).mark_line().encode(x=x, y=y, order="order:Q")


def _marks(geography: Geography, x: alt.X, y: alt.Y) -> Any:
    rows = [
        {
            "lon": mark.lon,
            "lat": mark.lat,
            "kind": mark.kind,
            "things": mark.things,
            "name": _title([name for name in mark.names if name], mark.things),
        }
        for mark in geography.marks
    ]
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_point(filled=True, opacity=0.95, stroke="var(--ground)", strokeWidth=1)
        .encode(
            x=x,
            y=y,
            description="name:N",
            size=alt.Size(
                "things:Q",
                legend=None,
                scale=alt.Scale(type="sqrt", domain=[1, 50], range=[70, 260], clamp=True),
            ),
            shape=alt.Shape(
                "kind:N", legend=None, scale=alt.Scale(domain=[*SHAPES], range=[*SHAPES.values()])
            ),
            color=alt.Color(
                "kind:N",
                legend=None,
                scale=alt.Scale(domain=[*SHAPES], range=[f"var(--kind-{kind})" for kind in SHAPES]),
            ),
        )
    )


def _title(names: list[str], things: int) -> str:
    text = ", ".join(names[:_NAMES]) or "–"
    return f"{text} (+{things - len(names[:_NAMES])})" if things > _NAMES else text


def _scale(geography: Geography, x: alt.X, y: alt.Y) -> Any:
    """A bar of a round length in the lower left corner; the page says how long it is."""
    west, south, east, north = geography.frame
    degrees = scale_length(geography) / geography.metres_per_degree
    start, lat, up = west + (east - west) * 0.04, south + (north - south) * 0.05, (north - south) * 0.012
    corners = [(start, lat + up), (start, lat), (start + degrees, lat), (start + degrees, lat + up)]
    bar = _line([{"lon": lon, "lat": at, "order": n} for n, (lon, at) in enumerate(corners)], x, y)
    return bar.mark_line(color="var(--ink)", strokeWidth=1.6)
