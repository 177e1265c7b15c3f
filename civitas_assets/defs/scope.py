"""What a run may be told: which days to fetch, and which sources.

Without anything said, every source looks back as far as it declares. What cannot be meant is refused before a run
begins: one that has begun and fails leaves every asset that it was to make failed.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG
from pydantic import Field

from civitas_assets.catalog import Source, Tenant, Window
from civitas_assets.catalog.basis import suggest_name
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.runs import OUTCOME_TAG
from civitas_assets.errors import CatalogError


class Days(dg.Config):
    """The window of a run, in the tenant's calendar."""

    first: str | None = Field(default=None, alias="from", description="First day, such as 2026-08-01.")
    last: str | None = Field(
        default=None, alias="to", description="Last day, included; by default the first one."
    )


class RunScope(dg.ConfigurableResource[Any]):
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

    def select_sources(self, tenant: Tenant) -> Mapping[str, Source]:
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


class _CheckedScope(dg.ResourceDefinition):
    """The scope in a job, whose configuration is looked at when Dagster plans a run: before there is one."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        super().__init__(
            resource_fn=self._scope, config_schema=RunScope.to_config_schema(), description=RunScope.__doc__
        )

    def apply_config_mapping(self, config: Any) -> Any:
        """The configuration as it is.

        Raises:
            dg.DagsterInvalidConfigError: it cannot be meant, whatever the tenant.
        """
        given = RunScope(**config.get("config", {}))
        try:
            given.window()
            self._ensure_known(given.sources)
        except dg.Failure as failure:
            said = f"Nothing was started. resources.scope.config: {failure.description}"
            raise dg.DagsterInvalidConfigError(said, [], config) from None  # type: ignore[no-untyped-call]
        return super().apply_config_mapping(config)

    def _ensure_known(self, sources: list[str]) -> None:
        """Nothing, if there is a tenant for each of the sources."""
        known = {
            name
            for tenant in self._deployment.with_current_catalog().catalog.tenants.values()
            for name in tenant.sources
        }
        for name in sources:
            if name not in known:
                raise dg.Failure(
                    f"sources: {suggest_name(name, sorted(known))}no tenant has a source {name}",
                    allow_retries=False,
                )

    def _scope(self, context: dg.InitResourceContext) -> RunScope:
        """The scope of a run, whose tenant has what it names."""
        scope, run = RunScope(**context.resource_config), context.run
        slug = run.tags.get(PARTITION_NAME_TAG) if run is not None else None
        if run is not None and slug is not None:
            try:
                scope.select_sources(self._deployment.catalog.get_tenant(slug))
            except (dg.Failure, CatalogError) as error:
                if context.instance is not None:
                    context.instance.add_run_tags(run.run_id, {OUTCOME_TAG: "failed"})
                said = error.description if isinstance(error, dg.Failure) else str(error)
                raise dg.Failure(f"Nothing was started. {said}", allow_retries=False) from None
        return scope


def build_checked_scope(deployment: Deployment) -> dg.ResourceDefinition:
    """The scope as a resource of this deployment's jobs."""
    return _CheckedScope(deployment)
