"""Of an answer that is no success, the server's own first line is shown: cleaned, short, and without secrets."""

from __future__ import annotations

import json

import pytest

from civitas_assets.connectors.transport.http_reason import (
    MOST_BYTES,
    extract_complaint,
    extract_reason,
    read_body_start,
)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({"error": "invalid_request", "detail": "limit must be at most 1000"}, "limit must be at most 1000"),
        ({"type": "https://x/BadRequestData", "title": "Bad", "detail": "Unknown type"}, "Unknown type"),
        ({"error": {"code": 400, "message": "Unable to complete operation."}}, "Unable to complete operation."),
        ({"error": "BadRequest", "description": "offset: no number"}, "offset: no number"),
        ({"detail": [{"loc": ["query", "n"], "msg": "field required"}]}, "field required"),
        ({"code": 400, "type": "error", "message": "Invalid filter"}, "Invalid filter"),
        ({"errors": ["quota is used up"]}, "quota is used up"),
        ({"exceptions": [{"code": "x", "text": "y"}], "title": "No such layer"}, "No such layer"),
        ("gone", "gone"),
        ({"status": 500}, ""),
    ],
)  # fmt: skip
def test_json_tells_it_where_interfaces_put_it(body: object, line: str) -> None:
    assert extract_reason(json.dumps(body).encode()) == line


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (
            (
                '<?xml version="1.0"?><o:ExceptionReport><o:Exception exceptionCode="Invalid"><o:ExceptionText>'
                "Feature type  ms:x\nunknown</o:ExceptionText></o:Exception></o:ExceptionReport>"
            ),
            "Feature type ms:x",
        ),
        (
            "<Report><ServiceException>\n<![CDATA[no &lt;layer&gt;]]></ServiceException></Report>",
            "no <layer>",
        ),
        (
            "<!DOCTYPE html><html><head><title>\n 503 Service\tUnavailable</title></head><body><h1>Wartung",
            "503 Service Unavailable",
        ),
        (
            "<html><head><title></title></head><body><h1>Wartung bis 8&nbsp;Uhr</h1></body></html>",
            "Wartung bis 8 Uhr",
        ),
        ("\n\nDatabase is down\nat line 3", "Database is down"),
        ("\x1b[31mred\x07", "[31mred"),
        ("", ""),
        ("   \n", ""),
    ],
)
def test_xml_pages_and_plain_texts_give_their_first_line(body: str, line: str) -> None:
    assert extract_reason(body.encode()) == line


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"error": {"code": 400, "message": "no layer 7"}}', "; the server says 'no layer 7'"),
        ("<!DOCTYPE html><title>Anmelden</title>", "; the server says 'Anmelden'"),
        ("<s:Fault><faultstring>no contract</faultstring></s:Fault>", "; the server says 'no contract'"),
        ('<?xml version="1.0"?><d2LogicalModel/>', ""),
        ('{"data": [1]}', ""),
        ("a;b\n1;2\n", ""),
        ('{"message": "told"}', ""),
    ],
)
def test_a_success_may_be_a_complaint(body: str, said: str) -> None:
    assert extract_complaint(body.encode(), "is not told") == said


def test_bytes_that_are_no_text_say_nothing() -> None:
    assert extract_reason(b"\x00\x01\x89PNG") == ""
    assert extract_reason("Schlüssel fehlt".encode("cp1252")) == "Schlüssel fehlt"


@pytest.mark.parametrize(
    "said",
    [
        "bad request: apikey=hunter22&limit=3",
        "token: 'hunter22' has expired",
        "Authorization Bearer hunter22xyz is wrong",
        "could not reach postgres://someone:hunter22@db/x",
        "you sent s3cr et",
        "you sent s3cr+et",
    ],
)
def test_what_may_be_a_secret_is_taken_out(said: str) -> None:
    def shown(text: str) -> str:
        return text.replace("s3cr et", "***").replace("s3cr+et", "***")

    line = extract_reason(json.dumps({"message": said}).encode(), shown)
    assert "***" in line
    assert "hunter22" not in line
    assert "s3cr" not in line


def test_a_secret_is_taken_out_before_the_line_is_cut() -> None:
    line = extract_reason(("x" * 195 + " geheimnis").encode(), lambda text: text.replace("geheimnis", "***"))
    assert line == "x" * 195 + " ***"


def test_a_long_body_is_not_read_to_its_end() -> None:
    taken = []

    def pieces() -> object:
        for number in range(1000):
            taken.append(number)
            yield b"x" * 1024

    assert len(read_body_start(pieces())) == MOST_BYTES  # type: ignore[arg-type]
    assert len(taken) == MOST_BYTES // 1024
    assert len(extract_reason(b"x" * 5000)) == 200
    assert extract_reason(b"[" * 5000) == ""
