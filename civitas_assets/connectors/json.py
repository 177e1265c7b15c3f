"""JSON over HTTP in any shape: a list of records somewhere, and a path for every field.

GeoJSON has a connector of its own, which knows geometries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import AfterValidator, Field

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import Slug
from civitas_assets.connectors.base import Payload, Session
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.mapping import MappedSource
from civitas_assets.connectors.paths import columns_of, members_at, records_at, valid_path
from civitas_assets.connectors.text import to_utf8
from civitas_assets.records import RawTable
from civitas_assets.records.raw import TIME

JsonPath = Annotated[str, AfterValidator(valid_path)]


class JsonSource(MappedSource):
    """A JSON document with a list of records."""

    connector: Literal["json"]
    records: str = Field("@", description="JMESPath of the list of records; @ is the top level.")
    key: Slug | None = Field(
        None, description="Where records is an object: the field that takes the names of its members."
    )
    fields: Mapping[Slug, JsonPath] = Field(min_length=1, description="Contract field by path in a record.")


class JsonConnector:
    """Fetches and reads JSON."""

    name = "json"
    source_model: type[Source] = JsonSource

    def fetch(self, source: JsonSource, window: Window, zone: ZoneInfo, session: Session) -> None:
        """One request per address of the window."""
        fetch_addresses(source, window, session)

    def read(self, source: JsonSource, payload: Payload) -> Iterator[RawTable]:
        """One table; values keep their JSON type."""
        wanted = dict(source.fields)
        if source.time is not None and source.time.column is not None:
            wanted[TIME] = source.time.column
        body = to_utf8(payload.body)
        if source.key is None:
            frame = columns_of(records_at(body, source.records), wanted)
        else:
            keys, records = members_at(body, source.records)
            frame = columns_of(records, wanted).with_columns(pl.Series(source.key, keys, pl.String))
        yield RawTable(source.record_type, frame)
