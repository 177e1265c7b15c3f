"""Attributes by name: mapped to fields, gathered as JSON, and taken out of lines of a text."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from civitas_assets.connectors.mapping.attributes import (
    AttributeSource,
    encode_attributes,
    expand_lines,
    select_attributes,
)
from civitas_assets.errors import ReadError
from civitas_assets.records.raw import TIME

BASICS = {"connector": "x", "title": "Test", "licence": "CC0-1.0", "url": "https://data.example/"}
TREES = pl.DataFrame(
    {"nr": ["007", "008"], "art": ["Linde", None], "höhe": [12.5, 3.0], "Straße": [" ", "Am Wall"]}
)


def source(**settings: Any) -> AttributeSource:
    fields = {"place_id": "nr"}
    return AttributeSource.model_validate({**BASICS, "record_type": "place", "fields": fields, **settings})


def test_named_attributes_fill_fields_and_the_others_are_reported() -> None:
    frame, unknown = select_attributes(source(), TREES, complete=True)
    assert frame.to_dicts() == [{"place_id": "007"}, {"place_id": "008"}]
    assert unknown == ("art", "höhe", "Straße")


def test_all_others_may_go_into_one_field_as_json() -> None:
    frame, unknown = select_attributes(source(rest="attributes"), TREES, complete=True)
    assert [json.loads(text) for text in frame["attributes"]] == [
        {"art": "Linde", "höhe": 12.5},
        {"höhe": 3.0, "Straße": "Am Wall"},
    ]
    assert unknown == ()


def test_what_a_record_lacks_is_not_in_its_object_so_that_other_records_change_nothing() -> None:
    alone, beside = TREES.head(1), TREES.with_columns(pilz=pl.Series([None, "Hallimasch"]))
    first, second = (encode_attributes(frame, frame.columns)[0] for frame in (alone, beside))
    assert first == second == '{"art":"Linde","höhe":12.5,"nr":"007"}'


def test_values_of_every_type_are_json() -> None:
    frame = pl.DataFrame(
        {
            'a "b"': ['say "ja"\\', "-"],
            "flag": [True, None],
            "day": [date(2026, 8, 1), None],
            "many": [[1, 2], None],
            "no": [float("nan"), None],
            "raw": [b"\x01\xff", None],
        }
    )
    texts = encode_attributes(frame, frame.columns, nulls=["-"]).to_list()
    assert json.loads(texts[0]) == {
        'a "b"': 'say "ja"\\',
        "flag": True,
        "day": "2026-08-01",
        "many": [1, 2],
        "raw": "01ff",
    }
    assert texts[1] is None
    assert encode_attributes(frame, []).to_list() == [None, None]


def test_an_attribute_that_must_be_there_is_missed_and_one_that_may_be_absent_is_not() -> None:
    timed = source(fields={"place_id": "nr", "name": "titel"}, time={"column": "stand", "zone": "utc"})
    with pytest.raises(
        ReadError, match=r"lacks the attribute\(s\) stand, titel; it has nr, art, höhe, Straße"
    ):
        select_attributes(timed, TREES, complete=True)
    frame, _ = select_attributes(timed, TREES.rename({"art": "stand"}), complete=False)
    assert frame.columns == ["place_id", TIME]


def test_records_without_any_attribute_are_still_as_many() -> None:
    frame, _ = select_attributes(source(rest="attributes"), pl.DataFrame(height=3), complete=False)
    assert frame.to_dict(as_series=False) == {"attributes": [None, None, None]}


@pytest.mark.parametrize("name", ["lon", "nowhere"])
def test_the_rest_needs_a_text_of_the_contract(name: str) -> None:
    with pytest.raises(ValidationError, match="rest is no text of place; allowed: place_id, category, name"):
        source(rest=name)


def test_lines_of_a_text_are_attributes_unless_they_are_there_already() -> None:
    text = (
        "in_tiefe: 30 cm<br>Zeit: 12:30<BR/>was:<br />html: https://x.example/?a=1&amp;b=2<br>nichts"
        "<p><b>bnr</b>: 80</p>"
    )
    frame = pl.DataFrame(
        {"description": [text, None, ""], "bnr": ["", "81", None], "was": ["Boden", None, None]}
    )
    assert expand_lines(frame, "description").drop("description").to_dicts() == [
        {
            "bnr": "80",
            "was": "Boden",
            "in_tiefe": "30 cm",
            "Zeit": "12:30",
            "html": "https://x.example/?a=1&b=2",
        },
        {"bnr": "81", "was": None, "in_tiefe": None, "Zeit": None, "html": None},
        {"bnr": None, "was": None, "in_tiefe": None, "Zeit": None, "html": None},
    ]
    assert expand_lines(frame, "elsewhere") is frame


def test_lines_that_are_prose_are_no_attributes() -> None:
    prose = "\n".join(f"Kapitel {number}: Text" for number in range(501))
    with pytest.raises(ReadError, match="over 500 keys in lines of description: take split_lines away"):
        expand_lines(pl.DataFrame({"description": [prose]}), "description")
