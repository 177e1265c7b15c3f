"""From an answer to rows: decoding it as its protocol documents, and putting the few rows of a catalogue into a table.

Many values are read by paths, in `paths.py`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import polars as pl

from civitas_assets.connectors.mapping.columns import normalise_column_name
from civitas_assets.errors import ReadError
from civitas_assets.records import RECORD_TYPES, BrokenRow, ColumnKind, RawTable

# A JSON text; one that is part of another is not copied out of it.
Json = bytes | msgspec.Raw
# What decoding raises for a body that is no JSON of the expected shape, or is nested deeper than anybody means.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


_EXPRESSION = re.compile(r"[\['`({]")
_NOT_JSON = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b')


def replace_nan(body: Json) -> bytes:
    """JSON with null for the numbers that it does not have, as programs write them all the same."""
    whole = bytes(body)
    if len(whole) < _SMALL and not any(number in whole for number in _NO_JSON_BYTES):
        return whole  # as most messages of a queue, for each of which a column would be dear
    with suppress(pl.exceptions.ComputeError):  # it is no UTF-8
        text = pl.Series([whole], dtype=pl.Binary).cast(pl.String)
        if not text.str.contains_any(_NO_JSON).item():
            return whole  # nearly always, which is found sooner than where texts begin and end
    return _NOT_JSON.sub(lambda found: found[0] if found[0].startswith(b'"') else b"null", whole)


_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?')
# Marks that stand behind their letter, and blanks that do not look like one: as they are, or as JSON writes them.
_ODD = (
    b"\xcc",
    b"\xcd",
    b"\xc2\xa0",
    b"\xe2\x80\x8b",
    b"\xef\xbb\xbf",
    b"\\u03",
    b"\\u00a0",
    b"\\u00A0",
    b"\\u200",
)


_FIRST = {odd[:1] for odd in _ODD}  # a single byte is found much sooner
_HEAD = 256 * 1024
_SMALL = 64 * 1024
_NO_JSON = ["NaN", "Infinity"]
_NO_JSON_BYTES = [name.encode() for name in _NO_JSON]


def normalise_member_names(text: bytes) -> bytes:
    """JSON whose members are called as people write their names, as `normalise_column_name` does for columns.

    Records are alike: the first ones tell whether any member is called otherwise.
    """
    head = text[:_HEAD]
    if not any(first in head for first in _FIRST) or not any(odd in head for odd in _ODD):
        return text
    return text if _STRING.sub(_plain, head) == head else _STRING.sub(_plain, text)


def _plain(found: re.Match[bytes]) -> bytes:
    written, end = found[1], found[2]
    if end is None or not any(odd in written for odd in _ODD):
        return found[0]
    try:
        name = msgspec.json.decode(b'"' + written + b'"', type=str)
    except UNREADABLE:
        return found[0]
    return msgspec.json.encode(normalise_column_name(name)) + end


def normalise_path(path: str) -> str:
    """A path of names in the same spelling; one that compares or works out something stays as it is."""
    return path if _EXPRESSION.search(path) else unicodedata.normalize("NFC", path).replace("\xa0", " ")


def read_text_start(text: Json, size: int) -> bytes:
    """The first bytes of a JSON text, the rest of which is not copied."""
    return bytes(memoryview(text)[:size])


def read_members(text: Json) -> Mapping[str, msgspec.Raw]:
    """The members of the object that a JSON text is, each as its own text; none of anything else."""
    if not read_text_start(text, 64).lstrip().startswith(b"{"):
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return {}


def decode_answer(body: bytes, kind: Any, service: str) -> Any:
    """The answer in types of its protocol; a number that JSON does not have is none.

    Raises:
        ReadError: it is not what the service documents.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE as error:
        mended = replace_nan(body)
        if mended == body:
            raise ReadError(f"is not what {service} answers: {error}") from None
    return decode_answer(mended, kind, service)


def decode_each(
    body: bytes, kind: Any, service: str, *, is_page: bool = False
) -> tuple[list[Any], tuple[BrokenRow, ...]]:
    """The elements of a list, and those that are not what the protocol documents, each for itself.

    Raises:
        ReadError: it is no list, or none of its elements is; on a page, which may be the last, one proves nothing.
    """
    found, broken = list[Any](), list[BrokenRow]()
    for row, element in enumerate(decode_answer(body, list[msgspec.Raw], service), 1):
        try:
            found.append(msgspec.json.decode(element, type=kind))
        except UNREADABLE as error:
            broken.append(
                BrokenRow(row, "unreadable_element", str(error), bytes(element).decode(errors="replace"))
            )
    if len(broken) > is_page and not found:
        raise ReadError(f"is not what {service} answers: {broken[0].detail}")
    return found, tuple(broken)


def build_raw_table(
    record_type: str, rows: Iterable[Mapping[str, object]], columns: Sequence[str]
) -> RawTable:
    """Rows of things as a table; for the few rows of a catalogue, not for its values.

    Decimal numbers keep their type; all else is text, also where a number belongs, which the contract then types.
    """
    found = list(rows)
    return build_column_table(record_type, {name: [row.get(name) for row in found] for name in columns})


def build_column_table(record_type: str, columns: Mapping[str, Sequence[object]]) -> RawTable:
    """A table of columns, as `table` makes one of rows."""
    contract, series = RECORD_TYPES[record_type], []
    for name, values in columns.items():
        is_number = not name.startswith("@") and contract.get_column(name).kind is ColumnKind.NUMBER
        if is_number and all(value is None or _is_number(value) for value in values):
            series.append(pl.Series(name, values, pl.Float64, strict=False))
        elif {*map(type, values)} <= _TEXTS:
            series.append(pl.Series(name, values, pl.String))
        else:
            series.append(pl.Series(name, [None if v is None else str(v) for v in values], pl.String))
    return RawTable(record_type, pl.DataFrame(series))


_TEXTS = {str, type(None)}


def _is_number(value: object) -> bool:
    return isinstance(value, float) or (
        isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53
    )


def parse_number(text: str | float | None) -> float | None:
    """A number that may be written as text; None where it is none."""
    try:
        value = math.nan if text is None else float(text)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None
