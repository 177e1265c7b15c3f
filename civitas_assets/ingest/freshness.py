"""Whether a source is fresh: it has answered all that was asked within the time that its cadence allows.

What the answers say is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from civitas_assets.catalog import Source
from civitas_assets.catalog.cadence import CADENCES
from civitas_assets.store.files import Files
from civitas_assets.store.landing import SourceLanding


@dataclass(frozen=True)
class Freshness:
    """When a source has last answered all that was asked, and how long it may be silent."""

    answered_at: datetime | None
    patience: timedelta
    now: datetime

    @property
    def fresh(self) -> bool:
        """Whether it has answered, and lately enough."""
        return self.answered_at is not None and self.now - self.answered_at <= self.patience

    def __str__(self) -> str:
        if self.answered_at is None:
            return "has never answered all that was asked"
        hours = (self.now - self.answered_at).total_seconds() / 3600
        return (
            f"last answered all that was asked {self.answered_at:%Y-%m-%d %H:%M} UTC, {hours:.1f} hours ago"
        )


def freshness(files: Files, tenant: str, source: Source, now: datetime) -> Freshness:
    """How fresh a source of a tenant is."""
    answered = SourceLanding(files, tenant, source.name).answered()
    return Freshness(answered.at, CADENCES[source.cadence].patience, now)
