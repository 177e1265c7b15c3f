"""What a record type is: columns with meaning and kind, a key, and the time of the event.

Contracts are data; turning text into typed columns is in `typing.py`, storing them in `store`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

UTC_TIME = pl.Datetime("us", "UTC")


class ColumnKind(enum.Enum):
    """What a column holds, and so how its text is read."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"
    DATE = "date"
    GEOMETRY = "geometry"
    CODE = "code"

    @property
    def dtype(self) -> pl.DataType:
        """The column's Polars type; times are UTC."""
        return _DTYPES[self]


_DTYPES: dict[ColumnKind, pl.DataType] = {
    ColumnKind.TEXT: pl.String(),
    ColumnKind.NUMBER: pl.Float64(),
    ColumnKind.INTEGER: pl.Int64(),
    ColumnKind.BOOLEAN: pl.Boolean(),
    ColumnKind.TIME: UTC_TIME,
    ColumnKind.DATE: pl.Date(),
    ColumnKind.GEOMETRY: pl.Binary(),
    ColumnKind.CODE: pl.String(),
}


@dataclass(frozen=True)
class Column:
    """One field of a record type.

    `codes` closes the list of a CODE column; `minimum` and `maximum` bound numbers, both included.
    `unknown` are numbers by which registers say that they do not know, such as a height of zero.
    `is_object` says that a text is a JSON object. `staged_as` is its name in models, where that is another one.
    """

    name: str
    kind: ColumnKind
    description: str
    required: bool = False
    codes: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unknown: tuple[int, ...] = ()
    is_object: bool = False
    staged_as: str = ""


# Where and how large something is. Whatever has a position may be given it as a geometry instead.
GEOMETRY = Column(
    "geometry", ColumnKind.GEOMETRY, "The geometry as well-known binary in WGS 84, longitude first."
)


@dataclass(frozen=True)
class Companion:
    """Another record type that rows of this one also describe: its field by the field carried here."""

    record_type: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class RecordType:
    """The contract of one kind of record.

    `key` identifies a record within its source. `event_time` names the time whose calendar day the record
    belongs to; without one the record describes a thing and its current state counts. `measures` are the
    columns that must not all be empty: a record that says nothing is not one. `validity` are beginning and end of what
    is not measured but declared, such as an event. `carried` are extra columns
    that only companions and positions use. `described_events` are record types whose events refer to this thing, by the
    column that holds its key. `has_versions` says that models have every version of the thing, and not only what it is
    now. What `is_planned` is told ahead of its time, and nothing is odd where nothing is told. `grain` are words for
    what there is one row of; without them it is the name.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    event_time: str | None = None
    interval_end: str | None = None
    measures: tuple[str, ...] = ()
    validity: tuple[str, str] | None = None
    position: tuple[str, str] | None = None
    carried: tuple[Column, ...] = ()
    companions: tuple[Companion, ...] = ()
    described_events: Mapping[str, str] = field(default_factory=dict)
    has_versions: bool = False
    is_planned: bool = False
    grain: tuple[str, ...] = ()
    _by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.position and GEOMETRY not in self.columns:
            object.__setattr__(self, "carried", (*self.carried, GEOMETRY))
        by_name = {column.name: column for column in (*self.columns, *self.carried)}
        object.__setattr__(self, "_by_name", by_name)
        assert all(key in by_name for key in self.key)  # noqa: S101 - a contract that contradicts itself

    def get_column(self, name: str) -> Column:
        """The column of that name, carried ones included."""
        return self._by_name[name]

    def is_descriptive(self, column: Column) -> bool:
        """Whether a record makes sense without the column: it is no id, time, measure or position."""
        essential = {*self.key, *self.measures, *(self.position or ()), self.event_time, self.interval_end}
        return (
            not column.required
            and column.name not in essential
            and column.kind
            in {ColumnKind.TEXT, ColumnKind.NUMBER, ColumnKind.INTEGER, ColumnKind.BOOLEAN, ColumnKind.CODE}
        )

    @property
    def is_of_days(self) -> bool:
        """Whether all that is said of one record is of the same day."""
        return self.event_time in self.key

    @property
    def accepted(self) -> tuple[str, ...]:
        """Names of all fields that a source may fill, carried ones included."""
        return tuple(self._by_name)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Polars schema of the contract's own columns."""
        return {column.name: column.kind.dtype for column in self.columns}

    @property
    def stored_schema(self) -> dict[str, pl.DataType]:
        """Polars schema of a stored record: the contract, where it came from, and which revision it is."""
        return {**self.schema, **{name: added.dtype for name, added in PROVENANCE.items()}}

    @property
    def told_columns(self) -> tuple[Column, ...]:
        """What is told of a thing besides its key and where it is."""
        placed = {*self.key, *(self.position or ())}
        return tuple(c for c in self.columns if c.name not in placed and c.kind is not ColumnKind.GEOMETRY)


class Provenance(NamedTuple):
    """A column that the record store adds."""

    dtype: pl.DataType
    description: str


# What the record store adds to each record.
PROVENANCE: Mapping[str, Provenance] = {
    "source": Provenance(pl.String(), "The configured source that delivered the record."),
    "day": Provenance(
        pl.Date(), "Calendar day of the event in the time zone of the tenant; empty for things."
    ),
    "received_at": Provenance(UTC_TIME, "When the revision was received (UTC)."),
    "revision": Provenance(pl.Int32(), "Number of the revision of this key within its source, from 1."),
    "payload": Provenance(pl.String(), "The landed payload that the record was read from."),
    "run_id": Provenance(pl.String(), "The run that received the revision."),
    "deleted": Provenance(
        pl.Boolean(), "Whether the source no longer has the thing since this revision; empty in older files."
    ),
}
