"""What readers hand over: rows as the source has them, not yet held against a contract.

Columns are named by the contract's fields; names that start with @ carry what a row may bring besides.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from civitas_assets.errors import Note

TIME = "@time"  # the time of the event as written
ROW = "@row"  # the row's number in its payload, counted from 1
INTERVAL = "@interval"  # the time of the event as ISO 8601 has it: an instant, or start/end
RESULT = "@result"  # the value of the event, of whatever type it is
PAYLOAD = "@payload"  # content hash of the payload that the row came in
RECEIVED = "@received_at"  # when that payload was fetched


# Codes of notes that are made where rows are stored, whatever connector they come from.
UNKNOWN_FIELDS, REPLACED_ROWS, REPEATED_ROWS = "unknown_fields", "replaced_rows", "repeated_rows"


@dataclass(frozen=True)
class BrokenRow:
    """A row that its format already makes unreadable, such as a CSV line with too many cells.

    `about` are the native ids of the things that it is about, where they can be read; without, it may be about any.
    """

    row: int
    rule: str
    detail: str
    raw: str
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawTable:
    """Rows of one record type: values as text, or in the native type where the format has types.

    `unknown_fields` are fields of the source that nothing maps, and become one note; `notes` are further ones.
    """

    record_type: str
    frame: pl.DataFrame
    unknown_fields: tuple[str, ...] = ()
    broken: tuple[BrokenRow, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Roster:
    """The keys of all things of one record type that a source has; what was there and is not among them is gone.

    `frame` has the columns of the key, also of rows that break their contract: a row with a fault is not gone.
    It is handed over after the rows that it is about. Events have no roster: a source that forgets old ones
    takes nothing back.
    """

    record_type: str
    frame: pl.DataFrame
