"""Tables are bounded by what they hold and would become, whatever reads them."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pyogrio.raw
import pytest
import xlsxwriter

from civitas_assets.catalog.frame import DEFAULT_FRAME, Frame
from civitas_assets.errors import ReadError
from tests.connectors.conftest import MakeSource, ReadBody

PLACES = {"record_type": "place", "fields": {"place_id": "nr"}}


def workbook(rows: int, columns: int) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.add_worksheet("b").write(0, 0, "nr")
        found = book.add_worksheet("a")
        for row in range(rows):
            for column in range(columns):
                found.write(row, column, f"{row}/{column}" if row or column else "nr")
    return file.getvalue()


@pytest.mark.parametrize(
    ("limits", "seen"),
    [
        ({"max_columns": 19}, "has 20 columns in sheet 'a', and 19 are the most that CIVITAS_MAX_COLUMNS"),
        ({"max_cells": 599}, "has 30 rows of 20 columns in sheet 'a', which are more cells than the 599"),
    ],
)
def test_cells_of_the_sheet_that_is_read_count(
    read: ReadBody, source: MakeSource, limits: Any, seen: str
) -> None:
    body = workbook(30, 20)
    declared = source("excel", **PLACES, sheet="a")
    read(declared.limit_to(Frame(max_columns=20, max_cells=600)), body)
    with pytest.raises(ReadError, match=seen):
        read(declared.limit_to(Frame(**limits)), body)
    read(source("excel", **PLACES, sheet="b").limit_to(Frame(**limits)), body)


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
def test_rows_of_csv_count_as_wide_as_their_header(
    read: ReadBody, source: MakeSource, limits: Any, seen: str
) -> None:
    body = LONG
    declared = source("csv", **PLACES)
    read(declared, body)
    with pytest.raises(ReadError, match=seen):
        read(declared.limit_to(Frame(**limits)), body)


def test_columns_that_become_rows_are_counted_before_they_do(read: ReadBody, source: MakeSource) -> None:
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
        read(declared.limit_to(Frame(max_rows=599)), LONG)


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
    made: Callable[..., bytes], read: ReadBody, source: MakeSource, tmp_path: Path
) -> None:
    body = made(tmp_path) if made is geopackage else made()
    declared = source("geofile", **PLACES | ({"fields": {"place_id": "name"}} if made is kml else {}))
    (table,) = read(declared, body)
    assert table.frame.height == 30
    with pytest.raises(ReadError, match=r"has \d+ columns, and 29 are the most that CIVITAS_MAX_COLUMNS"):
        read(declared.limit_to(Frame(max_columns=29)), body)
    with pytest.raises(ReadError, match=r"more cells than the 800 that CIVITAS_MAX_CELLS lets be"):
        read(declared.limit_to(Frame(max_cells=800)), body)


def test_rows_of_parquet_are_counted_as_they_unfold(read: ReadBody, source: MakeSource) -> None:
    file = io.BytesIO()
    # A run of equal texts, which its own file gives hardly a byte.
    pa.parquet.write_table(pa.table({"nr": ["x" * 1000] * 5000}), file)
    assert len(file.getvalue()) < 10_000
    declared = source("geofile", **PLACES, http={"max_bytes": 1_000_000})
    with pytest.raises(ReadError, match="unfolds to over 1000000 bytes: raise"):
        read(declared, file.getvalue())


def test_computed_columns_of_a_geopackage_are_refused(
    read: ReadBody, source: MakeSource, tmp_path: Path
) -> None:
    geopackage(tmp_path)
    with sqlite3.connect(tmp_path / "trees.gpkg") as database:
        database.execute("alter table trees add column twice text generated always as (nr || nr) virtual")
    database.close()
    with pytest.raises(ReadError, match="has trees with columns that are computed, which are not trusted"):
        read(source("geofile", **PLACES), (tmp_path / "trees.gpkg").read_bytes())


def test_the_frame_of_a_deployment_has_room_for_what_is_usual() -> None:
    assert (DEFAULT_FRAME.max_columns, DEFAULT_FRAME.max_cells) == (10_000, 500_000_000)
