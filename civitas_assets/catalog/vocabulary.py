"""What properties, units and qualities are called, as the dbt project's seeds have it, and what a spelling is like.

Whether a value's spelling is understood decides the dbt project; here settings are held against the same lists.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from civitas_assets.catalog.spelling import normalise_spelling
from civitas_assets.errors import SettingsError

Kind = Literal["property", "unit", "quality"]

# Of each kind: the seeds, the column of the code in each, and those of its spellings.
_SEEDS: Mapping[Kind, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "property": (
        ("observed_properties", "code", ("code", "label_de", "label_en")),
        ("observed_property_spellings", "observed_property", ("spelling",)),
    ),
    "unit": (
        ("units", "code", ("code", "label", "qudt_unit", "uncefact_unit")),
        ("unit_spellings", "unit", ("spelling",)),
    ),
    "quality": (("quality_spellings", "quality_code", ("spelling",)),),
}
# As the macro `likely_codes` has it for the models.
_LIKE = """
    select
        code,
        max(
            greatest(
                jaro_winkler_similarity(native, spelling),
                if(
                    length(spelling) > 3 and contains(native, spelling),
                    0.8 + 0.2 * length(spelling) / length(native),
                    0
                )
            )
        ) as likeness
    from (select unnest($spellings) as spelling, unnest($codes) as code, $native as native)
    group by code
    having likeness >= 0.8
    order by likeness desc, code
    limit $most
"""


@dataclass(frozen=True)
class Vocabulary:
    """The codes of each kind, the code of each known spelling, and which units can be those of a property."""

    _codes: Mapping[Kind, tuple[str, ...]]
    _spellings: Mapping[Kind, Mapping[str, str]]
    _units: Mapping[str, str]
    _conversions: frozenset[
        tuple[str, str, str]
    ]  # from which unit to which one, and for which property; "" for all

    def list_codes(self, kind: Kind) -> tuple[str, ...]:
        """All codes, in the order of the seeds."""
        return self._codes[kind]

    def find_code(self, native: str, kind: Kind) -> str | None:
        """The code that a spelling stands for; None if nobody knows it."""
        return self._spellings[kind].get(normalise_spelling(native))

    def find_unit(self, code: str) -> str:
        """The canonical unit of a property."""
        return self._units[code]

    def list_units(self, code: str) -> list[str]:
        """The units in which values of a property may come: its canonical one, and those that are converted to it."""
        canonical = self._units[code]
        others = {unit for unit, to, own in self._conversions if to == canonical and own in {"", code}}
        return [canonical, *sorted(others - {canonical})]

    def suggest_codes(self, native: str, kind: Kind, most: int = 3) -> list[str]:
        """The codes whose spellings are most like this one, the best first."""
        import duckdb  # noqa: PLC0415 - slow to load, and seldom needed

        known = self._spellings[kind]
        wanted = {
            "spellings": [*known], "codes": [*known.values()], "native": normalise_spelling(native), "most": most,
        }  # fmt: skip
        with duckdb.connect() as connection:
            return [code for code, _ in connection.execute(_LIKE, wanted).fetchall()]


@cache
def read_vocabulary(project: Path) -> Vocabulary:
    """The vocabulary of a dbt project.

    Raises:
        SettingsError: the folder has no such seeds.
    """
    codes, spellings = dict[Kind, tuple[str, ...]](), dict[Kind, Mapping[str, str]]()
    for kind, seeds in _SEEDS.items():
        pairs = [
            (row[name], row[code])
            for seed, code, names in seeds
            for row in _rows(project, seed)
            for name in names
        ]
        codes[kind] = tuple(dict.fromkeys(code for _, code in pairs))
        spellings[kind] = _first_of_each(pairs)
    units = {row["code"]: row["canonical_unit"] for row in _rows(project, "observed_properties")}
    conversions = frozenset(
        (row["from_unit"], row["to_unit"], row["observed_property"])
        for row in _rows(project, "unit_conversions")
    )
    return Vocabulary(codes, spellings, units, conversions)


def _rows(project: Path, seed: str) -> Iterator[Mapping[str, str]]:
    file = project / "seeds" / f"{seed}.csv"
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)
    except OSError as error:
        raise SettingsError({"CIVITAS_DBT_PROJECT_DIR": f"{file} cannot be read: {error.strerror}"}) from None


def _first_of_each(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    found = dict[str, str]()
    for native, code in pairs:
        if spelling := normalise_spelling(native):
            found.setdefault(spelling, code)
    return found
