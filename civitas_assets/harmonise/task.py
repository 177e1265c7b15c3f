"""What a run has to harmonise: the days that the journal holds, or all days, in portions that fit into memory.

Each task carries the versions of all that its rows are made of, so that what has moved since is not published. How a
workspace is filled with them is in `workspace.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from civitas_assets.store.files import Stamp
from civitas_assets.store.stores import Stores

_DAY = timedelta(days=1)
# What a file of records takes beside its bytes: small ones cost by their number. Ten years of one datastream, 8 kB a
# day, took 1.3 GB of memory in one piece and 0.5 GB in portions of a year.
_PER_FILE = 64 * 1024
# A further portion makes what is of no day once more, and has DuckDB write groups of rows of the one before anew: of a
# million rows in two, an eighth of all work at least.
_PER_ROW = 48  # and each row, however few bytes those that repeat take: a million has taken 0.5 GB
_WORTH = 4  # so many times what is affected may be made anew


class Task(msgspec.Struct, frozen=True):
    """What a run has to harmonise and publish.

    `days` are replaced in the destination; `rebuild` says that the destination starts anew, from all days: `rebuilt`
    many, of which `days` are a portion. `entries` are the journal's notes that are settled by publishing, with what
    they say. `versions` are those of the records that the rows are made of, by day (of a rebuild of all its days), and
    `timeless` that of what belongs to no day. `basis` is the publication that the rows take the place of, by
    destination; None where nobody asks for it. With `forget`, no block of what is published may hold
    afterwards what was there before.
    """

    days: tuple[date, ...]
    rebuild: bool
    entries: Mapping[str, str]
    rebuilt: int = 0
    versions: Mapping[date, str] = {}
    timeless: str = ""
    basis: Mapping[str, str] | None = None
    forget: bool = False

    @property
    def size(self) -> int:
        """The number of days, of all portions together."""
        return self.rebuilt or len(self.days)

    @property
    def collected(self) -> Mapping[date, str]:
        """The days of a rebuild that earlier portions have brought, with their versions."""
        days = {*self.days}
        return {day: version for day, version in self.versions.items() if day not in days}


def plan_task(stores: Stores, *, rebuild: bool, evolves: bool = False, destination: str = "") -> Task | None:
    """What has to be done: everything for a new destination, else what the journal holds; None if that is nothing.

    A destination whose tables evolve is published even without any day.
    """
    pending = stores.journal.read_pending(destination)
    days = set(pending.days)
    if rebuild:
        events = [r for r in stores.records.list_types() if r.event_time is not None]
        days.update(day for record_type in events for day in stores.records.list_days(record_type))
        days.update(stores.quarantine.read_rows()["day"].unique().to_list())
    elif not pending and not evolves:
        return None
    many = len(days) if rebuild else 0
    return Task(tuple(sorted(days)), rebuild, pending.entries, many, forget=pending.forget)


@dataclass(frozen=True)
class Versions:
    """The versions of all that rows are made of, at one moment.

    `state` stands for what they are made with: models and configuration.
    """

    state: str
    by_day: Mapping[date, Mapping[str, Stamp]]
    timeless: Mapping[str, Stamp]

    @classmethod
    def read_now(cls, stores: Stores, state: str) -> Versions:
        """Those of this moment."""
        by_day = stores.records.list_stamps()
        timeless = {**by_day.pop(None, {}), **stores.quarantine.list_stamps()}
        return cls(state, {day: stamps for day, stamps in by_day.items() if day is not None}, timeless)

    def get_for_days(self, days: Iterable[date]) -> Mapping[date, str]:
        """The version of what the rows of each day are made of; averages reach back into the day before."""
        common = self._common()
        found = {}
        for day in days:
            digest = common.copy()
            _update(digest, self.by_day.get(day - _DAY, {}))
            _update(digest, self.by_day.get(day, {}))
            found[day] = _name(digest)
        return found

    def get_for_no_day(self) -> str:
        """The version of what belongs to no day, and goes into the rows of all."""
        return _name(self._common())

    def measure_day(self, day: date) -> int:
        """What making the day takes: bytes of its records, and something for each file."""
        return sum(stamp.size + _PER_FILE for stamp in self.by_day.get(day, {}).values())

    def are_most(self, days: Sequence[date], size: int) -> bool:
        """Whether several days take more than that size, and so much of all that making all anew is worth it."""
        affected = sum(map(self.measure_day, days))
        return (
            len(days) > 1 and affected > size and sum(map(self.measure_day, self.by_day)) <= _WORTH * affected
        )

    def mark(self, task: Task, basis: Mapping[str, str]) -> Task:
        """The task with the versions of its days, and of those after them, whose rows may look back into them."""
        days = {*task.days} if task.rebuild else {day + n * _DAY for day in task.days for n in (0, 1)}
        return msgspec.structs.replace(
            task, versions=self.get_for_days(sorted(days)), timeless=self.get_for_no_day(), basis=basis
        )

    def have_moved(self, task: Task, stores: Stores) -> bool:
        """Whether something that the task's rows were made of is another by now."""
        if self.get_for_no_day() != task.timeless or self.get_for_days(task.versions) != task.versions:
            return True
        now = plan_task(stores, rebuild=True) if task.rebuild else None
        return now is not None and {*now.days} != task.versions.keys()

    def _common(self) -> hashlib._Hash:
        digest = hashlib.sha256(self.state.encode())
        _update(digest, self.timeless)
        return digest


class Portion(msgspec.Struct, frozen=True):
    """Days that are harmonised at a time, each with the version of all that its rows are made of."""

    versions: Mapping[date, str]

    @property
    def days(self) -> tuple[date, ...]:
        """The days, in order."""
        return tuple(sorted(self.versions))

    def __str__(self) -> str:
        return f"{self.days[0]} to {self.days[-1]}" if self.versions else "what is not of a day"


def split_into_portions(
    task: Task, versions: Versions, made: Mapping[date, str], rows: Mapping[date, int], *, size: int
) -> Iterator[Portion]:
    """A rebuild's days in portions of at most `size` bytes of records, or one day; at least one portion, maybe empty.

    `rows` are those of the records by day, which count as so many bytes each, besides what their files take.
    `made` are days that are there already, from a rebuild that was interrupted: they are left out as long as nothing
    of what they were made of has changed.
    """
    waiting: dict[date, str] = {}
    filled = 0
    for day, version in versions.get_for_days(task.days).items():
        if made.get(day) == version:
            continue
        bytes_ = versions.measure_day(day) + _PER_ROW * rows.get(day, 0)
        if waiting and filled + bytes_ > size:
            yield Portion(waiting)
            waiting, filled = {}, 0
        waiting[day] = version
        filled += bytes_
    yield Portion(waiting)


def _name(digest: hashlib._Hash) -> str:
    return digest.hexdigest()[:16]


def _update(digest: hashlib._Hash, stamps: Mapping[str, Stamp]) -> None:
    for key, stamp in stamps.items():
        digest.update(f"{key} {stamp.version}\n".encode())
