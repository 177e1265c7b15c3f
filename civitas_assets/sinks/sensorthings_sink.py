"""Keeping a SensorThings server up to date with a tenant's stations, datastreams and observations, by what has changed.

Entities carry a mark, so that they are found again whatever is known here. Of each datastream and day, a digest of its
rows says what the server was seen to have; where it is another one now, the day is read from the server, what differs
is created, changed or deleted, and the day is read again. What an answer says counts for nothing: a digest is noted for
what was read back, row by row, and a run that is cut short goes on where it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.tenant_sinks import SensorThingsSink
from civitas_assets.errors import ExportError
from civitas_assets.export.selection import DaySpan, Selection
from civitas_assets.export.terms import Conditions
from civitas_assets.publish.reading import PublishedTables
from civitas_assets.sinks.brought_entities import EntityBringer
from civitas_assets.sinks.sensorthings_writing import (
    GivenObservation,
    KeptObservation,
    SensorThingsServer,
)
from civitas_assets.sinks.sink_report import SinkReport
from civitas_assets.store.files import Files
from civitas_assets.store.layout import tenant_folder_key
from civitas_assets.store.stored_record import read_state

_AT_ONCE = 5000  # observations that are under way before they are read back
_DIGEST = (
    "md5(string_agg(concat_ws('|', epoch_us(picked.phenomenon_start_at), epoch_us(picked.phenomenon_end_at),"
    " picked.value, picked.quality_code, epoch_us(picked.result_at)), ';' order by picked.phenomenon_start_at))"
)


class SinkState(msgspec.Struct):
    """Digests of the days that a server was seen to have, by its id of the datastream and then by day."""

    basis: str
    seen: dict[str, dict[str, str]] = {}


@dataclass(frozen=True)
class _Day:
    """The rows of a datastream and day as they are to be, and their digest."""

    stream: Any
    key: str
    day: date
    digest: str


class SensorThingsBringer:
    """One sink of a tenant."""

    def __init__(
        self, server: SensorThingsServer, files: Files, tenant: Tenant, name: str, said: SensorThingsSink
    ) -> None:
        self._server, self._files, self._tenant = server, files, tenant
        self._basis, self._parallel = f"{said.url} {said.times}", said.http.parallel
        self._has_intervals = said.times == "interval"
        self._key = f"{tenant_folder_key('sinks', tenant.slug)}/{name}.json"
        self._empty = set[Any]()  # ids of what was made just now, and has no observations yet
        self.report = SinkReport()

    def bring(self, tables: PublishedTables, conditions: Conditions, first: date, last: date) -> SinkReport:
        """Bring the server up to what is published of these days.

        Raises:
            ExportError: the server does not answer, or lets nobody in; what was read back before stays noted.
            PublishError: what is published cannot be read.
        """
        columns = tables.list_columns()
        if missing := {"station", "datastream", "observation"} - columns.keys():
            raise ExportError(
                f"{self._tenant.slug} has no table {min(missing)}; a SensorThings server needs it"
            )
        entities = EntityBringer(self._server, self._tenant.slug, self.report)
        streams = entities.bring(tables, conditions)
        self._empty = entities.made
        state = self._read_state()
        span = DaySpan(first, last, self._tenant.zone)
        chosen = Selection.from_models(columns, "observation", span, conditions)
        waiting, size = list[tuple[_Day, list[GivenObservation]]](), 0
        for day in [*self._find_days(tables, chosen, streams, state)]:
            rows = [*self._read_rows(tables, chosen, day)]
            waiting.append((day, rows))
            size += len(rows)
            if size >= _AT_ONCE:
                self._settle(waiting, state)
                waiting, size = [], 0
        self._settle(waiting, state)
        return self.report

    def _find_days(
        self,
        tables: PublishedTables,
        chosen: Selection,
        streams: Mapping[str, Any],
        state: SinkState,
    ) -> Iterator[_Day]:
        """The days of which the server was seen to have something else."""
        query = chosen.build_query(
            f"picked.datastream_key, picked.day, {_DIGEST} as digest",
            " where picked.value is not null group by all order by all",
            with_thing=False,
        )
        current = defaultdict[str, dict[str, str]](dict)
        for row in tables.stream(query.sql, query.parameters, 20_000).read_all().to_pylist():
            if row["datastream_key"] in streams:
                current[row["datastream_key"]][row["day"].isoformat()] = row["digest"]
        for key, stream in streams.items():
            seen = state.seen.get(str(stream), {})
            for text in sorted({*current[key], *seen}):
                day, digest = date.fromisoformat(text), current[key].get(text, "")
                if _is_within(chosen.span, day) and digest != seen.get(text, ""):
                    yield _Day(stream, key, day, digest)

    def _read_rows(self, tables: PublishedTables, chosen: Selection, day: _Day) -> Iterator[GivenObservation]:
        query = chosen.build_query(
            "picked.phenomenon_start_at as start, picked.phenomenon_end_at as stop, picked.value,"
            " picked.result_at, picked.quality_code",
            " where picked.value is not null and picked.datastream_key = ? and picked.day = ?",
            with_thing=False,
        )
        parameters = (*query.parameters, day.key, day.day)
        for row in tables.stream(query.sql, parameters, 20_000).read_all().to_pylist():
            start, stop = row["start"].astimezone(UTC), row["stop"] and row["stop"].astimezone(UTC)
            stop = None if stop == start else stop
            produced = (row["result_at"] or stop or start).astimezone(UTC)
            end = stop if self._has_intervals else None
            yield GivenObservation(start, end, row["value"], produced, row["quality_code"])

    def _settle(self, waiting: Sequence[tuple[_Day, list[GivenObservation]]], state: SinkState) -> None:
        """Let the server have what these days are to be, as far as it takes it, and note what was read back."""
        if not waiting:
            return
        streams = defaultdict[Any, list[tuple[_Day, list[GivenObservation]]]](list)
        for day, rows in waiting:
            streams[day.stream].append((day, rows))
        differences = self._compare_all(streams)
        report, missing = self.report, sum(len(one.missing) for one in differences.values())
        # The first time many at once; what is not there then one by one, since one bad row may take others with it.
        for one_by_one in (False, True):
            lacking = [one for one in differences.values() if one]
            if not lacking:
                break
            absent = [row for one in lacking for row in one.missing]
            self._server.create_observations(absent, one_by_one=one_by_one)
            self._server.change_observations(row for one in lacking for row in one.other)
            self._server.delete_observations(key for one in lacking for key in one.surplus)
            report.changed += sum(len(one.other) for one in lacking)
            report.deleted += sum(len(one.surplus) for one in lacking)
            differences = self._compare_all({key: streams[key] for key, one in differences.items() if one})
        for stream, days in streams.items():
            if (left := differences.get(stream)) is not None and left:
                report.refused += left.explain(days[0][0].key)
                missing -= len(left.missing)
                continue
            seen = state.seen.setdefault(str(stream), {})
            for day, _ in days:
                seen[day.day.isoformat()] = day.digest
                if not day.digest:
                    del seen[day.day.isoformat()]
            report.days += len(days)
        report.created += missing
        self._files.write(self._key, msgspec.json.encode(state))

    def _compare_all(
        self, streams: Mapping[Any, Sequence[tuple[_Day, list[GivenObservation]]]]
    ) -> dict[Any, _Differences]:
        """What the server lacks, by datastream, as it is read now."""
        with ThreadPoolExecutor(self._parallel, "sink") as pool:
            return dict(zip(streams, pool.map(self._compare, streams, streams.values()), strict=True))

    def _compare(self, stream: Any, days: Sequence[tuple[_Day, list[GivenObservation]]]) -> _Differences:
        zone, dates = self._tenant.zone, {day.day for day, _ in days}
        begins = DaySpan(None, None, zone).begins
        by_start = defaultdict[datetime, list[KeptObservation]](list)
        if stream in self._empty:
            self._empty.discard(stream)
        else:
            span = begins(min(dates)), begins(max(dates) + timedelta(days=1))
            for kept in self._server.read_observations(stream, *span):
                if kept.start.astimezone(zone).date() in dates:
                    by_start[kept.start.astimezone(UTC)].append(kept)
        found = _Differences()
        for row in (row for _, rows in days for row in rows):
            there = by_start.pop(row.start, [])
            good = next((kept for kept in there if kept.is_as(row)), there[0] if there else None)
            if good is None:
                found.missing.append((stream, row))
            elif not good.is_as(row):
                found.other.append((good.id, row))
            found.surplus += [kept.id for kept in there if kept is not good]
        found.surplus += [kept.id for left in by_start.values() for kept in left]
        return found

    def _read_state(self) -> SinkState:
        state = read_state(self._files, self._key, SinkState)
        if state is not None and state.basis == self._basis:
            return state
        return SinkState(self._basis)  # another server has nothing of it, or the same in another form


@dataclass
class _Differences:
    """What a server lacks, has otherwise, and has beside: observations with the datastream or their own id."""

    missing: list[tuple[Any, GivenObservation]] = field(default_factory=list)
    other: list[tuple[Any, GivenObservation]] = field(default_factory=list)
    surplus: list[Any] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.other or self.surplus)

    def explain(self, key: str) -> Iterator[str]:
        """A sentence per kind of what is left."""
        kinds = (
            (len(self.missing), "are not there"),
            (len(self.other), "say something else"),
            (len(self.surplus), "do not go"),
        )
        for count, what in kinds:
            if count:
                yield f"datastream {key}: {count} observation(s) {what}, whatever the server answers"


def _is_within(span: DaySpan | None, day: date) -> bool:
    return span is None or (span.first or date.min) <= day <= (span.last or date.max)
