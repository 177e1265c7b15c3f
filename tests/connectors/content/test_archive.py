"""ZIP archives: what is asked for comes out, and nothing larger than allowed."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitas_assets.connectors.content.archive import unzip_members
from civitas_assets.errors import ReadError


def packed(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_files_come_out_by_the_pattern_of_their_names_in_their_order(method: int) -> None:
    body = packed(("b.txt", b"2"), ("readme.html", b"x"), ("../up/a.txt", b"1"), ("c/", b""), method=method)
    assert [*unzip_members(body, "*.txt", 100)] == [("b.txt", b"2"), ("a.txt", b"1")]
    assert not [*unzip_members(body, "*.csv", 100)]


def test_the_bound_holds_for_all_files_together() -> None:
    body = packed(("a.txt", b"x" * 60), ("b.txt", b"x" * 60))
    assert len([*unzip_members(body, "*", 120)]) == 2
    with pytest.raises(ReadError, match=r"more than 119 bytes unpacked: raise http\.max_bytes"):
        list(unzip_members(body, "*", 119))


def test_a_small_archive_that_would_become_a_large_one_is_refused() -> None:
    body = packed(("bomb.txt", b"\0" * 50_000_000))
    assert len(body) < 60_000
    with pytest.raises(ReadError, match="more than 1000000 bytes"):
        list(unzip_members(body, "*", 1_000_000))


def test_a_file_may_not_be_larger_than_it_says() -> None:
    body = bytearray(packed(("a.txt", b"x" * 1000)))
    entry = body.rfind(b"PK\x01\x02")
    struct.pack_into("<L", body, entry + 24, 10)
    with pytest.raises(ReadError, match="no sound ZIP archive"):
        list(unzip_members(bytes(body), "*", 10_000))


def test_a_directory_without_end_is_refused_before_it_is_read() -> None:
    body = bytearray(packed(("a.txt", b"x")))
    end = body.rfind(b"PK\x05\x06")
    for offset, form in ((10, "<H"), (12, "<L")):
        huge = bytearray(body)
        struct.pack_into(form, huge, end + offset, 0xFFFF if form == "<H" else 0xFFFFFFFF)
        with pytest.raises(ReadError, match="lists more than 10000 files"):
            list(unzip_members(bytes(huge), "*", 100))
    with pytest.raises(ReadError, match="ZIP64"):
        list(unzip_members(bytes(body[:end] + b"PK\x06\x07" + b"\0" * 16 + body[end:]), "*", 100))


def test_what_is_encrypted_or_packed_in_another_way_is_refused_by_name() -> None:
    body = packed(("a.txt", b"x" * 100), method=zipfile.ZIP_BZIP2)
    with pytest.raises(ReadError, match=r"a\.txt compressed by method 12"):
        list(unzip_members(body, "*", 1000))
    locked = bytearray(packed(("a.txt", b"x")))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.find(signature) + flags] |= 1
    with pytest.raises(ReadError, match="encrypted"):
        list(unzip_members(bytes(locked), "*", 1000))


@given(data=st.data())
def test_damage_is_an_error_of_the_archive_and_no_crash(data: st.DataObject) -> None:
    whole = packed(("produkt_a.txt", b"1;2;3\n" * 40), ("produkt_b.txt", b"x"))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    body = whole[:start] + data.draw(st.binary(max_size=8)) + whole[end:]
    try:
        found = list(unzip_members(body, "produkt_*.txt", 1000))
    except ReadError:
        return
    assert sum(len(content) for _, content in found) <= 1000
