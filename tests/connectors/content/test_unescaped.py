"""Control characters that stand in JSON as they are: no record is lost, none reaches a table, and it is told."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from civitas_assets.connectors.content.unescaped import escape_controls
from tests.conformance.landing import land

NAME = "Park\x01haus\x00 am\nMarkt\t\x1b[1mSüd"
PLACE = {"type": "Point", "coordinates": [7.5, 51.5]}
SITES: dict[str, Any] = {"record_type": "parking_site", "fields": {"site_id": "id", "name": "name"}}
FEATURES = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "geometry": PLACE, "properties": {"id": number, "name": NAME}} for number in "12"
    ],
}


def raw(value: object) -> bytes:
    """JSON as a program writes it that escapes quotes and backslashes only."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    for character in NAME:
        if character < " ":
            text = text.replace(json.dumps(character)[1:-1], character)
    return text.encode()


LIST = [{"id": n, "name": NAME} for n in "12"]


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"connector": "json", "records": "sites"}, {"sites": LIST}),
        ({"connector": "json", "records": "@"}, LIST),
        ({"connector": "json", "records": "@", "store": "mapped"}, LIST),
        ({"connector": "geojson"}, FEATURES),
        ({"connector": "geojson", "store": "mapped"}, FEATURES),
        ({"connector": "geofile"}, FEATURES),
    ],
)
def test_the_answer_is_read_as_if_they_were_escaped(settings: dict[str, Any], answer: object) -> None:
    written, escaped = (
        land({**SITES, **settings}, lambda _, body=body: httpx2.Response(200, content=body))  # type: ignore[misc]
        for body in (raw(answer), json.dumps(answer).encode())
    )
    names = written.rows("parking_site", "site_id", "name")
    assert names == escaped.rows("parking_site", "site_id", "name")
    assert [name for _, name in names] == ["Parkhaus am\nMarkt\tSüd"] * 2
    assert (written.rejected, escaped.told) == (0, ())
    if "store" not in settings:  # what is kept of it is JSON
        assert ["JSON does not allow" in text for text in written.told] == [True]


@pytest.mark.parametrize(
    "body",
    [b'{"sites": [{"id": "1", "name": "a\nb"}', b'{"sites": "no\nlist"}', b"{\x01}", b'"\x01"', b"\x01"],
)
def test_what_is_no_list_of_records_either_way_is_an_error(body: bytes) -> None:
    settings = {**SITES, "connector": "json", "records": "sites"}
    night = land(settings, lambda _: httpx2.Response(200, content=body))
    assert not night.records["parking_site"].height
    assert night.told


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (rb'{"a": "b\n"}', rb'{"a": "b\n"}'),
        (b'{\n"a": "b\n"\n}', b'{\n"a": "b\\u000a"\n}'),
        (b'["\\\n", "\\\\\n", "\\"\x01"]', b'["\\u000a", "\\\\\\u000a", "\\"\\u0001"]'),
        (b'["open\n]', b'["open\n]'),
    ],
)
def test_only_what_stands_in_texts_is_escaped(written: bytes, expected: bytes) -> None:
    assert escape_controls(written) == expected
