"""JSON of any shape: the declared list, the declared paths, and values in their own types."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from civitas_assets.connectors.content.json_text import read_json
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from tests.connectors.conftest import MakeSource, ReadBody, ReadRecords

STATUS = {
    "record_type": "parking_status",
    "records": "parkings",
    "fields": {"site_id": "id", "free": "occupancy.free"},
    "time": {"column": "at", "zone": "offset"},
}


def test_records_fields_and_time_are_where_the_source_says(source: MakeSource, read: ReadBody) -> None:
    body = b'{"parkings":[{"id":"P1","occupancy":{"free":12},"at":"2026-01-01T00:00:00Z"},{"id":"P2"}]}'
    (table,) = read(source("json", **STATUS), body)
    assert table.record_type == "parking_status"
    assert table.frame.select("site_id", "free", "@time").rows() == [
        ("P1", 12, "2026-01-01T00:00:00Z"),
        ("P2", None, None),
    ]


def test_a_byte_order_mark_is_no_part_of_the_json(source: MakeSource, read: ReadBody) -> None:
    (table,) = read(
        source("json", **STATUS), b'\xef\xbb\xbf{"parkings":[{"id":"P1","at":"x","occupancy":{"free":1}}]}'
    )
    assert table.frame["site_id"].to_list() == ["P1"]


@pytest.mark.parametrize("escaped", [True, False])
def test_members_are_found_however_their_letters_are_composed(
    source: MakeSource, read: ReadBody, escaped: bool
) -> None:
    fields = {"site_id": "id", "name": 'about."Pl\u00e4tze"', "capacity": '"Stell pl\u00e4tze"'}
    body = [{"id": "1", "about": {"Pla\u0308tze\u00a0": "A"}, "Stell\u00a0pla\u0308tze": 3}]
    text = json.dumps(body, ensure_ascii=escaped).encode()
    (table,) = read(source("json", record_type="parking_site", fields=fields), text)
    assert table.frame.select("name", "capacity").rows() == [("A", 3)]
    assert not table.notes


@pytest.mark.parametrize("body", [b'{"parkings":[{"id":"P1","occupancy":{"fr', b"<html>Wartung</html>", b""])
def test_half_an_answer_is_an_error(source: MakeSource, read: ReadBody, body: bytes) -> None:
    with pytest.raises(ReadError):
        read(source("json", **STATUS), body)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fields": {}}, "at least 1 item"),
        ({"fields": {"site_id": "a["}}, "is no JMESPath expression"),
        ({"fields": {"sites": "a"}}, "is no field of parking_status"),
        ({"time": None}, "time is needed"),
        ({"computed": {"free": "capacity - beds"}}, "uses beds, which is no number"),
        ({"computed": {"name": "capacity - free"}}, "uses name, which is no number"),
        ({"computed": {"free": "capacity * 2"}}, "String should match pattern"),
    ],
)
def test_what_cannot_work_is_refused(source: MakeSource, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source("json", **{**STATUS, **change})


def test_a_recorded_answer_about_car_parks_is_read_whole(
    source: MakeSource, read: ReadBody, payloads: Path
) -> None:
    fields = {"site_id": "name", "free": "free", "occupied": "occupied", "capacity": "max"}
    declared = source("json", record_type="parking_status", fields=fields, time={"zone": "received"})
    (table,) = read(declared, (payloads / "parking" / "aalen.json").read_bytes())
    assert table.frame.row(0) == ("P1 Rathaus", 5, 165, 170)
    assert not table.frame.select("free", "occupied", "capacity").null_count().sum_horizontal()[0]


def test_an_object_of_records_gives_its_keys_to_a_field_and_lists_are_read_by_position(
    source: MakeSource, read: ReadBody
) -> None:
    settings = {
        **STATUS,
        "records": "data",
        "fields": {"site_id": "@key", "capacity": "[0]", "occupied": "[1]"},
        "time": {"column": "[2]", "format": "epoch_s", "zone": "utc"},
    }
    (table,) = read(source("json", **settings), b'{"data":{"P1":[320,112,0],"P2":[50,null,60]}}')
    assert table.frame.select("site_id", "capacity", "occupied", "@time").rows() == [
        ("P1", 320, 112, 0),
        ("P2", 50, None, 60),
    ]
    for body in (b'{"data":[1]}', b'{"data":{"P1":7}}', b'{"data":'):
        with pytest.raises(ReadError):
            read(source("json", **settings), body)


def rows(table: RawTable, *columns: str) -> list[tuple[Any, ...]]:
    return table.frame.select(columns).rows()


OBSERVED = {"record_type": "observation", "time": {"column": "^.at", "zone": "utc"}}


def test_what_a_record_says_is_repeated_for_each_row_inside_it(source: MakeSource, read: ReadBody) -> None:
    settings = {
        **OBSERVED,
        "records": "data",
        "nested": ("values",),
        "fields": {"station_id": "^.id", "datastream_id": ("^.id", "kind"), "value": "value"},
    }
    body = (
        b'{"data":[{"id":1,"at":"a","values":[{"kind":"x","value":1},{"kind":"y","value":2}]},{"id":2,"at":"b"},'
        b'{"id":3,"at":"c","values":null},{"id":4,"at":"d","values":[]},{"id":5,"values":[{"value":3}]}]}'
    )
    (table,) = read(source("json", **settings), body)
    assert rows(table, "station_id", "datastream_id", "value", "@time") == [
        (1, "1/x", 1, "a"),
        (1, "1/y", 2, "a"),
        (5, None, 3, None),
    ]


def test_lists_lie_in_each_other_to_any_depth(source: MakeSource, read: ReadBody) -> None:
    settings = {
        **OBSERVED,
        "records": "towns",
        "nested": ("stations", "series[1:]", "[1:]"),
        "fields": {
            "station_name": "^.^.^.name",
            "station_id": "^.^.id",
            "datastream_id": "^.[0].n",
            "value": "@",
        },
        "time": {"zone": "received"},
    }
    body = (
        b'{"towns":[{"name":"T","stations":[{"id":1,"series":[{"on":[7]},[{"n":"a"},8]]},{"id":2,"series":[]}]},'
        b'{"name":"U","stations":[]}]}'
    )
    (table,) = read(source("json", **settings), body)
    assert rows(table, "station_name", "station_id", "datastream_id", "value") == [("T", 1, "a", 8)]


def test_objects_are_tables_also_inside_others(source: MakeSource, read: ReadBody) -> None:
    settings = {
        **OBSERVED,
        "records": "data",
        "nested": ("@",),
        "fields": {"datastream_id": "^.@key", "value": "@"},
        "time": {"column": "@key", "zone": "utc"},
    }
    declared = source("json", **settings)
    (table,) = read(declared, b'{"data":{"s1":{"t1":1.5,"t2":null},"s2":{},"s3":null,"s4":{"t1":2}}}')
    assert rows(table, "datastream_id", "@time", "value") == [
        ("s1", "t1", 1.5),
        ("s1", "t2", None),
        ("s4", "t1", 2.0),
    ]
    (empty,) = read(declared, b'{"data":{}}')
    assert empty.frame.columns == ["datastream_id", "value", "@time"]
    assert empty.frame.is_empty()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"data":{"s1":[1]}}', "records whose @ is no object with @key: check nested"),
        (b'{"data":{"s1":7}}', "records whose @ is no object with @key: check nested"),
        (b'{"data":[{}]}', "has no object at data: check records and @key"),
        (b'{"data":7}', "has no object at data: check records and @key"),
        (b'{"data":{"s1":', "is not the JSON that was declared"),
    ],
)
def test_an_object_that_is_none_is_an_error_that_says_where(
    source: MakeSource, read: ReadBody, body: bytes, message: str
) -> None:
    settings = {
        **OBSERVED,
        "records": "data",
        "nested": ("@",),
        "fields": {"datastream_id": "^.@key", "value": "@"},
        "time": {"column": "@key", "zone": "utc"},
    }
    with pytest.raises(ReadError, match=message):
        read(source("json", **settings), body)


def test_something_else_than_a_list_inside_a_record_is_an_error(source: MakeSource, read: ReadBody) -> None:
    settings = {**OBSERVED, "nested": ("values",), "fields": {"datastream_id": "id", "value": "v"}}
    with pytest.raises(ReadError, match="has records whose values is no list: check nested"):
        read(source("json", **settings), b'[{"at":"a","values":{"id":1}}]')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fields": {"site_id": "^.id"}}, r"site_id leads out of 1 level\(s\): check nested"),
        ({"time": {"column": "^.^.at", "zone": "utc"}, "nested": ("x",)}, r"@time leads out of 2 level\(s\)"),
        ({"time": {"column": "a[", "zone": "utc"}}, "is no JMESPath expression"),
        ({"fields": {"site_id": ()}}, "at least 1 item"),
        ({"fields": {"site_id": ("id", "^.a[")}}, "is no JMESPath expression"),
        ({"nested": ("a[",)}, "is no JMESPath expression"),
        ({"ignore": ("(",)}, "is not a regular expression"),
        (
            {"store": "mapped", "records": "values(@)"},
            r"store: mapped cannot tell what values\(@\) leaves out",
        ),
        ({"store": "mapped", "nested": ("sort_by(@, &a)",)}, "store: mapped cannot tell"),
    ],
)
def test_places_that_cannot_be_are_refused(source: MakeSource, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source("json", **{**STATUS, **change})


def test_members_that_nobody_maps_are_reported_unless_they_are_ignored(
    source: MakeSource, read: ReadBody
) -> None:
    settings = {
        **OBSERVED,
        "nested": ("values[]",),
        "fields": {"station_id": "^.sensor.id", "datastream_id": "id", "value": "v.n"},
    }
    body = b'[{"at":"a","new":1,"sensor":{"id":1,"pin":7},"values":[[{"id":1,"v":{"n":1,"unit":"C"}}],{"id":2,"q":1}]}]'
    assert read(source("json", **settings), body)[0].unknown_fields == ("new", "sensor.pin", "v.unit", "q")
    (table,) = read(source("json", **settings, ignore=("new", r"sensor\..*", "q")), body)
    assert table.unknown_fields == ("v.unit",)


def test_a_member_that_appears_far_down_is_not_looked_for(source: MakeSource, read: ReadBody) -> None:
    records = [b'{"id":"P","at":"2026-01-01T00:00:00Z","occupancy":{"free":1}}'] * 100
    body = b'{"parkings":[%s,{"id":"Q","late":1}]}' % b",".join(records)
    assert read(source("json", **STATUS), body)[0].unknown_fields == ()


def test_a_required_field_that_no_record_has_is_named_beside_what_they_have(
    source: MakeSource, read: ReadBody
) -> None:
    declared = source("json", **STATUS)
    with pytest.raises(
        ReadError, match="has no id in any record, where site_id is read from; they have nr, at"
    ):
        read(declared, b'{"parkings":[{"nr":"P1","at":"x"}]}')
    with pytest.raises(ReadError, match="has no at in any record, where time is read from; they have id"):
        read(declared, b'{"parkings":[{"id":"P1"}]}')
    # There, but empty, is a fault of the records.
    (table,) = read(declared, b'{"parkings":[{"id":null,"at":null,"occupancy":{"free":null}}]}')
    assert rows(table, "site_id", "free") == [(None, None)]
    filled = source("json", **STATUS, constants={"site_id": "P"})
    assert read(filled, b'{"parkings":[{"at":"x","occupancy":{"free":1}}]}')


def test_a_measure_that_no_record_has_is_an_error_and_anything_else_a_note(
    source: MakeSource, read: ReadBody
) -> None:
    settings = {**STATUS, "fields": {**STATUS["fields"], "name": "title"}}
    declared = source("json", **settings)
    with pytest.raises(ReadError, match=r"has no occupancy.free in any record, .* they have count$"):
        read(declared, b'{"parkings":[{"id":"P1","at":"x","occupancy":{"count":1},"title":"A"}]}')
    (table,) = read(declared, b'{"parkings":[{"id":"P1","at":"x","occupancy":{"free":1}}]}')
    (note,) = table.notes
    assert note.code == "missing_field"
    assert note.text == "mapped, but in no record: title (name); they have id, at, occupancy"


def test_the_recorded_sensor_of_stuttgart_has_a_row_per_value(
    source: MakeSource, records: ReadRecords, payloads: Path
) -> None:
    declared = source(
        "json",
        record_type="observation",
        nested=("sensordatavalues",),
        fields={
            "station_id": "^.location.id",
            "datastream_id": ("^.sensor.id", "value_type"),
            "observed_property": "value_type",
            "value": "value",
            "lon": "^.location.longitude",
            "lat": "^.location.latitude",
        },
        time={"column": "^.timestamp", "zone": "utc", "format": "%Y-%m-%d %H:%M:%S"},
    )
    found = records(declared, (payloads / "sensor_community" / "sensor_152_two_records.json").read_bytes())
    assert [
        (row["datastream_id"], f"{row['phenomenon_start']:%H:%M:%S}", row["value"])
        for row in found["observation"]
    ] == [
        ("152/temperature", "11:16:45", 10.5),
        ("152/humidity", "11:16:45", 79.3),
        ("152/temperature", "11:14:13", 10.5),
        ("152/humidity", "11:14:13", 80.6),
    ]


def test_the_recorded_uplink_of_jena_gives_the_values_of_its_lists_of_lists(
    source: MakeSource, records: ReadRecords, payloads: Path
) -> None:
    declared = source(
        "json",
        record_type="observation",
        records="[@]",
        nested=("object.messages[]",),
        fields={
            "station_id": "^.deviceInfo.devEui",
            "datastream_id": ("^.deviceInfo.devEui", "measurementId"),
            "observed_property": "type",
            "value": "measurementValue",
        },
        time={"column": "^.time", "zone": "offset"},
    )
    found = records(declared, (payloads / "chirpstack_jena" / "example2.json").read_bytes())["observation"]
    assert [(row["datastream_id"][-4:], row["value"]) for row in found] == [
        ("4097", 24.4),
        ("4098", 36.0),
        ("4099", 83405.0),
        ("4190", 5.3),
        ("4105", 4.1),
        ("4104", 354.0),
        ("4113", 0.0),
        ("4101", 100540.0),
        ("4191", 7.7),
        ("4213", 278.638),
    ]
    assert {f"{row['phenomenon_start']:%Y-%m-%dT%H:%M:%S.%f}" for row in found} == {
        "2025-07-03T14:07:30.917000"
    }
    assert found[0]["datastream_id"] == "2cf7f1c0443002c8/4097"


def test_the_recorded_measures_of_the_environment_agency_are_tables_in_tables(
    source: MakeSource, records: ReadRecords, payloads: Path
) -> None:
    declared = source(
        "json",
        record_type="observation",
        records="data",
        nested=("@",),
        fields={"datastream_id": "^.@key", "value": "[2]", "quality_native": "[4]"},
        time={
            "column": "@key",
            "zone": "cet_fixed",
            "format": "%Y-%m-%d %H:%M:%S",
            "stamp": "interval_start",
            "interval": "1 hour",
        },
    )
    body = (payloads / "uba" / "uba_v3_measures_payload.json").read_bytes()
    assert [
        (
            row["datastream_id"],
            f"{row['phenomenon_start']:%H:%M}",
            f"{row['phenomenon_end']:%H:%M}",
            row.get("value"),
        )
        for row in records(declared, body)["observation"]
    ] == [("21", "11:00", "12:00", 4.0), ("21", "12:00", "13:00", None), ("3", "11:00", "12:00", 99.0)]


PLACES = {
    "record_type": "place",
    "fields": {"place_id": "id", "name": "about.name"},
    "constants": {"category": "other"},
}


def test_numbers_that_json_does_not_have_are_no_value_and_told(source: MakeSource, read: ReadBody) -> None:
    body = b'[{"id":"NaN","about":{"name":NaN}},{"id":"-Infinity","about":{"name":-Infinity}},{"id":"c"}]'
    (table,) = read(source("json", **PLACES), body)
    assert table.frame.rows() == [("NaN", None), ("-Infinity", None), ("c", None)]
    assert "not_a_number" in {note.code for note in table.notes}


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":1}\n{"id":2}\n',
        b'\r\n{"id":1}\r\n\r\n{"id":2}',
        b'\x1e{"id":1}\n\x1e{"id":2}\n',
        gzip.compress(b'[{"id":1},{"id":2}]'),
        '[{"id":1},{"id":2}]'.encode("utf-16"),
    ],
    ids=["lines", "blank-lines", "sequence", "gzip", "utf-16"],
)
def test_records_may_come_line_by_line_and_packed(source: MakeSource, read: ReadBody, body: bytes) -> None:
    (table,) = read(source("json", **{**PLACES, "fields": {"place_id": "id"}}), body)
    assert table.frame["place_id"].to_list() == [1, 2]


def test_a_single_line_is_one_record_only_where_the_address_or_the_type_says_so(
    source: MakeSource, read: ReadBody
) -> None:
    settings = {**PLACES, "fields": {"place_id": "id"}}
    text, _, _ = read_json(b'{"id":1}\n', None, 1000, "application/x-ndjson https://data.example/")
    assert text == b'[{"id":1}]'
    with pytest.raises(ReadError, match="has no list of records"):
        read(source("json", **settings), b'{"id":1}\n')


def test_ids_are_the_same_text_whatever_stands_beside_them(source: MakeSource, records: ReadRecords) -> None:
    declared = source("json", **{**PLACES, "fields": {"place_id": "id"}})
    body = b'[{"id":1},{"id":2.0},{"id":"3"},{"id":9007199254740993},{"id":98765432109876543210},{"id":4.5}]'
    found = [row["place_id"] for row in records(declared, body)["place"]]
    assert found == ["1", "2", "3", "9007199254740993", "98765432109876543210", "4.5"]
    assert [
        row["place_id"] for row in records(declared, b'[{"id":2.0},{"id":9007199254740993}]')["place"]
    ] == ["2", "9007199254740993"]


def test_a_member_that_an_object_has_twice_is_told(source: MakeSource, read: ReadBody) -> None:
    (table,) = read(source("json", **PLACES), b'[{"id":1,"about":{"name":"a","name":"b"}}]')
    assert table.frame.rows() == [(1, "b")]
    assert [(note.code, "name" in note.text) for note in table.notes] == [("repeated_member", True)]


def test_all_other_members_can_be_kept_as_an_object(source: MakeSource, read: ReadBody) -> None:
    body = (
        '[{"id":1,"about":{"name":"a","höhe":3},"leer":null,"strich":"-","x":1,"tags":["b"]},'
        '{"id":2,"about":{"name":"b"},"leer":" "}]'
    ).encode()
    settings = {**PLACES, "rest": "attributes", "ignore": ("x",), "nulls": ("-",)}
    (table,) = read(source("json", **settings), body)
    assert table.frame["attributes"].to_list() == ['{"about":{"höhe":3},"tags":["b"]}', None]
    assert table.unknown_fields == ()
    with pytest.raises(ValidationError, match="rest keeps what no setting names"):
        source("json", **settings, store="mapped")


@pytest.mark.parametrize("separator", ["", "\x1e"])
def test_a_record_that_was_torn_costs_itself_and_is_told(
    separator: str, source: MakeSource, read: ReadBody
) -> None:
    """RFC 7464, section 2.2: what is malformed is skipped, and the next record goes on."""
    lines = ['{"id": 1}', '{"id": 2, "name": "Ha', '{"id": 3}', '": 4}', '{"id": 5}']
    body = "".join(f"{separator}{line}\n" for line in lines).encode()
    declared = source("json", record_type="parking_site", fields={"site_id": "id"})
    (table,) = read(declared, body)
    assert table.frame["site_id"].to_list() == [1, 3, 5]
    assert [(row.row, row.rule, row.raw) for row in table.broken] == [
        (2, "unreadable_record", '{"id": 2, "name": "Ha'),
        (4, "unreadable_record", '": 4}'),
    ]


def test_of_a_torn_record_nothing_is_left_out_without_a_word(source: MakeSource) -> None:
    declared = source("json", record_type="parking_site", fields={"site_id": "id"}, store="mapped")
    with pytest.raises(ReadError, match=r"^has records that are no JSON$"):
        declared.redact_answer("data", b'{"id": 1}\n{"id": 2}\n{"id": 3, "na\n')


def test_one_object_over_several_lines_is_no_list_of_lines_whatever_its_address_says() -> None:
    body = b'{\n "items": [\n  {"id": 1}\n ]\n}\n'
    assert read_json(body, None, 1000, "https://data.example/all.ndjson") == (body, (), ())
