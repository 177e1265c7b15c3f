"""What a source that stores only what is mapped keeps of a table: a table of its own, which says so at its start.

It reads as the whole file does.
"""

from __future__ import annotations

import codecs
import re

import polars as pl

from civitas_assets.connectors.files.table_cells import BROKEN, Cells, add_column, select_data_rows
from civitas_assets.connectors.files.table_fields import list_used_columns
from civitas_assets.connectors.files.tabular import TabularSource
from civitas_assets.connectors.mapping.columns import Header
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow
from civitas_assets.records.raw import ROW

# Rules that a line of a file breaks before its cells are known.
TOO_WIDE, TOO_SHORT, ENDLESS = "too_many_cells", "too_few_cells", "quote_is_never_closed"
_RULES = re.compile(rf"({TOO_WIDE}|{TOO_SHORT}|{ENDLESS}): (.*)", re.DOTALL)
_KEPT = codecs.BOM_UTF8 + f"{ROW},{BROKEN},".encode()


def write_selected_rows(source: TabularSource, cells: Cells) -> bytes:
    """The rows that count and the columns that the source names, as a file; of broken rows only that they are.

    Raises:
        ReadError: a column that the source names is not there.
    """
    for name in source.file_name:  # which the address fills again when it is read
        cells = add_column(cells, name, None)
    cells = select_data_rows(source, cells)
    used = list_used_columns(source, cells) - {*source.file_name}
    table = cells.frame.select(ROW, *(name for name in cells.header.names if name in used))
    apart = pl.DataFrame(
        [(row.row, f"{row.rule}: {row.detail}") for row in cells.broken],
        schema={ROW: pl.Int64, BROKEN: pl.String},
        orient="row",
    )
    table.insert_column(1, pl.lit(None, pl.String).alias(BROKEN))
    return pl.concat([table, apart], how="diagonal_relaxed").sort(ROW).write_csv(include_bom=True).encode()


def is_selected(body: bytes) -> bool:
    """Whether a body begins as such a file."""
    return body.startswith(_KEPT)


def read_selected_rows(body: bytes) -> Cells | None:
    """The cells of a file that `write_selected_rows` has made; None for any other.

    Raises:
        ReadError: it is damaged.
    """
    if not is_selected(body):
        return None
    try:
        table = pl.read_csv(body, infer_schema=False).with_columns(pl.col(ROW).cast(pl.Int64))
    except pl.exceptions.PolarsError as error:
        raise ReadError(f"is a damaged table: {str(error).splitlines()[0]}") from None
    apart = pl.col(BROKEN).is_not_null()
    broken = tuple(_broken(*row) for row in table.filter(apart).select(ROW, BROKEN).iter_rows())
    frame = table.filter(~apart).drop(BROKEN)
    names = tuple(frame.columns[1:])
    return Cells(frame, Header(names, names), broken)


def _broken(row: int, written: str) -> BrokenRow:
    match = _RULES.fullmatch(written)
    if match is None:  # as files were kept before rules were written with their detail
        return BrokenRow(row, ENDLESS if written == ENDLESS else TOO_WIDE, written, "")
    return BrokenRow(row, match[1], match[2], "")
