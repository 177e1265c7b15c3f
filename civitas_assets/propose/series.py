"""Series of observations: what is measured and in which unit, as far as names say so that the models know.

What is not known is asked for, with what it may be; nothing is put into a proposal that its own check would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from civitas_assets.catalog.vocabulary import Vocabulary
from civitas_assets.propose.draft import Draft
from civitas_assets.propose.sample import shown
from civitas_assets.propose.vocabulary import last_part, likeness, without_unit

_NUMBERED = re.compile(r"\d+ \(.+\)")
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")
_COUNTED = "1"  # the unit of what is counted


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


def is_measured(name: str, vocabulary: Vocabulary) -> bool:
    """Whether a column's name says that its values are measured: it is a property's, or has a unit."""
    bare, unit = without_unit(last_part(name))
    return vocabulary.code(bare, "property") is not None or (
        unit is not None and vocabulary.code(unit, "unit") is not None
    )


def name_columns(draft: Draft, names: Sequence[str], vocabulary: Vocabulary) -> None:
    """Ask for what the names of a wide table's columns do not say."""
    if all(_NUMBERED.fullmatch(name) for name in names):
        draft.doubt("constants", "what is counted? Add observed_property and unit")
        return
    unknown, without = list[str](), list[str]()
    for name, unit in map(without_unit, names):
        code = vocabulary.code(name, "property")
        if code is None:
            like = vocabulary.like(name, "property", 2)
            unknown.append(f"{name} ({' or '.join(like)}?)" if like else name)
        elif unit is None and vocabulary.unit_of(code) != _COUNTED:
            without.append(f'"{name}": "{vocabulary.unit_of(code)}"')
    if unknown:
        draft.doubt(
            "unpivot", f"what do these measure? {shown(unknown)}: say so in properties: of the tenant"
        )
    if without:
        draft.doubt(
            "units", f"no column says its unit; if they are the usual ones: units: {{{', '.join(without)}}}"
        )


def name_value(draft: Draft, vocabulary: Vocabulary) -> None:
    """What is measured, if the name of the column of values is one that the models know; else it is asked for."""
    name, unit = without_unit(draft.fields["value"])
    bare = last_part(name)
    code = vocabulary.code(bare, "property")
    if code is not None:
        draft.constant("observed_property", code)
        draft.doubt("constants", f"is {bare} {code}?")
    else:
        like = [] if "value" in likeness(bare) else vocabulary.like(bare, "property")
        perhaps = f", perhaps {' or '.join(like)}" if like else ""
        draft.doubt(
            "constants",
            f"what is measured? {bare!r} is no name that is known: add observed_property{perhaps}",
        )
    if "unit" in draft.fields:
        return
    known = vocabulary.code(unit, "unit") if unit else None
    if unit is not None and known is not None:
        draft.constant("unit", unit)
    elif code is not None and vocabulary.unit_of(code) == _COUNTED:
        draft.constant("unit", _COUNTED)
    else:
        usual = f"; the usual one is {vocabulary.unit_of(code)}" if code else ""
        written = f"{unit!r} is no unit that is known: " if unit else ""
        draft.doubt("constants", f"in which unit? {written}add unit{usual}")
