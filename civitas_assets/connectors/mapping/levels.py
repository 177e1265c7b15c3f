"""Records in records: rows of a table from JSON lists and objects that lie in each other.

A level is all records of one depth at once; what is said of a record outside is repeated for each row in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import polars as pl
from pydantic import AfterValidator, BeforeValidator, Field

from civitas_assets.connectors.mapping.paths import (
    extract_columns,
    extract_part,
    extract_records,
    extract_values,
    validate_path,
)
from civitas_assets.connectors.mapping.service_rows import UNREADABLE, Json, normalise_path
from civitas_assets.errors import ReadError

KEY = "@key"
_OUT = "^."


@dataclass(frozen=True)
class FieldPlace:
    """Where a value is: how many records further out than the row, and its path there, or `@key`."""

    out: int
    path: str

    @classmethod
    def parse(cls, text: str) -> FieldPlace:
        """The place that a path such as `^.sensor.id` names; `^` is one record further out."""
        path = text.removesuffix("^") + "^.@" if text.endswith("^") else text
        rest = path.removeprefix(_OUT)
        out = 0
        while rest != path:
            path, rest, out = rest, rest.removeprefix(_OUT), out + 1
        return cls(out, normalise_path(path))


def validate_place(text: str) -> str:
    """The text, if what follows its `^.` is `@key` or a path."""
    path = FieldPlace.parse(text).path
    if path != KEY:
        validate_path(path)
    return text


def make_one_or_many(valid: Callable[[str], str]) -> Any:
    """The type of a path, or of a list of paths whose values are joined by a slash."""
    return Annotated[
        tuple[Annotated[str, AfterValidator(valid)], ...],
        BeforeValidator(
            lambda value: (value,) if isinstance(value, str) else value,
            json_schema_input_type=str | tuple[str, ...],
        ),
        Field(min_length=1),
    ]


@dataclass(frozen=True)
class Level:
    """All records of one depth: their JSON text as one list, and where each of them stands.

    `keys` are their names where they stand in objects; `parents` are the places of the records outside.
    """

    records: Json
    keys: Sequence[str] | None = None
    parents: pl.Series | None = None

    def columns(self, fields: Mapping[str, str]) -> dict[str, pl.Series]:
        """A column per field, by name."""
        paths = {name: path for name, path in fields.items() if path != KEY}
        found = extract_columns(self.records, paths).to_dict() if paths else {}
        return {name: found[name] if name in found else pl.Series(name, self.keys) for name in fields}


def read_top_level(
    body: bytes, path: str, members: Mapping[str, msgspec.Raw] | None = None, *, keyed: bool
) -> Level:
    """The records at the path: those of a list, or with their names those of an object.

    `members` are those of the body, where they are known already.

    Raises:
        ReadError: the body is not JSON, or there is no such list or object.
    """
    if not keyed:
        return Level(extract_records(body, path, members))
    try:
        found = msgspec.json.decode(extract_part(body, path, members), type=dict[str, msgspec.Raw])
    except UNREADABLE:
        raise ReadError(f"has no object at {path or 'its top level'}: check records and {KEY}") from None
    return Level(msgspec.json.encode([*found.values()]), [*found])


def read_nested_level(level: Level, path: str, *, keyed: bool) -> Level:
    """The records that each record holds at the path; one that has nothing there holds none.

    Raises:
        ReadError: there is something else than a list, or where their names are wanted than an object.
    """
    (parts,) = extract_values(level.records, [path], raw={path})
    try:
        if keyed:
            objects = [msgspec.json.decode(part, type=dict[str, msgspec.Raw] | None) or {} for part in parts]
            keys = [*itertools.chain.from_iterable(objects)]
            groups = [[*members.values()] for members in objects]
        else:
            groups = [msgspec.json.decode(part, type=list[msgspec.Raw] | None) or [] for part in parts]
            keys = None
    except UNREADABLE:
        wanted = f"object with {KEY}" if keyed else "list"
        raise ReadError(f"has records whose {path} is no {wanted}: check nested") from None
    lengths = pl.Series([len(group) for group in groups], dtype=pl.UInt32)
    rows = pl.select(pl.int_range(len(groups), dtype=pl.UInt32).repeat_by(lengths).explode())
    records = msgspec.json.encode([*itertools.chain.from_iterable(groups)])
    return Level(records, keys, rows.to_series().drop_nulls())


def read_levels(
    body: bytes, paths: Sequence[str], keyed: Sequence[bool], members: Mapping[str, msgspec.Raw] | None = None
) -> list[Level]:
    """The levels from the outermost to that of the rows; `members` are those of the body, where they are known."""
    levels = [read_top_level(body, paths[0], members, keyed=keyed[0])]
    for path, named in zip(paths[1:], keyed[1:], strict=True):
        levels.append(read_nested_level(levels[-1], path, keyed=named))
    return levels


def build_level_rows(levels: Sequence[Level], fields: Mapping[str, Sequence[FieldPlace]]) -> pl.DataFrame:
    """A row per innermost record; the parts of a field that has several are joined by a slash."""
    columns: dict[str, pl.Series] = {}
    for depth, level in enumerate(levels, 1):
        if level.parents is not None:
            columns = {name: column.gather(level.parents) for name, column in columns.items()}
        here = {
            f"{field}/{number}": place.path
            for field, places in fields.items()
            for number, place in enumerate(places)
            if depth == len(levels) - place.out
        }
        columns |= level.columns(here)
    return join_parts(columns, {field: len(places) for field, places in fields.items()})


def join_parts(columns: Mapping[str, pl.Series], parts: Mapping[str, int]) -> pl.DataFrame:
    """The fields from their numbered parts, such as `site_id/0`; without one of them, there is no value."""
    return pl.DataFrame(columns).select(
        pl.col(f"{name}/0").alias(name)
        if count == 1
        else pl.concat_str(
            [pl.col(f"{name}/{n}").cast(pl.String) for n in range(count)], separator="/"
        ).alias(name)
        for name, count in parts.items()
    )
