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
def parted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each table that is handed on, where tables of two rows are long."""
    monkeypatch.setattr(portions, "_LONG", 1)
    monkeypatch.setattr(portions, "_ROWS", 2)
    heights = list[int]()

    def noted(source: Any, made: Any) -> Iterator[RawTable | Roster]:
        for table in split_tables(source, made):
            heights.append(table.frame.height)
            yield table

    monkeypatch.setattr("civitas_assets.ingest.apart.split_tables", noted)
    for name in ("intake._TYPED_AT_ONCE", "intake.STORED_AT_ONCE", "keep.STORED_AT_ONCE"):
        monkeypatch.setattr(f"civitas_assets.ingest.{name}", 1)
    return heights


def contents(settings: dict[str, Any], text: str) -> tuple[Any, ...]:
    """All that is stored, in order, rejected and told."""
    night: Night = land(settings, lambda _: httpx2.Response(200, content=text.encode()))
    records = {
        name: frame.sort(pl.all().exclude("revision"), "revision", nulls_last=True).rows()
        for name, frame in night.records.items()
    }
    return records, night.rejected, {*night.told}


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
