"""Observations of SensorThings as they come over the wire, page by page, plain or as data arrays.

What they are observations of is told by the request, and described in `sensorthings_entities.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from operator import attrgetter, itemgetter
from types import NoneType
from typing import Any

import msgspec
import polars as pl

from civitas_assets.connectors.paths import series
from civitas_assets.connectors.sensorthings_entities import component_id, decode
from civitas_assets.connectors.sensorthings_quality import marks
from civitas_assets.connectors.sensorthings_tables import unmapped
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


class _Observation(msgspec.Struct, rename={"time": "phenomenonTime", "produced": "resultTime"}, gc=False):
    time: Any = None
    produced: Any = None
    result: Any = None


class _Identified(msgspec.Struct, rename={"id": "@iot.id"}):
    id: Any = None


class _Judged(msgspec.Struct, rename={"quality": "resultQuality"}):
    quality: Any = None


class _Raw(msgspec.Struct):
    value: msgspec.Raw


class _DataArray(msgspec.Struct, rename={"raw": "dataArray"}):
    components: list[str]
    raw: msgspec.Raw

    def rows(self, kind: Any) -> list[Any]:
        found: list[Any] = decode(self.raw, list[kind])
        return found

    def columns(self, names: Sequence[str]) -> list[list[Any]]:
        """The columns by name, without values where there is none of the name."""
        places = {name: place for place, name in enumerate(self.components)}
        try:
            rows = self.rows(_row(len(places)))
        except ReadError as error:
            raise ReadError(
                f"has a data array whose rows do not have its {len(places)} components: {error}"
            ) from None
        return [
            list(map(attrgetter(f"f{places[name]}"), rows)) if name in places else [None] * len(rows)
            for name in names
        ]


@cache
def _row(size: int) -> type[msgspec.Struct]:
    """A row of so many cells; unlike lists, as many rows as there are do not busy the garbage collector."""
    return msgspec.defstruct("Row", [(f"f{place}", Any) for place in range(size)], array_like=True, gc=False)


def observations(body: bytes, datastream_id: str) -> RawTable:
    """The observations of a page; times and results as they are.

    Raises:
        ReadError: the page is no page of observations, or they lack a time or a result.
    """
    value = _value(body)
    arrays = _arrays(value)
    table, results = _cells(value, arrays)
    table = table.hstack([_result(results)])
    if _repeats(table):
        table = table[_later_last(table["result_time"], _ids(value, arrays))]
    return RawTable(
        "observation", _of_datastream(table, datastream_id), unknown_fields=_unknown(value, arrays)
    )


def multi_observations(body: bytes, multi_id: str, components: int) -> Iterator[RawTable]:
    """The observations of a page of a MultiDatastream: a table for each element of their results.

    A result that does not have that many elements is a broken row.

    Raises:
        ReadError: the page is no page of observations, or they lack a time or a result.
    """
    value = _value(body)
    arrays = _arrays(value)
    table, results = _cells(value, arrays)
    nothing = [None] * components
    rows = [nothing if result is None else result for result in results]
    fits = [isinstance(row, list) and len(row) == components for row in rows]
    broken = _broken(rows, fits, components)
    if broken:
        table = table.filter(pl.Series(fits))
        rows = [row for row, fit in zip(rows, fits, strict=True) if fit]
    order = None
    if _repeats(table):
        order = _later_last(table["result_time"], _ids(value, arrays).filter(pl.Series(fits)))
    unknown = _unknown(value, arrays)
    for place in range(components):
        part = table.hstack([_result(list(map(itemgetter(place), rows)))])
        yield RawTable(
            "observation",
            _of_datastream(part if order is None else part[order], component_id(multi_id, place)),
            unknown_fields=unknown,
            broken=broken if place == 0 else (),
        )


def row_ids(body: bytes) -> list[Any]:
    """The ids of the observations, or other entities, of a page; None for one without."""
    value = _value(body)
    if b'"dataArray"' not in value[:1000]:
        return [entity.id for entity in decode(value, list[_Identified])]
    return [key for part in _arrays(value) or () for key in part.columns(["id"])[0]]


def _value(body: bytes) -> bytes:
    return bytes(decode(body, _Raw).value)


def _arrays(value: bytes) -> list[_DataArray] | None:
    """The data arrays of a page; None where it has plain observations."""
    if b'"dataArray"' not in value[:1000]:
        return None
    found: list[_DataArray] = decode(value, list[_DataArray])
    return found


def _cells(value: bytes, arrays: Sequence[_DataArray] | None) -> tuple[pl.DataFrame, list[Any]]:
    """Rows with their numbers, times and marks of quality, and the results as they are."""
    if arrays is None:
        found = decode(value, list[_Observation])
        _refuse_nameless(value, len(found))
        columns = [list(map(attrgetter(name), found)) for name in ("time", "produced", "result")]
    else:
        for part in arrays:
            if not {"phenomenonTime", "result"} <= {*part.components}:
                named = ", ".join(part.components)
                raise ReadError(f"has a data array without phenomenonTime or result; it has {named}")
        parts = [part.columns(_READ) for part in arrays]
        columns = parts[0] if len(parts) == 1 else [[c for p in parts for c in p[n]] for n in range(3)]
    times, produced, results = columns
    rows = pl.int_range(1, len(times) + 1, eager=True).alias(ROW)
    table = pl.DataFrame([rows, series(INTERVAL, times), series("result_time", produced)])
    qualities = _qualities(value, arrays)
    return (table if qualities is None else table.hstack([marks(qualities)])), results


def _qualities(value: bytes, arrays: Sequence[_DataArray] | None) -> list[Any] | None:
    """What each observation says of its result, as it is; None where none says anything."""
    if arrays is None:
        is_there = b'"resultQuality"' in value
        return [observation.quality for observation in decode(value, list[_Judged])] if is_there else None
    if not any("resultQuality" in part.components for part in arrays):
        return None
    return [quality for part in arrays for quality in part.columns(["resultQuality"])[0]]


def _refuse_nameless(value: bytes, height: int) -> None:
    """A field that is empty is one thing; one that nothing on the page ever names is another."""
    for name in ("phenomenonTime", "result"):
        if height and f'"{name}"'.encode() not in value:
            raise ReadError(f"has {height} observation(s) without {name}, which each must have")


def _result(values: list[Any]) -> pl.Series:
    """Numbers as such, whole or not; anything else as text, and so truth, which beside other pages' numbers were 1."""
    if {*map(type, values)} <= {int, float, NoneType}:
        with suppress(OverflowError):  # whole numbers beyond any measure, which the contract then refuses
            return pl.Series(RESULT, values, pl.Float64)
    column = series(RESULT, values)
    return column.cast(pl.String) if column.dtype == pl.Boolean else column


def _repeats(table: pl.DataFrame) -> bool:
    return table[INTERVAL].n_unique() < table.height


def _later_last(produced: pl.Series, ids: pl.Series) -> pl.Series:
    """The order in which of two results at one time the one produced later is last, else the one with the higher id."""
    times = produced.cast(pl.String).str.to_datetime(time_zone="UTC", strict=False, format="%+")
    keys = pl.DataFrame([times.alias("produced"), ids.alias("id")]).with_row_index("row")
    return keys.sort("produced", "id", nulls_last=False, maintain_order=True)["row"]


def _ids(value: bytes, arrays: Sequence[_DataArray] | None) -> pl.Series:
    if arrays is None:
        return series("id", [observation.id for observation in decode(value, list[_Identified])])
    ids: list[Any] = []
    for part in arrays:
        ids.extend(part.columns(["@iot.id" if "@iot.id" in part.components else "id"])[0])
    return series("id", ids)


def _of_datastream(table: pl.DataFrame, datastream_id: str) -> pl.DataFrame:
    return table.hstack([pl.Series("datastream_id", [datastream_id]).new_from_index(0, table.height)])


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


def _unknown(value: bytes, arrays: Sequence[_DataArray] | None) -> tuple[str, ...]:
    """Fields that the standard does not have, as far as a page's first observation tells."""
    names: Iterable[str]
    if arrays is None:
        text = value[:_HEAD].decode(errors="ignore")
        try:
            names = json.JSONDecoder().raw_decode(text, max(text.find("{"), 0))[0]
        except (ValueError, RecursionError):
            return ()
    else:
        names = {name for part in arrays for name in part.components}
    return unmapped("Observation", names, _KNOWN)
