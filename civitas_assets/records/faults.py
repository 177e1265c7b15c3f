"""What broke a rule, by rows of a table, and how that is told: rejected rows, and cells that were left empty.

Which rules there are is in `typing.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from civitas_assets.records.contract import RecordType
from civitas_assets.records.origin import REJECTED_SCHEMA
from civitas_assets.records.raw import PAYLOAD, RECEIVED, ROW


@dataclass(frozen=True)
class RowFault:
    """A rule, the field that breaks it, and in which rows; `detail` is what stands there, of whatever type."""

    rule: str
    field: str
    rows: pl.Series
    detail: pl.Series | None = None


def build_rejected_rows(
    table: pl.DataFrame, record_type: RecordType, faults: Sequence[RowFault], cells: Sequence[RowFault] = ()
) -> pl.DataFrame:
    """One row per rejected row, with the first rule that it broke; and of the others one per cell left empty."""
    if not any(fault.rows.any() for fault in (*faults, *cells)):
        return pl.DataFrame(schema=REJECTED_SCHEMA)
    blocks = [pl.DataFrame(schema=REJECTED_SCHEMA)]
    table = table.with_columns(pl.col(pl.Binary).bin.encode("hex"))
    seen = pl.Series([False]).new_from_index(0, table.height)
    for fault in faults:
        blocks.append(_told(table, record_type, fault, fault.rows & ~seen))
        seen = seen | fault.rows
    blocks.extend(_told(table, record_type, fault, fault.rows & ~seen) for fault in cells)
    return pl.concat(blocks)


def _told(table: pl.DataFrame, record_type: RecordType, fault: RowFault, rows: pl.Series) -> pl.DataFrame:
    where = rows.arg_true()
    if where.is_empty():
        return pl.DataFrame(schema=REJECTED_SCHEMA)
    detail = pl.lit(None) if fault.detail is None else fault.detail.gather(where)
    return table[where].select(
        record_type=pl.lit(record_type.name),
        rule=pl.lit(fault.rule),
        field=pl.lit(fault.field),
        detail=detail.cast(pl.String, strict=False),
        row=pl.col(ROW).cast(pl.Int64),
        raw=pl.struct(pl.exclude(ROW, PAYLOAD, RECEIVED)).struct.json_encode(),
        payload=pl.col(PAYLOAD),
        received_at=pl.col(RECEIVED),
    )
