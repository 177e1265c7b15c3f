"""CSV as municipalities really publish it: any dialect and encoding, wide tables, broken rows."""

from __future__ import annotations

import codecs
import gzip
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from pydantic import ValidationError

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import RawTable
from tests.connectors.conftest import MakeSession, MakeSource, ReadBody, ReadRecords, zipped

SITES = {"record_type": "parking_site", "fields": {"site_id": "id", "name": "name"}}


@pytest.fixture
def table(source: MakeSource, read: ReadBody) -> Callable[..., RawTable]:
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
    table: Table, source: MakeSource, read: ReadBody, torn: str
) -> None:
    body = f"id,name\n1,A\n{torn}\n\n3,C\n".encode()
    found = table(body)
    assert [(row.row, row.rule, row.raw) for row in found.broken] == [
        (2, "quote_is_never_closed", f"{torn}\n")
    ]
    assert found.frame.rows() == [(1, "1", "A"), (4, "3", "C")]
    kept = source("csv", **SITES, store="mapped").redact_answer("data", body)
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


def apart(table: RawTable) -> list[tuple[int, str, str]]:
    return [(row.row, row.rule, row.raw) for row in table.broken]


@pytest.mark.parametrize(
    ("lines", "whole", "torn"),
    [
        (["1;Park", "haus;10", "2;West;20"], ["2"], ["1;Park", "haus;10"]),
        (["1;Park", "Mitte", "Süd;10", "2;West;20"], ["2"], ["1;Park", "Mitte", "Süd;10"]),
        (["1;Park", "", "haus;10", "2;West;20"], ["2"], ["1;Park", "haus;10"]),
        (["1;West;20", "Quelle: Stadt"], ["1"], ["Quelle: Stadt"]),
        (["1;West;20", '2;"Nord";3', "3;Pa"], ["1", "2"], ["3;Pa"]),
        (['1;5" am;Markt', "2;Pa", 'rk 3";7', "4;Ost;1"], ["1", "4"], ["2;Pa", 'rk 3";7']),
        (['1;"a\nb";3', "2;Pa", "rk;7", "4;O;1;", "5;Ost;1"], ["1", "4", "5"], ["2;Pa", "rk;7"]),
    ],
)
def test_a_row_torn_by_a_line_break_is_set_apart(
    source: MakeSource, read: ReadBody, lines: list[str], whole: list[str], torn: list[str]
) -> None:
    body = "\n".join(["id;name;capacity", *lines])
    (found,) = read(source("csv", **SITES, delimiter=";"), body.encode())
    assert found.frame["site_id"].to_list() == whole
    assert [(rule, raw) for _, rule, raw in apart(found)] == [("too_few_cells", row) for row in torn]
    kept = source("csv", **SITES, delimiter=";", store="mapped").redact_answer("data", body.encode())
    (again,) = read(source("csv", **SITES, delimiter=";", store="mapped"), kept)
    assert [(row, rule) for row, rule, _ in apart(again)] == [(row, rule) for row, rule, _ in apart(found)]


def test_empty_cells_at_the_end_of_a_row_may_be_left_out_and_that_is_told(table: Table) -> None:
    found = table("id,name,a,b\n1,A\n2,B\n3,C,x,y\n4,D,z\n")
    assert rows(found) == [("1", "A"), ("2", "B"), ("3", "C"), ("4", "D")]
    assert [note.code for note in found.notes] == ["short_rows"]
    assert "3 row(s), such as 1," in found.notes[0].text


def test_what_stands_below_the_data_is_not_called_torn(table: Table) -> None:
    found = table("id,name,n\n1,A,2\nSumme\n,,\nQuelle\n", drop={"id": "Summe"}, until_blank="id")
    assert (rows(found), found.broken) == ([("1", "A")], ())


def test_a_header_that_stands_in_the_middle_again_is_no_row(table: Table) -> None:
    found = table('"id",name\n1,A\nid,name\n2,B\nid,x\n ID , Name\n3,C\n')
    assert rows(found) == [("1", "A"), ("2", "B"), ("id", "x"), ("3", "C")]
    assert [note.code for note in found.notes] == ["repeated_header"]


@pytest.mark.parametrize(
    "header",
    [
        "Nr;Pla\u0308tze je Ebene",
        " Nr\u00a0;Plätze\u00a0je  Ebene",
        "'Nr';„Plätze je Ebene“",
        '"Nr";"Plätze\nje Ebene"',
        "\ufeffNr;Plätze je\u200b Ebene",
    ],
)
def test_a_name_is_the_same_whatever_blanks_quotes_and_marks_are_in_it(table: Table, header: str) -> None:
    fields = {"site_id": "Nr", "name": "Plätze je Ebene"}
    assert rows(table(f"{header}\n1;10\n", fields=fields, delimiter=";")) == [("1", "10")]


def test_a_quote_within_a_name_is_a_letter(table: Table) -> None:
    fields = {"site_id": "id", "name": 'Rohr 5" lang'}
    assert rows(table('id;"Rohr 5"" lang"\n1;A\n', fields=fields, delimiter=";")) == [("1", "A")]


def test_a_column_that_is_there_twice_is_refused_only_where_it_is_mapped(table: Table) -> None:
    with pytest.raises(ReadError, match=r"has more than one column name: rename all but one"):
        table("id,name,name\n1,A,B\n")
    assert table("id,name,x,x,,\n1,A,B,C,,\n").unknown_fields == ("x", "x (2)")


def test_a_line_that_names_the_separator_is_no_header(table: Table) -> None:
    assert rows(table("sep=;\r\nid;name\r\n1;A,B\r\n")) == [("1", "A,B")]
    assert rows(table('"sep=;"\nid;name\n1;A\n', skip_lines=1, delimiter=";")) == [("1", "A")]


def test_a_column_may_have_other_names_in_other_years(table: Table) -> None:
    settings = {"aliases": {"name": ("Bezeichnung", "Titel")}}
    for header in ("id,name", "id,Bezeichnung", "Titel,id", "id,name,Titel"):
        found = table(
            f"{header}\n1,1,1\n".replace(",1,1\n", ",1\n" if header.count(",") == 1 else ",1,1\n"), **settings
        )
        assert rows(found) == [("1", "1")]
    with pytest.raises(ReadError, match=r"lacks the column\(s\) name; it has id, Name"):
        table("id,Name\n1,A\n", **settings)


def test_all_other_columns_can_be_kept_as_an_object(table: Table, source: MakeSource, read: ReadBody) -> None:
    settings = {
        "record_type": "place", "fields": {"place_id": "id", "name": "name"}, "constants": {"category": "other"},
        "rest": "attributes", "ignore": ("x",), "nulls": ("-",),
    }  # fmt: skip
    body = b"id,name,Baum,H\xc3\xb6he,x\n1,A,Linde,12,9\n2,B,,-,9\n"
    for store in ("whole", "mapped"):
        declared = source("csv", **settings, store=store)
        (found,) = read(declared, declared.redact_answer("data", body))
        assert found.frame["attributes"].to_list() == ['{"Baum":"Linde","Höhe":"12"}', None]
        assert found.unknown_fields == ()
    with pytest.raises(ValidationError, match="rest is name, which fields maps already"):
        source("csv", **{**settings, "rest": "name"})


@pytest.fixture
def make(source: MakeSource, records: ReadRecords) -> tuple[Any, Any]:
    """Both ways from settings to records."""
    return source, records


HOURLY: dict[str, Any] = {
    "record_type": "observation",
    "constants": {"observed_property": "traffic.vehicle_count", "unit": "1"},
    "delimiter": ";",
}


@pytest.mark.parametrize(
    ("body", "fields", "time", "unpivot"),
    [
        (
            "z;Tag;Std;n\na;260201;01;5\na;260201;24;7\n",
            {"datastream_id": "z", "value": "n"},
            {"columns": ("Tag", "Std"), "format": "%y%m%d %H", "hour24": True},
            None,
        ),
        (
            "Tag;01;24\n01.02.2026;5;7\n",
            {},
            {"columns": ("Tag", "std"), "format": "%d.%m.%Y %H", "hour24": True},
            {"columns": r"(?P<std>\d\d)"},
        ),
        (
            "z;Tag;Zeit;n\na;2026-02-01 00:00:00;01:00;5\na;2026-02-02 00:00:00;00:00;7\n",
            {"datastream_id": "z", "value": "n"},
            {"columns": ("Tag", "Zeit")},
            None,
        ),
    ],
    ids=["hour-1-to-24", "a-column-per-hour", "day-with-midnight-and-time"],
)
def test_a_time_may_be_in_several_columns(
    make: tuple[Any, Any], body: str, fields: dict[str, str], time: dict[str, Any], unpivot: Any
) -> None:
    source, records = make
    rule = {"zone": "cet_fixed", "stamp": "interval_end", "interval": "1 hour", **time}
    constants = {**HOURLY["constants"], **({} if fields else {"datastream_id": "a"})}
    declared = source("csv", **{**HOURLY, "constants": constants}, fields=fields, time=rule, unpivot=unpivot)
    found = records(declared, body.encode())["observation"]
    assert [(f"{row['phenomenon_start']:%d %H}", row["value"]) for row in found] == [
        ("31 23", 5),
        ("01 22", 7),
    ]


def test_a_column_per_year_stands_for_the_whole_of_it(source: MakeSource, records: ReadRecords) -> None:
    time = {"zone": "local_wall", "format": "period"}
    settings = {
        "record_type": "statistic", "fields": {"area_id": "Stadtteil"},
        "constants": {"indicator_id": "einwohner", "category": "b"},
    }  # fmt: skip
    body = b"Stadtteil,2019,2020\nMitte,12,13\n"
    for group, column in (("period_start", "Stadtteil"), ("Jahr", "Jahr")):
        unpivot = {"columns": rf"(?P<{group}>\d{{4}})"}
        declared = source("csv", **settings, unpivot=unpivot, time={**time, "column": column})
        found = records(declared, body)["statistic"]
        assert [(f"{r['period_start']:%F %H}", f"{r['period_end']:%F %H}", r["value"]) for r in found] == [
            ("2018-12-31 23", "2019-12-31 23", 12),
            ("2019-12-31 23", "2020-12-31 23", 13),
        ]


def test_columns_may_be_filled_by_the_preamble_and_by_the_address(source: MakeSource, read: ReadBody) -> None:
    body = b"Stand: 01.02.2026 08:00\n\nid;name\n1;A\n"
    settings = {
        **SITES, "fields": {"site_id": "id", "name": "Jahr", "operator": "Stand"}, "delimiter": ";", "header": ("id",),
        "preamble": {"Stand": r"^Stand: (\S+)"}, "file_name": {"Jahr": r"example"},
    }  # fmt: skip
    for store in ("whole", "mapped"):
        declared = source("csv", **settings, store=store)
        (found,) = read(declared, declared.redact_answer("data", body))
        assert found.frame.select("site_id", "name", "operator").rows() == [("1", "example", "01.02.2026")]
    with pytest.raises(ReadError, match=r"nothing like 'Datum' of preamble\.Stand"):
        read(source("csv", **{**settings, "preamble": {"Stand": "Datum"}}), body)
    with pytest.raises(ReadError, match=r"an address without '_\\\\d\+' of file_name\.Jahr"):
        read(source("csv", **{**settings, "file_name": {"Jahr": r"_\d+"}}), body)


def test_lines_may_end_as_on_old_macs(table: Table) -> None:
    assert rows(table("id,name\r1,Nord\r2,S\u00fcd\r")) == [("1", "Nord"), ("2", "Süd")]


def test_what_a_spreadsheet_could_not_work_out_is_no_value_and_told(table: Table) -> None:
    found = table("id,name\n1,#NV\n#REF!,Nord\n2, #DIV/0! \n3,#12 Markt\n")
    assert rows(found) == [("1", None), (None, "Nord"), ("2", None), ("3", "#12 Markt")]
    assert [note.text for note in found.notes] == [
        "3 cell(s) are errors of a spreadsheet, such as #REF!: taken as no value"
    ]
    assert not table("id,name\n1,#1\n").notes


@pytest.mark.parametrize(("last", "noted"), [("Summe", True), ("GESAMT:", True), ("Gesamtschule", False)])
def test_a_last_row_that_may_be_the_sum_of_the_others_is_told(table: Table, last: str, noted: bool) -> None:
    found = table(f"id,name\n1,Nord\n{last},x\n")
    assert [note.code for note in found.notes] == ["total_row"] * noted
    assert not table(f"id,name\n1,Nord\n{last},x\n", drop={"id": re.escape(last)}).notes


@pytest.mark.parametrize(
    ("body", "noted"),
    [
        ("id,name\n1,Nord\nQuelle: Amt,\n", True),
        ("id,name\n1,Nord\n2,Dom\n", False),
        ("id,name\n1,\n2,\n", False),
        ("id,name\n1,\n", False),
    ],
)
def test_a_last_row_that_may_be_a_remark_is_told(table: Table, body: str, noted: bool) -> None:
    assert [note.code for note in table(body).notes] == ["row_below_table"] * noted


def test_single_wrong_bytes_are_mended_alone_and_told(table: Table) -> None:
    body = "id,name\n1,Süd\n".encode() + "2,Größe „x“\n".encode("cp1252") + "3,Öl".encode()
    found = table(body)
    assert rows(found) == [("1", "Süd"), ("2", "Größe „x“"), ("3", "Öl")]
    assert [(note.code, note.text[:6]) for note in found.notes] == [("wrong_bytes", "line 3")]


@pytest.mark.parametrize(
    ("text", "page"), [("Münster", "cp850"), ("Säge", "cp437"), ("Straße", "cp850"), ("Größe", "mac-roman")]
)
def test_a_code_page_that_is_not_tried_asks_for_the_encoding(table: Table, text: str, page: str) -> None:
    body = f"id,name\n1,{text}\n".encode(page)
    with pytest.raises(ReadError, match=r"neither UTF-8 nor windows-1252 .*set encoding"):
        table(body)
    assert rows(table(body, encoding=page)) == [("1", text)]


@pytest.mark.parametrize(
    "body", ["id,name\n1,Süd\n".encode("utf-16-le"), "id,name\n1,Süd\n".encode("utf-16-be")]
)
def test_wide_characters_need_no_mark(table: Table, body: bytes) -> None:
    assert rows(table(body)) == [("1", "Süd")]


def test_a_missing_column_is_named_beside_those_that_are_there(table: Table) -> None:
    with pytest.raises(ReadError, match=r"lacks the column\(s\) name; it has id, Name"):
        table("id,Name\n1,A\n")


def test_columns_that_nobody_maps_are_reported_unless_they_are_ignored(table: Table) -> None:
    body = "id,name,neu,alt_1,alt_2\n1,A,x,y,z\n"
    assert table(body).unknown_fields == ("neu", "alt_1", "alt_2")
    assert table(body, ignore=(r"alt_\d",)).unknown_fields == ("neu",)


def test_one_column_may_fill_several_fields(table: Table) -> None:
    assert rows(table("id\n7\n", fields={"site_id": "id", "name": "id"})) == [("7", "7")]


def test_rows_that_are_alike_are_counted_where_an_id_asks_for_it(table: Table, source: MakeSource) -> None:
    body = "place,kind\nA,x\nB,x\nA,y\nA,x\n"
    fields = {"site_id": ("place", "kind", "@nth"), "name": ("@nth", "place")}
    counted = [("A/x/1", "1/A"), ("B/x/1", "1/B"), ("A/y/1", "2/A"), ("A/x/2", "3/A")]
    assert rows(table(body, fields=fields)) == counted
    kept = source("csv", **{**SITES, "fields": fields, "store": "mapped"}).redact_answer(
        "data", body.encode()
    )
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
        ({**SITES, "encoding": "klingon"}, "'klingon' is no encoding of text"),
        ({**SITES, "encoding": "base64"}, "'base64' is no encoding of text"),
        ({**SITES, "codes": {"name": {"a": "b"}}}, "is no field of codes"),
        ({**SITES, "codes": {"site_type": {"P": "garage"}}}, "maps to 'garage'; allowed: car_park"),
        ({**SITES, "constants": {"free": "1"}}, "is no field of parking_site"),
        (
            {**SITES, "constants": {"capacity": "viele"}},
            "is 'viele', which is no integer that capacity may be",
        ),
        ({**SITES, "constants": {"has_fee": "teils"}}, "is 'teils', which is no boolean"),
        ({**SITES, "constants": {"site_type": "carpark"}}, "did you mean car_park"),
        ({"record_type": "parking_status", "fields": {"site_id": "id"}}, "time is needed"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_fetched(
    source: MakeSource, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        source("csv", **settings)


def test_one_request_per_address_with_the_values_that_made_it(
    source: MakeSource, session: MakeSession
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


def test_sums_and_notes_are_no_data(source: MakeSource, read: ReadBody) -> None:
    body = b"id,name,n\n1,A,3\nSumme,,3\n2,B,4\n,Stand: heute,\n9,unter dem Strich,1\n"
    settings = {"record_type": "parking_site", "fields": {"site_id": "id", "name": "name", "capacity": "n"}}
    (found,) = read(source("csv", **settings, until_blank="id", drop={"id": "Summe"}), body)
    assert found.frame.select("@row", "site_id").rows() == [(1, "1"), (3, "2")]
    with pytest.raises(ReadError, match=r"lacks the column\(s\) Nr; it has id, name, n"):
        read(source("csv", **settings, until_blank="Nr"), body)


def test_a_column_of_geometries_fills_position_and_shape(source: MakeSource, records: ReadRecords) -> None:
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


@pytest.mark.parametrize("pack", [gzip.compress, lambda body: zipped({"a.csv": body})], ids=["gzip", "zip"])
def test_a_large_file_that_came_packed_is_read_in_portions(
    source: MakeSource,
    read: ReadBody,
    pack: Callable[[bytes], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts = source(
        "csv",
        record_type="observation",
        fields={"datastream_id": "id", "value": "v"},
        time={"column": "t", "zone": "utc"},
        constants={"observed_property": "traffic.bicycle_count", "unit": "1", "station_id": "1"},
    )
    body = b"id,t,v\n" + b"".join(b"a,2026-07-01T10:%02d:00Z,%d\n" % (n, n) for n in range(60))
    (whole,) = read(counts, body)
    monkeypatch.setattr("civitas_assets.spool.MOST_IN_MEMORY", 500)
    monkeypatch.setattr("civitas_assets.connectors.content.text_portions.PORTION", 500)
    tables = read(counts, pack(body))
    assert len(tables) > 2
    assert pl.concat([table.frame for table in tables]).equals(whole.frame)
