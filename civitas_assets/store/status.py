"""How a source is, in one word: worked out in this one place from what runs leave in the tenant's summary.

The command line, Dagster's checks, the morning page, the metrics and the published table `source` all show this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.cadence import CADENCES
from civitas_assets.store.files import Files
from civitas_assets.store.summary import SourceSummary, SummaryStore

# never: not asked yet. failing: the last time, not all that was asked was answered. unread: what was answered cannot be
# read or used, or holds nothing although it always did. late: no whole answer for longer than the cadence allows.
State = Literal["ok", "late", "unread", "failing", "never"]


@dataclass(frozen=True)
class SourceStatus:
    """One source at one moment; `age` is that of its last whole answer, `reason` what was said of what is wrong."""

    state: State
    answered_at: datetime | None
    age: timedelta | None
    allowed: timedelta
    reason: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether nobody has to look at it."""
        return self.state == "ok"

    @property
    def is_late(self) -> bool:
        """Whether its last whole answer is too old, whatever else is the matter; one that never answered is."""
        return self.age is None or self.age > self.allowed

    def __str__(self) -> str:
        if self.answered_at is None or self.age is None:
            said = "has never answered all that was asked"
        else:
            hours = self.age.total_seconds() / 3600
            said = f"last answered all that was asked {self.answered_at:%Y-%m-%d %H:%M} UTC, {hours:.1f} hours ago"
        return f"{said}; {self.state}: {self.reason}" if self.reason else said


def read_source_status(summary: SourceSummary, cadence: str, now: datetime) -> SourceStatus:
    """How a source of the cadence is; one of a cadence that there is not counts as nightly."""
    known = {str(name): rhythm.max_age for name, rhythm in CADENCES.items()}
    allowed = known.get(cadence, CADENCES["nightly"].max_age)
    age = now - summary.answered_at if summary.answered_at else None
    state: State = "ok"
    if summary.asked_at is None:
        state = "never"
    elif summary.error:
        state = "failing"
    elif summary.read_error or summary.unread:
        state = "unread"
    elif age is None or age > allowed:
        state = "late"
    reason = {"failing": summary.error, "unread": summary.read_error}.get(state)
    return SourceStatus(state, summary.answered_at, age, allowed, str(reason or ""))


def read_source_statuses(files: Files, tenant: Tenant, now: datetime) -> Mapping[str, SourceStatus]:
    """How each source of the tenant's file is, by name."""
    known = SummaryStore(files, tenant.slug).read()
    return {
        name: read_source_status(known.get_source(name), source.cadence, now)
        for name, source in tenant.sources.items()
    }
