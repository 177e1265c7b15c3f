"""Every form that is read is recognised by its content, and all others are named in a sentence."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import Any

import numpy as np
import polars as pl
import pyogrio.raw
import pytest
import shapely
import xlsxwriter

from civitas_assets.errors import ReadError
from tests.propose.conftest import Propose

CSV = b"Nr;Name;lat;lon\n1;Nord;51.96;7.62\n2;Dom;51.97;7.63\n"
POINT = {"type": "Point", "coordinates": [7.62, 51.96]}
UPLINK = {
    "deviceInfo": {"devEui": "70b3", "deviceProfileName": "THS"}, "time": "2026-03-01T10:00:00Z", "fPort": 1, "fCnt": 2,
    "object": {"temperature": 4.5, "mode": 1},
}  # fmt: skip
PARKING = """<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0"><payloadPublication xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xsi:type="GenericPublication"><genericPublicationName>ParkingTablePublication</genericPublicationName></payloadPublication></d2LogicalModel>"""


KML = (
    b'<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>Nord</name><Point><coordinates>'
    b"7.62,51.96</coordinates></Point></Placemark></Document></kml>"
)
TREE = {"type": "Feature", "id": 1, "properties": {"Baum-Nr.": "B1", "art": "Linde"}, "geometry": POINT}
SPACES = {
    "id": "urn:ngsi-ld:OffStreetParking:1", "type": "OffStreetParking",
    "location": {"type": "GeoProperty", "value": POINT},
    "availableSpotNumber": {"type": "Property", "value": 4, "observedAt": "2026-03-01T10:00:00Z"},
}  # fmt: skip
STATION = {"station_id": "a", "name": "A", "lat": 51.96, "lon": 7.62}
THING = {"@iot.id": 1, "@iot.selfLink": "https://x.example/v1.1/Things(1)", "name": "T", "Datastreams": []}


def zipped(**files: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in files.items():
            file.writestr(name.replace("_dot_", "."), content)
    return archive.getvalue()


def sheet(**sheets: list[list[Any]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
    return file.getvalue()


def vector(driver: str) -> bytes:
    file = io.BytesIO()
    points = shapely.to_wkb(np.array([shapely.Point(405736 + n, 5757706) for n in range(3)]))
    columns = [np.array([f"B{n}" for n in range(3)], dtype=object), np.array(["Linde"] * 3, dtype=object)]
    pyogrio.raw.write(
        file, points, columns, ["Baumnummer", "Art"], driver=driver, geometry_type="Point", crs="EPSG:25832"
    )
    return file.getvalue()


def parquet() -> bytes:
    file = io.BytesIO()
    pl.DataFrame(
        {"station": ["a", "b"], "zeit": ["2026-03-01T10:00:00Z"] * 2, "wert": [1.5, 2.5]}
    ).write_parquet(file)
    return file.getvalue()


def as_json(content: Any) -> bytes:
    return json.dumps(content).encode()


READ = {
    "csv": (CSV, "csv", 2),
    "csv for excel": (b"sep=;\n" + CSV, "csv", 2),
    "gzip": (gzip.compress(CSV), "csv", 2),
    "zip": (zipped(places_dot_csv=CSV), "csv", 2),
    "zip of several": (zipped(places_dot_csv=CSV, readme_dot_txt=b"nothing here"), "csv", 2),
    "spreadsheet": (
        sheet(
            Info=[["Stand"]], Orte=[["Verzeichnis"], ["Nr", "Name", "lat", "lon"], [1, "Nord", 51.96, 7.62]]
        ),
        "excel",
        1,
    ),
    "geopackage": (vector("GPKG"), "geofile", 3),
    "parquet": (parquet(), "geofile", 2),
    "kml": (
        KML,
        "geofile",
        1,
    ),
    "geojson": (as_json({"type": "FeatureCollection", "features": [TREE]}), "geojson", 1),
    "ngsi-ld": (as_json([SPACES]), "ngsi_ld", 2),
    "gbfs feed": (as_json({"last_updated": 1772359200, "ttl": 60, "data": {"stations": [STATION]}}), "gbfs", 1),
    "sensorthings": (as_json({"value": [THING]}), "sensorthings", 1),
    "uplinks": (as_json(UPLINK), "lorawan", 3),
}  # fmt: skip


@pytest.mark.parametrize("form", READ)
def test_a_form_that_is_read_is_proposed_with_its_connector(proposed: Propose, form: str) -> None:
    body, connector, records = READ[form]
    found, source = proposed(body, "sample")
    assert (source.connector, found.accepted, found.probe.report.errors) == (connector, records, [])


LEADS = {
    "gbfs": ({"last_updated": 1, "ttl": 60, "data": {"de": {"feeds": [{"name": "a", "url": "b"}]}}}, "gbfs"),
    "gbfs 3": ({"last_updated": "x", "ttl": 60, "data": {"feeds": [{"name": "a", "url": "b"}]}}, "gbfs"),
    "sensorthings": (
        {"value": [{"name": n, "url": f"https://x.example/v1.1/{n}"} for n in ("Things", "Sensors", "Locations")]},
        "sensorthings",
    ),
    "ogc api": ({"links": [{"rel": r, "href": "x"} for r in ("self", "conformance", "data")]}, "ogc_features"),
    "collections": ({"collections": [{"id": "trees"}, {"id": "roads"}]}, "ogc_features"),
    "openSenseMap": ({"_id": "5a", "name": "b", "sensors": []}, "opensensemap"),
}  # fmt: skip


@pytest.mark.parametrize("document", LEADS)
def test_a_document_that_leads_to_others_is_named_and_not_read(proposed: Propose, document: str) -> None:
    content, connector = LEADS[document]
    found, source = proposed(as_json(content), "sample")
    assert (source.connector, found.probe) == (connector, None)
    assert found.remarks[0].startswith("this is ")


def test_a_service_of_features_names_its_collections(proposed: Propose) -> None:
    kinds = "".join(f"<FeatureType><Name>ms:{name}</Name></FeatureType>" for name in ("trees", "roads"))
    found, source = proposed(
        f'<WFS_Capabilities version="1.1.0"><List>{kinds}</List></WFS_Capabilities>', "x"
    )
    assert (source.connector, source.api, source.collection) == ("ogc_features", "wfs11", "ms:trees")
    assert "# unsure: one of ms:trees, ms:roads" in found.yaml
    assert "request=GetFeature&typeName=ms:trees" in found.remarks[1]


def test_a_page_of_a_collection_becomes_the_whole_of_it(proposed: Propose) -> None:
    features = [{**TREE, "id": n, "properties": {"Baum-Nr.": f"B{n}", "art": "Linde"}} for n in (1, 2)]
    body = as_json({"type": "FeatureCollection", "features": features, "links": [], "numberReturned": 2})
    found, source = proposed(body, "https://ogc.example/api/collections/trees/items?limit=2")
    assert (source.connector, source.url, source.collection) == (
        "ogc_features",
        "https://ogc.example/api",
        "trees",
    )
    assert (found.name, found.accepted, source.fields["place_id"]) == ("trees", 2, "Baum-Nr.")


def test_datex2_says_its_publication(proposed: Propose) -> None:
    _, source = proposed(PARKING, "sample")
    assert (source.connector, source.publication) == ("datex2", "parking")
    _, source = proposed(PARKING.replace("ParkingTable", "Situation"), "sample")
    assert source.publication == "situations"


def test_a_page_of_locations_of_ocpi_is_the_list_that_it_is_of(proposed: Propose) -> None:
    place = {
        "id": "L1", "publish": True, "coordinates": {"latitude": "51.96", "longitude": "7.62"},
        "evses": [{"uid": "E1", "status": "AVAILABLE", "last_updated": "2026-03-01T10:00:00Z"}],
    }  # fmt: skip
    body = json.dumps({"data": [place], "status_code": 1000, "timestamp": "2026-03-01T10:00:00Z"})
    found, source = proposed(body, "https://cpo.example/ocpi/2.2.1/locations?limit=1")
    assert (source.connector, source.url) == ("ocpi", "https://cpo.example/ocpi/2.2.1/locations")
    assert found.accepted == 2


@pytest.mark.parametrize(
    ("address", "connector"),
    [
        ("https://api.hystreet.com/v2/locations/148", "hystreet"),
        ("https://www.regionalstatistik.de/genesis/online", "genesis"),
    ],
)
def test_an_address_of_a_service_with_accounts_is_told_with_its_page(
    proposed: Propose, address: str, connector: str
) -> None:
    with pytest.raises(ReadError, match=rf"connector of its own, {connector}: see docs/connectors/"):
        proposed("{}", address)


def test_an_address_of_a_national_service_needs_nothing_but_its_name(proposed: Propose) -> None:
    found, source = proposed("{}", "https://www.pegelonline.wsv.de/webservices/rest-api/v2/stations.json")
    assert (source.connector, found.probe) == ("pegelonline", None)
    assert "url:" not in found.yaml


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"%PDF-1.7 x", "is a PDF document"),
        (b"\x89PNG\r\n", "is a picture"),
        (bytes(range(256)) * 8, "holds bytes that are no text"),
        (b"SQLite format 3\x00" + bytes(200), "is an SQLite database"),
        (b"<!DOCTYPE html><html><head><title>Portal</title></head>", "is a web page called 'Portal'"),
        (b'<html><form><input type="password"></form></html>', "is a page to log in with"),
        (b'<rss version="2.0"></rss>', r"news feed \(RSS\), which no connector reads"),
        (b"<a><b></a>", "is no XML that can be trusted"),
        (b"<Stuff/>", "is XML with the root Stuff, which no connector reads"),
        (
            b"<ExceptionReport><Exception><ExceptionText>no such layer</ExceptionText></Exception></ExceptionReport>",
            "is the report of an error: no such layer",
        ),
        (zipped(stops_dot_txt=b"", trips_dot_txt=b"", routes_dot_txt=b""), r"public transport \(GTFS\)"),
        (zipped(), "with nothing that a connector reads: it is empty"),
        (zipped(a_dot_pdf=b"%PDF"), "with nothing that a connector reads: a.pdf"),
        (zipped(places_dot_csv=CSV)[:80], "is no sound ZIP archive"),
        (gzip.compress(CSV)[:20], "begins as gzip, but is damaged"),
        (sheet(Leer=[]), "has no sheet with a table"),
        (b"[" * 5000, "is JSON nested deeper"),
        (b'{"a": 1,', "begins as JSON, but is none"),
        (b'{"error": {"message": "unknown dataset"}}', "it says 'unknown dataset'"),
        (b'[["a", 1], ["b", 2]]', "its elements are list"),
        (b"1;2;3\n4;5;6\n", "has no header: its first whole row is 1, 2, 3"),
        (b"Nr;Name;lat\n", "has a header with Nr, Name, lat, and no row below it"),
        (
            b"BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n",
            r"is a calendar \(iCalendar\), which no connector reads",
        ),
        (b'{"type": "Topology", "objects": {}, "arcs": []}', "is TopoJSON, which is not read"),
        (b"just one\nline after\nanother\n", "is no table"),
        (b'Date,Count\n2026-03-01,"1,234"\n2026-03-02,"1,100"\n2026-03-03,987\n', "commas between thousands"),
    ],
)
def test_what_is_not_read_is_named_in_a_sentence(proposed: Propose, body: bytes, sentence: str) -> None:
    with pytest.raises(ReadError, match=sentence):
        proposed(body, "sample")
