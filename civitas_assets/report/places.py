"""What is on the map: stations and sites, gathered where they would cover each other, and outlines of areas.

How they are drawn is in `map_chart.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import cos, floor, log10, radians
from typing import Any

import msgspec
import polars as pl

from civitas_assets.publish.reading import PublishedTables
from civitas_assets.report.query_rows import read_rows

KINDS: Mapping[str, tuple[str, str]] = {
    "station": ("station", "station_key"),
    "parking": ("parking_site", "site_key"),
    "sharing": ("sharing_station", "station_key"),
    "charging": ("charge_point", "charge_point_key"),
    "place": ("place", "place_key"),
}
# Of a map's width, the share below which two marks are one; and what a page can hold.
_CELL = 1 / 90
_MOST_MARKS = 2_000
_MOST_AREAS = 150
_MOST_CORNERS = 400
_SILENT_AFTER = timedelta(days=2)
_METRES_PER_DEGREE = 111_320
_FLATTEST, _STEEPEST = 0.5, 1.25

Box = tuple[float, float, float, float]

_MARKS = """
select
    '{kind}' as kind,
    avg(lon) as lon,
    avg(lat) as lat,
    count(*) as things,
    (array_agg(coalesce(name, '') order by {key}))[1:3] as names
from {model}
where lon is not null and lat is not null
group by floor(lon / {width}), floor(lat / {height})
"""

_SILENT = """
select
    station.station_key,
    coalesce(station.name, station.station_id) as name,
    station.source,
    max(coverage.day) as last_day
from station
inner join coverage on station.station_key = coverage.station_key and coverage.value_count > 0
group by station.station_key, station.name, station.station_id, station.source
having max(coverage.day) < $1
"""

_AREAS = """
select coalesce(name, feature_class, '') as name, geometry_wkb
from area_feature
where geometry_wkb is not null and octet_length(geometry_wkb) < 65536
order by octet_length(geometry_wkb) desc
limit $1
"""


class Mark(msgspec.Struct, frozen=True):
    """One thing or several that lie so close that the map cannot tell them apart; some of their names."""

    kind: str
    lon: float
    lat: float
    things: int
    names: tuple[str, ...]


class Silent(msgspec.Struct, frozen=True):
    """A station that no longer delivers values, though it has."""

    station_key: str
    name: str
    source: str
    last_day: date


class _AreaRow(msgspec.Struct, frozen=True):
    name: str
    geometry_wkb: bytes


class _CountRow(msgspec.Struct, frozen=True):
    kind: str
    things: int
    located: int


@dataclass(frozen=True)
class AreaOutline:
    """A line or the edge of an area, as longitudes and latitudes."""

    name: str
    corners: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Geography:
    """What there is to show: marks, outlines, and how many things of each kind there are, with and without position."""

    box: Box
    marks: Sequence[Mark]
    outlines: Sequence[AreaOutline]
    things: Mapping[str, int]
    located: Mapping[str, int]
    silent: Sequence[Silent]

    @property
    def frame(self) -> Box:
        """The box with a margin, made longer where it is too flat or too steep to be looked at."""
        west, south, east, north = self.box
        stretch = cos(radians((north + south) / 2))
        width, height = max((east - west) * stretch, 0.002), max(north - south, 0.002)
        width, height = max(width, height / _STEEPEST) * 1.06, max(height, width * _FLATTEST) * 1.06
        lon, lat = (west + east) / 2, (south + north) / 2
        half_width, half_height = width / stretch / 2, height / 2
        return lon - half_width, lat - half_height, lon + half_width, lat + half_height

    @property
    def aspect(self) -> float:
        """Height of the frame by its width on the ground."""
        west, south, east, north = self.frame
        return (north - south) / ((east - west) * cos(radians((north + south) / 2)))

    @property
    def metres_per_degree(self) -> float:
        """Length of a degree of longitude in the middle of the frame."""
        return _METRES_PER_DEGREE * cos(radians((self.box[1] + self.box[3]) / 2))


def choose_scale_length(geography: Geography) -> float:
    """The round length in metres, about a third of the map's width at most, that its scale stands for."""
    west, _, east, _ = geography.frame
    metres = (east - west) * geography.metres_per_degree / 3
    power: float = 10 ** floor(log10(metres))
    return next(step * power for step in (5, 2, 1) if step * power <= metres)


def read_geography(tables: PublishedTables, box: Box, last_day: date | None) -> Geography:
    """The things of a tenant, and the box that holds the tenant and all of them that are within reach of it."""
    west, south, east, north = box
    width, height = (east - west) * _CELL, (north - south) * _CELL
    marks = " union all ".join(
        _MARKS.format(kind=kind, model=model, key=key, width=width, height=height)
        for kind, (model, key) in KINDS.items()
    )
    counts = " union all ".join(
        f"select '{kind}' as kind, count(*) as things, count(lon) as located from {model}"  # noqa: S608 - constants
        for kind, (model, _) in KINDS.items()
    )
    counted = read_rows(tables, counts, [], _CountRow)
    found = read_rows(tables, f"{marks} order by kind, lat desc, lon limit {_MOST_MARKS}", [], Mark)
    silent = read_rows(tables, _SILENT, [last_day - _SILENT_AFTER], Silent) if last_day else []
    return Geography(
        box=_around(box, found),
        marks=found,
        outlines=[*_outlines(read_rows(tables, _AREAS, [_MOST_AREAS], _AreaRow))],
        things={row.kind: row.things for row in counted if row.things},
        located={row.kind: row.located for row in counted if row.things},
        silent=sorted(silent, key=lambda station: (station.last_day, station.name)),
    )


def _around(box: Box, marks: Sequence[Mark]) -> Box:
    west, south, east, north = box
    lons, lats = [west, east, *(m.lon for m in marks)], [south, north, *(m.lat for m in marks)]
    return min(lons), min(lats), max(lons), max(lats)


def _outlines(areas: Sequence[_AreaRow]) -> Iterator[AreaOutline]:
    if not areas:
        return
    from civitas_assets.records.geometry import to_geojson  # noqa: PLC0415 - most towns have no areas

    shapes = to_geojson(pl.Series("geometry", [area.geometry_wkb for area in areas], pl.Binary))
    for area, text in zip(areas, shapes.to_list(), strict=True):
        for line in _lines(json.loads(text)):
            every = max(1, len(line) // _MOST_CORNERS)
            yield AreaOutline(
                area.name, [*((x, y) for x, y, *_ in line[::every]), (line[-1][0], line[-1][1])]
            )


def _lines(shape: Mapping[str, Any]) -> Iterator[Sequence[Sequence[float]]]:
    """The lines of a geometry, and the outer edges of its areas."""
    match shape["type"]:
        case "LineString":
            yield shape["coordinates"]
        case "Polygon":
            yield shape["coordinates"][0]
        case "MultiLineString":
            yield from shape["coordinates"]
        case "MultiPolygon":
            yield from (polygon[0] for polygon in shape["coordinates"])
        case "GeometryCollection":
            for part in shape["geometries"]:
                yield from _lines(part)
