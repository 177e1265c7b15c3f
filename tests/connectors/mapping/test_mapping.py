"""Sources that store only what is mapped: nothing else is kept, and what is kept reads as the whole does."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from civitas_assets.catalog import Source
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

Make = Callable[..., Any]
Read = Callable[..., list[RawTable]]
MANY = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
RECEIVED = {"zone": "received"}
OBSERVED = {"record_type": "observation", "time": RECEIVED}

SHAPES: list[dict[str, Any]] = [
    {"fields": {"datastream_id": "a", "value": "b.c"}, "time": {"column": "t", "zone": "utc"}},
    {"records": "data", "fields": {"datastream_id": "[0]", "value": "[2]", "unit": "[-1]"}},
    {"records": "data", "fields": {"datastream_id": "@key", "value": "@"}},
    {"records": "data", "nested": ("b",), "fields": {"datastream_id": ("^.a", "a"), "value": "c"}},
    {"records": "data[]", "nested": ("b[]",), "fields": {"datastream_id": "^.a || a", "value": "c[0]"}},
    {"records": "data", "nested": ("@",), "fields": {"datastream_id": "^.@key", "value": "[1]", "unit": "a"}},
    {"records": "data[?a=='x']", "fields": {"datastream_id": "a", "value": "b[?t].c | [0]"}},
    {"records": "data[*].b", "fields": {"datastream_id": "a", "value": "c.*.a", "unit": "length(t)"}},
    {"records": "[data, b][]", "fields": {"datastream_id": "a", "value": "c && b", "unit": "!t"}},
    {"records": "data[1:]", "fields": {"datastream_id": "a[*][0]", "value": "b[1].c", "unit": "{x: a}.x"}},
]
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats(-9, 9) | st.sampled_from(["", "x", "12"])
)
KEYS = st.sampled_from(["a", "b", "c", "t", "s", "data"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
RECORD = st.dictionaries(KEYS, VALUES, max_size=5)
DOCUMENTS = (
    st.lists(RECORD, max_size=4)
    | st.fixed_dictionaries(
        {"data": st.lists(RECORD | VALUES, max_size=4)}, optional={"b": VALUES, "s": VALUES}
    )
    | st.fixed_dictionaries({"data": st.dictionaries(st.text("kx", max_size=2), RECORD | VALUES, max_size=3)})
    | VALUES
)


def outcome(read: Read, source: Source, body: bytes) -> Any:
    """The rows and what they are called; None where the payload is refused."""
    try:
        (table,) = read(source, body)
    except ReadError:
        return None
    return table.frame.drop("@row", strict=False).to_dict(as_series=False)


def reduced(source: Source, body: bytes) -> bytes | None:
    try:
        return source.redact_answer("data", body)
    except ReadError:
        return None


@MANY
@given(document=DOCUMENTS, shape=st.sampled_from(SHAPES))
def test_what_is_kept_of_a_document_reads_as_the_whole(
    document: Any, shape: dict[str, Any], source: Make, read: Read
) -> None:
    whole = source("json", **{**OBSERVED, **shape})
    mapped = source("json", **{**OBSERVED, **shape}, store="mapped")
    body = json.dumps(document).encode()
    kept = reduced(mapped, body)
    expected = outcome(read, whole, body)
    assert (None if kept is None else outcome(read, mapped, kept)) == expected
    assert kept is None or mapped.redact_answer("data", kept) == kept, "what is kept is kept again"


@MANY
@given(
    features=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "id": SCALARS,
                "properties": st.none() | RECORD,
                "geometry": st.none()
                | st.fixed_dictionaries(
                    {"type": st.sampled_from(["Point", "Polygon"])},
                    optional={"coordinates": st.lists(st.floats(-9, 9), max_size=3) | VALUES, "s": VALUES},
                ),
                "s": VALUES,
            },
        ),
        max_size=4,
    )
)
def test_what_is_kept_of_features_reads_as_the_whole(features: Any, source: Make, read: Read) -> None:
    shape = {
        "record_type": "station",
        "feature_id": "station_id",
        "fields": {"name": "a", "operator": ("b.c", "t")},
    }
    whole, mapped = source("geojson", **shape), source("geojson", **shape, store="mapped")
    # Numbers written as what is kept writes them: 6e-8 and 6e-08 are the same number, but not the same text.
    body = msgspec.json.encode({"features": features, "crs": None, "s": "secret"})
    kept = mapped.redact_answer("data", body)
    assert outcome(read, mapped, kept) == outcome(read, whole, body)
    assert b"secret" not in kept


CELLS = st.sampled_from(["", "1", "007", "x", "Summe", "a;b", 'say "x"', "two\nlines", " ", "Größe", ","])
TABLE = {
    "record_type": "observation",
    "fields": {"datastream_id": "Nr", "value": "W"},
    "time": {"column": "Zeit", "zone": "utc"},
    "drop": {"Nr": "Summe"},
    "header": ("Nr", "W"),
}


@MANY
@given(
    rows=st.lists(st.lists(CELLS, min_size=4, max_size=5), max_size=8),
    until=st.sampled_from([None, "Zeit"]),
    encoding=st.sampled_from(["auto", "cp1252"]),
)
def test_what_is_kept_of_a_csv_file_reads_as_the_whole(
    rows: list[list[str]], until: str | None, encoding: str, source: Make, read: Read
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([["Stand: secret"], ["Nr", "Geheim", "W", "Zeit"], *rows])
    body = text.getvalue().encode("cp1252" if encoding == "cp1252" else "utf-8")
    options = {**TABLE, "until_blank": until, "delimiter": ";", "encoding": encoding}
    whole, mapped = source("csv", **options), source("csv", **options, store="mapped")
    kept = mapped.redact_answer("data", body)
    (expected,), (found,) = read(whole, body), read(mapped, kept)
    # A row in which only unmapped cells are filled is no row any more.
    some = [row for row in expected.frame.iter_rows() if any(cell is not None for cell in row[1:])]
    assert found.frame.rows() == some
    assert [(row.row, row.detail) for row in found.broken] == [
        (row.row, row.detail) for row in expected.broken
    ]
    assert found.unknown_fields == ()
    assert b"secret" not in kept
    assert b"Geheim" not in kept


def test_columns_that_are_unpivoted_are_kept_with_their_companions(source: Make, read: Read) -> None:
    options = {
        **OBSERVED,
        "unpivot": {
            "columns": r"(?P<datastream_id>\d+)",
            "companions": {"quality_native": r"(?P<datastream_id>\d+)-status"},
        },
    }
    body = b"Zeit,1,1-status,2,Name\n12:00,5,ok,7,secret\n"
    mapped = source("csv", **options, store="mapped")
    kept = mapped.redact_answer("data", body)
    assert kept == b"\xef\xbb\xbf@row,@broken,1,1-status,2\n1,,5,ok,7\n"
    assert read(mapped, kept)[0].frame.rows() == read(source("csv", **options), body)[0].frame.rows()


def test_what_is_kept_of_a_spreadsheet_reads_as_the_whole(source: Make, read: Read) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        rows = [
            ["Stand: secret"],
            ["Nr", "Geheim", "W", "Zeit"],
            ["01", "secret", 1.5, "2026-01-01"],
            ["Summe", "secret", 1.5, "x"],
            [None, "secret"],
            ["02", "secret", None, "2026-01-02"],
            ["Auskunft: secret"],
        ]
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    options = {**TABLE, "until_blank": "Nr"}
    whole, mapped = source("excel", **options), source("excel", **options, store="mapped")
    kept = mapped.redact_answer("data", file.getvalue())
    assert kept == b"\xef\xbb\xbf@row,@broken,Nr,W,Zeit\n3,,01,1.5,2026-01-01\n"
    assert read(mapped, kept)[0].frame.rows() == read(whole, file.getvalue())[0].frame.rows()
    assert read(mapped, kept)[0].frame.rows() == [(3, "01", "1.5", "2026-01-01")]


@pytest.mark.parametrize(
    ("connector", "body"),
    [
        ("json", b"<html>secret"),
        ("json", b'[{"a":"secret"'),
        ("json", b"[" * 100_000),
        ("geojson", b"\xff\xfe\x00"),
        ("csv", b"secret,private\n1,2\n"),
        ("csv", b""),
        ("excel", b"secret"),
    ],
)
def test_of_what_is_not_as_declared_nothing_is_kept_or_told(
    connector: str, body: bytes, source: Make
) -> None:
    fields = {"datastream_id": "id", "value": "v"}
    declared = source(connector, **OBSERVED, fields=fields, store="mapped")
    with pytest.raises(ReadError) as caught:
        declared.redact_answer("data", body)
    assert "secret" not in str(caught.value)


def test_a_damaged_table_is_refused(source: Make, read: Read) -> None:
    declared = source("csv", **OBSERVED, fields={"datastream_id": "id", "value": "v"}, store="mapped")
    for body in (b"\xef\xbb\xbf@row,@broken,id,v\nx,,1,2\n", b"\xef\xbb\xbf@row,@broken,id\n1,,1\n"):
        with pytest.raises(ReadError):
            read(declared, body)


def test_an_answer_is_stored_as_received_unless_the_source_says_otherwise(source: Make) -> None:
    declared = source("json", **OBSERVED, fields={"datastream_id": "id", "value": "v"})
    assert declared.redact_answer("data", b"anything") == b"anything"


def test_units_are_refused_where_nothing_has_one(source: Make) -> None:
    mapped = {"record_type": "parking_site", "fields": {"site_id": "id", "max_height_cm": "h"}}
    for units in ({"PM10": "ug/m3"}, {"max_height_cm": "kg"}):
        with pytest.raises(
            ValidationError, match="of lengths in m, cm or mm; a parking_site has max_height_cm"
        ):
            source("json", **mapped, units=units)
    source("json", **mapped, units={"max_height_cm": "m"})
