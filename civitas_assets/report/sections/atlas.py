"""Where what is published is: the map with its legend, and the same as a list."""

from __future__ import annotations

from civitas_assets.report.drawing import draw_key_shape
from civitas_assets.report.elements import Markup, html, join_markup
from civitas_assets.report.html_document import (
    render_below,
    render_drawing,
    render_lead,
    render_number,
    render_section,
    render_table,
)
from civitas_assets.report.language import Language
from civitas_assets.report.map_chart import SHAPES, draw_map
from civitas_assets.report.morning import Morning
from civitas_assets.report.places import Geography, choose_scale_length

_MOST_LISTED = 300
_COLUMNS = {"kind": "", "name": "", "count": "number", "position": "number"}


def render_map_section(morning: Morning, t: Language) -> Markup:
    """The map, what its marks are, and a list of them."""
    if not morning.figures:
        return render_section(t, "map", html.p(t("no_output")))
    place = morning.figures.geography
    if not (place.marks or place.outlines):
        return render_section(t, "map", html.p(t("map.none")))
    west, south, east, north = place.box
    things = sum(place.located.values())
    name = t("map.alt", things=things, west=west, south=south, east=east, north=north)
    areas = place.outlines and html.ul(
        html.li(html.i(), t("map.areas", count=len(place.outlines))), class_="key areas"
    )
    told = t("map.scale", length=t.format_length(choose_scale_length(place)))
    legend = [
        html.ul(*(_kind(kind, place, t) for kind in place.things), class_="key"),
        areas or "",
        render_lead(html.br(), told, html.br(), t("map.box")),
        html.details(
            html.summary(t("map.list")), render_table(t, t("map.caption"), _COLUMNS, _rows(place, t))
        ),
    ]
    figure = render_drawing(t, "map", lambda: draw_map(place, morning.tenant.bbox, name, t))
    return render_section(t, "map", html.div(html.figure(figure), html.div(*legend), class_="atlas"))


def _kind(kind: str, place: Geography, t: Language) -> Markup:
    count, located = place.things[kind], place.located[kind]
    without = render_below(t("map.without", count=count - located)) if count > located else ""
    told = html.span(join_markup(f"{t(f'kind.{kind}')}: {t.format_number(located)}", without))
    return html.li(draw_key_shape(SHAPES[kind], f"var(--kind-{kind})"), told)


def _rows(place: Geography, t: Language) -> list[Markup]:
    return [
        html.tr(
            html.td(t(f"kind.{mark.kind}")),
            html.th(", ".join(filter(None, mark.names)) or "–", scope="row"),
            render_number(t.format_number(mark.things)),
            render_number(f"{t.format_number(mark.lat, 4)}; {t.format_number(mark.lon, 4)}"),
        )
        for mark in place.marks[:_MOST_LISTED]
    ]
