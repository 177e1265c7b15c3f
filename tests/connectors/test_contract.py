"""What every connector of the registry promises, so that a new one is tested from its first line."""

from __future__ import annotations

import ast
import inspect
import io
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import Connector, Request
from civitas_assets.connectors.registry import CONNECTORS, SOURCE_MODELS
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import RECORD_TYPES, RawTable
from tests.connectors.conftest import BareSession, MakeSession, zipped

Read = Callable[..., list[RawTable]]
ALL = pytest.mark.parametrize("connector", CONNECTORS.values(), ids=CONNECTORS.keys())
# What a database or a broker is asked, tests of their own say.
BY_HTTP = pytest.mark.parametrize(
    "connector", [c for c in CONNECTORS.values() if c.name not in {"mqtt", "sql"}], ids=lambda c: c.name
)

_OBSERVED: dict[str, Any] = {
    "record_type": "observation",
    "fields": {"datastream_id": "id", "value": "v"},
    "time": {"column": "t", "zone": "utc"},
}


def _spreadsheet(rows: list[list[Any]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return file.getvalue()


# The least that a source may say, and a payload of two rows for each role that the connector reads.
SETTINGS: dict[str, dict[str, Any]] = {
    "csv": _OBSERVED,
    "arcgis": _OBSERVED,
    "autobahn": {},
    "bnetza_charging": {},
    "dwd_mosmix": {"stations": ("10315",)},
    "dwd_warnings": {},
    "brightsky": {},
    "json": _OBSERVED,
    "datex2": {},
    "dwd": {},
    "eco_counter": {"token": {"secret": "ECO_COUNTER_TOKEN"}},
    "excel": _OBSERVED,
    "gbfs": {},
    "genesis": {"tables": ("12411-01-01-4",), "username": {"secret": "GENESIS_TOKEN"}},
    "geofile": _OBSERVED,
    "geojson": _OBSERVED,
    "gtfs": {},
    "gtfs_rt": {},
    "hystreet": {"token": {"secret": "HYSTREET_TOKEN"}, "stations": ("7",)},
    "ical": {},
    "lorawan": {
        "profiles": {
            "*": (
                {"path": "t", "observed_property": "weather.temperature", "unit": "Cel"},
                {"measurement": "4097", "observed_property": "weather.temperature", "unit": "Cel"},
            )
        }
    },
    "mastr": {"municipalities": ("05515000",)},
    "mqtt": {
        **_OBSERVED,
        "url": "mqtt://data.example",
        "queue": {"client_id": "c", "topics": ("a/{device}",)},
    },
    "ngsi_ld": {"types": ("WeatherObserved", "OffStreetParking", "BikeHireDockingStation")},
    "ocpi": {},
    "ogc_features": {**_OBSERVED, "collection": "a:c", "api": "wfs2"},
    "oparl": {},
    "opensensemap": {},
    "parkapi": {"towns": ("aalen",)},
    "pegelonline": {},
    "sensor_community": {"stations": ("152",)},
    "sensorthings": {},
    "sql": {
        "url": "postgresql://reader@data.example/v1",
        "table": "t",
        "record_type": "parking_site",
        "fields": {"site_id": "id", "capacity": "v"},
    },
    "uba": {},
}
_GML = (
    b'<w:FeatureCollection xmlns:w="http://www.opengis.net/wfs/2.0" xmlns:g="http://www.opengis.net/gml/3.2"'
    b' numberMatched="2"><w:member><c g:id="1"><id>a</id><v>1</v><t>2026-01-01</t><p>'
    b'<g:Point srsName="urn:ogc:def:crs:EPSG::25832"><g:pos>400000 5700000</g:pos></g:Point></p></c></w:member>'
    b'<w:member><c g:id="2"><id>b</id><v>2</v><t>2026-01-01</t></c></w:member></w:FeatureCollection>'
)
_CAP = (
    b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>NAME</identifier><status>Actual</status><info>'
    b"<area><geocode><valueName>WARNCELLID</valueName><value>805515000</value></geocode></area></info></alert>"
)
_MOSMIX = (
    b'<k xmlns="urn:a"><ForecastTimeSteps><TimeStep>2026-01-01T00:00:00Z</TimeStep><TimeStep>2026-01-01T01:00:00Z'
    b"</TimeStep></ForecastTimeSteps><Placemark><name>10315</name>"
    b'<Forecast elementName="TTT"><value>280 281</value></Forecast></Placemark></k>'
)
_BRIGHTSKY = (
    '{"sources":[{"id":1,"dwd_station_id":"01766","observation_type":"current","lat":51.9,"lon":7.6}]}'
)
PAYLOADS: dict[str, dict[str, bytes]] = {
    "csv": {"data": b"id,v,t\na,1,2026-01-01\nb,2,2026-01-01\n"},
    "json": {"data": b'[{"id":"a","v":1,"t":"2026-01-01"},{"id":"b","v":2,"t":"2026-01-01"}]'},
    "arcgis": {
        "layer": b'{"fields":[{"name":"id","type":"esriFieldTypeOID"}],'
        b'"advancedQueryCapabilities":{"supportsPagination":true}}',
        "count": b'{"count":2}',
        "ids": b'{"objectIds":[1,2]}',
        "features": b'{"spatialReference":{"wkid":4326},"features":[{"attributes":{"id":1,"v":1,"t":"2026-01-01"},'
        b'"geometry":{"x":7.6,"y":51.9}},{"attributes":{"id":2,"v":2,"t":"2026-01-01"}}]}',
    },
    "autobahn": {
        "roads": b'{"roads":["A43","A43 "]}',
        **{
            service: f'{{"{service}":[{{"identifier":"a","coordinate":{{"lat":"51.9","long":"7.6"}}}}]}}'.encode()
            for service in ("roadworks", "closure", "warning", "electric_charging_station")
        },
    },
    "dwd_mosmix": {"forecast": zipped({"a.kml": _MOSMIX})},
    "dwd_warnings": {
        "data": zipped({f"{name}.xml": _CAP.replace(b"NAME", name.encode()) for name in ("a", "b")})
    },
    "bnetza_charging": {
        "page": b'<a href="https://data.example/v1/Ladesaeulenregister_BNetzA_2026-09-01.csv">CSV</a>',
        "data": "Stand;\n\nLadeeinrichtungs-ID;Betreiber;Breitengrad;Längengrad\n"
        "1;A;51,9;7,6\n2;B;51,9;7,6\n".encode(),
    },
    "brightsky": {
        "sources": _BRIGHTSKY.encode(),
        "weather": b'{"weather":[{"timestamp":"2026-01-01T01:00:00+00:00","source_id":1,"solar":null,"sunshine":9}],'
        + _BRIGHTSKY[1:].encode(),
    },
    "genesis": {
        "table": b"statistics_code;time_code;time;1_variable_code;1_variable_attribute_code;value;value_variable_code\n"
        b"1;JAHR;2025;KREISE;05515;1,5;A\n1;JAHR;2024;KREISE;05515;-;A\n"
    },
    "geofile": {"data": _GML},
    "geojson": {
        "data": (
            b'{"type":"FeatureCollection","features":['
            b'{"geometry":{"type":"Point","coordinates":[7.6,51.9]},"properties":{"id":"a","v":1,"t":"2026-01-01"}},'
            b'{"geometry":null,"properties":{"id":"b","v":2,"t":"2026-01-01"}}]}'
        )
    },
    "datex2": {
        "data": b'<a:d2LogicalModel xmlns:a="u"><a:parkingRecord id="1"/><a:parkingRecordStatus>'
        b'<a:parkingRecordReference id="1"/><a:parkingSiteOpeningStatus/></a:parkingRecordStatus></a:d2LogicalModel>'
    },
    "dwd": {
        "stations": b"Stations_id von_datum bis_datum Stationshoehe geoBreite geoLaenge Stationsname Bundesland\n"
        b"01766 19891001 20991231             48     52.1344    7.6969 A                       B\n",
        "index": b'<a href="10minutenwerte_TU_01766_20000101_20091231_hist.zip">x</a>',
        "values": zipped(
            {
                "produkt_zehn_min_tu_01766.txt": b"STATIONS_ID;MESS_DATUM;  QN;FF_10;DD_10;eor\n"
                b"1766;202601010000;1;5.0;-999;eor\n1766;202601010010;1;-999;-999;eor\n"
            }
        ),
    },
    "eco_counter": {
        "sites": b'[{"id":1,"name":"A","latitude":52.0,"longitude":7.6,"channels":[{"id":11},{"id":12}]},{"id":2}]',
        "counts": b'[{"date":"2026-01-01T00:00:00+0000","isoDate":"2026-01-01T00:00:00+0100","counts":1,"status":0},'
        b'{"date":"2026-01-01T00:15:00+0000","isoDate":"2026-01-01T00:15:00+0100","counts":null,"status":0}]',
    },
    "excel": {"data": _spreadsheet([["id", "v", "t"], ["a", 1, "2026-01-01"], ["b", 2, "2026-01-01"]])},
    "gbfs": {
        "discovery": b'{"data":{"feeds":[{"name":"station_information","url":"https://data.example/v1/i"},'
        b'{"name":"station_status","url":"https://data.example/v1/s"},{"name":"vehicle_types","url":"https://data.example/v1/t"},'
        b'{"name":"system_information","url":"https://data.example/v1/x"},'
        b'{"name":"vehicle_status","url":"https://data.example/v1/v"}]}}',
        "station_information": b'{"data":{"stations":[{"station_id":"1","name":"A","lat":50.1,"lon":9.1}]}}',
        "station_status": b'{"last_updated":1767225600,"data":{"stations":[{"station_id":"1"}]}}',
        "system_information": b'{"data":{"system_id":"a","name":"A"}}',
        "vehicle_types": b'{"data":{"vehicle_types":[{"vehicle_type_id":"b","form_factor":"bicycle"}]}}',
        "vehicles": b'{"counted":{"b":{"free":2}},"last_updated":"2026-01-01T00:00:00+00:00"}',
    },
    "gtfs": {
        "data": zipped(
            {
                "stops.txt": b"stop_id,stop_lat,stop_lon\n1,51.9,7.6\n2,52.0,7.6\n",
                "routes.txt": b"route_id,route_type\n4,3\n",
                "trips.txt": b"route_id,service_id,trip_id\n4,S,t\n",
                "stop_times.txt": b"trip_id,departure_time,stop_id,stop_sequence\nt,25:00:00,1,1\nt,25:10:00,2,2\n",
                "calendar_dates.txt": b"service_id,date,exception_type\nS,20260801,1\nS,20260802,1\n",
            }
        )
    },
    "gtfs_rt": {
        # A header, and two trips of a day, each as a whole: as planned, and a minute late.
        "data": b"\x0a\x05\x0a\x032.0"
        b"\x12\x18\x0a\x011\x1a\x13\x0a\x0f\x0a\x01a\x1a\x0820260801\x20\x00\x28\x3c"
        b"\x12\x18\x0a\x012\x1a\x13\x0a\x0f\x0a\x01b\x1a\x0820260801\x20\x00\x28\x3c"
    },
    "hystreet": {
        "location": b'{"location":{"id":7,"name":"A","city":{"name":"B"}}}',
        "counts": b'{"measurements":[{"measured_at":"2026-01-01T00:00:00.000Z","total_count":1},'
        b'{"measured_at":"2026-01-01T01:00:00.000Z","total_count":null}]}',
    },
    "ical": {
        "data": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART;VALUE=DATE:20260801\r\n"
        b"RRULE:FREQ=WEEKLY;COUNT=2\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    },
    "lorawan": dict.fromkeys(
        ("data", "storage", "messages"),
        b'{"time":"2026-01-01T00:00:00Z","deviceInfo":{"devEui":"a"},"object":{"t":1}}\n'
        b'{"end_device_ids":{"device_id":"b"},"received_at":"2026-01-01T00:00:00Z",'
        b'"uplink_message":{"decoded_payload":{"t":2}}}',
    ),
    "mastr": {
        "units": b'{"Data":[{"MaStRNummer":"SEE1","EnergietraegerId":2495},{"MaStRNummer":"SEE2"}],"Total":2}'
    },
    "mqtt": {
        "messages": b'{"topic":"a/b","body":{"id":"a","v":1,"t":"2026-01-01"}}\n'
        b'{"topic":"a/b","unreadable":"is no JSON"}\n'
        b'{"topic":"a/c","retained":true,"body":{"id":"b","v":2,"t":"2026-01-01"}}\n'
    },
    "ngsi_ld": {
        "entities": b'[{"id":"a","type":"WeatherObserved","dateObserved":"2026-01-01T00:00:00Z",'
        b'"temperature":{"type":"Property","value":1}},'
        b'{"id":"b","type":"OffStreetParking","availableSpotNumber":{"value":2,"observedAt":"2026-01-01T00:00:00Z"}}]',
        "history": b'[{"id":"a","type":"WeatherObserved","temperature":['
        b'{"value":1,"observedAt":"2026-01-01T00:00:00Z"},{"value":2,"observedAt":"2026-01-01T01:00:00Z"}]},{"id":"c","type":"BikeHireDockingStation",'
        b'"freeSlotNumber":{"type":"Property","values":[[3,"2026-01-01T00:00:00Z"]]}}]',
    },
    "ocpi": {
        "locations": b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z",'
        b'"data":[{"id":"L","evses":[{"uid":"1"},{"uid":"2"}]}]}'
    },
    "ogc_features": {"features": _GML, "hits": b'<a numberMatched="2"/>', "further": _GML},
    "oparl": {
        "start": b'{"id":"s1","body":"https://data.example/v1/b"}',
        "bodies": b'{"data":[{"id":"b1","meeting":"https://data.example/v1/m","paper":"https://data.example/v1/p"}]}',
        "meetings": b'{"data":[{"id":"m1","start":"2026-01-01T17:00:00+01:00"},{"id":"m2","deleted":true}]}',
        "papers": b'{"data":[{"id":"p1","name":"A","date":"2026-01-01"}],"links":{},"pagination":{"totalElements":1}}',
    },
    "opensensemap": {
        "boxes": b'[{"_id":"b1","currentLocation":null,"sensors":[{"_id":"s1","title":"PM10"}]},{"_id":"b2"}]',
        "values": b'[{"createdAt":"2026-01-01T00:00:00Z","value":"1"},'
        b'{"createdAt":"2026-01-01T01:00:00Z","value":"2"}]',
    },
    "parkapi": {
        "static": b'{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":'
        b'[10.1,48.8]},"properties":{"uid":"A","name":"A","type":"CAR_PARK","capacity":9,"has_realtime_data":true}}]}',
        "realtime": '[{"name":"A","status":"geöffnet","max":9,"occupied":4,"free":5}]'.encode(),
    },
    "pegelonline": {
        "stations": b'[{"uuid":"u1","longitude":null,"latitude":null,"timeseries":[{"shortname":"W","unit":"cm"}]},'
        b'{"uuid":"u2"}]',
        "measurements": b'[{"timestamp":"2026-01-01T00:00:00+01:00","value":1},'
        b'{"timestamp":"2026-01-01T00:15:00+01:00","value":2}]',
    },
    "sensor_community": {
        "data": b'[{"timestamp":"2026-01-01 00:00:00","sensor":{"id":1},"location":{"id":5},"sensordatavalues":['
        b'{"value_type":"P1","value":"1"},{"value_type":"P2","value":"2"}]}]'
    },
    "sql": {"rows": b"id,v\na,1\nb,\n", "keys": b"id\na\nb\n"},
    "uba": {
        "stations": b'{"indices":["station id","station code","station name","station longitude","station latitude"],'
        b'"data":{"1":["1","DENW1","A",7.6,51.9],"2":["2","DENW2","B",7.6,51.9]}}',
        "measures": b'{"data":{"1":{"2026-01-01 00:00:00":[5,2,1],"2026-01-01 01:00:00":[5,2,null]}}}',
    },
    "sensorthings": {
        "things": b'{"value":[{"@iot.id":1,"Datastreams":[{"@iot.id":7}]},{"@iot.id":2}]}',
        "datastreams": b'{"value":[{"@iot.id":7},{"@iot.id":8}]}',
        "multi_datastreams": b'{"value":[{"@iot.id":7,"unitOfMeasurements":[{"name":"a"},{"name":"b"}]}]}',
        "multi_observations": b'{"value":[{"phenomenonTime":"2026-01-01T00:00:00Z","result":[1,"a"]},'
        b'{"phenomenonTime":"2026-01-01T01:00:00Z","result":[2,null]}]}',
        "observations": b'{"value":[{"phenomenonTime":"2026-01-01T00:00:00Z","result":1},'
        b'{"phenomenonTime":"2026-01-01T01:00:00Z","result":2}]}',
    },
}
VARIABLES = {"datastream_id": "7", "station_id": "1", "component": "NO2", "components": "2"}
GARBAGE = [
    b"\x1e",
    b"\x1e\n\x1e",
    b"[" * 100_000,
    b'{"value":' * 100_000,
    *(
        b"",
        b" ",
        b"\n\n",
        b"{",
        b"[",
        b"[]",
        b"{}",
        b"null",
        b"1",
        b'"a"',
        b"[1]",
        b"[[]]",
        b"[null]",
        b"\x00",
    ),
    *(b"<html><body>Wartung</body></html>", b"\xff\xfe", b"\xff\xfe\x00", b"\xef\xbb\xbf", b"\x80\x81", b"'"),
    *(b'{"value":1}', b'{"value":[1]}', b'{"value":[{"dataArray":[[1]],"components":["result"]}]}'),
    b'{"value":[{"dataArray":[["2026-01-01"]],"components":["phenomenonTime","result"]}]}',
    b'{"value":[{"@iot.id":1,"Locations":[{"location":{"geometry":"x"}},{"location":{"coordinates":1}}]}]}',
    b'{"value":[{"@iot.id":1,"Locations":[{"location":{"type":"Point","coordinates":["a","b"]}}]}]}',
    b'{"value":[{"@iot.id":1,"MultiDatastreams":[{"@iot.id":2,"unitOfMeasurements":[null,{}]}]},{"@iot.id":3}]}',
    b'{"value":[{"dataArray":[["2026-01-01",[1,2]],["2026-01-01",3]],"components":["phenomenonTime","result"]}]}',
    b'{"value":[{"phenomenonTime":{"a":1},"result":{"b":[1]}},{"phenomenonTime":[1],"result":true}]}',
    b'{"indices":["station id"],"data":{"1":["1"]}}',
    b'{"indices":[],"data":[1]}',
    b'{"data":{"1":{"2026-01-01":[1]}}}',
    b'{"data":{"feeds":[{"name":"x"}]}}',
    b'{"data":{"de":{"feeds":1},"en":2}}',
    b'{"data":{"stations":[{"station_id":[1],"name":[{"text":1}],"capacity":{},"last_reported":1e99}]}}',
    b'{"data":{"system_id":1,"name":[1]}}',
    b'{"data":{"vehicle_types":[{"vehicle_type_id":"b","form_factor":{}}]}}',
    b'{"data":{"vehicles":[{"vehicle_id":"v","lat":"x"}],"bikes":1},"last_updated":[]}',
    b'{"counted":{"":{"free":-1,"x":1e300}},"last_updated":"x"}',
    b"<d2LogicalModel/>",
    b'<!DOCTYPE x [<!ENTITY a "b">]><d2LogicalModel><parkingRecord id="&a;"/></d2LogicalModel>',
    b'<?xml version="1.0" encoding="x"?><d2LogicalModel/>',
    b'{"payload":{"sitSituationPublication":{"situation":[1,[],{"situationRecord":[{"sitAccident":[]}]}]}}}',
    b'{"energyInfrastructureSite":{"energyInfrastructureStation":[[{"refillPoint":"x"}]]}}',
    b'[{"id":1,"type":"A"}]',
    b'[{"id":"a"}]',
    b'[{"id":"a","type":["b"],"x":[{"value":[]}],"y":{"value":{"value":{"value":"1e999"}}},"location":1}]',
    b'[{"id":"a","type":"OffStreetParking","totalSpotNumber":{"value":1e300},"status":[1,"x"],"category":7}]',
    b'[{"id":"a","type":"A","x":[{"type":"Property","values":[1,[],[[2],{}],[1,2]]},{"value":1,"observedAt":[1]}]}]',
    b'[{"id":"a","type":"ParkingSpot","status":[{"value":[{}],"observedAt":"x"},{"observedAt":"y","value":{"a":1}}]}]',
    b'[{"id":"a","type":"BikeHireDockingStation","address":{"value":[1]},"status":{"type":"Property","values":[[[],"z"]]}}]',
    b'[{"uuid":"u","timeseries":[{}]}]',
    b'{"deviceInfo":{"devEui":"a"},"object":{"t":{"u":[1]},"messages":[[{"measurementId":{},"measurementValue":[]}],1]}}',
    b'{"deviceInfo":{"devEui":""},"object":{"t":"1e999","messages":{"measurementId":1}},"fPort":-1}',
    b'{"result":{"result":{"deviceInfo":{"devEui":"a"}}}}',
    b'{"end_device_ids":{"device_id":"a"},"uplink_message":{"locations":{"user":{"latitude":1e300}}}}',
    b'[{"_id":"b","currentLocation":{"coordinates":[]},"sensors":[]}]',
    *(b"PK", b"PK\x05\x06" + 18 * b"\0", b"PAR1", b"PAR1PAR1", b"SQLite format 3\x00", b"<kml/>"),
    b"SQLite format 3\x00" + 52 * b"\0" + b"GPKG" + 100 * b"\0",
    b"<kml><Placemark><Point><coordinates>a b,c</coordinates></Point></Placemark></kml>",
    b"<kml><Folder><name/><Placemark><Polygon/><MultiGeometry/></Placemark></Folder></kml>",
    b"<a>" * 300 + b"</a>" * 300,
    b"<OGRVRTDataSource><OGRVRTLayer/></OGRVRTDataSource>",
    b"<ExceptionReport><ExceptionText>no</ExceptionText></ExceptionReport>",
    b"<c><member><d/></member><member><e><f>1</f></e></member></c>",
    b'{"features":1}',
    b'{"features":[1]}',
    b'{"features":[{"geometry":{"type":1}}]}',
    b'{"features":[{"geometry":{"type":"Point","coordinates":["a"]},"properties":[]}]}',
    b'{"features":[],"crs":"EPSG:25832"}',
    b'{"features":[],"crs":{"properties":[]}}',
    b'[{"id":{"a":1},"v":[1],"t":[]},{"id":1,"v":"x","t":null}]',
    b'[{"date":1,"isoDate":[2],"counts":{"a":1}},{"date":1,"isoDate":"x+0100","counts":"y"}]',
    b'[{"isoDate":null}]',
    b'[{"id":[1]}]',
    b'[{"id":"a","channels":[{"id":null}]}]',
    zipped({"produkt_a.txt": b""}),
    zipped({"produkt_a.txt": b"STATIONS_ID;MESS_DATUM;QN;TT_10\n\xff;\xff;\xff;\xff\n;;;\n1"}),
    zipped({"a/../produkt_a.txt": b"\0" * 10_000}),
    b"Stations_id\n-----\n00001 99999999 99999999 1 1.0 1.0 x\n1 1 1.0 1.0 \n",
    b'<a href="10minutenwerte_TU_00001_20001399_20001399_hist.zip">',
    b"id,v,t\n1,2\n1,2,3,4\n",
    b'id,v,t\n"1,2,3\n',
    b"id,id,v,t\n1,2,3,4\n",
    b"id, id,v,t\n1,2,3,4\n",
    b"@row,id,v,t\n1,2,3,4\n",
    b'id,v,t\n"' + b"x" * 140_000 + b'",2,3,4\n',
]


def declared(connector: Connector) -> Source:
    """The smallest source of a connector."""
    basics = {"title": "Test", "licence": "CC0-1.0", "url": "https://data.example/v1"}
    return connector.source_model.model_validate(
        {**basics, "connector": connector.name, **SETTINGS[connector.name]}
    )


def attempt(read: Read, source: Source, body: bytes, role: str) -> None:
    """Reading ends in tables or in a `ReadError`, and in nothing else."""
    with suppress(ReadError):
        for table in read(source, body, role, **VARIABLES):
            assert table.frame.height >= 0


def roles(connector: Connector) -> list[str]:
    return [*PAYLOADS[connector.name]]


def test_every_connector_has_an_example_here() -> None:
    assert {*SETTINGS} == {*PAYLOADS} == {*CONNECTORS} == {*SOURCE_MODELS}


@ALL
def test_its_key_is_its_name_and_the_one_value_that_its_sources_name(connector: Connector) -> None:
    assert CONNECTORS[connector.name] is connector
    assert get_args(connector.source_model.model_fields["connector"].annotation) == (connector.name,)
    assert SOURCE_MODELS[connector.name] is connector.source_model
    assert issubclass(connector.source_model, Source)


@ALL
def test_it_explains_itself_and_each_of_its_settings(connector: Connector) -> None:
    for thing in (inspect.getmodule(connector), type(connector), connector.source_model):
        assert inspect.getdoc(thing), thing
    for method in ("fetch", "read"):
        assert inspect.getdoc(getattr(connector, method))
    own = {*connector.source_model.model_fields} - {*Source.model_fields}
    undescribed = [name for name in own if not connector.source_model.model_fields[name].description]
    assert {*undescribed} <= {"delimiter", "quote", "unpivot"}, "settings need a description"


@ALL
def test_it_brings_record_types_that_exist(connector: Connector) -> None:
    assert declared(connector).record_types() <= {*RECORD_TYPES}


@ALL
def test_what_it_reads_fits_the_contract_of_its_record_type(connector: Connector, read: Read) -> None:
    source = declared(connector)
    rows = 0
    for role, body in PAYLOADS[connector.name].items():
        for table in read(source, body, role, **VARIABLES):
            assert table.record_type in source.record_types()
            named = {column for column in table.frame.columns if not column.startswith("@")}
            assert named <= {*RECORD_TYPES[table.record_type].accepted}
            rows += table.frame.height
    assert rows >= 2


@ALL
def test_reading_the_same_payload_again_gives_the_same(connector: Connector, read: Read) -> None:
    source = declared(connector)
    for role, body in PAYLOADS[connector.name].items():
        first, second = (read(source, body, role, **VARIABLES) for _ in range(2))
        assert [table.frame.to_dicts() for table in first] == [table.frame.to_dicts() for table in second]


@ALL
@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_an_error_of_the_payload_and_no_crash(
    connector: Connector, body: bytes, read: Read
) -> None:
    for role in roles(connector):
        attempt(read, declared(connector), body, role)


@ALL
@pytest.mark.parametrize("body", [b"", b"{", b"<html>"], ids=["nothing", "half", "html"])
def test_what_is_not_its_format_is_refused(connector: Connector, body: bytes, read: Read) -> None:
    for role in roles(connector):
        with pytest.raises(ReadError):
            read(declared(connector), body, role, **VARIABLES)


@ALL
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_payloads_are_no_crash(connector: Connector, data: st.DataObject, read: Read) -> None:
    """A payload cut, with bytes changed or with a part put twice, or any bytes at all."""
    role = data.draw(st.sampled_from(roles(connector)))
    whole = PAYLOADS[connector.name][role]
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    noise = data.draw(st.binary(max_size=8) | st.text('[]{}":,\n ;', max_size=6).map(str.encode))
    attempt(read, declared(connector), whole[:start] + noise + whole[end:], role)
    attempt(read, declared(connector), whole[:end] + noise + whole[start:], role)
    attempt(read, declared(connector), noise, role)


# What a server may put where a crawl looks for its way on.
WRONG_WAYS = [
    b'{"value":[],"@iot.nextLink":"http://["}',
    b'{"value":[],"@iot.nextLink":1}',
    b'{"value":[{"@iot.id":1,"Datastreams":[{"@iot.id":1,"phenomenonTime":"x/y"}],"Datastreams@iot.nextLink":[]}]}',
    b'{"value":[{"@iot.id":1,"Datastreams":[{"@iot.id":2,"phenomenonTime":"0000-01-01T00:00:00Z/9999-12-31T23:59:59+14:00"}]}]}',
    b'{"value":[{"name":5,"url":6}],"serverSettings":{"conformance":5}}',
    b'{"features":[{"id":1}],"links":[{"rel":"next","href":"http://["}]}',
    b'{"features":[{"id":1}],"links":[5],"numberMatched":{}}',
    b'{"data":{"feeds":[{"name":"station_information","url":"http://["},{"name":"station_status","url":"x"}]}}',
    b'<a numberMatched="-1" next="http://["/>',
]
WRONG_HEADERS = [
    {},
    {"link": '<http://[>; rel="next"'},
    {"link": "<x"},
    {"ngsild-results-count": "99999999999999999999"},
    {"content-range": "date-time x-y/3"},
    {"content-range": "date-time 9999-12-31T23:59:59-2026-01-01T00:00:00/9"},
    {"content-crs": "<>"},
]


@BY_HTTP
@pytest.mark.parametrize("headers", WRONG_HEADERS, ids=str)
def test_a_way_that_leads_nowhere_is_an_error_of_the_source_and_no_crash(
    connector: Connector, headers: dict[str, str], session: MakeSession
) -> None:
    """Any answer of a crawl may be garbage: it ends in records, in a `ReadError` or in a `FetchError`."""
    right = {"root": b"{}", **PAYLOADS[connector.name]}
    days, zone = Window(date(2026, 1, 1), date(2026, 1, 2)), ZoneInfo("Europe/Berlin")
    for wrong in right:
        for body in WRONG_WAYS if headers else GARBAGE + WRONG_WAYS:
            asked = 0

            def answer(
                request: Request, wrong: str = wrong, body: bytes = body
            ) -> tuple[bytes, dict[str, str]]:
                nonlocal asked
                asked += 1
                if asked > 30:  # what ends a circle in a real session
                    raise FetchError("asks without end")
                return body if request.role == wrong else right[request.role], headers

            with suppress(FetchError, ReadError):
                connector.fetch(declared(connector), days, zone, session(answer))


@BY_HTTP
def test_it_reaches_the_source_only_by_its_session(connector: Connector, dead_session: BareSession) -> None:
    with pytest.raises(FetchError, match="nobody answers"):
        connector.fetch(
            declared(connector), Window(date(2026, 1, 1), date(2026, 1, 2)), ZoneInfo("UTC"), dead_session
        )


@BY_HTTP
def test_its_requests_stay_below_the_address_of_the_source(
    connector: Connector, session: MakeSession
) -> None:
    answers = {"root": b"{}", **PAYLOADS[connector.name]}
    asked = session(lambda request: answers[request.role] if is_first(request.url) else b"[]")
    connector.fetch(declared(connector), Window(date(2026, 1, 1), date(2026, 1, 2)), ZoneInfo("UTC"), asked)
    assert asked.requests
    hosts = {"data.example", *declared(connector).allow_hosts}
    assert all(urlsplit(request.url).hostname in hosts for request in asked.requests)
    if hosts == {"data.example"}:
        assert all(request.url.startswith("https://data.example/v1") for request in asked.requests)


def is_first(url: str) -> bool:
    """Whether an address is that of a first page."""
    return "offset=" not in url or "offset=0" in url


@ALL
def test_its_module_knows_no_store_no_tenant_and_no_database(connector: Connector) -> None:
    tree = ast.parse(inspect.getsource(inspect.getmodule(connector)))  # type: ignore[arg-type]
    modules, names = set[str](), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
            names.update(alias.name for alias in node.names)
    forbidden = (
        "civitas_assets.store",
        "civitas_assets.ingest",
        "duckdb",
        "sqlalchemy",
        "httpx2",
        "os",
        "dagster",
    )
    assert not [module for module in modules if module.startswith(forbidden)]
    assert not names & {"Tenant", "Catalog", "load_catalog"}
