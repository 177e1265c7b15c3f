"""A tenant's page: one self-contained HTML document per language, which needs no network and no script.

What it says is gathered in `morning.py`; how it looks is in `templates`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache, partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from civitas_assets import __version__
from civitas_assets.catalog import Box
from civitas_assets.report.calendar import LEVELS, strips
from civitas_assets.report.drawing import Drawing, digest_of
from civitas_assets.report.language import Language
from civitas_assets.report.morning import WINDOW_DAYS, Morning
from civitas_assets.report.places import Geography, scale_length
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


def drawings_of(morning: Morning, kept: Mapping[str, Drawing] | None = None) -> dict[str, Drawing]:
    """All drawings of a page by name, none where there is nothing to draw; those kept of the same figures stay."""
    figures = morning.figures
    if figures is None:
        return {}
    wanted = dict[str, tuple[object, Callable[[], Drawing]]]()
    span = (morning.first, morning.last)
    for panel in figures.panels:
        if any(point.value is not None for point in panel.points):
            wanted[panel.observed_property] = ((panel, span), partial(_series_chart, panel, *span))
    if wanted or figures.doubtful_days or figures.geography.marks:
        if figures.doubtful_days:
            days = figures.doubtful_days
            wanted["quality"] = ((days, span), partial(_quality_chart, days, *span))
        if figures.geography.marks or figures.geography.outlines:
            place, box = figures.geography, morning.tenant.bbox
            wanted["map"] = ((place, box), partial(_map_chart, place, box))
    return {name: _drawn((kept or {}).get(name), of, draw) for name, (of, draw) in wanted.items()}


def _drawn(before: Drawing | None, of: object, draw: Callable[[], Drawing]) -> Drawing:
    """The drawing that was made of the same figures, else a new one: drawing takes seconds."""
    digest = digest_of(of)
    return before if before is not None and before.of == digest else replace(draw(), of=digest)


def _series_chart(panel: Panel, first: date, last: date) -> Drawing:
    from civitas_assets.report.charts import series_chart  # noqa: PLC0415 - seconds, only where something is drawn

    return series_chart(panel, first, last)


def _quality_chart(days: Mapping[date, Mapping[str, int]], first: date, last: date) -> Drawing:
    from civitas_assets.report.charts import quality_chart  # noqa: PLC0415 - likewise

    return quality_chart(days, first, last)


def _map_chart(geography: Geography, bbox: Box) -> Drawing:
    from civitas_assets.report.map_chart import map_chart  # noqa: PLC0415 - likewise

    return map_chart(geography, bbox)


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
