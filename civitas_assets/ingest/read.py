"""Reading: landed payloads that were not read yet become records, or rows in quarantine.

What is new or changed is appended to the record store; the days that gained something are noted as pending
first.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from civitas_assets.catalog import Source, Tenant
from civitas_assets.connectors.base import Connector, Payload
from civitas_assets.errors import ReadError
from civitas_assets.ingest.isolation import isolated
from civitas_assets.ingest.vanished import vanished
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.records.origin import Origin, gathered, rejected_by_format
from civitas_assets.records.raw import RawTable, Roster
from civitas_assets.records.typing import Place, bring_into_contract
from civitas_assets.store.journal import Progress
from civitas_assets.store.landing import Line, SourceLanding
from civitas_assets.store.records import News
from civitas_assets.store.stores import Stores

log = logging.getLogger("civitas_assets.read")

# What is decoded and typed in one go: enough to make work per payload small, little for a small machine.
_BATCH_BYTES = 72 * 1024 * 1024


@dataclass
class Counts:
    """What reading did for one record type; what was deleted is among what was changed."""

    read: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    rejected: int = 0
    days: set[date] = field(default_factory=set)


@dataclass
class ReadReport:
    """What reading one source brought, by record type; `errors` name payloads that could not be read."""

    source: str
    payloads: int = 0
    bytes: int = 0
    seconds: float = 0.0
    counts: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every payload could be read; rejected rows are no error of the source."""
        return not self.errors


def read_sources(
    tenant: Tenant,
    sources: Mapping[str, Source],
    connectors: Mapping[str, Connector],
    stores: Stores,
    run_id: str,
) -> list[ReadReport]:
    """Read what each source has landed since it was last read."""
    reports = []
    for name, source in sources.items():
        reader = _SourceReader(tenant, source, connectors[source.connector], stores, run_id)
        _, error = isolated(f"{tenant.slug} · read · {name}", reader.run)
        if error:
            reader.report.errors.append(error)
        reports.append(reader.report)
    return reports


class _SourceReader:
    """Reads one source, batch by batch."""

    def __init__(
        self, tenant: Tenant, source: Source, connector: Connector, stores: Stores, run_id: str
    ) -> None:
        self.report = ReadReport(source.name)
        self._tenant, self._source, self._connector, self._stores = tenant, source, connector, stores
        self._run_id = run_id
        self._landing = SourceLanding(stores.files, tenant.slug, source.name)
        self._place = Place(tenant.timezone, tenant.bbox)
        self._failed: list[Line] = []
        self._listed = 0
        self._unknown: set[str] = set()

    def run(self) -> None:
        started = time.monotonic()
        progress = self._stores.journal.progress(self._source.name)
        manifests = list(self._landing.manifests(after=progress.manifest))
        fresh = [line for manifest in manifests for line in manifest.lines if line.state == "stored"]
        # What could not be read is tried again, because the source's settings may have been mended since;
        # where there is a newer answer, only after that could not be read either.
        newer = {line.url for line in fresh}
        again = [line for line in progress.failed if line.url not in newer]
        waiting = [line for line in progress.failed if line.url in newer]
        batches = list(_batches([*again, *fresh]))
        for number, batch in enumerate(batches, 1):
            self._read(batch)
            if number < len(batches):
                self._log(f"part {number} of {len(batches)}")
        self._failed = _unsuperseded(waiting, [*again, *fresh], self._failed)
        self._advance(progress, manifests[-1].name if manifests else progress.manifest)
        self.report.seconds = time.monotonic() - started
        if self.report.payloads:
            self._log("done" if self.report.ok else "FAILED")

    def _read(self, lines: Sequence[Line]) -> None:
        """Decode, type and store what the lines' payloads hold; a roster is called when all before it is stored."""
        tables: dict[str, list[tuple[RawTable, Origin]]] = defaultdict(list)
        rejected: list[pl.DataFrame] = []
        for line in lines:
            origin = Origin(line.variables, line.sha256, line.fetched_at)
            try:
                for raw in self._connector.read(self._source, self._payload(line)):
                    if isinstance(raw, Roster):
                        self._settle(lines, tables, rejected)
                        tables.clear()
                        rejected.clear()
                        self._listed += raw.frame.height
                        self._keep(vanished(raw, origin, self._source, self._stores.records, self._run_id))
                        continue
                    tables[raw.record_type].append((raw, origin))
                    if raw.broken:
                        rejected.append(
                            rejected_by_format(raw.record_type, raw.broken, line.sha256, line.fetched_at)
                        )
                    self._unknown.update(raw.unknown_fields)
            except ReadError as error:
                self._fail([line], f"{line.url} {error}")
        self._settle(lines, tables, rejected)

    def _settle(
        self,
        lines: Sequence[Line],
        tables: Mapping[str, list[tuple[RawTable, Origin]]],
        rejected: list[pl.DataFrame],
    ) -> None:
        """Type and store what was decoded so far."""
        accepted: dict[str, list[pl.DataFrame]] = defaultdict(list)
        for name, found in tables.items():
            table = gathered(found, self._source)
            self.report.counts[name].read += table.height
            try:
                typed = bring_into_contract(RECORD_TYPES[name], table, self._source, self._place)
            except ReadError as error:
                self._fail(lines, str(error))
                continue
            rejected.append(typed.rejected)
            for other, records in typed.accepted.items():
                accepted[other].append(records)
        # Things first: of events that are stored later, no day has to be made again for their sake.
        for name in sorted(accepted, key=lambda name: RECORD_TYPES[name].event_time is not None):
            self._store(RECORD_TYPES[name], pl.concat(accepted[name]))
        if rejected:
            self._reject(pl.concat(rejected))

    def _payload(self, line: Line) -> Payload:
        body = self._landing.body(line.sha256)
        self.report.payloads += 1
        self.report.bytes += len(body)
        return Payload(body, line.url, line.role, line.variables, line.content_type, line.fetched_at)

    def _store(self, record_type: RecordType, records: pl.DataFrame) -> None:
        self._keep(self._stores.records.news(record_type, self._with_day(records, record_type.event_time)))

    def _keep(self, news: News) -> None:
        record_type = news.record_type
        if news.rows.is_empty():
            return
        days = set(news.days)
        for events, column in record_type.described_events.items():
            # What is known of a thing changes how its events are harmonised: their days are made again.
            keys = news.rows[record_type.key[0]].unique().to_list()
            days |= self._stores.records.days_of(RECORD_TYPES[events], column, keys)
        self._stores.journal.note(
            f"{self._run_id}-{self._source.name}", days, things=record_type.event_time is None
        )
        self._stores.records.append(news)
        counts = self.report.counts[record_type.name]
        counts.new += news.new
        counts.changed += news.changed
        counts.deleted += news.deleted
        counts.days |= news.days

    def _reject(self, rejected: pl.DataFrame) -> None:
        fresh = self._stores.quarantine.add(self._source.name, self._with_day(rejected, "received_at"))
        if fresh.is_empty():
            return
        self._stores.journal.note(f"{self._run_id}-{self._source.name}", fresh["day"].unique().to_list())
        for name, count in fresh["record_type"].value_counts().iter_rows():
            self.report.counts[name].rejected += count
        worst = fresh["rule"].value_counts(sort=True).row(0)
        self.report.warnings.append(
            f"{fresh.height} row(s) in quarantine, most by rule {worst[0]} ({worst[1]})"
        )

    def _with_day(self, records: pl.DataFrame, time_column: str | None) -> pl.DataFrame:
        day = (
            pl.col(time_column).dt.convert_time_zone(self._tenant.timezone).dt.date()
            if time_column
            else pl.lit(None, pl.Date)
        )
        return records.with_columns(
            day.alias("day"), pl.lit(self._source.name).alias("source"), pl.lit(self._run_id).alias("run_id")
        )

    def _fail(self, lines: Sequence[Line], message: str) -> None:
        self._failed.extend(lines)
        self.report.errors.append(message)
        log.error("%s · read · %s · %s", self._tenant.slug, self._source.name, message)

    def _advance(self, progress: Progress, manifest: str) -> None:
        rows = sum(counts.read for counts in self.report.counts.values()) + self._listed
        # An answer that stays empty is not read again; that it is empty stays true until rows come.
        ran_dry = not rows and (progress.ran_dry or bool(self.report.payloads and progress.had_rows))
        if ran_dry and self.report.ok:
            number = self.report.payloads or "unchanged"
            self.report.errors.append(
                f"{number} payload(s) without a single row, although the source always had some"
            )
        unknown = self._unknown - progress.unknown_fields
        if unknown:
            self.report.warnings.append(f"unknown field(s), not mapped: {', '.join(sorted(unknown))}")
        after = Progress(
            manifest,
            tuple(self._failed),
            progress.had_rows or rows > 0,
            ran_dry,
            progress.unknown_fields | unknown,
        )
        if after != progress:
            self._stores.journal.advance(self._source.name, after)

    def _log(self, state: str) -> None:
        counts = self.report.counts.values()
        log.info(
            "%s · read · %s · %s: %d rows, %d new, %d changed (%d deleted), %d rejected",
            self._tenant.slug, self._source.name, state, sum(c.read for c in counts),
            sum(c.new for c in counts), sum(c.changed for c in counts), sum(c.deleted for c in counts),
            sum(c.rejected for c in counts),
        )  # fmt: skip


def _unsuperseded(waiting: Sequence[Line], tried: Sequence[Line], failed: Sequence[Line]) -> list[Line]:
    """The lines that are still to be read: those without a later answer of the same address that was read."""
    unread = {(line.url, line.fetched_at) for line in failed}
    open_by_url: dict[str, list[Line]] = defaultdict(list)
    for line in waiting:
        open_by_url[line.url].append(line)
    for line in tried:
        if (line.url, line.fetched_at) in unread:
            open_by_url[line.url].append(line)
        else:
            open_by_url[line.url].clear()
    return [line for lines in open_by_url.values() for line in lines]


def _batches(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The lines in order, cut so that a batch's bodies stay small; a large body is a batch of its own."""
    batch: list[Line] = []
    size = 0
    for line in lines:
        if batch and size + line.bytes > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += line.bytes
    if batch:
        yield batch
