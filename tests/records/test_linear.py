"""Patterns of tenants' files: what they match, and that only such are taken as end in time."""

from __future__ import annotations

import pytest

from civitas_assets.records.linear import fault_of, found_in, groups_of, matches


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
    found = fault_of(pattern)
    assert (found is None) if fault is None else (found is not None and fault in found)


def test_a_name_is_matched_as_a_whole_and_its_groups_are_named() -> None:
    assert groups_of(r"(?P<datastream_id>\w+) \((?P<unit>.+)\)", "Zähler (1/h)") == {
        "datastream_id": "Zähler",
        "unit": "1/h",
    }
    assert groups_of(r"Wert( (?P<nr>\d))?", "Wert") == {"nr": None}
    assert groups_of(r"\w+", "Wert 1") is None
    assert matches("Straße", "Straße")
    assert not matches("a", "a\n")


def test_what_is_found_in_a_text_is_the_first_group_or_the_match() -> None:
    assert found_in(r"^Stand: (\S+)$", "Liste\nStand: 2026\n") == "2026"
    assert found_in(r"\d{4}", "https://data.example/2026-08.csv") == "2026"
    assert found_in(r"(x)?\d", "1") == ""
    assert found_in(r"\d", "nothing") is None
