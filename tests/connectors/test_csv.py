"""CSV as municipalities really publish it: any dialect and encoding, wide tables, broken rows."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import RawTable

SITES = {"record_type": "parking_site", "fields": {"site_id": "id", "name": "name"}}


@pytest.fixture
def table(source: Callable[..., Any], read: Callable[..., list[RawTable]]) -> Callable[..., RawTable]:
    """Reads text or bytes as parking sites, unless settings say otherwise."""

    def parse(body: str | bytes, **settings: Any) -> RawTable:
        whole = body.encode() if isinstance(body, str) else body
        (only,) = read(source("csv", **{**SITES, **settings}), whole)
        return only

    return parse


Table = Callable[..., RawTable]


def rows(table: RawTable) -> list[tuple[Any, ...]]:
    return table.frame.select("site_id", "name").rows()


def test_delimiter_and_quote_are_as_declared(table: Table) -> None:
    assert rows(table("id;name\n1;'a;b'\n", delimiter=";", quote="'")) == [("1", "a;b")]
    assert rows(table("id\tname\n1\tA\n", delimiter="\t")) == [("1", "A")]


@pytest.mark.parametrize(
    "body",
    [
        "id,name\n1,Süd €\n".encode(),
        codecs.BOM_UTF8 + "id,name\n1,Süd €\n".encode(),
        "id,name\n1,Süd €\n".encode("cp1252"),
        codecs.BOM_UTF16_LE + "id,name\n1,Süd €\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "id,name\n1,Süd €\n".encode("utf-16-be"),
        "id,name\n1,Süd \x80\n".encode(),
        b"id,name\r\n1,S\xfcd \x80\r\n",
    ],
    ids=["utf-8", "utf-8-bom", "cp1252", "utf-16-le", "utf-16-be", "c1-in-utf-8", "cp1252-crlf"],
)
def test_every_usual_encoding_gives_the_same_text(table: Table, body: bytes) -> None:
    assert rows(table(body)) == [("1", "Süd €")]


def test_a_declared_encoding_is_held_against_the_bytes(table: Table) -> None:
    assert rows(table("id,name\n1,Żó\n".encode("cp1250"), encoding="cp1250")) == [("1", "Żó")]
    with pytest.raises(ReadError, match=r"is not utf-8 text: byte 11 is 0xfc; set encoding"):
        table(b"id,name\n1,S\xfcd\n", encoding="utf-8")
    with pytest.raises(ReadError, match="encoding 'klingon' is not known"):
        table(b"id,name\n", encoding="klingon")


def test_a_header_below_a_preamble_is_found_by_its_columns(table: Table) -> None:
    preamble = 'Stand: 01.08.2026\n"Quelle; mit\nUmbruch"\n\n'
    settings = {"header": ("id", "name"), "delimiter": ";"}
    assert rows(table(preamble + "nr; id ;name\n9;1;A\n", **settings)) == [("1", "A")]
    assert rows(table("id;name\n1;A\n", **settings)) == [("1", "A")]
    assert rows(table("x\ny\nid,name\n1,A\n", skip_lines=2)) == [("1", "A")]
    with pytest.raises(ReadError, match="no header with the columns id, name"):
        table("a;b\n1;2\n", **settings)


def test_cells_may_span_lines_and_hold_quotes(table: Table) -> None:
    assert rows(table('id,name\n1,"Platz\nam ""Markt"""\n2,B\n')) == [("1", 'Platz\nam "Markt"'), ("2", "B")]


def test_everything_is_text_so_that_leading_zeros_survive(table: Table) -> None:
    assert rows(table("id,name\n007,07743\n1e5,1.0\n")) == [("007", "07743"), ("1e5", "1.0")]


def test_a_last_line_without_its_end_and_blank_lines_are_read_as_people_do(table: Table) -> None:
    found = table("id,name\n1,A\n\n,\n2,B").frame
    assert found.select("@row", "site_id").rows() == [(1, "1"), (4, "2")]


def test_a_header_alone_is_a_table_without_rows(table: Table) -> None:
    for body in ("id,name\n", "id,name"):
        assert table(body).frame.height == 0


def test_a_row_with_too_many_cells_is_set_apart_and_the_others_go_on(table: Table) -> None:
    found = table('id,name\n1,A\n2,B,C\n3,"D,E"\n4,F,\n')
    assert found.frame.rows() == [(1, "1", "A"), (3, "3", "D,E"), (4, "4", "F")]
    (broken,) = found.broken
    assert (broken.row, broken.rule, broken.detail, broken.raw) == (
        2,
        "too_many_cells",
        "3 cells, 2 columns",
        "2,B,C",
    )


@pytest.mark.parametrize("torn", ['"2,B', '2,"B', '2,B,"C'])
def test_a_quote_that_is_never_closed_takes_no_other_line_along(
    table: Table, source: Any, read: Any, torn: str
) -> None:
    body = f"id,name\n1,A\n{torn}\n\n3,C\n".encode()
    found = table(body)
    assert [(row.row, row.rule, row.raw) for row in found.broken] == [
        (2, "quote_is_never_closed", f"{torn}\n")
    ]
    assert found.frame.rows() == [(1, "1", "A"), (4, "3", "C")]
    kept = source("csv", **SITES, store="mapped").storable("data", body)
    assert b"B" not in kept
    assert [(row.row, row.rule, row.raw) for row in read(source("csv", **SITES), kept)[0].broken] == [
        (2, "quote_is_never_closed", "")
    ]


def test_a_quote_within_a_word_is_a_letter(table: Table) -> None:
    found = table('id,name\n1,Rohr 12"\n2,B\n')
    assert found.broken == ()
    assert rows(found) == [("1", 'Rohr 12"'), ("2", "B")]


def test_a_file_that_was_cut_within_a_cell_loses_no_more_than_that_row(table: Table) -> None:
    found = table('id,name\n1,"A\nB"\n2,"C')
    assert rows(found) == [("1", "A\nB")]
    assert [row.raw for row in found.broken] == ['2,"C']


def test_broken_rows_below_a_preamble_are_counted_from_the_header(table: Table) -> None:
    found = table("Stand: heute\nid,name\n1,A\n2,B,C\n3,D\n", header=("id", "name"))
    assert found.frame["site_id"].to_list() == ["1", "3"]
    assert [broken.row for broken in found.broken] == [2]


def test_a_row_with_too_few_cells_has_nothing_in_the_others(table: Table) -> None:
    assert rows(table("id,name\n1\n2,B\n")) == [("1", None), ("2", "B")]


def test_a_missing_column_is_named_beside_those_that_are_there(table: Table) -> None:
    with pytest.raises(ReadError, match=r"lacks the column\(s\) name; it has id, Name"):
        table("id,Name\n1,A\n")


def test_columns_that_nobody_maps_are_reported_unless_they_are_ignored(table: Table) -> None:
    body = "id,name,neu,alt_1,alt_2\n1,A,x,y,z\n"
    assert table(body).unknown_fields == ("neu", "alt_1", "alt_2")
    assert table(body, ignore=(r"alt_\d",)).unknown_fields == ("neu",)


def test_one_column_may_fill_several_fields(table: Table) -> None:
    assert rows(table("id\n7\n", fields={"site_id": "id", "name": "id"})) == [("7", "7")]


def test_rows_that_are_alike_are_counted_where_an_id_asks_for_it(
    table: Table, source: Callable[..., Any]
) -> None:
    body = "place,kind\nA,x\nB,x\nA,y\nA,x\n"
    fields = {"site_id": ("place", "kind", "@nth"), "name": ("@nth", "place")}
    counted = [("A/x/1", "1/A"), ("B/x/1", "1/B"), ("A/y/1", "2/A"), ("A/x/2", "3/A")]
    assert rows(table(body, fields=fields)) == counted
    kept = source("csv", **{**SITES, "fields": fields, "store": "mapped"}).storable("data", body.encode())
    assert rows(table(kept, fields=fields, store="mapped")) == counted
    with pytest.raises(ValidationError, match=r"fields.site_id needs columns besides one @nth"):
        table(body, fields={"site_id": "@nth"})


WIDE = "Zeit,100 (Nord),100-status,200 (Süd),Wetter\n12:00,5,ok,7,sonnig\n12:15,,,8,\n"
UNPIVOT = {
    "record_type": "observation",
    "fields": {},
    "time": {"column": "Zeit", "zone": "utc"},
    "unpivot": {
        "columns": r"(?P<datastream_id>\d+) \((?P<datastream_name>.+)\)",
        "companions": {"quality_native": r"(?P<datastream_id>\d+)-status"},
    },
}


def test_columns_that_carry_ids_become_rows_with_their_companions(table: Table) -> None:
    found = table(WIDE, **UNPIVOT)
    columns = ["@row", "@time", "datastream_id", "datastream_name", "value", "quality_native"]
    assert found.frame.select(columns).rows() == [
        (1, "12:00", "100", "Nord", "5", "ok"),
        (2, "12:15", "100", "Nord", None, None),
        (1, "12:00", "200", "Süd", "7", None),
        (2, "12:15", "200", "Süd", "8", None),
    ]
    assert found.unknown_fields == ("Wetter",)


def test_a_wide_table_without_any_such_column_is_an_error(table: Table) -> None:
    with pytest.raises(ReadError, match="no column that matches"):
        table("Zeit,Wetter\n12:00,x\n", **UNPIVOT)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"record_type": "parking_site"}, "fields or unpivot is needed"),
        ({**SITES, "ignore": ("(",)}, "is not a regular expression"),
        ({**SITES, "delimiter": ";;"}, "at most 1 character"),
        ({**SITES, "codes": {"name": {"a": "b"}}}, "is no field of codes"),
        (
            {**SITES, "codes": {"site_type": {"P": "garage"}}},
            "maps to 'garage'; allowed: car_park",
        ),
        ({**SITES, "constants": {"free": "1"}}, "is no field of parking_site"),
        ({"record_type": "parking_status", "fields": {"site_id": "id"}}, "time is needed"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_fetched(
    source: Callable[..., Any], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        source("csv", **settings)


def test_one_request_per_address_with_the_values_that_made_it(
    source: Callable[..., Any], session: Any
) -> None:
    declared = source(
        "csv", **{**SITES, "url": "https://data.example/{town}/{month:%m}.csv", "each": {"town": ("a", "b")}}
    )
    asked = session(lambda request: b"x" if "/a/" in request.url else None)
    CONNECTORS["csv"].fetch(declared, Window(date(2026, 1, 31), date(2026, 2, 1)), ZoneInfo("UTC"), asked)
    assert [(request.url[20:], request.variables) for request in asked.requests] == [
        ("/a/01.csv", {"town": "a"}),
        ("/a/02.csv", {"town": "a"}),
        ("/b/01.csv", {"town": "b"}),
        ("/b/02.csv", {"town": "b"}),
    ]
    with pytest.raises(
        FetchError, match=r"none of 4 address\(es\) was found, the first is https://data.example/a/01"
    ):
        CONNECTORS["csv"].fetch(
            declared, Window(date(2026, 1, 31), date(2026, 2, 1)), ZoneInfo("UTC"), session({})
        )


def test_a_recorded_month_of_bicycle_counts_is_read_whole(table: Table, payloads: Path) -> None:
    body = (payloads / "ecocounter_muenster" / "100031297_2019-10.csv").read_bytes()
    unpivot = {**UNPIVOT, "time": {"column": "Datetime", "zone": "utc"}}
    found = table(body, **unpivot)
    assert found.frame["@row"].max() == 2976
    assert found.frame.height % 2976 == 0
    assert not found.broken


def test_sums_and_notes_are_no_data(source: Callable[..., Any], read: Callable[..., list[RawTable]]) -> None:
    body = b"id,name,n\n1,A,3\nSumme,,3\n2,B,4\n,Stand: heute,\n9,unter dem Strich,1\n"
    settings = {"record_type": "parking_site", "fields": {"site_id": "id", "name": "name", "capacity": "n"}}
    (found,) = read(source("csv", **settings, until_blank="id", drop={"id": "Summe"}), body)
    assert found.frame.select("@row", "site_id").rows() == [(1, "1"), (3, "2")]
    with pytest.raises(ReadError, match=r"lacks the column\(s\) Nr; it has id, name, n"):
        read(source("csv", **settings, until_blank="Nr"), body)


def test_a_column_of_geometries_fills_position_and_shape(source: Any, records: Any) -> None:
    body = """id;form
1;"SRID=25832;POINT (405000 5757000)"
2;0101000020E61000009A99999999991E40CDCCCCCCCCFC4940
3;LINESTRING (7.6 51.9, 7.7 51.9)
"""
    fields = {"place_id": "id", "geometry": "form"}
    constants = {"category": "other"}
    declared = source("csv", record_type="place", fields=fields, delimiter=";", constants=constants)
    found = records(declared, body.encode())["place"]
    assert [(row["lon"], row["lat"]) for row in found] == [
        (7.6175158, 51.9555764),
        (7.65, 51.975),
        (7.7, 51.9),  # a point on the line
    ]
    assert [row["geometry"][1] for row in found] == [1, 1, 2]  # WKB: points and a line
