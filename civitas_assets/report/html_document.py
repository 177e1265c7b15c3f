"""Documents of HTML that hold all they show, and the parts that pages are made of; none needs a network or a script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files

from civitas_assets import __version__
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.report.elements import Markup, html
from civitas_assets.report.language import Language


def make_file_name(language: str) -> str:
    """What the page in a language is called; German is what opens by itself."""
    return "index.html" if language == "de" else f"index.{language}.html"


def render_document(t: Language, title: str, header: Markup, main: Markup) -> str:
    """A page in a language, with a way to the same one in the other."""
    style, policy = _look()
    other = "en" if t.code == "de" else "de"
    switch = html.a(t("other_language"), href=make_file_name(other), hreflang=other, lang=other)
    head = html.head(
        html.meta(charset="utf-8"),
        html.meta(http_equiv="Content-Security-Policy", content=policy),
        html.meta(name="viewport", content="width=device-width, initial-scale=1"),
        html.meta(name="referrer", content="no-referrer"),
        html.meta(name="generator", content=f"civitas_assets {__version__}"),
        html.title(title),
        html.style(style),
    )
    top = html.div(html.span(t("title"), class_="overline"), html.span(switch, class_="switch"), class_="top")
    body = html.body(
        html.a(t("skip"), class_="skip", href="#content"),
        html.div(
            html.header(top, header),
            html.main(main, id="content", tabindex=-1),
            html.footer(html.p(t("footer", version=__version__))),
            class_="page",
        ),
    )
    return f"<!doctype html>\n{html.html(head, body, lang=t.code)}\n"


def enclose(t: Language, *content: str) -> str:
    """A document without headings of its own, to be shown within another page; it may load and run nothing."""
    style, policy = _look()
    head = html.head(
        html.meta(charset="utf-8"),
        html.meta(http_equiv="Content-Security-Policy", content=policy),
        html.style(style),
    )
    return f"<!doctype html>\n{html.html(head, html.body(html.div(*content, class_='page')), lang=t.code)}\n"


def render_section(t: Language, name: str, *content: str) -> Markup:
    """A part of a page under its heading."""
    return html.section(html.h2(t(f"section.{name}"), id=name), *content, aria_labelledby=name)


def render_drawing(t: Language, what: str, draw: Callable[[], Markup]) -> Markup:
    """A drawing; where it cannot be made, a sentence says so, and the page has all the rest."""
    made, _ = capture_errors(f"drawing · {what}", draw)
    return html.p(t("not_drawn"), class_="facts") if made is None else made


def render_lead(*content: str) -> Markup:
    """What is to be said before figures."""
    return html.p(*content, class_="lead")


def render_table(t: Language, caption: str, columns: Mapping[str, str], rows: Iterable[str]) -> Markup:
    """A table; its columns are keys of texts with their classes."""
    heads = [
        html.th(t(key if "." in key else f"column.{key}"), scope="col", class_=kind or None)
        for key, kind in columns.items()
    ]
    return render_grid(caption, caption, heads, rows)


def render_grid(
    name: str, caption: str, heads: Iterable[str], rows: Iterable[str], kind: str | None = None
) -> Markup:
    """A table of cells, in a frame that scrolls by itself where the page is narrower."""
    content = html.table(html.caption(caption), html.thead(html.tr(*heads)), html.tbody(*rows), class_=kind)
    return html.div(content, class_="scroll", role="region", aria_label=name, tabindex=0)


def render_number(text: str) -> Markup:
    """A cell whose number stands below others."""
    return html.td(text, class_="number")


def render_pill(state: str, text: str) -> Markup:
    """A state in one word, which its colour says too."""
    return html.span(text, class_=f"pill is-{state}")


def render_below(*content: str) -> Markup:
    """What is said in a cell below its content."""
    return html.span(*content, class_="sub")


def shorten(text: str, length: int) -> str:
    """The text, cut off where it is longer."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


@cache
def _look() -> tuple[Markup, str]:
    """The style sheet, and the policy that allows it and nothing else."""
    style = files("civitas_assets.report").joinpath("style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        Markup(style),
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    )
