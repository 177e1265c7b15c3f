"""Tables are bounded by what they hold and would become, not by what they claim, whatever reads them."""

from __future__ import annotations

import io
import json
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pyogrio.raw
import pytest
import xlsxwriter

from civitas_assets.catalog.frame import DEFAULT_FRAME, Frame
from civitas_assets.connectors.sheet_extent import check_workbook
from civitas_assets.errors import ReadError

NAMESPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
CELL = '<table:table-cell office:value-type="string"{}><text:p>a</text:p></table:table-cell>'
EMPTY = (
    '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/>'
    "</table:table-row>"
)
ROW = f"<table:table-row>{CELL.format('')}</table:table-row>"
PLACES = {"record_type": "place", "fields": {"place_id": "nr"}}


def workbook(*cells: tuple[int, int], sheet: str = "a") -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.add_worksheet("b").write(0, 0, "x")
        found = book.add_worksheet(sheet)
        for row, column in cells:
            found.write(row, column, 1)
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def office(cells: str) -> bytes:
    """A sheet of xlsx with these rows and cells as they are written."""
    book = '<workbook xmlns="s" xmlns:r="r"><sheets><sheet name="a" r:id="1"/></sheets></workbook>'
    links = '<Relationships xmlns="p"><Relationship Id="1" Target="worksheets/s.xml"/></Relationships>'
    return zipped(**{
        "[Content_Types].xml": b"", "xl/workbook.xml": book.encode(), "xl/_rels/workbook.xml.rels": links.encode(),
        "xl/worksheets/s.xml": f"<worksheet><sheetData>{cells}</sheetData></worksheet>".encode(),
    })  # fmt: skip


def opendocument(*tables: str) -> bytes:
    body = "".join(
        f'<table:table table:name="{name}">{rows}</table:table>'
        for name, rows in zip("ab", tables, strict=False)
    )
    return zipped(**{"content.xml": f"<office:document {NAMESPACES}>{body}</office:document>".encode()})


def binary(*places: tuple[int, int]) -> bytes:
    """A sheet of xlsb: headers of rows, and cells in them, each of some bytes."""
    records = b"".join(
        bytes([0, 8]) + struct.pack("<LL", row, 0) + bytes([2, 8]) + struct.pack("<LL", column, 0)
        for row, column in places
    )
    return zipped(**{"xl/workbook.bin": b"", "xl/worksheets/sheet1.bin": bytes([0x81, 0x01, 0x00]) + records})


def refused(body: bytes, sheet: str | None = None, most: int = 1_000_000, **limits: int) -> str:
    with pytest.raises(ReadError) as error:
        check_workbook(body, sheet, most, Frame(**limits))
    return str(error.value)


@pytest.mark.parametrize(
    ("body", "rows", "columns"),
    [
        (workbook((0, 0), (99, 51)), 100, 52),  # the last cell is AZ100
        (office('<row r="7"><c r="XFD7"/></row><row r="2"><c r="A2"/></row>'), 7, 16_384),
        (office('<row r="1"><c r="A1"/><c r="C1048576"/><c r="B2"/></row>'), 1_048_576, 3),
        (office('<row r="1"><c r="A1"/><c r="ZZ9"/><c r="B10"/></row>'), 10, 702),
        (office('<cols><col min="1"/></cols><row r="1"><c r="A1"/><c r="AB10"/></row>'), 10, 28),
        (office("<row><c/><c/><c/></row><row><c/></row>"), 2, 3),  # cells that say nothing of their place
        (office('<row r="5"><c s="1" t="n" r="B5"><v>1</v></c></row>'), 5, 2),
        (opendocument("", ROW + EMPTY), 1, 1),
        (opendocument("", EMPTY + ROW), 1_048_001, 1),
        (
            opendocument(
                "",
                '<table:table-row table:number-rows-repeated="40">'
                + CELL.format(' table:number-columns-repeated="30"')
                + '<table:table-cell table:number-columns-repeated="900"/></table:table-row>',
            ),
            40,
            30,
        ),
        (binary((0, 0), (49, 19)), 50, 20),
    ],
)  # fmt: skip
def test_a_sheet_counts_as_far_as_its_last_cell(body: bytes, rows: int, columns: int) -> None:
    sheet = "b" if b"content.xml" in body else None if b".bin" in body else "a"
    check_workbook(body, sheet, 1_000_000, Frame(max_columns=columns, max_cells=rows * columns))
    said = refused(body, sheet, max_columns=columns, max_cells=rows * columns - 1)
    assert said.startswith(f"has {rows:,} rows of {columns:,} columns")
    assert "CIVITAS_MAX_CELLS" in said
    said = refused(body, sheet, max_columns=columns - 1)
    assert said.startswith(f"has {columns:,} columns")
    assert "CIVITAS_MAX_COLUMNS" in said


def test_only_the_sheet_that_is_read_counts() -> None:
    check_workbook(workbook((5_000, 80)), None, 1_000_000, Frame(max_cells=1))
    assert "in sheet 'a'" in refused(workbook((5_000, 80)), "a", max_cells=400_000)


def test_cells_are_counted_across_the_pieces_that_a_sheet_comes_in() -> None:
    rows = "".join(f'<row r="{row}"><c r="A{row}"/><c r="B{row}"/></row>' for row in range(1, 60_001))
    assert refused(office(rows), "a", 9_000_000, max_cells=119_999).startswith("has 60,000 rows of 2 columns")
    unsaid = "<row><c/><c/></row>" * 120_000
    assert refused(office(unsaid), "a", 9_000_000, max_cells=239_999).startswith(
        "has 120,000 rows of 2 columns"
    )


def test_what_a_part_claims_to_unfold_to_is_not_believed() -> None:
    body = bytearray(office("<row/>" * 40_000))
    at = body.index(b"PK\x01\x02", body.rindex(b"PK\x01\x02"))
    assert struct.unpack_from("<L", body, at + 24)[0] > 200_000
    struct.pack_into("<L", body, at + 24, 10)
    assert (
        refused(bytes(body), "a", 100_000)
        == "holds more than 100000 bytes unpacked: raise http.max_bytes if right"
    )


WIDE = ",".join(["nr", *(f"c{number}" for number in range(30))])
LONG = (WIDE + "\n" + f"1{',' * 30}\n" * 20).encode()


@pytest.mark.parametrize(
    ("limits", "seen"),
    [
        ({"max_columns": 30}, "has 31 columns, and 30 are the most that CIVITAS_MAX_COLUMNS lets be"),
        # Rows that hold one cell would have as many as the header.
        (
            {"max_cells": 600},
            "has 21 rows of 31 columns, which are more cells than the 600 that CIVITAS_MAX_CELLS",
        ),
    ],
)
def test_rows_of_csv_count_as_wide_as_their_header(read: Any, source: Any, limits: Any, seen: str) -> None:
    body = LONG
    declared = source("csv", **PLACES)
    read(declared, body)
    with pytest.raises(ReadError, match=seen):
        read(declared.within(Frame(**limits)), body)


def test_columns_that_become_rows_are_counted_before_they_do(read: Any, source: Any) -> None:
    declared = source(
        "csv",
        record_type="statistic",
        fields={"area_id": "nr"},
        constants={"indicator": "i"},
        time={"column": "year", "zone": "local_wall", "format": "period"},
        unpivot={"columns": "c(?P<year>[0-9]+)", "value": "value"},
    )
    with pytest.raises(
        ReadError, match="has 30 columns that become 600 rows: CIVITAS_MAX_ROWS lets 599 be at most"
    ):
        read(declared.within(Frame(max_rows=599)), LONG)


def kml() -> bytes:
    marks = "".join(
        f'<Placemark><name>{n}</name><ExtendedData><Data name="d{n}"><value>1</value></Data></ExtendedData></Placemark>'
        for n in range(30)
    )
    return f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{marks}</Document></kml>'.encode()


def gml() -> bytes:
    members = "".join(
        f"<m:member><a:b><a:nr>{n}</a:nr><a:d{n}>1</a:d{n}></a:b></m:member>" for n in range(30)
    )
    return f'<m:FeatureCollection xmlns:m="urn:m" xmlns:a="urn:a" xmlns:gml="http://www.opengis.net/gml/3.2">{members}</m:FeatureCollection>'.encode()


def geojson() -> bytes:
    features = [
        {"type": "Feature", "geometry": None, "properties": {"nr": str(n), f"d{n}": 1}} for n in range(30)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def parquet() -> bytes:
    file = io.BytesIO()
    pa.parquet.write_table(pa.table({"nr": ["1"] * 30, **{f"d{n}": [n] * 30 for n in range(30)}}), file)
    return file.getvalue()


def geopackage(folder: Path) -> bytes:
    path = folder / "trees.gpkg"
    table = {f"d{n}": pa.array([n] * 30) for n in range(30)}
    pyogrio.raw.write_arrow(
        pa.table({"nr": ["1"] * 30, **table, "geom": pa.array([None] * 30, pa.binary())}),
        path, geometry_name="geom", geometry_type="Point", crs="EPSG:4326",
    )  # fmt: skip
    return path.read_bytes()


@pytest.mark.parametrize("made", [kml, gml, geojson, parquet, geopackage])
def test_features_count_as_wide_as_all_their_attributes(
    made: Callable[..., bytes], read: Any, source: Any, tmp_path: Path
) -> None:
    body = made(tmp_path) if made is geopackage else made()
    declared = source("geofile", **PLACES | ({"fields": {"place_id": "name"}} if made is kml else {}))
    (table,) = read(declared, body)
    assert table.frame.height == 30
    with pytest.raises(ReadError, match=r"has \d+ columns, and 29 are the most that CIVITAS_MAX_COLUMNS"):
        read(declared.within(Frame(max_columns=29)), body)
    with pytest.raises(ReadError, match=r"more cells than the 800 that CIVITAS_MAX_CELLS lets be"):
        read(declared.within(Frame(max_cells=800)), body)


def test_rows_of_parquet_are_counted_as_they_unfold(read: Any, source: Any) -> None:
    file = io.BytesIO()
    # A run of equal texts, which its own file gives hardly a byte.
    pa.parquet.write_table(pa.table({"nr": ["x" * 1000] * 5000}), file)
    assert len(file.getvalue()) < 10_000
    declared = source("geofile", **PLACES, http={"max_bytes": 1_000_000})
    with pytest.raises(ReadError, match="unfolds to over 1000000 bytes: raise"):
        read(declared, file.getvalue())


def test_computed_columns_of_a_geopackage_are_refused(read: Any, source: Any, tmp_path: Path) -> None:
    geopackage(tmp_path)
    with sqlite3.connect(tmp_path / "trees.gpkg") as database:
        database.execute("alter table trees add column twice text generated always as (nr || nr) virtual")
    database.close()
    with pytest.raises(ReadError, match="has trees with columns that are computed, which are not trusted"):
        read(source("geofile", **PLACES), (tmp_path / "trees.gpkg").read_bytes())


def test_the_frame_of_a_deployment_has_room_for_what_is_usual() -> None:
    assert (DEFAULT_FRAME.max_columns, DEFAULT_FRAME.max_cells) == (10_000, 500_000_000)
