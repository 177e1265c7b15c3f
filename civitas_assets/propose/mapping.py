"""Which record type a sample may hold, and which of its columns fills which field: settings of a source, with doubts.

Whether they read the sample is tried in `proposal.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from civitas_assets.catalog import Box
from civitas_assets.propose.columns import Column
from civitas_assets.propose.concepts import assigned, measures
from civitas_assets.propose.identity import pattern, tell_apart, telling
from civitas_assets.propose.position import located
from civitas_assets.propose.sample import Sample
from civitas_assets.propose.vocabulary import Kind, codes, kinds, normal, without_unit
from civitas_assets.records import RECORD_TYPES
from civitas_assets.records.contract import Kind as ValueKind

_MOST_CODES = 12
_OF_TIME = ("time", "period")
_POSITIONS = (("lon", "lat"), ("x", "y"))
_NUMERIC = (ValueKind.NUMBER, ValueKind.INTEGER)


@dataclass
class Draft:
    """Settings of a source by name, and what of them somebody has to look at."""

    record_type: str
    settings: dict[str, Any]
    doubts: dict[str, str] = field(default_factory=dict)


def drafts(sample: Sample, box: Box, hint: str) -> Iterator[Draft]:
    """What the sample may be, the likeliest first; `hint` is its address or file name."""
    text = _words(sample, hint)
    for kind in kinds():
        concepts = assigned(sample.columns, {*kind.fields.values(), *_COMMON})
        there = {*concepts} | ({"geometry"} if sample.points else set())
        fits = all(there & {*one} for one in kind.needs)
        if fits and (not kind.words or any(word in text for word in kind.words)):
            draft = _Drafting(sample, concepts, box, kind).draft()
            if draft is not None:
                yield draft
    concepts = assigned(sample.columns, {"time", "station", "id", "name", *_COMMON})
    wide = measures(sample.columns, concepts)
    if wide and "time" in concepts:
        yield _Drafting(sample, concepts, box, _OBSERVATION).wide(wide)


# What any record may have.
_COMMON = ("id", "lon", "lat", "x", "y", "geometry", "time", "period")
_OBSERVATION = next(kind for kind in kinds() if kind.name == "observation")


def _words(sample: Sample, hint: str) -> str:
    names = [column.name for column in sample.columns]
    values = [text for column in sample.columns if not column.is_number for text in column.texts[:3]]
    return " ".join([hint, *names, *values]).lower()


class _Drafting:
    """One try at a record type."""

    def __init__(self, sample: Sample, concepts: Mapping[str, Column], box: Box, kind: Kind) -> None:
        self._sample, self._concepts, self._box, self._kind = sample, concepts, box, kind
        self._contract = RECORD_TYPES[kind.name]
        self._draft = Draft(kind.name, {**sample.settings}, dict(sample.doubts))
        self._fields: dict[str, Any] = {}
        self._used: list[Column] = []

    def draft(self) -> Draft | None:
        """The settings; None where rows could not be told apart."""
        for name, concept in self._kind.fields.items():
            column = self._concepts.get(concept)
            if column is not None and name in self._contract.accepted:
                self._take(name, column)
        self._place()
        if not self._identify() or not self._date():
            return None
        return self._finish()

    def wide(self, series: Sequence[Column]) -> Draft:
        """The settings of a table with a column per series."""
        if self._sample.connector == "csv":
            self._draft.settings["unpivot"] = {"columns": pattern([column.name for column in series])}
            self._draft.doubts["unpivot"] = "every column of numbers becomes a series"
            self._used.extend(series)
        else:
            self._take("value", series[0])
            others = ", ".join(column.name for column in series[1:])
            if others:
                self._draft.doubts["fields"] = f"one source for each quantity; the others are {others}"
            if self._identify():
                self._date()
            return self._finish()
        station = self._concepts.get("station") or self._concepts.get("name")
        if station is not None:
            self._take("station_id", station)
            if len({*station.texts}) > 1:
                self._draft.doubts["unpivot"] = (
                    f"series of all stations would have one id: fetch one file per {station.name}, or a long table"
                )
        self._date()
        return self._finish()

    def _take(self, name: str, column: Column) -> None:
        column_of = self._contract.column(name)
        if column_of.kind in _NUMERIC and not column.is_number:
            return
        if column_of.kind is ValueKind.CODE:
            self._code(name, column)
            return
        self._used.append(column)
        if column.name == "@feature":
            self._draft.settings["feature_id"] = name
        else:
            self._fields[name] = column.name

    def _code(self, name: str, column: Column) -> None:
        known, texts = codes(name), sorted({*column.meant})
        native = f"{name}_native"
        if 0 < len(texts) <= _MOST_CODES and any(normal(text) in known for text in texts):
            self._fields[name] = column.name
            fallback = "unknown" if "unknown" in self._contract.column(name).codes else None
            found = {text: known.get(normal(text), fallback) for text in texts}
            self._draft.settings["codes"] = {name: {text: code for text, code in found.items() if code}}
            strange = [text for text in texts if normal(text) not in known]
            self._draft.doubts["codes"] = (
                f"what do these mean: {', '.join(strange)}?" if strange else "are these all that there are?"
            )
        elif native in self._contract.accepted:
            self._fields[native] = column.name
            self._draft.doubts["fields"] = f"say in codes what the values of {column.name} mean, as {name}"

    def _place(self) -> None:
        position = self._contract.position
        if position is None:
            return
        geometry = self._concepts.get("geometry") or next(
            (c for c in self._sample.columns if c.is_geometry), None
        )
        pair = next(
            (
                (self._concepts[x], self._concepts[y])
                for x, y in _POSITIONS
                if {x, y} <= self._concepts.keys()
            ),
            None,
        )
        if self._sample.points:
            points = self._sample.points
        elif geometry is not None:
            points = geometry.points
        elif pair is not None:
            points = tuple(zip(pair[0].numbers, pair[1].numbers, strict=False))
        else:
            return
        found = located(points, self._box, self._sample.crs)
        if found is None:
            self._draft.doubts["position"] = (
                "no reference system brings the positions near the tenant: left out"
            )
            return
        if found.crs != "EPSG:4326":
            self._draft.settings["crs"] = found.crs
            if found.others:
                self._draft.doubts["crs"] = f"{', '.join(found.others)} would fit as well"
        if self._sample.points:
            return
        if geometry is not None:
            self._fields["geometry"] = geometry.name
            self._used.append(geometry)
        elif pair is not None:
            x, y = reversed(pair) if found.swapped else pair
            self._fields |= dict(zip(position, (x.name, y.name), strict=True))
            self._used.extend(pair)

    def _identify(self) -> bool:
        """Every row needs an id; for a thing it has to be its own."""
        key = self._contract.key[0] if self._kind.name != "statistic" else "indicator_id"
        if key in self._fields or self._draft.settings.get("feature_id") == key:
            column = next((c for c in self._sample.columns if c.name == self._fields.get(key)), None)
            if self._contract.event_time is not None or column is None or column.is_unique:
                return self._with_series()
        candidates = [
            self._concepts.get(c) for c in ("name", "address", "street", "category", "lat", "geometry")
        ]
        if self._contract.event_time is not None:
            name = self._concepts.get("name") or self._concepts.get("station")
            if name is not None:
                self._fields[key] = name.name
                return self._with_series()
            if self._kind.name == "observation":
                self._draft.settings.setdefault("constants", {})["datastream_id"] = "1"
                self._draft.doubts["constants"] = "one series in the file? give it an id that says which"
                return self._with_series()
            return False
        names = [part.name for part in telling([c for c in candidates if c], self._sample.columns)]
        if self._sample.connector == "csv" and not tell_apart(
            [c for c in self._sample.columns if c.name in names]
        ):
            names.append("@nth")
        self._fields[key] = names[0] if len(names) == 1 else names
        self._draft.doubts["fields"] = f"nothing in it is an id: {key} is made of {', '.join(names)}"
        return bool(names)

    def _with_series(self) -> bool:
        """A series is one property at one station."""
        if self._kind.name == "observation" and "observed_property" in self._fields:
            station = self._fields.get("station_id") or self._fields.get("datastream_id")
            parts = [part for part in (station, self._fields["observed_property"]) if part]
            self._fields["datastream_id"] = parts if len(parts) > 1 else parts[0]
        elif self._kind.name == "observation" and "value" in self._fields:
            name, unit = without_unit(self._fields["value"])
            constants = self._draft.settings.setdefault("constants", {})
            constants["observed_property"] = name
            if unit and "unit" not in self._fields:
                constants["unit"] = unit
            self._draft.doubts["constants"] = "what is measured, and in which unit?"
        if self._kind.name == "statistic":
            for needed in ("area_id", "category"):
                if needed not in self._fields:
                    self._draft.settings.setdefault("constants", {})[needed] = "?"
                    self._draft.doubts["constants"] = "nothing in it says so"
        return True

    def _date(self) -> bool:
        """Events have a time; where the data has none, that of its reception stands for it."""
        start = self._contract.event_time
        if start is None:
            column = self._concepts.get("start_at") or self._concepts.get("end_at")
            if column is not None:
                self._rule(column)
            return True
        column = next((self._concepts[c] for c in reversed(_OF_TIME) if c in self._concepts), None)
        if self._kind.name != "statistic":
            column = self._concepts.get("time")
        if column is None:
            if self._kind.name in {"observation", "statistic"}:
                return False
            self._draft.settings["time"] = {"zone": "received"}
            self._draft.doubts["time"] = "nothing in it says when: the time of reception stands for it"
            return True
        self._rule(column)
        return True

    def _rule(self, column: Column) -> None:
        written = column.written
        if written is None:
            return
        rule: dict[str, Any] = {"column": column.name, "zone": written.zone}
        if written.format != "iso":
            rule["format"] = written.format
        if written.hour24:
            rule["hour24"] = True
        self._draft.settings["time"] = rule
        self._used.append(column)
        if written.doubt:
            self._draft.doubts["time"] = written.doubt

    def _finish(self) -> Draft:
        settings = self._draft.settings
        settings["record_type"] = self._kind.name
        if self._fields:
            settings["fields"] = {n: self._fields[n] for n in self._contract.accepted if n in self._fields}
        numeric = [column for column in self._used if column.is_number]
        if any(column.has_comma for column in numeric):
            settings["decimal"] = ","
        nothings = sorted({text for column in self._used for text in column.nothings})
        if nothings:
            settings["nulls"] = nothings
        names = {*self._fields}
        if self._kind.name == "parking_status" and "free" not in names and {"capacity", "occupied"} <= names:
            settings["computed"] = {"free": "capacity - occupied"}
        return self._draft
