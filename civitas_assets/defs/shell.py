"""The nightly job of one tenant in one op, for runs from the shell: what happened is recorded as in every other run.

A job of assets records before it begins what it intends to make, for each asset and check, and that costs more than a
quiet night. Here events are those of what has happened: materialisations and checks of the tenant's partition.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import dagster as dg

from civitas_assets.connectors.http import HttpClient
from civitas_assets.defs.commons import share_tenant
from civitas_assets.defs.events import Recorder
from civitas_assets.defs.landing import fetch_tenant
from civitas_assets.defs.published import publish_tenant
from civitas_assets.defs.records import read_tenant
from civitas_assets.defs.report import report_tenant
from civitas_assets.defs.runs import CADENCE_TAG, FAILED, NIGHTLY, SHELL_TAG, TENANT_TAG
from civitas_assets.defs.shared import harmonise_tenant
from civitas_assets.defs.work import Result, Work
from civitas_assets.errors import CivitasError, TestsFailed
from civitas_assets.ingest.isolation import isolated
from civitas_assets.store.nights import StepFailure

_Step = Callable[[Work], Iterator[Result]]


@dataclass
class Turn:
    """What the steps of a tenant have said so far, and which one failed."""

    work: Callable[[str], Work]
    fetch: Callable[[], HttpClient] | None
    results: list[Result] = field(default_factory=list)
    failures: list[StepFailure] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    workspace: str = ""

    def take(self, instance: dg.DagsterInstance, run_id: str) -> Iterator[Result]:
        """The steps one after the other, until one fails or leaves nothing to do; the page comes in any case."""
        work = self.work(run_id)
        for name, step in self._steps(work):
            said = list[Result]()
            yield from self._results(name, partial(self._collect, work, step, said), said)
            is_done = name != "fetch" and not any(isinstance(r, dg.MaterializeResult) for r in said)
            if self.failures or is_done:
                break
        for result in report_tenant(work.deployment, instance, run_id, work.tenant.slug, self.failures):
            self.results.append(result)
            yield result

    def _steps(self, work: Work) -> Iterator[tuple[str, _Step]]:
        if self.fetch is not None:
            yield "fetch", partial(self._fetch, self.fetch)
        yield "read_landing", read_tenant
        yield "harmonise", harmonise_tenant
        yield "publish", publish_tenant
        yield f"commons_{work.tenant.destination}", share_tenant

    @staticmethod
    def _fetch(client: Callable[[], HttpClient], work: Work) -> Iterator[Result]:
        with client() as opened:
            yield from fetch_tenant(work, opened)

    def _collect(self, work: Work, step: _Step, said: list[Result]) -> None:
        try:
            for result in step(work):  # one by one, because what was said before a fault counts
                said.append(result)  # noqa: PERF402
        except TestsFailed as error:
            self.workspace = error.workspace
            raise
        except dg.Failure as failure:  # which a step raises on purpose, too
            raise CivitasError(failure.description or "failed") from failure

    def _results(self, name: str, take: Callable[[], None], said: list[Result]) -> Iterator[Result]:
        _, error = isolated(name, take)
        self.results += said
        yield from said
        if error:
            self.errors.append(f"{name}: {error}")
            # Of what nobody foresaw the page has only the kind, for its text may say too much.
            kind, _, _ = error.partition(":")
            unforeseen = f"{kind}; the log of the run has more"
            self.failures.append(StepFailure(name, unforeseen if kind.startswith("unforeseen ") else error))


def run_turn(turn: Turn, instance: dg.DagsterInstance, tenant: str) -> str:
    """Take a tenant's turn as a run in Dagster's history, red where a step failed; the run's id is returned."""

    @dg.op(name="tenant", out=dg.Out(dg.Nothing))
    def steps(context: dg.OpExecutionContext) -> Iterator[Any]:
        recorder = Recorder(tenant, context.instance)
        for result in turn.take(context.instance, context.run_id):
            yield recorder.event_of(result)
        if turn.failures:
            text = "; ".join(turn.errors)
            raise dg.Failure(
                text,
                metadata={
                    FAILED: dg.MetadataValue.json({tenant: text}),
                    **({"workspace": turn.workspace} if turn.workspace else {}),
                },
                allow_retries=False,
            )
        yield dg.Output(None)

    @dg.job(name=NIGHTLY, executor_def=dg.in_process_executor)
    def nightly() -> None:
        steps()

    result = nightly.execute_in_process(
        instance=instance,
        raise_on_error=False,
        tags={
            "dagster/partition": tenant,
            TENANT_TAG: tenant,
            CADENCE_TAG: NIGHTLY,
            SHELL_TAG: "true",
        },
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    return result.run_id
