"""Things that a source no longer has: what its roster does not name gets a last revision that marks it as deleted.

The history stays. Reading the roster is the connector's, storing the marks is done in `read.py`.
"""

from __future__ import annotations

import polars as pl

from civitas_assets.catalog import Source
from civitas_assets.errors import ReadError
from civitas_assets.records import RECORD_TYPES, Roster
from civitas_assets.records.clean_text import to_text
from civitas_assets.records.contract import UTC_TIME
from civitas_assets.records.origin import Origin, replace_nulls
from civitas_assets.store.records import RecordChanges, RecordStore


def find_vanished(
    roster: Roster, origin: Origin, source: Source, store: RecordStore, run_id: str
) -> RecordChanges:
    """The marks of deletion for the source's things that are not on the roster, as the last known rows.

    Raises:
        ReadError: it names none at all, which is a fault of the source rather than the end of all things.
    """
    record_type = RECORD_TYPES[roster.record_type]
    if record_type.event_time is not None:
        raise ReadError(f"has a roster of {record_type.name}, but only things can be deleted")
    present = replace_nulls(pl.DataFrame([to_text(column) for column in roster.frame]), source)
    present = present.drop_nulls([*record_type.key])  # a row without its key names nothing
    gone = store.find_vanished(record_type, source.name, present)
    if present.is_empty() and not gone.is_empty():
        raise ReadError(
            f"names no {record_type.name} at all, but {gone.height} are known: nothing is deleted"
        )
    count = store.count(record_type, source.name) if not gone.is_empty() else 0
    reason = check_roster_size(count - gone.height, count, source.snapshot_share)
    if reason:
        raise ReadError(f"lacks {gone.height:,} of {count:,} {record_type.name}; {reason}")
    marks = gone.with_columns(
        pl.lit(origin.payload).alias("payload"),
        pl.lit(origin.received_at, UTC_TIME).alias("received_at"),
        pl.lit(run_id).alias("run_id"),
        pl.lit(value=True).alias("deleted"),
    )
    return store.find_changes(record_type, marks)


def check_roster_size(left: int, count: int, share: float) -> str:
    """Why the rest is not closed where an answer has so few of the things that are known; empty where it has enough."""
    if left >= share * count:
        return ""
    return (
        f"none is closed, because the {left:,} that are left are less than {share:.0%} of what is known: "
        "if that is right, lower snapshot_share until it is done"
    )
