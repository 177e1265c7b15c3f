"""A real pygeoapi serves what is open from the folder that is written for it, and our own connector reads it so."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
import yaml
from typer.testing import CliRunner

from civitas_assets.catalog import Window
from civitas_assets.cli import app
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.endpoint import find_free_port
from civitas_assets.errors import ExportError
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.opendata.masterportal_layers import LAYER_TREE, SERVICES, Portal
from civitas_assets.opendata.pygeoapi_folder import CONFIGURATION, ServedTables, write_pygeoapi_folder
from testbed.pygeoapi_server import PYGEOAPI, start_pygeoapi
from tests.connectors.conftest import MakeSession, MakeSource, ReadRecords, read, records, session, source  # noqa: F401 - fixtures
from tests.opendata.conftest import OfferingTown

URL = "https://daten.musterstadt.example/features"


def write(offering: OfferingTown, place: Path, url: str = URL) -> ServedTables:
    tenant = load_catalogue(offering.settings).get_tenant("town")
    return write_pygeoapi_folder(offering.files, [tenant], place, url)


def test_tables_with_a_key_are_collections_and_others_are_told(
    offering: OfferingTown, tmp_path: Path
) -> None:
    offering.offer()
    served = write(offering, tmp_path)
    assert (served.collections, served.has_changed) == (["town_station"], True)
    assert served.left_out == {
        "town_event": "its rows have no key of one column, by which features are asked for"
    }
    written = yaml.safe_load((tmp_path / CONFIGURATION).read_text(encoding="utf-8"))
    assert written["server"]["url"] == URL
    assert written["metadata"]["contact"]["email"] == "offene-daten@musterstadt.example"
    station = written["resources"]["town_station"]
    assert station["extents"]["spatial"]["bbox"] == [10.0, 51.0, 10.05, 51.05]
    assert [link["title"] for link in station["links"]] == ["dl-de/by-2-0"]
    assert {path.name for path in (tmp_path / "town").iterdir()} == {
        "event.geojson", "station.geojson", "datapackage.json", "dictionary.json", ".civitas-files",
    }  # fmt: skip
    before = (tmp_path / CONFIGURATION).stat().st_mtime_ns
    assert not write(offering, tmp_path).has_changed
    assert (tmp_path / CONFIGURATION).stat().st_mtime_ns == before


def test_a_table_that_is_too_large_to_be_read_at_each_request_is_told(
    offering: OfferingTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offering.offer()
    monkeypatch.setattr("civitas_assets.opendata.pygeoapi_folder._MOST_BYTES", 10)
    with pytest.raises(ExportError, match="no tenant has a folder of open data with GeoJSON"):
        write(offering, tmp_path)
    assert {path.suffix for path in (tmp_path / "town").iterdir()} == {".json", ""}


@pytest.mark.parametrize("folder", ["{access: login}", ""])
def test_what_is_no_longer_for_everybody_is_taken_away(
    offering: OfferingTown, tmp_path: Path, folder: str
) -> None:
    offering.offer()
    write(offering, tmp_path)
    offering.say(folder)
    offering.offer()
    with pytest.raises(ExportError, match="no tenant has a folder of open data with GeoJSON"):
        write(offering, tmp_path)
    assert {path.name for path in (tmp_path / "town").iterdir()} == {".civitas-files"}


def test_files_of_a_tenant_that_is_none_any_more_go_unless_nobody_knows(
    offering: OfferingTown, tmp_path: Path
) -> None:
    """Else a pygeoapi that was not started again goes on serving them."""
    offering.offer()
    write(offering, tmp_path)
    tenant = load_catalogue(offering.settings).get_tenant("town")
    own = tmp_path / "own" / "notes.geojson"
    own.parent.mkdir()
    own.write_text("{}")
    for unknown, left in ((["town"], {"station.geojson", "event.geojson"}), ([], set[str]())):
        with pytest.raises(ExportError, match="no tenant has a folder"):
            write_pygeoapi_folder(offering.files, [tenant.with_key("other")], tmp_path, URL, unknown=unknown)
        assert {path.name for path in (tmp_path / "town").glob("*.geojson")} == left
    assert own.is_file(), "what is from somebody else stays"


def test_what_is_closed_goes_also_where_another_tenant_cannot_be_written(
    offering: OfferingTown, tmp_path: Path
) -> None:
    offering.offer()
    write(offering, tmp_path)
    town = load_catalogue(offering.settings).get_tenant("town")
    offering.files.move_all(
        {
            key: key.replace("reports/town/", "reports/anstadt/")
            for key in offering.files.list_keys("reports/town/")
        }
    )
    (tmp_path / "anstadt" / "station.geojson").mkdir(parents=True)  # in the way of a file
    with pytest.raises(ExportError, match="cannot be written"):
        write_pygeoapi_folder(offering.files, [town.with_key("anstadt"), town], tmp_path, URL)
    assert not [*(tmp_path / "town").glob("*.geojson")]


def test_no_text_of_a_tenant_names_a_variable_of_pygeoapi(offering: OfferingTown, tmp_path: Path) -> None:
    """pygeoapi puts variables of its environment in the place of ${NAME} in plain texts, and starts without none."""
    offering.offer()
    tenant = load_catalogue(offering.settings).get_tenant("town").model_copy(update={"name": "Ort ${PATH} x"})
    write_pygeoapi_folder(offering.files, [tenant], tmp_path, URL)
    text = (tmp_path / CONFIGURATION).read_text(encoding="utf-8")
    quoted = {event.value: event.style for event in yaml.parse(text) if isinstance(event, yaml.ScalarEvent)}
    named = {value: style for value, style in quoted.items() if "${" in value}
    assert named
    assert {*named.values()} <= {"'", '"'}
    assert yaml.safe_load(text)["metadata"]["identification"]["title"]["de"] == "Offene Daten: Ort ${PATH} x"


def test_two_tables_of_one_name_are_not_taken_for_each_other(offering: OfferingTown, tmp_path: Path) -> None:
    """Keys have underscores as names of tables have: a_b and c are called as a and b_c."""
    offering.offer()
    tenant = load_catalogue(offering.settings).get_tenant("town")
    portal = Portal.build("EPSG:25832", {"town": URL})
    served = write_pygeoapi_folder(offering.files, [tenant, tenant], tmp_path, URL, portal=portal)
    layers = json.loads((tmp_path / SERVICES).read_text(encoding="utf-8"))
    assert sorted(layer["id"] for layer in layers) == ["town_event", "town_station"]
    assert served.collections == ["town_station"]
    assert served.left_out["town_station"].startswith("another tenant has a collection of that name")


def test_who_does_not_know_what_the_operator_allows_serves_what_is_published_all_the_same(
    offering: OfferingTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the process of compose, which has neither ceilings nor last good states; a typing error leaves files."""
    offering.offer()
    settings = offering.settings
    monkeypatch.setenv("CIVITAS_HOME", str(settings.home))
    monkeypatch.setenv("CIVITAS_TENANTS_DIR", str(settings.tenants_dir))
    asked = ["pygeoapi", "--output", str(tmp_path / "features"), "--url", URL]
    offering.say("{}", **{"title: Parken": "title: Parken\n    headers: {X-Key: {secret: ALL}}"})
    done = CliRunner().invoke(app, asked)
    assert (done.exit_code, "1 collections in" in done.output) == (0, True), done.output
    offering.say("{}", **{"title: Parken": "titel: Parken"})
    with pytest.raises(ExportError, match="no tenant has a folder"):
        CliRunner().invoke(app, asked, catch_exceptions=False)
    assert (tmp_path / "features" / "town" / "station.geojson").is_file()


def test_a_masterportal_gets_each_table_as_a_layer(offering: OfferingTown, tmp_path: Path) -> None:
    """Those that pygeoapi serves from it, in the reference system of the portal's map; the others as files."""
    offering.offer()
    tenant = load_catalogue(offering.settings).get_tenant("town")
    portal = Portal.build("epsg:25832", {"town": "https://daten.musterstadt.example/open/town"})
    write_pygeoapi_folder(offering.files, [tenant], tmp_path, f"{URL}/", portal=portal)
    layers = {layer["id"]: layer for layer in json.loads((tmp_path / SERVICES).read_text(encoding="utf-8"))}
    station, event = layers["town_station"], layers["town_event"]
    utm = "http://www.opengis.net/def/crs/EPSG/0/25832"
    assert (station["typ"], station["url"], station["collection"]) == ("OAF", URL, "town_station")
    assert station["crs"] == station["bboxCrs"] == utm
    assert "&lt;" in station["layerAttribution"] or station["layerAttribution"] != "nicht vorhanden"
    assert (event["typ"], event["url"]) == (
        "GeoJSON",
        "https://daten.musterstadt.example/open/town/event.geojson",
    )
    tree = json.loads((tmp_path / LAYER_TREE).read_text(encoding="utf-8"))["layerConfig"]["subjectlayer"]
    (folder,) = tree["elements"]
    assert (folder["name"], folder["type"]) == ("Musterstadt", "folder")
    assert {element["id"] for element in folder["elements"]} == layers.keys()
    with pytest.raises(
        ExportError, match="'EPSG:31467' is no reference system of a portal: one of EPSG:25832"
    ):
        Portal.build("EPSG:31467", {})


@pytest.mark.integration
def test_pygeoapi_serves_it_and_our_connector_reads_the_rows_that_are_published(  # noqa: PLR0917
    offering: OfferingTown,
    tmp_path: Path,
    oracle: Callable[..., Path],
    source: MakeSource,  # noqa: F811
    session: MakeSession,  # noqa: F811
    records: ReadRecords,  # noqa: F811
) -> None:
    python, port = oracle("pygeoapi", PYGEOAPI), find_free_port()
    offering.offer()
    write(offering, tmp_path, f"http://127.0.0.1:{port}")
    command, described = [python, "-c", "from pygeoapi import cli; cli()"], tmp_path / "openapi.yml"
    environment = {
        **os.environ,
        "PYGEOAPI_CONFIG": str(tmp_path / CONFIGURATION),
        "PYGEOAPI_OPENAPI": str(described),
    }
    for asked in (["config", "validate", "-c"], ["openapi", "generate", "--output-file", str(described)]):
        given = [*command, *asked, str(tmp_path / CONFIGURATION)]
        done = subprocess.run(given, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def ask(url: str) -> Any:
        with closing(urllib.request.urlopen(url, timeout=60)) as reply:
            return json.loads(reply.read())

    with start_pygeoapi(python, tmp_path / CONFIGURATION, described, port) as address:
        (collection,) = ask(f"{address}/collections?f=json")["collections"]
        assert (collection["id"], collection["title"]) == ("town_station", "Messstationen – Musterstadt")
        items = f"{address}/collections/town_station/items"
        found = ask(f"{items}?f=json&limit=10")["features"]
        published = json.loads(offering.read("station.geojson"))["features"]
        assert [{**feature, "id": feature["properties"]["station_key"]} for feature in published] == found
        assert [
            feature["id"] for feature in ask(f"{items}?f=json&bbox=10.04,51.04,10.06,51.06")["features"]
        ] == ["a"]
        assert ask(f"{items}/b?f=json")["properties"]["name"] == "=1+1"
        # As a Masterportal asks: box and answer in its own system, which it does not convert.
        utm = quote("http://www.opengis.net/def/crs/EPSG/0/25832")
        query = f"limit=1&bbox=569000,5649000,571000,5651000&bbox-crs={utm}&crs={utm}"
        (feature,) = ask(f"{items}?f=json&{query}")["features"]
        east, north = feature["geometry"]["coordinates"]
        assert (feature["id"], round(east), round(north)) == ("b", 570169, 5650301)

        bodies: list[Any] = []

        def answer(request: Any) -> bytes:
            with closing(urllib.request.urlopen(request.url, timeout=60)) as reply:
                bodies.append((request, body := reply.read()))
                return bytes(body)

        declared = source(
            "ogc_features", url=address, collection="town_station", record_type="place", feature_id="place_id",
            fields={"name": "name"}, constants={"category": "station"},
        ).with_place("s", (9.0, 50.0, 11.0, 52.0))  # fmt: skip
        window = Window(date(2026, 7, 1), date(2026, 7, 1))
        CONNECTORS["ogc_features"].fetch(declared, window, ZoneInfo("Europe/Berlin"), session(answer))
        read_back = [records(declared, body, request.role, **request.variables) for request, body in bodies]
        rows = [row for part in read_back for row in part.get("place", ())]
        assert {row["place_id"]: (row["name"], row["lon"], row["lat"]) for row in rows} == {
            "a": ('Ä "x"', 10.05, 51.05),
            "b": ("=1+1", 10.0, 51.0),
        }
