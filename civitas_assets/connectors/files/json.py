"""JSON over HTTP in any shape: records somewhere, perhaps in each other, and a path for every field.

GeoJSON has a connector of its own, which knows geometries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

import msgspec
from pydantic import AfterValidator, Field, model_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import Slug
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.content.json_text import (
    collect_unread_members,
    decode_records,
    note_repeated_members,
    read_json,
)
from civitas_assets.connectors.mapping.attributes import RestSource
from civitas_assets.connectors.mapping.levels import (
    KEY,
    FieldPlace,
    build_level_rows,
    make_one_or_many,
    read_levels,
    read_top_level,
    validate_place,
)
from civitas_assets.connectors.mapping.mapping import Pattern, SelectiveSource
from civitas_assets.connectors.mapping.paths import validate_path
from civitas_assets.connectors.mapping.projection import Each, Projection, project_document
from civitas_assets.connectors.mapping.record_sample import (
    decode_texts,
    list_unmapped_members,
    note_missing_paths,
    read_first_texts,
)
from civitas_assets.connectors.pagination.next_pages import PagedSource, fetch_pages
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from civitas_assets.records.raw import TIME

JsonPath = Annotated[str, AfterValidator(validate_path)]


class JsonSource(SelectiveSource, RestSource, PagedSource):
    """JSON documents with records."""

    takes_files: ClassVar[bool] = True

    connector: Literal["json"]
    records: JsonPath = Field(
        "@", description="JMESPath of the list of records, or of the object with @key; @ is the top level."
    )
    nested: tuple[JsonPath, ...] = Field(
        (), description="Where each record holds the list or object of the rows; further ones go deeper."
    )
    fields: Mapping[Slug, make_one_or_many(validate_place)] = Field(  # type: ignore[valid-type]
        min_length=1,
        description="Contract field by path in a row; ^. leads to the record outside, @key to a member's name.",
    )
    member: str | None = Field(
        None, description="Name or pattern of the file in a ZIP archive, needed where it has several."
    )
    ignore: tuple[Pattern, ...] = Field((), description="Members that are known and not wanted.")

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        for name, places in self.places.items():
            for place in places:
                if place.out > len(self.nested):
                    raise ValueError(f"{name} leads out of {len(self.nested) + 1} level(s): check nested")
        if self.store == "mapped":
            if self.rest is not None:
                raise ValueError(
                    "rest keeps what no setting names, and store: mapped nothing of it: choose one"
                )
            self._reach()
        return self

    @property
    def levels(self) -> tuple[str, ...]:
        """The paths from the top to the rows."""
        return (self.records, *self.nested)

    @property
    def places(self) -> dict[str, list[FieldPlace]]:
        """Where each field and the time are, from a row."""
        places = {name: [*map(FieldPlace.parse, paths)] for name, paths in self.fields.items()}
        if self.time is not None and self.time.column is not None:
            places[TIME] = [FieldPlace.parse(validate_place(self.time.column))]
        return places

    def paths(self, depth: int) -> list[str]:
        """What is read in the records of a level, which are counted from the outermost, 0; `@key` included."""
        out = len(self.nested) - depth
        return [place.path for places in self.places.values() for place in places if place.out == out]

    def looked_at(self, depth: int) -> list[str]:
        """The same without names of members, and with where the next level is."""
        return [path for path in (*self.paths(depth), *self.nested[depth : depth + 1]) if path != KEY]

    @property
    def keyed(self) -> list[bool]:
        """By level, whether its records are members of an object."""
        return [KEY in self.paths(depth) for depth in range(len(self.levels))]

    def _reach(self) -> Projection:
        """What the source looks at in a document."""
        root = Projection()
        self.look_at_pages(root)
        at = [root]
        for depth, (path, keyed) in enumerate(zip(self.levels, self.keyed, strict=True)):
            if keyed:
                at = [found.step(Each.MEMBER) for place in at for found in place.follow(path)]
            else:
                at = [found for place in at for found in place.resolve_items(path)]
            if not at or root.whole:
                raise ValueError(
                    f"store: mapped cannot tell what {path} leaves out: use names, [*], [] or [?…]"
                )
            for place in at:
                for field in self.paths(depth):
                    if field != KEY:
                        place.include(field)
        return root

    def extract_page(self, body: bytes, hint: str) -> tuple[bytes, bytes]:
        """See `PagedSource`."""
        text, _, _ = read_json(body, self.member, self.http.max_bytes, hint)
        level = read_top_level(text, self.records, keyed=self.keyed[0])
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
        return project_document(text, self._reach())


class JsonConnector:
    """Fetches and reads JSON."""

    name = "json"
    source_model: type[Source] = JsonSource

    def fetch(self, source: JsonSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """One request per address of the window, and per page that it leads to."""
        fetch_pages(source, window, session)

    def read(self, source: JsonSource, payload: Payload) -> Iterator[RawTable]:
        """One table; values keep their JSON type."""
        hint = f"{payload.content_type} {payload.url}"
        is_object = bool(payload.members)
        text, told, broken = read_json(
            payload.body, source.member, source.http.max_bytes, hint, is_object=is_object
        )
        members = payload.members if text is payload.body else None
        levels = read_levels(text, source.levels, source.keyed, members)
        frame = build_level_rows(levels, source.places)
        texts = [read_first_texts(level.records) for level in levels]
        samples = [*map(decode_texts, texts)]
        notes = note_missing_paths(
            source,
            frame,
            {
                name: [(place.path, samples[-1 - place.out]) for place in places if place.path != KEY]
                for name, places in source.places.items()
            },
        )
        unknown = dict[str, None]()
        for depth, sample in enumerate(samples):
            unknown |= dict.fromkeys(list_unmapped_members(sample, source.looked_at(depth), source.ignore))
        if source.rest is not None:
            last = len(levels) - 1
            unknown = dict.fromkeys(name for name in unknown if last)
            records = decode_records(levels[last].records)
            rest = collect_unread_members(records, source.looked_at(last), source.ignore, source.nulls)
            frame = frame.with_columns(rest.alias(source.rest))
        twice = note_repeated_members(texts[-1])
        yield RawTable(source.record_type, frame, tuple(unknown), broken, (*told, *notes, *twice))
