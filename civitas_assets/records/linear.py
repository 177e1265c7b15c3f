"""Regular expressions of tenants' files, matched in a time that only grows with the text: by the engine of Polars.

Python's own engine tries every way to match, which for some patterns takes for ever. This one has neither lookaround
nor backreferences: https://docs.rs/regex/latest/regex/#syntax.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

import polars as pl

_LONGEST = 1000


def check_linear_pattern(pattern: str) -> str | None:
    """Why that is no pattern, None where it is one."""
    if len(pattern) > _LONGEST:
        return f"is a pattern of over {_LONGEST} characters"
    try:
        re.compile(pattern)
        pl.Series([""]).str.contains(pattern)
    except (re.error, RecursionError) as error:
        return f"is not a regular expression: {error}"
    except pl.exceptions.ComputeError:
        return "is not a regular expression that ends in time: leave out lookaround, backreferences and large counts"
    return None


def is_match(pattern: str, text: str) -> bool:
    """Whether the pattern matches the whole text."""
    return bool(pl.Series([text]).str.contains(_whole(pattern))[0])


def list_unmatched(patterns: Iterable[str], texts: Iterable[str]) -> list[str]:
    """The texts that none of the patterns matches as a whole."""
    found = pl.Series([*texts], dtype=pl.String)
    for pattern in patterns:
        found = found.filter(~found.str.contains(_whole(pattern)))
    return found.to_list()


def match_groups(pattern: str, text: str) -> Mapping[str, str | None] | None:
    """The named groups of a pattern that matches the whole text; None where it does not."""
    if not is_match(pattern, text):
        return None
    found = pl.Series([text]).str.extract_groups(_whole(pattern))[0] or {}
    return {name: found.get(name) for name in list_group_names(pattern)}


def list_group_names(pattern: str) -> tuple[str, ...]:
    """The names of a pattern's groups."""
    return tuple(re.compile(pattern).groupindex)


def find_match(pattern: str, text: str) -> str | None:
    """The first group of the pattern's first match in the text, the match where it has no groups; None without any."""
    by_line = f"(?m){pattern}"
    if not pl.Series([text]).str.contains(by_line)[0]:
        return None
    return str(
        pl.Series([text]).str.extract(by_line if re.compile(pattern).groups else f"(?m)({pattern})", 1)[0]
        or ""
    )


def _whole(pattern: str) -> str:
    return rf"\A(?:{unicodedata.normalize('NFC', pattern)})\z"
