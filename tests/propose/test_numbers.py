"""A point before three digits is thousands only where the other values prove it; else nobody can tell."""

from __future__ import annotations

import pytest

from civitas_assets.propose.numbers import Notation, detect_notation, is_read_with, read_number
from civitas_assets.propose.sample_columns import SampleColumn


@pytest.mark.parametrize(
    ("texts", "notation"),
    [
        (["1.234", "987", "1.100"], Notation.POINT_GROUPS),
        (["1.234.567", "12"], Notation.POINT_GROUPS),
        (["1.234,5", "12"], Notation.COMMA),
        (["12,5", "1.234"], Notation.COMMA),
        (["1.234", "2.345"], Notation.POINT_OR_GROUPS),
        (["1.234", "1234"], Notation.POINT_OR_GROUPS),
        (["1.234", "0.987"], Notation.POINT),
        (["1.234", "2.5"], Notation.POINT),
        (["1234.567"], Notation.POINT),
        (["1,234", "2,345"], Notation.COMMA_OR_GROUPS),
        (["1,234.5"], Notation.COMMA_GROUPS),
        (["1,234", "987"], Notation.COMMA_GROUPS),
        (["1,5", "2.5"], Notation.MIXED),
        (["12", "1e3"], Notation.POINT),
        (["12", "-3"], Notation.WHOLE),
        (["-1.234", "+987"], Notation.POINT_GROUPS),
        (["9" * 400], Notation.WHOLE),
        (["text"], Notation.WHOLE),
    ],
)
def test_only_what_the_values_prove_is_taken_for_granted(texts: list[str], notation: Notation) -> None:
    assert detect_notation(texts) is notation


@pytest.mark.parametrize(
    ("text", "notation", "number"),
    [
        ("1.234", Notation.POINT_GROUPS, 1234),
        ("1.234", Notation.COMMA, 1234),
        ("1.234", Notation.POINT_OR_GROUPS, 1.234),
        ("1.234,5", Notation.COMMA, 1234.5),
        ("1,234", Notation.COMMA_OR_GROUPS, 1.234),
        ("1,234", Notation.COMMA_GROUPS, 1234),
        ("x", Notation.POINT, None),
    ],
)
def test_numbers_are_those_that_are_meant(text: str, notation: Notation, number: float | None) -> None:
    assert read_number(text, notation) == number


def test_what_a_decimal_sign_reads_is_known() -> None:
    assert is_read_with(Notation.POINT_GROUPS, ",")
    assert not is_read_with(Notation.POINT_GROUPS, ".")
    assert not is_read_with(Notation.COMMA_GROUPS, ",")


def test_numbers_of_json_and_sheets_need_no_notation() -> None:
    assert SampleColumn("a", (1.234, 987)).notation is Notation.WHOLE
    assert SampleColumn("a", ("1.234", "987"), typed=True).numbers == (1.234, 987.0)


@pytest.mark.parametrize(
    ("values", "is_code"),
    [
        (("1", "2"), True),
        (("A", "B", "A", "B"), True),
        (("ja", "nein", "ja", "ja"), True),
        (("P1", "P2"), False),
        (("Markt", "Dom", "Markt", "Dom"), False),
    ],
)
def test_codes_are_no_names(values: tuple[str, ...], *, is_code: bool) -> None:
    assert SampleColumn("a", values).is_code is is_code
