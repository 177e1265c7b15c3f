"""Portions of a text are, together, what the whole of it is read as."""

from __future__ import annotations

from contextlib import suppress

import pytest

from civitas_assets.connectors.content import text_portions
from civitas_assets.connectors.content.text_encoding import read_text
from civitas_assets.connectors.content.text_portions import list_readings
from civitas_assets.errors import ReadError
from civitas_assets.spool import BodyFile

TEXT = "Straße;Höhe\nMarkt;1\nMa\u0308rkte;2\n\nCafé;3\r\nlast\x85;4"


def portions(body: bytes, encoding: str) -> list[bytes]:
    """Those of the first reading that fits; none where only the whole tells."""
    file = BodyFile()
    file.write(body)
    for reading in list_readings(file, encoding):
        try:
            return [*reading.read_portions()]
        except UnicodeError:
            continue
    return []


@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        ("utf-8", "auto"),
        ("utf-8-sig", "auto"),
        ("utf-16", "auto"),
        ("utf-16-le", "auto"),
        ("utf-32", "utf-8"),
        ("cp1252", "auto"),
        ("cp850", "cp850"),
        ("utf-8", "utf-8"),
    ],
)
def test_portions_are_the_text(written: str, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_portions, "PORTION", 7)
    text = TEXT if written.startswith("utf") else TEXT.replace("\u0308", "").replace("\x85", "")
    body = text.encode(written)
    found = portions(body, encoding)
    assert b"".join(found) == read_text(body, encoding)[0]
    assert len(found) > 3
    assert all(portion.endswith(b"\n") for portion in found[:-1])


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"Stra\xc3\x9fe \xc3\xa4\xc3\xb6\n" * 9 + b"K\xf6ln\n", "auto"),  # UTF-8 but for a line
        ("für\n".encode("cp850"), "auto"),
        ("für\n".encode("cp1252"), "utf-8"),
    ],
)
def test_what_only_the_whole_tells_has_no_portions(body: bytes, encoding: str) -> None:
    assert portions(body, encoding) == []
    with suppress(ReadError):
        assert read_text(body, encoding)[1], "else it is read without a remark"
