"""Shared models as GeoJSON by RFC 7946: a collection of features, or one feature per line.

Rows about a thing lie where it does; what has no position is a feature without geometry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

import polars as pl
import pyarrow as pa

from civitas_assets.export.position_columns import LAT, LON, WKB, build_geometries, position_sql
from civitas_assets.export.selection import Query, Selection, iso_sql, literal_sql
from civitas_assets.export.terms import Conditions
from civitas_assets.records.geometry import to_geojson

_BEGIN, _BETWEEN, _END = b'{"type":"FeatureCollection","features":[\n', b",\n", b"\n]}\n"


@dataclass(frozen=True)
class GeoJson:
    """Features with all columns as properties; `lines` leaves out the collection around them."""

    unit: ClassVar[str] = "features"

    lines: bool = False

    def build_query(self, selection: Selection) -> Query:
        """Properties as JSON, and where each row is.

        Raises:
            ExportError: the model has no position.
        """
        members = [
            f"{literal_sql(name)}, {_value(name, kind)}"
            for name, kind in selection.shown.items()
            if name not in {"lon", "lat", "geometry_wkb"}
        ]
        members += [f"{literal_sql(name)}, {text}" for name, text in selection.said.items()]
        return selection.build_query(
            f"cast(json_object({', '.join(members)}) as varchar) as properties, {position_sql(selection)}"
        )

    def write(self, batches: pa.RecordBatchReader, sink: BinaryIO, conditions: Conditions) -> Iterator[int]:
        """Write batch after batch; the features of each."""
        # A collection says it as a whole, as a member that RFC 7946 lets be; single lines have it as properties only.
        begin = (
            _BEGIN.replace(b"{", b'{"licences":%b,' % conditions.to_json().encode(), 1)
            if conditions.given
            else _BEGIN
        )
        before, between, end = (b"", b"\n", b"\n") if self.lines else (begin, _BETWEEN, _END)
        sink.write(before)
        first = True
        for batch in batches:
            if batch.num_rows:
                sink.write(b"" if first else between)
                sink.write(between.join(_features(batch)))
                first = False
            yield batch.num_rows
        sink.write(b"" if first and self.lines else end)


def _value(name: str, kind: str) -> str:
    column = f'picked."{name}"'
    if kind == "TIMESTAMP WITH TIME ZONE":
        return iso_sql(column)
    if kind == "DOUBLE":
        return f"if(isfinite({column}), {column}, null)"
    if name == "attributes":
        # What a publisher says beyond the model is JSON itself.
        return f"if(json_valid({column}), {column}, to_json({column}))::json"
    return column


def _features(batch: pa.RecordBatch) -> list[bytes]:
    rows = pl.DataFrame(batch)
    shapes = to_geojson(build_geometries(rows[WKB], rows[LON], rows[LAT]))
    text = pl.select(
        pl.concat_str(
            pl.lit('{"type":"Feature","geometry":'),
            shapes.fill_null("null"),
            pl.lit(',"properties":'),
            rows["properties"],
            pl.lit("}"),
        )
    ).to_series()
    return [feature.encode() for feature in text.to_list()]
