"""The map of a page: stations and sites on a plain ground with lines of longitude and latitude, and a scale.

There are no tiles, so that the page needs no network; what is on it is read in `places.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

from civitas_assets.catalog import Box
from civitas_assets.report.axes import Scale, find_ticks
from civitas_assets.report.drawing import (
    clip_content,
    draw_lettering,
    draw_letters,
    draw_line,
    draw_lines,
    draw_mark,
    draw_picture,
)
from civitas_assets.report.elements import Markup, svg
from civitas_assets.report.language import Language
from civitas_assets.report.places import KINDS, AreaOutline, Geography, choose_scale_length

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 420, 44, 8, 8, 24
_NAMES = 3
_MANY = 50  # things behind a mark beyond which it grows no more

# A kind is told by its shape as well as by its colour; each is about as large as the others, within -8 and 8.
SHAPES = dict(
    zip(
        KINDS,
        (
            "M-6 0A6 6 0 0 1 6 0A6 6 0 0 1-6 0z",
            "M-5.5-5.5h11v11h-11z",
            "M0-7.5L5 0 0 7.5-5 0z",
            "M0-6.5L7 6H-7z",
            "M-2.5-7h5v4.5H7v5H2.5V7h-5V2.5H-7v-5h4.5z",
        ),
        strict=True,
    )
)


class _Ground:
    """Where longitudes and latitudes are."""

    def __init__(self, geography: Geography) -> None:
        west, south, east, north = geography.frame
        self.right = _WIDTH - _RIGHT
        self.bottom = _TOP + round((self.right - _LEFT) * geography.aspect)
        self.lon, self.lat = Scale(west, east, _LEFT, self.right), Scale(south, north, self.bottom, _TOP)
        self.corners = (_LEFT, _TOP, self.right, self.bottom)

    def line(self, corners: Sequence[tuple[float, float]]) -> str:
        return draw_line((self.lon.place(lon), self.lat.place(lat)) for lon, lat in corners)


def draw_map(geography: Geography, tenant_box: Box, name: str, language: Language) -> Markup:
    """Marks and outlines within the box of all of them, and the tenant's own box."""
    ground = _Ground(geography)
    west, south, east, north = tenant_box
    corners = [(west, south), (west, north), (east, north), (east, south), (west, south)]
    box = svg.path(
        d=ground.line(corners), fill="none", stroke="var(--line)", stroke_width=1.2, stroke_dasharray="4 3"
    )
    return draw_picture(
        _WIDTH,
        ground.bottom + _BOTTOM,
        name,
        *_degrees(ground, language),
        clip_content(
            ground.corners, "ground", *(_outline(ground, outline) for outline in geography.outlines)
        ),
        box,
        *_marks(ground, geography),
        *_scale(ground, geography, language),
    )


def _degrees(ground: _Ground, language: Language) -> Iterator[Markup]:
    """Lines of round longitudes and latitudes, with their degrees at the edge."""
    lon, lat = _labels(ground.lon, language), _labels(ground.lat, language)
    grid = [[(x, _TOP), (x, ground.bottom)] for x, _ in lon] + [
        [(_LEFT, y), (ground.right, y)] for y, _ in lat
    ]
    yield svg.path(d=draw_lines(grid), stroke="var(--grid)")
    edge = draw_line([(_LEFT, _TOP), (_LEFT, ground.bottom), (ground.right, ground.bottom)])
    yield svg.path(d=edge, fill="none", stroke="var(--line)")
    yield draw_letters(
        *(draw_lettering(text, x, ground.bottom + 16) for x, text in lon),
        *(draw_lettering(text, _LEFT - 6, y + 4, "end") for y, text in lat),
    )


def _labels(scale: Scale, language: Language) -> list[tuple[float, str]]:
    """Places and texts of the round values within a scale."""
    ticks = find_ticks([scale.low, scale.high])
    return [
        (scale.place(value), text)
        for value, text in zip(ticks.values, ticks.labels(language), strict=True)
        if scale.low <= value <= scale.high
    ]


def _outline(ground: _Ground, outline: AreaOutline) -> Markup:
    """An area is filled, a line is not."""
    corners = outline.corners
    fill = "var(--area)" if len(corners) > 3 and corners[0] == corners[-1] else "none"
    return svg.path(svg.title(outline.name), d=ground.line(corners), fill=fill, stroke="var(--area-line)")


def _marks(ground: _Ground, geography: Geography) -> Iterator[Markup]:
    for found in geography.marks:
        share = (sqrt(min(found.things, _MANY)) - 1) / (sqrt(_MANY) - 1)
        yield draw_mark(
            SHAPES[found.kind],
            ground.lon.place(found.lon),
            ground.lat.place(found.lat),
            0.8 + 0.7 * share,
            _name([name for name in found.names if name], found.things),
            fill=f"var(--kind-{found.kind})",
            stroke="var(--ground)",
        )


def _name(names: Sequence[str], things: int) -> str:
    text = ", ".join(names[:_NAMES]) or "–"
    return f"{text} (+{things - len(names[:_NAMES])})" if things > _NAMES else text


def _scale(ground: _Ground, geography: Geography, language: Language) -> Iterator[Markup]:
    """A bar of a round length in the lower left corner, and how long it is."""
    length = choose_scale_length(geography)
    start, y = _LEFT + 14, ground.bottom - 14
    width = ground.lon.place(geography.frame[0] + length / geography.metres_per_degree) - _LEFT
    bar = draw_line([(start, y - 5), (start, y), (start + width, y), (start + width, y - 5)])
    yield svg.path(d=bar, fill="none", stroke="var(--ink)", stroke_width=1.6)
    yield draw_letters(draw_lettering(language.format_length(length), start + width / 2, y - 6))
