"""Texts of sources where they are shown: a function for each kind of place, behind which they are text and no more.

HTML has its own in `report/elements.py`, and CSV in `export/csv_format.py`. Data stays as it is;
`records/clean_text.py` cleans it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

# What moves a terminal's cursor, ends a line unseen, turns the order of what is read, or can be no text at all.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
# Within a line, where an underscore in a word is no mark; and at its beginning, also behind a number.
_MARKS = re.compile(
    r"[\\`*\[\]<~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?m:^[ \t]*(?:\d{1,9}(?=[.)])|(?=[#>+=|-])))"
)
_INLINE = frozenset("\\`*[]<~&_")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_PACKAGE = "civitas_assets"


def escape_control_characters(text: str) -> str:
    """The text with a visible mark for each control character; tabs and line breaks stay."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def escape_json(text: str) -> str:
    """Text in JSON that means the same, with control characters as escapes."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def escape_markdown(text: str) -> str:
    """The text as Markdown that shows it: no links, images, markup or HTML of its own."""
    return _MARKS.sub(
        lambda found: f"\\{found[0]}" if found[0] in _INLINE else f"{found[0]}\\",
        escape_control_characters(text),
    )


def unescape_markdown(text: str) -> str:
    """What `escape_markdown` was given, but for control characters."""
    return _ESCAPED.sub(r"\1", text)


def format_as_one_entry(text: str) -> str:
    """The text as one entry of a log: what comes after its first line is indented, and passes for no other entry."""
    return escape_control_characters(text).replace("\n", "\n    ")


def rewrite_message(entry: logging.LogRecord, rewritten: Callable[[str], str]) -> None:
    """Have an entry of a log say something else; of one whose arguments do not fit, its handler says what is wrong."""
    try:
        told = entry.getMessage()
    except (TypeError, ValueError, KeyError):
        return
    if (new := rewritten(told)) != told:
        entry.msg, entry.args = new, ()


def guard_log_entries() -> None:
    """Have all that the package logs from here on be entries of their own, whoever writes them down."""
    made = logging.getLogRecordFactory()
    if getattr(made, "_tames", False):
        return

    def record(*arguments: Any, **named: Any) -> logging.LogRecord:
        entry: logging.LogRecord = made(*arguments, **named)
        # Some have no name; another factory may have come between two guards.
        if str(entry.name).startswith(_PACKAGE) and not vars(entry).get("_is_tame"):
            rewrite_message(entry, format_as_one_entry)
            vars(entry)["_is_tame"] = True
        return entry

    record._tames = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(record)
