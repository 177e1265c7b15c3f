"""Patterns of tenants' files: what they match, and that only such are taken as end in time."""

from __future__ import annotations

import pytest

from civitas_assets.records.linear import check_linear_pattern, find_match, is_match, match_groups


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        (r"(?P<id>\d+)_Fahrten", None),
        (r"(?i)summe|gesamt", None),
        ("(", "is not a regular expression"),
        (r"(?=a)b", "ends in time"),
        (r"(a)\1", "ends in time"),
        (r"((a{1000}){1000}){1000}", "ends in time"),
        ("a" * 1001, "over 1000 characters"),
    ],
)
def test_a_pattern_is_taken_where_it_ends_in_time(pattern: str, fault: str | None) -> None:
    found = check_linear_pattern(pattern)
    assert (found is None) if fault is None else (found is not None and fault in found)


def test_a_name_is_matched_as_a_whole_and_its_groups_are_named() -> None:
    assert match_groups(r"(?P<datastream_id>\w+) \((?P<unit>.+)\)", "Zähler (1/h)") == {
        "datastream_id": "Zähler",
        "unit": "1/h",
    }
    assert match_groups(r"Wert( (?P<nr>\d))?", "Wert") == {"nr": None}
    assert match_groups(r"\w+", "Wert 1") is None
    assert is_match("Straße", "Straße")
    assert not is_match("a", "a\n")


def test_what_is_found_in_a_text_is_the_first_group_or_the_match() -> None:
    assert find_match(r"^Stand: (\S+)$", "Liste\nStand: 2026\n") == "2026"
    assert find_match(r"\d{4}", "https://data.example/2026-08.csv") == "2026"
    assert find_match(r"(x)?\d", "1") == ""
    assert find_match(r"\d", "nothing") is None
