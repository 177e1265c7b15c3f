"""What sources of free form share: one record type, and the fields that their data is mapped to.

Protocols that define their own records, such as SensorThings, do not need it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import AfterValidator, Field, field_validator, model_validator

from civitas_assets.catalog import Source
from civitas_assets.catalog.basis import build_validation_error, suggest_name
from civitas_assets.catalog.template import PERIODS, list_fillings, list_names
from civitas_assets.records import RECORD_TYPES, ColumnKind, RecordType
from civitas_assets.records.conversion import convert_values
from civitas_assets.records.lengths import LENGTH_UNITS, get_unit
from civitas_assets.records.linear import check_linear_pattern
from civitas_assets.records.raw import TIME


def _is_pattern(text: str) -> str:
    if fault := check_linear_pattern(text):
        raise ValueError(fault)
    return text


Pattern = Annotated[str, AfterValidator(_is_pattern)]

_NUMBERS = (ColumnKind.NUMBER, ColumnKind.INTEGER)
_ANYTHING = (ColumnKind.CODE, ColumnKind.TEXT, ColumnKind.GEOMETRY)
_WRONG_UNIT = "units are of observations, and of lengths in m, cm or mm; a {0} has {1}"
_Placed = tuple[tuple[str, ...], str]  # where among the settings a fault is, and what it is


class MappedSource(Source):
    """A source whose data has no record type of its own, so that the tenant's file names it."""

    joins_times: ClassVar[bool] = False  # whether a time may stand in several columns

    record_type: str = Field(
        description="The contract that the rows are brought into.",
        json_schema_extra={"enum": [*sorted(RECORD_TYPES)]},
    )

    @field_validator("record_type")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in RECORD_TYPES:
            known = sorted(RECORD_TYPES)
            raise ValueError(f"is {name!r}; {suggest_name(name, known)}must be one of: {', '.join(known)}")
        return name

    @property
    def contract(self) -> RecordType:
        """The record type's contract."""
        return RECORD_TYPES[self.record_type]

    def record_types(self) -> frozenset[str]:
        """The named record type, and those that its rows also describe."""
        return frozenset({self.record_type, *(c.record_type for c in self.contract.companions)})

    def own_record_types(self) -> frozenset[str]:
        """Only the named one."""
        return frozenset({self.record_type})

    def listed_record_types(self) -> frozenset[str]:
        """The things that are mapped, unless the address is that of a period; events are expected to go."""
        listed = super().listed_record_types()
        if (
            self.snapshot is None
            and self.record_type != "event"
            and not PERIODS.keys() & list_names(self.url)
        ):
            return listed | self.own_record_types()
        return listed

    @property
    def needed(self) -> frozenset[str]:
        """What every row must bring: required fields that nothing else fills, and its time as written."""
        needed = {column.name for column in self.contract.columns if column.required}
        needed -= {*self.constants, *self.computed}
        if self.contract.event_time in needed and self.contract.event_time not in getattr(self, "fields", {}):
            needed.remove(self.contract.event_time)
            if self.time is not None and self.time.zone != "received":
                needed.add(TIME)
        return frozenset(needed)

    @property
    def measured(self) -> frozenset[str]:
        """The mapped fields that a record is about: without them, what was delivered before would be taken back."""
        mapped = {*getattr(self, "fields", {})} - {*self.constants, *self.computed}
        return frozenset(mapped.intersection(self.contract.measures))

    @model_validator(mode="after")
    def _fits_the_contract(self) -> MappedSource:
        contract = self.contract
        fields, allowed = getattr(self, "fields", {}), ", ".join(contract.accepted)
        faults: list[_Placed] = [
            (
                (place, name),
                f"is no field of {contract.name}; {suggest_name(name, contract.accepted)}allowed: {allowed}",
            )
            for place, names in (("fields", fields), ("constants", self.constants), ("codes", self.codes))
            for name in names
            if name not in contract.accepted
        ]
        faults += [
            (("computed", field), f"uses {name}, which is no number of {contract.name}")
            for field, text in self.computed.items()
            for name in (field, *text.split()[::2])
            if name not in contract.accepted or contract.get_column(name).kind not in _NUMBERS
        ]
        if "unit" not in contract.accepted:
            lengths = [name for name in contract.accepted if get_unit(name)]
            faults += [
                (("units", name), _WRONG_UNIT.format(contract.name, ", ".join(lengths) or "none"))
                for name, unit in self.units.items()
                if name not in lengths or unit not in LENGTH_UNITS
            ]
        faults += [fault for field in self.codes for fault in self._wrong_codes(field)]
        faults += [fault for field in self.constants for fault in self._wrong_constant(field)]
        if faults:
            raise build_validation_error(faults)
        if self.time is not None and self.time.columns and not self.joins_times:
            raise ValueError("time.columns is for csv and excel: write column")
        if contract.event_time and self.time is None and contract.event_time not in fields:
            raise ValueError(
                f"time is needed: a {contract.name} happens at a time; see zone: received if it has none"
            )
        return self

    def _wrong_codes(self, field: str) -> Iterator[_Placed]:
        """What a field's native texts are mapped to, and is none of its codes."""
        codes = self.contract.get_column(field).codes if field in self.contract.accepted else None
        if codes == ():
            yield ("codes", field), f"is no field of codes of {self.contract.name}"
        elif codes is not None:
            for native, code in self.codes[field].items():
                if code not in codes:
                    text = f"maps to {code!r}; {suggest_name(code, codes)}allowed: {', '.join(codes)}"
                    yield ("codes", field, native), text

    def _wrong_constant(self, field: str) -> Iterator[_Placed]:
        """A constant that no record could take, with each value that it may be filled with."""
        if field not in self.contract.accepted:
            return
        column = self.contract.get_column(field)
        for text in list_fillings(self.constants[field], self.each):
            if column.kind is ColumnKind.CODE and text not in {*column.codes, *self.codes.get(field, ())}:
                known = ", ".join(column.codes)
                yield ("constants", field), f"is {text!r}; {suggest_name(text, column.codes)}allowed: {known}"
            elif column.kind not in _ANYTHING:
                typed, _ = convert_values(pl.Series([text]), column, self, "UTC")
                bounds = [(column.minimum, typed.__lt__), (column.maximum, typed.__gt__)]
                outside = [bound is not None and breaks(bound).any() for bound, breaks in bounds]
                if typed.null_count() or any(outside):
                    told = f"is {text!r}, which is no {column.kind.value} that {field} may be"
                    yield ("constants", field), told


class SelectiveSource(MappedSource):
    """A source that can keep what its settings name, and nothing else of an answer."""

    store: Literal["whole", "mapped"] = Field(
        "whole",
        description=(
            "whole: answers land as they were received. mapped: nothing is stored but what fields, time and the "
            "like name, for answers that may hold secrets or personal data."
        ),
    )

    @property
    def keeps_answers_whole(self) -> bool:
        """See `catalog.Source`."""
        return self.store == "whole"

    def redact_answer(self, role: str, body: bytes) -> bytes:
        """See `catalog.Source`."""
        return body if self.store == "whole" else self.project_answer(body)

    @abstractmethod
    def project_answer(self, body: bytes) -> bytes:
        """The answer without what no setting names; it reads as the whole of it does.

        Raises:
            ReadError: the answer is not what the source declares.
        """
        ...
