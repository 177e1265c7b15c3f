"""What a run has to harmonise: the days that the journal holds, or all days, in portions that fit into memory.

How a workspace is filled with them is in `workspace.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import msgspec

from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.files import Stamp
from civitas_assets.store.stores import Stores

_DAY = timedelta(days=1)


class Task(msgspec.Struct, frozen=True):
    """What a run has to harmonise and publish.

    `days` are replaced in the destination; `rebuild` says that the destination starts anew, from all days: `rebuilt`
    many, of which `days` are a portion. `entries` are the journal's notes that are settled by publishing.
    """

    days: tuple[date, ...]
    rebuild: bool
    entries: tuple[str, ...]
    rebuilt: int = 0

    @property
    def size(self) -> int:
        """The number of days, of all portions together."""
        return self.rebuilt or len(self.days)


def plan(stores: Stores, *, rebuild: bool, evolves: bool = False) -> Task | None:
    """What has to be done: everything for a new destination, else what the journal holds; None if that is nothing.

    A destination whose tables evolve is published even without any day.
    """
    pending = stores.journal.pending()
    days = set(pending.days)
    if rebuild:
        events = [r for r in RECORD_TYPES.values() if r.event_time is not None]
        days.update(day for record_type in events for day in stores.records.days(record_type))
        days.update(stores.quarantine.rows()["day"].unique().to_list())
    elif not pending and not evolves:
        return None
    return Task(tuple(sorted(days)), rebuild, pending.entries, len(days) if rebuild else 0)


class Portion(msgspec.Struct, frozen=True):
    """Days that are harmonised at a time, each with the version of all that its rows are made of."""

    versions: Mapping[date, str]

    @property
    def days(self) -> tuple[date, ...]:
        """The days, in order."""
        return tuple(sorted(self.versions))

    def __str__(self) -> str:
        return f"{self.days[0]} to {self.days[-1]}" if self.versions else "what is not of a day"


def portions(
    stores: Stores, task: Task, made: Mapping[date, str], *, state: str, size: int
) -> Iterator[Portion]:
    """A rebuild's days in portions of at most `size` bytes of records, or one day; at least one portion, maybe empty.

    `made` are days that are there already, from a rebuild that was interrupted: they are left out as long as nothing
    of what they were made of has changed. `state` stands for all that rows are made with: models and configuration.
    """
    waiting: dict[date, str] = {}
    filled = 0
    for day, (version, bytes_) in _versions(stores, task, state).items():
        if made.get(day) == version:
            continue
        if waiting and filled + bytes_ > size:
            yield Portion(waiting)
            waiting, filled = {}, 0
        waiting[day] = version
        filled += bytes_
    yield Portion(waiting)


def _versions(stores: Stores, task: Task, state: str) -> Mapping[date, tuple[str, int]]:
    """Version and bytes of the records of each of the task's days."""
    by_day = stores.records.stamps()
    timeless = {**by_day.pop(None, {}), **stores.quarantine.stamps()}
    common = hashlib.sha256(state.encode())
    _update(common, timeless)
    found = {}
    for day in task.days:
        own = by_day.get(day, {})
        digest = common.copy()
        _update(digest, by_day.get(day - _DAY, {}))  # averages reach back into the day before
        _update(digest, own)
        found[day] = (digest.hexdigest()[:16], sum(stamp.size for stamp in own.values()))
    return found


def _update(digest: hashlib._Hash, stamps: Mapping[str, Stamp]) -> None:
    for key, stamp in stamps.items():
        digest.update(f"{key} {stamp.version}\n".encode())
