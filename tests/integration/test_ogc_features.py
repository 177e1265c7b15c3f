"""Features of a server that nobody here wrote, pygeoapi, page by page through the whole chain."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.catalog import Window
from civitas_assets.pipeline.runner import Order
from tests.integration.conftest import Workplace

COUNT = 23
TENANT = """
name: Musterstadt
ags: "99000001"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  degrees: &trees
    title: Bäume
    connector: ogc_features
    licence: CC0-1.0
    url: "$url"
    collection: trees
    page_size: 10
    record_type: place
    feature_id: place_id
    fields: {category: art, name: nr}
    rest: attributes
    http: {requests_per_second: 200}
  utm: {<<: *trees, crs: "EPSG:25832"}
"""
# A process of its own: the server reads its configuration as it is imported, and warns as it likes.
SERVER = """
import json, os, sys
from pathlib import Path
from wsgiref.simple_server import make_server

folder = Path(sys.argv[1])
server = make_server("127.0.0.1", 0, lambda *_: [])
url = f"http://127.0.0.1:{server.server_port}"
config = json.loads((folder / "config.json").read_text())
config["server"]["url"] = url
(folder / "config.yml").write_text(json.dumps(config))
os.environ["PYGEOAPI_CONFIG"] = str(folder / "config.yml")
os.environ["PYGEOAPI_OPENAPI"] = str(folder / "openapi.yml")
from pygeoapi.openapi import generate_openapi_document
(folder / "openapi.yml").write_text(generate_openapi_document(folder / "config.yml", "yaml"))
from pygeoapi.flask_app import APP
server.set_app(APP)
print(url, flush=True)
server.serve_forever()
"""


def _configuration(data: Path) -> dict[str, Any]:
    somebody = {"name": "Musterstadt", "url": "https://musterstadt.example/"}
    degrees = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    provider = {
        "type": "feature",
        "name": "GeoJSON",
        "data": str(data),
        "id_field": "key",
        "crs": [degrees, "http://www.opengis.net/def/crs/EPSG/0/25832"],
        "storage_crs": degrees,
    }
    identification = {
        **somebody,
        "title": "Test",
        "description": "Test",
        "keywords": ["Test"],
        "keywords_type": "theme",
        "terms_of_service": "https://musterstadt.example/",
    }
    collection = {
        "type": "collection",
        "title": "Bäume",
        "description": "Bäume",
        "keywords": ["Baum"],
        "links": [],
        "extents": {"spatial": {"bbox": [9.0, 50.0, 9.2, 50.2], "crs": degrees}},
        "providers": [provider],
    }
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": 0},
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": ["de-DE"],
            "limits": {"default_items": 10, "max_items": 50},
            "map": {"url": "https://musterstadt.example/", "attribution": "Musterstadt"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": identification,
            "license": somebody,
            "provider": somebody,
            "contact": somebody,
        },
        "resources": {"trees": collection},
    }


@pytest.fixture(scope="module")
def pygeoapi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a collection of trees along a parallel."""
    folder = tmp_path_factory.mktemp("pygeoapi")
    features = [
        {
            "type": "Feature",
            "id": f"t{number}",
            "geometry": {"type": "Point", "coordinates": [9 + number / 1000, 50.1]},
            "properties": {"nr": f"0{number}", "art": "Linde" if number % 2 else None, "umfang": number},
        }
        for number in range(COUNT)
    ]
    data = folder / "trees.geojson"
    data.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps(_configuration(data)), encoding="utf-8")
    with (folder / "log.txt").open("w") as log:
        command = [sys.executable, "-c", SERVER, str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, (folder / "log.txt").read_text()
        yield url
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def musterstadt(pygeoapi: str, new_workplace: Callable[[], Workplace]) -> Any:
    """Both sources of the town, run once."""
    workplace = new_workplace()
    workplace.clock = datetime(2026, 8, 22, 5, 11, tzinfo=UTC)
    workplace.write_tenant("musterstadt", TENANT.replace("$url", pygeoapi))
    day = date(2026, 8, 21)
    outcome = workplace.run("musterstadt", Order(window=Window(day, day)))
    assert outcome.errors == []
    assert outcome.rejected == 0
    return workplace


def test_the_server_answers_in_pages(pygeoapi: str) -> None:
    with urllib.request.urlopen(f"{pygeoapi}/collections/trees/items?f=json&limit=10") as answer:
        page = json.load(answer)
    assert (page["numberMatched"], page["numberReturned"]) == (COUNT, 10)
    assert "next" in {link["rel"] for link in page["links"]}


def test_all_pages_become_places(musterstadt: Any) -> None:
    rows = musterstadt.ask(
        "musterstadt",
        """
        select place_id, name, category, attributes, lon, lat from place
        where source = 'degrees' order by lon
        """,
    )
    assert rows == [
        (f"t{n}", f"0{n}", "Linde" if n % 2 else None, f'{{"umfang":{n}}}', round(9 + n / 1000, 7), 50.1)
        for n in range(COUNT)
    ]


def test_places_are_where_they_are_in_whatever_reference_system_they_came(musterstadt: Any) -> None:
    rows = musterstadt.ask(
        "musterstadt",
        """
        select count(*), max(abs(u.lon - d.lon)) < 1e-6, max(abs(u.lat - d.lat)) < 1e-6
        from place u join place d using (place_id) where u.source = 'utm' and d.source = 'degrees'
        """,
    )
    assert rows == [(COUNT, True, True)]
    landed = [
        file.read_bytes()
        for file in (musterstadt.settings.home / "landing").rglob("*")
        if file.is_file() and "utm" in file.parts
    ]
    assert any(b"EPSG/0/25832" in body for body in landed), "nothing was asked for in that system"
