"""Axes of charts: round ticks around values, places on a line, and the days of a window.

Ticks are whole numbers of steps, so that a tick is written without what floating-point numbers add to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil, floor, log10
from typing import TypeGuard

from civitas_assets.report.language import Language

_MOST_STEPS = 5
# Beyond that sums of two numbers overflow; what is nearer to zero than its inverse is drawn as zero.
_LARGEST = 1e250
_FLAT = 1e-9
# Numbers with more digits before or after the point are written with a power of ten.
_MOST_DIGITS, _MOST_DECIMALS = 8, 4
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Ticks:
    """The ticks of a scale, from `first` to `last` times `factor` by the power of ten."""

    first: int
    last: int
    factor: int
    power: int

    @property
    def numbers(self) -> Sequence[int]:
        """Which multiples of the step."""
        return range(self.first, self.last + 1)

    def value(self, number: int) -> float:
        """The value of a tick."""
        scaled = number * self.factor
        return scaled * 10.0**self.power if self.power >= 0 else scaled / 10.0**-self.power

    @property
    def values(self) -> list[float]:
        """All values, in order."""
        return [self.value(number) for number in self.numbers]

    @property
    def low(self) -> float:
        """The first value."""
        return self.value(self.first)

    @property
    def high(self) -> float:
        """The last value."""
        return self.value(self.last)

    def labels(self, language: Language) -> list[str]:
        """The ticks as a language writes them, all with as many decimals, or by the same power of ten."""
        digits = len(str(max(abs(self.first), abs(self.last)) * self.factor))
        if digits + self.power <= _MOST_DIGITS and -self.power <= _MOST_DECIMALS:
            return [language.format_number(value, max(0, -self.power)) for value in self.values]
        power = digits + self.power - 1
        suffix = f"·10{str(power).translate(_SUPERSCRIPTS)}"
        return [
            language.format_number(n * self.factor / 10 ** (digits - 1), digits - 1) + suffix if n else "0"
            for n in self.numbers
        ]


def find_ticks(values: Iterable[float], *, with_zero: bool = False, whole: bool = False) -> Ticks:
    """Up to seven round ticks around all values, whole ones for what is counted.

    Without values they go from zero to one; values that are all the same get a tenth of themselves on either side.
    """
    known = [value for value in values if is_drawable(value)]
    if with_zero or not known:
        known.append(0.0)
    low, high = min(known), max(known)
    largest = max(-low, high)
    if largest < 1 / _LARGEST:
        low, high = 0.0, 1.0
    elif high - low < _FLAT * largest:
        low, high = low - largest / 10, high + largest / 10
    least = (high - low) / _MOST_STEPS
    factor, power = _step(max(least, 1.0) if whole else least)
    step = Ticks(0, 1, factor, power).high
    return Ticks(floor(low / step + _FLAT), ceil(high / step - _FLAT), factor, power)


def is_drawable(value: float | None) -> TypeGuard[float]:
    """Whether there is a value that has a place on an axis."""
    return value is not None and abs(value) < _LARGEST


def _step(least: float) -> tuple[int, int]:
    """The least step of 1, 2 or 5 times a power of ten that is no shorter."""
    power = floor(log10(least))
    share = least / 10.0**power
    factor = next((factor for factor in (1, 2, 5) if share <= factor * (1 + _FLAT)), 10)
    return (1, power + 1) if factor == 10 else (factor, power)


@dataclass(frozen=True)
class Scale:
    """Values between two ends, on a line between two places; it may run backwards."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Where a value is."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


@dataclass(frozen=True)
class DayScale:
    """The days of a window on a line; all are equally long, as clocks on walls show them."""

    first: date
    last: date
    start: float
    end: float

    @property
    def width(self) -> float:
        """Of one day."""
        return (self.end - self.start) / ((self.last - self.first).days + 1)

    def place(self, at: datetime) -> float:
        """Where a time of the wall clock is."""
        return self.start + (at - datetime.combine(self.first, time())) / timedelta(days=1) * self.width

    def middle(self, day: date) -> float:
        """Where noon of a day is."""
        return self.place(datetime.combine(day, time(12)))

    @property
    def weeks(self) -> list[date]:
        """The last day, and those a whole number of weeks before it, in order."""
        count = (self.last - self.first).days // 7
        return [self.last - timedelta(days=7 * n) for n in range(count, -1, -1)]
