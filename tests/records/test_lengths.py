"""Sizes of trees and heights of car parks, as registers write them: never a number that nobody has measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from civitas_assets.records.typing import Typed


@pytest.mark.parametrize(
    ("settings", "written", "expected"),
    [
        ({}, ["120", " 95 cm", "1.2 m", "850 mm", "0", None], [120, 95, 120, 85, None, None]),
        ({"decimal": ","}, ["2,75 m", "2,75 M.", "62,5"], [275, 275, 62.5]),
        ({"units": {"trunk_circumference_cm": "m"}}, ["1.2", "95 cm", "0"], [120, 95, None]),
        ({"units": {"trunk_circumference_cm": "m"}}, [1.2, 0.95, 0.0], [120, 95, None]),
    ],
)
def test_a_length_is_in_the_unit_of_its_field_and_zero_is_none(
    typed: Callable[..., Typed], settings: Any, written: list[Any], expected: list[Any]
) -> None:
    ids = [str(number) for number in range(len(written))]
    found = typed("tree", {"tree_id": ids, "trunk_circumference_cm": written}, **settings)
    assert found.accepted["tree"]["trunk_circumference_cm"].to_list() == expected
    assert found.rejected.is_empty()


def test_a_class_is_no_length_and_what_cannot_be_is_told(typed: Callable[..., Typed]) -> None:
    """In Vienna's register 3 is the class of 11 to 15 m; only its text says so."""
    written = ["10-15 m", "10 – 15", "4 bis 6", "> 30 m", "über 20", "12", "hoch", "1500", "-3"]
    columns = {"tree_id": [*"abcdefghi"], "height_m": written, "height_class": [None] * 8 + ["own"]}
    found = typed("tree", columns)
    trees = found.accepted["tree"]
    assert trees["height_m"].to_list() == [None] * 5 + [12.0] + [None] * 3
    assert trees["height_class"].to_list() == [*written[:5], None, None, None, "own"]
    assert found.rejected.select("rule", "detail").rows() == [
        ("not_a_number", "hoch"), ("out_of_range", "-3"), ("out_of_range", "1500"),
    ]  # fmt: skip


def test_the_year_of_planting_may_be_a_day_and_is_none_where_it_says_so(typed: Callable[..., Typed]) -> None:
    written = ["1965", "1965.0", "2011-11-02", "2011-11-02T00:00:00", "02.11.2011", "0", "9999", "1"]
    found = typed("tree", {"tree_id": [*"abcdefgh"], "planted_year": written})
    assert found.accepted["tree"]["planted_year"].to_list() == [
        1965,
        1965,
        2011,
        2011,
        2011,
        None,
        None,
        None,
    ]
    assert found.rejected.select("rule", "detail").rows() == [("out_of_range", "1")]


def test_a_clearance_in_metres_is_one_in_whole_centimetres(typed: Callable[..., Typed]) -> None:
    found = typed("parking_site", {"site_id": ["a", "b"], "max_height_cm": ["2,10 m", "195"]}, decimal=",")
    assert found.accepted["parking_site"]["max_height_cm"].to_list() == [210, 195]
