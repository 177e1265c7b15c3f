"""A tenant's page: one self-contained HTML document per language, which needs no network and no script.

What it says is gathered in `morning.py`; how it looks is in `templates`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from civitas_assets import __version__
from civitas_assets.report.calendar import LEVELS, strips
from civitas_assets.report.drawing import Drawing
from civitas_assets.report.language import Language
from civitas_assets.report.morning import WINDOW_DAYS, Morning
from civitas_assets.report.places import scale_length
from civitas_assets.report.quality import CODES
from civitas_assets.report.series import HOURS_PER_STEP, Panel
from civitas_assets.report.sources import EXPECTED_WITHIN, QUIET_AFTER

MOST_REJECTIONS = 30
MOST_LISTED_PLACES = 300


def file_name(language: str) -> str:
    """What the page in a language is called; German is what opens by itself."""
    return "index.html" if language == "de" else f"index.{language}.html"


def render(template: str, language: Language, **values: object) -> str:
    """A page of a template, with everything escaped that is not its own markup."""
    style = files("civitas_assets.report").joinpath("templates", "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    other = "en" if language.code == "de" else "de"
    return (
        _environment()
        .get_template(template)
        .render(
            t=language,
            style=style,
            policy=policy,
            other=other,
            other_file=file_name(other),
            version=__version__,
            **values,
        )
    )


def tenant_page(morning: Morning, drawings: Mapping[str, Drawing], language: Language) -> str:
    """The page of a tenant in one language."""
    figures = morning.figures
    calendar = strips(figures.coverage, morning.days) if figures else []
    return render(
        "tenant.html.j2",
        language,
        morning=morning,
        figures=figures,
        drawings=drawings,
        levels=[level for level in LEVELS if any(strip.count(level) for strip in calendar)],
        codes=CODES,
        strips=calendar,
        doubtful=sum(sum(codes.values()) for codes in figures.doubtful_days.values()) if figures else 0,
        filled={name for name, count in figures.row_counts.items() if count} if figures else set(),
        scale=language.length(scale_length(figures.geography)) if figures else "",
        domains=_domains(figures.panels) if figures else {},
        sources=morning.tenant.sources,
        hours=HOURS_PER_STEP,
        window=WINDOW_DAYS,
        expected_hours=int(EXPECTED_WITHIN.total_seconds() // 3600),
        quiet_hours=int(QUIET_AFTER.total_seconds() // 3600),
        most_rejections=MOST_REJECTIONS,
        most_places=MOST_LISTED_PLACES,
    )


def drawings_of(morning: Morning) -> dict[str, Drawing]:
    """All drawings of a page by name; none where there is nothing to draw."""
    figures = morning.figures
    if figures is None:
        return {}
    found = dict[str, Drawing]()
    drawn = [panel for panel in figures.panels if any(point.value is not None for point in panel.points)]
    if not drawn and not figures.doubtful_days and not figures.geography.marks:
        return found
    from civitas_assets.report.charts import quality_chart, series_chart  # noqa: PLC0415 - only where it is needed
    from civitas_assets.report.map_chart import map_chart  # noqa: PLC0415 - likewise

    for panel in drawn:
        found[panel.observed_property] = series_chart(panel, morning.first, morning.last)
    if figures.doubtful_days:
        found["quality"] = quality_chart(figures.doubtful_days, morning.first, morning.last)
    if figures.geography.marks or figures.geography.outlines:
        found["map"] = map_chart(figures.geography, morning.tenant.bbox)
    return found


def _domains(panels: Any) -> Mapping[str, list[Panel]]:
    found: dict[str, list[Panel]] = {}
    for panel in panels:
        found.setdefault(panel.domain, []).append(panel)
    return found


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("civitas_assets.report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
