"""How often sources are fetched: the cadences that a source may name, when they tick, and what is late by them.

What runs at a tick is decided in the Dagster layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Cadence = Literal["nightly", "hourly", "every_15_minutes"]


@dataclass(frozen=True)
class Rhythm:
    """When a cadence ticks, in the operator's time; a source that was silent for longer than `patience` is stale.

    `fetching` is how long a source may be fetched unless it says otherwise, so that one whose server answers without
    end does not keep the others from the next tick. A tenant in a batch has twice that for all its sources.
    """

    cron: str
    period: timedelta
    max_age: timedelta
    fetching: timedelta
    title: str


# Hours tick between quarters, so that a tenant with both seldom waits for itself. A night with a time change has 25
# hours, and a run takes its time.
CADENCES: Mapping[Cadence, Rhythm] = {
    "nightly": Rhythm(
        "0 2 * * *", timedelta(days=1), timedelta(hours=30), timedelta(hours=1), "Every night at 02:00"
    ),
    "hourly": Rhythm(
        "20 * * * *", timedelta(hours=1), timedelta(hours=3), timedelta(minutes=20), "Every hour, at 20 past"
    ),
    "every_15_minutes": Rhythm(
        "*/15 * * * *",
        timedelta(minutes=15),
        timedelta(minutes=50),
        timedelta(minutes=5),
        "Every quarter of an hour",
    ),
}
