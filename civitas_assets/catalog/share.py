"""What a tenant decides about its data beyond its sources: what it shares with others, and how long it is kept.

Whether the shared models exist is checked where they are known.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from civitas_assets.catalog.basis import SLUG, Model, Slug

_SPAN = re.compile(r"\s*(\d{1,5})\s*(day|week|month|year)s?\s*")
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


# Below which a count is left out: 1 would leave out nothing.
Below = Annotated[int, Field(ge=0, le=1000)]


class Share(Model):
    """A shared model that the commons may hold; a plain name stands for one without anything withheld."""

    table: Slug = Field(description="Name of the shared model.")
    withhold: tuple[Slug, ...] = Field(
        (), description="Columns that the commons do not get; never one of the key."
    )
    k: Below | None = Field(
        None, description="Counts from 1 to k - 1 do not get into the commons; default: that of the tenant."
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {"table": given} if isinstance(given, str) else given

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [{"type": "string", "pattern": SLUG}, schema]}


_SOURCE, _BELOW = "source=", "k="


@dataclass(frozen=True)
class Withheld:
    """What of a model others do not get: columns, rows of sources, and counts from 1 to `below` - 1 (0: no counts)."""

    columns: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    below: int = 0

    def __bool__(self) -> bool:
        return bool(self.columns or self.sources or self.below > 1)

    def __sub__(self, other: Withheld) -> Withheld:
        """What is withheld beyond what the other withholds."""
        below = self.below if self.below > other.below else 0
        return Withheld(self.columns - other.columns, self.sources - other.sources, below)

    def __or__(self, other: Withheld) -> Withheld:
        """What one or the other withholds."""
        below = max(self.below, other.below)
        return Withheld(self.columns | other.columns, self.sources | other.sources, below)

    @classmethod
    def from_entries(cls, entries: Iterable[str]) -> Withheld:
        """What is noted in commons, as `to_entries` writes it."""
        found = [*entries]
        sources = frozenset(entry.removeprefix(_SOURCE) for entry in found if entry.startswith(_SOURCE))
        below = max(
            (int(entry.removeprefix(_BELOW)) for entry in found if entry.startswith(_BELOW)), default=0
        )
        return cls(frozenset(entry for entry in found if "=" not in entry), sources, below)

    def to_entries(self) -> list[str]:
        """The same as it is noted in commons: names of columns, and codes with a parameter."""
        named = [*self.columns, *(f"{_SOURCE}{name}" for name in self.sources)]
        return sorted([*named, f"{_BELOW}{self.below}"] if self.below > 1 else named)

    def hides(self, column: str, before: str) -> bool:
        """Whether the column is withheld, by its name of now or that of before."""
        return not self.columns.isdisjoint({column, before})


@dataclass(frozen=True)
class KeptSpan:
    """A time for which something is kept, in days or in months of the calendar."""

    count: int
    unit: str

    def find_first_kept(self, today: date) -> date:
        """The first day that is still kept; today is the last one."""
        if self.unit in _DAYS:
            return today - timedelta(days=min(self.count * _DAYS[self.unit], today.toordinal() - 1))
        month = today.year * 12 + today.month - 1 - self.count * _MONTHS[self.unit]
        if month < 12:
            return date.min
        year, month = month // 12, month % 12 + 1
        return date(year, month, min(today.day, calendar.monthrange(year, month)[1]))

    def __str__(self) -> str:
        return f"{self.count} {self.unit}" + ("s" if self.count > 1 else "")


def _parsed(given: Any) -> Any:
    if isinstance(given, KeptSpan):
        return given
    match = _SPAN.fullmatch(given) if isinstance(given, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError("must be a number and a unit, such as '90 days', '6 months' or '3 years'")
    return KeptSpan(int(match[1]), match[2])


Age = Annotated[
    KeptSpan,
    BeforeValidator(_parsed),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d{1,5}\s*(day|week|month|year)s?\s*$"}),
]


class Retention(Model):
    """How long what a tenant has is kept; what is not said is kept for ever."""

    landing: Age | None = Field(
        None, description="Bodies as received; the last one of an address always stays."
    )
    records: Age | None = Field(
        None, description="Records of events by their day, and what is published of them."
    )
