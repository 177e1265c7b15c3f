"""A body as columns, with the settings by which its connector finds them; what the columns mean is not known here.

How bodies of each form become samples is in the modules of the forms: `table_samples.py`, `json_samples.py` and
`feature_samples.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from civitas_assets.propose.sample_columns import SampleColumn
from civitas_assets.records.clean_text import clean_text

MOST_RECORDS = 2000
DEEPEST = 4
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
FEATURE_ID = "@feature"  # the column of the ids that features have besides their attributes
KEY = "@key"  # the column of the names of the members that are records


@dataclass(frozen=True)
class Sample:
    """The columns of a body, and the settings with which its connector finds them.

    `points` are the first positions of geometries that the connector reads itself, `shapes` their types, `crs` the
    reference system that the body names. `outside` are columns of what is said beside the list of records, and
    `reached` the settings that replace others so that one of them can be read. `remarks` are sentences about what is
    there and not proposed. `url` is the address that the source names, where it is another than the sample's.
    """

    connector: str
    settings: Mapping[str, Any]
    columns: Sequence[SampleColumn]
    rows: int
    points: Sequence[tuple[float, float]] = ()
    shapes: frozenset[str] = field(default_factory=frozenset)
    crs: str | None = None
    doubts: Mapping[str, str] = field(default_factory=dict)
    outside: Sequence[SampleColumn] = ()
    reached: Mapping[str, Any] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    url: str = ""


def build_columns(records: Sequence[Any]) -> list[SampleColumn]:
    """The plain members of the records, and those of the objects in them, by path."""
    flat = [dict(list_flat_members(record)) for record in records if isinstance(record, dict)]
    names = dict.fromkeys(name for record in flat for name in record)
    return [SampleColumn(name, tuple(record.get(name) for record in flat)) for name in names]


def list_flat_members(record: Mapping[str, Any], path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Path and value of each plain member, also of members that are objects."""
    for name, value in record.items():
        inner = f"{path}.{quote_jmespath(name)}" if path else quote_jmespath(name)
        if isinstance(value, dict) and depth < DEEPEST and "coordinates" not in value:
            yield from list_flat_members(value, inner, depth + 1)
        elif not isinstance(value, list | dict):
            yield inner, value


def quote_jmespath(name: str) -> str:
    """A name as JMESPath takes it."""
    return name if _NAME.fullmatch(name) else msgspec.json.encode(name).decode()


def find_first_point(coordinates: Any) -> tuple[float, float] | None:
    """The first position of a geometry's coordinates; None where there is none."""
    while isinstance(coordinates, list) and coordinates and isinstance(coordinates[0], list):
        coordinates = coordinates[0]
    if isinstance(coordinates, list) and len(coordinates) >= 2:
        x, y = coordinates[:2]
        if all(isinstance(number, int | float) and not isinstance(number, bool) for number in (x, y)):
            return float(x), float(y)
    return None


def shorten_names(names: Iterable[str], most: int = 8) -> str:
    """Some names for a sentence."""
    found = [clean_text(name) for name in names]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
