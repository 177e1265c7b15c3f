"""The tables of a feed as text, in parts: every cell stays what is written, `NA` and leading zeros included.

A table of a whole country may be larger than memory, so that whoever reads it takes of each part what is wanted.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from civitas_assets.connectors.content.archive import unzip_steps
from civitas_assets.connectors.content.text_encoding import to_utf8
from civitas_assets.errors import Note, ReadError
from civitas_assets.records import BrokenRow
from civitas_assets.records.raw import ROW

_PART = 32 * 1024 * 1024  # bytes: enough for two processors, little for a small machine
_MOST_BROKEN = 1000  # rows that are kept one by one; of further ones their number says enough
# Where none of them is, no cell has blanks around it, or is quoted.
_UNTIDY = (b" ", b"\t", b'"')


@dataclass
class BrokenRows:
    """Rows of a feed that count for nothing, each with its rule; of too many only how many there are."""

    rows: list[BrokenRow] = field(default_factory=list)
    more: int = 0

    def add(self, table: str, rule: str, found: pl.DataFrame, detail: str = "") -> None:
        """Rows of a table of the feed; `detail` says of all of them what the rule does not."""
        room = max(0, _MOST_BROKEN - len(self.rows))
        for row in found.head(room).to_dicts():
            written = {name: value for name, value in row.items() if name != ROW and value is not None}
            self.rows.append(
                BrokenRow(
                    row[ROW],
                    rule,
                    f"{table}: {detail}" if detail else table,
                    ",".join(map(str, written.values())),
                )
            )
        self.more += max(0, found.height - room)

    def list_notes(self) -> tuple[Note, ...]:
        """A note of those that are not kept one by one."""
        if not self.more:
            return ()
        return (Note("more_broken_rows", f"{self.more:,} further row(s) of the feed cannot be used"),)


@dataclass(frozen=True)
class Feed:
    """The tables in an archive; `most_bytes` bounds what each of them holds unpacked."""

    body: bytes
    most_bytes: int

    def read_table(self, name: str, required: Sequence[str], optional: Sequence[str] = ()) -> pl.DataFrame:
        """The columns of a table as text, with null for an empty cell, and the numbers of its rows.

        A table that is not there has no rows; an optional column that is not there is empty.

        Raises:
            ReadError: a required column is not there, or the table cannot be read.
        """
        schema: Mapping[str, pl.DataType] = {
            ROW: pl.Int64(), **dict.fromkeys((*required, *optional), pl.String())
        }  # fmt: skip
        return pl.concat([pl.DataFrame(schema=schema), *self.read_parts(name, required, optional)])

    def read_parts(
        self, name: str, required: Sequence[str], optional: Sequence[str] = ()
    ) -> Iterator[pl.DataFrame]:
        """The same, part by part.

        Raises:
            ReadError: likewise.
        """
        header: list[str] = []
        last_row = 0
        for part in _split_lines(unzip_steps(self.body, name, self.most_bytes)):
            text = to_utf8(part)
            if not header:
                line, _, text = text.partition(b"\n")
                header = [cell.strip() for cell in next(csv.reader([line.decode()]), [])]
                lacking = [column for column in required if column not in header]
                if lacking:
                    there = ", ".join(filter(None, header)) or "nothing"
                    raise ReadError(f"has a {name} without {', '.join(lacking)}; it has {there}")
            frame = _read_part(name, text, header, [*required, *optional])
            yield frame.with_columns(pl.int_range(last_row + 1, last_row + 1 + pl.len()).alias(ROW)).select(
                ROW, *required, *optional
            )
            last_row += frame.height


def _split_lines(steps: Iterable[bytes]) -> Iterator[bytes]:
    """Parts that end with a line; a line break within quotes ends none."""
    held, size, quotes = list[bytes](), 0, 0
    for step in steps:
        cut = step.rfind(b"\n") + 1
        size, quotes_before = size + len(step), quotes + step.count(b'"', 0, cut)
        if size < _PART or not cut or quotes_before % 2:
            held.append(step)
            quotes = quotes_before + step.count(b'"', cut)
            continue
        yield b"".join([*held, step[:cut]])
        rest = step[cut:]
        held, size, quotes = [rest], len(rest), rest.count(b'"')
    if size and not (last := b"".join(held)).isspace():
        yield last


def _read_part(name: str, text: bytes, header: Sequence[str], wanted: Sequence[str]) -> pl.DataFrame:
    if not text or text.isspace():
        return pl.DataFrame(schema=dict.fromkeys(wanted, pl.String()))
    places = {column: str(header.index(column)) for column in wanted if column in header}
    line = ",".join(map(str, range(len(header)))).encode()  # names of its own, since a header may repeat one
    try:
        frame = pl.read_csv(
            b"%b\n%b" % (line, text),
            columns=[*places.values()],
            infer_schema=False,
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError as error:
        raise ReadError(f"has a {name} that is no table: {str(error).splitlines()[0]}") from None
    frame = frame.select(
        (pl.col(places[column]) if column in places else pl.lit(None, pl.String)).alias(column)
        for column in wanted
    )
    if any(mark in text for mark in _UNTIDY):
        frame = frame.with_columns(pl.all().str.strip_chars()).with_columns(
            pl.when(pl.all().str.len_bytes() > 0).then(pl.all())
        )
    return frame
