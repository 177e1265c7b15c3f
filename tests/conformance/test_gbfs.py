"""What the published schemas of GBFS 2.3, 3.0 and 3.1 allow is what lands, or it is told.

The schemas are those of MobilityData; ids are unique within a feed, as the specification asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.landing import END, HOST, START, answer, land
from tests.conformance.schemas import Schema

VERSIONS = {"v2.3": "free_bike_status", "v3.0": "vehicle_status", "v3.1-RC3": "vehicle_status"}
_SECONDS = int((END - START).total_seconds())
LON = st.floats(7.01, 7.99).map(lambda x: round(x, 5))
LAT = st.floats(51.01, 51.99).map(lambda x: round(x, 5))
MOMENTS = st.integers(0, _SECONDS - 1).map(lambda s: START + timedelta(seconds=s))


def _written(version: str, at: datetime) -> Any:
    return (
        int(at.timestamp())
        if version.startswith("v2")
        else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    )


class Feeds:
    """A system: its discovery file and the feeds that it names."""

    def __init__(self, version: str, feeds: Mapping[str, Any]) -> None:
        listed = {"feeds": [{"name": name, "url": f"{HOST}/{name}.json"} for name in feeds]}
        self._documents = {
            "/gbfs.json": {"data": {"en": listed} if version.startswith("v2") else listed},
            **{f"/{name}.json": {"data": data} for name, data in feeds.items()},
        }
        for document in self._documents.values():
            document |= {"version": version[1:4], "ttl": 60, "last_updated": _written(version, END)}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        found = self._documents.get(request.url.path)
        return answer({}, status=404) if found is None else answer(found)


@pytest.mark.parametrize("version", VERSIONS)
def test_stations_and_their_status_land(schemas: Path, version: str) -> None:
    moments = MOMENTS.map(lambda at: _written(version, at))
    here = {"lon": LON, "lat": LAT}
    stations = Schema(schemas / "gbfs" / version / "station_information.json", here)
    status = Schema(schemas / "gbfs" / version / "station_status.json", {"last_reported": moments})
    item = ("properties", "data", "properties", "stations", "items")
    pairs = st.lists(st.tuples(stations.documents(*item), status.documents(*item)), max_size=4)

    @settings(settings.get_profile("conformance"))
    @given(pairs)
    def check(found: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
        for number, both in enumerate(found):
            for part in both:
                part["station_id"] = f"s{number}"
        known, states = [list(parts) for parts in zip(*found, strict=True)] if found else ([], [])
        service = Feeds(
            version, {"station_information": {"stations": known}, "station_status": {"stations": states}}
        )
        night = land({"connector": "gbfs", "url": f"{HOST}/gbfs.json"}, service)
        landed = night.rows("sharing_station", "station_id", "lon", "lat")
        assert landed == sorted((s["station_id"], s["lon"], s["lat"]) for s in known), night.told
        counts = {
            key: (at, number)
            for key, at, number in night.rows(
                "sharing_status", "station_id", "observed_at", "vehicles_available"
            )
        }
        name = "num_bikes_available" if version.startswith("v2") else "num_vehicles_available"
        assert counts == {s["station_id"]: (_read(s["last_reported"]), s[name]) for s in states}, night.told

    check()


def _read(written: Any) -> datetime:
    return (
        datetime.fromtimestamp(written, UTC) if isinstance(written, int) else datetime.fromisoformat(written)
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_vehicles_that_can_be_rented_are_counted(schemas: Path, version: str) -> None:
    feed = VERSIONS[version]
    listed = "bikes" if version.startswith("v2") else "vehicles"
    folder = schemas / "gbfs" / version
    given_ = {"lon": LON, "lat": LAT, "vehicle_type_id": st.just("b"), "station_id": st.nothing()}
    vehicles = Schema(folder / f"{feed}.json", {k: v for k, v in given_.items() if k != "station_id"})
    item = ("properties", "data", "properties", listed, "items")

    @settings(settings.get_profile("conformance"))
    @given(st.lists(vehicles.documents(*item), max_size=5))
    def check(found: list[dict[str, Any]]) -> None:
        for number, vehicle in enumerate(found):
            vehicle["bike_id" if listed == "bikes" else "vehicle_id"] = f"v{number}"
            vehicle.pop("station_id", None)
        types = [{"vehicle_type_id": "b", "form_factor": "bicycle", "propulsion_type": "human"}]
        service = Feeds(
            version,
            {
                "system_information": {
                    "system_id": "town",
                    "name": "Town",
                    "language": "de",
                    "timezone": "Europe/Berlin",
                },
                "vehicle_types": {"vehicle_types": types},
                feed: {listed: found},
            },
        )
        night = land({"connector": "gbfs", "url": f"{HOST}/gbfs.json"}, service)
        free = sum(not vehicle["is_reserved"] and not vehicle["is_disabled"] for vehicle in found)
        numbers = [value for (value,) in night.rows("observation", "value")]
        assert free in numbers or (not found and not numbers), (numbers, night.told)

    check()
