"""A dataset concerns a town by its codes first, then by place and publisher; names alone are told as a doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from civitas_assets.catalog import Tenant
from civitas_assets.discover.dataset import Dataset
from civitas_assets.discover.relevance import find_relevance, get_short_name, is_own_catalogue

PLAIN = Dataset("1", "Spielplätze")
HERE, COUNTRY, FAR = (10.0, 51.0, 10.05, 51.05), (5.8, 47.2, 15.1, 55.1), (7.0, 52.0, 7.1, 52.1)


@pytest.mark.parametrize(
    ("change", "score"),
    [
        ({"keys": frozenset({"99000009"})}, 5),
        ({"keys": frozenset({"99000010"}), "publisher": "Neustadt"}, 0),
        ({"publisher": "Stadt Neustadt", "box": HERE}, 4),
        ({"publisher": "Stadt Neustadt"}, 3),
        ({"title": "Spielplätze Neustadt", "box": HERE}, 4),
        ({"box": HERE}, 2),
        ({"title": "Spielplätze in Neustadt"}, 2),
        ({"title": "Spielplätze in Neustadt", "box": FAR}, 0),
        ({"title": "Spielplätze in Neustadt", "box": COUNTRY}, 2),
        ({"keywords": ("Neustadt",)}, 2),
        ({"description": "Auch aus Neustadt."}, 1),
        ({"box": COUNTRY}, 0),
        ({"title": "Neustadtfest", "description": "neustadt"}, 0),
        ({}, 0),
    ],
)
def test_the_strongest_sign_counts(change: dict[str, Any], score: int, town: Tenant) -> None:
    found = find_relevance(replace(PLAIN, **change), town, is_own=False)
    assert found.score == score, found.reason
    assert bool(found.doubt) == (score in {1, 2} and change.get("box") != HERE)


def test_all_of_the_towns_own_catalogue_is_the_towns_unless_it_is_coded_for_another(town: Tenant) -> None:
    assert find_relevance(PLAIN, town, is_own=True).score == 4
    other = replace(PLAIN, keys=frozenset({"99000010"}))
    assert find_relevance(other, town, is_own=True).score == 0


@pytest.mark.parametrize(
    ("name", "address", "is_own"),
    [
        ("Neustadt", "https://opendata.neustadt.example/", True),
        ("Stadt Münster", "https://opendata.stadt-muenster.example/api/3", True),
        ("Münster (Hessen)", "https://daten.muenster-hessen.example", True),
        ("Bad Neustadt", "https://bad-neustadt.example", True),
        ("Neustadt", "https://land.example/neustadt", False),
        ("Au", "https://haus.example", False),
    ],
)
def test_a_catalogue_is_the_towns_own_by_its_host(name: str, address: str, is_own: bool) -> None:
    tenant = Tenant.model_validate({"name": name, "ags": "99000009", "bbox": (9.95, 50.95, 10.1, 51.1)})
    assert is_own_catalogue(address, tenant) == is_own


def test_the_short_name_is_what_people_search_for() -> None:
    assert [*map(get_short_name, ("Stadt Münster", "Münster, Stadt", "Münster (Hessen)", "Marktredwitz"))] == [
        "Münster", "Münster", "Münster", "Marktredwitz",
    ]  # fmt: skip
