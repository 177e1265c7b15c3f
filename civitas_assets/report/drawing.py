"""Drawings: what the charting library makes, as SVG that follows the page's width, colours and language.

What is drawn is in `charts.py` and `map_chart.py`. A drawing says numbers and days as machines do, so that it is made
once for all languages.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from xml.etree import ElementTree as ET

import defusedxml.ElementTree

from civitas_assets import __version__
from civitas_assets.report.language import Language

_SVG = "http://www.w3.org/2000/svg"
_KEPT = frozenset(
    {
        *("d", "x", "y", "x1", "y1", "x2", "y2", "width", "height", "transform"),
        *("fill", "fill-opacity", "opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray"),
        *(
            "stroke-linecap",
            "stroke-linejoin",
            "stroke-miterlimit",
            "text-anchor",
            "font-size",
            "font-weight",
        ),
    }
)
_LONG = re.compile(r"-?\d+\.\d{2,}")


@dataclass(frozen=True)
class Drawing:
    """An SVG without size, colours and language of its own; `of` stands for the figures that it shows."""

    svg: str
    of: str = ""

    def labelled(self, text: str, language: Language) -> str:
        """The drawing as an image that says what is on it, with its numbers and days in a language."""
        root = defusedxml.ElementTree.fromstring(self.svg)
        for label in root.iter(f"{{{_SVG}}}text"):
            label.text = language.label(label.text or "")
        root.set("role", "img")
        root.set("aria-label", text)
        ET.register_namespace("", _SVG)
        return ET.tostring(root, encoding="unicode")


def digest_of(figures: object) -> str:
    """What stands for figures, and for what draws them: the same again would become the same drawing."""
    drawn_with = (__version__, *(version(name) for name in ("altair", "vl-convert-python")))
    return hashlib.sha256(repr((drawn_with, figures)).encode()).hexdigest()


def draw(chart: Any) -> Drawing:
    """Draw a chart of the library, here and without network.

    Only shapes, their places and colours are kept: a page with a strict policy refuses all else.
    """
    import vl_convert  # noqa: PLC0415 - a second that pages without drawings need not wait

    text = vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])
    root = defusedxml.ElementTree.fromstring(text)
    box = root.get("viewBox", "")
    _reduce(root)
    root.attrib.clear()
    root.set("viewBox", box)
    ET.register_namespace("", _SVG)
    return Drawing(ET.tostring(root, encoding="unicode"))


def _reduce(element: ET.Element) -> None:
    """Leave out what cannot be seen or would not be obeyed; what a mark is called becomes its tooltip."""
    for child in list(element):
        if _is_invisible(child):
            element.remove(child)
        else:
            _reduce(child)
    name = element.get("aria-label")
    for attribute in list(element.attrib):
        if attribute not in _KEPT:
            del element.attrib[attribute]
        else:
            element.set(
                attribute, _LONG.sub(lambda found: f"{float(found[0]):.1f}", element.attrib[attribute])
            )
    if name and element.tag == f"{{{_SVG}}}path":
        title = ET.Element(f"{{{_SVG}}}title")
        title.text = name
        element.insert(0, title)
    if element.tag == f"{{{_SVG}}}g" and len(element) == 1 and not element.attrib:
        only = element[0]
        if only.tag == f"{{{_SVG}}}g":
            element.attrib, element[:] = only.attrib, list(only)


def _is_invisible(element: ET.Element) -> bool:
    is_group = element.tag == f"{{{_SVG}}}g"
    return (
        element.get("display") == "none"
        or element.get("fill") == "white"
        or (element.tag == f"{{{_SVG}}}path" and element.get("d", "") in {"", "M0,0h0v0h0Z"})
        or (is_group and len(element) == 0)
    )
