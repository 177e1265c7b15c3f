"""The cells of a table under the names of its columns, and which of its rows are data.

Blank rows, sums, notes, headers that stand there again and torn rows are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from civitas_assets.connectors.files.tabular import NTH, TabularSource
from civitas_assets.connectors.mapping.columns import Header, match_header, normalise_column_name
from civitas_assets.errors import Note, ReadError
from civitas_assets.records import BrokenRow
from civitas_assets.records.linear import find_match
from civitas_assets.records.raw import ROW

BROKEN = "@broken"  # what a file of `selected_rows.py` says of a row that is not in it


# In English and German, as Excel and LibreOffice write them.
_ERROR = (
    r"^\s*#(?:N/?A|NV|REF!|BEZUG!|DIV/0!|VALUE!|WERT!|NAME\?|NULL!|NUM!|ZAHL!|SPILL!|CALC!|ÜBERLAUF!)\s*$"
)
_SHOWN = 60  # characters of a name
_TOTAL = r"(?:summe|gesamt|gesamtsumme|gesamtergebnis|insgesamt|zusammen|sum|total|grand total)\s*:?"


@dataclass(frozen=True)
class Tally:
    """How often something of one kind is in a table, and the first of it; `form` says so with both."""

    code: str
    form: str
    count: int
    example: object

    def to_note(self) -> Note:
        """The note on all of it."""
        return Note(self.code, self.form.format(count=self.count, example=self.example))


def add_tallies(first: Sequence[Tally], second: Sequence[Tally]) -> tuple[Tally, ...]:
    """The tallies of two portions of a table, which follow on each other, as those of both together."""
    found = {tally.code: tally for tally in first}
    for tally in second:
        before = found.get(tally.code)
        found[tally.code] = replace(before, count=before.count + tally.count) if before else tally
    return tuple(found.values())


@dataclass(frozen=True)
class Cells:
    """The cells of a table as text, under the names of its columns, and what is known of its rows besides.

    `frame` has the number of each row. `torn` are rows of it that are not whole, `broken` those that it lacks.
    `notes` are of all of a file, `tallies` of these rows.
    `added` are columns that do not come from its cells.
    """

    frame: pl.DataFrame
    header: Header
    broken: tuple[BrokenRow, ...] = ()
    torn: tuple[BrokenRow, ...] = ()
    notes: tuple[Note, ...] = ()
    tallies: tuple[Tally, ...] = ()
    added: tuple[str, ...] = ()


def build_cells(
    source: TabularSource, table: pl.DataFrame, written: Sequence[str], numbers: pl.Series
) -> Cells:
    """Cells under the names of their columns, with the number of each row; columns without a name are left out.

    Raises:
        ReadError: no column has a name.
    """
    header = match_header(written, source.named, source.aliases)
    named = [place for place, name in enumerate(header.names) if name]
    if not named:
        raise ReadError("holds no header")
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


def add_column(cells: Cells, name: str, text: str | None) -> Cells:
    """The cells with one more column, in which all rows have the same; what the file itself has goes before."""
    if name in cells.frame.columns:
        return cells
    frame = cells.frame.with_columns(pl.lit(text, pl.String).alias(name))
    header = replace(cells.header, names=(*cells.header.names, name), written=(*cells.header.written, name))
    return replace(cells, frame=frame, header=header, added=(*cells.added, name))


def add_address_columns(source: TabularSource, cells: Cells, address: str) -> Cells:
    """The cells with the columns that the address fills.

    Raises:
        ReadError: the address is not as the source says.
    """
    for name, pattern in source.file_name.items():
        found = find_match(pattern, address)
        if found is None:
            raise ReadError(f"has an address without {pattern!r} of file_name.{name}")
        cells = add_column(cells, name, found)
    return cells


def add_preamble_columns(source: TabularSource, cells: Cells, lines: Sequence[str]) -> Cells:
    """The cells with the columns that the lines before the header fill.

    Raises:
        ReadError: no line is as the source says.
    """
    for name, pattern in source.preamble.items():
        found = find_match(pattern, "\n".join(lines))
        if found is None:
            raise ReadError(f"has nothing like {pattern!r} of preamble.{name} in the lines before its header")
        cells = add_column(cells, name, found)
    return cells


def select_data_rows(source: TabularSource, cells: Cells) -> Cells:
    """Without blank rows, what stands below the data, what the source drops, repeated headers and torn rows.

    Raises:
        ReadError: a column that tells which rows count is not there, or a second header is another one.
    """
    require_columns(source, cells, [*list_filter_columns(source)])
    table, broken = cells.frame, cells.broken
    if source.until_blank is not None:
        blank = table[source.until_blank].str.strip_chars().fill_null("") == ""
        if blank.any():
            table = table.head(blank.arg_true()[0])
            last = table[ROW][-1] if table.height else 0
            broken = tuple(row for row in broken if row.row <= last)
    # A blank line, or a row of empty cells, is the end of a block or of the file, and no record.
    own = [table[name] for name in table.columns if name not in {ROW, *cells.added}]
    if all(column.null_count() for column in own):
        table = table.filter(~pl.all_horizontal(pl.exclude(ROW, *cells.added).is_null()))
    for column, pattern in source.drop.items():
        table = table.filter(~pl.col(column).str.contains(f"^(?:{pattern})$").fill_null(value=False))
    table, tallies = _without_headers(table, cells)
    if cells.torn:
        there = {*table[ROW]}
        torn = tuple(row for row in cells.torn if row.row in there)
        table = table.filter(~pl.col(ROW).is_in([row.row for row in torn]))
        broken = tuple(sorted((*broken, *torn), key=lambda row: row.row))
    return replace(cells, frame=table, broken=broken, torn=(), tallies=(*cells.tallies, *tallies))


def _without_headers(table: pl.DataFrame, cells: Cells) -> tuple[pl.DataFrame, tuple[Tally, ...]]:
    """The table without the header, where it stands in the middle once more."""
    own = {
        n: w for n, w in zip(cells.header.names, cells.header.written, strict=True) if n not in cells.added
    }
    names, written = [*own], [*own.values()]
    if len(names) < 2 or not (candidates := _is(table[names[0]], written[0])).any():
        return table, ()
    header = [normalise_column_name(text).casefold() for text in written]
    rows = table.select(names).with_row_index("@place").filter(candidates)
    again = [
        row[0]
        for row in rows.iter_rows()
        if [normalise_column_name(cell or "").casefold() for cell in row[1:]] == header
    ]
    if not again:
        return table, ()
    where = table[ROW].gather(again)
    text = "the header stands in the data again, at row {example}: {count} time(s)"
    tally = Tally("repeated_header", text, len(again), where[0])
    return table.filter(~pl.col(ROW).is_in(where.implode())), (tally,)


def _is(column: pl.Series, name: str) -> pl.Series:
    """Which cells begin as the name of their column does, whatever its case and the blanks around it."""
    # Blanks and quotes of a name may be written otherwise; its first word is the same.
    start = re.escape((normalise_column_name(name).split() or [""])[0])
    return column.str.contains(rf"(?i)^[\s\x{{feff}}\x{{200b}}]*{start}").fill_null(value=False)


def replace_cell_errors(table: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Tally, ...]]:
    """The table without what a spreadsheet writes where it could not work out a cell, and a tally of it."""
    errors = {
        name: column.str.contains(_ERROR).fill_null(value=False) for name, column in table.to_dict().items()
    }
    found = {name: rows for name, rows in errors.items() if rows.any()}
    if not found:
        return table, ()
    number = sum(int(rows.sum()) for rows in found.values())
    example = next(table[name].filter(rows)[0] for name, rows in found.items())
    text = "{count:,} cell(s) are errors of a spreadsheet, such as {example}: taken as no value"
    return table.with_columns(table[name].set(rows, None) for name, rows in found.items()), (
        Tally("error_cells", text, number, example),
    )


def note_last_row(frame: pl.DataFrame, key: str) -> tuple[Note, ...]:
    """A note where the last row is no row of the list: its id is a word for a sum, or it has nothing but an id.

    `frame` has the columns of the fields, `key` among them.
    """
    if frame.height < 2 or frame[key].dtype != pl.String:
        return ()
    name = (frame[key][-1] or "").strip()
    if re.fullmatch(_TOTAL, name, re.IGNORECASE):
        text = f"the last row is called {name}, and may be the sum of the others: leave it out with drop"
        return (Note("total_row", text),)
    others = frame.select(pl.exclude(ROW, key)).slice(-2).to_dict().values()
    before, last = ([cells[row] for cells in others if cells[row] not in (None, "")] for row in (0, 1))
    if not name or last or not before:
        return ()
    text = f"the last row has nothing but {name[:_SHOWN]}, and may be a remark below the list: see until_blank and drop"
    return (Note("row_below_table", text),)


def list_filter_columns(source: TabularSource) -> set[str]:
    """Columns that decide which rows count."""
    return {*source.drop, *filter(None, [source.until_blank])}


def require_columns(source: TabularSource, cells: Cells, columns: Iterable[str]) -> None:
    """Check that columns are there, each once.

    Raises:
        ReadError: one is not; the message names those that are there, where that is nobody's secret.
    """
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
