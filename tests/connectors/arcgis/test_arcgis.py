"""Layers of feature services: all features up to the real end, and what their values and shapes are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import shapely

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import FetchError, ReadError
from tests.connectors.conftest import MakeSession, MakeSource, ReadBody, ReadRecords

LAYER = "https://gis.example/arcgis/rest/services/trees/FeatureServer/0"
FIELDS = [{"name": "OBJECTID", "type": "esriFieldTypeOID"}, {"name": "name", "type": "esriFieldTypeString"}]


class Service:
    """A layer that answers as services do, with as many features at once as it gives."""

    def __init__(self, features: int, most: int = 4, *, can_page: bool = True, **faults: bool) -> None:
        self.ids = [number * 3 for number in range(1, features + 1)]
        self.most, self.can_page, self.faults = most, can_page, faults
        self.asked: list[Mapping[str, str]] = []

    def __call__(self, request: Request) -> bytes:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        self.asked.append(asked)
        return json.dumps(self._answer(asked, request.url)).encode()

    def _answer(self, asked: Mapping[str, str], url: str) -> Mapping[str, Any]:
        if "/query" not in url:
            return {
                "fields": FIELDS, "maxRecordCount": self.most, "geometryType": "esriGeometryPoint",
                "advancedQueryCapabilities": {"supportsPagination": self.can_page},
            }  # fmt: skip
        if "returnCountOnly" in asked:
            return {"count": len(self.ids)}
        if "returnIdsOnly" in asked:
            return {"objectIdFieldName": "OBJECTID", "objectIds": [*reversed(self.ids)]}
        ids = self.ids
        if " >= " in asked["where"]:
            first, last = (int(part.split()[0]) for part in asked["where"].split("= ")[1:])
            ids = [number for number in ids if first <= number <= last]
        ids = ids[int(asked.get("resultOffset", 0)) :]
        if self.faults.get("repeats"):
            ids = self.ids
        features = [{"attributes": {"OBJECTID": number, "name": f"t{number}"}} for number in ids[: self.most]]
        cut = {} if self.faults.get("silent") else {"exceededTransferLimit": len(ids) > self.most}
        return {"fields": FIELDS, "features": features, **cut}


@pytest.fixture
def fetch(source: MakeSource, session: MakeSession) -> Callable[..., list[Request]]:
    """What is asked of a service, and the numbers of all features that came."""

    def run(service: Any, **settings: Any) -> list[Request]:
        declared = source(
            "arcgis", **{"url": LAYER, "record_type": "place", "fields": {"place_id": "OBJECTID"}, **settings}
        ).with_place("trees", (7.5, 51.9, 7.7, 52.0))
        opened = session(service)
        CONNECTORS["arcgis"].fetch(
            declared, Window(date(2026, 1, 1), date(2026, 1, 1)), ZoneInfo("UTC"), opened
        )
        return [request for request in opened.requests if request.role == "features"]

    return run


@pytest.mark.parametrize("features", [0, 1, 4, 5, 8, 11])
@pytest.mark.parametrize(
    "how", [{}, {"silent": True}, {"can_page": False}], ids=["pages", "cut silently", "by numbers"]
)
def test_all_features_are_asked_for_and_no_more(
    fetch: Callable[..., list[Request]], features: int, how: Mapping[str, bool]
) -> None:
    requests = fetch(Service(features, **how))
    assert len(requests) == -(-features // 4)


def test_the_question_is_for_the_box_in_degrees_without_heights_and_in_order(
    fetch: Callable[..., list[Request]],
) -> None:
    service = Service(5)
    fetch(service, where="kind = 'oak & elm'", page_size=3)
    count, page = service.asked[1], service.asked[2]
    assert (count["where"], count["geometry"], count["inSR"]) == (
        "kind = 'oak & elm'",
        "7.5,51.9,7.7,52",
        "4326",
    )
    assert {name: page[name] for name in ("outSR", "returnZ", "returnM", "orderByFields", "resultRecordCount")} == {
        "outSR": "4326", "returnZ": "false", "returnM": "false", "orderByFields": "OBJECTID", "resultRecordCount": "3",
    }  # fmt: skip
    assert "geometry" not in service.asked[0]


def test_a_service_that_gives_less_than_it_counts_is_an_error(fetch: Callable[..., list[Request]]) -> None:
    with pytest.raises(FetchError, match="4 of 9 came"):
        fetch(Service(9, repeats=True))


def test_an_error_within_a_200_is_an_error(read: ReadBody, source: MakeSource) -> None:
    declared = source("arcgis", record_type="place", fields={"place_id": "OBJECTID"})
    body = b'{"error":{"code":400,"message":"Invalid query","details":["no field kind"]}}'
    for role in ("layer", "count", "ids", "features"):
        with pytest.raises(ReadError, match="reports an error: 400 Invalid query; no field kind"):
            read(declared, body, role)


def test_dates_are_milliseconds_in_utc_and_a_blank_is_no_value(
    records: ReadRecords, source: MakeSource
) -> None:
    body = {
        "spatialReference": {"wkid": 25832},
        "fields": [*FIELDS, {"name": "at", "type": "esriFieldTypeDate"}, {"name": "n", "type": "esriFieldTypeInteger"}],
        "features": [
            {
                "attributes": {"OBJECTID": 1, "name": " ", "at": 1767225600123, "n": 5},
                "geometry": {"x": 405000.0, "y": 5757000.0},
            },
            {"attributes": {"OBJECTID": 2, "name": "b", "at": -1000, "n": None}, "geometry": {"x": "NaN"}},
        ],
    }  # fmt: skip
    declared = source(
        "arcgis", record_type="event", fields={"event_id": "OBJECTID", "title": "name", "start_at": "at"}
    )
    first, second = records(declared, json.dumps(body).encode(), "features")["event"]
    assert (first["start_at"].isoformat(), "title" in first) == ("2026-01-01T00:00:00.123000+00:00", False)
    assert (round(first["lon"], 3), round(first["lat"], 3)) == (7.618, 51.956)
    assert (second["start_at"].isoformat(), "lon" in second) == ("1969-12-31T23:59:59+00:00", False)


def test_rings_are_areas_with_holes_and_islands_and_a_curve_is_rejected(
    read: ReadBody, source: MakeSource
) -> None:
    def square(start: float, end: float) -> list[list[float]]:
        return [[start, start, 9], [start, end, 9], [end, end, 9], [end, start, 9], [start, start, 9]]

    shapes = [
        {"rings": [square(0, 10), square(2, 8)[::-1], square(4, 6)], "hasZ": True},
        {"paths": [[[0, 0, 7], [1, 1, 7]]], "hasM": True},
        {"points": [[1, 2], [3, 4]]},
        {"curveRings": [[[0, 0], {"c": [[1, 1], [2, 2]]}]]},
    ]
    body = {
        "spatialReference": {"wkid": 102100},
        "features": [{"attributes": {"OBJECTID": n}, "geometry": shape} for n, shape in enumerate(shapes)],
    }
    declared = source("arcgis", record_type="area_feature", fields={"feature_id": "OBJECTID"})
    (table,) = read(declared, json.dumps(body).encode(), "features")
    *found, curve = table.frame["geometry"].to_list()
    area, line, points = (shapely.from_wkb(shape) for shape in found)
    assert shapely.get_srid([area, line, points]).tolist() == [3857] * 3, "the system is that of the answer"
    assert (area.geom_type, area.area, area.has_z) == ("MultiPolygon", 100 - 36 + 4, False)
    assert (line.wkt, points.geom_type) == ("MULTILINESTRING ((0 0, 1 1))", "MultiPoint")
    assert b"curveRings" in curve, "which its contract rejects"


def test_a_layer_that_was_recorded_is_read(payloads: Path, read: ReadBody, source: MakeSource) -> None:
    folder = payloads / "arcgis"
    declared = source("arcgis", record_type="place", fields={"place_id": "objectid", "name": "description"})
    assert not read(declared, (folder / "us-esri-test-metadata.json").read_bytes(), "layer")
    (table,) = read(declared, (folder / "us-esri-test-0.json").read_bytes(), "features")
    assert table.frame.height > 1
    assert table.frame["place_id"].null_count() == 0
