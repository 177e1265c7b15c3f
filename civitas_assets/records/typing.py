"""Rows into contract: text becomes typed, times and positions comparable, what breaks a rule is set apart.

All work is on whole columns; a fault of one row never touches another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time

import polars as pl

from civitas_assets.catalog import Box, Source
from civitas_assets.errors import ReadError
from civitas_assets.records.clean_text import to_text
from civitas_assets.records.clock import is_implausible, is_of_unset_clock, remove_open_ends
from civitas_assets.records.companions import split_companions
from civitas_assets.records.contract import GEOMETRY, UTC_TIME, Column, ColumnKind, RecordType
from civitas_assets.records.conversion import convert_values
from civitas_assets.records.faults import RowFault, build_rejected_rows
from civitas_assets.records.lengths import move_classes
from civitas_assets.records.origin import find_sentinels, replace_nulls
from civitas_assets.records.position import find_position_faults, to_wgs84, widen_box
from civitas_assets.records.raw import INTERVAL, PAYLOAD, RECEIVED, RESULT, ROW, TIME
from civitas_assets.records.time import parse_event_times

# A number whose comma can only be that of its decimals: three digits behind it may be thousands.
_COMMA = r"^([+-]?\d+),(\d{1,2}|\d{4,})$"
_SHOWN = 200  # characters of a geometry that a rejected row shows as its detail


@dataclass(frozen=True)
class TenantPlace:
    """Where a tenant is: its time zone and its bounding box (west, south, east, north in degrees)."""

    zone: str
    box: Box


@dataclass(frozen=True)
class Typed:
    """A table after its contract: accepted records by record type, and rejected rows with the broken rule.

    Accepted frames have the contract's columns, `payload` and `received_at`, in the order of the rows. `named` has the
    first column of the key, `payload` and `received_at` of all rows, also of rejected ones. `rejected` also tells of
    cells that were left empty because they break their rule, and only describe what is accepted without them.
    """

    accepted: Mapping[str, pl.DataFrame]
    rejected: pl.DataFrame
    named: pl.DataFrame


def bring_into_contract(
    record_type: RecordType,
    table: pl.DataFrame,
    source: Source,
    place: TenantPlace,
    then: Callable[[pl.DataFrame, RecordType], pl.DataFrame] = lambda typed, _: typed,
) -> Typed:
    """Type rows that have their origin; one call may hold the rows of many payloads.

    `then` is told the accepted rows, and those that are only named, before other record types are made of them.

    Raises:
        ReadError: a required field is in no row because the source's mapping does not bring it.
    """
    faults, cells = list[RowFault](), list[RowFault]()
    columns = _flags(table, record_type, source)
    table = _dated(table, record_type, source)
    table = move_classes(_taken_apart(replace_nulls(table, source), record_type), record_type)
    for name in record_type.accepted:
        if name in table.columns:
            column = record_type.get_column(name)
            is_event = name == record_type.event_time
            broken = cells if record_type.is_descriptive(column) else faults
            found = len(broken)
            values = _typed(table[name], column, source, place, broken, is_event=is_event)
            for fault in cells[found:] if broken is cells else ():
                values = values.set(fault.rows, None) if fault.rows.any() else values
            marked = columns.get(name)  # of a flag, what is marked already stays
            columns[name] = values if marked is None else marked.zip_with(marked.is_not_null(), values)
            native = f"{name}_native"
            if (
                column.kind is ColumnKind.CODE
                and native in record_type.accepted
                and native not in table.columns
            ):
                columns[native] = to_text(table[name])
    _compute(columns, record_type, source)
    _add_times(columns, table, source, record_type, place, faults)
    _check_validity(columns, record_type, place, cells)
    _add_position(columns, source, record_type, place, faults)
    for column in record_type.columns:
        if column.required:
            if column.name not in columns:
                raise ReadError(f"brings no {column.name}, which every {record_type.name} needs: map it")
            faults.append(RowFault("required_field_is_empty", column.name, columns[column.name].is_null()))
    typed = pl.DataFrame({**columns, "payload": table[PAYLOAD], "received_at": table[RECEIVED]})
    named = then(typed.select(record_type.key[0], "payload", "received_at"), record_type)
    bad = [fault for fault in faults if fault.rows.any()]
    if bad:
        typed = typed.filter(~pl.DataFrame({str(i): f.rows for i, f in enumerate(bad)}).max_horizontal())
    accepted = split_companions(then(typed, record_type), record_type, source.own_record_types())
    return Typed(accepted, build_rejected_rows(table, record_type, bad, cells), named)


def _flags(table: pl.DataFrame, record_type: RecordType, source: Source) -> dict[str, pl.Series]:
    """Where the value is there as a number or text that means none, which its absence would not tell."""
    native = next((name for name in (RESULT, "value") if name in table.columns), None)
    if "value_flag" not in record_type.schema or native is None or not source.nulls:
        return {}
    marked = find_sentinels(table[native], source)
    if not marked.any():
        return {}
    return {"value_flag": pl.select(pl.when(marked).then(pl.lit("sentinel"))).to_series()}


def _dated(table: pl.DataFrame, record_type: RecordType, source: Source) -> pl.DataFrame:
    """Periods that fill the time of the event as a field are read as periods, which have an end as well."""
    start, end = record_type.event_time, record_type.interval_end
    rule = source.time
    if rule is None or rule.format != "period" or start not in table.columns or end in table.columns:
        return table
    return table.with_columns(pl.col(start).alias(TIME)).drop(start)


def _taken_apart(table: pl.DataFrame, record_type: RecordType) -> pl.DataFrame:
    """Times that may be intervals as start and end, results of any type as numbers and texts."""
    columns = {}
    if INTERVAL in table.columns and record_type.event_time and record_type.interval_end:
        start = table[INTERVAL].cast(pl.String)
        if start.str.contains("/", literal=True).any():
            start, end = start.str.splitn("/", 2).struct.unnest().get_columns()
            columns[record_type.interval_end] = end
        columns[record_type.event_time] = start
    if RESULT in table.columns:
        result = table[RESULT]
        text = pl.Series([None], dtype=pl.String).new_from_index(0, len(result))
        if result.dtype == pl.String:
            written = result.str.strip_chars().str.replace(_COMMA, "$1.$2")
            number = written.cast(pl.Float64, strict=False)
            text = result.zip_with(number.is_null(), text)
        else:
            number = result.cast(pl.Float64)
        columns |= {"value": number, "value_text": text}
    return table.with_columns(**columns) if columns else table


def _typed(
    values: pl.Series,
    column: Column,
    source: Source,
    place: TenantPlace,
    faults: list[RowFault],
    *,
    is_event: bool,
) -> pl.Series:
    if column.kind is ColumnKind.GEOMETRY:
        return values  # read with the position
    typed, rule = convert_values(values, column, source, place.zone)
    is_other_time = column.kind in {ColumnKind.TIME, ColumnKind.DATE} and not is_event
    if is_other_time and (typed.null_count() > values.null_count() or is_implausible(typed).any()):
        values = remove_open_ends(values)  # which are no times, or none that anybody could have meant
        typed, rule = convert_values(values, column, source, place.zone)
    if typed.null_count() > values.null_count():
        faults.append(RowFault(rule, column.name, typed.is_null() & values.is_not_null(), values))
    if is_other_time:
        faults.append(RowFault("time_is_implausible", column.name, is_implausible(typed), values))
    for number in column.unknown:
        typed = typed.set(typed == number, None)
    for bound, breaks in ((column.minimum, typed.__lt__), (column.maximum, typed.__gt__)):
        if bound is not None:
            rows = breaks(bound).fill_null(value=False)
            faults.append(RowFault("out_of_range", column.name, rows, values))
    return typed


def _compute(columns: dict[str, pl.Series], record_type: RecordType, source: Source) -> None:
    """Fill what the data lacks from what it has; a result that cannot be right stays empty."""
    for name, text in source.computed.items():
        first, operator, second = text.split()
        if not {first, second} <= columns.keys():
            continue
        column = record_type.get_column(name)
        result = columns[first] - columns[second] if operator == "-" else columns[first] + columns[second]
        if column.minimum is not None:
            result = result.set(result < column.minimum, None)
        given = columns.get(name, pl.Series([None], dtype=result.dtype).new_from_index(0, len(result)))
        columns[name] = given.zip_with(given.is_not_null(), result.cast(given.dtype))


def _add_times(  # noqa: PLR0917 - each argument is of another type
    columns: dict[str, pl.Series],
    table: pl.DataFrame,
    source: Source,
    record_type: RecordType,
    place: TenantPlace,
    faults: list[RowFault],
) -> None:
    start, end = record_type.event_time, record_type.interval_end
    if start is None:
        return
    if start not in columns and source.time is not None:
        written = table[TIME] if TIME in table.columns else None
        # Passes of the repeated hour are told apart by order within one payload, not over several.
        series = pl.DataFrame(
            {
                "series": columns.get(record_type.key[0], table[ROW]),
                **table.select(PAYLOAD, RECEIVED).to_dict(),
            }
        ).to_struct()
        times = parse_event_times(written, source.time, place.zone, table[RECEIVED], series)
        columns[start] = times.start
        if end is not None:
            columns[end] = times.end
            if "time_flag" in record_type.schema:
                columns["time_flag"] = times.flag
        faults.extend(RowFault(rule, start, rows, written) for rule, rows in times.faults.items())
    elif end is not None and start in columns:
        last = columns[start]
        if source.time is not None and source.time.format == "period" and start in table.columns:
            last = parse_event_times(table[start], source.time, place.zone, last, table[ROW]).end
            last = last.zip_with(last.is_not_null(), columns[start])
        known = columns.get(end)
        columns[end] = last if known is None else known.zip_with(known.is_not_null(), last)
    if start in columns:
        faults.append(RowFault("time_is_implausible", start, is_implausible(columns[start]), columns[start]))
        if end is not None:
            backwards = (columns[end] < columns[start]).fill_null(value=False)
            faults.append(RowFault("interval_ends_before_it_starts", end, backwards, columns[end]))
        unset = is_of_unset_clock(columns[start], table[PAYLOAD])
        if end is None and "time_flag" not in record_type.schema:
            faults.append(RowFault("time_of_unset_clock", start, unset, columns[start]))
        if "time_flag" in record_type.schema and unset.any():
            flags = columns.get("time_flag", pl.Series([None], dtype=pl.String).new_from_index(0, len(unset)))
            columns["time_flag"] = flags.set(unset, "clock_unset")


def _check_validity(
    columns: dict[str, pl.Series], record_type: RecordType, place: TenantPlace, cells: list[RowFault]
) -> None:
    """Leave an end empty that lies before its beginning: nothing would tell it from one that has passed."""
    first, last = record_type.validity or ("", "")
    if first not in columns or last not in columns:
        return
    start, end = columns[first], columns[last]
    backwards = (end < start).fill_null(value=False)
    if backwards.any() and end.dtype == UTC_TIME:
        # An end that is written as a mere day is the midnight before it.
        local = end.dt.convert_time_zone(place.zone)
        is_day = (local.dt.time() == time(0)) & (
            local.dt.date() == start.dt.convert_time_zone(place.zone).dt.date()
        )
        backwards &= ~is_day.fill_null(value=False)
    if backwards.any():
        cells.append(RowFault("ends_before_it_starts", last, backwards, end.cast(pl.String)))
        columns[last] = end.set(backwards, None)


def _add_position(
    columns: dict[str, pl.Series],
    source: Source,
    record_type: RecordType,
    place: TenantPlace,
    faults: list[RowFault],
) -> None:
    if record_type.position is None or not {*record_type.position, GEOMETRY.name} & {*columns}:
        return
    x, y = record_type.position
    nothing = pl.Series([None], dtype=pl.Float64).new_from_index(0, len(next(iter(columns.values()))))
    lon, lat = to_wgs84(columns.get(x, nothing), columns.get(y, nothing), source.crs)
    near = None
    if GEOMETRY.name in columns:
        from civitas_assets.records.geometry import parse_geometry_column  # noqa: PLC0415 - few record types have any

        written = columns[GEOMETRY.name]
        shapes = parse_geometry_column(written, source.crs)
        if shapes.unreadable.any():
            detail = to_text(written).str.head(_SHOWN)
            faults.append(RowFault("geometry_is_unreadable", GEOMETRY.name, shapes.unreadable, detail))
        pointless = lon.is_null() & lat.is_null()
        lon, lat = shapes.lon.zip_with(pointless, lon), shapes.lat.zip_with(pointless, lat)
        # What is large may have its middle elsewhere: that a part of it is here is enough.
        near = shapes.find_touching(widen_box(place.box))
        columns[GEOMETRY.name] = shapes.wkb
    found = {
        rule: rows for rule, rows in find_position_faults(lon, lat, place.box, near).items() if rows.any()
    }
    if found:
        both = pl.format("{}, {}", lon.fill_null(float("nan")), lat.fill_null(float("nan")))
        detail = pl.select(both).to_series()
        faults.extend(RowFault(rule, f"{x}, {y}", rows, detail) for rule, rows in found.items())
    columns[x], columns[y] = lon, lat
