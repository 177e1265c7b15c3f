"""GeoJSON over HTTP: features whose properties fill fields and whose points fill longitude and latitude.

Other geometries than points give no position here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import Slug
from civitas_assets.connectors.base import Payload, Session
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.json import JsonPath
from civitas_assets.connectors.mapping import MappedSource
from civitas_assets.connectors.paths import columns_of, records_at, series
from civitas_assets.connectors.rows import UNREADABLE
from civitas_assets.connectors.text import to_utf8
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from civitas_assets.records.raw import TIME

_EPSG = re.compile(r"EPSG:+(\d+)$")


class GeoJsonSource(MappedSource):
    """A FeatureCollection."""

    connector: Literal["geojson"]
    fields: Mapping[Slug, JsonPath] = Field(
        {}, description="Contract field by path in a feature's properties."
    )
    feature_id: Slug | None = Field(None, description="Field that takes the id of the feature itself.")


class _Geometry(msgspec.Struct, gc=False):
    type: str | None = None
    coordinates: Any = None


class _Feature(msgspec.Struct):
    geometry: _Geometry | None = None
    id: str | int | float | None = None


class _CrsProperties(msgspec.Struct):
    name: Any = None


class _Crs(msgspec.Struct):
    properties: _CrsProperties | None = None


class _Head(msgspec.Struct):
    crs: _Crs | None = None


class GeoJsonConnector:
    """Fetches and reads GeoJSON."""

    name = "geojson"
    source_model: type[Source] = GeoJsonSource

    def fetch(self, source: GeoJsonSource, window: Window, zone: ZoneInfo, session: Session) -> None:
        """One request per address of the window."""
        fetch_addresses(source, window, session)

    def read(self, source: GeoJsonSource, payload: Payload) -> Iterator[RawTable]:
        """One table; values keep their JSON type, positions stay in the source's reference system."""
        body = to_utf8(payload.body)
        wanted = {field: f"properties.{path}" for field, path in source.fields.items()}
        if source.time is not None and source.time.column is not None:
            wanted[TIME] = f"properties.{source.time.column}"
        features = records_at(body, "features")
        _check_crs(body, source)
        frame = columns_of(features, wanted)
        decoded = _decode(features, list[_Feature])
        if source.feature_id is not None:
            frame = frame.with_columns(series(source.feature_id, [feature.id for feature in decoded]))
        if source.contract.position is not None:
            points = [_point(feature.geometry) for feature in decoded]
            columns = zip(
                source.contract.position, zip(*points, strict=True) if points else ((), ()), strict=True
            )
            frame = frame.with_columns(
                series(name, values) for name, values in columns if name not in frame.columns
            )
        yield RawTable(source.record_type, frame)


def _decode(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE as error:
        raise ReadError(f"is not GeoJSON: {error}") from None


def _point(geometry: _Geometry | None) -> tuple[Any, Any]:
    if geometry is None or geometry.type != "Point" or not isinstance(geometry.coordinates, list):
        return None, None
    x, y, *_ = (*geometry.coordinates, None, None)
    return x, y


def _check_crs(body: bytes, source: GeoJsonSource) -> None:
    """A file that names another reference system than the source is an error: nothing is guessed."""
    crs = _decode(body, _Head).crs
    match = _EPSG.search(str(crs.properties.name)) if crs and crs.properties else None
    if match and f"EPSG:{match[1]}" != source.crs:
        raise ReadError(f"is in EPSG:{match[1]}, but the source says {source.crs}: set crs")
