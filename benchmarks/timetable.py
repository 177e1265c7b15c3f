"""A timetable of five million stop times, read for a town and as a whole, beside what gtfs-kit makes of the same.

Both count what leaves each stop on each day, and have to agree. gtfs-kit wants other versions of packages than this
project has locked, so that it gets an environment of its own, which is made once.
"""

from __future__ import annotations

import json
import subprocess
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from benchmarks.environments import make_environment
from benchmarks.town import Figures
from civitas_assets.catalog import Box
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.registry import CONNECTORS

KIT = "gtfs-kit==13.0.1"
FIRST, DAYS = date(2026, 4, 1), 180
TOWN: Box = (7.50, 51.90, 7.60, 52.00)
LAND: Box = (7.0, 51.0, 9.0, 53.0)
_STOPS, _ROUTES, _SERVICES, _CALLS = 20_000, 500, 60, 20
# What gtfs-kit is asked: departures by stop and day in a box, and processor time without what its import takes.
_ASKED = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import geopandas, gtfs_kit, shapely
file, first, last, *box = sys.argv[1:]
begun = time.process_time()
feed = gtfs_kit.read_feed(file, dist_units="km")
if box:
    area = geopandas.GeoDataFrame(geometry=[shapely.box(*map(float, box))], crs="EPSG:4326")
    feed = feed.restrict_to_area(area)
stats = feed.compute_stop_stats([day for day in feed.get_dates() if first <= day <= last])
spent = time.process_time() - begun
inside = feed.stops  # restricting keeps whole trips, with their stops beyond the box
if box:
    west, south, east, north = map(float, box)
    inside = inside[inside.stop_lon.between(west, east) & inside.stop_lat.between(south, north)]
kept = stats[stats.stop_id.isin(inside.stop_id) & ~stats.stop_id.str.startswith("end")]
print(json.dumps([spent, int(kept.num_trips.sum()), int((kept.num_trips > 0).sum())]))
"""


def transit_feed(folder: Path, stop_times: int = 5_000_000) -> Figures:
    """Processor time of reading the service of a town, and of all stops, for half a year; how many times ahead."""
    file = folder / "gtfs.zip"
    _write_feed(file, stop_times // _CALLS)
    figures: Figures = {}
    kit = make_environment(folder / "kit", "CIVITAS_BENCHMARK_GTFS_KIT", KIT)
    for name, box in (("town", TOWN), ("all", LAND)):
        spent, *found = _read(file, box)
        figures[f"cpu_seconds: {name}"] = spent
        if kit is not None:
            theirs, *expected = _ask_kit(kit, file, TOWN if name == "town" else None)
            assert found == expected, (found, expected)
            figures[f"cpu_seconds: {name}, gtfs-kit"] = theirs
            figures[f"ahead of gtfs-kit: {name}"] = theirs / spent
    return figures


def _read(file: Path, box: Box) -> tuple[float, int, int]:
    """Processor seconds, departures, and pairs of stop and day that have any, but for where trips end."""
    model = CONNECTORS["gtfs"].source_model
    source = model.model_validate(
        {
            "connector": "gtfs",
            "title": "Timetable",
            "licence": "CC0-1.0",
            "url": "https://data.example/gtfs.zip",
            "days_ahead": f"{DAYS} days",
        }
    ).with_place("timetable", box)
    received = datetime.combine(FIRST, datetime.min.time(), UTC)
    begun = time.process_time()
    payload = Payload(Request(source.url), file.read_bytes(), received)
    tables = [*CONNECTORS["gtfs"].read(source, payload)]
    spent = time.process_time() - begun
    days = [table.frame for table in tables if table.record_type == "transit_service"]
    kept = pl.concat(days).filter(~pl.col("stop_id").str.starts_with("end"))
    return spent, int(kept["departures"].sum()), kept.select("stop_id", "service_start").n_unique()


def _ask_kit(python: Path, file: Path, box: Box | None) -> tuple[float, int, int]:
    last = FIRST + timedelta(days=DAYS - 1)
    given = [str(file), f"{FIRST:%Y%m%d}", f"{last:%Y%m%d}", *map(str, box or ())]
    done = subprocess.run([python, "-c", _ASKED, *given], capture_output=True, text=True, check=True)
    spent, departures, pairs = json.loads(done.stdout.splitlines()[-1])
    return spent, departures, pairs


def _write_feed(file: Path, trips: int) -> None:
    """A network of lines that cross a town; each trip ends where no other calls."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in (
            ("agency.txt", iter(["agency_id,agency_name,agency_url,agency_timezone\n",
                                 "1,Bus,https://bus.example,Europe/Berlin\n"])),
            ("stops.txt", _stops()),
            ("routes.txt", _routes()),
            ("calendar.txt", _calendar()),
            ("trips.txt", _trips(trips)),
            ("stop_times.txt", _stop_times(trips)),
        ):  # fmt: skip
            with archive.open(name, "w") as member:
                for line in lines:
                    member.write(line.encode())


def _stop(number: int) -> str:
    return f"de:05515:{number % _STOPS:05}:0:{number % 4 + 1}"


def _stops() -> Iterator[str]:
    yield "stop_id,stop_name,stop_lat,stop_lon\n"
    for number in range(_STOPS):
        lat, lon = 51.80 + number % 200 * 0.002, 7.40 + number // 200 * 0.004
        yield f'{_stop(number)},"Halt {number}",{lat:.6f},{lon:.6f}\n'
    for number in range(_ROUTES):
        yield f"end-{number},Ende {number},51.5,8.5\n"


def _routes() -> Iterator[str]:
    yield "route_id,agency_id,route_short_name,route_long_name,route_type\n"
    for number in range(_ROUTES):
        yield f"R{number},1,{number},Linie {number},3\n"


def _calendar() -> Iterator[str]:
    yield ("service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n")
    for number in range(_SERVICES):
        days = ",".join("1" if day < 3 or (number + day) % 3 else "0" for day in range(7))
        yield f"S{number},{days},20260101,20261231\n"


def _trips(trips: int) -> Iterator[str]:
    yield "route_id,service_id,trip_id,trip_headsign,direction_id\n"
    for number in range(trips):
        yield f"R{number % _ROUTES},S{number % _SERVICES},trip-{number:07},Ziel {number % 97},{number % 2}\n"


def _stop_times(trips: int) -> Iterator[str]:
    yield "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
    for number in range(trips):
        route, begins = number % _ROUTES, 4 * 3600 + number * 97 % (20 * 3600)
        for call in range(_CALLS):
            arrives, leaves = _clock(begins + 90 * call), _clock(begins + 90 * call + 20)
            stop = f"end-{route}" if call == _CALLS - 1 else _stop(route * 37 + call)
            yield f"trip-{number:07},{arrives},{leaves},{stop},{call},0,0\n"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
