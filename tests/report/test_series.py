"""Series are aggregated per property, with gaps where nothing came; codes, rejections and days are counted."""

from __future__ import annotations

from datetime import date, datetime

from civitas_assets.report.places import choose_scale_length, read_geography
from civitas_assets.report.quality import read_coverage, read_quality, read_rejections
from civitas_assets.report.sections.sources_section import build_strips
from civitas_assets.report.series import read_panels
from civitas_assets.report.source_standings import read_newest
from tests.report.conftest import Town

FIRST, LAST = date(2026, 7, 26), date(2026, 8, 22)


def test_means_are_steps_of_six_hours_in_local_time_and_counts_are_days(town: Town) -> None:
    with town.tables as tables:
        (air, bicycles), more = read_panels(tables, FIRST, LAST, "Europe/Berlin")
    assert more == 0
    assert (air.observed_property, air.summed, air.datastreams) == ("air.no2", False, 1)
    assert air.labels == {"de": "Stickstoffdioxid", "en": "nitrogen dioxide"}
    first = air.points[0]
    assert (first.at, first.value, first.minimum, first.maximum) == (
        datetime.fromisoformat("2026-08-02"),
        20.5,
        4.0,
        61.25,
    )
    assert {point.at.hour for point in air.points} == {0, 6, 12, 18}
    assert not [point for point in air.points if date(2026, 8, 11) <= point.at.date() <= date(2026, 8, 12)]
    assert (air.valid_count, air.suspect_count) == (17 * 22, 17 * 2)
    assert [(point.at.day, point.value) for point in bicycles.points] == [(14, 300.0), (15, 200.0)]
    assert bicycles.get_day_value(bicycles.days[0]) == 300.0


def test_days_before_the_window_are_left_out(town: Town) -> None:
    with town.tables as tables:
        panels, _ = read_panels(tables, date(2026, 8, 15), LAST, "Europe/Berlin")
    assert [len(panel.days) for panel in panels] == [7, 1]


def test_quality_is_counted_by_property_rule_and_day(town: Town) -> None:
    with town.tables as tables:
        (air,), days = read_quality(tables, FIRST, LAST)
    hours = 16 * 24 + 1
    assert air.total == hours
    assert air.counts["suspect"] == 2 * 16
    assert air.rules == {"range": 2 * 16}
    assert days[date(2026, 8, 5)] == {"suspect": 2}


def test_rejections_come_with_an_example_most_first(town: Town) -> None:
    with town.tables as tables:
        found = read_rejections(tables, FIRST, LAST)
    assert [(r.rule, r.record_count, r.example) for r in found] == [
        ("unknown_unit", 12, "ppb"),
        ("not_a_number", 3, "<b>fünf</b>"),
    ]


def test_a_source_has_a_strip_with_its_gaps(town: Town) -> None:
    with town.tables as tables:
        coverage = read_coverage(tables, FIRST, LAST)
        newest = read_newest(tables, FIRST)
    days = [date(2026, 8, day) for day in (1, 2, 10, 11, 12, 13, 21, 22)]
    air, counters = build_strips(coverage, days)
    levels = [cell.level for cell in air.cells]
    assert levels == ["before", "full", "full", "gap", "gap", "gap", "full", "open"]
    assert counters.count("before") == 6
    assert newest["air"].isoformat() == "2026-08-20T23:00:00+00:00"


def test_of_the_days_before_the_window_only_the_last_is_read(town: Town) -> None:
    first = date(2026, 8, 16)
    with town.tables as tables:
        coverage = read_coverage(tables, first, LAST)
    assert [day for day in coverage["air"] if day < first] == [date(2026, 8, 15)]
    assert list(coverage["counters"]) == [date(2026, 8, 15)]
    air, counters = build_strips(coverage, [first, LAST])
    assert [cell.level for cell in air.cells] == ["full", "open"]
    assert [cell.level for cell in counters.cells] == ["gap", "open"]


def test_the_map_gathers_what_is_close_and_knows_who_is_silent(town: Town) -> None:
    with town.tables as tables:
        found = read_geography(tables, town.tenant.bbox, LAST)
    assert {(mark.kind, mark.things, mark.names) for mark in found.marks} == {
        ("station", 1, ("Markt & Rathaus",)),
        ("station", 1, ("Brücke",)),
        ("parking", 1, ("Parkhaus Markt",)),
    }
    assert found.things == {"station": 3, "parking": 1}
    assert found.located["station"] == 2
    assert [(station.name, station.last_day) for station in found.silent] == [("Brücke", date(2026, 8, 15))]
    assert found.box == (9.9, 50.9, 10.1, 51.1)
    assert choose_scale_length(found) == 5000
