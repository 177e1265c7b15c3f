"""Files of features over HTTP, plain or in a ZIP: GeoPackage, Shapefile, FlatGeobuf, KML, GML, GeoJSON, Parquet.

Which of them a file is, its first bytes say, not its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.content.archive import unzip_members
from civitas_assets.connectors.content.markup import is_markup, scan_outline
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.mapping.attributes import expand_lines, list_wanted_attributes
from civitas_assets.connectors.vector.vector import Features, VectorSource, build_feature_rows
from civitas_assets.connectors.vector.vector_faults import ManyParts
from civitas_assets.connectors.vector.vector_gdal import (
    is_geopackage,
    read_flatgeobuf,
    read_geopackage,
    read_gml,
    read_shapefile,
)
from civitas_assets.connectors.vector.vector_geojson import read_geojson
from civitas_assets.connectors.vector.vector_kml import read_kml
from civitas_assets.connectors.vector.vector_parquet import read_geoparquet
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

_SHAPEFILE, _FLATGEOBUF = ".shp", b"fgb"
_SUFFIXES = (
    *(_SHAPEFILE, ".gpkg", ".fgb", ".kml", ".gml", ".xml", ".parquet", ".geoparquet"),
    *(".geojson", ".geojsonl", ".geojsons", ".ndjson", ".json"),
)
_FORMATS = "a GeoPackage, Shapefile in a ZIP archive, FlatGeobuf, KML, KMZ, GML, GeoJSON or GeoParquet"


class GeoFileSource(VectorSource):
    """A file of features, or one per `each` value and period."""

    takes_files: ClassVar[bool] = True

    connector: Literal["geofile"]
    layer: str | None = Field(None, description="Layer of the file, needed where it has several.")
    file: str | None = Field(
        None, description="Name or pattern of the file in a ZIP archive, needed where it has several."
    )
    encoding: str | None = Field(
        None, description="Encoding of a Shapefile's texts; by default what it says, else windows-1252."
    )
    split_lines: str | None = Field(
        None, description="Attribute whose lines 'key: value' are attributes of their own."
    )


class GeoFileConnector:
    """Fetches and reads files of features."""

    name = "geofile"
    source_model: type[Source] = GeoFileSource

    def fetch(self, source: GeoFileSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """One request per address of the window."""
        fetch_addresses(source, window, session)

    def read(self, source: GeoFileSource, payload: Payload) -> Iterator[RawTable]:
        """One table; geometries of any kind stay in the reference system of the file."""
        body = payload.body
        is_archive = body.startswith(b"PK")
        features = _archived(source, body) if is_archive else _plain(source, body, payload.members)
        if source.split_lines is not None:
            if features.complete and source.split_lines not in features.attributes.columns:
                there = ", ".join(features.attributes.columns)
                raise ReadError(f"lacks the attribute {source.split_lines} of split_lines; it has {there}")
            attributes = expand_lines(features.attributes, source.split_lines)
            if source.split_lines not in source.fields.values():
                attributes = attributes.drop(source.split_lines, strict=False)
            features = features.with_attributes(attributes)
        yield build_feature_rows(source, features)


def _plain(source: GeoFileSource, body: bytes, members: Mapping[str, msgspec.Raw] | None = None) -> Features:
    """The features of a file by its first bytes; `members` are those of its object, where they are known already."""
    if is_geopackage(body):
        return read_geopackage(body, source.layer, source.frame)
    if body.startswith(_FLATGEOBUF):
        return read_flatgeobuf(body, source.frame)
    if body.startswith(b"SQLite format 3"):
        raise ReadError("is a database of SQLite, but no GeoPackage: publish it as one")
    if body.startswith(b"\x00\x00\x27\x0a"):
        raise ReadError("is a part of a Shapefile alone: publish all of its parts in one ZIP archive")
    if body.startswith(b"PAR1"):
        return read_geoparquet(body, source.http.max_bytes, source.frame)
    if is_markup(body):
        document = scan_outline(body)
        if document.root == "kml":
            return read_kml(body, source.frame)
        return read_gml(body, document, source.layer, axis_order=source.axis_order, frame=source.frame)
    if body.lstrip(b"\xef\xbb\xbf \t\r\n\x1e").startswith(b"{"):
        wants_all = source.rest is not None or source.split_lines is not None
        wanted = None if wants_all else {*list_wanted_attributes(source).values()}
        return read_geojson(body, members, wanted, source.frame).with_axis_order(source.axis_order)
    raise ReadError(f"is not {_FORMATS}")


def _archived(source: GeoFileSource, body: bytes) -> Features:
    """The features of the one file in an archive that holds some."""
    found: dict[str, bytes] = {}
    for name, content in unzip_members(body, "*", source.http.max_bytes):
        if name in found:
            raise ReadError(f"has {name} in more than one folder")
        if not name.startswith("."):
            found[name] = content
    chosen = [
        name
        for name in found
        if (fnmatchcase(name, source.file) if source.file else name.lower().endswith(_SUFFIXES))
    ]
    if source.file is None and len(chosen) > 1:
        # Metadata are often beside the data, as XML or JSON.
        chosen = [name for name in chosen if not name.lower().endswith((".xml", ".json"))] or chosen
    if len(chosen) != 1:
        there = sorted(chosen or found)[:20]
        count, shown = len(chosen), ", ".join(there) or "none"
        raise ManyParts(f"has {count} files that could be meant; it has {shown}: set file", there, "file")
    (name,) = chosen
    stem, _, suffix = name.rpartition(".")
    if f".{suffix.lower()}" != _SHAPEFILE:
        return _plain(source, found[name])
    parts = {
        f".{other.rpartition('.')[2].lower()}": content
        for other, content in found.items()
        if other.rpartition(".")[0].lower() == stem.lower()
    }
    return read_shapefile(parts, source.encoding, source.frame)
