"""A source's settings as the YAML that a tenant's file holds, with what has to be looked at behind a `#`.

What the settings are is decided elsewhere.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# In the order in which people read them.
_ORDER = (
    "title", "connector", "licence", "attribution", "url", "types", "api", "publication", "collection", "delimiter",
    "sheet", "file", "layer", "header", "records", "nested", "record_type", "feature_id", "fields", "unpivot",
    "constants", "codes", "computed", "units", "time", "crs", "decimal", "nulls", "rest",
)  # fmt: skip
_WIDTH, _REMARK = 96, 130
_PLAIN = re.compile(r"[A-Za-zÄÖÜäöüß_][\wÄÖÜäöüß /.()+-]*")
_RESERVED = {"true", "false", "yes", "no", "null", "on", "off", "y", "n"}


def render_source_block(name: str, settings: Mapping[str, Any], doubts: Mapping[str, Sequence[str]]) -> str:
    """The block below `sources:`."""
    lines = [f"  {name}:"]
    names = [key for key in _ORDER if key in settings] + [key for key in settings if key not in _ORDER]
    for key in names:
        lines.extend(line for text in doubts.get(key, ()) for line in _remark(text))
        lines.extend(_lines(key, settings[key]))
    others = [
        line
        for key, texts in doubts.items()
        if key not in settings
        for text in texts
        for line in _remark(f"{key}: {text}")
    ]
    return "\n".join([*lines, *others]) + "\n"


def _remark(text: str) -> list[str]:
    """A remark, which names what the file holds, as lines of a comment that nothing in it ends."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return textwrap.wrap(
        f"unsure: {plain}",
        _REMARK,
        initial_indent="    # ",
        subsequent_indent="    #   ",
        break_long_words=False,
    )


def _lines(key: str, value: Any) -> Iterator[str]:
    line = f"    {key}: {_flow(value)}"
    if not isinstance(value, Mapping) or len(line) <= _WIDTH:
        yield line
        return
    yield f"    {key}:"
    for inner, part in value.items():
        line = f"      {_flow(inner)}: {_flow(part)}"
        if len(line) <= _WIDTH or not isinstance(part, list | tuple) or not part:
            yield line
            continue
        yield f"      {_flow(inner)}:"
        yield from (f"        - {_flow(item)}" for item in part)


def _flow(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED and value == value.strip()
        return value if is_plain and value.isprintable() else _quoted(value)
    return json.dumps(value, ensure_ascii=False)


def _quoted(text: str) -> str:
    """A text in quotes, in which what YAML does not take is written by its number."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in written)
