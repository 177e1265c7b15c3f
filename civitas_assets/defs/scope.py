"""What a run may be told: which days to fetch, and which sources.

Without anything said, every source looks back as far as it declares. What cannot be meant is refused before a run
begins: one that has begun and fails leaves every asset that it was to make failed.
"""

from collections.abc import Sequence
from typing import Any, Literal

import dagster as dg
from pydantic import Field

from civitas_assets.catalog.basis import suggest_name
from civitas_assets.defs.dagster_internals import PARTITION_NAME_TAG
from civitas_assets.defs.runs import OUTCOME_TAG
from civitas_assets.errors import CatalogError, ScopeError
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.turn_scope import Scope


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

    def to_scope(self) -> Scope:
        """The same for the steps, which do not need Dagster."""
        return Scope(
            first=self.days.first,
            last=self.days.last,
            sources=tuple(self.sources),
            cadence=self.cadence,
            rebuild=self.rebuild,
            repair=self.repair,
        )


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
        given = RunScope(**config.get("config", {})).to_scope()
        try:
            _ = given.window
            self._ensure_known(given.sources)
        except ScopeError as error:
            said = f"Nothing was started. resources.scope.config: {error}"
            raise dg.DagsterInvalidConfigError(said, [], config) from None  # type: ignore[no-untyped-call]
        return super().apply_config_mapping(config)

    def _ensure_known(self, sources: Sequence[str]) -> None:
        """Nothing, if there is a tenant for each of the sources."""
        known = {
            name
            for tenant in self._deployment.with_current_catalog().catalog.tenants.values()
            for name in tenant.sources
        }
        for name in sources:
            if name not in known:
                raise ScopeError(f"sources: {suggest_name(name, sorted(known))}no tenant has a source {name}")

    def _scope(self, context: dg.InitResourceContext) -> RunScope:
        """The scope of a run, whose tenant has what it names."""
        scope, run = RunScope(**context.resource_config), context.run
        slug = run.tags.get(PARTITION_NAME_TAG) if run is not None else None
        if run is not None and slug is not None:
            try:
                scope.to_scope().select_sources(self._deployment.catalog.get_tenant(slug))
            except (ScopeError, CatalogError) as error:
                if context.instance is not None:
                    context.instance.add_run_tags(run.run_id, {OUTCOME_TAG: "failed"})
                raise dg.Failure(f"Nothing was started. {error}", allow_retries=False) from None
        return scope


def build_checked_scope(deployment: Deployment) -> dg.ResourceDefinition:
    """The scope as a resource of this deployment's jobs."""
    return _CheckedScope(deployment)
