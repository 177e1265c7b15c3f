"""Shapes of SVG, and pictures made of them, which take width, colours and font from the page around them.

What is drawn is in `charts.py` and `map_chart.py`; colours are those of the page's style sheet, by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from civitas_assets.report.elements import Markup, join_markup, svg

Place = tuple[float, float]


def draw_picture(width: float, height: float, name: str, *content: str) -> Markup:
    """An image whose name says to those who do not see it what is on it."""
    return svg.svg(
        *content, viewBox=f"0 0 {format_length(width)} {format_length(height)}", role="img", aria_label=name
    )


def format_length(number: float) -> str:
    """A length or place on a drawing, to a tenth of its unit."""
    return f"{number:.1f}".removesuffix(".0")


def draw_line(places: Iterable[Place]) -> str:
    """The path from each place to the next."""
    return "M" + "L".join(f"{format_length(x)} {format_length(y)}" for x, y in places)


def draw_lines(segments: Iterable[Sequence[Place]]) -> str:
    """The path of several lines."""
    return "".join(map(draw_line, segments))


def draw_mark(
    shape: str, x: float, y: float, size: float, name: str, **attributes: str | float | None
) -> Markup:
    """A path around 0, 0 at a place, in a share of its own size; its name is shown to who points at it."""
    where = f"translate({format_length(x)} {format_length(y)})scale({size:.2f})"
    return svg.path(svg.title(name), d=shape, transform=where, **attributes)


def draw_lettering(text: str, x: float, y: float, anchor: str = "middle") -> Markup:
    """A text that has its start, middle or end at a place."""
    return svg.text(text, x=format_length(x), y=format_length(y), text_anchor=anchor)


def draw_letters(*texts: str) -> Markup:
    """Texts in the size and colour of an axis."""
    return svg.g(*texts, fill="var(--muted)", font_size=11)


def clip_content(corners: tuple[float, float, float, float], name: str, *content: str) -> Markup:
    """What is within left, top, right and bottom; `name` is an id that nothing else on the page has."""
    left, top, right, bottom = corners
    window = svg.rect(
        x=format_length(left),
        y=format_length(top),
        width=format_length(right - left),
        height=format_length(bottom - top),
    )
    return join_markup(svg.clipPath(window, id=name), svg.g(*content, clip_path=f"url(#{name})"))


def draw_key_shape(shape: str, colour: str) -> Markup:
    """A path around 0, 0 beside the text of a key that says what it stands for."""
    return svg.svg(svg.path(d=shape, fill=colour), viewBox="-8 -8 16 16", aria_hidden="true")
