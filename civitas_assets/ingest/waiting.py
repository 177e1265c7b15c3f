"""Records that wait until all of a batch are typed: of many those of events wait in files, and come back day by day.

What is said of a thing counts as a whole, so things wait in memory. So does what was typed in one go, however much it
is, until more comes: it is there already, and waiting takes far less than typing has taken.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import polars as pl

from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.records.companions import keep_last_of_alike
from civitas_assets.store.day_turns import DAY, count_days, group_days

_ROW_GROUP = 32 * 1024  # a file is in order of days: who wants some of them reads few such groups
_SAID_AT_ONCE = 20_000  # rows that tell of things, in which the same is looked for


class WaitingRecords:
    """Accepted records of one batch, by record type, in the order in which they were read.

    Days are those of the zone; `most` records of events are held in memory together, and taken from files together.
    """

    def __init__(self, zone: str, most: int) -> None:
        self._zone, self._most = zone, most
        self._records: dict[str, list[pl.DataFrame]] = defaultdict(list)
        self._said: dict[str, list[pl.DataFrame]] = defaultdict(list)
        self._said_limit: dict[str, int] = defaultdict(lambda: _SAID_AT_ONCE)
        self._files: dict[str, list[Path]] = defaultdict(list)
        self._days: dict[str, Counter[date]] = defaultdict(Counter)
        self._folder: TemporaryDirectory[str] | None = None

    def add(self, record_type: RecordType, records: pl.DataFrame, *, is_said: bool = False) -> None:
        """Let records wait; `is_said` is of things that have no rows of their own, which other rows tell of."""
        name = record_type.name
        (self._said if is_said else self._records)[name].append(records)
        if is_said and sum(part.height for part in self._said[name]) > self._said_limit[name]:
            # Each portion of a large file says the same of the same things.
            self._said[name] = [_merge_said(record_type, self._said[name])]
            self._said_limit[name] = max(_SAID_AT_ONCE, 2 * self._said[name][0].height)
        waiting = self._records[name]
        is_more = len(waiting) > 1 or name in self._files
        if is_more and record_type.is_of_days and sum(part.height for part in waiting) > self._most:
            self._put_down(record_type)

    def take_all(self) -> Iterator[tuple[RecordType, Sequence[pl.DataFrame]]]:
        """All that waits, things first: of events that are stored later, no day has to be made again for their sake.

        The frames of a record type are its own rows and what others say; those of many events come in several turns, of
        some days each, with the column `day`.
        """
        names = {*self._records, *self._said, *self._files}
        for record_type in sorted(
            (RECORD_TYPES[n] for n in names), key=lambda one: one.event_time is not None
        ):
            name = record_type.name
            if name in self._files:
                self._put_down(record_type)
                for first, last in group_days(self._days[name], self._most):
                    found = pl.scan_parquet(self._files[name]).filter(pl.col(DAY).is_between(first, last))
                    yield record_type, [found.collect()]
                continue
            own, said = self._records.pop(name, []), self._said.pop(name, [])
            frames = [pl.concat(own)] if own else []
            if said:
                frames.append(_merge_said(record_type, said))
            yield record_type, frames
        self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Forget what still waits, as after a fault."""
        self._forget()

    def _forget(self) -> None:
        for waiting in (self._records, self._said, self._files, self._days):
            waiting.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _put_down(self, record_type: RecordType) -> None:
        name = record_type.name
        parts = self._records.pop(name, [])
        if not parts:
            return
        self._folder = self._folder or TemporaryDirectory(prefix="civitas-waiting-")
        file = Path(self._folder.name) / f"{name}-{len(self._files[name])}.parquet"
        day = pl.col(record_type.event_time or "").dt.convert_time_zone(self._zone).dt.date()
        records = pl.concat(parts).with_columns(day.alias(DAY))
        if not records[DAY].is_sorted():
            records = records.sort(DAY, maintain_order=True)
        records.write_parquet(file, compression="lz4", row_group_size=_ROW_GROUP)
        self._files[name].append(file)
        self._days[name].update(count_days(records))


def _merge_said(record_type: RecordType, said: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """What is said of things, each of what is alike once."""
    if len(said) == 1:
        return said[0]
    return keep_last_of_alike(pl.concat(said), [*record_type.schema, "received_at"])
