"""What a run may be told: which days to fetch, and which sources.

Without anything said, every source looks back as far as it declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from civitas_assets.catalog import Source, Tenant, Window
from civitas_assets.errors import ScopeError


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Limits a run to days, as `2026-08-01`, and sources, or widens it to all days ever recorded.

    What each field means for people is said where Dagster is told of them, in `defs/scope.py`.
    """

    first: str | None = None
    last: str | None = None
    sources: tuple[str, ...] = ()
    cadence: Literal["any", "nightly", "hourly", "every_15_minutes"] = "any"
    rebuild: bool = False
    repair: Literal["none", "show_replay", "replay", "retry_quarantine"] = "none"

    @property
    def is_of_a_night(self) -> bool:
        """Whether the run is one of those that are told of in the morning, and none of many on a day."""
        return self.cadence in {"any", "nightly"}

    @property
    def window(self) -> Window | None:
        """The days asked for, if any.

        Raises:
            ScopeError: they are not days, or in the wrong order.
        """
        if self.first is None and self.last is None:
            return None
        try:
            start, end = (
                date.fromisoformat(day or "") for day in (self.first or self.last, self.last or self.first)
            )
            return Window(start, end)
        except ValueError as error:
            raise ScopeError(f"days: {error}; write days as 2026-08-01") from error

    def select_sources(self, tenant: Tenant) -> Mapping[str, Source]:
        """The tenant's sources that this run is about.

        Raises:
            ScopeError: a source was asked for that the tenant does not have.
        """
        unknown = sorted(set(self.sources) - set(tenant.sources))
        if unknown:
            known = ", ".join(tenant.sources) or "none"
            raise ScopeError(f"{tenant.slug} has no source {unknown[0]}; it has: {known}")
        return {
            name: source
            for name, source in tenant.sources.items()
            if (not self.sources or name in self.sources) and self.cadence in {"any", source.cadence}
        }
