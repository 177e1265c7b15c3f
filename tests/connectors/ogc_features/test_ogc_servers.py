"""Real servers, pygeoapi and MapServer, tell the connector all their features, however they page and turn axes."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import pyogrio.raw
import pyproj
import pytest
import shapely

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.endpoint import find_free_port
from civitas_assets.errors import FetchError
from testbed import serving as served
from testbed.pygeoapi_server import PYGEOAPI, start_pygeoapi
from tests.connectors.conftest import MakeSession, MakeSource, ReadBody, ReadRecords

pytestmark = pytest.mark.integration

COUNT, CEILING = 25, 10
BOX = (7.4, 51.8, 7.8, 52.1)
# Trees in a row from the town's middle to the north-east, in UTM zone 32, and one far away.
UTM = [(405_000.0 + 100 * number, 5_757_000.0 + 50 * number) for number in range(COUNT)]
FAR = (690_000.0, 5_334_000.0)
_MAP = """
MAP
  NAME "trees" STATUS ON EXTENT 400000 5330000 700000 5760000 SIZE 10 10
  PROJECTION "init=epsg:25832" END
  WEB METADATA
    "ows_title" "t" "ows_enable_request" "*" "ows_onlineresource" "{address}?"
    "wfs_srs" "EPSG:25832 EPSG:4326 EPSG:31467"
    "wfs_getfeature_formatlist" "gml,gml3,gml32,geojson" {ceiling}
  END END
  OUTPUTFORMAT NAME "geojson" DRIVER "OGR/GEOJSON" MIMETYPE "application/json" FORMATOPTION "STORAGE=stream"
    FORMATOPTION "FORM=simple" END
  LAYER
    NAME "trees" TYPE POINT STATUS ON CONNECTIONTYPE OGR CONNECTION "{file}" DATA "trees"
    PROJECTION "init=epsg:25832" END
    METADATA "ows_title" "trees" "gml_include_items" "all" "gml_featureid" "nr"
      "wfs_use_default_extent_for_getfeature" "no" END
  END
END
"""


def gpkg(folder: Path) -> Path:
    """All trees, with the one far away as the last."""
    spots = np.array([shapely.to_wkb(shapely.Point(p)) for p in (*UTM, FAR)], dtype=object)
    columns = [np.arange(COUNT + 1), np.array([f"Baum {n}" for n in range(COUNT + 1)], dtype=object)]
    path = folder / "trees.gpkg"
    pyogrio.raw.write(
        path, spots, columns, ["nr", "name"], geometry_type="Point", crs="EPSG:25832", layer="trees"
    )
    return path


@pytest.fixture(scope="module")
def pygeoapi(tmp_path_factory: pytest.TempPathFactory, oracle: Callable[[str, str], Path]) -> Iterator[str]:
    """The address of a pygeoapi that gives ten features at most."""
    python = oracle("pygeoapi", PYGEOAPI)
    folder, port = tmp_path_factory.mktemp("pygeoapi"), find_free_port()
    address = f"http://127.0.0.1:{port}"
    to_degrees = pyproj.Transformer.from_crs("EPSG:25832", "EPSG:4326", always_xy=True)
    features = [
        {
            "type": "Feature",
            "id": number,
            "properties": {"nr": number, "name": f"Baum {number}"},
            "geometry": {"type": "Point", "coordinates": [*to_degrees.transform(*spot)]},
        }
        for number, spot in enumerate((*UTM, FAR))
    ]
    file = folder / "trees.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    provider = {"type": "feature", "name": "GeoJSON", "data": str(file), "id_field": "nr"}
    provider["crs"] = ["http://www.opengis.net/def/crs/EPSG/0/25832"]  # type: ignore[assignment]
    config = {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": address,
            "mimetype": "application/json",
            "encoding": "utf-8",
            "languages": ["en-US"],
            "limits": {"default_items": CEILING, "max_items": CEILING},
            "map": {"url": "https://tile.example/{z}/{x}/{y}.png", "attribution": "x"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": "t",
                "description": "d",
                "keywords": ["k"],
                "url": "https://x.example",
                "terms_of_service": "x",
            },
            "license": {"name": "x"},
            "provider": {"name": "x"},
            "contact": {"name": "x"},
        },
        "resources": {
            "trees": {
                "type": "collection",
                "title": "t",
                "description": "d",
                "keywords": ["t"],
                "links": [],
                "extents": {"spatial": {"bbox": [7, 47, 12, 52]}},
                "providers": [provider],
            }
        },
    }
    settings, described = folder / "config.yml", folder / "openapi.yml"
    settings.write_text(json.dumps(config), encoding="utf-8")
    described.write_text('{"openapi": "3.0.2", "info": {}, "paths": {}}', encoding="utf-8")
    with start_pygeoapi(python, settings, described, port) as running:
        yield running


class Mapserv(served.Request):
    """Runs the CGI program for each request."""

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, urlsplit(self.path).query
        environment = {
            **os.environ,
            "REQUEST_METHOD": "GET",
            "QUERY_STRING": query,
            "MS_MAPFILE": f"{self.server.folder}{path}",  # type: ignore[attr-defined]
            "MAPSERVER_CONFIG_FILE": f"{self.server.folder}/mapserver.conf",  # type: ignore[attr-defined]
        }
        said = subprocess.run(["mapserv"], env=environment, capture_output=True, check=False).stdout
        head, _, body = said.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().splitlines():
            self.send_header(*line.split(": ", 1))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def mapserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a MapServer with a map that gives ten features at most, and one that gives all."""
    if shutil.which("mapserv") is None:
        pytest.skip("MapServer is not installed; on Debian: apt-get install cgi-mapserver")
    folder = tmp_path_factory.mktemp("mapserver")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mapserv)
    server.folder = str(folder)  # type: ignore[attr-defined]
    address = f"http://127.0.0.1:{server.server_port}"
    file = gpkg(folder)
    (folder / "mapserver.conf").write_text("CONFIG\n  ENV\n  END\nEND\n", encoding="utf-8")
    for name, ceiling in (("cut.map", f'"wfs_maxfeatures" "{CEILING}"'), ("all.map", "")):
        text = _MAP.format(address=f"{address}/{name}", file=file, ceiling=ceiling)
        (folder / name).write_text(text, encoding="utf-8")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture
def trees(
    source: MakeSource, session: MakeSession, records: ReadRecords, read: ReadBody
) -> Callable[..., list[dict[str, Any]]]:
    """Fetches from a server and reads all that has come."""

    def answer(request: Request) -> bytes:
        asked = urllib.request.Request(request.url, headers=dict(request.headers))
        try:
            with closing(urllib.request.urlopen(asked, timeout=60)) as found:
                bodies.append((request, body := found.read()))
                return body, {"content-crs": found.headers.get("Content-Crs", "")}  # type: ignore[return-value]
        except urllib.error.HTTPError as error:
            raise FetchError(f"{request.url}: {error.read()[:500]!r}") from None

    bodies: list[tuple[Request, bytes]] = []

    def fetch(url: str, **settings: Any) -> list[dict[str, Any]]:
        bodies.clear()
        fields = {"place_id": "nr", "category": "name"}
        declared = source(
            "ogc_features",
            **{"url": url, "record_type": "place", "collection": "trees", "fields": fields, **settings},
        ).with_place("s", BOX)
        asked = session(answer)
        days = Window(date(2026, 8, 1), date(2026, 8, 2))
        CONNECTORS["ogc_features"].fetch(declared, days, ZoneInfo("Europe/Berlin"), asked)
        fetch.notes = asked.notes  # type: ignore[attr-defined]
        return [
            row
            for request, body in bodies
            if request.role != "hits" and any(t.frame.height for t in read(declared, body, request.role))
            for row in records(declared, body, request.role).get("place", [])
        ]

    return fetch


def assert_all(found: list[dict[str, Any]], *, far: bool = False) -> None:
    # A page begins with the last feature of the one before.
    assert {int(row["place_id"]) for row in found} == {*range(COUNT + far)}
    # The server's own way from one datum to another leaves out some hundred metres.
    placed = {int(row["place_id"]): (row["lon"], row["lat"]) for row in found}
    assert placed[0] == pytest.approx((7.6166, 51.9565), abs=3e-3)
    assert all(BOX[0] < lon < BOX[2] and BOX[1] < lat < BOX[3] for lon, lat in [*placed.values()][:COUNT])


@pytest.mark.parametrize(
    "settings", [{}, {"crs": "EPSG:25832"}, {"page_size": 7}], ids=["degrees", "metres", "small"]
)
def test_pygeoapi_tells_all(
    settings: dict[str, Any], pygeoapi: str, trees: Callable[..., list[dict[str, Any]]]
) -> None:
    assert_all(trees(pygeoapi, **settings))
    assert_all(trees(pygeoapi, within_bbox=False, **settings), far=True)
    assert trees.notes == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("crs", [None, "EPSG:25832", "EPSG:4326", "EPSG:31467"])
@pytest.mark.parametrize("settings", [{"api": "wfs2"}, {"api": "wfs11"}], ids=["2.0", "1.1"])
def test_mapserver_tells_all_in_every_reference_system(
    crs: str | None, settings: dict[str, Any], mapserver: str, trees: Callable[..., list[dict[str, Any]]]
) -> None:
    system = {} if crs is None else {"crs": crs}
    assert_all(trees(f"{mapserver}/all.map", **settings, **system))
    assert_all(trees(f"{mapserver}/all.map", within_bbox=False, **settings, **system), far=True)


def test_mapserver_with_a_ceiling_tells_all(
    mapserver: str, trees: Callable[..., list[dict[str, Any]]]
) -> None:
    assert_all(trees(f"{mapserver}/cut.map", api="wfs2"))
    assert_all(trees(f"{mapserver}/cut.map", api="wfs2", format="geojson", page_size=4))
    assert_all(trees(f"{mapserver}/cut.map", api="wfs11"))
