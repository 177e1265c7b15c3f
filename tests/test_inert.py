"""Texts of sources are texts wherever they are shown: in a terminal, a log, Markdown, JSON, HTML and a message."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from civitas_assets.cli.app import _Terminal, quote
from civitas_assets.errors import ReadError
from civitas_assets.inert import (
    escape_control_characters,
    escape_json,
    escape_markdown,
    format_as_one_entry,
    guard_log_entries,
    unescape_markdown,
)
from civitas_assets.messages.message_text import compose
from civitas_assets.pipeline.presentation import build_table_metadata, format_description
from civitas_assets.report.elements import html

# Escape sequences, one in C1, a carriage return, an order that is turned, a line separator, and half a letter.
ODD = "a\x1b[2Jb\x9b1mc\rd\u202ee\u2066f\u2028g\x00h\ud800i\u200fj\u061ck"
SEEN = "a\ufffd[2Jb\ufffd1mc\ufffdd\ufffde\ufffdf\ufffdg\ufffdh\ufffdi\ufffdj\ufffdk"
CONTROLS = set("\x1b\x9b\r\u202e\u2066\u2028\x00\ud800\u200f\u061c")


def test_control_characters_are_seen_and_do_nothing() -> None:
    assert escape_control_characters(ODD) == SEEN
    assert escape_control_characters("Straße\t1\r\n2\n✓ 日本 שלום") == "Straße\t1\n2\n✓ 日本 שלום"
    assert str(ReadError(ODD)) == SEEN


def test_a_terminal_shows_them_in_lines_and_in_tables() -> None:
    shown = io.StringIO()
    terminal = _Terminal(file=shown, width=100)
    terminal.say(ODD)
    terminal.print(f"[bold]x[/] {quote('[red]' + ODD)}")
    cells = Table("a", ODD)
    cells.add_row(ODD, quote("[link=https://a.example]x"))
    terminal.print(cells)
    assert shown.getvalue().count(SEEN) == 4
    assert not CONTROLS & {*shown.getvalue()}
    assert "[red]" in shown.getvalue()
    assert "[link=https://a.example]x" in shown.getvalue()


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    before, stream = logging.getLogRecordFactory(), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("12:00:00 %(message)s"))
    log = logging.getLogger("civitas_assets.tests")
    log.addHandler(handler)
    yield stream
    log.removeHandler(handler)
    logging.setLogRecordFactory(before)


def test_what_is_logged_is_one_entry_whatever_it_quotes(written: io.StringIO) -> None:
    guard_log_entries()
    guarded = logging.getLogRecordFactory()
    logging.setLogRecordFactory(partial(guarded))  # as secrets are kept out
    guard_log_entries()
    logging.getLogger("civitas_assets.tests").warning("read %s of %d", f"{ODD}\n12:00:01 all is well", 3)
    assert written.getvalue() == f"12:00:00 read {SEEN}\n    12:00:01 all is well of 3\n"
    assert format_as_one_entry("plain") == "plain"


def test_a_line_that_cannot_be_formatted_is_left_to_its_handler(written: io.StringIO) -> None:
    guard_log_entries()
    record = logging.getLogRecordFactory()("civitas_assets.tests", 30, "", 1, "%d", ("no number",), None)
    assert record.args == ("no number",)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("![pixel](https://a.example/p.png)", r"!\[pixel\](https://a.example/p.png)"),
        ("[click](javascript:x)", r"\[click\](javascript:x)"),
        ("<img src=x>", r"\<img src=x>"),
        ("&lt;b>", r"\&lt;b>"),
        ("**bold** _it_ `code`", r"\*\*bold\*\* \_it\_ \`code\`"),
        ("~~gone~~", r"\~\~gone\~\~"),
        (r"a\*b", r"a\\\*b"),
        ("# title\n- item\n12. item\n> quote\n===", "\\# title\n\\- item\n12\\. item\n\\> quote\n\\==="),
        ("http.fetch_time (1 s) – 12.5 % of a-b", "http.fetch_time (1 s) – 12.5 % of a-b"),
        (ODD, SEEN.replace("[", r"\[")),
    ],
)
def test_markdown_shows_the_text_and_means_nothing(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped
    assert unescape_markdown(escaped) == escape_control_characters(text)


@given(st.text(alphabet=st.sampled_from("ab1 .)\\`*_[]<>&~#+-=|!\n")))
def test_what_was_escaped_comes_back(text: str) -> None:
    assert unescape_markdown(escape_markdown(text)) == text


def test_metadata_and_descriptions_of_checks_are_escaped() -> None:
    assert (
        build_table_metadata(["a"], [["![x](y) | **b**\nc"]]).value
        == "| a |\n| --- |\n| !\\[x\\](y) \\| \\*\\*b\\*\\* c |"
    )
    assert format_description(["s: <b>", "t: [x](y)"]) == "s: \\<b>\nt: \\[x\\](y)"
    assert not format_description([])


def test_json_means_the_same_and_shows_escapes() -> None:
    body = escape_json(json.dumps({"a": f"{ODD}\nü"}, ensure_ascii=False))
    assert json.loads(body) == {"a": f"{ODD}\nü"}
    assert not CONTROLS & {*body}
    assert "ü" in body


def test_html_and_messages_hold_none() -> None:
    shown = html.p(ODD, title=ODD)
    assert not CONTROLS & {*shown}
    message = compose("Town", "today", [f"{ODD}\n- another"], "")
    assert not CONTROLS & {*message.body}
    assert message.body.splitlines()[0].endswith("- another")
