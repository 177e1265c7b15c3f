"""The seeds of the dbt project as an export needs them: columns and their properties, units and their codes.

What they mean is decided there; entities are put together in the modules of the Smart Data Models.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from civitas_assets.errors import ExportError


@dataclass(frozen=True)
class Property:
    """An observed property: the column of a wide model that holds it, and its name in the Smart Data Models."""

    code: str
    unit: str
    attribute: str | None
    model: str | None
    column: str | None


@dataclass(frozen=True)
class ExportVocabulary:
    """Properties, codes of UN/CEFACT by code of UCUM, and how values come from one unit into another."""

    properties: tuple[Property, ...]
    unit_codes: Mapping[str, str]
    conversions: Mapping[tuple[str, str, str], tuple[float, float]]

    @classmethod
    def read(cls, dbt_project: Path) -> ExportVocabulary:
        """The vocabulary of a dbt project.

        Raises:
            ExportError: a seed is not there.
        """
        seeds = dbt_project / "seeds"
        return cls(
            tuple(
                Property(
                    row["code"],
                    row["canonical_unit"],
                    row["smart_data_model_name"] or None,
                    row["wide_model"] or None,
                    row["wide_column"] or None,
                )
                for row in _rows(seeds / "observed_properties.csv")
            ),
            {row["code"]: row["uncefact_unit"] for row in _rows(seeds / "units.csv") if row["uncefact_unit"]},
            {
                (row["from_unit"], row["to_unit"], row["observed_property"]): (
                    float(row["factor"]),
                    float(row["shift"]),
                )
                for row in _rows(seeds / "unit_conversions.csv")
            },
        )

    def find_property(self, model: str, column: str) -> Property:
        """The property that a column of a wide model holds.

        Raises:
            ExportError: the seeds know none.
        """
        for known in self.properties:
            if (known.model, known.column) == (model, column):
                return known
        raise ExportError(f"no observed property has the column {column} of {model}")

    def conversion_sql(self, value: str, known: Property, unit: str) -> str:
        """SQL for the value in this unit, as reading turns it into the property's own.

        Raises:
            ExportError: nothing says how.
        """
        if unit == known.unit:
            return value
        for of in (known.code, ""):
            if (unit, known.unit, of) in self.conversions:
                factor, shift = self.conversions[unit, known.unit, of]
                return value if (factor, shift) == (1, 0) else f"round(({value} - {shift}) / {factor}, 12)"
        raise ExportError(f"nothing says how {known.unit} becomes {unit} for {known.code}")


def _rows(file: Path) -> Iterator[Mapping[str, str]]:
    try:
        with file.open(encoding="utf-8", newline="") as rows:
            yield from csv.DictReader(rows)
    except OSError as error:
        raise ExportError(f"{file} cannot be read: {error.strerror}; set CIVITAS_DBT_PROJECT_DIR") from error
