"""Sources of tables, whatever file they come in: where the header is, which rows count, what the columns mean.

The cells of a table are in `table_cells.py`, what becomes of them in `table_fields.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from civitas_assets.catalog.model import Model, Slug
from civitas_assets.connectors.mapping.attributes import RestSource
from civitas_assets.connectors.mapping.levels import make_one_or_many
from civitas_assets.connectors.mapping.mapping import Pattern, SelectiveSource

# In a list of columns: which of the rows it is that are alike in the other columns.
NTH = "@nth"


class Unpivot(Model):
    """Columns whose names carry ids, and where their cells go."""

    columns: Pattern = Field(
        description="Matches a whole column name; named groups become fields, or what time names."
    )
    value: Slug = Field("value", description="Field that takes the cells.")
    companions: Mapping[Slug, Pattern] = Field(
        {}, description="Further columns about the same id: field by pattern, with the same named groups."
    )


class TabularSource(SelectiveSource, RestSource):
    """A file with a table: where its header is, which rows count, and what its columns mean."""

    skip_lines: int = Field(0, ge=0, description="Lines before the header.")
    header: tuple[str, ...] = Field(
        (), description="Column names to search the header by, for preambles of changing length."
    )
    until_blank: str | None = Field(
        None, description="Column whose first empty cell ends the data: what follows are sums and notes."
    )
    drop: Mapping[str, Pattern] = Field(
        {}, description="Rows to leave out, such as totals: pattern of a whole cell, by column."
    )
    fields: Mapping[Slug, make_one_or_many(str)] = Field(  # type: ignore[valid-type]
        {},
        description=(
            "Contract field by native column; a list of columns is joined by a slash, and @nth in it counts "
            "the rows that are alike in the others."
        ),
    )
    aliases: Mapping[str, make_one_or_many(str)] = Field(  # type: ignore[valid-type]
        {},
        description="Other names of a column that is named above or in time, as files of other years have them.",
    )
    preamble: Mapping[str, Pattern] = Field(
        {},
        description=(
            "Columns that the lines before the header fill: by name a pattern, whose first group is the cell."
        ),
    )
    file_name: Mapping[str, Pattern] = Field(
        {},
        description="Columns that the address fills: by name a pattern in it, whose first group is the cell.",
    )
    unpivot: Unpivot | None = Field(None, description="Columns whose names carry ids.")
    ignore: tuple[Pattern, ...] = Field((), description="Columns that are known and not wanted.")

    joins_times: ClassVar[bool] = True

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that the settings name, as they are spelt there."""
        times = self.time.written if self.time is not None else ()
        several = [native for natives in self.fields.values() for native in natives]
        own = [*self.header, *filter(None, [self.until_blank]), *self.drop, *several, *times, *self.aliases]
        return tuple(dict.fromkeys(own))

    @model_validator(mode="after")
    def _brings_something(self) -> Self:
        if not self.fields and self.unpivot is None:
            raise ValueError("fields or unpivot is needed: nothing would be read")
        for field, natives in self.fields.items():
            if {*natives} == {NTH} or natives.count(NTH) > 1:
                raise ValueError(
                    f"fields.{field} needs columns besides one {NTH}: it counts rows alike in them"
                )
        return self
