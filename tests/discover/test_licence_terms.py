"""Licences as catalogues write them are mapped where it is clear which one is meant, and never guessed."""

from __future__ import annotations

import pytest

from civitas_assets.catalog.licence import LICENCES
from civitas_assets.dcat.controlled_terms import LICENCE, LICENCE_CODES
from civitas_assets.discover.licence_terms import find_licence


@pytest.mark.parametrize(
    ("written", "licence"),
    [
        ("https://creativecommons.org/licenses/by/4.0/deed.de", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by-sa/4.0/", "CC-BY-SA-4.0"),
        ("https://creativecommons.org/licenses/by/3.0/de/", "CC-BY-3.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/legalcode", "CC0-1.0"),
        ("http://publications.europa.eu/resource/authority/licence/CC_BY_4_0", "CC-BY-4.0"),
        ("Creative Commons Namensnennung 4.0 International (CC BY 4.0)", "CC-BY-4.0"),
        ("dl-de-by-2.0", "dl-de/by-2-0"),
        ("https://www.govdata.de/dl-de/by-2-0", "dl-de/by-2-0"),
        ("Datenlizenz Deutschland – Namensnennung – Version 2.0", "dl-de/by-2-0"),
        ("Datenlizenz Deutschland - Zero - Version 2.0", "dl-de/zero-2-0"),
        ("odc-odbl", "ODbL-1.0"),
        ("https://opendatacommons.org/licenses/pddl/1-0/", "PDDL-1.0"),
    ],
)
def test_what_is_clear_is_mapped(written: str, licence: str) -> None:
    assert find_licence(written) == licence


@pytest.mark.parametrize(
    "written",
    [
        "", "cc-by", "other-open", "notspecified", "dl-de-by-1.0", "http://dcat-ap.de/def/licenses/dl-by-de/1.0",
        "https://creativecommons.org/licenses/by-nc/4.0/", "https://creativecommons.org/licenses/by-nd/4.0/",
        "http://dcat-ap.de/def/licenses/cc-by-nc/4.0", "OGL-J-1.0",
    ],
)  # fmt: skip
def test_what_is_another_or_not_clear_is_none(written: str) -> None:
    assert find_licence(written) is None


def test_the_terms_by_which_our_own_catalogue_names_licences_lead_back_to_them() -> None:
    for licence, code in LICENCE_CODES.items():
        expected = None if licence == "CC-BY-3.0" else licence  # its term says no version
        assert find_licence(f"{LICENCE}/{code}") == expected
    for name, terms in LICENCES.items():
        if terms.address:
            assert find_licence(terms.address) == name
            assert find_licence(name) == name
