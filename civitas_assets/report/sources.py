"""How each source stands: when it last answered and last brought something, its newest value, and its last outcome.

What is to be done about it is worked out in `findings.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from civitas_assets.catalog import Source, Tenant
from civitas_assets.catalog.cadence import CADENCES
from civitas_assets.publish.reading import Tables
from civitas_assets.records import Note
from civitas_assets.report.rows import rows
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.nights import Night, SourceNight
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import Summary

State = Literal["failed", "unread", "never", "overdue", "quiet", "fresh"]

EXPECTED_WITHIN = CADENCES["nightly"].patience
# What publishers take to bring a day's values.
QUIET_AFTER = timedelta(hours=48)

_NEWEST = """
select source, max(newest_at) as newest_at from (
    select source, max(phenomenon_end_at) as newest_at from observation where day >= ?::date group by source
    union all
    select source, max(observed_at) from parking_status where day >= ?::date group by source
    union all
    select source, max(observed_at) from sharing_status where day >= ?::date group by source
    union all
    select source, max(observed_at) from charge_point_status where day >= ?::date group by source
)
group by source
"""


class _NewestRow(msgspec.Struct, frozen=True):
    source: str
    newest_at: datetime | None


@dataclass(frozen=True)
class Standing:
    """One source: what it is, how it answered when it was last asked, and how old what it brings is."""

    source: Source
    state: State
    last_fetched_at: datetime | None
    last_changed_at: datetime | None
    newest_at: datetime | None
    failed_since: datetime | None
    unread: int
    outcome: SourceNight | None
    notes: tuple[Note, ...] = ()

    @property
    def name(self) -> str:
        """The source's key."""
        return self.source.name


def read_newest(tables: Tables, since: date) -> Mapping[str, datetime]:
    """The end of the newest value of each source that brings series or statuses, as far as it is not older."""
    return {
        row.source: row.newest_at
        for row in rows(tables, _NEWEST, [since] * 4, _NewestRow)
        if row.newest_at is not None
    }


def standings(
    tenant: Tenant, stores: Stores, nights: Sequence[Night], newest: Mapping[str, datetime], now: datetime
) -> list[Standing]:
    """All sources of the tenant as they stand, in the order of its file."""
    known = Summary(stores.files, tenant.slug).read()
    return [
        replace(_standing(source, tenant, stores, nights, newest, now), notes=known.source(source.name).notes)
        for source in tenant.sources.values()
    ]


def _standing(  # noqa: PLR0917 - each argument is of another type
    source: Source,
    tenant: Tenant,
    stores: Stores,
    nights: Sequence[Night],
    newest: Mapping[str, datetime],
    now: datetime,
) -> Standing:
    name = source.name
    asked = [night for night in nights if name in night.sources]
    outcome = asked[0].sources[name] if asked else None
    fetched, changed = SourceLanding(stores.files, tenant.slug, name).last_times()
    unread = len(stores.journal.progress(name).failed)
    failed_since = None
    for night in asked:
        if night.sources[name].ok:
            break
        failed_since = night.started_at
    return Standing(
        source=source,
        state=_state(outcome, fetched, newest.get(name), unread, CADENCES[source.cadence].patience, now),
        last_fetched_at=fetched,
        last_changed_at=changed,
        newest_at=newest.get(name),
        failed_since=failed_since,
        unread=unread,
        outcome=outcome,
    )


def _state(  # noqa: PLR0917 - as above
    outcome: SourceNight | None,
    fetched: datetime | None,
    newest: datetime | None,
    unread: int,
    patience: timedelta,
    now: datetime,
) -> State:
    if outcome is not None and outcome.fetch_error:
        return "failed"
    if unread or (outcome is not None and outcome.read_error):
        return "unread"
    if fetched is None:
        return "never"
    if now - fetched > patience:
        return "overdue"
    return "quiet" if newest is not None and now - newest > QUIET_AFTER else "fresh"
