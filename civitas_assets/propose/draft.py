"""A draft of a source: settings, the columns that they use, and what of them somebody has to look at.

Which columns go where is decided in `drafting.py` and its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from civitas_assets.propose.concept_vocabulary import (
    ProposedType,
    get_last_part,
    list_field_codes,
    normalise_name,
    split_unit,
)
from civitas_assets.propose.numbers import Notation, is_read_with
from civitas_assets.propose.sample import FEATURE_ID, Sample, shorten_names
from civitas_assets.propose.sample_columns import SampleColumn
from civitas_assets.records import RECORD_TYPES
from civitas_assets.records.contract import ColumnKind as ValueKind
from civitas_assets.records.contract import RecordType
from civitas_assets.records.lengths import LENGTH_UNITS, get_class_field, get_unit, is_class

TABULAR = frozenset({"csv", "excel"})
ONE_ATTRIBUTE = frozenset({"geofile", "ogc_features"})  # whose fields are one attribute each
_NUMERIC = (ValueKind.NUMBER, ValueKind.INTEGER)
_MOST_CODES = 12
_THICKEST_M = 12  # a number of centimetres that no register of trees stays below


# A coordinate that lies where it should has its sign before decimals.
_OF_DEGREES = {
    Notation.POINT_GROUPS: Notation.POINT,
    Notation.POINT_OR_GROUPS: Notation.POINT,
    Notation.COMMA_OR_GROUPS: Notation.COMMA,
}


@dataclass
class Draft:
    """Settings of a source by name, and the doubts about each."""

    kind: ProposedType
    sample: Sample
    concepts: Mapping[str, SampleColumn]
    settings: dict[str, Any] = field(default_factory=dict)
    doubts: dict[str, list[str]] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    used: list[SampleColumn] = field(default_factory=list)
    degrees: list[SampleColumn] = field(
        default_factory=list
    )  # coordinates that are read with a decimal point

    @cached_property
    def contract(self) -> RecordType:
        """The contract of the record type."""
        return RECORD_TYPES[self.kind.name]

    @property
    def record_type(self) -> str:
        """The record type."""
        return self.kind.name

    def note_doubt(self, setting: str, text: str) -> None:
        """Note what somebody has to look at."""
        if text not in self.doubts.setdefault(setting, []):
            self.doubts[setting].append(text)

    def set_constant(self, name: str, text: str) -> None:
        """Give a field the same value in every record."""
        self.settings.setdefault("constants", {})[name] = text

    def take(self, name: str, column: SampleColumn) -> None:
        """Fill a field from a column, if its values can be what the field holds."""
        kind = self.contract.get_column(name).kind
        if not column.meant:
            return
        classes = get_class_field(self.contract, name)
        if classes is not None and (written := self._find_classes(column)) is not None:
            name, kind, column = classes, ValueKind.TEXT, written
        if kind in _NUMERIC and not column.is_number:
            return
        if kind is ValueKind.INTEGER and not column.is_whole:
            return
        if kind in _NUMERIC:
            self._note_length(name, column)
        if kind is ValueKind.CODE:
            self._take_code(name, column)
            return
        self.used.append(column)
        if column.name == FEATURE_ID:
            self.settings["feature_id"] = name
        else:
            self.fields[name] = column.name

    def _find_classes(self, column: SampleColumn) -> SampleColumn | None:
        """The column, or the one with its texts beside it, as `BAUMHOEHE_TXT`, if its values are classes."""
        texts = normalise_name(f"{column.name} txt")
        beside = [each for each in self.sample.columns if normalise_name(each.name) == texts]
        return next((each for each in (*beside, column) if _are_classes(each.meant)), None)

    def _note_length(self, name: str, column: SampleColumn) -> None:
        """Say the unit of a field of lengths, where the column's name or its values show that it is another one."""
        unit = get_unit(name)
        named = (split_unit(get_last_part(column.name))[1] or "").lower().strip(".")
        if unit is None or named == unit:
            return
        if named in LENGTH_UNITS:
            self.settings.setdefault("units", {})[name] = named
        elif name.startswith("trunk_") and column.numbers and max(column.numbers) < _THICKEST_M:
            self.settings.setdefault("units", {})[name] = "m"
            self.note_doubt("units", f"{column.name} is at most {max(column.numbers):g}, so in metres?")

    def _take_code(self, name: str, column: SampleColumn) -> None:
        known, texts = list_field_codes(name), sorted({*column.meant})
        native = f"{name}_native"
        if 0 < len(texts) <= _MOST_CODES and any(normalise_name(text) in known for text in texts):
            self.fields[name] = column.name
            fallback = "unknown" if "unknown" in self.contract.get_column(name).codes else None
            found = {text: known.get(normalise_name(text), fallback) for text in texts}
            self.settings["codes"] = {name: {text: code for text, code in found.items() if code}}
            strange = [text for text in texts if normalise_name(text) not in known]
            asked = (
                f"what do these mean: {', '.join(strange)}?" if strange else "are these all that there are?"
            )
            self.note_doubt("codes", asked)
        elif native in self.contract.accepted:
            self.fields[native] = column.name
            self.note_doubt("fields", f"say in codes what the values of {column.name} mean, as {name}")

    def finish(self) -> None:
        """Put what was gathered into settings, in the order of the contract."""
        self.settings["record_type"] = self.kind.name
        if self.fields:
            self.settings["fields"] = {n: self.fields[n] for n in self.contract.accepted if n in self.fields}
        self._write_numbers()
        nothings = sorted({text for column in self.used for text in column.nothings})
        if nothings:
            self.settings["nulls"] = nothings
        names = {*self.fields}
        if self.kind.name == "parking_status" and "free" not in names and {"capacity", "occupied"} <= names:
            self.settings["computed"] = {"free": "capacity - occupied"}

    def _write_numbers(self) -> None:
        """The decimal sign that all columns prove together; what it cannot read of them is told."""
        ways: dict[Notation, list[str]] = {}
        for column in self.used:
            if column.is_number and not self._is_text(column):
                notation = column.notation
                if column in self.degrees:
                    notation = _OF_DEGREES.get(notation, notation)
                ways.setdefault(notation, []).append(column.name)
        comma = {Notation.COMMA, Notation.POINT_GROUPS} & {*ways}
        point = {Notation.POINT} & {*ways}
        decimal = "," if (comma and not point) or (not point and Notation.COMMA_OR_GROUPS in ways) else "."
        if comma and point and Notation.COMMA in ways:
            decimal = ","
        if decimal == ",":
            self.settings["decimal"] = ","
        for notation, names in ways.items():
            text = _asked(notation, decimal)
            if text:
                self.note_doubt("decimal", text.format(shorten_names(names)))
        unread = [
            column.name for column in self.sample.columns if column.looks_like_number and not column.is_number
        ]
        if unread:
            self.note_doubt(
                "decimal", f"a comma between thousands, as in 1,234.5, is not read: {shorten_names(unread)}"
            )

    def _is_text(self, column: SampleColumn) -> bool:
        """Whether the column fills only fields of text, such as ids."""
        fields = [name for name, taken in self.fields.items() if taken == column.name]
        return bool(fields) and all(self.contract.get_column(name).kind not in _NUMERIC for name in fields)


def _asked(notation: Notation, decimal: str) -> str:
    """What has to be looked at where columns of the notation are read with the decimal sign."""
    if not is_read_with(notation, decimal):
        return f'numbers of {{}} are written with a {notation.value}, which decimal: "{decimal}" misreads'
    if notation is Notation.POINT_GROUPS:
        return "a point in {} is read as one between thousands: 1.234 is more than a thousand"
    if notation is Notation.POINT_OR_GROUPS:
        return 'is 1.234 in {} more than a thousand? Then decimal: ","; it is read as one and a fraction'
    if notation is Notation.COMMA_OR_GROUPS:
        return "is 1,234 in {} more than a thousand? It is read as one and a fraction"
    return ""


def _are_classes(texts: Sequence[str]) -> bool:
    """Whether texts are classes, but for those that say in words why there is none, such as "nicht bekannt"."""
    found = [is_class(text) for text in texts if any(map(str.isdigit, text))]
    return bool(found) and all(found)
