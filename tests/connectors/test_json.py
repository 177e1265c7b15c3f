"""JSON of any shape: the declared list, the declared paths, and values in their own types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

STATUS = {
    "record_type": "parking_status",
    "records": "parkings",
    "fields": {"site_id": "id", "free": "occupancy.free"},
    "time": {"column": "at", "zone": "offset"},
}


def test_records_fields_and_time_are_where_the_source_says(
    source: Callable[..., Any], read: Callable[..., list[RawTable]]
) -> None:
    body = b'{"parkings":[{"id":"P1","occupancy":{"free":12},"at":"2026-01-01T00:00:00Z"},{"id":"P2"}]}'
    (table,) = read(source("json", **STATUS), body)
    assert table.record_type == "parking_status"
    assert table.frame.select("site_id", "free", "@time").rows() == [
        ("P1", 12, "2026-01-01T00:00:00Z"),
        ("P2", None, None),
    ]


def test_a_byte_order_mark_is_no_part_of_the_json(
    source: Callable[..., Any], read: Callable[..., list[RawTable]]
) -> None:
    (table,) = read(source("json", **STATUS), b'\xef\xbb\xbf{"parkings":[{"id":"P1","at":"x"}]}')
    assert table.frame["site_id"].to_list() == ["P1"]


@pytest.mark.parametrize("body", [b'{"parkings":[{"id":"P1","occupancy":{"fr', b"<html>Wartung</html>", b""])
def test_half_an_answer_is_an_error(
    source: Callable[..., Any], read: Callable[..., list[RawTable]], body: bytes
) -> None:
    with pytest.raises(ReadError):
        read(source("json", **STATUS), body)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fields": {}}, "at least 1 item"),
        ({"fields": {"site_id": "a["}}, "is no JMESPath expression"),
        ({"fields": {"sites": "a"}}, "fields.sites is no field of parking_status"),
        ({"time": None}, "time is needed"),
        ({"computed": {"free": "capacity - beds"}}, "computed.free uses beds, which is no number"),
        ({"computed": {"name": "capacity - free"}}, "computed.name uses name, which is no number"),
        ({"computed": {"free": "capacity * 2"}}, "String should match pattern"),
    ],
)
def test_what_cannot_work_is_refused(
    source: Callable[..., Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        source("json", **{**STATUS, **change})


def test_a_recorded_answer_about_car_parks_is_read_whole(
    source: Callable[..., Any], read: Callable[..., list[RawTable]], payloads: Path
) -> None:
    fields = {"site_id": "name", "free": "free", "occupied": "occupied", "capacity": "max"}
    declared = source("json", record_type="parking_status", fields=fields, time={"zone": "received"})
    (table,) = read(declared, (payloads / "parking" / "aalen.json").read_bytes())
    assert table.frame.row(0) == ("P1 Rathaus", 5, 165, 170)
    assert not table.frame.select("free", "occupied", "capacity").null_count().sum_horizontal()[0]


def test_an_object_of_records_gives_its_keys_to_a_field_and_lists_are_read_by_position(
    source: Callable[..., Any], read: Callable[..., list[RawTable]]
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
