"""Charts show what is there and leave gaps where nothing is; they are well-formed, and names in them are text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.connectors.content.trusted_xml import parse_xml
from civitas_assets.report.charts import draw_quality_chart, draw_series_chart
from civitas_assets.report.elements import escape_html, html, join_markup
from civitas_assets.report.language import Language
from civitas_assets.report.map_chart import draw_map
from civitas_assets.report.places import AreaOutline, Geography, Mark
from civitas_assets.report.series import Panel, Point

BERLIN = ZoneInfo("Europe/Berlin")
DE, EN = Language.from_code("de", BERLIN), Language.from_code("en", BERLIN)
FIRST, LAST = date(2026, 10, 10), date(2026, 11, 6)
MIDNIGHT = datetime.combine(date(2026, 10, 24), time())
HOSTILE = "</title><script>alert(1)</script>&\x00\x1b\x85\udcff\"'"


def point(steps: int, value: float | None, *, spread: float = 0.0, suspect: int = 0) -> Point:
    low, high = (None, None) if value is None else (value - spread, value + spread)
    return Point(MIDNIGHT + timedelta(hours=6 * steps), value, low, high, suspect)


def panel(points: Sequence[Point], *, summed: bool = False) -> Panel:
    return Panel("air.no2", {"de": "x", "en": "x"}, "ug/m3", summed, 1, 1, 0, points, [])


def drawn(points: Sequence[Point], *, summed: bool = False, name: str = "x") -> ET.Element:
    return parsed(draw_series_chart(panel(points, summed=summed), FIRST, LAST, name, DE))


def parsed(svg: str) -> ET.Element:
    root = parse_xml(svg.encode())
    assert root.get("role") == "img"
    for element in root.iter():
        assert not re.search("nan|inf|None", " ".join(element.attrib.values())), element.attrib
    return root


def shapes(root: ET.Element, kind: str, **wanted: str) -> list[ET.Element]:
    return [e for e in root.iter(kind) if all(e.get(name) == value for name, value in wanted.items())]


def test_a_line_breaks_off_where_a_step_is_missing_and_a_lonely_value_is_a_dot() -> None:
    root = drawn([point(0, 1.0), point(1, 2.0), point(3, 3.0), point(4, None), point(5, 2.0), point(6, 1.0)])
    (line,) = shapes(root, "path", stroke="var(--series)")
    assert line.attrib["d"].count("M") == 2
    assert line.attrib["d"].count("L") == 2
    (dot,) = shapes(root, "circle")
    (band,) = shapes(root, "path", fill="var(--band)")
    assert band.attrib["d"].count("Z") == 3
    assert float(dot.attrib["cx"]) > float(line.attrib["d"][1:].split()[0])


def test_a_line_goes_on_over_the_night_in_which_an_hour_is_there_twice() -> None:
    root = drawn([point(steps, 20.0, spread=5.0) for steps in range(12)])
    (line,) = shapes(root, "path", stroke="var(--series)")
    xs = [float(part.split()[0]) for part in line.attrib["d"][1:].split("L")]
    assert len(xs) == 12
    assert {round(after - before, 0) for before, after in pairwise(xs)} == {3.0}


def test_a_step_of_an_hour_that_is_left_out_is_no_gap() -> None:
    assert len(shapes(drawn([point(0, 0.0), point(1, 0.0)]), "circle")) == 0


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize(
    "values",
    [
        [],
        [None],
        [3.0],
        [0.0, 0.0],
        [-4.0, -2.0, 5.0],
        [1e200, -1e200],
        [5e-324, 1e-12],
        [float("inf"), 1.0, float("nan")],
    ],
)
def test_any_series_can_be_drawn(values: list[float | None], summed: bool) -> None:
    points = [point(4 * steps, value) for steps, value in enumerate(values)]
    root = drawn(points, summed=summed)
    known = [value for value in values if value is not None and abs(value) < 1e250]
    assert len(shapes(root, "rect" if summed else "circle")) == len(known)


def test_bars_grow_up_and_down_from_zero_and_say_how_much() -> None:
    up, down = shapes(drawn([point(0, 2000.0), point(4, -1000.0)], summed=True), "rect")
    zero = float(up.attrib["y"]) + float(up.attrib["height"])
    assert float(down.attrib["y"]) == pytest.approx(zero, abs=0.2)
    assert float(up.attrib["height"]) == pytest.approx(2 * float(down.attrib["height"]), abs=0.3)
    assert [bar.findtext("title") for bar in (up, down)] == ["24.10.: 2.000", "25.10.: −1.000"]


def test_axes_are_written_in_the_reader_s_language() -> None:
    points = [point(0, 0.5), point(1, 1.5, suspect=3)]
    texts = {
        language.code: [
            e.text for e in parsed(draw_series_chart(panel(points), FIRST, LAST, "x", language)).iter("text")
        ]
        for language in (DE, EN)
    }
    assert texts["de"] == [
        "0,4",
        "0,6",
        "0,8",
        "1,0",
        "1,2",
        "1,4",
        "1,6",
        "16.10.",
        "23.10.",
        "30.10.",
        "6.11.",
    ]
    assert texts["en"][0] == "0.4"
    assert texts["en"][-4:] == ["16 Oct", "23 Oct", "30 Oct", "6 Nov"]


def test_steps_with_doubts_are_marked_and_say_which() -> None:
    root = drawn([point(0, 1.0), point(1, None, suspect=2)])
    (mark,) = shapes(root, "path", fill="var(--suspect)")
    assert mark.findtext("title") == "24.10., 06:00: 2 bedenklich"


def test_long_labels_make_room_for_themselves() -> None:
    root = drawn([point(0, 9_000_000.0), point(1, 0.0)])
    (longest,) = [e for e in root.iter("text") if e.text == "10.000.000"]
    assert float(longest.attrib["x"]) > 60


def test_days_of_quality_are_stacked_and_other_days_left_out() -> None:
    days = {LAST: {"suspect": 2, "bad": 1}, LAST + timedelta(days=1): {"bad": 9}}
    suspect, bad = shapes(parsed(draw_quality_chart(days, FIRST, LAST, "x", DE)), "rect")
    assert (suspect.get("fill"), bad.get("fill")) == ("var(--suspect)", "var(--bad)")
    assert float(bad.attrib["y"]) + float(bad.attrib["height"]) == pytest.approx(
        float(suspect.attrib["y"]), abs=0.2
    )
    assert [bar.findtext("title") for bar in (suspect, bad)] == ["6.11.: 2 bedenklich", "6.11.: 1 falsch"]


def test_names_on_a_map_are_text_and_areas_are_filled_but_lines_are_not() -> None:
    area = [(10.0, 51.0), (10.1, 51.0), (10.1, 51.1), (10.0, 51.0)]
    geography = Geography(
        box=(9.9, 50.9, 10.1, 51.1),
        marks=[Mark("station", 10.0, 51.0, 70, (HOSTILE, "", "b")), Mark("place", 10.05, 51.0, 1, ("",))],
        outlines=[AreaOutline(HOSTILE, area), AreaOutline("Bach", area[:3])],
        things={},
        located={},
        silent=(),
    )
    svg = draw_map(geography, (9.9, 50.9, 10.1, 51.1), HOSTILE, DE)
    assert "<script" not in svg
    root = parsed(svg)
    plain = "</title><script>alert(1)</script>&\"'"
    assert root.get("aria-label") == plain
    station, place = (shapes(root, "path", fill=f"var(--kind-{kind})")[0] for kind in ("station", "place"))
    assert station.findtext("title") == f"{plain}, b (+68)"
    assert place.findtext("title") == "–"
    assert len(shapes(root, "path", fill="var(--area)")) == 1
    assert "2\N{NARROW NO-BREAK SPACE}km" not in svg
    assert "5\N{NARROW NO-BREAK SPACE}km" in svg


def test_text_stays_text_and_markup_stays_markup() -> None:
    inner = html.b(HOSTILE, title=HOSTILE)
    assert html.p(inner, hidden=None, tabindex=0) == f'<p tabindex="0">{inner}</p>'
    assert escape_html(inner) is inner
    assert join_markup(inner, "<") == f"{inner}&lt;"
    assert not {"\x00", "\x1b", "\x85", "\udcff"} & set(inner)
    assert inner.encode()
    assert html.br() == "<br>"
    assert html.i(class_="gap", aria_label='"') == '<i class="gap" aria-label="&quot;"></i>'
