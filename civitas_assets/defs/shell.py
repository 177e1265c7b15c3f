"""A tenant's turn as a run of its own, for runs from the shell: recorded in Dagster's history as every other run."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.defs.events import EventRecorder
from civitas_assets.defs.runs import (
    CADENCE_TAG,
    FAILED,
    NIGHTLY,
    OUTCOME_TAG,
    SHELL_TAG,
    TENANT_TAG,
    summarise_outcome,
)
from civitas_assets.defs.turn import Turn
from civitas_assets.defs.work import Work


def run_turn(
    work: Callable[[str], Work],
    client: Callable[[], HttpClient] | None,
    instance: dg.DagsterInstance,
    tenant: str,
) -> tuple[str, Turn]:
    """Take a tenant's turn in a run, red where a step failed; the run's id and what the turn has said.

    `work` is told the run's id.
    """
    turns = list[Turn]()

    @dg.op(name="tenant", out=dg.Out(dg.Nothing))
    def steps(context: dg.OpExecutionContext) -> Iterator[Any]:
        recorder, turn = EventRecorder(tenant, context.instance), Turn(work(context.run_id))
        turns.append(turn)
        for result in turn.take(client):
            yield from recorder.build_events(result)
        if turn.said.night is not None:
            tags = {OUTCOME_TAG: summarise_outcome([turn.said.night])}
            context.instance.add_run_tags(context.run_id, tags)
        if turn.is_through:
            yield from recorder.clear(context.run_id, turn.unseen)
        if turn.said.failures:
            text = "; ".join(turn.said.errors)
            place = {"workspace": turn.said.workspace} if turn.said.workspace else {}
            raise dg.Failure(
                text, metadata={FAILED: dg.MetadataValue.json({tenant: text}), **place}, allow_retries=False
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
    return result.run_id, turns[0]
