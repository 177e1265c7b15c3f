"""Archives of the German weather service: the table of a station's values, and by which clock its times are.

Products and their quantities are in `dwd_products.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

import polars as pl

from civitas_assets.connectors.content.archive import unzip_members
from civitas_assets.connectors.services.dwd_products import (
    NOT_MEASURED,
    NOT_WANTED,
    QUANTITIES,
    RESOLUTIONS,
    Resolution,
)
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable
from civitas_assets.records.raw import INTERVAL, ROW, TIME

TIME_FORMAT = "%Y%m%d%H%M"
_STATION, _TIME, _QUALITY, _END = "STATIONS_ID", "MESS_DATUM", re.compile(r"QN(_\d+)?"), "eor"
_DATASTREAM = ("datastream_id", "station_id", "name", "observed_property", "unit", "interval_s")
# Until then the service wrote ten-minute values by CET, since then it writes UTC.
_FIRST_UTC = "200001010000"
_DAILY = 86400
_ZONE = "@zone"
_UNCLEAR = -1


class _Spell(NamedTuple):
    """From which day to which the times of a parameter are so many hours ahead of UTC."""

    first: str
    last: str
    hours: int


def read_measured_tables(
    body: bytes, resolution: Resolution, nulls: Collection[str], most_bytes: int
) -> Iterator[RawTable]:
    """The datastreams of a product's archive that have any value in it, and their values.

    Raises:
        ReadError: it is no such archive, or its table lacks station, time, quality or a quantity of its product.
    """
    members = [content for _, content in unzip_members(body, "produkt_*.txt", most_bytes)]
    if not members:
        raise ReadError("is an archive without a file produkt_….txt")
    spells = list[_Spell]()
    if resolution.folder == "hourly":
        for _, content in unzip_members(body, "Metadaten_Parameter*.txt", most_bytes):
            spells += _read_spells(content)
    for member in members:
        yield from _tables(member, resolution, spells, nulls)


def _tables(
    member: bytes, resolution: Resolution, spells: list[_Spell], nulls: Collection[str]
) -> Iterator[RawTable]:
    table, broken = _cells(member)
    header = table.columns[1:]
    marks = _find_quality_columns(header)
    missing = [name for name in (_STATION, _TIME) if name not in header] + ([] if marks else ["QN"])
    if missing:
        raise ReadError(f"lacks the column(s) {', '.join(missing)}; it has {', '.join(header)}")
    # Polars 2.1 refuses a format with hours and without minutes, so that all times are given them.
    table = table.with_columns(pl.col(_STATION).str.zfill(5), pl.col(_TIME).str.pad_end(12, "0"))
    table, unclear = _to_utc(table, resolution, spells)
    # Most stations measure some quantities of a product only; the columns of the others are there, without a value.
    known = frozenset[str]().union(*(product.columns for product in resolution.products.values()))
    own = [
        name
        for name in QUANTITIES
        if name in known.intersection(header) and not table[name].is_in([*nulls, ""]).all()
    ]
    stations = table[_STATION].unique(maintain_order=True).to_list()
    series = [
        (f"{station}/{name}", station, *_describe(name), str(resolution.seconds))
        for name in own
        for station in stations
    ]
    schema = dict.fromkeys(_DATASTREAM, pl.String)
    yield RawTable("datastream", pl.DataFrame(series, schema=schema, orient="row"))
    blocks = [
        table.select(
            ROW,
            pl.format("{}/{}", _STATION, pl.lit(name)).alias("datastream_id"),
            *_when(name, resolution),
            *_value(name),
            pl.col(marks.get(name, next(iter(marks.values())))).alias("quality_native"),
        )
        for name in own
    ]
    nothing = table.select(ROW, pl.lit(None, pl.String).alias("datastream_id")).clear()
    read = {_STATION, _TIME, _END, "", *marks.values(), *known, *NOT_WANTED}
    unknown = tuple(name for name in header if name not in read)
    observed = pl.concat(blocks, how="diagonal") if blocks else nothing
    yield RawTable("observation", observed, unknown, broken + unclear)
    # After all that is there: of a quantity that is called otherwise now, nothing would come any more.
    product = max(resolution.products.values(), key=lambda product: len(product.columns.intersection(header)))
    missing = sorted(product.columns.difference(header))
    if missing:
        raise ReadError(f"lacks the column(s) {', '.join(missing)}; it has {', '.join(header)}")


def _describe(name: str) -> tuple[str, str, str]:
    quantity = QUANTITIES[name]
    return quantity.name, quantity.observed_property, quantity.unit


def _find_quality_columns(header: list[str]) -> dict[str, str]:
    """By column, the one with its level of quality: such a column is about those that follow it."""
    found, mark = dict[str, str](), None
    for name in header:
        if _QUALITY.fullmatch(name):
            mark = name
        elif mark is not None:
            found[name] = mark
    return found


def _when(name: str, resolution: Resolution) -> list[pl.Expr]:
    """The time as written, or from when to when a daily value was measured, where that is not the day."""
    at = QUANTITIES[name].at
    if resolution.seconds != _DAILY:
        return [pl.col(_TIME).alias(TIME)]
    start, end = at or (0, 24)
    day = pl.col(_TIME).str.head(8).str.strptime(pl.Date, "%Y%m%d", strict=False).cast(pl.Datetime("us"))
    moments = [
        day.dt.offset_by(f"{hours}h").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        for hours in dict.fromkeys((start, end))
    ]
    # What is no day stays, for the contract to reject.
    return [pl.coalesce(pl.concat_str(moments, separator="/"), pl.col(_TIME)).alias(INTERVAL)]


def _value(name: str) -> list[pl.Expr]:
    """The cell as the value; of a column that has a code among its numbers, which of them are no value."""
    cell = pl.col(name)
    if name not in NOT_MEASURED:
        return [cell.alias("value")]
    is_code = cell.cast(pl.Float64, strict=False).eq_missing(NOT_MEASURED[name])
    return [
        pl.when(~is_code).then(cell).alias("value"),
        pl.when(is_code).then(pl.lit("sentinel")).alias("value_flag"),
    ]


def _cells(member: bytes) -> tuple[pl.DataFrame, tuple[BrokenRow, ...]]:
    """Cells without their padding, under names without theirs, and the rows of another width."""
    header, *lines = member.decode("latin-1").splitlines() or [""]
    names = [name.strip() for name in header.split(";")]
    if len({*names, ROW}) <= len(names):
        raise ReadError(f"has a column twice, or no header: {header[:80]}")
    frame = pl.DataFrame({"line": pl.Series(lines, dtype=pl.String)}).with_row_index(ROW, offset=1)
    frame = frame.filter(pl.col("line").str.strip_chars() != "").cast({ROW: pl.Int64})
    fits = pl.col("line").str.count_matches(";", literal=True) == len(names) - 1
    broken = tuple(
        BrokenRow(row, "wrong_number_of_cells", f"{line.count(';') + 1} cells, {len(names)} columns", line)
        for row, line in frame.filter(~fits).iter_rows()
    )
    cells = frame.filter(fits).with_columns(
        pl.col("line").str.split_exact(";", len(names) - 1).struct.rename_fields(names)
    )
    return cells.unnest("line").with_columns(pl.col(names).str.strip_chars()), broken


def _read_spells(content: bytes) -> Iterator[_Spell]:
    """What the description of a station's parameters says of the clock that their times are by.

    It is in words, such as `Stundenwerte in MEZ`; GZ is the time by law, which no offset alone tells.
    """
    header, *lines = content.decode("latin-1").splitlines() or [""]
    names = [name.strip() for name in header.split(";")]
    known = frozenset[str]().union(*(product.columns for product in RESOLUTIONS["hourly"].products.values()))
    for line in lines:
        row = dict(zip(names, (cell.strip() for cell in line.split(";")), strict=False))
        first, last = row.get("Von_Datum", ""), row.get("Bis_Datum", "") or "99999999"
        if row.get("Parameter") not in known or not (first.isdecimal() and last.isdecimal()):
            continue
        words = {
            *re.findall(
                r"\b(UTC|MEZ|GZ)\b", f"{row.get('Zusatz-Info')} {row.get('Datenquelle (Strukturversion=SV)')}"
            )
        }
        hours = {("UTC",): 0, ("MEZ",): 1}.get(tuple(words), _UNCLEAR if words else 0)
        yield _Spell(first, last, hours)


def _to_utc(
    table: pl.DataFrame, resolution: Resolution, spells: list[_Spell]
) -> tuple[pl.DataFrame, tuple[BrokenRow, ...]]:
    """Times in UTC, and the rows of which nobody can tell by which clock they are; what is no time stays as written."""
    written = pl.col(_TIME)
    if resolution.folder == "10_minutes":
        return table.with_columns(_earlier(written, written < _FIRST_UTC)), ()
    if not spells:
        return table, ()
    day = written.str.head(8)
    hours = pl.lit(min(spells).hours)
    for spell in sorted(set(spells)):
        hours = pl.when(day >= spell.first).then(spell.hours).otherwise(hours)
    said = [
        pl.any_horizontal(
            pl.lit(value=False),
            *(day.is_between(pl.lit(s.first), pl.lit(s.last)) for s in spells if s.hours == value),
        )
        for value in (_UNCLEAR, 0, 1)
    ]
    # A day on which one clock ends and the other begins is by either.
    unclear = said[0] | (said[1] & said[2]) | (hours == _UNCLEAR)
    table = table.with_columns(pl.when(unclear).then(_UNCLEAR).otherwise(hours).alias(_ZONE))
    broken = tuple(
        BrokenRow(row, "clock_unclear", "its description says neither UTC nor MEZ of that day, or both", time)
        for row, time in table.filter(pl.col(_ZONE) == _UNCLEAR).select(ROW, _TIME).iter_rows()
    )
    kept = table.filter(pl.col(_ZONE) != _UNCLEAR)
    return kept.with_columns(_earlier(written, pl.col(_ZONE) == 1)).drop(_ZONE), broken


def _earlier(written: pl.Expr, is_cet: pl.Expr) -> pl.Expr:
    """Times as written, those in CET an hour earlier; what is no time stays for the contract to reject."""
    earlier = written.str.strptime(pl.Datetime("us"), TIME_FORMAT, strict=False).dt.offset_by("-1h")
    return (
        pl.when(is_cet)
        .then(pl.coalesce(earlier.dt.strftime(TIME_FORMAT), written))
        .otherwise(written)
        .alias(_TIME)
    )
