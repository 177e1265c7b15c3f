"""Tables of text cells, whatever file they came in: which rows are data, and which field each column fills.

A wide table carries ids in its column names; `unpivot` turns each such column into rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import polars as pl
from pydantic import Field, model_validator

from civitas_assets.catalog.model import Model, Slug
from civitas_assets.connectors.attributes import RestSource, as_object
from civitas_assets.connectors.columns import Header, header_of
from civitas_assets.connectors.levels import one_or_several
from civitas_assets.connectors.mapping import Pattern, SelectiveSource
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable
from civitas_assets.records.raw import ROW, TIME, Note

# In a list of columns: which of the rows it is that are alike in the other columns.
NTH = "@nth"
BROKEN = "@broken"  # what a file of `kept.py` says of a row that is not in it
_MIDNIGHT = r"[ T]00:00(?::00(?:\.0+)?)?$"


class Unpivot(Model):
    """Columns whose names carry ids, and where their cells go."""

    columns: Pattern = Field(
        description="Matches a whole column name; named groups become fields, or what time names."
    )
    value: Slug = Field("value", description="Field that takes the cells.")
    companions: Mapping[Slug, Pattern] = Field(
        {}, description="Further columns about the same id: field by pattern, with the same named groups."
    )


class TabularSource(SelectiveSource, RestSource):
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
    aliases: Mapping[str, one_or_several(str)] = Field(  # type: ignore[valid-type]
        {},
        description="Other names of a column that is named above or in time, as files of other years have them.",
    )
    preamble: Mapping[str, Pattern] = Field(
        {},
        description=(
            "Columns that the lines before the header fill: by name a pattern, whose first group is the cell."
        ),
    )
    file_name: Mapping[str, Pattern] = Field(
        {},
        description="Columns that the address fills: by name a pattern in it, whose first group is the cell.",
    )
    unpivot: Unpivot | None = Field(None, description="Columns whose names carry ids.")
    ignore: tuple[Pattern, ...] = Field((), description="Columns that are known and not wanted.")

    joins_times: ClassVar[bool] = True

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that the settings name, as they are spelt there."""
        times = self.time.written if self.time is not None else ()
        several = [native for natives in self.fields.values() for native in natives]
        own = [*self.header, *filter(None, [self.until_blank]), *self.drop, *several, *times, *self.aliases]
        return tuple(dict.fromkeys(own))

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


@dataclass(frozen=True)
class Cells:
    """The cells of a table as text, under the names of its columns, and what is known of its rows besides.

    `frame` has the number of each row. `torn` are rows of it that are not whole, `broken` those that it lacks.
    `added` are columns that do not come from its cells.
    """

    frame: pl.DataFrame
    header: Header
    broken: tuple[BrokenRow, ...] = ()
    torn: tuple[BrokenRow, ...] = ()
    notes: tuple[Note, ...] = ()
    added: tuple[str, ...] = ()


def headed(source: TabularSource, table: pl.DataFrame, written: Sequence[str], numbers: pl.Series) -> Cells:
    """Cells under the names of their columns, with the number of each row; columns without a name are left out."""
    header = header_of(written, source.named, source.aliases)
    named = [place for place, name in enumerate(header.names) if name]
    table = table.select(table.columns[place] for place in named)
    header = replace(
        header,
        names=tuple(header.names[place] for place in named),
        written=tuple(header.written[place] for place in named),
    )
    if reserved := {*header.names} & {ROW, BROKEN}:
        raise ReadError(f"has a column {', '.join(reserved)}, which is no name for one")
    table.columns = [*header.names]
    return Cells(table.insert_column(0, numbers.alias(ROW)), header)


def with_column(cells: Cells, name: str, text: str | None) -> Cells:
    """The cells with one more column, in which all rows have the same; what the file itself has goes before."""
    if name in cells.frame.columns:
        return cells
    frame = cells.frame.with_columns(pl.lit(text, pl.String).alias(name))
    header = replace(cells.header, names=(*cells.header.names, name), written=(*cells.header.written, name))
    return replace(cells, frame=frame, header=header, added=(*cells.added, name))


def with_address(source: TabularSource, cells: Cells, address: str) -> Cells:
    """The cells with the columns that the address fills.

    Raises:
        ReadError: the address is not as the source says.
    """
    for name, pattern in source.file_name.items():
        match = re.search(pattern, address)
        if match is None:
            raise ReadError(f"has an address without {pattern!r} of file_name.{name}")
        cells = with_column(cells, name, match[1] if match.re.groups else match[0])
    return cells


def with_preamble(source: TabularSource, cells: Cells, lines: Sequence[str]) -> Cells:
    """The cells with the columns that the lines before the header fill.

    Raises:
        ReadError: no line is as the source says.
    """
    for name, pattern in source.preamble.items():
        match = re.search(pattern, "\n".join(lines), re.MULTILINE)
        if match is None:
            raise ReadError(f"has nothing like {pattern!r} of preamble.{name} in the lines before its header")
        cells = with_column(cells, name, match[1] if match.re.groups else match[0])
    return cells


def raw_table(source: TabularSource, cells: Cells) -> RawTable:
    """The rows that count, by field.

    Raises:
        ReadError: a column that the source names is not there, or not only once.
    """
    cells = data_rows(source, cells)
    used = _rules(source)
    frame = _select(source, cells, used)
    others = _others(source, cells, used)
    if source.rest is not None:
        rest = as_object(cells.frame, others, source.nulls).alias(source.rest)
        frame = frame.join(cells.frame.select(ROW, rest), on=ROW, how="left", maintain_order="left")
        others = []
    return RawTable(source.record_type, frame, tuple(others), cells.broken, cells.notes)


def data_rows(source: TabularSource, cells: Cells) -> Cells:
    """Without blank rows, what stands below the data, what the source drops, repeated headers and torn rows.

    Raises:
        ReadError: a column that tells which rows count is not there, or a second header is another one.
    """
    _require(source, cells, [*_rules(source)])
    table, broken = cells.frame, cells.broken
    if source.until_blank is not None:
        blank = table[source.until_blank].str.strip_chars().fill_null("") == ""
        if blank.any():
            table = table.head(blank.arg_true()[0])
            last = table[ROW][-1] if table.height else 0
            broken = tuple(row for row in broken if row.row <= last)
    # A blank line, or a row of empty cells, is the end of a block or of the file, and no record.
    table = table.filter(~pl.all_horizontal(pl.exclude(ROW, *cells.added).is_null()))
    for column, pattern in source.drop.items():
        table = table.filter(~pl.col(column).str.contains(f"^(?:{pattern})$").fill_null(value=False))
    table, notes = _without_headers(table, cells)
    if cells.torn:
        there = {*table[ROW]}
        torn = tuple(row for row in cells.torn if row.row in there)
        table = table.filter(~pl.col(ROW).is_in([row.row for row in torn]))
        broken = tuple(sorted((*broken, *torn), key=lambda row: row.row))
    return replace(cells, frame=table, broken=broken, torn=(), notes=(*cells.notes, *notes))


def _without_headers(table: pl.DataFrame, cells: Cells) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """The table without the header, where it stands in the middle once more."""
    own = {
        n: w for n, w in zip(cells.header.names, cells.header.written, strict=True) if n not in cells.added
    }
    names, written = [*own], [*own.values()]
    if len(names) < 2 or not (candidates := (table[names[0]] == written[0]).fill_null(value=False)).any():
        return table, ()
    rows = table.select(names).with_row_index("@place").filter(candidates)
    again = [
        row[0]
        for row in rows.iter_rows()
        if all((cell or "") == text for cell, text in zip(row[1:], written, strict=True))
    ]
    if not again:
        return table, ()
    where = table[ROW].gather(again)
    note = Note(
        "repeated_header", f"the header stands in the data again, at row {where[0]}: {len(again)} time(s)"
    )
    return table.filter(~pl.col(ROW).is_in(where.implode())), (note,)


def used_columns(source: TabularSource, cells: Cells) -> set[str]:
    """The columns that the source names.

    Raises:
        ReadError: one of them is not there, or not only once.
    """
    used = _rules(source)
    _select(source, cells, used)
    return used if source.rest is None else used.union(_others(source, cells, used))


def _others(source: TabularSource, cells: Cells, used: Set[str]) -> list[str]:
    """Columns that nothing else uses, and that are not ignored."""
    ignored = [unicodedata.normalize("NFC", pattern) for pattern in source.ignore]
    names = (name for name in cells.header.names if name not in used and name not in cells.added)
    return [name for name in names if not any(re.fullmatch(pattern, name) for pattern in ignored)]


def _rules(source: TabularSource) -> set[str]:
    """Columns that decide which rows count."""
    return {*source.drop, *filter(None, [source.until_blank])}


def _require(source: TabularSource, cells: Cells, columns: list[str]) -> None:
    names = cells.header.names
    missing = sorted({native for native in columns if native not in {NTH, *names}})
    if missing:
        there = f"; it has {', '.join(names)}" if source.store == "whole" else ""
        raise ReadError(f"lacks the column(s) {', '.join(missing)}{there}")
    twice = sorted(cells.header.twice & {*columns})
    if twice:
        raise ReadError(
            f"has more than one column {', '.join(twice)}: rename all but one of them, or choose another column"
        )


def _select(source: TabularSource, cells: Cells, used: set[str]) -> pl.DataFrame:
    table, columns = cells.frame, [pl.col(ROW)]
    groups = re.compile(source.unpivot.columns).groupindex if source.unpivot is not None else {}
    times = source.time.written if source.time is not None else ()
    spread = [name for name in times if name in groups and name not in table.columns]
    wanted = [native for natives in source.fields.values() for native in natives]
    _require(source, cells, [*wanted, *(name for name in times if name not in spread)])
    for field, natives in source.fields.items():
        used.update(natives)
        columns.append(_joined(natives).alias(field))
    used.update(name for name in times if name not in spread)
    if source.unpivot is None:
        return table.select(*columns, *_time(times))
    found = _matching(source.unpivot.columns, cells.header.names)
    if not found:
        there = f"; it has {', '.join(cells.header.names)}" if source.store == "whole" else ""
        raise ReadError(f"has no column that matches {source.unpivot.columns!r}{there}")
    if twice := sorted(cells.header.twice & found.keys()):
        raise ReadError(f"has more than one column {', '.join(twice)}")
    return _unpivoted(source.unpivot, cells, columns, times, used)


def _time(names: Sequence[str], given: Mapping[str, str | None] | None = None) -> list[pl.Expr]:
    """The time as written: of several columns joined by a blank, days that are instants without their midnight."""
    if not names:
        return []
    parts = [
        pl.lit(given[name], pl.String) if given and name in given else pl.col(name).str.strip_chars()
        for name in names
    ]
    if len(parts) > 1:
        parts = [*(part.str.replace(_MIDNIGHT, "") for part in parts[:-1]), parts[-1]]
    return [pl.concat_str(parts, separator=" ").alias(TIME)]


def _joined(natives: tuple[str, ...]) -> pl.Expr:
    """The cells of several columns, where `NTH` is the number of a row among those with the same others."""
    others = [native for native in natives if native != NTH]
    nth = pl.int_range(1, pl.len() + 1).over(others) if len(others) < len(natives) else None
    return pl.concat_str((nth if native == NTH else pl.col(native) for native in natives), separator="/")


def _unpivoted(
    unpivot: Unpivot, cells: Cells, shared: list[pl.Expr], times: Sequence[str], used: set[str]
) -> pl.DataFrame:
    """One block of rows per matching column, below each other; the loop is over columns, not over records."""
    blocks, table, names = [], cells.frame, cells.header.names
    companions = {field: _matching(pattern, names) for field, pattern in unpivot.companions.items()}
    for column, groups in _matching(unpivot.columns, names).items():
        used.add(column)
        block = [*shared, pl.col(column).alias(unpivot.value)]
        written = {name: text for name, text in groups.items() if name in times and name not in names}
        block.extend(pl.lit(text).alias(field) for field, text in groups.items() if field not in written)
        block.extend(_time(times, written))
        for field, candidates in companions.items():
            partner = next((name for name, ids in candidates.items() if ids.items() <= groups.items()), None)
            if partner is not None:
                used.add(partner)
            block.append((pl.col(partner) if partner else pl.lit(None, pl.String)).alias(field))
        blocks.append(table.lazy().select(block))
    return pl.concat(pl.collect_all(blocks))


def _matching(pattern: str, columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Columns that the pattern matches as a whole, with their named groups."""
    compiled = re.compile(unicodedata.normalize("NFC", pattern))
    return {name: match.groupdict() for name in columns if (match := compiled.fullmatch(name))}
