"""CSV that spreadsheets open without calculating anything, and that programs read as it was."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from civitas_assets.export.csv_format import Csv, guard_text
from tests.export.conftest import Town

MOMENT = datetime(2026, 8, 20, 10, 0, 0, 250_000, UTC)


def read(content: bytes, **options: Any) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), **options)]


def guard(*texts: str | None) -> list[str | None]:
    frame = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    return frame.select(guard_text("text"))["text"].to_list()


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+49 251 4920",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1)",
        "\tSUM",
        "\rSUM",
        "\nSUM",
        "＝1+1",
        "-",
        "+-5",
    ],
)
def test_a_text_that_would_be_calculated_is_behind_an_apostrophe(text: str) -> None:
    assert guard(text) == [f"'{text}"]


@pytest.mark.parametrize(
    "text", ["", "-5", "+1,5", "-0.25", "-1e-7", "Haus = Hof", "a-b", "'=1", "Müller", "1+1"]
)
def test_numbers_and_other_texts_stay_as_they_are(text: str) -> None:
    assert guard(text, None) == [text, None]


@given(st.lists(st.text(), min_size=1))
def test_no_text_begins_as_a_formula_and_none_is_lost(texts: list[str]) -> None:
    for before, after in zip(texts, guard(*texts), strict=True):
        assert after is not None
        assert after.replace("'", "") == before.replace("'", "")
        if after[:1] in {*"=+-@\t\r\n"} and after:
            float(after.replace(",", "."))


@pytest.mark.parametrize(
    ("text", "guarded_text"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a,@SUM(1),b", "a,'@SUM(1),b"),
        ('a;"=1+1', "a;\"'=1+1"),
        ("a\t+cmd", "a\t'+cmd"),
        ("a\n-b", "a\n'-b"),
        ("\t=1", "'\t'=1"),
        ("=1;=2", "'=1;'=2"),
        # Numbers stay numbers, and what is no cell of its own in any spreadsheet stays as it is.
        ("7.1,-51.2", "7.1,-51.2"),
        ("1;+2,5;-3", "1;+2,5;-3"),
        ("a; =1", "a; =1"),
        ("Haus=Hof; a-b", "Haus=Hof; a-b"),
    ],
)
def test_a_text_is_not_calculated_either_where_other_signs_part_cells(text: str, guarded_text: str) -> None:
    assert guard(text, None, "b") == [guarded_text, None, "b"]


def test_rows_are_read_back_as_they_were(town: Town) -> None:
    title = 'Straße "A", gesperrt;\nbis Freitag'
    wkb = shapely.to_wkb(shapely.LineString([(9.1, 50.1), (9.2, 50.123456789)]))
    town.put(
        "event", {"event_key": "e1", "title": title, "start_at": MOMENT, "geometry_wkb": wkb, "lon": 9.1}
    )
    town.put("event", {"event_key": "=1", "title": "", "description": None})
    content = town.export("event", Csv())
    first, second = read(content)
    assert first["title"] == title
    assert first["start_at"] == "2026-08-20T10:00:00.25Z"
    assert first["geometry_wkt"] == "LINESTRING (9.1 50.1, 9.2 50.1234568)"
    assert first["lon"] == "9.1"
    assert second["event_key"] == "'=1"
    assert b"\r\n," in content  # a null is nothing, an empty text is two quotes
    assert b',"",,' in content


def test_german_spreadsheets_get_semicolons_and_commas_in_numbers(town: Town) -> None:
    town.put("observation", {"value": -1.5, "day": date(2026, 8, 20), "unit": "Cel", "revision": 2})
    content = town.export("observation", Csv(german=True))
    assert content.startswith(b"\xef\xbb\xbf")
    (row,) = read(content, delimiter=";")
    assert (row["value"], row["day"], row["unit"], row["revision"]) == ("-1,5", "2026-08-20", "Cel", "2")


def test_a_model_without_rows_is_a_header(town: Town) -> None:
    content = town.export("station", Csv())
    assert content.startswith(b"tenant,station_key,")
    assert content.count(b"\r\n") == 1


def test_columns_are_those_of_the_contract_in_their_order(town: Town) -> None:
    header = town.export("place", Csv()).decode().strip().split(",")
    assert header[:4] == ["tenant", "place_key", "id_space", "place_id"]
    assert "geometry_wkt" in header
    assert "geometry_wkb" not in header
