"""What properties and units are called, as the dbt project's seeds have it, and which of them a spelling is like.

Whether a spelling is understood decides the dbt project; here people get help with one that is not.
"""

from __future__ import annotations

from typing import Literal, Self

import duckdb

from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.tables import STAGING_SCHEMA, WORKSPACE_FILE

Kind = Literal["property", "unit"]

_SPELLINGS: dict[Kind, tuple[str, str]] = {
    "property": (f"{STAGING_SCHEMA}.int_observed_property_spelling", "observed_property"),
    "unit": (f"{STAGING_SCHEMA}.int_unit_spelling", "unit"),
}
# As the macro `likely_codes` has it for the models.
_LIKE = """
    select
        {code},
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
    from {view}
    cross join (select replace(lower(?), ' ', '') as native)
    group by {code}
    having likeness >= 0.8
    order by likeness desc, {code}
    limit ?
"""
# As the macro `spelling` has it for the models.
_KNOWN = """
    select {code}
    from {view}
    where
        spelling = replace(
            replace(
                replace(replace(lower(replace(replace(?, ' ', ''), chr(160), '')), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'
            ),
            'ß', 'ss'
        )
    limit 1
"""


class Spellings:
    """All spellings that the project knows, to be looked up."""

    def __init__(self, project: Project) -> None:
        self._connection = duckdb.connect(str(project.prepared / WORKSPACE_FILE), read_only=True)

    def __enter__(self) -> Self:
        self._connection.execute("set TimeZone = 'UTC'")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def codes(self, kind: Kind) -> frozenset[str]:
        """All codes of properties or units."""
        view, code = _SPELLINGS[kind]
        found = self._connection.execute(f"select distinct {code} from {view}")  # noqa: S608
        return frozenset(name for (name,) in found.fetchall())

    def code(self, native: str, kind: Kind) -> str | None:
        """The code that a spelling stands for, without regard to case, spaces and umlauts; None if nobody knows it."""
        view, code = _SPELLINGS[kind]
        found = self._connection.execute(_KNOWN.format(view=view, code=code), [native]).fetchone()
        return None if found is None else str(found[0])

    def like(self, native: str, kind: Kind, most: int = 3) -> list[str]:
        """The codes whose spellings are most like this one, the best first."""
        view, code = _SPELLINGS[kind]
        found = self._connection.execute(_LIKE.format(view=view, code=code), [native, most])
        return [name for name, _ in found.fetchall()]
