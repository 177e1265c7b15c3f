"""Patterns of written times: reading columns with them, and trying a pattern once before anything relies on it.

Directives are those of chrono, which Polars uses: https://docs.rs/chrono/latest/chrono/format/strftime/.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_DIRECTIVE = re.compile(r"%[-_0]?(\.\d?f|\df|[:#]*z|.)")
# Minutes beside a day or year, and a month behind hours: each is the other one's letter.
_MIXED = re.compile(r"%[-_0]?[dYy][-./]%[-_0]?M|^%[-_0]?M[-./]%[-_0]?[dYy]|%[-_0]?[HI][:.h]?%[-_0]?m")
# What clocks of the tenants' publishers call their offset; no other name is known to mean one offset only.
_NAMES = {
    r"UTC|GMT|WET|WEZ|Z": "+0000",
    r"CET|MEZ|WEST|WESZ": "+0100",
    r"CEST|MESZ|EET|OEZ": "+0200",
    r"EEST|OESZ": "+0300",
}
_SAMPLE = datetime(2026, 3, 4, 17, 5, 6)  # noqa: DTZ001 - of no zone; an afternoon, on a day that is no month


def list_directives(pattern: str) -> frozenset[str]:
    """What a pattern reads, without the modifiers for blanks and zeros: `{"d", "m", "Y", "z"}`."""
    return frozenset(_DIRECTIVE.findall(pattern))


def has_offset(pattern: str) -> bool:
    """Whether each time that the pattern reads carries its own offset, as a number or as the name of a zone."""
    return any(name.endswith("z") or name in {"Z", "+"} for name in list_directives(pattern))


def parse_wall_times(text: pl.Series, pattern: str) -> pl.Series:
    """Times without a zone; null where the text is not as the pattern says. Hours may come without minutes."""
    import polars as pl  # noqa: PLC0415 - slow to load, and no status needs it

    text, pattern = _with_minutes(text, _in_chrono(pattern))
    return text.str.strptime(pl.Datetime("us"), pattern, strict=False)


def parse_pattern_instants(text: pl.Series, pattern: str) -> pl.Series:
    """Times that carry their offset, as UTC; null where the text is not as the pattern says, or its zone not known."""
    import polars as pl  # noqa: PLC0415 - slow to load, and no status needs it

    text, pattern = _with_minutes(text, _in_chrono(pattern))
    if "Z" in list_directives(pattern) and not any(name.endswith("z") for name in list_directives(pattern)):
        for names, offset in _NAMES.items():
            text = text.str.replace(rf"(?i)(^|[^A-Z])(?:{names})($|[^A-Z])", f"${{1}}{offset}${{2}}")
        pattern = pattern.replace("%Z", "%z")
    return text.str.strptime(pl.Datetime("us", "UTC"), pattern, strict=False)


def check_time_pattern(pattern: str) -> str | None:
    """Why times cannot be read with the pattern, found by writing and reading one; None where they can."""
    import polars as pl  # noqa: PLC0415 - slow to load, and no status needs it

    if "f" in list_directives(_in_chrono(pattern)):
        return (
            "has %f, which counts billionths: write %.f for a fraction with its point, %3f for three digits"
        )
    if _MIXED.search(pattern):
        return "has %M, the minutes, among days, or %m, the month, behind hours: %Y-%m-%d %H:%M is meant"
    sample = pl.Series([_SAMPLE]).dt.replace_time_zone("UTC")
    try:
        written = sample.dt.to_string(_in_chrono(pattern))
        read = (
            parse_pattern_instants(written, pattern)
            if has_offset(pattern)
            else parse_wall_times(written, pattern)
        )
    except pl.exceptions.PolarsError:
        return "is no pattern that times are read with: it has an unknown directive, or %I without %p"
    if read[0] is not None and read[0].replace(tzinfo=None) in _roundings():
        return None
    return (
        f"does not read {written[0]}, which it wrote itself: it must name a day, or at least month and year"
    )


def _in_chrono(pattern: str) -> str:
    """Python's `%f` behind a point is what chrono writes as `%.f`."""
    return pattern.replace(".%f", "%.f")


def _with_minutes(text: pl.Series, pattern: str) -> tuple[pl.Series, str]:
    """Polars reads no hour without minutes."""
    read = list_directives(pattern)
    if read & {"H", "k", "I", "l"} and not read & {"M", "T", "R", "X", "c", "r", "s", "+"}:
        return text + "|00", f"{pattern}|%M"
    return text, pattern


def _roundings() -> set[datetime]:
    """The sample as patterns of all precisions read it."""
    found = {_SAMPLE, _SAMPLE.replace(second=0)}
    day = _SAMPLE.replace(minute=0, second=0)
    found |= {day, day.replace(hour=0), day.replace(hour=0, day=1), day.replace(hour=0, day=1, month=1)}
    return found
