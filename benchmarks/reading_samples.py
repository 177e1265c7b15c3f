"""Synthetic answers for each way of reading, in the shapes that publishers and brokers use.

Values repeat with a pattern; nothing here is measured.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benchmarks.data import START, feature_collection, observation_pages
from benchmarks.data import counter_csv as wide_csv

Bodies = list[tuple[Mapping[str, str], bytes]]


@dataclass(frozen=True)
class Sample:
    """A source's settings, and the answers that it got, each with the variables of its address."""

    settings: Mapping[str, Any]
    bodies: Callable[[], Bodies]
    role: str = "data"


def _moment(n: int) -> str:
    return f"{START + timedelta(minutes=15 * n):%Y-%m-%dT%H:%M:%SZ}"


def _place(n: int) -> list[float]:
    return [9 + n % 997 / 5000, 50 + n % 991 / 5000]


def long_csv() -> bytes:
    """200,000 values, each in a row of its own."""
    rows = (
        f"{n % 100:04};{_moment(n // 100)};{n % 970 / 10:.1f};Straße {n % 100};in Ordnung\n"
        for n in range(200_000)
    )
    return ("Station;Zeit;Wert;Ort;Hinweis\n" + "".join(rows)).encode()


def json_records(*, escapes: bool) -> bytes:
    """50,000 records with nested members; with escapes, their umlauts are written so."""
    rows = [
        {
            "id": n,
            "titel": f"Parkhaus Süd {n}",
            "lage": {"lat": _place(n)[1], "lon": _place(n)[0], "ort": "Köln"},
            "plaetze": n % 320,
            "hinweis": "Zufahrt über die Hauptstraße",
        }
        for n in range(50_000)
    ]
    return json.dumps({"daten": rows}, ensure_ascii=escapes).encode()


def weather(first: int, count: int) -> bytes:
    """Normalised NGSI-LD entities with ten measured attributes each."""
    names = (
        *("temperature", "relativeHumidity", "windSpeed", "windDirection", "atmosphericPressure"),
        *("precipitation", "solarRadiation", "no2", "pm10", "pm25"),
    )
    return json.dumps(
        [
            {
                "id": f"urn:ngsi-ld:WeatherObserved:{n}",
                "type": "WeatherObserved",
                "name": {"type": "Property", "value": f"Station {n}"},
                "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": _place(n)}},
                "dateObserved": {"type": "Property", "value": {"@type": "DateTime", "@value": _moment(n)}},
                **{
                    name: {
                        "type": "Property",
                        "value": (n + i) % 90 / 10,
                        "unitCode": "CEL",
                        "observedAt": _moment(n),
                    }
                    for i, name in enumerate(names)
                },
            }
            for n in range(first, first + count)
        ]
    ).encode()


def car_parks(first: int, count: int) -> bytes:
    """Normalised NGSI-LD entities of car parks with their status."""
    return json.dumps(
        [
            {
                "id": f"urn:ngsi-ld:OffStreetParking:{n}",
                "type": "OffStreetParking",
                "name": {"type": "Property", "value": f"Parkhaus {n}"},
                "category": {"type": "Property", "value": ["public", "underground", "feeCharged"]},
                "allowedVehicleType": {"type": "Property", "value": ["car"]},
                "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": _place(n)}},
                "address": {
                    "type": "Property",
                    "value": {
                        "streetAddress": f"Straße {n}",
                        "postalCode": "50667",
                        "addressLocality": "Köln",
                    },
                },
                "totalSpotNumber": {"type": "Property", "value": 300},
                "availableSpotNumber": {"type": "Property", "value": n % 300, "observedAt": _moment(n)},
                "occupiedSpotNumber": {"type": "Property", "value": 300 - n % 300, "observedAt": _moment(n)},
                "status": {"type": "Property", "value": ["open"], "observedAt": _moment(n)},
                "openingHours": {"type": "Property", "value": "24/7"},
            }
            for n in range(first, first + count)
        ]
    ).encode()


def weather_history(station: int) -> bytes:
    """What one entity measured in 1,000 quarters of an hour."""
    names = ("temperature", "relativeHumidity", "windSpeed")
    entity = {
        "id": f"urn:ngsi-ld:WeatherObserved:{station}",
        "type": "WeatherObserved",
        **{
            name: [
                {"type": "Property", "value": (n + i) % 90 / 10, "unitCode": "CEL", "observedAt": _moment(n)}
                for n in range(1000)
            ]
            for i, name in enumerate(names)
        },
    }
    return json.dumps([entity]).encode()


def gml() -> bytes:
    """10,000 features of a WFS 2.0 with points."""
    members = (
        f'<wfs:member><app:site gml:id="site.{n}"><app:nr>{n}</app:nr><app:name>Stellplatz {n}</app:name>'
        f"<app:plaetze>{n % 320}</app:plaetze><app:geom>"
        f'<gml:Point gml:id="p.{n}" srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>{_place(n)[1]} {_place(n)[0]}'
        "</gml:pos></gml:Point></app:geom></app:site></wfs:member>"
        for n in range(10_000)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0" '
        'xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:app="http://app.example">'
        + "".join(members)
        + "</wfs:FeatureCollection>"
    ).encode()


def workbook() -> bytes:
    """20,000 rows of numbers and texts in a spreadsheet."""

    def cell(column: str, row: int, value: str | float) -> str:
        if isinstance(value, str):
            return f'<c r="{column}{row}" t="inlineStr"><is><t>{value}</t></is></c>'
        return f'<c r="{column}{row}"><v>{value}</v></c>'

    rows = [("Nr", "Name", "Plätze", "Höhe", "Ort")]
    rows += [(f"P{n}", f"Stellplatz {n}", n % 320, 2.05, "Köln") for n in range(20_000)]  # type: ignore[misc]
    lines = (
        f'<row r="{r}">{"".join(cell(c, r, v) for c, v in zip("ABCDE", row, strict=True))}</row>'
        for r, row in enumerate(rows, 1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{sheet}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{sheet}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Daten" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return written.getvalue()


def stations() -> bytes:
    """The status of 20,000 stations of a GBFS 2.3."""
    found = [
        {
            "station_id": f"s{n}",
            "num_bikes_available": n % 20,
            "num_docks_available": 20 - n % 20,
            "is_installed": True,
            "is_renting": n % 9 > 0,
            "is_returning": True,
            "last_reported": 1785535200 + n % 600,
        }
        for n in range(20_000)
    ]
    return json.dumps(
        {"last_updated": 1785535200, "ttl": 60, "version": "2.3", "data": {"stations": found}}
    ).encode()


_FIELDS = {"name": "bezeichnung", "capacity": "plaetze", "operator": "betreiber", "has_fee": "gebuehr"}
_IGNORED = ["nr", "adresse.*", "stand", "hoehe", "bemerkung", "art"]
_SITES = {"record_type": "parking_site"}
_JSON = {
    "connector": "json",
    "records": "daten",
    "fields": {"site_id": "id", "name": "titel", "capacity": "plaetze", "lon": "lage.lon", "lat": "lage.lat"},
    **_SITES,
}
_WIDE = {
    "connector": "csv",
    "record_type": "observation",
    "time": {
        "column": "Datetime",
        "format": "%Y-%m-%d %H:%M",
        "zone": "local_wall",
        "fold": "summed",
        "stamp": "interval_start",
        "interval": "15 min",
    },
    "unpivot": {"columns": r"(?P<datastream_id>\d+) \((?P<datastream_name>.+)\)"},
    "constants": {"station_id": "1000", "observed_property": "traffic.bicycle_count", "unit": "1"},
}
_LONG = {
    "connector": "csv",
    "record_type": "observation",
    "delimiter": ";",
    "time": {"column": "Zeit", "format": "iso", "zone": "utc"},
    "fields": {"datastream_id": "Station", "value": "Wert"},
    "ignore": ["Ort", "Hinweis"],
    "constants": {"observed_property": "traffic.bicycle_count", "unit": "1"},
}
_BROKER = {"connector": "ngsi_ld"}


def _one(body: Callable[[], bytes]) -> Callable[[], Bodies]:
    return lambda: [({}, body())]


def _sensors(*, compact: bool) -> Bodies:
    """100 pages of the million observations."""
    pages = observation_pages(compact=compact)
    return [({"datastream_id": stream}, body) for (stream, body), _ in zip(pages, range(100), strict=False)]


def _pages(page: Callable[[int, int], bytes], kind: str) -> Bodies:
    return [({"type": kind}, page(first, 200)) for first in range(0, 2000, 200)]


SAMPLES: Mapping[str, Sample] = {
    "csv wide": Sample(_WIDE, _one(wide_csv)),
    "csv long": Sample(_LONG, _one(long_csv)),
    "data arrays": Sample({"connector": "sensorthings"}, lambda: _sensors(compact=True), "observations"),
    "flat pages": Sample({"connector": "sensorthings"}, lambda: _sensors(compact=False), "observations"),
    "geojson": Sample(
        {
            "connector": "geojson",
            "feature_id": "site_id",
            "fields": {**_FIELDS, "address": "adresse.strasse"},
            "ignore": _IGNORED,
            **_SITES,
        },
        _one(feature_collection),
    ),
    "geofile geojson": Sample(
        {"connector": "geofile", "feature_id": "site_id", "fields": _FIELDS, **_SITES},
        _one(feature_collection),
    ),
    "geofile gml": Sample(
        {
            "connector": "geofile",
            "feature_id": "site_id",
            "fields": {"name": "name", "capacity": "plaetze"},
            **_SITES,
        },
        _one(gml),
    ),
    "json": Sample(_JSON, _one(lambda: json_records(escapes=False))),
    "json escapes": Sample(_JSON, _one(lambda: json_records(escapes=True))),
    "excel": Sample(
        {
            "connector": "excel",
            "fields": {"site_id": "Nr", "name": "Name", "capacity": "Plätze"},
            "ignore": ["Höhe", "Ort"],
            **_SITES,
        },
        _one(workbook),
    ),
    "gbfs status": Sample({"connector": "gbfs"}, _one(stations), "station_status"),
    "ngsi weather": Sample(
        {**_BROKER, "types": ["WeatherObserved"]}, lambda: _pages(weather, "WeatherObserved"), "entities"
    ),
    "ngsi car parks": Sample(
        {**_BROKER, "types": ["OffStreetParking"]}, lambda: _pages(car_parks, "OffStreetParking"), "entities"
    ),
    "ngsi history": Sample(
        {**_BROKER, "types": ["WeatherObserved"], "history": True},
        lambda: [({"type": "WeatherObserved"}, weather_history(n)) for n in range(20)],
        "history",
    ),
}
