"""GeoParquet and Parquet's own geometries as features; any other Parquet file is features without a geometry.

Geometries are well-known binary, or nested coordinates as version 1.1 of GeoParquet has them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet

from civitas_assets.catalog.frame import DEFAULT_FRAME, Frame
from civitas_assets.connectors.content.extent import check_extent
from civitas_assets.connectors.mapping.service_rows import UNREADABLE
from civitas_assets.connectors.vector.vector import Features
from civitas_assets.errors import ReadError
from civitas_assets.records.geometry import find_epsg

# Encodings of GeoParquet 1.1, and the kinds of GeoJSON whose coordinates are nested alike.
_NESTED = {
    kind.lower(): kind
    for kind in ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
}


class _Covering(msgspec.Struct):
    bbox: dict[str, list[str]] = {}


class _Column(msgspec.Struct):
    encoding: str
    crs: Any = msgspec.UNSET
    covering: _Covering = msgspec.field(default_factory=_Covering)


class _Geo(msgspec.Struct):
    primary_column: str
    columns: dict[str, _Column]


def read_geoparquet(body: bytes, most_bytes: int, frame: Frame = DEFAULT_FRAME) -> Features:
    """The rows of a Parquet file; `most_bytes` bounds what they may unfold to.

    Raises:
        ReadError: it is damaged or too large, or its geometries are in a form that is not read.
    """
    try:
        file = pa.parquet.ParquetFile(pa.BufferReader(body))
        _check_size(file.metadata, most_bytes)
        check_extent(frame, file.metadata.num_rows, file.metadata.num_columns)
        table = _table(file, most_bytes)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ReadError(f"is no sound Parquet file: {error}") from None
    metadata = file.schema_arrow.metadata or {}
    geo = _geo(metadata) or _native(file.schema, metadata)
    columns = [pl.Series(name, pl.from_arrow(table.column(name))) for name in table.column_names]
    attributes = pl.DataFrame(height=table.num_rows).with_columns(columns)
    if geo is None:
        nothing = pl.Series([None], dtype=pl.Binary).new_from_index(0, table.num_rows)
        return Features(attributes, nothing, complete=True)
    column, name = geo.columns.get(geo.primary_column), geo.primary_column
    if column is None or name not in attributes.columns:
        raise ReadError(f"has no column {name}, which its metadata calls the geometry")
    crs = "EPSG:4326" if column.crs is msgspec.UNSET else find_epsg(column.crs)
    # Boxes around the geometries say nothing that these do not.
    boxes = {path[0] for each in geo.columns.values() for path in each.covering.bbox.values() if path}
    return Features(
        attributes=attributes.drop(*geo.columns, *boxes, strict=False),
        geometry=_geometry(attributes[name], column.encoding),
        crs=crs,
        unknown_crs=_shown(column.crs) if crs is None and column.crs else None,
        complete=True,
    )


def _geometry(values: pl.Series, encoding: str) -> pl.Series:
    """Well-known binary as it is, nested coordinates as GeoJSON."""
    if encoding == "WKB" and values.dtype == pl.Binary:
        return values
    kind = _NESTED.get(encoding)
    if kind is None or not values.dtype.is_nested():
        raise ReadError(f"has geometries as {encoding}, which is not read: publish them as WKB")
    texts = [
        None if value is None else json.dumps({"type": kind, "coordinates": _positions(value)})
        for value in values.to_list()
    ]
    return pl.Series(values.name, texts, pl.String)


def _positions(value: Any) -> Any:
    """Coordinates as lists, also where a position has a field for each."""
    if isinstance(value, dict):
        return [value.get("x"), value.get("y")]
    return [_positions(part) for part in value] if isinstance(value, list) else value


def _native(schema: Any, metadata: Mapping[bytes, bytes]) -> _Geo | None:
    """The columns that Parquet itself calls geometries, the first of which is the one; None without any."""
    columns = dict[str, _Column]()
    for number in range(len(schema)):
        column = schema.column(number)
        described = msgspec.json.decode(column.logical_type.to_json())
        if described.get("Type") in {"Geometry", "Geography"} and column.path == column.name:
            columns[column.name] = _Column("WKB", _system(str(described.get("crs") or ""), metadata))
    return _Geo(next(iter(columns)), columns) if columns else None


def _system(crs: str, metadata: Mapping[bytes, bytes]) -> Any:
    """The reference system as GeoParquet would say it, of a number or of where it is described."""
    kind, _, rest = crs.partition(":")
    if kind == "srid":
        return f"EPSG:{rest}"
    if kind == "projjson":
        return metadata.get(rest.encode(), b"").decode(errors="replace") or None
    return crs or msgspec.UNSET


def _shown(crs: Any) -> str:
    name = crs.get("name") if isinstance(crs, dict) else None
    return str(name or crs)[:100]


def _table(file: Any, most: int) -> pa.Table:
    """The rows, counted as they unfold: no claim about their size is believed."""
    size, batches = 0, []
    for batch in file.iter_batches():
        size += batch.nbytes
        if size > most:
            raise ReadError(f"unfolds to over {most} bytes: raise http.max_bytes if that is right")
        batches.append(batch)
    return pa.Table.from_batches(batches, file.schema_arrow)


def _check_size(metadata: Any, most: int) -> None:
    """What runs of equal values unfold to is known before they are unfolded."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    size = max(sum(group.total_byte_size for group in groups), metadata.num_rows * metadata.num_columns)
    if size > most:
        raise ReadError(f"unfolds to {size} bytes or more: raise http.max_bytes if that is right")


def _geo(metadata: Any) -> _Geo | None:
    if b"geo" not in metadata:
        return None
    try:
        return msgspec.json.decode(metadata[b"geo"], type=_Geo)
    except UNREADABLE as error:
        raise ReadError(f"has geo metadata that cannot be understood: {error}") from None
