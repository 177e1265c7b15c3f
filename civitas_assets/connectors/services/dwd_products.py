"""The ten-minute products of the German weather service: names of their files, their quantities, and what is in them.

Where the files lie and which are wanted is in `dwd.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from civitas_assets.connectors.content.archive import unzip_members
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable
from civitas_assets.records.raw import ROW, TIME

TIME_FORMAT = "%Y%m%d%H%M"
# J/cm² alone does not say over how long the energy was summed up; the seeds convert this unit to W/m².
_ENERGY = "J/cm2/(10.min)"
# The files name no units; these are the ones of the products' descriptions.
_QUANTITIES = {
    "TT_10": ("Lufttemperatur in 2 m Höhe", "Cel"),
    "TM5_10": ("Lufttemperatur in 5 cm Höhe", "Cel"),
    "TD_10": ("Taupunkttemperatur in 2 m Höhe", "Cel"),
    "RF_10": ("Relative Feuchte in 2 m Höhe", "%"),
    "PP_10": ("Luftdruck in Stationshöhe", "hPa"),
    "FF_10": ("Mittlere Windgeschwindigkeit", "m/s"),
    "FX_10": ("Höchste Windgeschwindigkeit", "m/s"),
    "DD_10": ("Mittlere Windrichtung", "deg"),
    "RWS_10": ("Niederschlagshöhe", "mm"),
    "RWS_DAU_10": ("Niederschlagsdauer", "min"),
    "GS_10": ("Globalstrahlung", _ENERGY),
    "DS_10": ("Diffuse Himmelsstrahlung", _ENERGY),
    "LS_10": ("Langwellige Himmelsstrahlung", _ENERGY),
    "SD_10": ("Sonnenscheindauer", "h"),
}
_STATION, _TIME, _QUALITY, _END = "STATIONS_ID", "MESS_DATUM", "QN", "eor"
# A code for the kind of precipitation, and statistics of the wind that no shared model has.
_NOT_WANTED = {"RWS_IND_10", "FNX_10", "FMX_10", "DX_10"}
# No degrees: the wind came from everywhere, so that it had no mean direction (key table 0877 of the service).
_NOT_MEASURED = {"DD_10": 990.0}
# Until then the service wrote CET, since then it writes UTC.
_FIRST_UTC = "200001010000"

_LISTED = re.compile(
    r"\s*(?P<id>\d{1,5})\s+(?:\d{8}\s+)?(?:(?P<last>\d{8})\s+)?(?P<height>-?\d{1,5}(?:\.\d{1,3})?)"
    r"\s+(?P<lat>-?\d{1,2}\.\d{1,6})\s+(?P<lon>-?\d{1,3}\.\d{1,6})\s(?P<rest>.*)"
)
_NAME_WIDTH = 41


@dataclass(frozen=True)
class Product:
    """One group of quantities: its folder, what its station lists and files are called, and what is read."""

    folder: str
    listed: str
    file: str
    columns: frozenset[str]


PRODUCTS = {
    product.folder: product
    for product in (
        Product("air_temperature", "tu", "TU", frozenset({"PP_10", "TT_10", "TM5_10", "RF_10", "TD_10"})),
        Product("precipitation", "rr", "nieder", frozenset({"RWS_DAU_10", "RWS_10"})),
        Product("solar", "sd", "SOLAR", frozenset({"DS_10", "GS_10", "SD_10", "LS_10"})),
        Product("wind", "ff", "wind", frozenset({"FF_10", "DD_10"})),
        Product("extreme_wind", "fx", "extrema_wind", frozenset({"FX_10"})),
    )
}


@dataclass(frozen=True)
class DwdStation:
    """A row of a station list; `last` is the last day with a value, None where the list leaves it open."""

    id: str
    name: str
    lon: float
    lat: float
    elevation_m: float
    last: date | None


def read_station_list(body: bytes) -> tuple[list[DwdStation], tuple[BrokenRow, ...]]:
    """The stations of a list of fixed width, and the rows that are none.

    Raises:
        ReadError: it is no station list.
    """
    lines = body.decode("latin-1").splitlines()
    if not lines or not lines[0].startswith("Stations_id"):
        raise ReadError("is no list of stations of the weather service: its header is missing")
    stations, broken = list[DwdStation](), list[BrokenRow]()
    for number, line in enumerate(lines[1:], 1):
        if not line.strip() or line.startswith("-----"):
            continue
        match = _LISTED.fullmatch(line)
        try:
            if match is None:
                raise ValueError("has not id, days, height, latitude, longitude and name")
            last = datetime.strptime(match["last"], "%Y%m%d").date() if match["last"] else None  # noqa: DTZ007
        except ValueError as error:
            broken.append(BrokenRow(number, "not_a_station", str(error), line))
            continue
        stations.append(
            DwdStation(
                match["id"].zfill(5),
                re.split(r"\s{2,}", match["rest"].strip()[:_NAME_WIDTH])[0].strip(),
                float(match["lon"]),
                float(match["lat"]),
                float(match["height"]),
                last,
            )
        )
    return stations, tuple(broken)


def list_archives(body: bytes, product: Product) -> list[tuple[str, str, date, date]]:
    """Name, station, first and last day of each archive of past years that a folder's page links to.

    Raises:
        ReadError: the page links to none.
    """
    pattern = rf'href="(10minutenwerte_{product.file}_(\d{{5}})_(\d{{8}})_(\d{{8}})_hist\.zip)"'
    try:
        files = [
            (name, station, *(datetime.strptime(day, "%Y%m%d").date() for day in days))  # noqa: DTZ007
            for name, station, *days in re.findall(pattern, body.decode("latin-1"))
        ]
    except ValueError as error:
        raise ReadError(f"links to a file of no sensible days: {error}") from None
    if not files:
        raise ReadError(f"links to no file 10minutenwerte_{product.file}_…_hist.zip")
    return files


def read_measured_tables(body: bytes, nulls: Collection[str], most_bytes: int) -> Iterator[RawTable]:
    """The datastreams of a product's archive that have any value in it, and their values.

    Raises:
        ReadError: it is no such archive, or its table lacks station, time, quality or a quantity of its product.
    """
    members = [content for _, content in unzip_members(body, "produkt_*.txt", most_bytes)]
    if not members:
        raise ReadError("is an archive without a file produkt_….txt")
    for member in members:
        yield from _tables(member, nulls)


def _tables(member: bytes, nulls: Collection[str]) -> Iterator[RawTable]:
    table, broken = _cells(member)
    missing = [name for name in (_STATION, _TIME, _QUALITY) if name not in table.columns]
    if missing:
        raise ReadError(f"lacks the column(s) {', '.join(missing)}; it has {', '.join(table.columns[1:])}")
    table = table.with_columns(pl.col(_STATION).str.zfill(5), _utc(pl.col(_TIME)))
    # Most stations measure some quantities of a product only; the columns of the others are there, without a value.
    own = [
        name for name in _QUANTITIES if name in table.columns and not table[name].is_in([*nulls, ""]).all()
    ]
    stations = table[_STATION].unique(maintain_order=True).to_list()
    series = [(f"{station}/{name}", station, name) for name in own for station in stations]
    yield RawTable(
        "datastream",
        pl.DataFrame(
            {
                "datastream_id": [key for key, _, _ in series],
                "station_id": [station for _, station, _ in series],
                "name": [_QUANTITIES[name][0] for _, _, name in series],
                "observed_property": [name for _, _, name in series],
                "unit": [_QUANTITIES[name][1] for _, _, name in series],
                "interval_s": ["600"] * len(series),
            },
            schema=dict.fromkeys(
                ("datastream_id", "station_id", "name", "observed_property", "unit", "interval_s"), pl.String
            ),
        ),
    )
    blocks = [
        table.select(
            ROW,
            pl.format("{}/{}", _STATION, pl.lit(name)).alias("datastream_id"),
            pl.col(_TIME).alias(TIME),
            *_value(name),
            pl.col(_QUALITY).alias("quality_native"),
        )
        for name in own
    ]
    nothing = table.select(ROW, pl.lit(None, pl.String).alias("datastream_id")).clear()
    known = {ROW, _STATION, _TIME, _QUALITY, _END, *_QUANTITIES, *_NOT_WANTED}
    unknown = tuple(name for name in table.columns if name not in known)
    observed = pl.concat(blocks, how="diagonal") if blocks else nothing
    yield RawTable("observation", observed, unknown, broken)
    # After all that is there: of a quantity that is called otherwise now, nothing would come any more.
    product = max(PRODUCTS.values(), key=lambda product: len(product.columns.intersection(table.columns)))
    missing = sorted(product.columns.difference(table.columns))
    if missing:
        raise ReadError(f"lacks the column(s) {', '.join(missing)}; it has {', '.join(table.columns[1:])}")


def _value(name: str) -> list[pl.Expr]:
    """The cell as the value; of a column that has a code among its numbers, which of them are no value."""
    cell = pl.col(name)
    if name not in _NOT_MEASURED:
        return [cell.alias("value")]
    is_code = cell.cast(pl.Float64, strict=False).eq_missing(_NOT_MEASURED[name])
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


def _utc(written: pl.Expr) -> pl.Expr:
    """Times as written, those in CET an hour earlier; what is no time stays for the contract to reject."""
    earlier = written.str.strptime(pl.Datetime("us"), TIME_FORMAT, strict=False).dt.offset_by("-1h")
    return (
        pl.when(written < _FIRST_UTC)
        .then(pl.coalesce(earlier.dt.strftime(TIME_FORMAT), written))
        .otherwise(written)
        .alias(_TIME)
    )
