"""A value is found wherever it stands, and not where it is a part of another one."""

from __future__ import annotations

import gzip
import io
import zipfile

import polars as pl
import pytest

from civitas_assets.lifecycle.needles import Needles

DEVICE = Needles(["dev-1", "Müller & Söhne", "urn:ngsi-ld:Device:47"])


def zipped(body: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sheet.xml", body)
    return buffer.getvalue()


def parquet(text: str) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"a": [text, "b"]}).write_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        b"dev-1", b'{"id":"dev-1:temp"}', b"x;dev-1;3", "dev-1".encode("utf-16-le"), "Müller & Söhne".encode("latin-1"),
        b'{"n":"M\\u00fcller & S\\u00f6hne"}', gzip.compress(b"id dev-1 "), zipped(b"<c>dev-1</c>"),
        zipped(zipped(b"dev-1")), parquet("dev-1"), "<n>Müller &amp; Söhne</n>".encode(),
        b"?q=%22M%C3%BCller+%26+S%C3%B6hne%22", b'{"note":"two\\ndev-1\\n"}', b'{"note":"\\u0022dev-1"}',
        b"?q=id%3Ddev-1",
        b'{"next":"/e?id=urn%3Angsi-ld%3ADevice%3A47"}', b"/e/urn%3angsi-ld%3aDevice%3a47",
    ],
    ids=range(17),
)  # fmt: skip
def test_it_is_found_in_every_form(body: bytes) -> None:
    assert DEVICE.in_body(body)


@pytest.mark.parametrize(
    "body", [b"dev-17", b"xdev-1", b"dev_1", b"", b"PK\x03\x04 damaged", b"\x1f\x8bdamaged", b"PAR1"]
)
def test_others_are_not_found_and_what_is_damaged_is_no_error(body: bytes) -> None:
    assert not DEVICE.in_body(body)


def test_columns_and_texts_are_looked_through_alike() -> None:
    texts = [
        "dev-1",
        "of dev-1.",
        "dev-17",
        "adev-1",
        None,
        "Müller & Söhne GmbH",
        "Müller & Söhnen",
        "%3Ddev-1",
    ]
    found = pl.DataFrame({"t": texts}).select(DEVICE.in_column("t"))["t"].to_list()
    assert found == [True, True, False, False, False, True, False, True]
    assert [DEVICE.in_text(text or "") for text in texts] == found


def test_an_address_has_it_in_its_own_spelling() -> None:
    asked, other = (
        f"https://broker.example/entities/urn%3Angsi-ld%3ADevice%3A{n}?limit=9" for n in ("47", "471")
    )
    assert DEVICE.in_text(asked)
    assert not DEVICE.in_text(other)
    assert DEVICE.redact({"error": f"{asked} answered 500"}) == {
        "error": "https://broker.example/entities/(erased)?limit=9 answered 500"
    }
    assert pl.DataFrame({"t": [asked, other]}).select(DEVICE.in_column("t"))["t"].to_list() == [True, False]


def test_json_has_another_text_in_its_place() -> None:
    content = {"notes": [["seen dev-1 twice", 3, None]], "dev-1": "dev-17"}
    assert DEVICE.redact(content) == {"notes": [["seen (erased) twice", 3, None]], "(erased)": "dev-17"}


def test_what_is_short_is_not_looked_for_in_texts() -> None:
    short = Needles(["101"])
    assert short.short == ["101"]
    assert not short.in_text("101")
    assert not short.in_body(b"101")
    assert pl.DataFrame({"t": ["101"]}).filter(short.in_column("t")).is_empty()
