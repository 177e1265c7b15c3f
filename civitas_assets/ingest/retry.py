"""Trying rejected rows again: the payloads that they came in are read anew, and what is accepted now is kept.

What a later payload has said since is not touched: an old row never replaces a newer record. How landing is read anew
is in `rehearse.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from civitas_assets.catalog import Source, Tenant
from civitas_assets.connectors.base import Connector
from civitas_assets.ingest.keep import Keeper
from civitas_assets.ingest.rehearse import Rehearsal, rehearse_source
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.records import RecordType
from civitas_assets.records.origin import REJECTED_SCHEMA
from civitas_assets.store.quarantine import SAME
from civitas_assets.store.records import RecordChanges
from civitas_assets.store.stores import Stores

_DAYS_AT_ONCE = 14


@dataclass(frozen=True)
class Retry:
    """What became of the rows: accepted ones have left the quarantine, others are rejected still.

    `unread` came in payloads that cannot be read, or that landing has no more. `report` says what records it brought;
    a row that is accepted may bring none, where a later payload has said the same or something else since.
    """

    accepted: int
    rejected: int
    unread: int
    report: ReadReport


def retry_rows(  # noqa: PLR0917 - each argument is of another type
    tenant: Tenant,
    source: Source,
    connector: Connector,
    stores: Stores,
    rows: pl.DataFrame,
    folder: Path,
    run_id: str,
) -> Retry:
    """Read the payloads of these rows of the source's quarantine again, with today's mapping.

    The tenant's lock must be held.
    """
    payloads = {*rows["payload"].unique()}
    with rehearse_source(
        tenant, source, connector, stores, folder, run_id, wanted=lambda line: line.sha256 in payloads
    ) as rehearsal:
        report = ReadReport(source.name, rehearsal.report.payloads, rehearsal.report.bytes)
        report.problems.extend(rehearsal.report.problems)
        keeper = Keeper(tenant, stores, run_id, report)
        again = rehearsal.stores.quarantine.read_rows()
        tried = rows.filter(pl.col("payload").is_in(rehearsal.read))
        leaving = tried.join(again, on=[*SAME], how="anti", nulls_equal=True)
        # A row reads differently by another mapping: the place that it has in its payload tells what became of it.
        still = tried.join(again, on=["record_type", "payload", "row"], how="semi", nulls_equal=True)
        if not again.is_empty():
            keeper.reject(again.select(*REJECTED_SCHEMA))
        for news in _news(rehearsal, stores):
            report.counts[news.record_type.name].read += news.rows.height
            keeper.keep(news)
        if not leaving.is_empty():
            stores.journal.note(f"{run_id}-{source.name}", leaving["day"].unique().to_list())
            stores.quarantine.remove(source.name, leaving)
    return Retry(tried.height - still.height, still.height, rows.height - tried.height, report)


def _news(rehearsal: Rehearsal, stores: Stores) -> Iterator[RecordChanges]:
    for record_type in rehearsal.record_types:
        days = rehearsal.stores.records.list_days(record_type) if record_type.event_time else []
        for start in range(0, max(len(days), 1), _DAYS_AT_ONCE):
            chosen = days[start : start + _DAYS_AT_ONCE]
            yield stores.records.find_changes(
                record_type, _not_outdated(record_type, rehearsal, stores, chosen)
            )


def _not_outdated(
    record_type: RecordType, rehearsal: Rehearsal, stores: Stores, days: list[date]
) -> pl.DataFrame:
    """What was read anew of these days, without what is known from the same payload or a later one."""
    keys = [*record_type.key]
    found = rehearsal.stores.records.read_current(record_type, rehearsal.source.name, days)
    known = stores.records.read_current(record_type, rehearsal.source.name, days)
    latest = known.select(*keys, pl.col("received_at").alias("known_at"))
    joined = found.filter(~pl.col("deleted")).join(latest, on=keys, how="left", maintain_order="left")
    fresh = pl.col("known_at").is_null() | (pl.col("received_at") > pl.col("known_at"))
    return joined.filter(fresh).drop("known_at")
