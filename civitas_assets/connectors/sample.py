"""The first records of a JSON payload: what is in them that nobody maps, and what is mapped but in none of them.

All records are read elsewhere; here a hundred stand for the rest, so that this costs the same for any payload.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import polars as pl

from civitas_assets.connectors.mapping import MappedSource
from civitas_assets.connectors.paths import is_plain
from civitas_assets.connectors.reach import Reach, left_out
from civitas_assets.connectors.rows import UNREADABLE
from civitas_assets.errors import ReadError
from civitas_assets.records.raw import TIME

_MOST_RECORDS = 100
_MOST_BYTES = 256 * 1024


def first_records(records: bytes) -> list[Any]:
    """The first records of a list that is known to be JSON: a hundred, or fewer where they are large."""
    found, size = list[Any](), 0
    for record in msgspec.json.decode(records, type=list[msgspec.Raw])[:_MOST_RECORDS]:
        size += len(bytes(record))
        if found and size > _MOST_BYTES:
            break
        with suppress(
            *UNREADABLE
        ):  # JSON, but with a number that nobody can hold: it tells nothing of the others
            found.append(msgspec.json.decode(record))
    return found


def unmapped(sample: Sequence[Any], paths: Iterable[str], ignore: Iterable[str]) -> tuple[str, ...]:
    """The names of members that no path looks at, and no pattern ignores, in order."""
    reach = Reach()
    for path in paths:
        reach.look(path)
    names = dict.fromkeys(name for record in sample for name in left_out(record, [reach]))
    return tuple(name for name in names if not any(re.fullmatch(pattern, name) for pattern in ignore))


def require(
    source: MappedSource, frame: pl.DataFrame, places: Mapping[str, Sequence[tuple[str, Sequence[Any]]]]
) -> None:
    """Check that what every row needs is there; `places` are the paths of each field, and where they lead from.

    Raises:
        ReadError: not a single record has it, so that the source has changed or the path is wrong.
    """
    for name in source.needed & places.keys():
        if frame.is_empty() or frame[name].null_count() < frame.height:
            continue
        for path, sample in places[name]:
            if not any(_has(record, path) for record in sample):
                members = dict.fromkeys(
                    key for record in sample if isinstance(record, dict) for key in record
                )
                raise ReadError(
                    f"has no {path} in any record, where {'time' if name == TIME else name} is read from; "
                    f"they have {', '.join(members) or 'no members'}"
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
