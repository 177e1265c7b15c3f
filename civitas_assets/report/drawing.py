"""Shapes of SVG, and pictures made of them, which take width, colours and font from the page around them.

What is drawn is in `charts.py` and `map_chart.py`; colours are those of the page's style sheet, by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from civitas_assets.report.elements import Markup, join, svg

Place = tuple[float, float]


def picture(width: float, height: float, name: str, *content: str) -> Markup:
    """An image whose name says to those who do not see it what is on it."""
    return svg.svg(*content, viewBox=f"0 0 {write(width)} {write(height)}", role="img", aria_label=name)


def write(number: float) -> str:
    """A length or place on a drawing, to a tenth of its unit."""
    return f"{number:.1f}".removesuffix(".0")


def line(places: Iterable[Place]) -> str:
    """The path from each place to the next."""
    return "M" + "L".join(f"{write(x)} {write(y)}" for x, y in places)


def lines(segments: Iterable[Sequence[Place]]) -> str:
    """The path of several lines."""
    return "".join(map(line, segments))


def mark(shape: str, x: float, y: float, size: float, name: str, **attributes: str | float | None) -> Markup:
    """A path around 0, 0 at a place, in a share of its own size; its name is shown to who points at it."""
    where = f"translate({write(x)} {write(y)})scale({size:.2f})"
    return svg.path(svg.title(name), d=shape, transform=where, **attributes)


def lettering(text: str, x: float, y: float, anchor: str = "middle") -> Markup:
    """A text that has its start, middle or end at a place."""
    return svg.text(text, x=write(x), y=write(y), text_anchor=anchor)


def letters(*texts: str) -> Markup:
    """Texts in the size and colour of an axis."""
    return svg.g(*texts, fill="var(--muted)", font_size=11)


def clipped(corners: tuple[float, float, float, float], name: str, *content: str) -> Markup:
    """What is within left, top, right and bottom; `name` is an id that nothing else on the page has."""
    left, top, right, bottom = corners
    window = svg.rect(x=write(left), y=write(top), width=write(right - left), height=write(bottom - top))
    return join(svg.clipPath(window, id=name), svg.g(*content, clip_path=f"url(#{name})"))


def key_shape(shape: str, colour: str) -> Markup:
    """A path around 0, 0 beside the text of a key that says what it stands for."""
    return svg.svg(svg.path(d=shape, fill=colour), viewBox="-8 -8 16 16", aria_hidden="true")
