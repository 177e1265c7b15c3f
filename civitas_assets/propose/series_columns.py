"""Series of observations: what is measured and in which unit, as far as names say so that the models know.

What is not known is asked for, with what it may be; nothing is put into a proposal that its own check would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from civitas_assets.catalog.vocabulary import Vocabulary
from civitas_assets.propose.concept_vocabulary import get_last_part, score_concepts, split_unit
from civitas_assets.propose.draft import Draft
from civitas_assets.propose.sample import shorten_names

_NUMBERED = re.compile(r"\d+ \(.+\)")
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")
_COUNTED = "1"  # the unit of what is counted


def derive_pattern(names: Sequence[str]) -> str:
    """A regular expression for the columns of a wide table, whose groups are what their names say."""
    if all(_NUMBERED.fullmatch(name) for name in names):
        return r"(?P<datastream_id>\d+) \((?P<datastream_name>.+)\)"
    parts = [split_unit(name) for name in names]
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
    bare, unit = split_unit(get_last_part(name))
    return vocabulary.find_code(bare, "property") is not None or (
        unit is not None and vocabulary.find_code(unit, "unit") is not None
    )


def name_columns(draft: Draft, names: Sequence[str], vocabulary: Vocabulary) -> None:
    """Ask for what the names of a wide table's columns do not say."""
    if all(_NUMBERED.fullmatch(name) for name in names):
        draft.note_doubt("constants", "what is counted? Add observed_property and unit")
        return
    unknown, without = list[str](), list[str]()
    for name, unit in map(split_unit, names):
        code = vocabulary.find_code(name, "property")
        if code is None:
            like = vocabulary.suggest_codes(name, "property", 2)
            unknown.append(f"{name} ({' or '.join(like)}?)" if like else name)
        elif unit is None and vocabulary.find_unit(code) != _COUNTED:
            without.append(f'"{name}": "{vocabulary.find_unit(code)}"')
    if unknown:
        draft.note_doubt(
            "unpivot", f"what do these measure? {shorten_names(unknown)}: say so in properties: of the tenant"
        )
    if without:
        draft.note_doubt(
            "units", f"no column says its unit; if they are the usual ones: units: {{{', '.join(without)}}}"
        )


def name_value(draft: Draft, vocabulary: Vocabulary) -> None:
    """What is measured, if the name of the column of values is one that the models know; else it is asked for."""
    name, unit = split_unit(draft.fields["value"])
    bare = get_last_part(name)
    code = vocabulary.find_code(bare, "property")
    if code is not None:
        draft.set_constant("observed_property", code)
        draft.note_doubt("constants", f"is {bare} {code}?")
    else:
        like = [] if "value" in score_concepts(bare) else vocabulary.suggest_codes(bare, "property")
        perhaps = f", perhaps {' or '.join(like)}" if like else ""
        draft.note_doubt(
            "constants",
            f"what is measured? {bare!r} is no name that is known: add observed_property{perhaps}",
        )
    if "unit" in draft.fields:
        return
    known = vocabulary.find_code(unit, "unit") if unit else None
    if unit is not None and known is not None:
        draft.set_constant("unit", unit)
    elif code is not None and vocabulary.find_unit(code) == _COUNTED:
        draft.set_constant("unit", _COUNTED)
    else:
        usual = f"; the usual one is {vocabulary.find_unit(code)}" if code else ""
        written = f"{unit!r} is no unit that is known: " if unit else ""
        draft.note_doubt("constants", f"in which unit? {written}add unit{usual}")
