"""Elements of HTML and SVG, made of text and other elements; whatever a text says, it stays text."""

from __future__ import annotations

import re
from functools import cache

# Beside what markup is made of, what no document may hold: control characters, also such as turn the order in which
# text is read, lone surrogates and noncharacters.
_UNSAFE = re.compile(
    "[&<>\"'\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


class Markup(str):
    """Text that is markup already, and stands as it is."""

    __slots__ = ()


def escape_html(text: str) -> Markup:
    """The text as markup that shows it, without what no document may hold."""
    if type(text) is Markup:
        return text
    return Markup(_UNSAFE.sub(lambda found: _ESCAPES.get(found[0], ""), text))


def join_markup(*content: str) -> Markup:
    """One after the other, each escaped unless it is markup."""
    return Markup("".join(map(escape_html, content)))


class Element:
    """Makes elements of one name; one that is `empty` has no content, and no end."""

    __slots__ = ("_end", "_start")

    def __init__(self, name: str, *, empty: bool = False) -> None:
        self._start, self._end = f"<{name}", "" if empty else f"</{name}>"

    def __call__(self, *content: str, **attributes: str | float | None) -> Markup:
        """An element; `class_` is the attribute class, `aria_label` aria-label, and None an attribute less."""
        given = [
            f' {_name(key)}="{escape_html(str(value))}"'
            for key, value in attributes.items()
            if value is not None
        ]
        return Markup(f"{self._start}{''.join(given)}>{''.join(map(escape_html, content))}{self._end}")


class Elements:
    """What makes elements, by their names."""

    def __init__(self, *empty: str) -> None:
        for name in empty:
            setattr(self, name, Element(name, empty=True))

    def __getattr__(self, name: str) -> Element:
        """The element of that name, made when it is first asked for."""
        element = Element(name)
        setattr(self, name, element)
        return element


@cache
def _name(keyword: str) -> str:
    return keyword.rstrip("_").replace("_", "-")


html, svg = Elements("br", "meta"), Elements()
