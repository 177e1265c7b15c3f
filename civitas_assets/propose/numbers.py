"""How the numbers of a column are written: with a point, a comma, thousands apart, or so that nobody can tell.

Only what the values prove is taken for granted: `1.234` alone is a small number or a large one.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence

_WHOLE = re.compile(r"[+-]?\d+")
_POINT_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_COMMA_GROUP = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_GERMAN = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+,\d+|[+-]?[1-9]\d{0,2}(\.\d{3}){2,}")
_ENGLISH = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+\.\d+|[+-]?[1-9]\d{0,2}(,\d{3}){2,}")
_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
_GROUPED_FROM = 1000


class Notation(enum.Enum):
    """How numbers are written, as far as they prove it."""

    WHOLE = "whole"  # digits only
    POINT = "decimal point"
    COMMA = "decimal comma"
    POINT_GROUPS = "thousands with a point"
    POINT_OR_GROUPS = "a point before three digits"
    COMMA_OR_GROUPS = "a comma before three digits"
    COMMA_GROUPS = "thousands with a comma"  # which no setting reads
    MIXED = "both signs"


# By whether there are decimal commas, and decimal points.
_TOLD = {(True, True): Notation.MIXED, (True, False): Notation.COMMA, (False, True): Notation.POINT}


def detect_notation(texts: Sequence[str]) -> Notation:
    """How these numbers are written; texts that are no numbers do not count."""
    forms = {form for text in texts if (form := _form(text)) is not None}
    told = _TOLD.get((bool({"comma", "german"} & forms), bool({"point", "english"} & forms)))
    if told is not None:
        if told is Notation.POINT and "english" in forms:
            return Notation.COMMA_GROUPS
        has_decimals = told is Notation.POINT or any("," in text for text in texts)
        return told if has_decimals else Notation.POINT_GROUPS
    whole = [abs(float(text)) for text in texts if _WHOLE.fullmatch(text)]
    # Small ones written in full beside them: decimals would not all have three places, or none.
    small = bool(whole) and max(whole) < _GROUPED_FROM
    if "point group" in forms:
        return Notation.POINT_GROUPS if small else Notation.POINT_OR_GROUPS
    if "comma group" in forms:
        return Notation.COMMA_GROUPS if small else Notation.COMMA_OR_GROUPS
    return Notation.WHOLE


def _form(text: str) -> str | None:
    for name, pattern in _FORMS:
        if pattern.fullmatch(text):
            return name
    return None


_FORMS = (
    ("whole", _WHOLE),
    ("point group", _POINT_GROUP),
    ("comma group", _COMMA_GROUP),
    ("german", _GERMAN),
    ("english", _ENGLISH),
    ("point", _POINT),
    ("comma", _COMMA),
)


def is_number(text: str) -> bool:
    """Whether it is written as a number in any of these ways."""
    return _form(text) is not None


def read_number(text: str, notation: Notation) -> float | None:
    """The number that a text stands for in that notation; None where it is none."""
    form = _form(text)
    if form is None:
        return None
    if form == "german" or (form == "point group" and notation in {Notation.COMMA, Notation.POINT_GROUPS}):
        return float(text.replace(".", "").replace(",", "."))
    if form == "english" or (form == "comma group" and notation is Notation.COMMA_GROUPS):
        return float(text.replace(",", ""))
    return float(text.replace(",", "."))


def is_read_with(notation: Notation, decimal: str) -> bool:
    """Whether the connectors read numbers of that notation as they are meant, with the decimal sign."""
    if notation is Notation.WHOLE:
        return True
    if decimal == ",":
        return notation in {Notation.COMMA, Notation.POINT_GROUPS, Notation.COMMA_OR_GROUPS}
    return notation in {Notation.POINT, Notation.POINT_OR_GROUPS}
