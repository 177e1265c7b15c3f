"""Products of the German weather service by the length of their intervals: names of files, and their quantities.

Where the files lie and which are wanted is in `dwd.py`, what is in an archive in `dwd_archive.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow

# J/cm² alone does not say over how long the energy was summed up; the seeds convert this unit to W/m².
_ENERGY = "J/cm2/(10.min)"


class DwdQuantity(NamedTuple):
    """What a column holds: its property as a code or the column's own name, a name for people, and its unit.

    The files name no units; these are the ones of the products' descriptions. `at` says when in a day a daily value
    is taken, as hours of UTC from the beginning of the day to its end; without, it is of the whole day or interval.
    """

    observed_property: str
    name: str
    unit: str
    at: tuple[int, int] | None = None


QUANTITIES: Mapping[str, DwdQuantity] = {
    name: DwdQuantity(name, label, unit)
    for name, label, unit in (
        ("TT_10", "Lufttemperatur in 2 m Höhe", "Cel"),
        ("TM5_10", "Lufttemperatur in 5 cm Höhe", "Cel"),
        ("TD_10", "Taupunkttemperatur in 2 m Höhe", "Cel"),
        ("RF_10", "Relative Feuchte in 2 m Höhe", "%"),
        ("PP_10", "Luftdruck in Stationshöhe", "hPa"),
        ("FF_10", "Mittlere Windgeschwindigkeit", "m/s"),
        ("FX_10", "Höchste Windgeschwindigkeit", "m/s"),
        ("DD_10", "Mittlere Windrichtung", "deg"),
        ("RWS_10", "Niederschlagshöhe", "mm"),
        ("RWS_DAU_10", "Niederschlagsdauer", "min"),
        ("GS_10", "Globalstrahlung", _ENERGY),
        ("DS_10", "Diffuse Himmelsstrahlung", _ENERGY),
        ("LS_10", "Langwellige Himmelsstrahlung", _ENERGY),
        ("SD_10", "Sonnenscheindauer", "h"),
    )
} | {
    # Of an hour.
    "TT_TU": DwdQuantity("weather.temperature", "Lufttemperatur in 2 m Höhe", "Cel"),
    "RF_TU": DwdQuantity("weather.relative_humidity", "Relative Feuchte in 2 m Höhe", "%"),
    "TD": DwdQuantity("weather.dew_point", "Taupunkttemperatur in 2 m Höhe", "Cel"),
    "R1": DwdQuantity("weather.precipitation", "Niederschlagshöhe", "mm"),
    "F": DwdQuantity("weather.wind_speed", "Mittlere Windgeschwindigkeit", "m/s"),
    "D": DwdQuantity("weather.wind_direction", "Mittlere Windrichtung", "deg"),
    "FX_911": DwdQuantity("weather.wind_gust", "Höchste Windgeschwindigkeit", "m/s"),
    "SD_SO": DwdQuantity("weather.sunshine_duration", "Sonnenscheindauer", "min"),
    "V_N": DwdQuantity("weather.cloud_cover", "Bedeckungsgrad", "{okta}"),
    "P": DwdQuantity("weather.pressure_msl", "Luftdruck auf Meereshöhe", "hPa"),
    "P0": DwdQuantity("weather.pressure", "Luftdruck in Stationshöhe", "hPa"),
    "V_VV": DwdQuantity("weather.visibility", "Sichtweite", "m"),
    # Of a day; what falls, and what lies, is measured in the morning at 6 o'clock UTC.
    "TMK": DwdQuantity("weather.temperature", "Tagesmittel der Lufttemperatur", "Cel"),
    "TXK": DwdQuantity("weather.temperature_max", "Höchste Lufttemperatur des Tages", "Cel"),
    "TNK": DwdQuantity("weather.temperature_min", "Tiefste Lufttemperatur des Tages", "Cel"),
    "UPM": DwdQuantity("weather.relative_humidity", "Tagesmittel der relativen Feuchte", "%"),
    "PM": DwdQuantity("weather.pressure", "Tagesmittel des Luftdrucks in Stationshöhe", "hPa"),
    "FM": DwdQuantity("weather.wind_speed", "Tagesmittel der Windgeschwindigkeit", "m/s"),
    "FX": DwdQuantity("weather.wind_gust", "Höchste Windgeschwindigkeit des Tages", "m/s"),
    "NM": DwdQuantity("weather.cloud_cover", "Tagesmittel des Bedeckungsgrades", "{okta}"),
    "SDK": DwdQuantity("weather.sunshine_duration", "Sonnenscheindauer des Tages", "h"),
    "RSK": DwdQuantity(
        "weather.precipitation", "Niederschlagshöhe bis 6 Uhr UTC des Folgetages", "mm", (6, 30)
    ),
    "SHK_TAG": DwdQuantity("weather.snow_depth", "Schneehöhe um 6 Uhr UTC", "cm", (6, 6)),
    "RS": DwdQuantity(
        "weather.precipitation", "Niederschlagshöhe bis 6 Uhr UTC des Folgetages", "mm", (6, 30)
    ),
    "SH_TAG": DwdQuantity("weather.snow_depth", "Schneehöhe um 6 Uhr UTC", "cm", (6, 6)),
}
# Codes of the kind of precipitation and of how something was seen, and quantities that no shared model has.
NOT_WANTED = frozenset({
    "RWS_IND_10", "FNX_10", "FMX_10", "DX_10", "RS_IND", "WRTR", "V_N_I", "V_VV_I", "TT", "RSKF", "RSF", "VPM", "TGK",
    "NSH_TAG",
})  # fmt: skip
# No degrees: the wind came from everywhere, so that it had no mean direction (key table 0877 of the service); and a
# sky that nobody could see.
NOT_MEASURED = {"DD_10": 990.0, "D": 990.0, "V_N": -1.0}

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


@dataclass(frozen=True)
class Resolution:
    """Products of one length of intervals: `archive` begins the names of their files, `list_name` is that of lists.

    `has_now` says whether there is a folder of the last two days besides those of 500 days and of past years.
    """

    folder: str
    archive: str
    list_name: str
    seconds: int
    products: Mapping[str, Product]
    has_now: bool = False

    def name_list(self, product: Product, period: str) -> str:
        """The file that lists the stations of a product."""
        middle = "now" if period == "now" else "min"
        return self.list_name.format(file=product.file, listed=product.listed, middle=middle)


def _list_products(*products: Product) -> Mapping[str, Product]:
    return {product.folder: product for product in products}


RESOLUTIONS: Mapping[str, Resolution] = {
    "10_minutes": Resolution(
        "10_minutes",
        "10minutenwerte",
        "zehn_{middle}_{listed}_Beschreibung_Stationen.txt",
        600,
        _list_products(
            Product("air_temperature", "tu", "TU", frozenset({"PP_10", "TT_10", "TM5_10", "RF_10", "TD_10"})),
            Product("precipitation", "rr", "nieder", frozenset({"RWS_DAU_10", "RWS_10"})),
            Product("solar", "sd", "SOLAR", frozenset({"DS_10", "GS_10", "SD_10", "LS_10"})),
            Product("wind", "ff", "wind", frozenset({"FF_10", "DD_10"})),
            Product("extreme_wind", "fx", "extrema_wind", frozenset({"FX_10"})),
        ),
        has_now=True,
    ),
    "hourly": Resolution(
        "hourly",
        "stundenwerte",
        "{file}_Stundenwerte_Beschreibung_Stationen.txt",
        3600,
        _list_products(
            Product("air_temperature", "", "TU", frozenset({"TT_TU", "RF_TU"})),
            Product("dew_point", "", "TD", frozenset({"TD"})),
            Product("precipitation", "", "RR", frozenset({"R1"})),
            Product("wind", "", "FF", frozenset({"F", "D"})),
            Product("extreme_wind", "", "FX", frozenset({"FX_911"})),
            Product("sun", "", "SD", frozenset({"SD_SO"})),
            Product("cloudiness", "", "N", frozenset({"V_N"})),
            Product("pressure", "", "P0", frozenset({"P", "P0"})),
            Product("visibility", "", "VV", frozenset({"V_VV"})),
        ),
    ),
    "daily": Resolution(
        "daily",
        "tageswerte",
        "{file}_Tageswerte_Beschreibung_Stationen.txt",
        86400,
        _list_products(
            Product(
                "kl", "", "KL",
                frozenset({
                    "TMK", "TXK", "TNK", "UPM", "PM", "FM", "FX", "NM", "SDK", "RSK", "SHK_TAG",
                }),
            ),
            Product("more_precip", "", "RR", frozenset({"RS", "SH_TAG"})),
        ),
    ),
}  # fmt: skip


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


def list_archives(body: bytes, resolution: Resolution, product: Product) -> list[tuple[str, str, date, date]]:
    """Name, station, first and last day of each archive of past years that a folder's page links to.

    Raises:
        ReadError: the page links to none.
    """
    pattern = rf'href="({resolution.archive}_{product.file}_(\d{{5}})_(\d{{8}})_(\d{{8}})_hist\.zip)"'
    try:
        files = [
            (name, station, *(datetime.strptime(day, "%Y%m%d").date() for day in days))  # noqa: DTZ007
            for name, station, *days in re.findall(pattern, body.decode("latin-1"))
        ]
    except ValueError as error:
        raise ReadError(f"links to a file of no sensible days: {error}") from None
    if not files:
        raise ReadError(f"links to no file {resolution.archive}_{product.file}_…_hist.zip")
    return files
