"""Texts that hold several JSON values: one in each line (NDJSON), or each after a separator (RFC 7464, RFC 8142).

What the values are is not known here; one that cannot be read costs nothing but itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import suppress
from operator import itemgetter

import msgspec

from civitas_assets.connectors.mapping.service_rows import UNREADABLE
from civitas_assets.records import BrokenRow

SEPARATOR = b"\x1e"
_OPENING = frozenset(b"{[")


def split_sequence(text: bytes) -> list[bytes]:
    """The texts after each separator where it begins with one, else those of its lines; blank ones are none."""
    parts = text.split(SEPARATOR if is_sequence(text) else b"\n")
    return [part for part in map(bytes.strip, parts) if part]


def is_sequence(text: bytes) -> bool:
    """Whether the text has separators before its values."""
    return text[:16].lstrip(b" \t\r\n").startswith(SEPARATOR)


def is_whole(text: bytes) -> bool:
    """Whether the text is one value in JSON."""
    with suppress(*UNREADABLE):
        msgspec.json.decode(text, type=msgspec.Raw)
        return True
    return False


def join_records(records: Sequence[bytes]) -> tuple[bytes | None, tuple[BrokenRow, ...]]:
    """The records that are objects or lists in JSON as one list, and the others as rows to reject.

    None where most cannot be read: then the text is something else.
    """
    text = b"[" + b",".join(records) + b"]"
    if _OPENING.issuperset(map(itemgetter(0), records)) and is_whole(text):
        return text, ()
    good = [record[0] in _OPENING and is_whole(record) for record in records]
    if sum(good) * 2 <= len(records):
        return None, ()
    broken = tuple(
        BrokenRow(number, "unreadable_record", "is no JSON", record.decode(errors="replace"))
        for number, record in enumerate(records, 1)
        if not good[number - 1]
    )
    return b"[" + b",".join(itertools.compress(records, good)) + b"]", broken
