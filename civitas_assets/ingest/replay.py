"""Replaying: what of some days differs between the record store and what today's mapping makes of landing.

It is shown first, and then appended as new revisions like any night's news: nothing is overwritten, and replaying with
the former mapping brings the former state back. How landing is read anew is in `rehearse.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import msgspec
import polars as pl

from civitas_assets.catalog import Tenant, Window
from civitas_assets.errors import Problem, StoreError
from civitas_assets.ingest.keep import Keeper
from civitas_assets.ingest.rehearse import Rehearsal
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.records.origin import REJECTED_SCHEMA
from civitas_assets.store.records import RecordChanges
from civitas_assets.store.stores import Stores

_DAYS_AT_ONCE = 14
_EXAMPLES = 3


@dataclass
class DayCounts:
    """How many records of a day would come, change, stay as they are, or go."""

    new: int = 0
    changed: int = 0
    identical: int = 0
    vanished: int = 0


@dataclass(frozen=True)
class Example:
    """One value that would change."""

    key: str
    before: str
    after: str


@dataclass
class ReplayedColumn:
    """A column that would change, in how many records, with examples."""

    changed: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass
class TableDiff:
    """What would become of one record type; things are counted under no day."""

    record_type: str
    rejected: int = 0
    days: dict[date | None, DayCounts] = field(default_factory=lambda: defaultdict(DayCounts))
    columns: dict[str, ReplayedColumn] = field(default_factory=lambda: defaultdict(ReplayedColumn))

    def total(self) -> DayCounts:
        """All days together."""
        parts = [(t.new, t.changed, t.identical, t.vanished) for t in self.days.values()]
        return DayCounts(*(sum(numbers) for numbers in zip(*parts, strict=True))) if parts else DayCounts()

    def __bool__(self) -> bool:
        total = self.total()
        return bool(total.new or total.changed or total.vanished or self.rejected)


@dataclass(frozen=True)
class ReplayPlan:
    """What replaying one source would do; `problems` name payloads that today's mapping cannot read."""

    source: str
    payloads: int
    missing: int
    differences: tuple[TableDiff, ...]
    problems: tuple[Problem, ...]

    def __bool__(self) -> bool:
        return any(self.differences)


@dataclass(frozen=True)
class _Step:
    """The difference of some days of one record type: records to append, and all that this was worked out from."""

    record_type: RecordType
    news: RecordChanges
    marks: pl.DataFrame
    before: pl.DataFrame
    after: pl.DataFrame


def plan_replay(rehearsal: Rehearsal, stores: Stores, days: Window) -> ReplayPlan:
    """What replaying these days would change; nothing is changed."""
    found: dict[str, TableDiff] = {r.name: TableDiff(r.name) for r in rehearsal.record_types}
    concerned = set[str]()
    for step in _steps(rehearsal, stores, days):
        name = step.record_type.name
        _count(step, found.setdefault(name, TableDiff(name)))
        concerned |= _payloads(step)
    for name, count in _rejected(rehearsal, stores, concerned)["record_type"].value_counts().iter_rows():
        found.setdefault(name, TableDiff(name)).rejected = count
    shown = tuple(d for d in found.values() if d.days or d.rejected)
    report = rehearsal.report
    return ReplayPlan(report.source, report.payloads, rehearsal.missing, shown, tuple(report.problems))


def replay_source(rehearsal: Rehearsal, tenant: Tenant, stores: Stores, days: Window) -> ReadReport:
    """Append what these days lack by today's mapping; the days are noted as pending first.

    The tenant's lock must be held.

    Raises:
        StoreError: the source was read since the rehearsal began, so that what it found may be out of date.
    """
    source = rehearsal.source.name
    if stores.journal.read_progress(source) != rehearsal.upto:
        raise StoreError(f"{source} was read by a run in the meantime: replay it again")
    report = ReadReport(source, rehearsal.report.payloads, rehearsal.report.bytes)
    report.problems.extend(rehearsal.report.problems)
    keeper, concerned = Keeper(tenant, stores, rehearsal.run_id, report), set[str]()
    for step in _steps(rehearsal, stores, days):
        report.counts[step.record_type.name].read += step.after.height
        keeper.keep(step.news)
        keeper.keep(stores.records.find_changes(step.record_type, step.marks))
        concerned |= _payloads(step)
    rejected = _rejected(rehearsal, stores, concerned)
    if not rejected.is_empty():
        keeper.reject(rejected.select(*REJECTED_SCHEMA))
    failed = tuple(line for line in rehearsal.upto.failed if line.sha256 not in rehearsal.read)
    if failed != rehearsal.upto.failed:
        stores.journal.advance(source, msgspec.structs.replace(rehearsal.upto, failed=failed))
    return report


def _steps(rehearsal: Rehearsal, stores: Stores, days: Window) -> Iterator[_Step]:
    """Things first, as in every reading, with those that the source was mapped to before and brings no more.

    Events come some days at a time, so that memory holds no more of them.
    """
    brought = rehearsal.record_types
    source = rehearsal.source.name
    former = [
        other
        for other in RECORD_TYPES.values()
        if other.event_time is None and other not in brought and stores.records.count(other, source)
    ]
    for record_type in (*former, *brought):
        if record_type.event_time is None:
            yield _step(rehearsal, stores, record_type, [])
            continue
        there = {*stores.records.list_days(record_type), *rehearsal.stores.records.list_days(record_type)}
        chosen = sorted(day for day in there if days.first <= day <= days.last)
        for start in range(0, len(chosen), _DAYS_AT_ONCE):
            yield _step(rehearsal, stores, record_type, chosen[start : start + _DAYS_AT_ONCE])


def _step(rehearsal: Rehearsal, stores: Stores, record_type: RecordType, days: list[date]) -> _Step:
    source, keys = rehearsal.source.name, [*record_type.key]
    known = stores.records.read_current(record_type, source, days)
    before = known.filter(~pl.col("deleted"))
    after = rehearsal.stores.records.read_current(record_type, source, days).filter(~pl.col("deleted"))
    if record_type.event_time is None:
        # What a later fetch had no more is gone, whatever an earlier payload says of it.
        closed = known.filter(pl.col("deleted")).select(*keys, pl.col("received_at").alias("closed_at"))
        gone_since = after.join(closed, on=keys).filter(pl.col("closed_at") > pl.col("received_at"))
        after = after.join(gone_since, on=keys, how="anti", maintain_order="left")
    # What came in a payload that was read again, and is in none of them any more, was a fault of the mapping. What
    # came in one that landing has no more, or that cannot be read, stays.
    gone = before.filter(pl.col("payload").is_in(rehearsal.read)).join(after, on=keys, how="anti")
    marks = gone.with_columns(pl.lit(value=True).alias("deleted"), pl.lit(rehearsal.run_id).alias("run_id"))
    return _Step(record_type, stores.records.find_changes(record_type, after), marks, before, after)


def _payloads(step: _Step) -> set[str]:
    return {*step.after["payload"].unique(), *step.marks["payload"].unique()}


def _rejected(rehearsal: Rehearsal, stores: Stores, payloads: set[str]) -> pl.DataFrame:
    """The rows of these payloads that today's mapping rejects, and that are not in quarantine."""
    rejected = rehearsal.stores.quarantine.read_rows().filter(pl.col("payload").is_in(payloads))
    return stores.quarantine.select_unknown(rehearsal.source.name, rejected)


def _count(step: _Step, difference: TableDiff) -> None:
    rows = step.news.rows
    parts = {
        "new": rows.filter(pl.col("revision") == 1),
        "changed": rows.filter(pl.col("revision") > 1),
        "identical": step.after.join(rows, on=[*step.record_type.key], how="anti"),
        "vanished": step.marks,
    }
    for name, part in parts.items():
        for day, count in part["day"].value_counts().iter_rows():
            tally = difference.days[day]
            setattr(tally, name, getattr(tally, name) + count)
    keys = [*step.record_type.key]
    pairs = parts["changed"].join(step.before, on=keys, how="inner", suffix="@before")
    for name in step.record_type.schema:
        if name in keys:
            continue
        differing = pairs.filter(pl.col(name).ne_missing(pl.col(f"{name}@before")))
        if differing.is_empty():
            continue
        column = difference.columns[name]
        column.changed += differing.height
        for row in differing.head(_EXAMPLES - len(column.examples)).iter_rows(named=True):
            key = ", ".join(_shown(row[part]) for part in keys)
            column.examples.append(Example(key, _shown(row[f"{name}@before"]), _shown(row[name])))


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return str(value)
