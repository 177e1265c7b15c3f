"""What tells rows apart: the columns that an id can be made of, and the names of a wide table's columns.

Which field takes the id is decided in `mapping.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from civitas_assets.propose.columns import Column
from civitas_assets.propose.vocabulary import without_unit

_TRIED, _NEARLY_ALL = 10, 0.95
_NUMBERED = re.compile(r"\d+ \(.+\)")
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")


def telling(likely: Sequence[Column], columns: Sequence[Column]) -> list[Column]:
    """As few columns as tell rows apart, and are there in nearly every row: likely ones before any."""
    texts = [column for column in columns if not column.is_number and not column.is_geometry]
    found = [c for c in dict.fromkeys([*likely, *texts][:_TRIED]) if c.name != "@feature" and _is_whole([c])]
    for size in (1, 2, 3):
        for parts in combinations(found, size):
            if tell_apart(parts):
                return list(parts)
    return found[:3]


def _is_whole(parts: Sequence[Column]) -> bool:
    rows = list(zip(*(part.values for part in parts), strict=True))
    return sum(None not in row for row in rows) >= _NEARLY_ALL * len(rows) > 0


def tell_apart(parts: Sequence[Column]) -> bool:
    """Whether no two rows are alike in these columns, and nearly all rows have them."""
    rows = [row for row in zip(*(part.values for part in parts), strict=True) if None not in row]
    return len({*rows}) == len(rows) > 0 and _is_whole(parts)


def pattern(names: Sequence[str]) -> str:
    """A regular expression for the columns of a wide table, whose groups are what their names say."""
    if all(_NUMBERED.fullmatch(name) for name in names):
        return r"(?P<datastream_id>\d+) \((?P<datastream_name>.+)\)"
    parts = [without_unit(name) for name in names]
    bare = "|".join(dict.fromkeys(_SPECIAL.sub(r"\\\g<0>", name) for name, _ in parts))
    series = f"(?P<datastream_id>(?P<observed_property>{bare}))"
    if not any(unit for _, unit in parts):
        return series
    plain = all(
        f"{name} in {unit}" == whole for whole, (name, unit) in zip(names, parts, strict=True) if unit
    )
    return series + (r"(?: in (?P<unit>\S+))?" if plain else r"(?: ?[\[(](?P<unit>[^\])]+)[\])])?")
