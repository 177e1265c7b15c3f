"""One run for many tenants: they are fetched side by side, then each is read, harmonised and published by itself.

What becomes of a tenant is recorded under its own partition; a fault of one is said at the end and stops no other.
"""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field

from civitas_assets.catalog.cadence import CADENCES, Cadence
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.defs.asset_checks import to_dagster
from civitas_assets.defs.asset_keys import to_key
from civitas_assets.defs.event_writing import EventWriter
from civitas_assets.defs.events import CheckStanding, EventRecorder
from civitas_assets.defs.messages import notify_of_night_end
from civitas_assets.defs.runs import CADENCE_TAG, FAILED, NIGHTLY, OUTCOME_TAG, TENANTS_TAG
from civitas_assets.defs.shell_runs import record_shell_runs
from civitas_assets.defs.workers import Workers, start_workers
from civitas_assets.errors import CatalogError
from civitas_assets.pipeline.asset_names import HEALTH
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.night_entry import summarise_outcome
from civitas_assets.pipeline.report_step import report_to_operator
from civitas_assets.pipeline.turn import Turn
from civitas_assets.pipeline.turn_scope import Scope
from civitas_assets.pipeline.work import Work

log = logging.getLogger("civitas_assets.batch")

# Tenants whose sources are asked at the same time, or that wait for a process: so many that some servers which answer
# without end do not hold up the others.
_FETCHED_AT_ONCE = 16
_LOCK_TIMEOUT = 60.0  # seconds for a tenant that another run works for


class Due(dg.Config):
    """Whom a batch is for."""

    tenants: list[str] = Field(
        default=[], description="Only these tenants; by default all with a source of this cadence."
    )


def make_batch_name(cadence: Cadence) -> str:
    """The name of the job whose runs are for all tenants of a cadence; `nightly` alone is that of one tenant."""
    return f"{cadence}_batch"


def make_batch_op_name(cadence: Cadence) -> str:
    """The name of the only op of a batch, by which it is configured."""
    return f"tenants_{cadence}"


def build_batch_job(deployment: Deployment, cadence: Cadence) -> dg.JobDefinition:
    """The job of a cadence."""

    @dg.op(
        name=make_batch_op_name(cadence),
        out=dg.Out(dg.Nothing),
        description="Every tenant's sources, read and published.",
    )
    def work_through(context: dg.OpExecutionContext, config: Due) -> Iterator[Any]:
        asked = config.tenants or deployment.list_scheduled_tenants(cadence)
        if (
            TENANTS_TAG not in context.run.tags
        ):  # started by hand: whoever looks for a tenant's runs finds it, too
            context.instance.add_run_tags(context.run_id, {TENANTS_TAG: " ".join(asked)})
        # Since the run was asked for, a file may have been taken away, or be faulty without a state before that.
        failed = _unknown(deployment, asked)
        slugs = [slug for slug in asked if slug not in failed]
        scope = Scope(cadence=cadence)
        turns = [
            Turn(
                Work(
                    deployment,
                    deployment.catalog.get_tenant(slug),
                    scope,
                    context.run_id,
                    lock_timeout=_LOCK_TIMEOUT,
                ),
                gives_way=True,
            )
            for slug in slugs
        ]
        record_shell_runs(deployment.settings, context.instance)
        standing = CheckStanding(context.instance, slugs)
        writer = EventWriter(context.instance, context.run_id, context.job_name, make_batch_op_name(cadence))
        for done, turn in enumerate(_finished(deployment, turns), 1):
            # What the shell has done of the tenant since was before this turn: the lock keeps them apart.
            if record_shell_runs(deployment.settings, context.instance):
                standing = CheckStanding(context.instance, slugs)
            recorder = EventRecorder(turn.work.tenant.slug, context.instance, standing)
            recorder.record(map(to_dagster, turn.said.results), writer.write)
            if turn.is_through:
                for event in recorder.clear(context.run_id, {to_key(asset) for asset in turn.unseen}):
                    writer.write([event])
            said = "; ".join(turn.said.errors) or turn.said.busy or "done"
            log.info("%s · %s · %d of %d", turn.work.tenant.slug, said, done, len(turns))
        if any(result.asset == HEALTH for turn in turns for result in turn.said.results):
            report_to_operator(deployment)
        failed |= {turn.work.tenant.slug: "; ".join(turn.said.errors) for turn in turns if turn.said.errors}
        outcome = (
            "failed" if failed else summarise_outcome(turn.said.night for turn in turns if turn.said.night)
        )
        context.instance.add_run_tags(context.run_id, {OUTCOME_TAG: outcome})
        if cadence == NIGHTLY:
            faulty = {turn.work.tenant.slug for turn in turns if turn.said.night and not turn.said.night.ok}
            notify_of_night_end(deployment, len(asked), len(faulty | failed.keys()))
        if failed:
            raise dg.Failure(
                f"{len(failed)} of {len(asked)} tenants: "
                + "; ".join(f"{slug}: {error}" for slug, error in failed.items()),
                metadata={FAILED: dg.MetadataValue.json(failed)},
                allow_retries=False,
            )
        yield dg.Output(None)

    @dg.job(
        name=make_batch_name(cadence),
        description=f"{CADENCES[cadence].title}: fetch, read, harmonise and publish all tenants with such sources.",
        executor_def=dg.in_process_executor,
        tags={CADENCE_TAG: cadence},
    )
    def job() -> None:
        work_through()

    return job


def _unknown(deployment: Deployment, slugs: Iterable[str]) -> dict[str, str]:
    """Why nothing can be done for those of whom nothing is known."""
    found = {}
    for slug in slugs:
        try:
            deployment.catalog.get_tenant(slug)
        except CatalogError as error:
            found[slug] = str(error)
    return found


def _finished(deployment: Deployment, turns: Iterable[Turn]) -> Iterator[Turn]:
    """Each turn once it is through."""

    def take(turn: Turn, client: HttpClient, processes: Workers) -> Turn:
        for _ in turn.fetch(client):
            pass
        if not turn.said.busy:
            processes.finish(turn)
        return turn

    pool = ThreadPoolExecutor(max(_FETCHED_AT_ONCE, 2 * deployment.settings.workers), "tenant")
    with (
        _progress_on_the_console(),
        deployment.make_http_client() as client,
        start_workers(deployment) as processes,
    ):
        try:
            for done in as_completed([pool.submit(take, turn, client, processes) for turn in turns]):
                yield done.result()
        finally:  # where the run is cancelled, what it works on is ended with it
            processes.stop()
            pool.shutdown(cancel_futures=True)


@contextmanager
def _progress_on_the_console() -> Iterator[None]:
    """Let the history of the run have only warnings: a line there costs as much as a tenant's quiet night.

    Dagster 1.13 adds its handler anew whenever a generator goes on, lets its own events go by it as well, and does not
    look at filters that are added to it: what it is asked instead is its own `filter`.
    """
    package = logging.getLogger("civitas_assets")
    of_the_run = [*package.handlers]
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    package.addHandler(console)
    for handler in of_the_run:
        handler.filter = partial(_passes, handler.filter)  # type: ignore[method-assign]
    try:
        yield
    finally:
        package.removeHandler(console)
        for handler in of_the_run:
            del handler.filter


def _passes(of_its_own: Callable[[logging.LogRecord], Any], record: logging.LogRecord) -> Any:
    is_progress = record.levelno < logging.WARNING and record.name.startswith("civitas_assets")
    return not is_progress and of_its_own(record)
