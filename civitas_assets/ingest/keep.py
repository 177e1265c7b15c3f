"""Keeping what was read: new and changed records, marks of deletion, and rejected rows.

The days that gain something are noted as pending first, so that a crash costs a repetition and nothing else. How
payloads become records is in `read.py`.
"""

from __future__ import annotations

import polars as pl

from civitas_assets.catalog import Tenant
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.store.day_turns import DAY, split_by_days
from civitas_assets.store.records import RecordChanges
from civitas_assets.store.stores import Stores

# Records of events that are held against the store together: enough to make work per file small, little for a small
# machine.
STORED_AT_ONCE = 250_000


class Keeper:
    """Appends what one source brings to the stores of its tenant, and counts it in the report."""

    def __init__(self, tenant: Tenant, stores: Stores, run_id: str, report: ReadReport) -> None:
        self._tenant, self._stores, self._run_id, self._report = tenant, stores, run_id, report

    def store(self, record_type: RecordType, records: pl.DataFrame) -> None:
        """Keep what of these records is new or changed; many of events some days at a time."""
        dated = self._with_day(records, record_type.event_time)
        for turn in split_by_days(dated, STORED_AT_ONCE) if record_type.is_of_days else (dated,):
            self.keep(self._stores.records.find_changes(record_type, turn))

    def keep(self, news: RecordChanges) -> None:
        """Append what is news."""
        record_type = news.record_type
        if news.rows.is_empty():
            return
        days = set(news.days)
        for events, column in record_type.described_events.items():
            # What is known of a thing changes how its events are harmonised: their days are made again.
            keys = news.rows[record_type.key[0]].unique().to_list()
            days |= self._stores.records.find_days(RECORD_TYPES[events], column, keys)
        self._stores.journal.note(
            f"{self._run_id}-{self._report.source}", days, things=record_type.event_time is None
        )
        self._stores.records.append(news)
        counts = self._report.counts[record_type.name]
        counts.new += news.new
        counts.changed += news.changed
        counts.deleted += news.deleted
        counts.days |= news.days

    def reject(self, rejected: pl.DataFrame) -> None:
        """Put rejected rows into quarantine, as far as they are not there."""
        quarantine, source = self._stores.quarantine, self._report.source
        fresh = quarantine.select_unknown(source, self._with_day(rejected, "received_at"))
        if fresh.is_empty():
            return
        self._stores.journal.note(f"{self._run_id}-{source}", fresh["day"].unique().to_list())
        quarantine.add(source, fresh)
        for name, count in fresh["record_type"].value_counts().iter_rows():
            self._report.counts[name].rejected += count
        worst = fresh["rule"].value_counts(sort=True).row(0)
        self._report.warnings.append(
            f"{fresh.height} row(s) in quarantine, most by rule {worst[0]} ({worst[1]})"
        )

    def _with_day(self, records: pl.DataFrame, time_column: str | None) -> pl.DataFrame:
        if DAY not in records.columns:
            local = pl.col(time_column or "").dt.convert_time_zone(self._tenant.timezone).dt.date()
            records = records.with_columns((local if time_column else pl.lit(None, pl.Date)).alias(DAY))
        return records.with_columns(
            pl.lit(self._report.source).alias("source"), pl.lit(self._run_id).alias("run_id")
        )
