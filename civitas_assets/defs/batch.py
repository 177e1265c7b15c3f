"""One run for many tenants: they are fetched side by side, then each is read, harmonised and published by itself.

What becomes of a tenant is recorded under its own partition; a fault of one is said at the end and stops no other.
"""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from pydantic import Field

from civitas_assets.catalog.cadence import Cadence
from civitas_assets.connectors.http import HttpClient
from civitas_assets.defs.commons import share_tenant
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.events import Recorder
from civitas_assets.defs.landing import fetch_tenant
from civitas_assets.defs.published import publish_tenant
from civitas_assets.defs.records import read_tenant
from civitas_assets.defs.runs import CADENCE_TAG, FAILED
from civitas_assets.defs.scope import Scope
from civitas_assets.defs.shared import harmonise_tenant
from civitas_assets.defs.work import Result, Work
from civitas_assets.errors import TenantBusy
from civitas_assets.ingest.isolation import isolated

log = logging.getLogger("civitas_assets.batch")

BATCHED: frozenset[Cadence] = frozenset({"every_15_minutes"})

_AT_ONCE = 4  # tenants whose sources are fetched at the same time
_PATIENCE = 60.0  # seconds for a tenant that another run works for
_LATER = (read_tenant, harmonise_tenant, publish_tenant, share_tenant)


class Due(dg.Config):
    """Whom a batch is for."""

    tenants: list[str] = Field(
        default=[], description="Only these tenants; by default all with a source of this cadence."
    )


@dataclass
class _Turn:
    """What a tenant's steps have said so far, and what went wrong; one that is busy has its turn at the next tick."""

    work: Work
    results: list[Result] = field(default_factory=list)
    error: str = ""
    busy: str = ""

    @property
    def slug(self) -> str:
        return self.work.tenant.slug

    def fetch(self, client: HttpClient) -> "_Turn":
        self._take(lambda: self._extend(fetch_tenant(self.work, client)), "fetch")
        return self

    def finish(self) -> None:
        """The steps after fetching, until one finds nothing to do."""
        for step in _LATER:
            before = len(self.results)
            if not self.error and not self.busy:
                self._take(lambda s=step: self._extend(s(self.work)), step.__name__.removesuffix("_tenant"))
            if not any(isinstance(result, dg.MaterializeResult) for result in self.results[before:]):
                return

    def _take(self, work: Any, name: str) -> None:
        def unless_busy() -> None:
            try:
                work()
            except TenantBusy as busy:
                self.busy = str(busy)

        _, self.error = isolated(f"{self.slug} · {name}", unless_busy)

    def _extend(self, results: Iterator[Result]) -> None:
        for result in results:  # one by one, because what was said before a fault counts
            self.results.append(result)


def batch_op(cadence: Cadence) -> str:
    """The name of the only op of a batch, by which it is configured."""
    return f"tenants_{cadence}"


def batch_job(deployment: Deployment, cadence: Cadence) -> dg.JobDefinition:
    """The job of a cadence whose tenants share a run."""

    @dg.op(
        name=batch_op(cadence),
        out=dg.Out(dg.Nothing),
        description="Every tenant's sources, read and published.",
    )
    def work_through(context: dg.OpExecutionContext, config: Due) -> Iterator[Any]:
        slugs = config.tenants or deployment.scheduled(cadence)
        scope = Scope(cadence=cadence)
        turns = [
            _Turn(
                Work(deployment, deployment.catalog.tenant(slug), scope, context.run_id, patience=_PATIENCE)
            )
            for slug in slugs
        ]
        for turn in _worked(deployment, turns):
            recorder = Recorder(turn.slug, context.instance)
            for result in turn.results:
                yield recorder.event_of(result)
        failed = {turn.slug: turn.error for turn in turns if turn.error}
        if failed:
            raise dg.Failure(
                f"{len(failed)} of {len(turns)} tenants: "
                + "; ".join(f"{slug}: {error}" for slug, error in failed.items()),
                metadata={FAILED: dg.MetadataValue.json(failed)},
                allow_retries=False,
            )
        yield dg.Output(None)

    @dg.job(
        name=cadence,
        description="Fetch, read, harmonise and publish the tenants with sources of this cadence, in one run.",
        executor_def=dg.in_process_executor,
        tags={CADENCE_TAG: cadence},
    )
    def job() -> None:
        work_through()

    return job


def _worked(deployment: Deployment, turns: list[_Turn]) -> Iterator[_Turn]:
    """Each tenant once it is through."""
    with deployment.http_client() as client, ThreadPoolExecutor(_AT_ONCE, "tenant") as pool:
        fetching = [pool.submit(turn.fetch, client) for turn in turns]
        for fetched in as_completed(fetching):
            turn = fetched.result()
            turn.finish()
            log.info("%s · %s", turn.slug, turn.error or turn.busy or "done")
            yield turn
