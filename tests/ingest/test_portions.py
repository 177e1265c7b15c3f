"""Long tables in portions: what becomes of them, and what is told, is what becomes of them as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import polars as pl
import pytest

from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.ingest import portions
from civitas_assets.ingest.portions import split_tables
from civitas_assets.records import Note, RawTable, Roster
from civitas_assets.records.raw import BrokenRow
from tests.conformance.landing import HOST, Night, land

COUNTS: dict[str, Any] = {
    "connector": "csv",
    "record_type": "observation",
    "fields": {
        "datastream_id": "id",
        "datastream_name": "name",
        "station_id": "station",
        "station_name": "place",
        "value": "count",
    },
    "nulls": ("-99",),
    "time": {"column": "time", "zone": "offset"},
    "constants": {"observed_property": "traffic.bicycle_count", "unit": "1"},
}
# Things that are called otherwise and again as before, a value that is corrected, one twice, and what is no value.
ROWS = """id,station,name,place,time,count,more
a,1,A,Markt,2026-07-01T10:00:00+02:00,1,x
b,1,B,Markt,2026-07-01T10:00:00+02:00,2,x
a,1,A2,Markt,2026-07-01T11:00:00+02:00,drei,x
a,1,A,Platz,2026-07-02T00:30:00+02:00,4,x
,,,,,,
a,1,A,Platz,2026-07-01T10:00:00+02:00,5,x
b,1,B,Markt,2026-07-01T12:00:00+02:00,-99,x
b,1,B,Markt,2026-07-01T13:00:00+02:00,7,x,y
b,1,B,Markt,2026-07-01T12:30:00+02:00,8,x
b,1,B,Markt,2026-07-01T12:30:00+02:00,8,x
b,1,B,Markt,wann,9,x
a,1,A,Markt,2026-07-02T00:45:00+02:00,10,#WERT!
"""
FOLD = """id,station,name,place,time,count
a,1,A,Markt,2025-10-26 01:30,1
a,1,A,Markt,2025-10-26 02:30,2
a,1,A,Markt,2025-10-26 02:30,3
a,1,A,Markt,2025-10-26 03:30,4
"""
UNSET = """id,station,name,place,time,count
a,1,A,Markt,2000-01-01T00:00:00Z,1
b,1,B,Markt,2000-01-01T00:00:00Z,2
a,1,A,Markt,2001-03-01T00:00:00Z,3
"""


@pytest.fixture
def heights(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each table that is handed on."""
    heights = list[int]()

    def noted(source: Any, made: Any) -> Iterator[RawTable | Roster]:
        for table in split_tables(source, made):
            heights.append(table.frame.height)
            yield table

    monkeypatch.setattr("civitas_assets.ingest.apart.split_tables", noted)
    return heights


@pytest.fixture
def parted(monkeypatch: pytest.MonkeyPatch, heights: list[int]) -> list[int]:
    """The rows of each table that is handed on, where tables of two rows are long."""
    monkeypatch.setattr(portions, "_LONG", 1)
    monkeypatch.setattr(portions, "_ROWS", 2)
    for name in ("intake._TYPED_AT_ONCE", "intake.STORED_AT_ONCE", "keep.STORED_AT_ONCE"):
        monkeypatch.setattr(f"civitas_assets.ingest.{name}", 1)
    return heights


def contents(settings: dict[str, Any], text: str, encoding: str = "utf-8") -> tuple[Any, ...]:
    """All that is stored, in order, rejected and told."""
    body = text.encode(encoding)
    night: Night = land(settings, lambda _: httpx2.Response(200, content=body))
    records = {
        name: frame.sort(pl.all().exclude("revision"), "revision", nulls_last=True).rows()
        for name, frame in night.records.items()
    }
    rejected = night.quarantined.select("rule", "field", "row", "raw").sort(pl.all()).rows()
    return records, rejected, {*night.told}


@pytest.mark.parametrize(
    ("text", "time", "expected"),
    [
        (ROWS, COUNTS["time"], [2, 2, 2, 2, 2]),
        (FOLD, {"column": "time", "zone": "local_wall", "fold": "summed", "stamp": "interval_start",
                "interval": "1 h", "format": "%Y-%m-%d %H:%M"}, [2, 2]),
        (FOLD, {"column": "time", "zone": "local_wall", "fold": "reject", "format": "%Y-%m-%d %H:%M"}, [2, 2]),
        (FOLD, {"column": "time", "zone": "local_wall", "fold": "by_order", "format": "%Y-%m-%d %H:%M"}, [4]),
        (UNSET, COUNTS["time"], [3]),
    ],
    ids=["rows", "summed", "reject", "by_order", "clock"],
)  # fmt: skip
def test_a_long_table_becomes_the_same_in_portions(
    text: str, time: dict[str, Any], expected: list[int], request: pytest.FixtureRequest
) -> None:
    settings = {**COUNTS, "time": time}
    whole = contents(settings, text)
    heights = request.getfixturevalue("parted")
    assert contents(settings, text) == whole
    assert heights == expected
    assert whole[0]["observation"]


# A cell of two lines, torn and short rows, a header that stands there again, an umlaut in two parts, a late wide row.
ODD = (
    ROWS.replace("Markt", '"Mü\nnster"', 1)
    + """a,1,A,Südwall,2026-07-02T01:00:00+02:00,11,#WERT!
a,1,A,Nord
wall,2026-07-02T01:15:00+02:00,12,x
a,1,A,Markt,2026-07-02T01:30:00+02:00,13

a,1,A,"Markt, ""alt\"\"",2026-07-02T01:45:00+02:00,14,x
id,station,name,place,time,count,more
a,1,A,Ma\u0308rkt,2026-07-02T02:00:00+02:00,15,x
a,1,A,Markt,2026-07-02T02:15:00+02:00,16,x,,z
a,1,A,Markt,2026-07-02T02:30:00+02:00,17,x
a,1,A,Markt,2026-07-02T02:45:00+02:00,18"""
)
# Halves of a row around a blank one, a line of blanks, and a row that is too wide only at the end.
LATE = f"""id,station,name,place,time,count,more
a,1,A,Markt,2026-07-01T11:00:00+02:00,1,{"x" * 50}
a,1,A,Markt
,,,,,,
{"2026-07-01T10:00:00+02:00"},1,{"x" * 20},y
a,1,A,Markt,2026-07-01T11:15:00+02:00,1,{"x" * 50}
  {""}
a,1,A,Nord,2026-07-01T11:30:00+02:00,2,{"y" * 50}
{ROWS.split(maxsplit=1)[1]}"""


@pytest.fixture
def tables_of_files(monkeypatch: pytest.MonkeyPatch, heights: list[int]) -> list[int]:
    """The rows of each table that is read of a body, each of which is in a file, by few bytes at a time."""
    monkeypatch.setattr("civitas_assets.connectors.content.text_portions.PORTION", 50)
    for module in ("spool", "store.bodies"):
        monkeypatch.setattr(f"civitas_assets.{module}.MOST_IN_MEMORY", 40)
    return heights


_PLAIN = {"column": "time", "zone": "offset"}


@pytest.mark.parametrize(
    ("text", "encoding", "changed", "is_parted"),
    [
        (ODD, "utf-8", {}, True),
        (ODD, "utf-8-sig", {}, True),
        (ODD.replace("\n", "\r\n"), "utf-8", {"ignore": ("m.*",)}, True),
        (ODD.replace("\u0308", ""), "cp1252", {}, True),
        (ODD.replace("\u0308", ""), "cp850", {"encoding": "cp850"}, True),
        ("sep=;\n" + ODD.replace("Markt, ", "Markt").replace(",", ";"), "utf-8", {}, True),
        (f"Stand vom 3. Juli\n\n{ODD}", "utf-8", {"skip_lines": 2, "preamble": {"more": "vom (.*)"}}, True),
        (ROWS.replace("x,y", "x" * 140_000), "utf-8", {}, True),
        (LATE, "utf-8", {}, True),
        (LATE.replace("Nord", "Nord\rwall"), "utf-8", {}, False),
        (ODD.replace("Südwall", 'Süd"wall'), "utf-8", {}, False),
        (ODD.replace("Südwall", 'Süd"wal"l'), "utf-8", {}, False),
        (ODD, "utf-8", {"until_blank": "station"}, False),
        (UNSET, "utf-8", {}, False),
        (FOLD, "utf-8", {"time": {"column": "time", "zone": "local_wall", "fold": "by_order"}}, False),
        (ODD.split("\n", maxsplit=1)[0] + "\n", "utf-8", {}, True),
        ("\n" * 60, "utf-8", {}, False),
        (ODD.replace("count", "number"), "utf-8", {}, False),
    ],
    ids=[
        "utf-8", "mark", "crlf", "cp1252", "cp850", "sep", "preamble", "long", "late", "cr", "endless", "stray",
        "blank", "clock", "by_order", "empty", "nothing", "column",
    ],
)  # fmt: skip
def test_a_file_becomes_the_same_in_portions(
    text: str, encoding: str, changed: dict[str, Any], is_parted: bool, request: pytest.FixtureRequest
) -> None:
    settings = COUNTS | changed
    whole = contents(settings, text, encoding)
    heights = request.getfixturevalue("tables_of_files")
    assert contents(settings, text, encoding) == whole
    assert (len(heights) > 4) == (is_parted and text.count("\n") > 5)


def test_a_rejected_row_of_a_later_portion_has_its_number_in_the_file(tables_of_files: list[int]) -> None:
    rows = [f"a,1,A,Markt,2026-07-01T10:{minute:02}:00+02:00,{minute},x" for minute in range(40)]
    rows[31] = rows[31].replace(",31,", ",drei,")
    text = "\n".join([ROWS.split("\n", maxsplit=1)[0], *rows])
    _, ((rule, field, row, _),), _ = contents(COUNTS, text)
    assert (rule, field, row) == ("not_a_number", "value", 32)
    assert len(tables_of_files) > 10


def test_what_is_told_of_a_table_is_told_once(parted: list[int]) -> None:
    model = CONNECTORS["csv"].source_model
    source: Any = model.model_validate({"title": "T", "licence": "CC0-1.0", "url": HOST, **COUNTS})
    columns = {"@row": range(5), "@time": ["2026-07-01T10:00Z"] * 5}
    broken, notes = (BrokenRow(7, "too_wide", "", ""),), (Note("a", "b"),)
    table = RawTable("observation", pl.DataFrame(columns), ("more",), broken, notes)
    found = [*split_tables(source, [table])]
    assert [part.frame["@row"].to_list() for part in found] == [[0, 1], [2, 3], [4]]
    told = [(part.unknown_fields, part.broken, part.notes) for part in found]  # type: ignore[union-attr]
    assert told == [(("more",), broken, notes), ((), (), ()), ((), (), ())]
    for other in (
        RawTable("parking_site", table.frame),
        RawTable("observation", table.frame.drop("@row")),
        RawTable("observation", table.frame.drop("@time")),
        RawTable("observation", table.frame.with_columns(geometry=pl.lit("POINT (7 51)"))),
        Roster("station", pl.DataFrame({"station_id": ["1", "2", "3"]})),
    ):
        (same,) = split_tables(source, [other])
        assert same is other
