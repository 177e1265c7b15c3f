"""Shared models as Parquet: all columns with their types, in row groups.

Where rows have a position, `geoparquet_format.py` writes it, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from civitas_assets.export.selection import Query, Selection
from civitas_assets.export.terms import Conditions


@dataclass(frozen=True)
class Parquet:
    """A table with what has to be said beside each row, and the terms of all in the metadata of the file."""

    unit: ClassVar[str] = "rows"

    def build_query(self, selection: Selection) -> Query:
        """All columns of the model."""
        chosen = [f'picked."{name}"' for name in selection.shown]
        chosen += [f'{text} as "{name}"' for name, text in selection.said.items()]
        return selection.build_query(", ".join(chosen), with_thing=False)

    def write(self, batches: pa.RecordBatchReader, sink: BinaryIO, conditions: Conditions) -> Iterator[int]:
        """Write a row group per batch; the rows of each."""
        with pq.ParquetWriter(sink, batches.schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
                yield batch.num_rows
            writer.add_key_value_metadata({"licences": conditions.to_json()})
