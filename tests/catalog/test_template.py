"""An address template reaches the window and the `each` lists, and nothing else."""

from __future__ import annotations

from datetime import date

import pytest

from civitas_assets.catalog import Window
from civitas_assets.catalog.template import check_combinations, expand, fill, find_unknown, list_names

WINDOW = Window(date(2026, 1, 30), date(2026, 2, 2))


def urls(template: str, **each: tuple[str, ...]) -> list[str]:
    return [expansion.url for expansion in expand(template, each, WINDOW, 100)]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("a", ["a"]),
        ("{month}", ["2026-01", "2026-02"]),
        ("{month:%m/%y}", ["01/26", "02/26"]),
        ("{year}", ["2026"]),
        ("{day}", ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02"]),
        ("{year}/{day:%d}", ["2026/30", "2026/31", "2026/01", "2026/02"]),
    ],
)
def test_a_template_stands_for_one_address_per_finest_period(template: str, expected: list[str]) -> None:
    assert urls(template) == expected


def test_every_combination_of_lists_and_periods_is_asked_for_once() -> None:
    found = [*expand("{town}/{kind}/{month:%m}", {"town": ("a", "b"), "kind": ("x",)}, WINDOW, 100)]
    assert [expansion.url for expansion in found] == ["a/x/01", "a/x/02", "b/x/01", "b/x/02"]
    assert found[2].variables == {"town": "b", "kind": "x"}


def test_values_are_quoted_in_addresses_and_plain_in_constants() -> None:
    assert urls("{place}", place=("Bad Säckingen/Süd?",)) == ["Bad%20S%C3%A4ckingen%2FS%C3%BCd%3F"]
    assert fill("{place}!", {"place": "Süd?"}) == "Süd?!"


def test_a_value_that_looks_like_a_placeholder_stays_text() -> None:
    assert urls("{a}/{b}", a=("{b}",), b=("1",)) == ["%7Bb%7D/1"]


def test_names_without_a_value_are_found_before_anything_is_fetched() -> None:
    assert list_names("{a}/{day:%d}/{b.c}/{0}") == ["a", "day", "b.c", "0"]
    assert find_unknown("{a}/{day}/{b.c}", ["a"], periods=True) == ["b.c"]
    assert find_unknown("{day}", [], periods=False) == ["day"]


def test_one_more_than_may_be_asked_for_is_made_and_no_further() -> None:
    each = {name: tuple(map(str, range(40))) for name in "abc"}
    assert check_combinations(each) is each
    found = [*expand("{a}/{b}/{c}/{day:%d}", each, WINDOW, 7)]
    assert len(found) == 8
    with pytest.raises(ValueError, match="stands for 2,560,000 combinations, over 100,000"):
        check_combinations(each | {"d": each["a"]})
