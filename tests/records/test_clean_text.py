"""Text is the same whatever came with it, and holds nothing that nobody can see."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from civitas_assets.catalog import Source
from civitas_assets.records import RawTable
from civitas_assets.records.clean_text import clean_frame, clean_text, is_clean, is_clean_source, to_text
from civitas_assets.records.origin import Origin, gather_rows

SOURCE = Source.model_validate(
    {
        "connector": "test",
        "title": "Test",
        "licence": "CC0-1.0",
        "url": "https://data.example/",
        "decimal": ",",
    }
)
NOW = datetime(2026, 8, 1, 2, tzinfo=UTC)


def test_a_whole_number_is_the_same_text_in_every_type() -> None:
    assert to_text(pl.Series([1, 2, None])).to_list() == ["1", "2", None]
    assert to_text(pl.Series([1.0, 2.5, None, -0.0])).to_list() == ["1", "2.5", None, "0"]
    assert to_text(pl.Series([9007199254740993])).to_list() == ["9007199254740993"]


@pytest.mark.parametrize(
    ("pages", "ids"),
    [
        ([[1, 2], [3.0, 4.0]], ["1", "2", "3", "4"]),
        ([[1.0], ["x"], [9007199254740993]], ["1", "x", "9007199254740993"]),
        ([[2**63], [-1]], ["9223372036854775808", "-1"]),
        ([["007"], [7], [None]], ["007", "7", None]),
    ],
)
def test_an_id_does_not_depend_on_the_pages_beside_it(pages: list[list[Any]], ids: list[str]) -> None:
    tables = [RawTable("parking_site", pl.DataFrame({"site_id": page})) for page in pages]
    origin = Origin({}, "a", NOW)
    together = to_text(gather_rows([(table, origin) for table in tables], SOURCE)["site_id"]).to_list()
    alone = [text for table in tables for text in to_text(gather_rows([(table, origin)], SOURCE)["site_id"])]
    assert together == alone == ids


def test_a_real_number_beside_pages_of_text_is_written_as_they_are() -> None:
    tables = [RawTable("parking_site", pl.DataFrame({"capacity": page})) for page in ([4.5], ["4,2"])]
    found = gather_rows([(table, Origin({}, "a", NOW)) for table in tables], SOURCE)
    assert found["capacity"].to_list() == ["4,5", "4,2"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Nord\0\0", "Nord"),
        ("\x1b[31mNord\x1b[0m", "Nord"),
        ("Park\x0bhaus", "Park haus"),
        ("10 \x80", "10 €"),
        ("Pla\u0308tze", "Plätze"),
        ("\ufeffNr", "Nr"),
        ("N\u061cr", "Nr"),
        ("a\u202eb\u00ad", "ab"),
        ("zwei\r\nZeilen\tweit", "zwei\r\nZeilen\tweit"),
        ("Süd „Hof“ – 5 °C", "Süd „Hof“ – 5 °C"),
    ],
)
def test_what_nobody_can_see_is_left_out_and_all_else_stays(written: str, meant: str) -> None:
    assert clean_text(written) == meant
    frame = clean_frame(pl.DataFrame({"a": [written, None, "x"], "n": [1, 2, 3]}))
    assert frame.rows() == [(meant, 1), (None, 2), ("x", 3)]
    assert is_clean(written.encode()) == (written == meant)
    assert is_clean(b"x" * (1 << 20) + written.encode()) == (written == meant)  # looked through otherwise


@pytest.mark.parametrize(
    "body", [b'{"a":"\\u0000"}', b'{"a":"\\u001b["}', b'{"a":"a\\u0308"}', b"<a>&#133;</a>", b"a;b\0\n"]
)
def test_characters_that_are_written_as_others_are_looked_for_in_what_was_read(body: bytes) -> None:
    assert not is_clean_source(body)
    assert is_clean_source('{"a":"Münster & Köln"}\r\n'.encode())


def test_rows_of_any_payload_are_looked_at() -> None:
    raw = RawTable("parking_site", pl.DataFrame({"site_id": ["a\0"], "name": ["Pla\u0308tze"]}))
    assert gather_rows([(raw, Origin({}, "a", NOW))], SOURCE).select("site_id", "name").row(0) == (
        "a",
        "Plätze",
    )


@pytest.mark.parametrize("empty", [[], [None], [""]])
def test_columns_without_a_text_are_clean(empty: list[str | None]) -> None:
    frame = pl.DataFrame({"a": pl.Series(empty, dtype=pl.String)})
    assert clean_frame(frame).equals(frame)


def test_texts_are_looked_at_in_any_part_of_a_column() -> None:
    column = pl.concat([pl.Series("a", ["x\0" * 20, "Nord"]), pl.Series("a", ["Süd\0", None])])
    assert clean_frame(column.to_frame())["a"].to_list() == ["x" * 20, "Nord", "Süd", None]
    assert clean_frame(column[1:2].to_frame())["a"].to_list() == ["Nord"]
