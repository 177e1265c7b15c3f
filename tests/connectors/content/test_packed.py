"""Files that came packed: the one that is meant is found, and what cannot be is an error that names what is there."""

from __future__ import annotations

import gzip
import zipfile

import pytest

from civitas_assets.connectors.content.packed import is_spreadsheet, unpack_body
from civitas_assets.errors import ReadError
from tests.connectors.conftest import zipped

MOST = 1000
CSV = b"id,name\n1,A\n"


BOOK = zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b""})


@pytest.mark.parametrize(
    ("body", "member"),
    [
        (CSV, None),
        (gzip.compress(CSV), None),
        (gzip.compress(CSV[:8]) + gzip.compress(CSV[8:]), None),
        (zipped({"data/a.CSV": CSV, "liesmich.pdf": b"x", "__MACOSX/._a.csv": b"y"}), None),
        (zipped({"daten": CSV}), None),
        (zipped({"a.csv": b"x", "b.csv": CSV}), "b*"),
        (zipped({"a.csv.gz": gzip.compress(CSV)}), None),
        (gzip.compress(zipped({"a.csv": CSV})), None),
    ],
    ids=["plain", "gzip", "gzip-of-two", "zip", "zip-of-one", "member", "gzip-in-zip", "zip-in-gzip"],
)
def test_the_file_that_is_meant_is_found(body: bytes, member: str | None) -> None:
    assert unpack_body(body, member, (".csv",), MOST) == CSV


def test_a_spreadsheet_is_no_archive_also_in_one() -> None:
    assert is_spreadsheet(BOOK)
    assert unpack_body(BOOK, None, (".xlsx",), MOST) == BOOK
    assert unpack_body(zipped({"a.xlsx": BOOK}, zipfile.ZIP_STORED), None, (".xlsx",), MOST) == BOOK


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            zipped({"a.csv": CSV, "b.csv": CSV}),
            r"2 files that could be meant; it has a.csv, b.csv: set member",
        ),
        (
            zipped({"a.pdf": CSV, "b.pdf": CSV}),
            r"0 files that could be meant; it has a.pdf, b.pdf: set member",
        ),
        (gzip.compress(b"0" * (MOST + 1)), "holds more than 1000 bytes unpacked"),
        (zipped({"a.csv": b"0" * (MOST + 1)}), "holds more than 1000 bytes unpacked"),
        (gzip.compress(CSV)[:-9], "is a gzip file that was cut short|no sound gzip file"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, which is not unpacked"),
    ],
)
def test_what_cannot_be_unpacked_says_why(body: bytes, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        unpack_body(body, None, (".csv",), MOST)
