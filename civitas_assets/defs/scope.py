"""What a run may be told: which days to fetch, and which sources.

Without anything said, every source looks back as far as it declares.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import dagster as dg
from pydantic import Field

from civitas_assets.catalog import Source, Tenant, Window


class Days(dg.Config):
    """The window of a run, in the tenant's calendar."""

    first: str | None = Field(default=None, alias="from", description="First day, such as 2026-08-01.")
    last: str | None = Field(
        default=None, alias="to", description="Last day, included; by default the first one."
    )


class Scope(dg.ConfigurableResource[Any]):
    """Limits a run to days and sources, or widens it to all days ever recorded."""

    days: Days = Field(
        default=Days(), description="Fetch these days; by default each source's look_back until today."
    )
    sources: list[str] = Field(default=[], description="Fetch and read only these sources; by default all.")
    cadence: Literal["any", "nightly", "hourly", "every_15_minutes"] = Field(
        default="any", description="Fetch and read only the sources of this cadence. Schedules set it."
    )
    rebuild: bool = Field(
        default=False, description="Make the output anew from all days in the record store."
    )
    repair: Literal["none", "show_replay", "replay", "retry_quarantine"] = Field(
        default="none",
        description=(
            "In place of reading what is new. show_replay: say what reading `days` again with today's mapping would "
            "change. replay: append that as revisions. retry_quarantine: try rejected rows again."
        ),
    )

    @property
    def is_of_a_night(self) -> bool:
        """Whether the run is one of those that are told of in the morning, and none of many on a day."""
        return self.cadence in {"any", "nightly"}

    def window(self) -> Window | None:
        """The days asked for, if any.

        Raises:
            dg.Failure: they are not days, or in the wrong order.
        """
        first, last = self.days.first, self.days.last
        if first is None and last is None:
            return None
        try:
            start, end = date.fromisoformat(first or last or ""), date.fromisoformat(last or first or "")
            return Window(start, end)
        except ValueError as error:
            raise dg.Failure(f"days: {error}; write days as 2026-08-01", allow_retries=False) from error

    def chosen(self, tenant: Tenant) -> Mapping[str, Source]:
        """The tenant's sources that this run is about.

        Raises:
            dg.Failure: a source was asked for that the tenant does not have.
        """
        unknown = sorted(set(self.sources) - set(tenant.sources))
        if unknown:
            known = ", ".join(tenant.sources) or "none"
            raise dg.Failure(
                f"{tenant.slug} has no source {unknown[0]}; it has: {known}", allow_retries=False
            )
        return {
            name: source
            for name, source in tenant.sources.items()
            if (not self.sources or name in self.sources) and self.cadence in {"any", source.cadence}
        }
