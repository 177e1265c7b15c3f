"""GeoJSON over HTTP: features whose properties fill fields and whose points fill longitude and latitude.

Other geometries than points are handed on as they are, for the record's contract to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
from pydantic import Field, model_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import Slug
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.content.geojson_text import Collection, read_collection, to_collection_text
from civitas_assets.connectors.content.json_text import (
    collect_unread_members,
    decode_records,
    note_repeated_members,
)
from civitas_assets.connectors.content.packed import unpack_body
from civitas_assets.connectors.mapping.attributes import RestSource
from civitas_assets.connectors.mapping.levels import join_parts, make_one_or_many
from civitas_assets.connectors.mapping.mapping import Pattern, SelectiveSource
from civitas_assets.connectors.mapping.paths import extract_values, is_plain, to_series, validate_path
from civitas_assets.connectors.mapping.projection import Each, Projection, project_document
from civitas_assets.connectors.mapping.record_sample import (
    decode_texts,
    list_unmapped_members,
    note_missing_paths,
    read_first_texts,
)
from civitas_assets.connectors.mapping.service_rows import UNREADABLE, Json, normalise_path
from civitas_assets.connectors.pagination.next_pages import PagedSource, fetch_pages
from civitas_assets.connectors.vector.vector import check_degrees
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from civitas_assets.records.contract import GEOMETRY
from civitas_assets.records.geometry import add_crs
from civitas_assets.records.raw import TIME

_SEEN = 100  # points that tell for all whether they are degrees
_KIND, _COORDINATES = "geometry.type", "geometry.coordinates"
_MEMBERS = "geometry.geometries"  # what a GeometryCollection has in place of coordinates


class GeoJsonSource(SelectiveSource, RestSource, PagedSource):
    """FeatureCollections."""

    takes_files: ClassVar[bool] = True

    connector: Literal["geojson"]
    fields: Mapping[Slug, make_one_or_many(validate_path)] = Field(  # type: ignore[valid-type]
        {}, description="Contract field by path in a feature's properties."
    )
    feature_id: Slug | None = Field(None, description="Field that takes the id of the feature itself.")
    member: str | None = Field(
        None, description="Name or pattern of the file in a ZIP archive, needed where it has several."
    )
    ignore: tuple[Pattern, ...] = Field((), description="Properties that are known and not wanted.")

    @model_validator(mode="after")
    def _keeps_all_or_some(self) -> Self:
        if self.rest is not None and self.store == "mapped":
            raise ValueError("rest keeps what no setting names, and store: mapped nothing of it: choose one")
        return self

    def unpacked(self, body: bytes) -> bytes:
        """The file itself, out of an archive if it came in one."""
        return unpack_body(body, self.member, (".geojson", ".json", ".geojsonl"), self.http.max_bytes)

    @property
    def expected_crs(self) -> str | None:
        """The reference system that the tenant's file demands, None if it leaves that to the data."""
        return self.crs if "crs" in self.model_fields_set else None

    @property
    def places(self) -> dict[str, tuple[str, ...]]:
        """Paths of each field and the time, from a feature."""
        places = {name: tuple(map(_property, paths)) for name, paths in self.fields.items()}
        if self.time is not None and self.time.column is not None:
            places[TIME] = (_property(validate_path(self.time.column)),)
        if self.feature_id is not None:
            places[self.feature_id] = ("id",)
        return places

    @property
    def geometry(self) -> tuple[str, ...]:
        """What is read of a feature's geometry."""
        return () if self.contract.position is None else (_KIND, _COORDINATES, _MEMBERS)

    def extract_page(self, payload: Payload) -> tuple[bytes, Json]:
        """See `PagedSource`."""
        text = to_collection_text(self.unpacked(payload.body), payload.members)
        return text, read_collection(text, payload.members if text is payload.body else None).features

    def project_answer(self, body: bytes) -> bytes:
        """See `SelectiveSource`."""
        root = Projection()
        self.look_at_pages(root)
        root.step("type").whole = root.step("crs").whole = True
        feature = root.step("features").step(Each.ITEM)
        for path in (*(path for paths in self.places.values() for path in paths), *self.geometry):
            feature.include(path)
        return project_document(to_collection_text(self.unpacked(body)), root)


class _Point(msgspec.Struct, array_like=True, gc=False):
    x: float | None = None
    y: float | None = None


class GeoJsonConnector:
    """Fetches and reads GeoJSON."""

    name = "geojson"
    source_model: type[Source] = GeoJsonSource

    def fetch(self, source: GeoJsonSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """One request per address of the window, and per page that it leads to."""
        fetch_pages(source, window, session)

    def read(self, source: GeoJsonSource, payload: Payload) -> Iterator[RawTable]:
        """One table; values keep their JSON type, positions stay in the source's reference system.

        Where the file names another one, and the source none, its geometries name it.
        """
        collection = read_collection(source.unpacked(payload.body), payload.members)
        features, crs = collection.features, _system(collection, source)
        places, columns = source.places, dict[str, pl.Series]()
        names = [f"{name}/{number}" for name, paths in places.items() for number in range(len(paths))]
        paths = [path for parts in places.values() for path in parts]
        *values, kinds, coordinates, members = extract_values(
            features, [*paths, _KIND, _COORDINATES, _MEMBERS], raw={_COORDINATES, _MEMBERS}
        )
        columns = {name: to_series(name, found) for name, found in zip(names, values, strict=True)}
        if source.contract.position is not None:
            is_own = crs == source.crs
            points = _points(kinds, coordinates) if is_own else ([None] * len(kinds),) * 2
            shapes = _shapes(kinds, coordinates, members, points=not is_own)
            if collection.crs is None and source.expected_crs is None:
                check_degrees([*zip(*(column[:_SEEN] for column in points), strict=True)], shapes or ())
            for name, found in zip(source.contract.position, points, strict=True):
                if name not in places:
                    places[name], columns[f"{name}/0"] = (), to_series(f"{name}/0", found)
            if GEOMETRY.name not in places and shapes:
                named = to_series(f"{GEOMETRY.name}/0", shapes)
                places[GEOMETRY.name] = ()
                columns[named.name] = named if is_own else add_crs(named, crs).alias(named.name)
        frame = join_parts(columns, {name: len(parts) or 1 for name, parts in places.items()})
        texts = read_first_texts(features)
        sample = decode_texts(texts)
        mapped = {name: [(path, sample) for path in parts] for name, parts in places.items()}
        notes = note_missing_paths(source, frame, mapped)
        known = (*paths, "type", "id", "geometry", "geometry_name", "bbox")
        unknown = list_unmapped_members(
            sample, known, [rf"properties\.(?:{pattern})" for pattern in source.ignore]
        )
        unread = tuple(name.removeprefix("properties.") for name in unknown)
        if source.rest is not None:
            unread = tuple(name for name in unknown if not name.startswith("properties."))
            frame = frame.with_columns(_rest(source, features, paths).alias(source.rest))
        notes = (*notes, *note_repeated_members(texts))
        yield RawTable(source.record_type, frame, unread, collection.broken, notes)


def _rest(source: GeoJsonSource, features: Json, paths: Sequence[str]) -> pl.Series:
    """The properties that nothing else uses, as an object."""
    (properties,) = extract_values(features, ["properties"], raw={"properties"})
    records = decode_records(msgspec.json.encode(properties))
    own = [path.removeprefix("properties.").removeprefix("properties | ") for path in paths if path != "id"]
    return collect_unread_members(records, own, source.ignore, source.nulls)


def _property(path: str) -> str:
    path = normalise_path(path)
    return f"properties.{path}" if is_plain(path) else f"properties | {path}"


def _points(kinds: Sequence[Any], coordinates: Sequence[msgspec.Raw]) -> tuple[list[Any], list[Any]]:
    """The two coordinates of each geometry that is a point."""
    texts = msgspec.json.encode(
        [text if kind == "Point" else None for kind, text in zip(kinds, coordinates, strict=True)]
    )
    try:
        points = msgspec.json.decode(texts, type=list[_Point | None])
    except UNREADABLE:  # something else than numbers, which is for the contract to refuse
        points = [
            _doubtful(text) if kind == "Point" else None
            for kind, text in zip(kinds, coordinates, strict=True)
        ]
    return [point and point.x for point in points], [point and point.y for point in points]


def _doubtful(coordinates: msgspec.Raw) -> _Point | None:
    """The first two elements, whatever they are; of what nobody can decode, such as 1e999, its text."""
    try:
        values = msgspec.json.decode(coordinates)
    except UNREADABLE:
        text = bytes(coordinates).decode(errors="replace")
        return _Point(text, text)  # type: ignore[arg-type]
    return _Point(*values[:2]) if isinstance(values, list) else None


def _shapes(
    kinds: Sequence[Any], coordinates: Sequence[msgspec.Raw], members: Sequence[msgspec.Raw], *, points: bool
) -> list[str | None] | None:
    """The text of each geometry, of points only where they are wanted; None if there is none."""
    left_out: set[str | None] = {None} if points else {None, "Point"}
    if all(kind in left_out for kind in kinds):
        return None
    texts = list[str | None]()
    for kind, numbers, parts in zip(kinds, coordinates, members, strict=True):
        inner = {"geometries": parts} if kind == "GeometryCollection" else {"coordinates": numbers}
        texts.append(None if kind in left_out else _compact({"type": kind, **inner}))
    return texts


def _compact(geometry: Mapping[str, Any]) -> str:
    try:
        return msgspec.json.format(msgspec.json.encode(geometry), indent=-1).decode()
    except UNREADABLE as error:
        raise ReadError(f"is not GeoJSON: {error}") from None


def _system(collection: Collection, source: GeoJsonSource) -> str:
    """The reference system of the geometries; one that differs from what the source says is an error."""
    named, expected = collection.crs, source.expected_crs
    if named and expected and named != expected:
        raise ReadError(f"is in {named}, but the source says {expected}: correct crs, or leave it out")
    if collection.unknown_crs and expected is None:
        name = collection.unknown_crs
        raise ReadError(f"names the reference system {name}, which is not known: set crs")
    return named or source.crs
