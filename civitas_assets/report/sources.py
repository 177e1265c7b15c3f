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
from civitas_assets.publish.reading import Tables
from civitas_assets.report.rows import rows
from civitas_assets.store.nights import Night
from civitas_assets.store.status import SourceStatus, State, source_status
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SourceSummary, Summary

EXPECTED_WITHIN = CADENCES["nightly"].patience
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
class Standing:
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


def read_newest(tables: Tables, since: date) -> Mapping[str, datetime]:
    """The end of the newest value of each source that brings series or statuses, as far as it is not older."""
    return {
        row.source: row.newest_at
        for row in rows(tables, _NEWEST, [since], _NewestRow)
        if row.newest_at is not None
    }


def standings(
    tenant: Tenant, stores: Stores, nights: Sequence[Night], newest: Mapping[str, datetime], now: datetime
) -> list[Standing]:
    """All sources of the tenant as they stand, in the order of its file."""
    known = Summary(stores.files, tenant.slug).read()
    return [
        _standing(source, known.source(name), nights, newest.get(name), now)
        for name, source in tenant.sources.items()
    ]


def _standing(
    source: Source, known: SourceSummary, nights: Sequence[Night], newest: datetime | None, now: datetime
) -> Standing:
    asked = [night for night in nights if source.name in night.sources]
    failed_since = None
    for night in asked:
        if night.sources[source.name].ok:
            break
        failed_since = night.started_at
    return Standing(
        source=source,
        status=source_status(known, source.cadence, now),
        known=known,
        newest_at=newest,
        is_quiet=newest is not None and now - newest > QUIET_AFTER,
        failed_since=failed_since,
    )
