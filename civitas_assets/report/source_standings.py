"""How each source stands: when it last answered and last brought something, its newest value, and its last outcome.

What is to be done about it is worked out in `findings.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from civitas_assets.catalog import Source, Tenant
from civitas_assets.catalog.cadence import CADENCES
from civitas_assets.publish.reading import PublishedTables
from civitas_assets.report.query_rows import read_rows
from civitas_assets.store.nights import Night
from civitas_assets.store.status import SourceStatus, State, read_source_status
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SourceSummary, SummaryStore

EXPECTED_WITHIN = CADENCES["nightly"].max_age
# What publishers take to bring a day's values.
QUIET_AFTER = timedelta(hours=48)

_NEWEST = """
select source, max(newest_at) as newest_at from (
    select source, max(phenomenon_end_at) as newest_at from observation where day >= $1 group by source
    union all
    select source, max(observed_at) from parking_status where day >= $1 group by source
    union all
    select source, max(observed_at) from sharing_status where day >= $1 group by source
    union all
    select source, max(observed_at) from charge_point_status where day >= $1 group by source
) as newest
group by source
"""


class _NewestRow(msgspec.Struct, frozen=True):
    source: str
    newest_at: datetime | None


@dataclass(frozen=True)
class SourceStanding:
    """One source: what it is, how it is by what runs left of it, and how old what it brings is."""

    source: Source
    status: SourceStatus
    known: SourceSummary
    newest_at: datetime | None
    is_quiet: bool
    failed_since: datetime | None

    @property
    def name(self) -> str:
        """The source's key."""
        return self.source.name

    @property
    def state(self) -> State | Literal["quiet"]:
        """How it is in one word; quiet is one that is ok and brings nothing new."""
        return "quiet" if self.status.is_ok and self.is_quiet else self.status.state


def read_newest(tables: PublishedTables, since: date) -> Mapping[str, datetime]:
    """The end of the newest value of each source that brings series or statuses, as far as it is not older."""
    return {
        row.source: row.newest_at
        for row in read_rows(tables, _NEWEST, [since], _NewestRow)
        if row.newest_at is not None
    }


def list_standings(
    tenant: Tenant, stores: Stores, nights: Sequence[Night], newest: Mapping[str, datetime], now: datetime
) -> list[SourceStanding]:
    """All sources of the tenant as they stand, in the order of its file."""
    known = SummaryStore(stores.files, tenant.slug).read()
    return [
        _standing(source, known.get_source(name), nights, newest.get(name), now)
        for name, source in tenant.sources.items()
    ]


def _standing(
    source: Source, known: SourceSummary, nights: Sequence[Night], newest: datetime | None, now: datetime
) -> SourceStanding:
    asked = [night for night in nights if source.name in night.sources]
    failed_since = None
    for night in asked:
        if night.sources[source.name].ok:
            break
        failed_since = night.started_at
    return SourceStanding(
        source=source,
        status=read_source_status(known, source.cadence, now),
        known=known,
        newest_at=newest,
        is_quiet=newest is not None and now - newest > QUIET_AFTER,
        failed_since=failed_since,
    )
