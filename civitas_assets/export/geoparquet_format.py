"""Shared models as GeoParquet 1.1: WKB in WGS 84 with longitude first, written in row groups.

Rows about a thing lie where it does, as in GeoJSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from civitas_assets.export.position_columns import LAT, LON, WKB, build_geometries, position_sql
from civitas_assets.export.selection import Query, Selection
from civitas_assets.export.terms import Conditions
from civitas_assets.records.geometry import measure_extents

_GEOMETRY, _BOX = "geometry", "bbox"
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class GeoParquet:
    """All columns with their types, the geometry, and the box of each row, by which readers skip row groups."""

    unit: ClassVar[str] = "rows"

    def build_query(self, selection: Selection) -> Query:
        """All columns, and where each row is.

        Raises:
            ExportError: the model has no position.
        """
        chosen = [f'picked."{name}"' for name in selection.shown if name != "geometry_wkb"]
        chosen += [f'{text} as "{name}"' for name, text in selection.said.items()]
        return selection.build_query(", ".join([*chosen, position_sql(selection)]))

    def write(self, batches: pa.RecordBatchReader, sink: BinaryIO, conditions: Conditions) -> Iterator[int]:
        """Write a row group per batch; the rows of each."""
        seen = _Seen()
        schema = _shaped(pa.RecordBatch.from_pylist([], batches.schema), seen).schema
        with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_table(_shaped(batch, seen))
                yield batch.num_rows
            metadata = {"geo": json.dumps(seen.metadata()), "licences": conditions.to_json()}
            writer.add_key_value_metadata(metadata)


@dataclass
class _Seen:
    """What all geometries so far have in common, for the end of the file."""

    kinds: set[str] = field(default_factory=set)
    box: list[float] = field(default_factory=list)

    def add(self, found: pl.DataFrame) -> None:
        """Take in what a batch has."""
        self.kinds |= set(found["kind"].drop_nulls().to_list())
        edges = found.select(pl.col("xmin", "ymin").min(), pl.col("xmax", "ymax").max()).row(0)
        if None not in edges:
            pairs = zip(self.box or edges, edges, (min, min, max, max), strict=True)
            self.box = [chosen(before, now) for before, now, chosen in pairs]

    def metadata(self) -> Mapping[str, Any]:
        """What the standard wants to be said of the file.

        Without `crs`, coordinates are by definition those of OGC:CRS84.
        """
        column: dict[str, Any] = {
            "encoding": "WKB",
            "geometry_types": sorted(self.kinds),
            "covering": {_BOX: {corner: [_BOX, corner] for corner in _CORNERS}},
        }
        if self.box:
            column["bbox"] = self.box
        return {"version": "1.1.0", "primary_column": _GEOMETRY, "columns": {_GEOMETRY: column}}


def _shaped(batch: pa.RecordBatch, seen: _Seen) -> pa.Table:
    rows = pl.DataFrame(batch.select([WKB, LON, LAT]))
    geometry = build_geometries(rows[WKB], rows[LON], rows[LAT])
    found = measure_extents(geometry)
    seen.add(found)
    corners = [found[corner].to_arrow() for corner in _CORNERS]
    box = pa.StructArray.from_arrays(corners, _CORNERS, mask=found["xmin"].is_null().to_arrow())
    return (
        pa.Table.from_batches([batch])
        .drop_columns([WKB, LON, LAT])
        .append_column(_GEOMETRY, geometry.to_arrow().cast(pa.binary()))
        .append_column(_BOX, box)
    )
