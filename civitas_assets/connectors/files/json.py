"""JSON over HTTP in any shape: records somewhere, perhaps in each other, and a path for every field.

GeoJSON has a connector of its own, which knows geometries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.content.json_text import read_json
from civitas_assets.connectors.content.nested_table import build_nested_table
from civitas_assets.connectors.mapping.levels import read_levels, read_top_level
from civitas_assets.connectors.mapping.nested_source import JsonPath, NestedSource
from civitas_assets.connectors.mapping.projection import Projection, project_document
from civitas_assets.connectors.mapping.service_rows import Json
from civitas_assets.connectors.pagination.next_pages import PagedSource, fetch_pages
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, Note, RawTable


class JsonSource(NestedSource, PagedSource):
    """JSON documents with records."""

    takes_files: ClassVar[bool] = True

    connector: Literal["json"]
    records: JsonPath = Field(
        "@", description="JMESPath of the list of records, or of the object with @key; @ is the top level."
    )
    member: str | None = Field(
        None, description="Name or pattern of the file in a ZIP archive, needed where it has several."
    )

    @property
    def levels(self) -> tuple[str, ...]:
        """See `NestedSource`."""
        return (self.records, *self.nested)

    def build_projection(self) -> Projection:
        """See `NestedSource`."""
        root = Projection()
        self.look_at_pages(root)
        self.include_levels(root, 0)
        return root

    def extract_text(self, payload: Payload) -> tuple[bytes, tuple[Note, ...], tuple[BrokenRow, ...]]:
        """The JSON text of an answer, which is its body if that is plain, with what `read_json` says of it."""
        hint, is_object = f"{payload.content_type} {payload.url}", bool(payload.members)
        return read_json(payload.body, self.member, self.http.max_bytes, hint, is_object=is_object)

    def extract_page(self, payload: Payload) -> tuple[bytes, Json]:
        """See `PagedSource`."""
        text, _, _ = self.extract_text(payload)
        members = payload.members if text is payload.body else None
        level = read_top_level(text, self.records, members, keyed=self.keyed[0])
        if level.keys is None:
            return text, level.records
        # What an object holds is told apart by its name there.
        records = msgspec.json.decode(level.records, type=list[msgspec.Raw])
        return text, msgspec.json.encode([*zip(level.keys, records, strict=True)])

    def project_answer(self, body: bytes) -> bytes:
        """See `SelectiveSource`."""
        text, _, broken = read_json(body, self.member, self.http.max_bytes, "")
        if broken:  # of which nothing would be told
            raise ReadError("has records that are no JSON")
        return project_document(text, self.build_projection())


class JsonConnector:
    """Fetches and reads JSON."""

    name = "json"
    source_model: type[Source] = JsonSource

    def fetch(self, source: JsonSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """One request per address of the window, and per page that it leads to."""
        fetch_pages(source, window, session)

    def read(self, source: JsonSource, payload: Payload) -> Iterator[RawTable]:
        """One table; values keep their JSON type."""
        text, told, broken = source.extract_text(payload)
        members = payload.members if text is payload.body else None
        levels = read_levels(text, source.levels, source.keyed, members)
        yield build_nested_table(source, levels, broken, told)
