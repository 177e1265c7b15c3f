"""What a column's values say of it: numbers and how they are written, times, positions, texts that mean nothing.

What the column is called is held against the vocabulary elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from civitas_assets.propose.concept_vocabulary import list_nulls, list_sentinels
from civitas_assets.propose.numbers import Notation, detect_notation, is_number, read_number

_WKT = re.compile(
    r"(SRID=\d+;)?\s*(MULTI)?(POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\s*(Z|M|ZM)?\s*\(", re.IGNORECASE
)
_COORDINATE = re.compile(r"-?\d+(?:\.\d+)?")
_MARK = re.compile(r"[A-Z0-9_./-]{1,6}|[a-z]|true|false|ja|nein|yes|no", re.ASCII)
_MOST = 0.9  # of the values: a file may hold a few broken rows
_SECONDS, _MILLISECONDS = (946_684_800, 4_102_444_800), (946_684_800_000, 4_102_444_800_000)

# Pattern of the text, format of the rule, zone that is likely, and why that is not sure.
LOCAL = "written without an offset: the tenant's wall clock, or utc, or cet_fixed?"
_ORDER = "day before month, or the other way? "
_DAY = "days without an hour: do values stand for the whole day?"
_TIMES: Sequence[tuple[re.Pattern[str], str, str, str]] = tuple(
    (re.compile(pattern), form, zone, doubt)
    for pattern, form, zone, doubt in (
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|[+-]\d\d:?\d\d)", "iso", "offset", ""),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?", "iso", "local_wall", LOCAL),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "%Y-%m-%d %H:%M:%S", "local_wall", LOCAL),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+", "%Y-%m-%d %H:%M:%S%.f", "local_wall", LOCAL),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d", "%Y-%m-%d %H:%M", "local_wall", LOCAL),
        (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "%Y/%m/%d %H:%M:%S", "local_wall", LOCAL),
        (r"\d{4}/\d\d/\d\d \d\d:\d\d", "%Y/%m/%d %H:%M", "local_wall", LOCAL),
        (r"\d\d?\.\d\d?\.\d{4} \d\d?:\d\d:\d\d", "%d.%m.%Y %H:%M:%S", "local_wall", LOCAL),
        (r"\d\d?\.\d\d?\.\d{4},? \d\d?:\d\d", "%d.%m.%Y %H:%M", "local_wall", LOCAL),
        (r"\d\d?\.\d\d?\.\d{4}", "%d.%m.%Y", "local_wall", _DAY),
        (r"\d\d?\.\d\d?\.\d\d", "%d.%m.%y", "local_wall", _DAY),
        (r"(0?[1-9]|1\d|2\d|3[01])/(0?[1-9]|1[0-2])/\d{4} \d\d?:\d\d", "%d/%m/%Y %H:%M", "local_wall", _ORDER + LOCAL),
        (r"(0?[1-9]|1[0-2])/\d\d?/\d{4} \d\d?:\d\d", "%m/%d/%Y %H:%M", "local_wall", _ORDER + LOCAL),
        (r"\d\d?\.\d\d?\.\d\d \d\d?:\d\d", "%d.%m.%y %H:%M", "local_wall", LOCAL),
        (r"\d{4}-\d\d-\d\d", "iso", "local_wall", _DAY),
        (r"\d{4}/\d\d/\d\d", "%Y/%m/%d", "local_wall", _DAY),
        (r"(19|20)\d\d(/(19|20)\d\d|-Q[1-4]|-\d\d)?", "period", "local_wall", ""),
        (r"20\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d", "%Y%m%d%H%M", "local_wall", LOCAL),
        (r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", "%Y%m%d", "local_wall", _DAY),
        (r"\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", "%y%m%d", "local_wall", _DAY),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """How the times of a column are written; `doubt` is what has to be looked at."""

    format: str
    zone: str
    doubt: str = ""
    hour24: bool = False


@dataclass(frozen=True)
class SampleColumn:
    """One column of a sample: the path or name by which it is read, and its values as they came.

    `typed` says that numbers are numbers in the file, whatever text stands for them here.
    """

    name: str
    values: tuple[Any, ...]
    typed: bool = False

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The values that are there, as text."""
        given = (value for value in self.values if value is not None and not isinstance(value, dict | list))
        found = (str(value).lower() if isinstance(value, bool) else str(value).strip() for value in given)
        return tuple(text for text in found if text)

    @cached_property
    def nothings(self) -> tuple[str, ...]:
        """Texts and numbers among the values that mean none, where all others are numbers or times."""
        words = {*self.texts} & {*list_nulls()}
        rest = [text for text in self.texts if text not in words]
        if not rest or not _mostly_numbers(rest):
            return ()
        numbers, notation = {*rest} & {*list_sentinels()}, detect_notation(rest)
        others = [
            n for text in rest if text not in numbers and (n := read_number(text, notation)) is not None
        ]
        # A sentinel lies apart from the values; -99 among temperatures of a liquid gas would not.
        apart = {t for t in numbers if others and not min(others) <= float(t) <= max(others)}
        return tuple(sorted(words | apart))

    @cached_property
    def meant(self) -> tuple[str, ...]:
        """The texts without those that mean nothing."""
        return tuple(text for text in self.texts if text not in {*list_nulls(), *self.nothings})

    @cached_property
    def is_number(self) -> bool:
        """Whether the values are numbers in a notation that can be read."""
        return self.looks_like_number and self.notation is not Notation.COMMA_GROUPS

    @cached_property
    def looks_like_number(self) -> bool:
        """Whether the values are numbers, however they are written."""
        return bool(self.meant) and _mostly_numbers(self.meant)

    @cached_property
    def notation(self) -> Notation:
        """How its numbers are written; those that came as numbers are written in no way that matters."""
        if self.typed or any(isinstance(value, int | float) for value in self.values):
            return Notation.WHOLE
        return detect_notation(self.meant)

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The values that are numbers."""
        found = (read_number(text, self.notation) for text in self.meant)
        return tuple(number for number in found if number is not None)

    @cached_property
    def decimals(self) -> tuple[float, ...]:
        """The same, where a single sign before three digits is taken for the decimal sign."""
        notation = Notation.POINT if self.notation is Notation.POINT_GROUPS else self.notation
        found = (read_number(text, notation) for text in self.meant)
        return tuple(number for number in found if number is not None)

    @property
    def is_whole(self) -> bool:
        """Whether all its numbers are whole."""
        return all(number.is_integer() for number in self.numbers)

    @property
    def is_constant(self) -> bool:
        """Whether all rows, and there are several, have the same."""
        return len(self.values) > 1 and len({*self.texts}) <= 1

    @property
    def is_code(self) -> bool:
        """Whether its values are numbers, flags or short marks that many rows share: no names that people read."""
        distinct = {*self.meant}
        if not distinct or all(is_number(text) for text in distinct):
            return True
        shared = len(distinct) <= len(self.meant) / 2 and len(self.meant) > len(distinct)
        return shared and all(_MARK.fullmatch(text) for text in distinct)

    @property
    def is_unique(self) -> bool:
        """Whether each row has another value."""
        return len({*self.texts}) == len(self.values) > 0

    @property
    def is_geometry(self) -> bool:
        """Whether the values are well-known text."""
        return bool(self.meant) and all(_WKT.match(text) for text in self.meant)

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """The first position of each well-known text."""
        pairs = (_COORDINATE.findall(text.partition("(")[2])[:2] for text in self.meant)
        return tuple((float(pair[0]), float(pair[1])) for pair in pairs if len(pair) == 2)

    @cached_property
    def written(self) -> Written | None:
        """How its values are written if they are times; None if they are not."""
        if not self.meant:
            return None
        hour24 = any(re.search(r"\b24:00", text) for text in self.meant)
        for pattern, form, zone, doubt in _TIMES:
            if _mostly(self.meant, pattern):
                return Written(form, zone, doubt, hour24)
        whole = [number for number in self.numbers if number.is_integer()]
        if len(whole) == len(self.meant):
            for (low, high), form in ((_SECONDS, "epoch_s"), (_MILLISECONDS, "epoch_ms")):
                if all(low <= number <= high for number in whole):
                    return Written(form, "utc")
        return None


def _mostly(texts: Sequence[str], pattern: re.Pattern[str]) -> bool:
    return sum(pattern.fullmatch(text) is not None for text in texts) >= _MOST * len(texts)


def _mostly_numbers(texts: Sequence[str]) -> bool:
    return sum(map(is_number, texts)) >= _MOST * len(texts)
