"""GeoParquet as features, by its `geo` metadata; any other Parquet file is features without a geometry.

Geometries have to be well-known binary, which all of its versions know.
"""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet

from civitas_assets.connectors.rows import UNREADABLE
from civitas_assets.connectors.vector import Features
from civitas_assets.errors import ReadError
from civitas_assets.records.geometry import epsg_of


class _Column(msgspec.Struct):
    encoding: str
    crs: Any = msgspec.UNSET


class _Geo(msgspec.Struct):
    primary_column: str
    columns: dict[str, _Column]


def parquet(body: bytes, most_bytes: int) -> Features:
    """The rows of a Parquet file; `most_bytes` bounds what they may unfold to.

    Raises:
        ReadError: it is damaged or too large, or its geometries are in a form that is not read.
    """
    try:
        file = pa.parquet.ParquetFile(pa.BufferReader(body))
        _check_size(file.metadata, most_bytes)
        table = file.read()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ReadError(f"is no sound Parquet file: {error}") from None
    geo = _geo(file.schema_arrow.metadata or {})
    columns = [pl.Series(name, pl.from_arrow(table.column(name))) for name in table.column_names]
    attributes = pl.DataFrame(height=table.num_rows).with_columns(columns)
    if geo is None:
        nothing = pl.Series([None], dtype=pl.Binary).new_from_index(0, table.num_rows)
        return Features(attributes, nothing, complete=True)
    column, name = geo.columns.get(geo.primary_column), geo.primary_column
    if column is None or name not in attributes.columns:
        raise ReadError(f"has no column {name}, which its metadata calls the geometry")
    if column.encoding != "WKB" or attributes[name].dtype != pl.Binary:
        raise ReadError(f"has geometries as {column.encoding}, which is not read: publish them as WKB")
    return Features(
        attributes=attributes.drop(*[other for other in geo.columns if other in attributes.columns]),
        geometry=attributes[name],
        crs="EPSG:4326" if column.crs is msgspec.UNSET else epsg_of(column.crs),
        complete=True,
    )


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
