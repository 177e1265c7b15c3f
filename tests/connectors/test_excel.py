"""Spreadsheets: cells become the text that they stand for, and the table is found among what surrounds it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import xlsxwriter

from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

Rows = list[list[Any]]
SITES = {"record_type": "parking_site", "fields": {"site_id": "Nr.", "name": "Name", "capacity": "Plätze"}}
TABLE: Rows = [["Nr.", "Name", "Plätze"], ["01", "Markt", 320], ["02", "Bad", 140.0]]


def workbook(sheets: dict[str, Rows]) -> bytes:
    """A spreadsheet with these cells; a datetime is a real date."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        date = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for y, row in enumerate(rows):
                for x, cell in enumerate(row):
                    if isinstance(cell, datetime):
                        sheet.write_datetime(y, x, cell, date)
                    elif cell is not None:
                        sheet.write(y, x, cell)
    return file.getvalue()


def opendocument(rows: Rows) -> bytes:
    """The least that an ods file needs."""
    spaces = "urn:oasis:names:tc:opendocument:xmlns:"
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    content = (
        f'<office:document-content xmlns:office="{spaces}office:1.0" xmlns:table="{spaces}table:1.0"'
        f' xmlns:text="{spaces}text:1.0"><office:body><office:spreadsheet><table:table table:name="Daten">'
        f"{cells}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return file.getvalue()


@pytest.fixture
def table(source: Callable[..., Any], read: Callable[..., list[RawTable]]) -> Callable[..., RawTable]:
    """The one table of a spreadsheet."""

    def parse(body: bytes, **settings: Any) -> RawTable:
        (found,) = read(source("excel", **{**SITES, **settings}), body)
        return found

    return parse


def test_text_keeps_its_zeros_and_numbers_gain_none(table: Callable[..., RawTable]) -> None:
    found = table(workbook({"Daten": TABLE}))
    assert found.frame.select("site_id", "name", "capacity").rows() == [
        ("01", "Markt", "320"),
        ("02", "Bad", "140"),
    ]
    assert found.frame["@row"].to_list() == [2, 3], "rows are counted as the spreadsheet counts them"


def test_an_opendocument_table_is_read_alike(table: Callable[..., RawTable]) -> None:
    found = table(opendocument(TABLE))
    assert found.frame["site_id"].to_list() == ["01", "02"]


def test_real_dates_are_iso_whatever_their_format(table: Callable[..., RawTable]) -> None:
    rows = [["Nr.", "Zeit", "Wert"], ["a", datetime.fromisoformat("2026-01-02T03:04"), 1.5]]
    settings = {
        "record_type": "observation",
        "fields": {"datastream_id": "Nr.", "value": "Wert"},
        "time": {"column": "Zeit", "zone": "utc"},
    }
    found = table(workbook({"Daten": rows}), **settings)
    assert found.frame.select("@time", "value").rows() == [("2026-01-02 03:04:00", "1.5")]


def test_the_header_is_found_below_any_preamble_and_its_line_breaks_do_not_matter(
    table: Callable[..., RawTable],
) -> None:
    header = ["Nr.", "Name\n", "Anzahl\nPlätze"]
    rows = [["Stand 1.1.2026"], [], [None, "Parkhäuser"], header, *TABLE[1:]]
    settings = {
        "header": ("Nr.", "Anzahl Plätze"),
        "fields": {"site_id": "Nr.", "name": "Name", "capacity": "Anzahl Plätze"},
    }
    found = table(workbook({"Daten": rows}), **settings)
    assert found.frame.select("@row", "site_id", "capacity").rows() == [(5, "01", "320"), (6, "02", "140")]
    with pytest.raises(ReadError, match=r"no header with the columns Nr\., Bezirk"):
        table(workbook({"Daten": rows}), header=("Nr.", "Bezirk"))


def test_sums_and_notes_are_no_data(table: Callable[..., RawTable]) -> None:
    rows = [*TABLE, ["Summe", None, 460], [None, "Stand: heute"], ["03", "unter dem Strich", 9]]
    found = table(workbook({"Daten": rows}), until_blank="Nr.", drop={"Nr.": "Summe|Gesamt"})
    assert found.frame["site_id"].to_list() == ["01", "02"]


def test_the_named_sheet_is_read_and_an_unknown_one_is_an_error(table: Callable[..., RawTable]) -> None:
    body = workbook({"Deckblatt": [["Parken"]], "Daten": TABLE})
    assert table(body, sheet="Daten").frame.height == 2
    with pytest.raises(ReadError, match="no sheet 'Werte'; it has Deckblatt, Daten"):
        table(body, sheet="Werte")


def test_columns_without_a_name_are_left_out_and_unknown_ones_reported(
    table: Callable[..., RawTable],
) -> None:
    rows = [["Nr.", None, "Name", "Plätze", "Bezirk"], ["01", "x", "Markt", 320, "Mitte"]]
    assert table(workbook({"Daten": rows})).unknown_fields == ("Bezirk",)
    with pytest.raises(ReadError, match=r"more than one column Nr\."):
        table(workbook({"Daten": [["Nr.", "Nr.", "Name", "Plätze"], ["1", "2", "A", 3]]}))
    with pytest.raises(ReadError, match=r"lacks the column\(s\) Plätze; it has"):
        table(workbook({"Daten": [["Nr.", "Name"], ["1", "A"]]}))


def test_what_unfolds_to_more_than_is_allowed_is_refused_before_it_unfolds(
    table: Callable[..., RawTable],
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 10_000_000)
    with pytest.raises(ReadError, match=r"unfolds to 1 parts of 10000000 bytes: raise http\.max_bytes"):
        table(file.getvalue(), http={"max_bytes": 1_000_000})


def test_a_sheet_without_rows_has_no_header(table: Callable[..., RawTable]) -> None:
    with pytest.raises(ReadError, match="no header"):
        table(workbook({"Leer": []}))
