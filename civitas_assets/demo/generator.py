"""Synthetic municipal data: counts, air and weather, parking, sharing; the same for a town and a day, everywhere.

Values follow a daily profile with noise that a hash of stream and time decides; nothing here was ever measured.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
DAYS = 21
QUARTER = timedelta(minutes=15)
EVENING = 20  # counts of the last day from this hour on are corrected the day after


@dataclass(frozen=True)
class Series:
    """A datastream of a sensor station: native name, unit, mean, daily swing, and the factor of its native unit."""

    name: str
    unit: str
    mean: float
    swing: float
    factor: float = 1.0
    shift: float = 0.0


AIR = (
    Series("PM10", "µg/m³", 18, 8),
    Series("PM2.5", "µg/m³", 9, 4),
    Series("NO2", "µg/m³", 24, 14),
    Series("O3", "µg/m³", 55, 30),
)
WEATHER = (
    Series("Lufttemperatur", "°C", 14, 7),
    Series("rel. Luftfeuchte", "%", 68, 18),
    Series("Luftdruck", "hPa", 1013, 6),
)
# Other publishers, other units: the same things in Kelvin, Pascal and milligrams.
WEATHER_SI = (
    Series("Lufttemperatur", "K", 14, 7, shift=273.15),
    Series("rel. Luftfeuchte", "%", 68, 18),
    Series("Luftdruck", "Pa", 1013, 6, factor=100),
)
AIR_MG = (*AIR[:3], Series("O3", "mg/m³", 55, 30, factor=0.001))


@dataclass(frozen=True)
class SampleStation:
    """A sensor station with its datastreams."""

    key: int
    name: str
    lon: float
    lat: float
    series: tuple[Series, ...]


@dataclass(frozen=True)
class SampleSite:
    """A car park."""

    key: str
    name: str
    kind: str
    capacity: int
    lon: float
    lat: float


@dataclass(frozen=True)
class Dock:
    """A station of a bike sharing system."""

    key: str
    name: str
    capacity: int
    lon: float
    lat: float


@dataclass(frozen=True)
class Town:
    """What a fictional town has; `playgrounds` are eastings and northings in UTM zone 32, `trees` have a sensor."""

    name: str
    box: tuple[float, float, float, float]
    counters: tuple[str, ...] = ()
    stations: tuple[SampleStation, ...] = ()
    sites: tuple[SampleSite, ...] = ()
    docks: tuple[Dock, ...] = ()
    poles: tuple[SampleStation, ...] = ()
    playgrounds: tuple[tuple[float, float], ...] = ()
    has_features: bool = False
    trees: int = 0


TOWNS = {
    town.name: town
    for town in (
        Town(
            "musterstadt",
            (9.95, 50.95, 10.1, 51.1),
            counters=("900100", "900200"),
            stations=(
                SampleStation(1, "Rathausplatz", 10.012, 51.011, AIR),
                SampleStation(2, "Wetterwarte", 10.034, 51.024, WEATHER),
                SampleStation(3, "Leihgerät auf Reisen", 2.35, 48.86, AIR[:1]),  # far outside: to be rejected
            ),
            sites=(
                SampleSite("P1", "Parkhaus Markt", "Parkhaus", 320, 10.011, 51.012),
                SampleSite("P2", "Parkplatz Stadtbad", "Parkplatz", 140, 10.022, 51.018),
            ),
            docks=(
                Dock("S1", "Hauptbahnhof", 24, 10.015, 51.013),
                Dock("S2", "Hochschule", 16, 10.031, 51.022),
                Dock("S3", "Stadtbad", 12, 10.023, 51.019),
            ),
            playgrounds=((570992.5, 5651646.7), (572242.8, 5652553.8), (571526.0, 5653656.0)),
        ),
        Town(
            "beispielhausen",
            (9.45, 50.45, 9.6, 50.6),
            counters=("910100",),
            stations=(
                SampleStation(1, "Bahnhofstraße", 9.512, 50.511, AIR_MG),
                SampleStation(2, "Dach", 9.523, 50.52, WEATHER_SI),
            ),
            poles=tuple(
                SampleStation(
                    number, f"Mast {number}", 9.5 + number / 400, 50.5 + number / 500, (*AIR[:2], *WEATHER)
                )
                for number in range(1, 26)
            ),
            has_features=True,
        ),
        Town(
            "probeheim",
            (11.15, 49.75, 11.3, 49.9),
            stations=(SampleStation(1, "Schulhof", 11.211, 49.811, (*AIR[:2], *WEATHER)),),
            sites=(SampleSite("P1", "Tiefgarage Post", "Tiefgarage", 210, 11.212, 49.812),),
            trees=4,
        ),
    )
}


def find_extent(today: date) -> tuple[date, date]:
    """The first and the last day that have data: three weeks, up to the last midnight."""
    return today - timedelta(days=DAYS), today - timedelta(days=1)


def make_noise(*parts: object) -> float:
    """A number from 0 to 1 that these parts always give."""
    return zlib.crc32("|".join(map(str, parts)).encode()) / 0xFFFFFFFF


def _profile(hour: float) -> float:
    """How busy a street is at that hour, from 0 to 1."""
    return 0.05 + 0.55 * math.exp(-(((hour - 8) / 1.6) ** 2)) + 0.75 * math.exp(-(((hour - 17) / 2.2) ** 2))


def make_counter_csv(counter: str, month: date, today: date) -> str | None:
    """The file of a counter for a month, as its wall clock has it; None where the month has no data."""
    first, last = find_extent(today)
    ids = [counter, f"{counter}1", f"{counter}2"]
    names = ["Zählstelle", "stadteinwärts", "stadtauswärts"]
    header = [f"{i} ({name})" for i, name in zip(ids, names, strict=True)] + [f"{i}-status" for i in ids]
    rows = [",".join(["Datetime", *header])]
    for wall, passes in _wall_quarters(month, first, last):
        inward, outward = (
            sum(_count(stream, wall, nth) for nth in range(passes))
            for stream in (f"{counter}1", f"{counter}2")
        )
        if wall.date() == last and wall.hour >= EVENING:
            inward = inward * 3 // 4  # what was counted late arrives a day later
        counts = [str(inward + outward), str(inward), str(outward)]
        if make_noise(counter, wall) > 0.997:
            counts = ["", "", ""]
        elif make_noise(counter, wall) < 0.0005:
            counts = ["-999", "-999", "-999"]
        rows.append(
            ",".join([f"{wall:%Y-%m-%d %H:%M}", *counts, *("0" if count else "" for count in counts)])
        )
    return "\n".join(rows) if len(rows) > 1 else None


def _count(stream: str, wall: datetime, nth: int) -> int:
    return int(40 * _profile(wall.hour + wall.minute / 60) * (0.5 + make_noise(stream, wall, nth)))


def _wall_quarters(month: date, first: date, last: date) -> Iterator[tuple[datetime, int]]:
    """Every quarter of an hour on the wall clock, and how often it passes: twice in an autumn night."""
    day = max(first, month)
    while day <= last and (day.year, day.month) == (month.year, month.month):
        moment = datetime.combine(day, time(), ZONE).astimezone(UTC)
        end = datetime.combine(day + timedelta(days=1), time(), ZONE).astimezone(UTC)
        passes: dict[datetime, int] = {}
        while moment < end:
            wall = moment.astimezone(ZONE).replace(tzinfo=None, fold=0)
            passes[wall] = passes.get(wall, 0) + 1
            moment += QUARTER
        yield from passes.items()
        day += timedelta(days=1)


def make_observations(
    town: Town, station: SampleStation, series: Series, today: date
) -> Iterator[tuple[datetime, float | None]]:
    """Hourly values of a datastream in its native unit; now and then there is none."""
    first, last = find_extent(today)
    moment = datetime.combine(first, time(), ZONE).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), ZONE).astimezone(UTC)
    while moment < end:
        chance = make_noise(town.name, station.key, series.name, moment)
        wave = math.sin((moment.hour - 8) / 24 * 2 * math.pi)
        value = max(series.mean + series.swing * (0.7 * wave + 0.6 * (chance - 0.5)), 0.1)
        yield moment, None if chance > 0.995 else round(value * series.factor + series.shift, 5)
        moment += timedelta(hours=1)


def make_parking_status(town: Town, today: date) -> list[dict[str, object]]:
    """How full the car parks were a quarter of an hour before the last midnight."""
    moment = datetime.combine(find_extent(today)[1], time(23, 45))
    return [
        {
            "id": site.key,
            "free": int(site.capacity * (0.3 + 0.6 * make_noise(town.name, site.key, moment))),
            "total": site.capacity,
            "status": "geöffnet" if site.kind != "Tiefgarage" else "geschlossen",
            "updated": f"{moment:%Y-%m-%d %H:%M:%S}",
        }
        for site in town.sites
    ]
