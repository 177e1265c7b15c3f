"""Values that are to be found wherever they stand: in texts, in JSON, in bodies of any form, packed ones included.

A value counts where no letter and no digit touches it: `dev-1` is not in `dev-17`, but in `dev-1:temperature`. It is
found as it is, and as addresses, pages, XML, CSV and JSON within a text write it.
"""

from __future__ import annotations

import gzip
import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus

import polars as pl

SHORTEST = 4  # characters: what is shorter is in every other number
ERASED = "(erased)"
_DEEPEST = 3  # archives within archives
_MOST = 1 << 30  # bytes that a packed member may become
# What an escape ends with is no letter before the value: that of an address, or of JSON.
_ESCAPES = r"%[0-9A-Fa-f]{2}", r"\\[bfnrt]", r"\\u[0-9A-Fa-f]{4}"
_AFTER_ESCAPE = "|".join(f"(?<={escape})" for escape in _ESCAPES)


class Needles:
    """Values to look for."""

    def __init__(self, values: Iterable[str]) -> None:
        self.values = sorted({*values}, key=lambda value: (-len(value), value))
        self._long = [value for value in self.values if len(value) >= SHORTEST]
        self.short = [value for value in self.values if len(value) < SHORTEST]
        self._spelled = sorted(
            {form for value in self._long for form in _spellings(value)}, key=len, reverse=True
        )
        self._text = _pattern(map(re.escape, self._spelled)) if self._long else None
        edges = rb"(?:(?<![0-9A-Za-z_])|" + _AFTER_ESCAPE.encode() + rb")(?:", rb")(?![0-9A-Za-z_])"
        self._bytes = [re.compile(edges[0] + b"|".join(_forms(value)) + edges[1]) for value in self._long]

    def in_text(self, text: str) -> bool:
        """Whether a text has one of them."""
        return self._text is not None and self._text.search(text) is not None

    def in_column(self, column: str) -> pl.Expr:
        """Whether texts of a column have one of them."""
        parts = "|".join(map(pl.escape_regex, self._spelled))
        before = "|".join((r"^|[^\p{L}\p{N}_]", *_ESCAPES))
        found = pl.col(column).str.contains(rf"({before})({parts})($|[^\p{{L}}\p{{N}}_])")
        return found.fill_null(value=False) if parts else pl.lit(value=False)

    def count_rows(self, batch: Any) -> int:
        """In how many rows of an Arrow batch of texts one of them stands, as a part of a text or all of it."""
        frame = pl.DataFrame(batch)
        found = [self.in_column(name) | pl.col(name).is_in(self.values) for name in frame.columns]
        return frame.filter(pl.any_horizontal(found).fill_null(value=False)).height

    def in_body(self, body: bytes, depth: int = 0) -> bool:
        """Whether a body has one of them, in UTF-8, UTF-16 or Latin-1, as JSON writes it, or packed as gzip or ZIP."""
        if any(pattern.search(body) for pattern in self._bytes):
            return True
        return depth < _DEEPEST and any(self.in_body(member, depth + 1) for member in _members(body))

    def redact(self, content: Any) -> Any:
        """JSON with another text in their place."""
        if isinstance(content, str):
            return self._text.sub(ERASED, content) if self._text else content
        if isinstance(content, list):
            return [self.redact(part) for part in content]
        if isinstance(content, dict):
            return {self.redact(name): self.redact(part) for name, part in content.items()}
        return content


def _pattern(parts: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:(?<!\w)|{_AFTER_ESCAPE})(?:{'|'.join(parts)})(?!\w)")


def _spellings(value: str) -> set[str]:
    """A value as it is, in an address, in a page or XML, between quotes in CSV, and in JSON."""
    percent = {quote(value, safe=""), quote(value), quote_plus(value)}
    lower = {re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), form) for form in percent}
    return {
        value,
        *percent,
        *lower,
        html.escape(value),
        html.escape(value, quote=False),
        value.replace('"', '""'),
    }


def _forms(value: str) -> list[bytes]:
    """How a value may be written in a body."""
    written = {form for text in _spellings(value) for form in (text, json.dumps(text)[1:-1])}
    forms = {text.encode(code) for text in written for code in ("utf-8", "utf-16-le", "utf-16-be")}
    with suppress(UnicodeEncodeError):
        forms.add(value.encode("latin-1"))
    return [re.escape(form) for form in sorted(forms)]


def _members(body: bytes) -> Iterator[bytes]:
    """What is packed in a body; nothing where it is no archive, or a damaged one."""
    try:
        if body[:2] == b"\x1f\x8b":
            yield gzip.GzipFile(fileobj=io.BytesIO(body)).read(_MOST)
        elif body[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                for name in archive.namelist():
                    with archive.open(name) as member:
                        yield name.encode()
                        yield member.read(_MOST)
        elif body[:4] == b"PAR1":
            yield pl.read_parquet(io.BytesIO(body)).cast(pl.String, strict=False).write_csv().encode()
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, pl.exceptions.PolarsError):
        return
