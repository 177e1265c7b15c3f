"""Spreadsheets: cells become the text that they stand for, and the table is found among what surrounds it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import xlsxwriter

from civitas_assets.connectors.files.sheets import read_sheet_cells
from civitas_assets.connectors.files.workbook import Range, read_layout
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from tests.connectors.conftest import MakeSource, ReadBody

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


def opendocument(rows: Rows, inner: str = "") -> bytes:
    """The least that an ods file needs, with these cells and further rows as they are written."""
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
        f"{cells}{inner}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return file.getvalue()


@pytest.fixture
def table(source: MakeSource, read: ReadBody) -> Callable[..., RawTable]:
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
    rows: Rows = [["Nr.", "Zeit", "Wert"], ["a", datetime.fromisoformat("2026-01-02T03:04"), 1.5]]
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
    rows: Rows = [["Stand 1.1.2026"], [], [None, "Parkhäuser"], header, *TABLE[1:]]
    settings = {
        "header": ("Nr.", "Anzahl Plätze"),
        "fields": {"site_id": "Nr.", "name": "Name", "capacity": "Anzahl Plätze"},
    }
    found = table(workbook({"Daten": rows}), **settings)
    assert found.frame.select("@row", "site_id", "capacity").rows() == [(5, "01", "320"), (6, "02", "140")]
    with pytest.raises(ReadError, match=r"no header with the columns Nr\., Bezirk"):
        table(workbook({"Daten": rows}), header=("Nr.", "Bezirk"))


def test_sums_and_notes_are_no_data(table: Callable[..., RawTable]) -> None:
    rows: Rows = [*TABLE, ["Summe", None, 460], [None, "Stand: heute"], ["03", "unter dem Strich", 9]]
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
    rows: Rows = [["Nr.", None, "Name", "Plätze", "Bezirk"], ["01", "x", "Markt", 320, "Mitte"]]
    assert table(workbook({"Daten": rows})).unknown_fields == ("Bezirk",)
    with pytest.raises(ReadError, match=r"more than one column Nr\."):
        table(workbook({"Daten": [["Nr.", "Nr.", "Name", "Plätze"], ["1", "2", "A", 3]]}))
    with pytest.raises(ReadError, match=r"lacks the column\(s\) Plätze; it has"):
        table(workbook({"Daten": [["Nr.", "Name"], ["1", "A"]]}))


def test_what_unfolds_to_more_than_is_allowed_is_refused_before_it_is_read(
    table: Callable[..., RawTable],
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 10_000_000)
    with pytest.raises(
        ReadError, match=r"holds more than 1000000 bytes unpacked, or 10000 parts: raise http\.max_bytes"
    ):
        table(file.getvalue(), http={"max_bytes": 1_000_000})


def test_a_sheet_without_rows_has_no_header(table: Callable[..., RawTable]) -> None:
    with pytest.raises(ReadError, match="no header"):
        table(workbook({"Leer": []}))


def formatted(*columns: list[tuple[Any, str]], **options: Any) -> bytes:
    """A spreadsheet with the columns Nr., Name and Plätze, of numbers with their formats."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, **options}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, TABLE[0])
        for x, column in enumerate(columns):
            for y, (value, form) in enumerate(column, 1):
                sheet.write(y, x, value, book.add_format({"num_format": form}))
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"date_1904": True}], ids=["from-1900", "from-1904"])
def test_times_of_day_and_durations_stay_what_they_are(table: Callable[..., RawTable], options: Any) -> None:
    offset = 1462 if options else 0
    columns = [
        [(5 / 24, "hh:mm"), (0, "hh:mm"), (46023.25 - offset, "dd.mm.yyyy hh:mm")],
        [(1.25, "[h]:mm"), (100, "[hh]:mm:ss"), (0.5, "[m]")],
        [(0.125, "0.0%"), (1, "0%"), (0.125, '0.0" %"')],
    ]
    found = table(formatted(*columns, **options)).frame
    assert found.select("site_id", "name", "capacity").rows() == [
        ("05:00:00", "30:00:00", "12.5"),
        ("00:00:00", "2400:00:00", "100"),
        ("2026-01-01 06:00:00", "12:00:00", "0.125"),
    ]


def test_a_time_made_by_a_formula_is_the_second_that_is_meant(table: Callable[..., RawTable]) -> None:
    times, moment = list[tuple[Any, str]](), 46023.0
    for _ in range(3000):
        times.append((moment, "dd.mm.yyyy hh:mm"))
        moment += 1 / 96
    found = table(formatted(times, [], [])).frame["site_id"]
    assert found.n_unique() == 3000
    assert {text[14:] for text in found} == {"00:00", "15:00", "30:00", "45:00"}
    assert table(formatted([(46023.25 + 0.3 / 86400, "hh:mm:ss.000")], [], [])).frame[
        "site_id"
    ].to_list() == ["2026-01-01 06:00:00.300"]


def test_numbers_keep_their_digits_and_errors_are_no_value(table: Callable[..., RawTable]) -> None:
    rows = [TABLE[0], [1234567890123456, "0012", 1.0], ["a_x000D_b", "=NA()", True]]
    assert table(workbook({"Daten": rows})).frame.select("site_id", "name", "capacity").rows() == [
        ("1234567890123456", "0012", "1"),
        ("a\rb", "0", "true"),
    ]


def merged() -> bytes:
    """Two rows of header and merged cells in both, and a title across the data."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for x, name in ((0, "Nr."), (1, "Name")):
            sheet.merge_range(0, x, 1, x, name)
        sheet.merge_range(0, 2, 0, 3, "Plätze")
        sheet.write_row(1, 2, ["gesamt", "frei"])
        sheet.merge_range(2, 1, 3, 1, "Nord")
        for y, row in enumerate([["E0", None, 10, 5], ["E1", None, 20, 6], ["E2", None, 30, None]], 2):
            for x, cell in enumerate(row):
                if cell is not None:
                    sheet.write(y, x, cell)
        sheet.merge_range(5, 0, 5, 3, "Bezirk Mitte")
    return file.getvalue()


@pytest.mark.parametrize("settings", [{}, {"header": ("Nr.", "Plätze frei")}, {"header_rows": 2}])
def test_merged_cells_say_the_same_in_each_row_and_name_each_column(
    table: Callable[..., RawTable], settings: Any
) -> None:
    fields = {"site_id": "Nr.", "name": "Name", "capacity": "Plätze gesamt"}
    found = table(merged(), fields=fields, **settings)
    assert found.frame.select("site_id", "name", "capacity").rows() == [
        ("E0", "Nord", "10"),
        ("E1", "Nord", "20"),
        ("E2", None, "30"),
        ("Bezirk Mitte", None, None),
    ]
    assert found.unknown_fields == ("Plätze frei",)


def test_a_table_may_begin_in_any_column(table: Callable[..., RawTable]) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        share, hours = book.add_format({"num_format": "0%"}), book.add_format({"num_format": "[h]:mm"})
        sheet = book.add_worksheet()
        sheet.write_row(0, 2, ["Nr.", "Name", "Plätze"])
        sheet.merge_range(1, 2, 2, 2, "E0")
        for row, (form, value) in enumerate([(hours, 1.25), (share, 0.5)], 1):
            sheet.write(row, 3, value, form)
            sheet.write(row, 4, row)
    assert table(file.getvalue()).frame.select("@row", "site_id", "name", "capacity").rows() == [
        (2, "E0", "30:00:00", "1"),
        (3, "E0", "50", "2"),
    ]


def with_cells(cells: str, merged: str) -> bytes:
    """A spreadsheet with the columns Nr., Name and Plätze, its further rows and merged cells as they are written."""
    source = zipfile.ZipFile(io.BytesIO(workbook({"Daten": TABLE[:1]})))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as book:
        for name in source.namelist():
            part = source.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                end = f'{cells}</sheetData><mergeCells><mergeCell ref="{merged}"/></mergeCells>'
                part = part.replace("</sheetData>", end)
            book.writestr(name, part)
    return file.getvalue()


def test_of_merged_cells_the_empty_ones_are_filled_and_hidden_ones_stay(
    table: Callable[..., RawTable],
) -> None:
    def found(*names: str | None) -> list[str | None]:
        cells = "".join(
            f'<row r="{row}"><c r="A{row}"><v>{row}</v></c>'
            + ("" if name is None else f'<c r="B{row}" t="inlineStr"><is><t>{name}</t></is></c>')
            + f'<c r="C{row}"><v>1</v></c></row>'
            for row, name in enumerate(names, 2)
        )
        return table(with_cells(cells, "B2:B3")).frame["name"].to_list()

    assert found("Nord", "", "Ost") == ["Nord", "Nord", "Ost"]
    assert found("Nord", None, "Ost") == ["Nord", "Nord", "Ost"]
    assert found("Nord", None, None) == ["Nord", "Nord", None]
    assert found("Nord", "Nordost", "Ost") == ["Nord", "Nordost", "Ost"]


def test_cells_are_unpacked_again_only_where_their_layout_may_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = list[str]()

    class Book(zipfile.ZipFile):
        def open(self, name: Any, *args: Any, **options: Any) -> Any:
            opened.append(getattr(name, "filename", name))
            return super().open(name, *args, **options)

    monkeypatch.setattr(zipfile, "ZipFile", Book)
    for body, is_unpacked in (
        (workbook({"Daten": TABLE}), False),
        (workbook({"Daten": [*TABLE, ["03", None, 1]]}), True),
        (formatted(*[[(n, "0%")] for n in range(3)]), True),
        (formatted(*[[(n, "[h]:mm")] for n in range(3)]), True),
        (formatted(*[[(n, "hh:mm")] for n in range(3)]), False),
        (merged(), True),
    ):
        opened.clear()
        read_sheet_cells(body, None)
        assert ("xl/worksheets/sheet1.xml" in opened) is is_unpacked


def test_merged_cells_are_found_behind_any_number_of_cells() -> None:
    end = b'</sheetData><mergeCells count="2"><mergeCell ref="A1:B1"/><x:mergeCell ref="C2:C9"/></mergeCells>'
    for size in (
        0,
        300_000,
        *range(2**17 - 120, 2**17 + 8, 7),
    ):  # such that a piece ends within the first one
        sheet = b"<sheetData>" + b" " * size + end
        book = io.BytesIO()
        with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(
                "xl/workbook.xml", '<workbook><sheets><sheet name="a" id="1"/></sheets></workbook>'
            )
            archive.writestr("xl/_rels/workbook.xml.rels", '<a><b Id="1" Target="sheet.xml"/></a>')
            archive.writestr("xl/sheet.xml", sheet)
        assert read_layout(book.getvalue(), "a").merged == (Range(0, 0, 1, 2), Range(1, 2, 9, 3))


def test_an_opendocument_table_keeps_times_shares_and_merged_cells(table: Callable[..., RawTable]) -> None:
    rows = """
    <table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="time"
      office:time-value="PT05H00M00S" table:number-columns-repeated="2"/><table:table-cell
      office:value-type="percentage" office:value="0.125"/></table:table-row>
    <table:table-row><table:table-cell table:number-rows-spanned="2" office:value-type="time"
      office:time-value="PT30H15M00.5S"/><table:table-cell office:value-type="float" office:value="1.0"/>
    </table:table-row>
    <table:table-row><table:covered-table-cell/><table:table-cell office:value-type="date"
      office:date-value="2026-01-01T00:14:59.999"/></table:table-row>
    """
    rows = "".join(map(str.strip, rows.replace("\n      ", " ").splitlines()))
    found = table(opendocument(TABLE[:1], rows)).frame
    assert found.select("site_id", "name", "capacity").rows() == [
        ("05:00:00", "05:00:00", "12.5"),
        ("05:00:00", "05:00:00", "12.5"),
        ("30:15:00", "1", None),
        ("30:15:00", "2026-01-01T00:15:00", None),
    ]


def test_a_spreadsheet_may_come_in_an_archive(table: Callable[..., RawTable]) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("liesmich.txt", "x")
        archive.writestr("daten.xlsx", workbook({"Daten": TABLE}))
    assert table(file.getvalue()).frame["site_id"].to_list() == ["01", "02"]
    with pytest.raises(ReadError, match=r"it has liesmich\.txt, daten\.xlsx: set member"):
        table(file.getvalue(), member="*.t?t*x")
