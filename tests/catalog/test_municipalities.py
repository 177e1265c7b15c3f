"""The list of municipalities answers for today's keys, and says of every other key what it may be."""

from __future__ import annotations

import re

import pytest

from civitas_assets.catalog.basis import is_key
from civitas_assets.catalog.municipalities import (
    FOLDER,
    find_municipality,
    has_key,
    list_ended_near,
    read_edition,
)
from civitas_assets.errors import MunicipalityError

ROWS = (FOLDER / "municipalities.csv").read_text(encoding="utf-8").splitlines()[1:]


def test_a_town_is_found_by_its_key_however_it_is_written() -> None:
    town = find_municipality("05515000")
    assert (town.name, town.short_name, town.slug) == ("Münster, Stadt", "Münster", "muenster")
    assert (town.kind, town.state) == ("Stadt", "Nordrhein-Westfalen")
    assert town.box is not None
    assert town.box[0] < 7.626 < town.box[2]
    assert town.box[1] < 51.962 < town.box[3]
    assert find_municipality("05 515 000") == town == find_municipality("055150000000")


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("5515000", "first nought is missing: did you mean 05515000 Münster"),
        ("05515", "did you mean 05515000 Münster"),
        ("05566", "Steinfurt has 24 of them"),
        ("16056000", "it was Eisenach, Stadt until the list of 2021, and is 16063105 Eisenach, Stadt"),
        ("03152001", "and is 03159001 Adelebsen"),
        ("01059014", "it was Brebel until the list of 2018, and its area is another's, which"),
        ("05515001", "did you mean 05515000 Münster"),
        ("99000009", "nothing is like it"),
        ("123", "3 digits instead of eight"),
        ("Münster", "write its eight digits"),
    ],
)  # fmt: skip
def test_a_key_that_is_none_of_today_is_explained(written: str, hint: str) -> None:
    with pytest.raises(MunicipalityError, match=re.escape(hint)):
        find_municipality(written)
    assert not has_key(written)


def test_the_list_is_whole_and_every_name_makes_a_key_for_a_tenant() -> None:
    keys = [row[:8] for row in ROWS]
    assert keys == sorted({*keys})
    assert {key[:2] for key in keys} == {f"{land:02}" for land in range(1, 17)}
    towns = [find_municipality(key) for key in keys]
    assert all(is_key(town.slug) and town.district and town.state for town in towns)
    assert 10_500 < len(towns) < 11_500
    without = [town.ags for town in towns if town.box is None]
    assert len(without) < 0.01 * len(towns)
    for town in towns:
        if town.box is not None and town.position is not None:
            west, south, east, north = town.box
            assert 5.8 < west <= town.position[0] <= east < 15.1, town
            assert 47.2 < south <= town.position[1] <= north < 55.1, town


def test_a_town_whose_neighbours_ended_since_the_boundaries_is_known() -> None:
    assert list_ended_near(find_municipality("01059080"))  # Steinfeld, beside what was Brebel
    assert list_ended_near(find_municipality("05515000")) == []


def test_the_edition_says_whom_to_name() -> None:
    edition = read_edition()
    assert re.fullmatch(r"\d{4}(-\d\d-\d\d)?", edition.keys_as_of)
    assert any("BKG" in source for source in edition.sources)
    assert any("Eurostat" in source for source in edition.sources)
