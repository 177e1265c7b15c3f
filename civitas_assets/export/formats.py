"""The formats of an export, and the one way through all of them: select, stream, write.

What each format looks like is in its own module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol

import pyarrow as pa

from civitas_assets.errors import ExportError
from civitas_assets.export.output import open_output
from civitas_assets.export.selection import DaySpan, Query, Selection
from civitas_assets.export.terms import Conditions, read_conditions
from civitas_assets.publish.reading import PublishedTables, open_published
from civitas_assets.settings import Settings

# As many rows are in memory at once, and are a row group of Parquet.
BATCH = 20_000


class Format(Protocol):
    """How rows of a shared model are written, and what it calls them."""

    unit: ClassVar[str]

    def build_query(self, selection: Selection) -> Query:
        """What it needs of the rows.

        Raises:
            ExportError: the model cannot be written so.
        """
        ...

    def write(self, batches: pa.RecordBatchReader, sink: BinaryIO, conditions: Conditions) -> Iterator[int]:
        """Write batch after batch, on these terms; how many rows, features or entities each had."""
        ...


def export_model(
    settings: Settings,
    tenant: str,
    model: str,
    form: Format,
    *,
    span: DaySpan | None = None,
    file: Path | None = None,
    standard_output: BinaryIO,
    progress: Callable[[int], None] = lambda _: None,
    everything: bool = False,
    tell: Callable[[Conditions], None] = lambda _: None,
) -> int:
    """Write a published model as it is at this moment; how many rows, features or entities.

    Memory holds a batch at a time, however many there are; `progress` hears how many have been written, `tell` on which
    terms. With `everything`, for the tenant's own use, so do rows that may not be given to others, and small counts.

    Raises:
        PublishError: the tenant has no output yet.
        ExportError: the model cannot be exported so, or the file cannot be written.
    """
    first, last = (span.first, span.last) if span else (None, None)
    with open_published(settings, tenant, first, last) as tables:
        conditions = read_conditions(settings, tenant, tables, everything=everything)
        selection = Selection.from_models(tables.list_columns(), model, span, conditions)
        form.build_query(selection)  # what cannot be written is said before anything else
        tell(conditions)
        with open_output(file, standard_output) as sink:
            return write_selection(tables, selection, form, sink, progress)


def write_selection(
    tables: PublishedTables,
    selection: Selection,
    form: Format,
    sink: BinaryIO,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write what is selected of tables that are open already; how many rows, features or entities.

    Raises:
        ExportError: the model cannot be exported so, or not be read to its end.
    """
    query, written = form.build_query(selection), 0
    try:
        batches = tables.stream(query.sql, query.parameters, BATCH)
        for rows in form.write(batches, sink, selection.conditions):
            written += rows
            progress(written)
    except pa.ArrowException as error:
        text = f"{tables.tenant}: {selection.model} could not be read to its end: {error}"
        raise ExportError(text) from error
    return written
