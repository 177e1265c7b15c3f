"""Answers are printed as DuckDB's command line prints them, and what they hold cannot act on a terminal."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from rich.cells import cell_len

from civitas_assets.cli.answers import format_box, format_csv, format_json, format_lines, format_value
from civitas_assets.publish.query import QueryResult


def answer(*rows: tuple[Any, ...], more: bool = False, **types: str) -> QueryResult:
    return QueryResult([*types], [*types.values()], rows, more)


TOWN = answer(("Rathausplatz", 10.5), ("Bücherei", None), name="VARCHAR", lon="DOUBLE")


def test_a_box_has_types_under_names_and_counts_below() -> None:
    assert [*format_box(TOWN, 80)] == [
        "┌──────────────┬────────┐",
        "│     name     │  lon   │",
        "│   varchar    │ double │",
        "├──────────────┼────────┤",
        "│ Rathausplatz │   10.5 │",
        "│ Bücherei     │   NULL │",
        "├──────────────┴────────┤",
        "│ 2 rows      2 columns │",
        "└───────────────────────┘",
    ]


def test_a_single_narrow_column_leaves_room_for_the_number_of_rows() -> None:
    assert [*format_box(answer((1,), (2,), n="INTEGER"), 80)][-3:] == [
        "├─────────┤",
        "│ 2 rows  │",
        "└─────────┘",
    ]
    assert [*format_box(answer((1,), (2,), n="INT"), 80)][-2] == "│ 2 rows │"


def test_a_narrow_terminal_cuts_cells_first_and_then_leaves_out_columns_in_the_middle() -> None:
    long = answer(("a" * 100, 1), ("b", 2), name="VARCHAR", n="INTEGER")
    lines = [*format_box(long, 40)]
    assert {cell_len(line) for line in lines} == {40}
    assert any("a…" in line for line in lines)
    wide = answer(*[tuple(range(20))] * 2, **{f"column_{n}": "INTEGER" for n in range(20)})
    lines = [*format_box(wide, 60)]
    assert max(map(cell_len, lines)) <= 60
    assert all(name in lines[1] for name in ("column_0", "column_19", "…"))
    assert "column_9 " not in lines[1]
    assert "20 columns (4 shown)" in lines[-2]


@pytest.mark.parametrize("width", [1, 10, 25, 47, 1000])
def test_all_lines_of_a_box_are_as_wide_as_each_other(width: int) -> None:
    wide = answer(*[("äö漢字" * 9, 1, "x")] * 3, more=True, a="VARCHAR", b="INTEGER", c="VARCHAR")
    assert len({cell_len(line) for line in format_box(wide, width)}) == 1


def test_more_rows_than_the_limit_are_told() -> None:
    said = "\n".join(format_box(answer((1,), more=True, n="INTEGER"), 80))
    assert "first 1 row" in said.replace(" │\n│ ", "")


def test_forms_for_other_programs_read_back() -> None:
    assert [*csv.reader(format_csv(TOWN))] == [["name", "lon"], ["Rathausplatz", "10.5"], ["Bücherei", ""]]
    assert json.loads("".join(format_json(TOWN)))[1] == {"name": "Bücherei", "lon": None}
    same = QueryResult(["a", "a"], ["INTEGER"] * 2, [(1, 2)], more=False)
    assert json.loads("".join(format_json(same))) == [{"a": 1, "a:1": 2}]
    assert [*format_lines(TOWN)][:3] == ["name = Rathausplatz", " lon = 10.5", ""]


def test_no_form_sends_control_characters_to_a_terminal() -> None:
    evil = answer(("\x1b[2Jx\ny",), ("b",), **{"na\x1bme": "VARCHAR"})
    for made in (format_box(evil, 80), format_lines(evil), format_csv(evil), format_json(evil)):
        assert "\x1b" not in "".join(made)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"), (True, "true"), (b"\x01\xff", "\\x01FF"), (Decimal("1.50"), "1.50"), ([1, None], "[1, NULL]"),
        ({"a": [True]}, "{'a': [true]}"), (datetime(2026, 8, 1, 4, tzinfo=UTC), "2026-08-01 04:00:00+00"),
    ],
)  # fmt: skip
def test_values_are_as_duckdb_writes_them(value: object, text: str) -> None:
    assert format_value(value) == text


def test_what_the_help_says_of_hours_in_autumn_is_so() -> None:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'Europe/Berlin'")
        times = "select timestamptz '2026-10-25 00:30:00Z' as t union all select timestamptz '2026-10-25 01:30:00Z'"
        asked = f"select count(distinct {{}}) from ({times})"  # noqa: S608
        assert connection.execute(asked.format("date_trunc('hour', t)")).fetchone() == (1,)
        assert connection.execute(asked.format("time_bucket(interval '1 hour', t)")).fetchone() == (2,)
        connection.execute("set TimeZone = 'UTC'")
        assert connection.execute(asked.format("date_trunc('hour', t)")).fetchone() == (2,)
