"""Observations of SensorThings as they come over the wire, page by page, plain or as data arrays.

What they are observations of is told by the request, and described in `sensorthings_entities.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from operator import attrgetter, itemgetter
from types import NoneType
from typing import Any

import msgspec
import polars as pl

from civitas_assets.connectors.mapping.paths import to_series
from civitas_assets.connectors.sensorthings.sensorthings_entities import (
    Identified,
    SensorThingsPage,
    decode_json,
    make_component_id,
    read_page,
)
from civitas_assets.connectors.sensorthings.sensorthings_quality import format_quality_marks
from civitas_assets.connectors.sensorthings.sensorthings_tables import list_unmapped_names
from civitas_assets.errors import ReadError
from civitas_assets.records.raw import INTERVAL, RESULT, ROW, BrokenRow, RawTable

_READ = ("phenomenonTime", "resultTime", "result")
_KNOWN = frozenset(
    {
        *("id", "phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters"),
        *("Datastream", "MultiDatastream", "FeatureOfInterest", "FeatureOfInterest/id"),
    }
)
# Enough of a page to see the fields of its first observation.
_HEAD = 8192
_VALUE = b'"value"'


class _Observation(msgspec.Struct, rename={"time": "phenomenonTime", "produced": "resultTime"}, gc=False):
    time: Any = None
    produced: Any = None
    result: Any = None


class _Judged(_Observation, rename={"quality": "resultQuality"}, gc=False):
    quality: Any = None


class _DataArray(msgspec.Struct, rename={"raw": "dataArray"}):
    components: list[str]
    raw: msgspec.Raw

    def columns(self, names: Sequence[str]) -> list[list[Any]]:
        """The columns by name, without values where there is none of the name."""
        try:
            rows = decode_json(self.raw, list[tuple[(Any,) * len(self.components)]])  # type: ignore[misc]
        except ReadError as error:
            rows = self._cut(str(error))
        columns = dict(zip(self.components, zip(*rows, strict=True), strict=True)) if rows else {}
        return [[*columns[name]] if name in columns else [None] * len(rows) for name in names]

    def read_identified(self) -> list[Any]:
        """The rows by their ids alone; cells behind the id are not even made, and checked when the page is read."""
        if "id" not in self.components:
            return [Identified(key) for key in self.columns(["id"])[0]]
        found: list[Any] = decode_json(self.raw, list[_row_up_to_id(self.components.index("id"))])  # type: ignore[misc]
        return found

    def _cut(self, fault: str) -> list[Any]:
        """Rows that have more cells than there are components, without those; `fault` is what else is wrong."""
        size, rows = len(self.components), []
        with suppress(ReadError):
            rows = decode_json(self.raw, list[list[Any]])
        shortest = min(map(len, rows), default=0)
        if shortest < size:
            said = f"expected at least length {size}, got {shortest}" if rows else fault
            raise ReadError(f"has a data array whose rows do not have its {size} components: {said}")
        return [row[:size] for row in rows]


def read_observations(body: bytes, datastream_id: str) -> RawTable:
    """The observations of a page; times and results as they are.

    Raises:
        ReadError: the page is no page of observations, or they lack a time or a result.
    """
    arrays = _arrays(body)
    columns, results = _cells(body, arrays)
    table = _of_datastream(columns, results, datastream_id)
    if _repeats(table):
        table = table[_later_last(table["result_time"], _ids(body, arrays))]
    return RawTable("observation", table, unknown_fields=_unknown(body, arrays))


def read_multi_observations(body: bytes, multi_id: str, components: int) -> Iterator[RawTable]:
    """The observations of a page of a MultiDatastream: a table for each element of their results.

    A result that does not have that many elements is a broken row.

    Raises:
        ReadError: the page is no page of observations, or they lack a time or a result.
    """
    arrays = _arrays(body)
    columns, results = _cells(body, arrays)
    nothing = [None] * components
    rows = [nothing if result is None else result for result in results]
    fits = [isinstance(row, list) and len(row) == components for row in rows]
    broken = _broken(rows, fits, components)
    if broken:
        columns = [column.filter(pl.Series(fits)) for column in columns]
        rows = [row for row, fit in zip(rows, fits, strict=True) if fit]
    unknown = _unknown(body, arrays)
    for place in range(components):
        part = _of_datastream(columns, list(map(itemgetter(place), rows)), make_component_id(multi_id, place))
        if _repeats(part):
            part = part[_later_last(part["result_time"], _ids(body, arrays).filter(pl.Series(fits)))]
        yield RawTable("observation", part, unknown_fields=unknown, broken=broken if place == 0 else ())


def read_row_ids(body: bytes) -> SensorThingsPage[Identified]:
    """The observations of a page, or other entities, by their ids alone."""
    if not _has_arrays(body):
        return read_page(body, Identified)
    arrays = read_page(body, _DataArray)
    rows = [*chain.from_iterable(part.read_identified() for part in arrays.value)]
    return SensorThingsPage(rows, arrays.next, arrays.total)


@lru_cache(maxsize=8)
def _row_up_to_id(place: int) -> type[msgspec.Struct]:
    """A row of a data array whose id is the component at that place."""
    before = [(f"cell_{number}", Any) for number in range(place)]
    return msgspec.defstruct("RowUpToId", [*before, ("id", Any)], array_like=True, gc=False)


def _has_arrays(body: bytes) -> bool:
    start = max(body.find(_VALUE), 0)
    return b'"dataArray"' in body[start : start + 1000]


def _arrays(body: bytes) -> list[_DataArray] | None:
    """The data arrays of a page; None where it has plain observations."""
    return read_page(body, _DataArray).value if _has_arrays(body) else None


def _cells(body: bytes, arrays: Sequence[_DataArray] | None) -> tuple[list[pl.Series], list[Any]]:
    """Columns of the rows' numbers, times and marks of quality, and the results as they are."""
    if arrays is None:
        is_judged = b'"resultQuality"' in body
        found = read_page(body, _Judged if is_judged else _Observation).value
        _refuse_nameless(body, len(found))
        names = ("time", "produced", "result", *(("quality",) if is_judged else ()))
        columns = [list(map(attrgetter(name), found)) for name in names]
    else:
        for part in arrays:
            if not {"phenomenonTime", "result"} <= {*part.components}:
                named = ", ".join(part.components)
                raise ReadError(f"has a data array without phenomenonTime or result; it has {named}")
        is_judged = any("resultQuality" in part.components for part in arrays)
        names = (*_READ, "resultQuality") if is_judged else _READ
        parts = [part.columns(names) for part in arrays]
        columns = (
            parts[0]
            if len(parts) == 1
            else [[*chain.from_iterable(same)] for same in zip(*parts, strict=True)]
        )
    times, produced, results = columns[:3]
    rows = pl.int_range(1, len(times) + 1, eager=True).alias(ROW)
    cells = [rows, to_series(INTERVAL, times), to_series("result_time", produced)]
    return [*cells, *map(format_quality_marks, columns[3:])], results


def _refuse_nameless(body: bytes, height: int) -> None:
    """A field that is empty is one thing; one that nothing on the page ever names is another."""
    for name in ("phenomenonTime", "result"):
        if height and f'"{name}"'.encode() not in body:
            raise ReadError(f"has {height} observation(s) without {name}, which each must have")


def _result(values: list[Any]) -> pl.Series:
    """Numbers as such, whole or not; anything else as text, and so truth, which beside other pages' numbers were 1."""
    if {*map(type, values)} <= {int, float, NoneType}:
        with suppress(OverflowError):  # whole numbers beyond any measure, which the contract then refuses
            return pl.Series(RESULT, values, pl.Float64)
    column = to_series(RESULT, values)
    return column.cast(pl.String) if column.dtype == pl.Boolean else column


def _repeats(table: pl.DataFrame) -> bool:
    return table[INTERVAL].n_unique() < table.height


def _later_last(produced: pl.Series, ids: pl.Series) -> pl.Series:
    """The order in which of two results at one time the one produced later is last, else the one with the higher id."""
    times = produced.cast(pl.String).str.to_datetime(time_zone="UTC", strict=False, format="%+")
    keys = pl.DataFrame([times.alias("produced"), ids.alias("id")]).with_row_index("row")
    return keys.sort("produced", "id", nulls_last=False, maintain_order=True)["row"]


def _ids(body: bytes, arrays: Sequence[_DataArray] | None) -> pl.Series:
    if arrays is None:
        return to_series("id", read_row_ids(body).ids)
    ids: list[Any] = []
    for part in arrays:
        ids.extend(part.columns(["@iot.id" if "@iot.id" in part.components else "id"])[0])
    return to_series("id", ids)


def _of_datastream(columns: Sequence[pl.Series], results: list[Any], datastream_id: str) -> pl.DataFrame:
    stream = pl.Series("datastream_id", [datastream_id]).new_from_index(0, len(results))
    return pl.DataFrame([*columns, _result(results), stream])


def _broken(rows: Sequence[Any], fits: Sequence[bool], components: int) -> tuple[BrokenRow, ...]:
    return tuple(
        BrokenRow(
            number,
            "result_has_other_components",
            f"the MultiDatastream has {components}",
            msgspec.json.encode(row).decode(),
        )
        for number, (row, fit) in enumerate(zip(rows, fits, strict=True), 1)
        if not fit
    )


def _unknown(body: bytes, arrays: Sequence[_DataArray] | None) -> tuple[str, ...]:
    """Fields that the standard does not have, as far as a page's first observation tells."""
    names: Iterable[str]
    if arrays is None:
        start = max(body.find(_VALUE), 0) + len(_VALUE)
        text = body[start : start + _HEAD].decode(errors="ignore")
        try:
            names = json.JSONDecoder().raw_decode(text, max(text.find("{"), 0))[0]
        except (ValueError, RecursionError):
            return ()
    else:
        names = {name for part in arrays for name in part.components}
    return list_unmapped_names("Observation", names, _KNOWN)
