"""The first records of a JSON payload: what is in them that nobody maps, and what is mapped but in none of them.

All records are read elsewhere; here a hundred stand for the rest, so that this costs the same for any payload.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import polars as pl

from civitas_assets.connectors.mapping.mapping import MappedSource
from civitas_assets.connectors.mapping.missing import note_missing_fields
from civitas_assets.connectors.mapping.paths import is_plain
from civitas_assets.connectors.mapping.projection import Projection, list_unprojected
from civitas_assets.connectors.mapping.service_rows import UNREADABLE, Json, read_text_start
from civitas_assets.errors import ReadError
from civitas_assets.records import Note
from civitas_assets.records.linear import list_unmatched

_MOST_RECORDS = 100
_MOST_BYTES = 256 * 1024
_DECODER = json.JSONDecoder()
_NEXT_RECORD = re.compile(r"\s*[\[,]\s*")
_FIRST_NAME = re.compile(r'(?:([A-Za-z_]\w*)|"([^"\\]+)")(?!\s*\()')


def read_first_texts(records: Json) -> list[bytes]:
    """The JSON texts of the first records of a list: a hundred, or fewer where they are large."""
    found, size = list[bytes](), 0
    for record in _leading_texts(records) or msgspec.json.decode(records, type=list[msgspec.Raw]):
        size += len(bytes(record))
        if found and (size > _MOST_BYTES or len(found) == _MOST_RECORDS):
            break
        found.append(bytes(record))
    return found


def _leading_texts(records: Json) -> list[bytes]:
    """So many of the first texts as `read_first_texts` looks at, from the head of a long list; empty where
    that has less.
    """
    if len(memoryview(records)) < 2 * _MOST_BYTES:
        return []
    text = read_text_start(records, _MOST_BYTES).decode(errors="ignore")
    found, at = list[bytes](), _NEXT_RECORD.match(text)
    with suppress(ValueError, RecursionError):
        while at is not None and len(found) < _MOST_RECORDS:
            _, end = _DECODER.raw_decode(text, at.end())
            found.append(text[at.end() : end].encode())
            at = _NEXT_RECORD.match(text, end)
    return found if len(found) == _MOST_RECORDS else []


def read_first_records(records: Json) -> list[Any]:
    """The first records of a list that is known to be JSON: a hundred, or fewer where they are large."""
    return decode_texts(read_first_texts(records))


def decode_texts(texts: Iterable[bytes]) -> list[Any]:
    """The records of these texts; one with a number that nobody can hold is left out, as it tells nothing of others."""
    found = list[Any]()
    for text in texts:
        with suppress(*UNREADABLE):
            found.append(msgspec.json.decode(text))
    return found


def list_unmapped_members(
    sample: Sequence[Any], paths: Iterable[str], ignore: Iterable[str]
) -> tuple[str, ...]:
    """The names of members that no path looks at, and no pattern ignores, in order."""
    reach = Projection()
    for path in paths:
        reach.include(path)
    names = dict.fromkeys(name for record in sample for name in list_unprojected(record, [reach]))
    return tuple(list_unmatched(ignore, names))


def note_missing_paths(
    source: MappedSource, frame: pl.DataFrame, places: Mapping[str, Sequence[tuple[str, Sequence[Any]]]]
) -> tuple[Note, ...]:
    """The note on paths that no record has; `places` are those of each field, and the records they lead from.

    Raises:
        ReadError: rows need what is not there, so that the source has changed or the path is wrong.
    """
    missing, there = dict[str, str](), dict[str, None]()
    for name, found in places.items():
        if frame.is_empty() or name not in frame.columns or frame[name].null_count() < frame.height:
            continue
        has = _has if name in source.needed else _leads_to
        for path, sample in found:
            if not any(has(record, path) for record in sample):
                missing.setdefault(name, path)
                there |= dict.fromkeys(key for record in sample for key in _beside(record, path))
    return note_missing_fields(source, missing, there)


def require_members(records: Json, names: Iterable[str], service: str) -> None:
    """Check that a list of records, if it has any, has each of the members somewhere, be it without a value.

    Raises:
        ReadError: no record has one of them: the service answers otherwise than it did.
    """
    sample = read_first_records(records)
    for name in names if sample else ():
        if not any(_has(record, name) for record in sample):
            there = dict.fromkeys(key for record in sample if isinstance(record, dict) for key in record)
            raise ReadError(
                f"is not what {service} answers: no record has {name}; they have {', '.join(there)}"
            )


def _has(record: Any, path: str) -> bool:
    """Whether the record has something at the path, be it null; only names can be followed without a value."""
    if not is_plain(path):
        return False
    for key in path.split("."):
        if not isinstance(record, dict) or key not in record:
            return False
        record = record[key]
    return True


def _beside(record: Any, path: str) -> Iterable[str]:
    """The names of the members among which the first one that is missing would be."""
    for key in path.split(".") if is_plain(path) else ():
        if not isinstance(record, dict) or not isinstance(record.get(key), dict):
            break
        record = record[key]
    return record if isinstance(record, dict) else ()


def _leads_to(record: Any, path: str) -> bool:
    """Whether the record has what the path begins with; where an expression leads without a value, nobody knows."""
    if is_plain(path):
        return _has(record, path)
    begins = _FIRST_NAME.match(path)
    return begins is None or (isinstance(record, dict) and (begins[1] or begins[2]) in record)
