"""Shared models as CSV by RFC 4180, safe to open in a spreadsheet.

Which rows there are is decided in `selection.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

import polars as pl
import pyarrow as pa

from civitas_assets.export.selection import Query, Selection, iso_sql
from civitas_assets.export.terms import Conditions
from civitas_assets.records.geometry import to_wkt

# What spreadsheets take for the beginning of a formula, also in full width and behind a line break.
_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
# The same behind what parts cells: a file with commas may be opened as one with semicolons, and be torn there.
_WITHIN = r"[;,\t\r\n]\"?[=+\-@＝＋－＠]"
_WITHIN_AND_NO_NUMBER = re.compile(
    r"(?<=[;,\t\r\n])(\"?)(?=[=+\-@＝＋－＠])(?![+-]\d[\d.,]*(?:[;,\t\r\n\"]|$))"
)
_NUMBER = r"^[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?$"
_GEOMETRY = "geometry_wkb"


@dataclass(frozen=True)
class Csv:
    """A table with a header; `german` is what a spreadsheet expects that is set to German."""

    unit: ClassVar[str] = "rows"

    german: bool = False

    def build_query(self, selection: Selection) -> Query:
        """All columns of the model, times as text, and what has to be said beside each row."""
        chosen = [
            f'{iso_sql(f"picked.{name}")} as "{name}"'
            if kind == "TIMESTAMP WITH TIME ZONE"
            else f'picked."{name}"'
            for name, kind in selection.shown.items()
        ]
        chosen += [f'{text} as "{name}"' for name, text in selection.said.items()]
        return selection.build_query(", ".join(chosen), with_thing=False)

    def write(self, batches: pa.RecordBatchReader, sink: BinaryIO, conditions: Conditions) -> Iterator[int]:
        """Write batch after batch; the rows of each."""
        if self.german:
            sink.write("\ufeff".encode())
        sink.write(self._text(pl.DataFrame(pa.Table.from_batches([], batches.schema)), header=True))
        for batch in batches:
            sink.write(self._text(pl.DataFrame(batch), header=False))
            yield batch.num_rows

    def _text(self, rows: pl.DataFrame, *, header: bool) -> bytes:
        if _GEOMETRY in rows.columns:
            position = rows.columns.index(_GEOMETRY)
            text = to_wkt(rows[_GEOMETRY]).alias("geometry_wkt")
            rows = rows.drop(_GEOMETRY).insert_column(position, text)
        return (
            rows.with_columns(guard_text(name) for name in rows.columns if rows[name].dtype == pl.String)
            .write_csv(
                include_header=header,
                separator=";" if self.german else ",",
                decimal_comma=self.german,
                line_terminator="\r\n",
            )
            .encode()
        )


def guard_text(column: str) -> pl.Expr:
    """The text with an apostrophe where a spreadsheet would calculate what follows; numbers stay as they are.

    That is at its beginning, and behind whatever parts cells in a spreadsheet that is set otherwise.
    """
    text = pl.col(column)
    text = text.map_batches(_guarded_within, pl.String)
    is_formula = text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    return pl.when(is_formula).then("'" + text).otherwise(text).alias(column)


def _guarded_within(texts: pl.Series) -> pl.Series:
    rows = texts.str.contains(_WITHIN).fill_null(value=False).arg_true()
    if rows.is_empty():
        return texts
    return texts.scatter(rows, [_WITHIN_AND_NO_NUMBER.sub(r"\1'", text) for text in texts.gather(rows)])
