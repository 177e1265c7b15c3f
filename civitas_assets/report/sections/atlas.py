"""Where what is published is: the map with its legend, and the same as a list."""

from __future__ import annotations

from civitas_assets.report.document import below, drawn, lead, number, section, table
from civitas_assets.report.drawing import key_shape
from civitas_assets.report.elements import Markup, html, join
from civitas_assets.report.language import Language
from civitas_assets.report.map_chart import SHAPES, map_chart
from civitas_assets.report.morning import Morning
from civitas_assets.report.places import Geography, scale_length

_MOST_LISTED = 300
_COLUMNS = {"kind": "", "name": "", "count": "number", "position": "number"}


def map_section(morning: Morning, t: Language) -> Markup:
    """The map, what its marks are, and a list of them."""
    if not morning.figures:
        return section(t, "map", html.p(t("no_output")))
    place = morning.figures.geography
    if not (place.marks or place.outlines):
        return section(t, "map", html.p(t("map.none")))
    west, south, east, north = place.box
    things = sum(place.located.values())
    name = t("map.alt", things=things, west=west, south=south, east=east, north=north)
    areas = place.outlines and html.ul(
        html.li(html.i(), t("map.areas", count=len(place.outlines))), class_="key areas"
    )
    told = t("map.scale", length=t.length(scale_length(place)))
    legend = [
        html.ul(*(_kind(kind, place, t) for kind in place.things), class_="key"),
        areas or "",
        lead(html.br(), told, html.br(), t("map.box")),
        html.details(html.summary(t("map.list")), table(t, t("map.caption"), _COLUMNS, _rows(place, t))),
    ]
    figure = drawn(t, "map", lambda: map_chart(place, morning.tenant.bbox, name, t))
    return section(t, "map", html.div(html.figure(figure), html.div(*legend), class_="atlas"))


def _kind(kind: str, place: Geography, t: Language) -> Markup:
    count, located = place.things[kind], place.located[kind]
    without = below(t("map.without", count=count - located)) if count > located else ""
    told = html.span(join(f"{t(f'kind.{kind}')}: {t.number(located)}", without))
    return html.li(key_shape(SHAPES[kind], f"var(--kind-{kind})"), told)


def _rows(place: Geography, t: Language) -> list[Markup]:
    return [
        html.tr(
            html.td(t(f"kind.{mark.kind}")),
            html.th(", ".join(filter(None, mark.names)) or "–", scope="row"),
            number(t.number(mark.things)),
            number(f"{t.number(mark.lat, 4)}; {t.number(mark.lon, 4)}"),
        )
        for mark in place.marks[:_MOST_LISTED]
    ]
