"""A tenant of an official key has what the list says, and what somebody says instead; a fictional town needs it all."""

from __future__ import annotations

import re

import pytest

from civitas_assets.catalog.geography import Box
from civitas_assets.catalog.newcomer import make_newcomer
from civitas_assets.catalog.starter import TenantTemplate
from civitas_assets.errors import MunicipalityError

HERE = (9.4, 51.5, 9.7, 51.7)


def draft(
    written: str, name: str | None = None, ags: str | None = None, bbox: Box | None = None
) -> tuple[TenantTemplate, list[str]]:
    return make_newcomer(written, name, ags, bbox, "Europe/Berlin", "duckdb", takes_defaults=False)


def test_an_official_key_is_enough() -> None:
    town, remarks = draft("05515000")
    assert (town.slug, town.name, town.ags) == ("muenster", "Münster", "05515000")
    assert town.bbox == pytest.approx((7.473, 51.84, 7.775, 52.061), abs=0.01)
    assert remarks == []
    head = town.render().splitlines()[:3]
    assert "05515000 Münster, Stadt" in head[1]
    assert "BKG" in head[2]


def test_a_key_of_ones_own_takes_the_rest_from_the_list() -> None:
    town, _ = draft("ms", "Stadt Münster", "05515000")
    assert (town.slug, town.name) == ("ms", "Stadt Münster")
    other, _ = draft("ms", None, "05515000", HERE)
    assert other.bbox == HERE
    assert "BKG" not in other.render()


def test_a_fictional_town_is_taken_as_it_is_written_and_told() -> None:
    town, remarks = draft("neustadt", "Neustadt", "99000009", HERE)
    assert (town.ags, town.bbox, town.notes) == ("99000009", HERE, ())
    assert "99000009 is not in the list" in remarks[0]


def test_a_box_that_may_be_too_small_is_told_in_the_file_too() -> None:
    town, remarks = draft("01059080")
    assert "unsure: the box is of 2016-01-01" in remarks[0]
    assert f"# {remarks[0]}" in town.render()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("06633030",), "say where it is with --bbox"),
        (("neustadt",), "civitas tenant add AGS"),
        (("05515000", None, "05515000"), "leave out --ags"),
        (("eisenach", None, "16056000"), "is 16063105"),
        (("neustadt", "Neustadt", "99000009"), "nothing is like it"),
    ],
)
def test_what_is_missing_or_wrong_is_said(arguments: tuple[str, ...], hint: str) -> None:
    with pytest.raises(MunicipalityError, match=re.escape(hint)):
        draft(*arguments)


def test_a_town_younger_than_the_boundaries_gets_its_box_from_whoever_adds_it() -> None:
    town, _ = draft("06633030", bbox=HERE)
    assert (town.slug, town.bbox) == ("wesertal", HERE)
