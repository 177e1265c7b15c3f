"""Secrets are taken out however they are spelled; what only looks like one is told by its name; logs hold none."""
# ruff: noqa: S105 - the secrets of these tests are none

from __future__ import annotations

import base64
import html
import io
import json
import logging
from urllib.parse import quote, quote_plus

import pytest

from civitas_assets.redaction import (
    Redactor,
    has_password,
    is_credential,
    mask_credentials,
    redact_text,
    remember_secrets,
)

SECRET = 'Kä/n+ri "3n" <v0gel>=='
BODY = SECRET.encode()
TOKEN, DASHED = "7hJk2Lm9Qx4Rt6Zw", "a-b_c.d-e_f.g/h"
SPELLINGS: dict[str, str] = {
    "raw": SECRET,
    "address": quote(SECRET, safe=""),
    "address with slashes": quote(SECRET),
    "form": quote_plus(SECRET).replace("%C3", "%c3"),
    "every byte": "".join(f"%{byte:02X}" for byte in BODY),
    "address twice": quote(quote(SECRET)),
    "JSON": json.dumps(SECRET),
    "JSON as written": json.dumps(SECRET, ensure_ascii=False),
    "JSON in JSON": json.dumps(json.dumps(SECRET)),
    "JSON, escaped slash": json.dumps(SECRET).replace("/", "\\/"),
    "JSON, every character": "".join(f"\\u{ord(char):04X}" for char in SECRET),
    "Python": ascii(SECRET),
    "HTML": html.escape(SECRET),
    "XML": SECRET.encode("ascii", "xmlcharrefreplace").decode(),
    "HTML, every character": "".join(f"&#x{ord(char):X};" for char in SECRET),
    "CSV": SECRET.replace('"', '""'),
    "hex": BODY.hex(),
    "HEX": BODY.hex().upper(),
    "base64": base64.b64encode(BODY).decode(),
    "base64 of a login": base64.b64encode(b"ada:" + BODY).decode(),
    "base64 of a request": base64.b64encode(b"GET /?a=" + BODY + b" HTTP/1.1").decode(),
    "base64 for addresses": quote(base64.urlsafe_b64encode(b"x" + BODY)),
    "base64 in an address": quote(base64.b64encode(BODY), safe=""),
    "base64 of an address": base64.b64encode(b"GET /?a=" + quote(SECRET, safe="").encode()).decode(),
    "base64 of JSON": base64.b64encode(json.dumps({"a": SECRET}).encode()).decode(),
    "hex of a form": quote_plus(SECRET).encode().hex(),
    "base64 in lines": base64.encodebytes(b"x" * 47 + BODY + b"x" * 40).decode(),
}


def tells(text: str, secret: str = SECRET) -> bool:
    """Whether half of the secret can still be read out of a text, also as base64."""
    half, found = len(secret) // 2, [text]
    letters = "".join(char for char in text if char.isalnum() or char in "+/")
    for start in range(4):
        part = letters[start:]
        found.append(base64.b64decode(part[: len(part) // 4 * 4]).decode("utf-8", "replace"))
    plain = html.unescape("\n".join(found))
    return secret[:half] in plain or secret[-half:] in plain


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_taken_out_however_it_is_spelled(spelling: str) -> None:
    text = f"before {SPELLINGS[spelling]} after"
    clean = Redactor([SECRET]).redact_text(text)
    assert "***" in clean
    assert (clean[:7], clean[-6:]) == ("before ", " after")
    assert not tells(clean)
    body, count = Redactor([SECRET]).redact_body(text.encode())
    assert (len(body), body.count(b"*") >= count > 7) == (len(text.encode()), True)
    assert (body[:7], body[-6:]) == (b"before ", b" after")
    assert not tells(body.decode())
    assert Redactor([SECRET]).finds(text.encode())


def test_bodies_in_other_encodings_are_looked_through() -> None:
    for encoding in ("utf-16-le", "utf-16-be", "latin-1"):
        body, count = Redactor([SECRET]).redact_body(f"a{SECRET}b".encode(encoding))
        assert count == len(SECRET.encode(encoding))
        assert SECRET.encode(encoding) not in body


def test_what_has_no_secret_stays_as_it_is_to_the_byte() -> None:
    body = json.dumps({"a": [SECRET[:-1], SECRET[1:], "\ud800 ä", 17]}).encode() + bytes(range(256))
    assert Redactor([SECRET]).redact_body(body) == (body, 0)
    assert not Redactor([SECRET]).finds(body)
    assert Redactor([SECRET]).redact_text("x \ud800 y") == "x \ud800 y"


def test_data_does_not_lose_a_value_to_a_short_password() -> None:
    assert Redactor(["4711"]).redact_body(b"id;value\n1;4711\n") == (b"id;value\n1;4711\n", 0)
    assert Redactor(["4711"]).redact_text("login 4711 is wrong") == "login *** is wrong"
    assert Redactor(["", "abc"]).redact_text("abc") == "abc"
    assert not Redactor(["", "abc"])


def test_the_longest_of_two_secrets_goes_first() -> None:
    assert Redactor(["canary-a", "canary-a-and-more"]).redact_text("canary-a-and-more") == "***"


def test_no_line_of_the_log_holds_what_was_read_whoever_writes_it() -> None:
    stream, library = io.StringIO(), logging.getLogger("somebody.elses")
    handler = logging.StreamHandler(stream)
    library.addHandler(handler)
    library.propagate = False
    try:
        remember_secrets(SECRET, TOKEN, DASHED, "short")
        library.warning("GET %s", f"/?key={quote(SECRET)}")
        library.warning("GET /?n=%d", 5)
        library.warning("Authorization: Basic %s", base64.b64encode(b"ada:" + TOKEN.encode()).decode())
        library.warning("%s", "".join(f"{char}-" for char in DASHED))
        try:
            raise ValueError(f"no login {SECRET}")
        except ValueError:
            library.exception("it failed")
    finally:
        library.removeHandler(handler)
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["GET /?key=***", "GET /?n=5"]
    assert lines[2].startswith("Authorization: Basic ")
    assert not tells(lines[2], TOKEN)
    assert lines[4] == "it failed"
    assert lines[-1] == "ValueError: no login ***"
    assert not tells(stream.getvalue())
    assert redact_text(f"a {SECRET} {DASHED} {quote(DASHED)} short") == "a *** *** *** short"
    assert logging.getLogger("urllib3").level >= logging.WARNING


@pytest.mark.parametrize(
    ("name", "value", "carries"),
    [
        ("Authorization", "abc", True),
        ("X-Api-Key", "abc", True),
        ("access_token", "abc", True),
        ("client_secret", "abc", True),
        ("sig", "abc", True),
        ("X-Anything", "Bearer abcdefghij", True),
        ("key", "AIzaSyA-1234567890", True),
        ("key", "P1", False),
        ("token", "", False),
        ("nextPageToken", "abc", False),
        ("continuation_token", "abc", False),
        ("Accept", "application/json", False),
        ("keywords", "a", False),
        ("site_id", "a", False),
    ],
)
def test_what_lets_somebody_in_is_known_by_its_name_or_its_value(
    name: str, value: str, carries: bool
) -> None:
    assert is_credential(name, value) is carries


def test_what_looks_like_a_credential_is_taken_out_of_a_text() -> None:
    text = "GET https://ada:s3cr@data.example/?api_key=abc&page=2 with Authorization: Basic YWRhOnMzY3I="
    clean = mask_credentials(text)
    assert clean == "GET https://***@data.example/?api_key=***&page=2 with Authorization: ***"


def test_what_a_file_says_in_the_place_of_a_secret_is_none() -> None:
    advice = "token must be {secret: NAME}, as in headers: Authorization: {secret: TOWN_TOKEN}"
    assert mask_credentials(advice) == advice
    assert mask_credentials("{secret: hunter2}") == "{secret: ***"


@pytest.mark.parametrize("piece", ["a", "a-", "a://", "a:", "http://u:"])
def test_a_long_text_without_any_address_is_looked_at_once(piece: str) -> None:
    """Whatever a tenant's file holds: with the square of its length, nobody would see this end."""
    text = piece * (1_000_000 // len(piece))
    assert not has_password(text)
    assert mask_credentials(text) == text
