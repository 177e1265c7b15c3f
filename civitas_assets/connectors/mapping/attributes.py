"""Sources whose records have named attributes: which of them fill which field, and where all the others go.

Where the attributes come from is not known here: features of a map have them, and so may rows of a table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Self

import polars as pl
from pydantic import Field, model_validator

from civitas_assets.catalog.model import Slug
from civitas_assets.connectors.mapping.mapping import MappedSource
from civitas_assets.errors import ReadError
from civitas_assets.records import ColumnKind
from civitas_assets.records.clean_text import to_text
from civitas_assets.records.raw import TIME

_BREAK = r"(?i)<br\s*/?>|</?p[^>]*>|\r"
_TAG = r"<[^>]*>"
_LINE = r"^\s*(?<key>[^:]{1,60}?)\s*:\s*(?<value>.*?)\s*$"
_ENTITIES = {"&nbsp;": " ", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&"}
_MOST_KEYS = 500


class RestSource(MappedSource):
    """A source that can keep all that nothing else uses, in one field."""

    rest: Slug | None = Field(
        None, description="Field that takes all attributes that nothing else uses, as a JSON object."
    )

    @model_validator(mode="after")
    def _rest_is_a_text(self) -> Self:
        contract, name = self.contract, self.rest
        if name is not None and (
            name not in contract.accepted or contract.get_column(name).kind is not ColumnKind.TEXT
        ):
            texts = [
                field for field in contract.accepted if contract.get_column(field).kind is ColumnKind.TEXT
            ]
            raise ValueError(f"rest is no text of {contract.name}; allowed: {', '.join(texts)}")
        if name is not None and name in getattr(self, "fields", {}):
            raise ValueError(f"rest is {name}, which fields maps already: keep one of them")
        return self


class AttributeSource(RestSource):
    """A source that maps attributes to fields by name."""

    fields: Mapping[Slug, str] = Field({}, description="Contract field by the name of an attribute.")


def list_wanted_attributes(source: AttributeSource) -> dict[str, str]:
    """The names of attributes that the source reads, by field."""
    wanted = dict(source.fields)
    if source.time is not None and source.time.column is not None:
        wanted[TIME] = source.time.column
    return wanted


def select_attributes(
    source: AttributeSource, attributes: pl.DataFrame, *, complete: bool
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Attributes under the names of fields, and those that nothing uses.

    `complete` says that the attributes are all that there can be; else one may be missing only because no
    record of this payload has it.

    Raises:
        ReadError: an attribute that the source names does not exist.
    """
    wanted = list_wanted_attributes(source)
    missing = sorted({*wanted.values()} - {*attributes.columns})
    if missing and complete:
        raise ReadError(
            f"lacks the attribute(s) {', '.join(missing)}; it has {', '.join(attributes.columns)}"
        )
    present = {field: name for field, name in wanted.items() if name in attributes.columns}
    columns = [attributes[name].alias(field) for field, name in present.items()]
    frame = pl.DataFrame(height=attributes.height).with_columns(columns)
    others = tuple(name for name in attributes.columns if name not in present.values())
    if source.rest is None:
        return frame, others
    return frame.with_columns(encode_attributes(attributes, others, source.nulls).alias(source.rest)), ()


def encode_attributes(attributes: pl.DataFrame, names: Sequence[str], nulls: Sequence[str] = ()) -> pl.Series:
    """The attributes that have a value as a JSON object, by name, so that others' absence changes nothing."""
    members = []
    for name in sorted(names):
        values = attributes[name]
        if values.dtype in {pl.String, pl.Binary}:
            values = to_text(values).str.strip_chars()
            values = values.set(values.is_in(["", *nulls]), None)
        written = pl.DataFrame({"v": values}).to_struct().struct.json_encode().str.slice(5).str.head(-1)
        key = pl.Series([json.dumps(name, ensure_ascii=False)])
        members.append((key + ":" + written).set(values.is_null() | (written == "null"), None).alias(name))
    if not members:
        return pl.Series([None], dtype=pl.String).new_from_index(0, attributes.height)
    joined = pl.concat_str(pl.all(), separator=",", ignore_nulls=True)
    filled = pl.any_horizontal(pl.all().is_not_null())
    return pl.DataFrame(members).select(pl.when(filled).then("{" + joined + "}")).to_series()


def expand_lines(attributes: pl.DataFrame, name: str) -> pl.DataFrame:
    """The attributes, and those that lines `key: value` of one of them hold; what was there goes before.

    Raises:
        ReadError: so many keys that the lines must be something else.
    """
    if name not in attributes.columns:
        return attributes
    text = pl.col(name).cast(pl.String).str.replace_all(_BREAK, "\n").str.replace_all(_TAG, "")
    lines = (
        attributes.select(pl.row_index("row"), text.str.replace_many(_ENTITIES).str.split("\n").alias("line"))
        .explode("line")
        .select("row", pl.col("line").str.extract_groups(_LINE).struct.unnest())
        .filter(pl.col("key").is_not_null() & (pl.col("value") != ""))
        .unique(["row", "key"], keep="first", maintain_order=True)
    )
    keys = lines["key"].unique(maintain_order=True).to_list()
    if len(keys) > _MOST_KEYS:
        raise ReadError(f"has over {_MOST_KEYS} keys in lines of {name}: take split_lines away")
    for key in keys:
        own = lines.filter(pl.col("key") == key)
        values = pl.Series(key, [None], pl.String).new_from_index(0, attributes.height)
        values = values.scatter(own["row"], own["value"])
        if key in attributes.columns:
            given = to_text(attributes[key])
            values = given.zip_with((given != "").fill_null(value=False), values)
        attributes = attributes.with_columns(values.alias(key))
    return attributes
