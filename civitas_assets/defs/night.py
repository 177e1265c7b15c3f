"""What became of a run of assets, from its events: the entry of the tenant's night book."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import dagster as dg

from civitas_assets.defs.asset_checks import read_check, read_materialisation
from civitas_assets.pipeline.night_entry import LONGEST, build_night
from civitas_assets.pipeline.results import Result
from civitas_assets.store.nights import Night, StepFailure

_EVENTS = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.STEP_FAILURE,
}


def read_night(instance: dg.DagsterInstance, run_id: str, now: datetime) -> Night | None:
    """A run of assets as it stands now, from its events; None if it has done nothing so far."""
    events = [
        entry.dagster_event
        for entry in instance.all_logs(run_id, of_type=_EVENTS)
        if entry.dagster_event is not None
    ]
    if not events:
        return None
    record = instance.get_run_record_by_id(run_id)
    began = record.start_time if record is not None and record.start_time else None
    elapsed = max(0.0, datetime.now().timestamp() - began) if began else 0.0  # noqa: DTZ005 - as Dagster counts
    started_at = now - timedelta(seconds=elapsed)
    return build_night([*_results(events)], [*_failed_steps(events)], run_id, started_at, now)


def _results(events: Sequence[dg.DagsterEvent]) -> Iterator[Result]:
    for event in events:
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            yield read_check(event.asset_check_evaluation_data)
        elif event.is_step_materialization:
            yield read_materialisation(event.materialization)


def _failed_steps(events: Sequence[dg.DagsterEvent]) -> Iterator[StepFailure]:
    """What steps say of their failure; of one that nobody foresaw only its kind, for its text may say too much."""
    for event in events:
        if event.is_step_failure:
            failure = event.step_failure_data
            given = failure.user_failure_data.description if failure.user_failure_data else None
            cause = failure.error.cause or failure.error if failure.error else None
            unforeseen = f"unforeseen {cause.cls_name}; the log of the run has more" if cause else "failed"
            yield StepFailure(event.step_key or "", (given or unforeseen)[:LONGEST])
