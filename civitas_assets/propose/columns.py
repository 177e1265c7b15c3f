"""What a column's values say of it: numbers and how they are written, times, positions, texts that mean nothing.

What the column is called is held against the vocabulary elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from civitas_assets.propose.vocabulary import nulls, sentinels

_POINT = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?")
_HAS_COMMA = re.compile(r"[+-]?[\d.]*\d,\d+")
_WKT = re.compile(
    r"(SRID=\d+;)?\s*(MULTI)?(POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\s*(Z|M|ZM)?\s*\(", re.IGNORECASE
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_MOST = 0.9  # of the values: a file may hold a few broken rows
_SECONDS, _MILLISECONDS = (946_684_800, 4_102_444_800), (946_684_800_000, 4_102_444_800_000)

# Pattern of the text, format of the rule, zone that is likely, and why that is not sure.
_LOCAL = "written without an offset: the tenant's wall clock, or utc, or cet_fixed?"
_TIMES: Sequence[tuple[re.Pattern[str], str, str, str]] = tuple(
    (re.compile(pattern), form, zone, doubt)
    for pattern, form, zone, doubt in (
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|[+-]\d\d:?\d\d)", "iso", "offset", ""),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?", "iso", "local_wall", _LOCAL),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "%Y-%m-%d %H:%M:%S", "local_wall", _LOCAL),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+", "%Y-%m-%d %H:%M:%S%.f", "local_wall", _LOCAL),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d", "%Y-%m-%d %H:%M", "local_wall", _LOCAL),
        (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "%Y/%m/%d %H:%M:%S", "local_wall", _LOCAL),
        (r"\d{4}/\d\d/\d\d \d\d:\d\d", "%Y/%m/%d %H:%M", "local_wall", _LOCAL),
        (r"\d\d?\.\d\d?\.\d{4} \d\d?:\d\d:\d\d", "%d.%m.%Y %H:%M:%S", "local_wall", _LOCAL),
        (r"\d\d?\.\d\d?\.\d{4},? \d\d?:\d\d", "%d.%m.%Y %H:%M", "local_wall", _LOCAL),
        (r"\d\d?\.\d\d?\.\d{4}", "%d.%m.%Y", "local_wall", "days without an hour: do values stand for the whole day?"),
        (r"\d\d?/\d\d?/\d{4} \d\d?:\d\d", "%d/%m/%Y %H:%M", "local_wall", "day before month? " + _LOCAL),
        (r"\d{4}-\d\d-\d\d", "iso", "local_wall", "days without an hour: do values stand for the whole day?"),
        (r"(19|20)\d\d(/(19|20)\d\d|-Q[1-4]|-\d\d)?", "period", "local_wall", ""),
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
class Column:
    """One column of a sample: the path or name by which it is read, and its values as they came."""

    name: str
    values: tuple[Any, ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The values that are there, as text."""
        given = (value for value in self.values if value is not None and not isinstance(value, dict | list))
        found = (str(value).lower() if isinstance(value, bool) else str(value).strip() for value in given)
        return tuple(text for text in found if text)

    @cached_property
    def nothings(self) -> tuple[str, ...]:
        """Texts and numbers among the values that mean none, where all others are numbers or times."""
        words = {*self.texts} & {*nulls()}
        rest = [text for text in self.texts if text not in words]
        if not rest or not (_mostly(rest, _POINT) or _mostly(rest, _COMMA)):
            return ()
        numbers = {*rest} & {*sentinels()}
        others = [number for text in rest if text not in numbers and (number := _number(text)) is not None]
        # A sentinel lies apart from the values; -99 among temperatures of a liquid gas would not.
        apart = {t for t in numbers if others and not min(others) <= float(t) <= max(others)}
        return tuple(sorted(words | apart))

    @cached_property
    def meant(self) -> tuple[str, ...]:
        """The texts without those that mean nothing."""
        return tuple(text for text in self.texts if text not in {*nulls(), *self.nothings})

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers, with a point or a comma."""
        return bool(self.meant) and (_mostly(self.meant, _POINT) or _mostly(self.meant, _COMMA))

    @property
    def has_comma(self) -> bool:
        """Whether numbers are written with a decimal comma."""
        return self.is_number and any(_HAS_COMMA.fullmatch(text) for text in self.meant)

    @property
    def has_point(self) -> bool:
        """Whether numbers are written with a decimal point."""
        return self.is_number and any("." in text and "," not in text for text in self.meant)

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The values that are numbers."""
        return tuple(number for text in self.meant if (number := _number(text)) is not None)

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
        pairs = (_NUMBER.findall(text.partition("(")[2])[:2] for text in self.meant)
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
        whole = [int(number) for number in self.numbers if number == int(number)]
        if len(whole) == len(self.meant):
            for (low, high), form in ((_SECONDS, "epoch_s"), (_MILLISECONDS, "epoch_ms")):
                if all(low <= number <= high for number in whole):
                    return Written(form, "utc")
        return None


def _mostly(texts: Sequence[str], pattern: re.Pattern[str]) -> bool:
    return sum(pattern.fullmatch(text) is not None for text in texts) >= _MOST * len(texts)


def _number(text: str) -> float | None:
    if _POINT.fullmatch(text):
        return float(text)
    if _COMMA.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    return None
