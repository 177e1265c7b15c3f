"""Registers: the things that one fetch brought are held against those that are known; what is gone is closed or told.

Nothing is closed on the word of an answer that is not whole. Rosters, by which a payload itself says what there is, are
in `vanished.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from civitas_assets.catalog import Source
from civitas_assets.ingest.vanished import check_roster_size
from civitas_assets.records import RECORD_TYPES, BrokenRow, Note, RecordType
from civitas_assets.records.contract import UTC_TIME
from civitas_assets.store.addresses import Address, Line
from civitas_assets.store.landing import Answered
from civitas_assets.store.records import RecordChanges, RecordStore
from civitas_assets.store.seen import NAMELESS, READ, SEEN_SCHEMA, SeenStore, add_standing_times

GONE = "gone_from_source"
_EXAMPLES = 3
# An answer that failed for so long and then stands unchanged is known still; days of observations pass by.
_REMEMBERED = timedelta(days=8)


_FOUND_AT_ONCE = 20_000  # rows about things, in which the same is looked for


@dataclass
class Sightings:
    """What one reading of a source has seen."""

    source: str
    _found: list[pl.DataFrame] = field(default_factory=list)
    _limit: int = field(default=_FOUND_AT_ONCE, init=False)
    _marks: list[tuple[object, ...]] = field(
        default_factory=list
    )  # a frame of its own for each would cost more

    def add(self, record_type: RecordType, rows: pl.DataFrame) -> None:
        """Rows about things, with their key and `payload`; those without a key may be about any."""
        if record_type.event_time is not None or rows.is_empty():
            return
        named = rows.select(pl.col(record_type.key[0]).alias("id"), "payload", "received_at")
        name = pl.when(pl.col("id").is_null()).then(pl.lit(NAMELESS)).otherwise(pl.lit(record_type.name))
        source = pl.lit(self.source).alias("source")
        found = named.select(
            source, name.alias("record_type"), pl.col("id").fill_null(""), "payload", "received_at"
        )
        self._found.append(found)
        if sum(part.height for part in self._found) > self._limit:
            # Each portion of a large file is about the same things.
            self._found = [pl.concat(self._found).unique(maintain_order=True)]
            self._limit = max(_FOUND_AT_ONCE, 2 * self._found[0].height)

    def note(self, mark: str, line: Line, key: str = "") -> None:
        """That an answer was read, or that it has rows of which nobody knows what they are about."""
        self._marks.append((self.source, mark, key, line.sha256, line.fetched_at))

    def note_broken(self, record_type: RecordType, rows: Iterable[BrokenRow], line: Line) -> None:
        """Rows that nobody can read: what they are about is there all the same, and is not gone."""
        for row in rows:
            if not row.about:
                self.note(NAMELESS, line)
            elif record_type.event_time is None:
                for key in row.about:
                    self.note(record_type.name, line, key)

    @property
    def found(self) -> pl.DataFrame:
        """All of it, in the form of `SEEN_SCHEMA`."""
        return pl.concat([pl.DataFrame(self._marks, SEEN_SCHEMA, orient="row"), *self._found])

    def merge_times(
        self, stored: pl.DataFrame, known: Mapping[str, Address], lines: Sequence[Line]
    ) -> pl.DataFrame:
        """What is to be noted now: what was known and what was found, with the times of answers by now.

        Of answers that the source has no more, only the last sight of each thing is kept.
        """
        fresh = self.found
        rows = pl.concat([stored.join(fresh, on="payload", how="anti"), fresh])
        before = {line.before: line.before_seen_at for line in lines if line.before_seen_at is not None}
        rows = (
            add_standing_times(rows, known, before)
            .group_by([*SEEN_SCHEMA][:-1])
            .agg(pl.col("received_at").max())
        )
        times = [address.seen_at for address in known.values() if address.seen_at is not None]
        oldest = max(times, default=datetime.max.replace(tzinfo=UTC)) - _REMEMBERED
        there = {a.sha256 for a in known.values() if a.seen_at is not None and a.seen_at >= oldest}
        is_there = pl.col("payload").is_in(there)
        is_last = pl.col("received_at") == pl.col("received_at").max().over("record_type", "id")
        rows = rows.filter(is_there | (is_last & ~pl.col("record_type").str.starts_with("@")))
        return rows.sort("record_type", "id", "received_at", "payload")


@dataclass(frozen=True)
class Gone:
    """What the last fetch of a source has no more: marks of deletion to keep, and notes to tell."""

    news: tuple[RecordChanges, ...] = ()
    notes: tuple[Note, ...] = ()


def find_gone(  # noqa: PLR0917 - each argument is of another type
    source: Source,
    seen: pl.DataFrame,
    known: Mapping[str, Address],
    answered: Answered,
    unread: Sequence[Line],
    store: RecordStore,
    run_id: str,
) -> Gone:
    """What of the things that the source lists is in none of the answers of its last fetch."""
    listed = sorted(n for n in source.listed_record_types() if RECORD_TYPES[n].event_time is None)
    if not listed or not answered.is_whole or answered.at is None:
        return Gone()
    fetched = {a.sha256: a.seen_at for a in known.values() if a.seen_at is not None and answered.has_seen(a)}
    answers = seen.filter(pl.col("payload").is_in([*fetched]))
    was_read = {*answers.filter(pl.col("record_type") == READ)["payload"]}
    if not fetched or fetched.keys() - was_read or any(line.sha256 in fetched for line in unread):
        return Gone()
    nameless = answers.filter(pl.col("record_type") == NAMELESS).height > 0
    news, notes = list[RecordChanges](), list[Note]()
    for name in listed:
        record_type = RECORD_TYPES[name]
        key = record_type.key[0]
        present = answers.filter(pl.col("record_type") == name).select(pl.col("id").alias(key)).unique()
        count = store.count(record_type, source.name)
        gone = store.find_vanished(record_type, source.name, present) if count else pl.DataFrame()
        if gone.is_empty():
            continue
        reason = _reason(source, name, gone.height, count, nameless=nameless)
        if reason:
            examples = ", ".join(gone[key].head(_EXAMPLES))
            told = f"{gone.height:,} of {count:,} {name} are no longer in the source, such as {examples}; {reason}"
            notes.append(Note(GONE, told))
        else:
            payload, at = max(fetched.items(), key=lambda pair: pair[1])
            news.append(_closed(record_type, gone, payload, at, store, run_id))
    return Gone(tuple(news), tuple(notes))


def _reason(source: Source, name: str, gone: int, count: int, *, nameless: bool) -> str:
    """Why things that are gone are not closed; empty where they are."""
    if not source.is_snapshot(name):
        return (
            "they stay: say snapshot: true if each fetch has all there is, or snapshot: false if it never has"
        )
    if nameless:
        return "none is closed, because rows without an id may be about them: see the quarantine"
    return check_roster_size(count - gone, count, source.snapshot_share)


def _closed(  # noqa: PLR0917 - each argument is of another type
    record_type: RecordType, gone: pl.DataFrame, payload: str, at: datetime, store: RecordStore, run_id: str
) -> RecordChanges:
    marks = gone.with_columns(
        pl.lit(payload).alias("payload"),
        pl.lit(at, UTC_TIME).alias("received_at"),
        pl.lit(run_id).alias("run_id"),
        pl.lit(value=True).alias("deleted"),
    )
    return store.find_changes(record_type, marks)


def note_seen(
    sightings: Sightings, seen: SeenStore, known: Mapping[str, Address], lines: Sequence[Line]
) -> pl.DataFrame:
    """Remember what a reading has seen; all that is remembered of its source."""
    rows = sightings.merge_times(seen.read_rows(sightings.source), known, lines)
    seen.write(sightings.source, rows)
    return rows
