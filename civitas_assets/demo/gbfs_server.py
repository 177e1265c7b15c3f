"""A sample bike sharing system that speaks GBFS 2: stations, how full they are, and bikes that stand about.

The positions of free bikes are here to be left out by whoever reads them.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from civitas_assets.demo.generator import ZONE, Town, find_extent, make_noise

Json = dict[str, object]

_FEEDS = ("system_information", "station_information", "station_status", "vehicle_types", "free_bike_status")
_TYPES = (
    {"vehicle_type_id": "city", "form_factor": "bicycle", "propulsion_type": "human"},
    {"vehicle_type_id": "cargo", "form_factor": "cargo_bicycle", "propulsion_type": "electric_assist"},
)
_FREE_BIKES = 17


def build_gbfs_document(town: Town, root: str, name: str, today: date) -> Json | None:
    """One of the system's files; None where there is none of that name."""
    moment = datetime.combine(find_extent(today)[1], time(23, 45), ZONE)
    data: Json | None = None
    if name == "gbfs":
        data = {"de": {"feeds": [{"name": feed, "url": f"{root}/{feed}.json"} for feed in _FEEDS]}}
    elif name == "system_information":
        data = {"system_id": f"rad_{town.name}", "name": f"Rad {town.name.title()}", "language": "de",
                "timezone": ZONE.key}  # fmt: skip
    elif name == "station_information":
        data = {
            "stations": [
                {"station_id": d.key, "name": d.name, "lat": d.lat, "lon": d.lon, "capacity": d.capacity}
                for d in town.docks
            ]
        }
    elif name == "station_status":
        data = {"stations": [_status(town, dock.key, dock.capacity, moment) for dock in town.docks]}
    elif name == "vehicle_types":
        data = {"vehicle_types": list(_TYPES)}
    elif name == "free_bike_status":
        data = {"bikes": [_free_bike(town, number, moment) for number in range(_FREE_BIKES)]}
    if data is None:
        return None
    return {"last_updated": int(moment.timestamp()), "ttl": 60, "version": "2.3", "data": data}


def _status(town: Town, key: str, capacity: int, moment: datetime) -> Json:
    bikes = int(capacity * make_noise(town.name, key, moment))
    status: Json = {
        "station_id": key,
        "num_bikes_available": bikes,
        "num_docks_available": capacity - bikes,
        "is_installed": True,
        "is_renting": True,
        "is_returning": True,
    }
    if make_noise(key, moment.date()) < 0.8:  # some stations do not say when they last reported
        status["last_reported"] = int((moment - timedelta(minutes=3)).timestamp())
    return status


def _free_bike(town: Town, number: int, moment: datetime) -> Json:
    west, south, east, north = town.box
    return {
        "bike_id": f"{int(make_noise('bike', number, moment) * 1e9):09d}",
        "lat": round(south + (north - south) * make_noise("lat", number, moment), 5),
        "lon": round(west + (east - west) * make_noise("lon", number, moment), 5),
        "is_reserved": number % 9 == 0,
        "is_disabled": number % 7 == 0,
        "vehicle_type_id": "cargo" if number % 4 == 0 else "city",
    }
