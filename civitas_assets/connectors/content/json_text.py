"""JSON as publishers send it, brought into what can be decoded: packed, line by line, or with numbers that it lacks.

What is told of it besides: members that an object has twice, and all that nobody maps, as one object.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import polars as pl

from civitas_assets.connectors.content.packed import unpack_body
from civitas_assets.connectors.content.sequences import (
    SEPARATOR,
    is_sequence,
    is_whole,
    join_records,
    split_sequence,
)
from civitas_assets.connectors.content.text_encoding import read_text
from civitas_assets.connectors.mapping.projection import Projection, drop_projected
from civitas_assets.connectors.mapping.service_rows import (
    UNREADABLE,
    Json,
    normalise_member_names,
    replace_nan,
)
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, Note
from civitas_assets.records.linear import list_unmatched

_FORMS = (".json", ".geojson", ".ndjson", ".jsonl", ".geojsonl")
_BY_LINE = re.compile(r"ndjson|jsonl|json-?lines|json-seq|geojsonl|geojson-seq", re.IGNORECASE)
_FOLLOWING = re.compile(rb"\n[ \t\r]*[{\[]")  # without it, there is one line of JSON at most
# A publisher's program writes all records alike, and this looks at each member.
_MOST_RECORDS, _MOST_BYTES = 3, 64 * 1024


def read_json(
    body: bytes, member: str | None, most_bytes: int, hint: str, *, is_object: bool = False
) -> tuple[bytes, tuple[Note, ...], tuple[BrokenRow, ...]]:
    """The JSON text of a body, notes of what was mended, and records that cannot be read.

    Objects that stand line by line, or after separators, are one list.

    `hint` is what address and content type say, where a single object may be the only line. With `is_object` the body
    is known to be one object, and no more.

    Raises:
        ReadError: the body is packed in a way that is not read, or no text.
    """
    text, notes = read_text(unpack_body(body, member, _FORMS, most_bytes))
    is_object = is_object and text is body
    if not is_object and (mended := replace_nan(text)) != text:
        note = "held NaN or Infinity, which JSON does not have: taken as no value"
        text, notes = mended, (*notes, Note("not_a_number", note))
    text = normalise_member_names(text)
    if text[:64].lstrip(b" \t\r\n").startswith((b"{", SEPARATOR)):
        text, broken = _as_list(text, by_line=_BY_LINE.search(hint) is not None, is_object=is_object)
        return text, notes, broken
    return text, notes, ()


def _as_list(text: bytes, *, by_line: bool, is_object: bool) -> tuple[bytes, tuple[BrokenRow, ...]]:
    """Objects that follow on each other, in lines or between separators, as one list; one object as it is."""
    if not by_line and not is_sequence(text):
        follows = not is_object and b"\n" in text and _FOLLOWING.search(text)
        if not follows or is_whole(text):
            return text, ()
    records = split_sequence(text)
    if not by_line and not (records and is_whole(records[0])):
        return text, ()
    listed, broken = join_records(records)
    return (text if listed is None else listed), broken


def note_repeated_members(records: Iterable[bytes]) -> tuple[Note, ...]:
    """A note of members that objects in some records, as JSON texts, have more than once; the last one counts."""
    found = dict[str, None]()

    def look(pairs: list[tuple[str, Any]]) -> None:
        if len(pairs) > 1:
            found.update(
                (name, None) for name, count in Counter(name for name, _ in pairs).items() if count > 1
            )

    for record in itertools.islice(records, _MOST_RECORDS):
        if len(record) <= _MOST_BYTES:
            with suppress(ValueError, RecursionError):
                json.loads(record, object_pairs_hook=look)
    if not found:
        return ()
    return (Note("repeated_member", f"records have {', '.join(found)} more than once: the last one counts"),)


def collect_unread_members(
    records: Iterable[Any], paths: Sequence[str], ignore: Iterable[str], nulls: Iterable[str]
) -> pl.Series:
    """What no path looks at and no pattern ignores in each record, as the text of a JSON object; null for nothing."""
    reach = Projection()
    for path in paths:
        reach.include(path)
    patterns, nothing = [*ignore], {"", *nulls}
    texts = list[str | None]()
    seen, ignored = set[str](), set[str]()  # a name is matched once, not in each record
    for record in records:
        left = drop_projected(record, [reach]) if isinstance(record, Mapping) else None
        new = {*(left or {})} - seen
        seen |= new
        ignored |= new.difference(list_unmatched(patterns, new))
        members = {
            name: value
            for name, value in (left or {}).items()
            if name not in ignored
            and value is not None
            and not (isinstance(value, str) and value.strip() in nothing)
        }
        texts.append(msgspec.json.encode(members, order="sorted").decode() if members else None)
    return pl.Series(texts, dtype=pl.String)


def decode_records(records: Json) -> list[Any]:
    """The records of a list.

    Raises:
        ReadError: it is none.
    """
    try:
        return msgspec.json.decode(records, type=list[Any])
    except UNREADABLE as error:
        raise ReadError(f"is not a list of objects in JSON: {error}") from None
