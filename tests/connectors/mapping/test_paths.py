"""Paths find records and fields in JSON of any shape, fast where they are plain, right everywhere."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civitas_assets.connectors.mapping.paths import (
    extract_columns,
    extract_records,
    is_plain,
    to_series,
    validate_path,
)
from civitas_assets.errors import ReadError
from tests.connectors.conftest import ReadRecords

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("b"), inner), max_leaves=4
)


def columns(records: object, **fields: str) -> dict[str, list[Any]]:
    return extract_columns(json.dumps(records).encode(), fields).to_dict(as_series=False)


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("a", True),
        ("a.b.c", True),
        ("Straße.Haus-Nr", True),
        ("@iot.id", False),
        ("a[0]", False),
        ('"a b"', False),
        ("a b", False),
        ("a || b", False),
        ("", False),
    ],
)
def test_plain_paths_name_keys_only(path: str, plain: bool) -> None:
    assert is_plain(path) is plain


def test_a_path_that_nothing_can_follow_is_refused_when_it_is_declared() -> None:
    assert validate_path("a[0].b") == "a[0].b"
    with pytest.raises(ValueError, match="is no JMESPath expression"):
        validate_path("a[")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("@", b' [{"a":1}]'),
        ("", b'[{"a":1}]'),
        ("data", b'{"x":{},"data":[{"a":1}]}'),
        ("data.items", b'{"data":{"n":1,"items":[{"a":1}]}}'),
        ("data[?a].b[]", b'{"data":[{"a":1,"b":[{"a":1}]},{"b":[{"a":2}]}]}'),
        ("values(@)", b'{"k1":{"a":1}}'),
    ],
)
def test_the_list_of_records_is_found(path: str, body: bytes) -> None:
    assert json.loads(bytes(extract_records(body, path))) == [{"a": 1}]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("@", b'{"a":1}', "has no list of records at @"),
        ("@", b" \n", "is empty"),
        ("@", b"<?xml version='1.0'?><a/>", "is no JSON but markup, such as XML or a page"),
        ("@", b'call([{"a":1}])', "is no JSON: JSON is malformed"),
        ("data", b'{"items":[],"n":1}', "has no key 'data' of 'data'; it has items, n"),
        ("data.items", b'{"data":[]}', "is not the JSON that was declared"),
        ("data", b'{"data":{}}', "has no list of records at data: check records"),
        ("data", b"<html>", "is not the JSON that was declared"),
        ("data[0]", b'{"data":[]}', "has no list of records"),
        ("values(@)", b"[1]", "does not fit the path"),
    ],
)
def test_a_list_that_is_not_there_is_answered_by_what_is(path: str, body: bytes, message: str) -> None:
    with pytest.raises(ReadError) as caught:
        extract_records(body, path)
    assert message in str(caught.value)


def test_nested_fields_are_taken_from_each_record() -> None:
    records = [{"id": 1, "geo": {"lat": 50.9, "lon": 11.5}}, {"id": 2, "geo": None}, {"id": 3}]
    assert columns(records, i="id", y="geo.lat", x="geo.lon") == {
        "i": [1, 2, 3],
        "y": [50.9, None, None],
        "x": [11.5, None, None],
    }


def test_other_expressions_give_the_same_at_a_price() -> None:
    records = [{"id": 1, "n": {"v": [3, 4]}}, {"id": 2, "n": {"v": []}}]
    assert columns(records, i="id", first="n.v[0]", size="length(n.v)", either="x || id") == {
        "i": [1, 2],
        "first": [3, None],
        "size": [2, 0],
        "either": [1, 2],
    }


def test_keys_with_points_and_at_signs_are_reached_by_quoting() -> None:
    assert columns([{"@iot.id": 1, "a b": {"c": 2}}], i='"@iot.id"', c='"a b".c') == {"i": [1], "c": [2]}


def test_numbers_written_as_text_stay_text_until_the_contract_types_them() -> None:
    assert columns([{"v": "12"}, {"v": "007"}], v="v") == {"v": ["12", "007"]}


def test_a_column_of_several_types_is_text_without_loss() -> None:
    records = [{"v": 1}, {"v": "zwei"}, {"v": None}, {"v": {"a": [1]}}, {"v": 2.5}, {"v": True}]
    assert columns(records, v="v") == {"v": ["1", "zwei", None, '{"a":[1]}', "2.5", "true"]}


def test_objects_and_lists_are_text_so_that_payloads_can_be_put_below_each_other() -> None:
    lists, objects = to_series("v", [[1], [2, 3]]), to_series("v", [{"a": 1}])
    assert (lists.to_list(), objects.to_list()) == (["[1]", "[2,3]"], ['{"a":1}'])
    parts = [
        pl.DataFrame([column]) for column in (lists, objects, to_series("v", [1]), to_series("v", [None]))
    ]
    assert pl.concat(parts, how="diagonal_relaxed")["v"].to_list() == ["[1]", "[2,3]", '{"a":1}', "1", None]


def test_a_key_that_is_a_value_here_and_an_object_there_is_read_in_both() -> None:
    records = [{"free": 3}, {"free": {"cars": 4}}]
    assert columns(records, free="free", cars="free.cars") == {"free": ["3", '{"cars":4}'], "cars": [None, 4]}


def test_the_same_path_may_fill_two_fields_and_one_may_begin_another() -> None:
    assert columns([{"a": {"b": 1}}], x="a.b", y="a.b") == {"x": [1], "y": [1]}


def test_records_that_are_no_objects_are_refused() -> None:
    for body in (b"[1]", b"[[]]", b"[null]", b"[", b'["\x80"]'):
        with pytest.raises(ReadError, match="is not a list of objects"):
            extract_columns(body, {"a": "a"})


def test_no_records_are_columns_without_rows() -> None:
    assert columns([], a="a", b="b[0]") == {"a": [], "b": []}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.fixed_dictionaries({}, optional={"a": VALUES}), max_size=6))
def test_the_fast_way_and_the_general_way_agree(records: ReadRecords) -> None:
    for fields in ({"a": "a"}, {"b": "a.b"}, {"a": "a", "b": "a.b"}):
        general = columns(records, **fields, c="c[0]")
        assert general.pop("c") == [None] * len(records)
        assert columns(records, **fields) == general
