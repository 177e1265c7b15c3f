"""What properties and units are called, as the dbt project's seeds have it, and which of them a spelling is like.

Whether a spelling is understood decides the dbt project; here people get help with one that is not.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import duckdb

from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.tables import STAGING_SCHEMA, WORKSPACE_FILE

_LIKE = 0.6  # of 1; less is a guess


@dataclass(frozen=True)
class Spellings:
    """Code by spelling, in lower case without spaces and umlauts; of properties and of units."""

    of_properties: Mapping[str, str]
    of_units: Mapping[str, str]

    @property
    def properties(self) -> frozenset[str]:
        """The codes of properties."""
        return frozenset(self.of_properties.values())

    @property
    def units(self) -> frozenset[str]:
        """The codes of units."""
        return frozenset(self.of_units.values())

    def like(self, native: str, kind: Literal["property", "unit"], most: int = 3) -> list[str]:
        """The codes whose spellings are most like this one, the best first."""
        known = self.of_properties if kind == "property" else self.of_units
        written = native.lower().replace(" ", "")
        found = difflib.get_close_matches(written, known, n=4 * most, cutoff=_LIKE)
        # A word in a longer name, such as the temperature of "Temperatur Dach Nord".
        parts = [spelling for spelling in known if len(spelling) > 3 and spelling in written]
        parts.sort(key=len, reverse=True)
        return [*dict.fromkeys(known[spelling] for spelling in [*found, *parts])][:most]


def read_spellings(project: Project) -> Spellings:
    """All spellings that the project knows."""
    with duckdb.connect(str(project.prepared / WORKSPACE_FILE), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = [
            dict(connection.execute(f"select spelling, {code} from {STAGING_SCHEMA}.{view}").fetchall())  # noqa: S608
            for view, code in (
                ("int_observed_property_spelling", "observed_property"),
                ("int_unit_spelling", "unit"),
            )
        ]
    return Spellings(*found)
