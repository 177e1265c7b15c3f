"""Tables of text cells, whatever file they came in: which rows are data, and which field each column fills.

A wide table carries ids in its column names; `unpivot` turns each such column into rows.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Self

import polars as pl
from pydantic import Field, model_validator

from civitas_assets.catalog.model import Model, Slug
from civitas_assets.connectors.levels import one_or_several
from civitas_assets.connectors.mapping import Pattern, SelectiveSource
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable
from civitas_assets.records.raw import ROW, TIME

# In a list of columns: which of the rows it is that are alike in the other columns.
NTH = "@nth"
# What a source that stores only what is mapped keeps of its file: a table of its own, which says so at its start.
_BROKEN = "@broken"
# Rules that a line of a file breaks before its cells are known.
TOO_WIDE, ENDLESS = "too_many_cells", "quote_is_never_closed"
_KEPT = codecs.BOM_UTF8 + f"{ROW},{_BROKEN},".encode()


class Unpivot(Model):
    """Columns whose names carry ids, and where their cells go."""

    columns: Pattern = Field(description="Matches a whole column name; named groups become fields.")
    value: Slug = Field("value", description="Field that takes the cells.")
    companions: Mapping[Slug, Pattern] = Field(
        {}, description="Further columns about the same id: field by pattern, with the same named groups."
    )


class TabularSource(SelectiveSource):
    """A file with a table: where its header is, which rows count, and what its columns mean."""

    skip_lines: int = Field(0, ge=0, description="Lines before the header.")
    header: tuple[str, ...] = Field(
        (), description="Column names to search the header by, for preambles of changing length."
    )
    until_blank: str | None = Field(
        None, description="Column whose first empty cell ends the data: what follows are sums and notes."
    )
    drop: Mapping[str, Pattern] = Field(
        {}, description="Rows to leave out, such as totals: pattern of a whole cell, by column."
    )
    fields: Mapping[Slug, one_or_several(str)] = Field(  # type: ignore[valid-type]
        {},
        description=(
            "Contract field by native column; a list of columns is joined by a slash, and @nth in it counts "
            "the rows that are alike in the others."
        ),
    )
    unpivot: Unpivot | None = Field(None, description="Columns whose names carry ids.")
    ignore: tuple[Pattern, ...] = Field((), description="Columns that are known and not wanted.")

    @model_validator(mode="after")
    def _brings_something(self) -> Self:
        if not self.fields and self.unpivot is None:
            raise ValueError("fields or unpivot is needed: nothing would be read")
        for field, natives in self.fields.items():
            if {*natives} == {NTH} or natives.count(NTH) > 1:
                raise ValueError(
                    f"fields.{field} needs columns besides one {NTH}: it counts rows alike in them"
                )
        return self


def numbered(table: pl.DataFrame, names: list[str], numbers: pl.Series) -> pl.DataFrame:
    """Cells under the names of their columns, with the number of each row.

    Raises:
        ReadError: two columns have the same name.
    """
    names = [name.strip() for name in names]
    twice = sorted({name for name in names if names.count(name) > 1 or name in {ROW, _BROKEN}})
    if twice:
        raise ReadError(f"has more than one column {', '.join(twice)}")
    table.columns = names
    return table.insert_column(0, numbers.alias(ROW))


def raw_table(source: TabularSource, cells: pl.DataFrame, broken: tuple[BrokenRow, ...] = ()) -> RawTable:
    """The rows that count, by field; `cells` are text, with the number of each row.

    Raises:
        ReadError: a column that the source names is not there.
    """
    table = _rows_that_count(source, cells)
    used = _rules(source)
    frame = _select(source, table, used)
    unknown = tuple(
        column
        for column in cells.columns
        if column not in used and column != ROW and not any(re.fullmatch(p, column) for p in source.ignore)
    )
    return RawTable(source.record_type, frame, unknown, broken)


def _rows_that_count(source: TabularSource, table: pl.DataFrame) -> pl.DataFrame:
    """Without blank rows, without what stands below the data, and without what the source drops."""
    _require(source, table, [*_rules(source)])
    if source.until_blank is not None:
        blank = table[source.until_blank].str.strip_chars().fill_null("") == ""
        table = table.head(blank.arg_true()[0]) if blank.any() else table
    # A blank line, or a row of empty cells, is the end of a block or of the file, and no record.
    table = table.filter(~pl.all_horizontal(pl.exclude(ROW).is_null()))
    for column, pattern in source.drop.items():
        table = table.filter(~pl.col(column).str.contains(f"^(?:{pattern})$").fill_null(value=False))
    return table


def _rules(source: TabularSource) -> set[str]:
    """Columns that decide which rows count."""
    return {*source.drop, *filter(None, [source.until_blank])}


def kept(source: TabularSource, cells: pl.DataFrame, broken: tuple[BrokenRow, ...]) -> bytes:
    """The rows that count and the columns that the source names, as a file; of broken rows only that they are.

    Raises:
        ReadError: a column that the source names is not there.
    """
    table, used = _rows_that_count(source, cells), _rules(source)
    _select(source, table, used)
    table = table.select(ROW, *(column for column in table.columns if column in used))
    apart = pl.DataFrame(
        [(row.row, row.detail if row.rule == TOO_WIDE else row.rule) for row in broken],
        schema={ROW: pl.Int64, _BROKEN: pl.String},
        orient="row",
    )
    table.insert_column(1, pl.lit(None, pl.String).alias(_BROKEN))
    return pl.concat([table, apart], how="diagonal_relaxed").sort(ROW).write_csv(include_bom=True).encode()


def as_kept(body: bytes) -> tuple[pl.DataFrame, tuple[BrokenRow, ...]] | None:
    """The cells of a file that `kept` has made; None for any other.

    Raises:
        ReadError: it is damaged.
    """
    if not body.startswith(_KEPT):
        return None
    try:
        table = pl.read_csv(body, infer_schema=False).with_columns(pl.col(ROW).cast(pl.Int64))
    except pl.exceptions.PolarsError as error:
        raise ReadError(f"is a damaged table: {str(error).splitlines()[0]}") from None
    apart = pl.col(_BROKEN).is_not_null()
    broken = table.filter(apart).select(ROW, _BROKEN).iter_rows()
    return table.filter(~apart).drop(_BROKEN), tuple(
        BrokenRow(row, ENDLESS if detail == ENDLESS else TOO_WIDE, detail, "") for row, detail in broken
    )


def _require(source: TabularSource, table: pl.DataFrame, columns: list[str]) -> None:
    missing = sorted({native for native in columns if native not in {NTH, *table.columns}})
    if missing:
        raise ReadError(f"lacks the column(s) {', '.join(missing)}{_those_there(source, table)}")


def _those_there(source: TabularSource, table: pl.DataFrame) -> str:
    """The columns, for a message; without its header a file's first row stands there, which may be nobody's to see."""
    return f"; it has {', '.join(table.columns[1:])}" if source.store == "whole" else ""


def _select(source: TabularSource, table: pl.DataFrame, used: set[str]) -> pl.DataFrame:
    columns = [pl.col(ROW)]
    wanted = dict(source.fields)
    if source.time is not None and source.time.column is not None:
        wanted[TIME] = (source.time.column,)
    _require(source, table, [native for natives in wanted.values() for native in natives])
    for field, natives in wanted.items():
        used.update(natives)
        columns.append(_joined(natives).alias(field))
    if source.unpivot is None:
        return table.select(columns)
    if not _matching(source.unpivot.columns, table.columns):
        raise ReadError(f"has no column that matches {source.unpivot.columns!r}{_those_there(source, table)}")
    return _unpivoted(source.unpivot, table, columns, used)


def _joined(natives: tuple[str, ...]) -> pl.Expr:
    """The cells of several columns, where `NTH` is the number of a row among those with the same others."""
    others = [native for native in natives if native != NTH]
    nth = pl.int_range(1, pl.len() + 1).over(others) if len(others) < len(natives) else None
    return pl.concat_str((nth if native == NTH else pl.col(native) for native in natives), separator="/")


def _unpivoted(unpivot: Unpivot, table: pl.DataFrame, shared: list[pl.Expr], used: set[str]) -> pl.DataFrame:
    """One block of rows per matching column, below each other; the loop is over columns, not over records."""
    blocks = []
    companions = {field: _matching(pattern, table.columns) for field, pattern in unpivot.companions.items()}
    for column, groups in _matching(unpivot.columns, table.columns).items():
        used.add(column)
        block = [*shared, pl.col(column).alias(unpivot.value)]
        block.extend(pl.lit(text).alias(field) for field, text in groups.items())
        for field, candidates in companions.items():
            partner = next((name for name, ids in candidates.items() if ids.items() <= groups.items()), None)
            if partner is not None:
                used.add(partner)
            block.append((pl.col(partner) if partner else pl.lit(None, pl.String)).alias(field))
        blocks.append(table.lazy().select(block))
    return pl.concat(pl.collect_all(blocks))


def _matching(pattern: str, columns: list[str]) -> dict[str, dict[str, str]]:
    """Columns that the pattern matches as a whole, with their named groups."""
    compiled = re.compile(pattern)
    return {name: match.groupdict() for name in columns if (match := compiled.fullmatch(name))}
