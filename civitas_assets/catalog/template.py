"""Address templates: `{name}` is a value of an `each:` list, `{day:…}`, `{month:…}`, `{year:…}` of a window.

Templates are expanded here and nowhere else; a template cannot reach anything but these names.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from civitas_assets.catalog.window import Window

_PLACEHOLDER = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
_MOST = 100_000  # combinations of each: what nobody has as addresses, and what no memory is filled by
PERIODS = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


@dataclass(frozen=True)
class Expansion:
    """One address, and the values that made it."""

    url: str
    variables: Mapping[str, str]


def list_names(template: str) -> list[str]:
    """The names that a template uses, in order of appearance."""
    return [match[1] for match in _PLACEHOLDER.finditer(template)]


def find_unknown(template: str, known: Sequence[str], *, periods: bool) -> list[str]:
    """The names that a template uses although nothing gives them a value."""
    allowed = {*known, *(PERIODS if periods else ())}
    return [name for name in list_names(template) if name not in allowed]


def fill(template: str, variables: Mapping[str, str]) -> str:
    """The template with its `each` variables filled in, unquoted: for constants, not for addresses."""
    return _PLACEHOLDER.sub(lambda match: variables[match[1]], template)


def check_combinations(each: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """The `each` lists, if their combinations can be gone through.

    Raises:
        ValueError: there are too many.
    """
    number = math.prod(map(len, each.values()))
    if number > _MOST:
        raise ValueError(
            f"stands for {number:,} combinations, over {_MOST:,}: make sources of their own of some"
        )
    return each


def list_combinations(each: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    """Every combination of the `each` lists; one empty combination where there are none."""
    for values in itertools.product(*each.values()):
        yield dict(zip(each, values, strict=True))


def list_fillings(template: str, each: Mapping[str, Sequence[str]]) -> list[str]:
    """The template with every combination of the values that its names have, each once."""
    used = {name: each[name] for name in list_names(template) if name in each}
    return [*dict.fromkeys(fill(template, variables) for variables in list_combinations(used))]


def expand(
    template: str, each: Mapping[str, Sequence[str]], window: Window, most: int
) -> Iterator[Expansion]:
    """Every address that the template stands for in the window; one over `most` where it is more, to be refused."""
    return itertools.islice(_expansions(template, each, window), most + 1)


def _expansions(template: str, each: Mapping[str, Sequence[str]], window: Window) -> Iterator[Expansion]:
    used = set(list_names(template))
    period = next((name for name in ("day", "month", "year") if name in used), None)
    dates: list[date | None] = [None]
    if period:
        dates = list(
            {"day": window.list_days, "month": window.list_months, "year": window.list_years}[period]()
        )
    for variables in list_combinations(each):
        for when in dates:
            yield Expansion(_address(template, variables, when), variables)


def _address(template: str, variables: Mapping[str, str], when: date | None) -> str:
    def value(match: re.Match[str]) -> str:
        name, form = match[1], match[2]
        if name in PERIODS and when is not None:
            return when.strftime(form or PERIODS[name])
        return quote(variables[name], safe="")

    return _PLACEHOLDER.sub(value, template)
